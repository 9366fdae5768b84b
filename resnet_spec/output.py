"""Which specs are meant, where their source goes, and how it is written."""

from __future__ import annotations

import keyword
import os
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import count
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from resnet_spec.compiler import Compiled
from resnet_spec.emit.source import render
from resnet_spec.emit.source.stamp import Stamp, made_of, origin, stamp, stamped
from resnet_spec.language.canonical import digest
from resnet_spec.language.shipped import shipped, spec_path
from resnet_spec.problems import Place, Problem, SpecError
from resnet_spec.problems.texts import STDIN

ROOT = "specs"  # a folder of this name is where output paths start
SUFFIXES = (".yaml", ".yml")


class SpecFile(NamedTuple):
    """A spec, and its path as the source's own path has it."""

    file: Path
    name: PurePosixPath  # below the innermost `specs`, else below the folder that was given
    given: Path | None = None  # the folder that was given and has it

    def shown(self, folder: Path) -> str:
        """Its path as the header of a source has it that is written to the folder.

        `specs/` is the first folder of that name on the way up from there, or where a spec
        ships from. Any other spec is told from those of its name by where it is.
        """
        if self.file == Path(STDIN):
            return "standard input"
        whole = _whole(self.file)
        if _same(whole, self._seen(folder)) or whole in _shipped():
            return f"{ROOT}/{self.name}"
        try:
            near = os.path.relpath(whole, _whole(folder))
        except ValueError:  # on another drive of Windows
            near = str(whole)
        return Path(near).as_posix()

    def unmistakable(self, folder: Path) -> bool:
        """Whether what is shown of it in the folder can mean no other spec."""
        if self.file == Path(STDIN):
            return False
        whole, seen = _whole(self.file), self._seen(folder)
        alone = seen is None or not seen.is_file() or _same(whole, seen)
        return alone or whole not in _shipped()

    def _seen(self, folder: Path) -> Path | None:
        """The file that `specs/` and its name are, seen from the folder."""
        root = specs_above(folder)
        return root / self.name if root else None

    def module(self, network: str) -> PurePosixPath:
        """The path of its source; a spec without a name of its own has its network's."""
        unnamed = self.file == Path(STDIN)
        path = PurePosixPath(network.lower()) if unnamed else self.name.with_suffix("")
        return PurePosixPath(*map(importable, path.parts)).with_suffix(".py")

    def renamed(self, network: str) -> str:
        """What to say where its module is called otherwise than itself; empty where not."""
        module = self.module(network)
        if self.file == Path(STDIN) or module == self.name.with_suffix(".py"):
            return ""
        return f"{self.file}: Python cannot import this name, so the module is {module}"


def importable(word: str) -> str:
    """The word as a module can be called: ASCII letters, digits and _, no digit first.

    No word of Python's own, and not torch, which the module itself imports.

    >>> importable("resnet50-os8"), importable("01_base"), importable("class")
    ('resnet50_os8', '_01_base', 'class_')
    """
    plain = re.sub(r"\W", "_", word if word.isascii() else _bare(word), flags=re.ASCII)
    if not plain or plain[0].isdigit():
        plain = f"_{plain}"
    return f"{plain}_" if keyword.iskeyword(plain) or plain == "torch" else plain


def specs_above(folder: Path) -> Path | None:
    """The first folder `specs` on the way up from the folder."""
    whole = _whole(folder)
    above = (place / ROOT for place in (whole, *whole.parents))
    return next((place for place in above if place.is_dir()), None)


def _bare(word: str) -> str:
    """The word without its accents."""
    import unicodedata

    letters = unicodedata.normalize("NFKD", word)
    return "".join(c for c in letters if not unicodedata.combining(c))


def spec_file(path: str) -> SpecFile:
    """The spec that a path or a name means."""
    file = spec_path(path)
    return _spec_file(file, file.parent)


def spec_files(paths: Iterable[str]) -> tuple[list[SpecFile], list[Problem]]:
    """The specs that the paths or names mean, and what is wrong with the other ones.

    A folder means all those in and below it.
    """
    specs: dict[Path, SpecFile] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            for spec in _spec_files(spec_path(path)):
                specs.setdefault(_whole(spec.file), spec)
        except SpecError as error:
            problems += error.problems
    return list(specs.values()), problems


