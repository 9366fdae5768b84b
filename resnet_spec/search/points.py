"""A point of a space as a spec of its own, of a few lines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from resnet_spec.expansion import Total
from resnet_spec.problems import merge, nested
from resnet_spec.problems.words import as_yaml
from resnet_spec.search.space import Digits, Space

LONGEST_NAME, LONGEST_TITLE = 60, 75  # characters that a spec takes


def chosen(space: Space, digits: Digits) -> dict[str, Any]:
    """What a point has in each field that is chosen, as plain data."""
    return {field: node.data for field, node in space.values(digits).items()}


def file_of(space: Space, number: int) -> str:
    """The name of the file that a point is written to."""
    return f"{space.file.stem}_{number}.yaml"


def spec_of(space: Space, number: int, figures: Total, folder: Path) -> str:
    """The text of a spec in the folder: the file of the space extended by what is chosen."""
    said = space.base.root.data
    name, title = f"Point{number}", f", point {number}"
    extended = _from(folder, space.file)
    lines: dict[str, Any] = {
        "extends": extended,
        "name": said["name"][: LONGEST_NAME - len(name)] + name,
        "title": said["title"][: LONGEST_TITLE - len(title)] + title,
    }
    written = dict(space.base.root.walk())
    for field, value in chosen(space, space.digits(number)).items():
        if value is not None or tuple(field.split(".")) in written:
            merge(lines, nested(field.split("."), value))
    lines["expect"] = {"params": figures.params, "macs": figures.macs}
    return "".join(f"{key}: {as_yaml(value)}\n" for key, value in lines.items())


def _from(folder: Path, file: Path) -> str:
    """The path of the file as one in the folder extends it."""
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:  # on another drive of Windows
        return file.resolve().as_posix()
