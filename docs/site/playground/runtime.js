// How Python is started, which the snapshot of its memory and what restores it must do alike:
// what differs would move a table that the memory points into.

/** pydantic's compiled half. It is loaded before Python starts, so it lies at one place always. */
export const LIBRARY = "/site/pydantic_core/_pydantic_core.cpython-314-wasm32-emscripten.so";

/** Options of `loadPyodide`; `create` makes the module of it, `locate` says where a part of it is. */
export function options(create, locate) {
  return {
    env: { HOME: "/work", PYTHONHASHSEED: "0", PYTHONDONTWRITEBYTECODE: "1" },
    lockFileContents: { info: INFO, packages: {} },
    createPyodideModule: (settings) =>
      create({ ...settings, dynamicLibraries: [LIBRARY], locateFile: locate }),
  };
}

// Of a lock file without packages: they are in the snapshot.
const INFO = {
  abi_version: "2026_0",
  arch: "wasm32",
  platform: "emscripten",
  python: "3.14",
  version: "314.0.7",
};

/** Put the files, texts or bytes by path, below /site. */
export function unpack(FS, files) {
  for (const [path, content] of Object.entries(files)) {
    const whole = `/site/${path}`;
    FS.mkdirTree(whole.slice(0, whole.lastIndexOf("/")));
    FS.writeFile(whole, content);
  }
}
