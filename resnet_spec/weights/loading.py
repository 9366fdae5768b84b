"""Weights from elsewhere, into a model of ours."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from resnet_spec.problems.words import nearest
from resnet_spec.weights.naming import NAMINGS, fitting, names

COUNT = ".num_batches_tracked"
NAMES_SHOWN = 5  # of each kind, in a message


class WeightsError(ValueError):
    """Weights that are not those of the model, with what is wrong, a line for each kind."""


def load_weights(
    model: nn.Module,
    weights: str | os.PathLike[str] | Mapping[str, Tensor],
    naming: str = "torchvision",
    ignore: Sequence[str] = (),
) -> None:
    """Load a state dict, or a `.safetensors` or torch file of one, into the model, all of it.

    `naming` says who named its tensors: torchvision (and this project), timm, timm-senet or
    tutorial. Tensors whose name, ours or theirs, begins with one of `ignore` are left as they
    are: `["fc"]` for another classifier, or none. Counts of batches may be missing, as in
    files from before torch 0.4.1. A model on the meta device takes the tensors themselves,
    with their dtype. Files of torch are read with `weights_only`.

    Raises WeightsError, and leaves the model as it was, where a tensor is missing, left
    over, or of another shape.
    """
    if naming not in NAMINGS:
        near = nearest(naming, NAMINGS)
        raise WeightsError(
            f"naming must be one of {', '.join(NAMINGS)}, got {naming}{near}"
        )
    ours, theirs = model.state_dict(), tensors(weights)
    known = names(ours, naming).items()
    table = {our: their for our, their in known if not _begins((our, their), ignore)}
    given = {name: t for name, t in theirs.items() if not _begins((name,), ignore)}
    given = _with_counts(given, list(table.values()))
    if wrong := _wrong(ours, given, table):
        lines = [
            "the weights are not this network's:",
            *wrong,
            *_hint(ours, list(theirs)),
        ]
        raise WeightsError("\n".join(lines))
    meta = any(tensor.is_meta for tensor in ours.values())
    loaded = {our: given[their] for our, their in table.items()}
    model.load_state_dict(loaded, strict=not ignore, assign=meta)


def _begins(found: tuple[str, ...], beginnings: Sequence[str]) -> bool:
    dotted = tuple(f"{beginning}." for beginning in beginnings)
    return any(name.startswith(dotted) for name in found)


def _with_counts(given: dict[str, Tensor], asked: Sequence[str]) -> dict[str, Tensor]:
    """The tensors with just the counts of batches that are asked for; old files have none.

    Frozen norms ask for none.
    """
    kept = {name: t for name, t in given.items() if not name.endswith(COUNT)}
    zero = torch.zeros((), dtype=torch.long)
    return kept | {
        name: given.get(name, zero.clone()) for name in asked if name.endswith(COUNT)
    }


def _hint(ours: Mapping[str, Tensor], theirs: Sequence[str]) -> list[str]:
    """What would make them fit, where that is seen."""
    if naming := fitting(ours, theirs):
        return [f"  naming={naming!r} fits"]
    if theirs and all(name.startswith("module.") for name in theirs):
        return ["  every name begins with `module.`, of DataParallel; take that away"]
    return []


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
    more = [f"{len(items) - NAMES_SHOWN} more"] if len(items) > NAMES_SHOWN else []
    return f"  {len(items)} {kind}: {', '.join([*items[:NAMES_SHOWN], *more])}"


def _size(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "a number"


def tensors(weights: str | os.PathLike[str] | Mapping[str, Any]) -> dict[str, Tensor]:
    if isinstance(weights, nn.Module):
        raise WeightsError("got a module; give its state_dict()")
    found = weights if isinstance(weights, Mapping) else _read(Path(weights))
    others = [key for key, value in found.items() if not isinstance(value, Tensor)]
    if others:
        inner = [key for key in others if isinstance(found[key], Mapping)]
        hint = f"; give what it has as {inner[0]!r}" if inner else ""
        file = "" if isinstance(weights, Mapping) else f"{weights} is "
        raise WeightsError(f"{file}not a state dict: {others[0]!r} is no tensor{hint}")
    return dict(found)


def _read(file: Path) -> Mapping[str, Any]:
    try:
        found = _loaded(file)
    except ImportError:
        message = "this needs safetensors: pip install 'resnet-spec[torch]'"
        raise ImportError(message) from None
    except OSError as error:
        reason = error.strerror or "No such file or directory"
        raise WeightsError(f"{file} cannot be read, {reason}") from None
    except pickle.UnpicklingError:
        message = "is no file of tensors, or holds more, which could run code"
        raise WeightsError(f"{file} {message}") from None
    except (
        Exception
    ) as error:  # whatever a reader makes of bytes that are none of its own
        reason = type(error).__name__
        raise WeightsError(f"{file} is no file of tensors ({reason})") from None
    if not isinstance(found, Mapping):
        raise WeightsError(f"{file} holds no state dict, but a {type(found).__name__}")
    return found


def _loaded(file: Path) -> Any:
    if file.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(file)
    return torch.load(file, map_location="cpu", weights_only=True)
