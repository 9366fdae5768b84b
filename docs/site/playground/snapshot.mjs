// node snapshot.mjs RUNTIME SITE FILE: as FILE the memory of a Python that has imported what
// SITE has and has answered once. Where it is restored, nothing is left to import.

import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { LIBRARY, options, unpack } from "./runtime.js";

const [runtime, site, file] = process.argv.slice(2).map((name) => path.resolve(name));

// Without the line of the runtime that it came from, which has a million characters.
process.on("uncaughtException", ({ message }) => {
  console.error(message);
  process.exit(1);
});

// The same site gives the same memory, so its clock stands still and chance always falls alike.
Date.now = performance.now = () => 0;
createRequire(import.meta.url)("node:crypto").randomFillSync = (view) => view.fill(0);

const names = readdirSync(site, { recursive: true }).sort();
const files = names.filter((name) => statSync(path.join(site, name)).isFile());
const content = files.map((name) => [name, readFileSync(path.join(site, name))]);

const { default: createModule } = await import(path.join(runtime, "pyodide.asm.mjs"));
const { loadPyodide } = await import(path.join(runtime, "pyodide.mjs"));
const locate = (name) =>
  name === LIBRARY ? path.join(site, "..", LIBRARY) : path.join(runtime, name);
const python = await loadPyodide({
  ...options(createModule, locate),
  indexURL: runtime,
  _makeSnapshot: true,
  fsInit: async (FS) => unpack(FS, Object.fromEntries(content)),
});
python.runPython(`
import sys

sys.path.insert(0, "/site")
from answers import answer
import warm
`);
clear(python._module);
writeFileSync(file, python.makeMemorySnapshot());

/** Zero the memory that is free, which packs better: take all that is left, and give it back. */
function clear({ HEAPU8, _free, _malloc, _malloc_footprint, _malloc_set_footprint_limit }) {
  _malloc_set_footprint_limit(_malloc_footprint());
  const taken = [];
  for (let size = 2 ** 20; size >= 32; size /= 2) {
    for (let at; (at = _malloc(size)); taken.push(at)) HEAPU8.fill(0, at, at + size);
  }
  taken.forEach((at) => _free(at));
  _malloc_set_footprint_limit(-1);
}
