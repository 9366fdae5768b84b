"""Which specs are meant, where their source goes, and how it is written."""

from __future__ import annotations

import keyword
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from resnet_spec.emit.source.stamp import made_from
from resnet_spec.language.shipped import spec_path
from resnet_spec.problems import Place, Problem, SpecError

ROOT = "specs"  # a folder of this name is where output paths start
SUFFIXES = (".yaml", ".yml")


class SpecFile(NamedTuple):
    """A spec, and its path as the source's own path and its header have it."""

    file: Path
    name: PurePosixPath  # below the folder `specs`
    shown: str  # the same with that folder, or the name where there is none

    @property
    def module(self) -> PurePosixPath:
        return self.name.with_suffix(".py")


def spec_files(paths: list[str]) -> list[SpecFile]:
    """The specs that the paths or names mean; a folder means all those in and below it.

    Refuses a folder without specs, a name that no module can have, and two specs that
    would be written to one file.
    """
    found = [spec for path in paths for spec in _spec_files(spec_path(path))]
    specs = {_whole(spec.file): spec for spec in found}.values()
    taken: dict[PurePosixPath, SpecFile] = {}
    for spec in specs:
        first = taken.setdefault(spec.module, spec)
        if first is not spec:
            message = f"would be written to {spec.module}, as {first.file} is"
            raise _refused(spec.file, message)
        if not _is_module(spec.module):
            message = (
                "a spec's path is a module's: ASCII letters, digits and _, no digit "
                "first, no word of Python's own, not torch"
            )
            raise _refused(spec.file, message)
    return list(specs)


def obstacle(file: Path, spec: str) -> str:
    """Why the file must not be overwritten with that spec's source; empty where it may."""
    if file.is_symlink():
        return "is a symbolic link"
    if file.is_dir():
        return "is a folder"
    try:
        text = file.read_bytes().decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, UnicodeDecodeError):
        return "is not one that was generated"
    made = made_from(text)
    if made is None:
        return "was edited by hand, or not generated"
    return "" if made == spec else f"was generated from {made}"


def write(file: Path, content: str | bytes) -> None:
    """The content as the file, whole or not at all. Raises OSError where that fails."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    file.parent.mkdir(parents=True, exist_ok=True)
    new = next(name for i in count() if not (name := _beside(file, i)).exists())
    try:
        with new.open("xb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        new.replace(file)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def _beside(file: Path, i: int) -> Path:
    """A name in the same folder that no other build takes at the same time."""
    return file.with_name(f".{file.name}.{os.getpid()}.{i}")


def _spec_files(path: Path) -> Iterator[SpecFile]:
    try:
        is_folder = path.is_dir()
    except OSError as error:
        raise _refused(
            path, f"cannot be read, {(error.strerror or '').lower()}"
        ) from None
    if not is_folder:
        yield _spec_file(path, path.parent)
        return
    found = (file for suffix in SUFFIXES for file in path.rglob(f"*{suffix}"))
    inside = sorted(file for file in found if not file.name.startswith("."))
    if not inside:
        raise _refused(path, "has no *.yaml in it")
    yield from (_spec_file(file, path) for file in inside)


def _spec_file(file: Path, folder: Path) -> SpecFile:
    """Named from the innermost `specs` above it on, else from the folder that was given."""
    whole = _whole(file)
    above = list(whole.parts[:-1])
    if ROOT in above:
        start = len(above) - above[::-1].index(ROOT)
        name = PurePosixPath(*whole.parts[start:])
        return SpecFile(file, name, f"{ROOT}/{name}")
    name = PurePosixPath(file.relative_to(folder).as_posix())
    return SpecFile(file, name, str(name))


def _whole(file: Path) -> Path:
    """The path from the file system's root, as it was named, links and all."""
    return Path(os.path.normpath(file.absolute()))


def _is_module(module: PurePosixPath) -> bool:
    *folders, name = module.with_suffix("").parts
    words = (*folders, name)
    plain = all(w.isidentifier() and w.isascii() for w in words)
    return plain and name != "torch" and not any(map(keyword.iskeyword, words))


def _refused(path: Path, message: str) -> SpecError:
    return SpecError(Problem("file", message, place=Place(str(path))))
