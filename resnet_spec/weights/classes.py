"""What the classes are called that weights tell apart. Knows no torch."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from resnet_spec.weights.files import contents
from resnet_spec.weights.files.safetensors_file import metadata
from resnet_spec.weights.stored import Refusal, WeightsError

LISTS = ("classes", "CLASSES", "class_names")
INDEXES = ("class_to_idx",)  # of torchvision's ImageFolder
LABELS = ("id2label",)  # of transformers
INSIDE = (
    "meta",
    "dataset_meta",
    "hyper_parameters",
    "args",
)  # mmpretrain's, Lightning's


def class_names(file: str | os.PathLike[str]) -> list[str]:
    """The names of the classes in their order, where a file says them; else empty.

    They stand in the metadata of what `train` writes, in a checkpoint beside its tensors, or in
    the `config.json` beside a file of transformers.
    """
    path = Path(file)
    sides = (_of_safetensors, _of_checkpoint, _of_config)
    return next((names for side in sides for names in _names(side(path))), [])


def _of_safetensors(path: Path) -> Any:
    try:
        return json.loads(metadata(path).get("resnet_spec", "{}"))
    except (OSError, ValueError, Refusal):
        return {}


def _of_checkpoint(path: Path) -> Any:
    try:
        return contents(path)
    except WeightsError:
        return {}


def _of_config(path: Path) -> Any:
    try:
        return json.loads((path.parent / "config.json").read_bytes())
    except (OSError, ValueError):
        return {}


def _names(found: Any) -> Iterator[list[str]]:
    """All lists of names in a mapping."""
    if not isinstance(found, Mapping):
        return
    for key, value in found.items():
        names: Sequence[Any] = ()
        if key in LISTS and isinstance(value, (list, tuple)):
            names = value
        elif key in INDEXES and isinstance(value, Mapping):
            names = _ordered({index: name for name, index in value.items()})
        elif key in LABELS and isinstance(value, Mapping):
            names = _ordered(value)
        elif key in INSIDE:
            yield from _names(value)
        if names and all(isinstance(name, str) for name in names):
            yield [*names]


def _ordered(by_number: Mapping[Any, Any]) -> list[Any]:
    """The names of numbers from 0 on; empty where those are others."""
    numbers = {str(number): name for number, name in by_number.items()}
    order = [str(number) for number in range(len(numbers))]
    return [numbers[n] for n in order] if numbers.keys() == {*order} else []
