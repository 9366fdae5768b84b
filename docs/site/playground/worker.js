// The compiler, in a thread of its own: it takes {request} and gives {answer}.

import createModule from "./runtime/pyodide.asm.js";
import { loadPyodide } from "./runtime/pyodide.js";
import { LIBRARY, options, unpack } from "./runtime.js";

const HERE = new URL("runtime/", import.meta.url).href;

/** A part of the runtime, which is stored packed. */
async function unpacked(name, type) {
  const found = await fetched(`${HERE}${name}.packed`);
  if (!found.ok) throw new Error(`${name}: ${found.status} ${found.statusText}`);
  const content = found.body.pipeThrough(new DecompressionStream("gzip"));
  return new Response(content, { headers: { "Content-Type": type } });
}

// Pyodide fetches its parts itself, by names of its own.
const fetched = self.fetch;
const PACKED = { "pyodide.asm.wasm": "application/wasm", "pydantic_core.so": "" };
self.fetch = (address, ...settings) => {
  const name = String(address).replace(HERE, "");
  if (name === "python_stdlib.zip") return Promise.resolve(new Response()); // is in the snapshot
  return name in PACKED ? unpacked(name, PACKED[name]) : fetched(address, ...settings);
};

async function restored() {
  const memory = unpacked("snapshot").then((found) => found.arrayBuffer());
  const files = unpacked("files.json").then((found) => found.json());
  const create = async (settings) => {
    const module = await createModule(settings);
    const { byteLength } = await memory;
    module._emscripten_resize_heap(byteLength); // as large as the memory that is put into it
    return module;
  };
  const locate = (name) => HERE + (name === LIBRARY ? "pydantic_core.so" : name);
  const python = await loadPyodide({
    ...options(create, locate),
    indexURL: HERE,
    _loadSnapshot: memory,
    fsInit: async (FS) => unpack(FS, await files),
  });
  return python.globals.get("answer");
}

const starting = restored();
starting.then(
  () => postMessage({ ready: true }),
  (error) => postMessage({ failed: String(error) }),
);

self.addEventListener("message", async ({ data: { request } }) => {
  const answer = await starting;
  try {
    postMessage({ answer: answer(JSON.stringify(request)) });
  } catch (error) {
    postMessage({ failed: String(error) });
  }
});
