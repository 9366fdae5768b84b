"""Weights from elsewhere, into a model of ours."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from resnet_spec.emit.module import WITHOUT_VALUES, build
from resnet_spec.problems.words import nearest
from resnet_spec.weights.naming import NAMINGS, fitting, names

COUNT = ".num_batches_tracked"
WRAPPERS = ("state_dict", "model")  # of several mappings with tensors, the network's
STATISTICS = ("running_mean", "running_var")
NAMES_SHOWN = 5  # of each kind, in a message


class WeightsError(ValueError):
    """Weights that are not those of the model, with what is wrong, a line for each kind."""


class Loaded(NamedTuple):
    """What was loaded; as text, a line that says it."""

    tensors: int
    inside: tuple[str, ...]  # the keys that the state dict was found under
    below: str  # what every name that was taken begins with
    elsewhere: int  # tensors whose names do not
    ignored: tuple[str, ...]
    started: int  # of those ignored, tensors that had no values

    def __str__(self) -> str:
        """`122 tensors from state_dict, below backbone; 2 elsewhere left out; fc ignored`"""
        said = [f"{self.tensors} tensors"]
        said[0] += f" from {'.'.join(self.inside)}" * bool(self.inside)
        said[0] += f", below {self.below}" * bool(self.below)
        said += [f"{self.elsewhere} elsewhere left out"] * bool(self.elsewhere)
        said += [f"{_shortened(self.ignored)} ignored"] * bool(self.ignored)
        said += [f"{self.started} start afresh"] * bool(self.started)
        return "; ".join(said)


def load_weights(
    model: nn.Module,
    weights: str | os.PathLike[str] | Mapping[str, Any],
    naming: str = "torchvision",
    ignore: Sequence[str] = (),
) -> Loaded:
    """`resnet_spec.load_weights`, which says what it takes, gives and refuses."""
    if naming not in NAMINGS:
        near = nearest(naming, NAMINGS)
        raise WeightsError(
            f"naming must be one of {', '.join(NAMINGS)}, got {naming}{near}"
        )
    ours, (theirs, inside) = model.state_dict(), unwrapped(weights)
    known = names(ours, naming)
    theirs, below, outside = _below(theirs, list(known.values()))
    _must_be_known(ignore, [*known, *known.values(), *theirs])
    table = {our: t for our, t in known.items() if not _among((our, t), ignore)}
    given = {name: t for name, t in theirs.items() if not _among((name,), ignore)}
    given = _with_counts(given, list(table.values()))
    if wrong := _wrong(ours, given, table):
        fits = _fitting(ours, given, ignore)
        hint = [f"  naming={fits!r} fits"] if fits and fits != naming else []
        hint = hint or _left_out(_owners(ours, given, table))
        lines = ["the weights are not this network's:", *wrong, *hint]
        raise WeightsError("\n".join(lines))
    started = _started(model, [name for name in ours if name not in table])
    loaded = {our: given[their] for our, their in table.items()} | started
    meta = any(tensor.is_meta for tensor in ours.values())
    model.load_state_dict(loaded, strict=not ignore, assign=meta)
    return Loaded(len(table), inside, below, outside, tuple(ignore), len(started))


def _must_be_known(ignore: Sequence[str], found: Sequence[str]) -> None:
    if isinstance(ignore, str):
        raise WeightsError(f"ignore is a list of names: write [{ignore!r}]")
    for entry in ignore:
        if not any(_among((name,), (entry,)) for name in found):
            near = nearest(entry, {name.rpartition(".")[0] for name in found})
            raise WeightsError(f"no tensor is {entry!r} or lies in it{near}")


def _among(found: tuple[str, ...], entries: Sequence[str]) -> bool:
    """Whether a name is one of the entries, lies in one, or ends in it: `fc.bias` in `fc`."""
    return any(
        f"{name}.".startswith(f"{entry.rstrip('.')}.")
        or name.rpartition(".")[2] == entry
        for name in found
        for entry in entries
    )


def _started(model: nn.Module, left: list[str]) -> dict[str, Tensor]:
    """First values for what is not loaded, in a model that has none."""
    network, tensors = WITHOUT_VALUES.pop(model, None), model.state_dict()
    if network is None:
        if lost := [name for name in left if tensors[name].is_meta]:
            message = "is ignored, and has no value on the meta device"
            raise WeightsError(f"{lost[0]} {message}")
        return {}
    fresh = build(network, device="cpu").state_dict() if left else {}
    return {name: fresh[name] for name in left}


def _with_counts(given: dict[str, Tensor], asked: Sequence[str]) -> dict[str, Tensor]:
    """The tensors with just the counts of batches that are asked for; old files have none.

    Frozen norms ask for none.
    """
    kept = {name: t for name, t in given.items() if not name.endswith(COUNT)}
    zero = torch.zeros((), dtype=torch.long)
    return kept | {
        name: given.get(name, zero.clone()) for name in asked if name.endswith(COUNT)
    }


def _fitting(
    ours: Mapping[str, Tensor], given: Iterable[str], ignore: Sequence[str]
) -> str | None:
    """The naming by which the tensors fit, whatever counts of batches there are."""
    counted = [name for name in given if not name.endswith(COUNT)]
    return fitting(
        ours,
        counted,
        lambda our, t: not (_among((our, t), ignore) or t.endswith(COUNT)),
    )


def _left_out(owners: list[str]) -> list[str]:
    """What would leave out the modules that do not fit, or the statistics of their norms."""
    if not 0 < len(owners) <= 2:
        return []
    return [f"  ignore={owners!r} leaves {'it' if len(owners) == 1 else 'them'} out"]


def _owners(
    ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor], table: Mapping[str, str]
) -> list[str]:
    """The modules of the tensors that do not fit, or the last words that tell those."""
    fits = {
        their
        for our, their in table.items()
        if their in theirs and theirs[their].shape == ours[our].shape
    }
    wrong = [name for name in (*table.values(), *theirs) if name not in fits]
    if all(name.endswith(STATISTICS) for name in wrong):
        return [last for last in STATISTICS if any(n.endswith(last) for n in wrong)]
    return list(dict.fromkeys(name.rpartition(".")[0] or name for name in wrong))


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
    return f"  {len(items)} {kind}: {_shortened(items)}"


def _shortened(items: Sequence[str]) -> str:
    more = [f"{len(items) - NAMES_SHOWN} more"] if len(items) > NAMES_SHOWN else []
    return ", ".join([*items[:NAMES_SHOWN], *more])


def _size(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "a number"


def unwrapped(
    weights: str | os.PathLike[str] | Mapping[str, Any],
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The state dict in a file or a mapping, and the keys that it was found under."""
    if isinstance(weights, nn.Module):
        raise WeightsError("got a module; give its state_dict()")
    file = "" if isinstance(weights, Mapping) else f"{weights} is "
    found: Any = weights if isinstance(weights, Mapping) else _read(Path(weights))
    inside: list[str] = []
    while others := [k for k, value in found.items() if not isinstance(value, Tensor)]:
        inner = [key for key in found if _has_tensors(found[key])]
        inner = [key for key in WRAPPERS if key in inner] or inner
        if len(inner) != 1:
            several = f"; it has several, {', '.join(map(repr, inner))}" * bool(inner)
            message = f"{file}not a state dict: {others[0]!r} is no tensor{several}"
            raise WeightsError(message)
        inside += map(str, inner)
        found = found[inner[0]]
    return dict(found), tuple(inside)


