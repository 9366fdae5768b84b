"""Weights from elsewhere, into a model of ours."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from resnet_spec.naming import NAMINGS, names
from resnet_spec.words import nearest

MOST = 5  # names that a message shows of each kind


class WeightsError(ValueError):
    """Weights that are not those of the model, with what is wrong, a line for each kind."""


def load_weights(
    model: nn.Module,
    weights: str | os.PathLike[str] | Mapping[str, Tensor],
    naming: str = "torchvision",
) -> None:
    """Load a state dict, or a `.safetensors` or torch file of one, into the model, all of it.

    `naming` says who named its tensors: torchvision (and this project), timm, timm-senet or
    tutorial. A model on the meta device takes the tensors as they are. Files of torch are
    read with `weights_only`. Raises WeightsError, and leaves the model as it was, where a
    tensor is missing, left over, or of another shape.
    """
    if naming not in NAMINGS:
        near = nearest(naming, NAMINGS)
        raise WeightsError(
            f"naming must be one of {', '.join(NAMINGS)}, got {naming}{near}"
        )
    theirs = _tensors(weights)
    ours = model.state_dict()
    table = names(ours, naming)
    if wrong := _wrong(ours, theirs, table):
        raise WeightsError("\n".join(["the weights are not this network's:", *wrong]))
    meta = any(tensor.is_meta for tensor in ours.values())
    model.load_state_dict({our: theirs[table[our]] for our in ours}, assign=meta)


def _wrong(
    ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor], table: Mapping[str, str]
) -> list[str]:
    """What is missing, left over, and of another shape, by their names."""
    known = {their: our for our, their in table.items()}
    shapes = [
        f"{name} is {_size(theirs[name])}, and the network's {_size(ours[our])}"
        for name, our in known.items()
        if name in theirs and theirs[name].shape != ours[our].shape
    ]
    found = {
        "missing": [name for name in known if name not in theirs],
        "left over": [name for name in theirs if name not in known],
        "of another shape": shapes,
    }
    return [_line(kind, items) for kind, items in found.items() if items]


def _line(kind: str, items: list[str]) -> str:
    more = [f"{len(items) - MOST} more"] if len(items) > MOST else []
    return f"  {len(items)} {kind}: {', '.join([*items[:MOST], *more])}"


def _size(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "a number"


def _tensors(weights: str | os.PathLike[str] | Mapping[str, Any]) -> dict[str, Tensor]:
    found = weights if isinstance(weights, Mapping) else _read(Path(weights))
    others = [key for key, value in found.items() if not isinstance(value, Tensor)]
    if others:
        inner = [key for key in others if isinstance(found[key], Mapping)]
        hint = f"; give what it has as {inner[0]!r}" if inner else ""
        raise WeightsError(f"not a state dict: {others[0]!r} is no tensor{hint}")
    return dict(found)


def _read(file: Path) -> Mapping[str, Any]:
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(file)
        found = torch.load(file, map_location="cpu", weights_only=True)
    except ImportError:
        message = "this needs safetensors: pip install 'resnet-spec[torch]'"
        raise ImportError(message) from None
    except OSError as error:
        raise WeightsError(f"{file} cannot be read, {error.strerror}") from None
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        reason = str(error).split("\n")[0]
        raise WeightsError(f"{file} is no file of tensors: {reason}") from None
    if not isinstance(found, Mapping):
        raise WeightsError(f"{file} holds no state dict, but a {type(found).__name__}")
    return found
