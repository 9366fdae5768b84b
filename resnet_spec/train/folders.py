"""A folder of pictures, as far as it is known without reading them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from resnet_spec.problems import RunError

MODES = {1: "L", 3: "RGB"}


class Held(NamedTuple):
    """The folders in a data folder, to train on and to evaluate on, and their classes."""

    train: Path
    test: Path
    classes: list[str]


def folders_in(data: Path) -> Held:
    """`data/train` with `data/val`, else with `data/test`, of the same classes.

    Refuses folders that are missing or differ, and fewer than two classes.
    """
    if not data.is_dir():
        raise RunError(f"{data}: no such folder")
    folders = data / "train", data / ("val" if (data / "val").is_dir() else "test")
    for folder in folders:
        if not folder.is_dir():
            raise RunError(
                f"{folder}: no such folder; {data} needs train, and test or val"
            )
    train, test = map(classes_in, folders)
    if len(train) < 2:
        message = f"{folders[0]} needs two or more folders, one for each class; it has "
        raise RunError(message + (f"{train[0]} alone" if train else "none"))
    for name in sorted({*train} ^ {*test}):
        has, lacks = folders if name in train else folders[::-1]
        raise RunError(f"{lacks} has no folder {name}, as {has} has")
    return Held(*folders, train)


def classes_in(folder: Path) -> list[str]:
    """The classes in a folder, a folder for each, in the order of their labels."""
    try:
        found = [path.name for path in folder.iterdir() if path.is_dir()]
    except OSError as error:
        raise RunError(f"{folder} cannot be read, {error.strerror}") from None
    classes = sorted(name for name in found if not name.startswith("."))
    for name in classes:
        if not name.isprintable():
            raise RunError(f"{folder}: the class {name!a} is not printable")
    return classes


def mode(channels: int) -> str:
    """What Pillow calls a picture with that many channels. Refuses all but 1 and 3."""
    if channels not in MODES:
        message = f"the network takes {channels} channels; pictures are read as 1 or 3"
        raise RunError(message)
    return MODES[channels]
