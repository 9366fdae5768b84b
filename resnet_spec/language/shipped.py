"""The specs that ship with the package, by name."""

from __future__ import annotations

import os
from collections import Counter
from functools import cache
from pathlib import Path

from resnet_spec.problems import Place, Problem, SpecError
from resnet_spec.problems.texts import STDIN
from resnet_spec.problems.words import nearest

HERE = Path(__file__).parents[1]
FOLDERS = (HERE / "specs", HERE.parent / "specs")  # in a wheel, in a checkout


@cache
def shipped() -> dict[str, Path]:
    """Every spec that ships, by its path without folder `specs` and suffix, in order."""
    folder = next((folder for folder in FOLDERS if folder.is_dir()), None)
    found = sorted(folder.rglob("*.yaml")) if folder else []
    names = {file.relative_to(folder).with_suffix(""): file for file in found if folder}
    return {path.as_posix(): file for path, file in names.items()}


def shown(file: Path) -> str:
    """What a file is called: one that ships by its name, for nobody edits it in its folder."""
    return _by_file().get(str(file), str(file))


@cache
def _by_file() -> dict[str, str]:
    return {str(file): shortest()[key] for key, file in shipped().items()}


def shipped_names() -> list[str]:
    """What the specs that ship are called, without their folders."""
    return [key.rpartition("/")[2] for key in shipped()]


@cache
def shortest() -> dict[str, str]:
    """What each spec that ships is found by: its name, or with its folder if it is shared."""
    uses = Counter(shipped_names())
    pairs = zip(shipped(), shipped_names(), strict=True)
    return {key: name if uses[name] == 1 or key == name else key for key, name in pairs}


def family(key: str) -> str:
    """The folder of a spec that ships; those in none are torchvision's.

    >>> family("cifar/resnet20"), family("resnet50")
    ('cifar', 'torchvision')
    """
    return key.rpartition("/")[0] or "torchvision"


def shipped_spec(name: str) -> Path | None:
    """The spec of that name or path, where there is just one."""
    keys = named(name)
    return shipped().get(name if name in shipped() or len(keys) != 1 else keys[0])


def _folder(name: str) -> Path | None:
    """The folder of the specs that ship whose family is of that name."""
    keys = (key for key in shipped() if key.startswith(f"{name}/"))
    key = next(keys, None)
    return shipped()[key].parents[key.count("/") - 1 - name.count("/")] if key else None


def named(name: str) -> list[str]:
    return [key for key in shipped() if key.rpartition("/")[2] == name]


def spec_path(spec: str | os.PathLike[str]) -> Path:
    """The file that is meant: itself, the shipped spec of that name, `resnet50d`, or `-`.

    Where no spec has the name, the folder of the family that has it. Refuses a name that
    nothing has, or several specs in different folders.
    """
    path, name = Path(spec), os.fspath(spec)
    if name == STDIN or path.suffix or path.is_file():
        return path
    if path.is_dir() and any(path.rglob("*.y*ml")):
        return path
    if found := shipped_spec(name):
        return found
    if path.exists():
        return path
    if folder := _folder(name):
        return folder
    if keys := named(name):
        message = f"is the name of several specs, {', '.join(keys)}"
    else:
        near = nearest(name, shipped() if "/" in name else shipped_names())
        message = f"is no file, and no spec that ships{near}"
    raise SpecError(Problem("file", message, place=Place(name)))
