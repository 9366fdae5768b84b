"""Writes the playground as static files: `python docs/site/build.py FOLDER`.

The playground, in playground/, is made of npm's packages and wheels at the versions and hashes
of its lock files, and of the resnet_spec of this checkout. It needs node, npm and pip. What
was fetched is kept in build/playground, and fetched again when a lock file changes.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from string import Template
from zipfile import ZipFile

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SOURCES = HERE / "playground"
LOOK = ROOT / "resnet_spec" / "emit" / "page" / "look.css"  # what both pages look like
KEPT = ROOT / "build" / "playground"
COMPILED = ".cpython-314-wasm32-emscripten.so"
PLATFORMS = ("pyemscripten_2026_0_wasm32", "manylinux2014_x86_64")
DATA = (".yaml", ".txt", ".jinja")  # what the compiler reads beside its modules


def playground(folder: Path) -> None:
    """Write the playground as a static folder, in place of what is there."""
    packages = _fetched("package-lock.json", _node_modules) / "node_modules"
    wheels = _fetched("requirements.txt", _wheels)
    shutil.rmtree(folder, ignore_errors=True)
    runtime = folder / "runtime"
    runtime.mkdir(parents=True)
    pyodide = packages / "pyodide"
    site = KEPT / "site"
    _unpack(wheels, site)
    _snapshot(pyodide, site, runtime)
    for name in ("pyodide", "pyodide.asm"):
        shutil.copyfile(pyodide / f"{name}.mjs", runtime / f"{name}.js")
    _pack(runtime / "pyodide.asm.wasm", (pyodide / "pyodide.asm.wasm").read_bytes())
    (library,) = site.rglob(f"*{COMPILED}")
    _pack(runtime / "pydantic_core.so", library.read_bytes())
    _pack(runtime / "files.json", _json(_data(site)).encode())
    _bundle(packages, folder / "codemirror.js")
    for file in SOURCES.glob("*.js"):
        if file.name not in ("codemirror.js", "service.js"):
            shutil.copyfile(file, folder / file.name)
    for file in (LOOK, SOURCES / "playground.css"):
        shutil.copyfile(file, folder / file.name)
    _fill("index.html", folder, first=_json(_first()).replace("<", r"\u003c"))
    _fill("service.js", folder, **_offline(folder))


# --- what is fetched --------------------------------------------------------------------


def _fetched(lock: str, fetch: Callable[[Path], None]) -> Path:
    """The folder of what a lock file names, fetched where it is not there yet."""
    digest = hashlib.sha256((SOURCES / lock).read_bytes()).hexdigest()[:12]
    folder = KEPT / f"{Path(lock).stem}-{digest}"
    if not folder.is_dir():
        new = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        fetch(new)
        new.rename(folder)
    return folder


def _node_modules(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(SOURCES / name, folder / name)
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    _run("npm", "ci", *quiet, cwd=folder)


def _wheels(folder: Path) -> None:
    platforms = (f"--platform={platform}" for platform in PLATFORMS)
    exact = (
        "--no-deps",
        "--require-hashes",
        "--only-binary=:all:",
        "--python-version=3.14",
    )
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-cache-dir")
    _run(*pip, *exact, *platforms, "-r", str(SOURCES / "requirements.txt"), cwd=folder)


def _run(*command: str, cwd: Path = ROOT) -> None:
    subprocess.run(command, cwd=cwd, check=True)


# --- Python and its snapshot ------------------------------------------------------------


def _unpack(wheels: Path, site: Path) -> None:
    """What Python imports there: the wheels without another processor's code, and ours.

    The page has no weights.
    """
    shutil.rmtree(site, ignore_errors=True)
    for wheel in sorted(wheels.glob("*.whl")):
        with ZipFile(wheel) as packed:
            needed = [name for name in packed.namelist() if _is_needed(name)]
            packed.extractall(site, needed)
    unneeded = shutil.ignore_patterns("__pycache__", "specs", "weights")
    package = site / "resnet_spec"
    shutil.copytree(ROOT / "resnet_spec", package, ignore=unneeded)
    shutil.copytree(ROOT / "specs", package / "specs")
    for file in SOURCES.glob("*.py"):
        shutil.copyfile(file, site / file.name)


def _is_needed(name: str) -> bool:
    return name.endswith((".py", COMPILED)) and ".dist-info/" not in name


def _data(site: Path) -> dict[str, str]:
    """The texts that the compiler reads, by their paths; layers are copied into sources."""
    layers = set(site.glob("resnet_spec/layers/*.py"))
    files = sorted(f for f in site.rglob("*") if f.suffix in DATA or f in layers)
    return {
        f.relative_to(site).as_posix(): f.read_text(encoding="utf-8") for f in files
    }


def _snapshot(pyodide: Path, site: Path, runtime: Path) -> None:
    file = KEPT / "snapshot"
    script = str(SOURCES / "snapshot.mjs")
    _run("node", script, str(pyodide), str(site), str(file))
    _pack(runtime / "snapshot", file.read_bytes())


def _pack(file: Path, content: bytes) -> None:
    """The content by gzip. By a suffix that no server takes for an encoding of its own."""
    packed = gzip.compress(content, 6, mtime=0)
    file.with_name(f"{file.name}.packed").write_bytes(packed)


# --- the page ---------------------------------------------------------------------------


def _bundle(packages: Path, file: Path) -> None:
    """CodeMirror as one module."""
    entry = packages.parent / "codemirror.js"
    shutil.copyfile(SOURCES / "codemirror.js", entry)
    bundled = ("--bundle", "--format=esm", "--minify", "--legal-comments=inline")
    esbuild = str(packages / ".bin" / "esbuild")
    _run(esbuild, str(entry), *bundled, f"--outfile={file}", "--log-level=warning")


def _first() -> dict[str, object]:
    """What the page shows before its compiler is there, by the compiler that is here."""
    answers = runpy.run_path(str(SOURCES / "answers.py"))
    name = answers["FIRST"]
    text = answers["started"](name)
    found = answers["compiled"](text, name, "summary")
    return {
        "start": name,
        "text": text,
        "catalog": answers["catalog"](),
        "answer": found,
    }


def _offline(folder: Path) -> dict[str, str]:
    """The files that are kept for when there is no network, and a digest of them all."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    names = [file.relative_to(folder).as_posix() for file in files]
    return {"version": digest[:12], "files": _json(names)}


def _fill(name: str, folder: Path, **values: str) -> None:
    text = (SOURCES / name).read_text(encoding="utf-8")
    (folder / name).write_text(Template(text).substitute(values), encoding="utf-8")


def _json(data: object) -> str:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)


if __name__ == "__main__":
    playground(Path(sys.argv[1]))