def clashes(modules: Iterable[tuple[SpecFile, PurePosixPath]]) -> Iterator[Problem]:
    """Of specs that would be written to one file, all but the first."""
    taken: dict[PurePosixPath, SpecFile] = {}
    for spec, module in modules:
        first = taken.setdefault(module, spec)
        if first is not spec:
            message = f"would be written to {module}, as {first.file} is"
            yield Problem("file", message, place=Place(str(spec.file)))


def source_of(compiled: Compiled, made: str, version: str) -> str:
    """The text of a generated file, which says what it was made from, as `made_of` has it."""
    network = compiled.network
    header = origin(version, made, digest(compiled.plan), network)
    return stamped(render(network, header))


def obstacle(file: Path, made: str, network: str = "") -> str:
    """Why a source that was made from that must not replace the file; empty where it may.

    Where that may mean several specs, `network` is its fingerprint, and has to be the file's.
    """
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
    before = stamp(text)
    if before is None or before.edited:
        return "was edited by hand, or not generated"
    if before.made != made:
        return f"was generated from {before.made}, not from {made}"
    if network and before.network != network:
        return f"is another network, generated from another {made}"
    return ""


def orphans(folder: Path, specs: Iterable[SpecFile]) -> Iterator[tuple[Path, str]]:
    """Generated files in the folder whose spec is gone, and what that was called.

    Of the folders alone that were given, which have the specs.
    """
    specs = list(specs)
    given = {_whole(spec.given) for spec in specs if spec.given}
    there = {_named_in(made_of(spec.shown(folder), "")) for spec in specs}
    there |= {f"{ROOT}/{key}.yaml" for key in shipped()}
    root = specs_above(folder)
    for file in sorted(folder.rglob("*.py")) if given else ():
        found = _stamp(file)
        if found and (name := _named_in(found.made)) not in there:
            near = root.parent if root and name.startswith(f"{ROOT}/") else folder
            spec = _whole(near / name)
            if not spec.is_file() and given.intersection(spec.parents):
                yield file, name


def _stamp(file: Path) -> Stamp | None:
    try:
        return stamp(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def _named_in(made: str) -> str:
    """The spec in what `made_of` says."""
    return made.partition(" with ")[0]


def write(file: Path, content: str | bytes | Iterable[bytes | memoryview]) -> None:
    """The content, maybe in parts, as the file, whole or not at all.

    Raises OSError where that fails.
    """
    if isinstance(content, str):
        content = content.encode("utf-8")
    parts = [content] if isinstance(content, bytes) else content
    file.parent.mkdir(parents=True, exist_ok=True)
    new = next(name for i in count() if not (name := _beside(file, i)).exists())
    try:
        with new.open("xb") as out:
            out.writelines(parts)
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
    yield from (_spec_file(file, path, path) for file in inside)


def _spec_file(file: Path, folder: Path, given: Path | None = None) -> SpecFile:
    """Named from the innermost `specs` above it on, else from the folder that was given."""
    whole = _whole(file)
    above = [] if file == Path(STDIN) else list(whole.parts[:-1])
    if ROOT in above:
        start = len(above) - above[::-1].index(ROOT)
        name = PurePosixPath(*whole.parts[start:])
        return SpecFile(file, name, given)
    name = PurePosixPath(file.relative_to(folder).as_posix())
    return SpecFile(file, name, given)


@cache
def _shipped() -> frozenset[Path]:
    return frozenset(shipped().values())


def _whole(file: Path) -> Path:
    """The path from the file system's root, as it was named, links and all."""
    return Path(os.path.normpath(file.absolute()))


def _same(file: Path, other: Path | None) -> bool:
    """Whether both are one file, whatever links lead to it."""
    try:
        return other is not None and file.samefile(other)
    except OSError:
        return False


def _refused(path: Path, message: str) -> SpecError:
    return SpecError(Problem("file", message, place=Place(str(path))))
