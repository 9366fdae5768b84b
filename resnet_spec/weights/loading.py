"""Weights from elsewhere, into a model of ours."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from warnings import warn

import torch
from torch import Tensor, nn

from resnet_spec.problems.words import nearest
from resnet_spec.weights.files import contents
from resnet_spec.weights.fit import Fit, Loaded
from resnet_spec.weights.misfits import COUNT
from resnet_spec.weights.naming import NAMINGS, Shaped, names
from resnet_spec.weights.stored import WeightsError
from resnet_spec.weights.surgery import refuse_unknown
from resnet_spec.weights.wrappers import Unwrapped, unwrapped

__all__ = ["Choices", "Loaded", "WeightsError", "load", "load_weights", "load_with"]

Weights = str | os.PathLike[str] | Mapping[str, Any]


class Choices(NamedTuple):
    """What `resnet_spec.load_weights` is asked, and what only this project asks."""

    naming: str | None = None
    ignore: Sequence[str] = ()
    key: str | None = None
    prefix: str | None = None
    folded: str | None = None
    channels_by: str | None = None
    optional: Sequence[str] = ()  # modules of ours, left out where none fits
    whole: Mapping[str, Shaped] | None = None  # what the model is the beginning of


def load_weights(
    model: nn.Module,
    weights: Weights,
    naming: str | None = None,
    ignore: Sequence[str] = (),
) -> Loaded:
    """`resnet_spec.load_weights`, which says what it takes, gives and refuses."""
    return load_with(model, weights, Choices(naming, ignore))


def load_with(model: nn.Module, weights: Weights, choices: Choices) -> Loaded:
    """The same with all of its choices; warns whoever calls what calls this."""
    done = load(model, weights, choices)
    for text in done.warnings:
        warn(text, stacklevel=3)
    return done


def load(model: nn.Module, weights: Weights, choices: Choices) -> Loaded:
    """The same without a warning: what to be warned of is in what it returns."""
    refuse_unknown(choices.channels_by, choices.folded)
    ours, found = model.state_dict(), opened(weights, choices.key)
    whole = choices.whole or ours
    known = recognized(whole, found.tensors, choices.naming, choices.prefix)
    theirs, outside = _below(found.tensors, known.prefix)
    beyond = [their for our, their in known.table.items() if our not in ours]
    theirs = {n: t for n, t in theirs.items() if n not in beyond}
    every = [*known.table, *known.table.values(), *theirs]
    _must_be_known(choices.ignore, every)
    table = {o: t for o, t in known.table.items() if o in ours}
    table = {o: t for o, t in table.items() if not _among((o, t), choices.ignore)}
    given = {n: t for n, t in theirs.items() if not _among((n,), choices.ignore)}
    done = Loaded(
        len(table),
        known.naming,
        found.inside,
        found.beside,
        known.prefix.rstrip("."),
        outside,
        tuple(choices.ignore),
    )
    fit = Fit(model, ours, given, table, done)
    fit.take_out_of_sequentials()
    fit.unfold(choices.folded)
    fit.adapt(choices.channels_by)
    fit.leave_out(choices.optional)
    fit.check(lambda: _fitting(whole, found.tensors, choices))
    return fit.load()


# --- which network it is ------------------------------------------------------------------


class Recognized(NamedTuple):
    """Who named the tensors, what their names begin with, and their name for each of ours."""

    naming: str
    prefix: str
    table: dict[str, str]


def recognized(
    ours: Mapping[str, Shaped],
    theirs: Mapping[str, Shaped],
    naming: str | None = None,
    prefix: str | None = None,
) -> Recognized:
    """The naming and the prefix by which most of ours are there, of the same shape.

    Either may be given. Raises WeightsError for a naming that is not there, a prefix that no
    name has, and several such networks.
    """
    if naming is not None and naming not in NAMINGS:
        near = nearest(naming, NAMINGS)
        raise WeightsError(
            f"naming must be one of {', '.join(NAMINGS)}, got {naming}{near}"
        )
    best, most = None, (-1, -1)
    for each in [naming] if naming else NAMINGS:
        table = names(ours, each)
        top = _top(theirs, [*table.values()]) if prefix is None else _dotted(prefix)
        there = [(o, top + t) for o, t in table.items() if top + t in theirs]
        same = sum(tuple(theirs[t].shape) == tuple(ours[o].shape) for o, t in there)
        if (same, len(there)) > most:
            best, most = Recognized(each, top, table), (same, len(there))
        if same == len(table):
            break
    assert best
    if prefix and not any(name.startswith(best.prefix) for name in theirs):
        raise WeightsError(f"no name begins with {best.prefix}")
    return best


def _dotted(prefix: str) -> str:
    return f"{prefix.rstrip('.')}." if prefix else ""


def _top(theirs: Iterable[str], known: Sequence[str]) -> str:
    """The beginning that most of the known names have there; refused where several have."""
    if not known or known[0] in theirs:
        return ""
    end = f".{known[0]}"
    found = {name.removesuffix(end[1:]) for name in theirs if name.endswith(end)}
    there = set(theirs)
    tops = [
        top for top in found if sum(top + n in there for n in known) * 2 > len(known)
    ]
    if len(tops) > 1:
        below = ", ".join(sorted(tops))
        first = min(tops).rstrip(".")
        raise WeightsError(
            f"there are several networks, below {below}: prefix={first!r} takes that one"
        )
    return tops[0] if tops else ""


def _fitting(
    ours: Mapping[str, Shaped], theirs: Mapping[str, Shaped], choices: Choices
) -> str | None:
    """Another naming by which all tensors that are asked for fit, whatever counts there are."""
    for naming in NAMINGS if choices.naming else ():
        if naming == choices.naming:
            continue
        _, top, table = recognized(ours, theirs, naming, choices.prefix)
        pairs = [
            (ours[our], theirs.get(top + their))
            for our, their in table.items()
            if not (_among((our, their), choices.ignore) or their.endswith(COUNT))
        ]
        if all(t is not None and tuple(t.shape) == tuple(o.shape) for o, t in pairs):
            return naming
    return None


def opened(weights: Weights, key: str | None = None) -> Unwrapped:
    """The state dict in a file or a mapping, its values unread if it is a file."""
    if isinstance(weights, nn.Module):
        raise WeightsError("got a module; give its state_dict()")
    if isinstance(weights, Mapping):
        found = unwrapped(weights, "", key)
    else:
        found = unwrapped(contents(weights), f"{os.fspath(weights)} is ", key)
    for name, tensor in found.tensors.items():
        if isinstance(tensor, Tensor) and tensor.layout is not torch.strided:
            raise WeightsError(f"{name} is sparse, which no tensor of a network is")
        if isinstance(tensor, Tensor) and tensor.is_meta:
            raise WeightsError(f"{name} is on the meta device, and has no values")
    return found


def _below(theirs: Mapping[str, Any], prefix: str) -> tuple[dict[str, Any], int]:
    """The tensors whose names begin so, by the rest of their names, and how many others."""
    kept = {
        n.removeprefix(prefix): t for n, t in theirs.items() if n.startswith(prefix)
    }
    return kept, len(theirs) - len(kept)


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