def closest(
    ours: Mapping[str, Tensor], theirs: dict[str, Tensor], naming: str | None = None
) -> tuple[str, dict[str, Tensor]]:
    """The naming by which most of our tensors are there, or the given one; theirs by it."""
    found = []
    for each in [naming] if naming else NAMINGS:
        wanted = list(names(ours, each).values())
        tensors, _, _ = _below(theirs, wanted)
        there = sum(name in tensors for name in wanted)
        found.append((there, each, tensors))
    _, best, tensors = max(found, key=lambda each: each[0])
    return best, tensors


def _has_tensors(value: Any) -> bool:
    """Whether it is a state dict, or has one in it."""
    if not isinstance(value, Mapping) or not value:
        return False
    named = all(isinstance(key, str) for key in value)
    return named and any(
        isinstance(v, Tensor) or _has_tensors(v) for v in value.values()
    )


def _below(
    theirs: dict[str, Tensor], known: Sequence[str]
) -> tuple[dict[str, Tensor], str, int]:
    """The tensors below the name that most of the known ones have there, and how many are not.

    Refuses a file of several such networks.
    """
    ends = f".{known[0]}" if known else ""
    found = {name.removesuffix(ends[1:]) for name in theirs if name.endswith(ends)}
    tops = [
        p for p in found if sum(p + name in theirs for name in known) * 2 > len(known)
    ]
    if not known or known[0] in theirs or not tops:
        return theirs, "", 0
    if len(tops) > 1:
        raise WeightsError(
            f"there are several networks, below {', '.join(sorted(tops))}"
        )
    (top,) = tops
    kept = {n.removeprefix(top): t for n, t in theirs.items() if n.startswith(top)}
    return kept, top.rstrip("."), len(theirs) - len(kept)


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
