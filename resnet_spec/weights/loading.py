"""Weights from elsewhere, into a model of ours."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from warnings import warn

import torch
from torch import Tensor, nn

from resnet_spec.emit.module import NETWORKS
from resnet_spec.problems.words import nearest
from resnet_spec.weights import conventions, files, recognition
from resnet_spec.weights.differences import difference
from resnet_spec.weights.fit import Fit, Loaded
from resnet_spec.weights.naming import called, possessive
from resnet_spec.weights.naming.rules import Calling, Shaped, parts
from resnet_spec.weights.reading import Reading
from resnet_spec.weights.recognition import dotted, nothing, refuse_unknown_naming
from resnet_spec.weights.stored import WeightsError
from resnet_spec.weights.surgery import refuse_unknown
from resnet_spec.weights.wrappers import Unwrapped, unwrapped

__all__ = [
    "Choices",
    "Loaded",
    "WeightsError",
    "load",
    "load_file",
    "load_with",
]

Weights = str | os.PathLike[str] | Mapping[str, Any]


class Choices(NamedTuple):
    """What `resnet_spec.load_weights` is asked, and what only this project asks."""

    naming: str | None = None
    ignore: Sequence[str] = ()
    key: str | None = None
    prefix: str | None = None
    folded: str | None = None
    channels_by: str | None = None
    strict: bool = False  # whether another convention is refused, not warned of
    optional: Sequence[str] = ()  # modules of ours, left out where none fits
    whole: Mapping[str, Shaped] | None = None  # what the model is the beginning of


def load_with(model: nn.Module, weights: Weights, choices: Choices) -> Loaded:
    """`resnet_spec.load_weights`, with all of its choices; warns who calls what calls this."""
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
    reading = known.reading
    table, given = _asked(known, ours, found.tensors, choices.ignore)
    done = Loaded(
        len(table),
        reading.naming,
        found.inside,
        found.beside,
        reading.prefix.rstrip("."),
        len(reading.beside),
        tuple(choices.ignore),
    )
    fit = Fit(model, ours, given, table, done)
    done.changes += known.renamed
    fit.take_out_of_sequentials()
    fit.unfold(choices.folded)
    fit.adapt(choices.channels_by)
    fit.leave_out(choices.optional)
    fit.check(
        reading,
        lambda now: (
            _another(whole, found.tensors, choices) or difference(now, known.calls)
        ),
    )
    if unlike := _unlike(model, reading.naming):
        if choices.strict:
            raise WeightsError(unlike)
        done.warnings.append(unlike)
    return fit.load()


def _asked(
    known: Known,
    ours: Mapping[str, Tensor],
    theirs: Mapping[str, Any],
    ignore: Sequence[str],
) -> tuple[dict[str, str], dict[str, Any]]:
    """Their name for each of ours that is asked for, and what there is to give it."""
    bare = {name: name.removeprefix(known.reading.prefix) for name in theirs}
    _must_be_known(ignore, [*known.table, *known.table.values(), *bare, *bare.values()])
    inside = {*known.table.values(), *known.reading.left}
    inside -= {their for our, their in known.table.items() if our not in ours}
    table = {o: t for o, t in known.table.items() if o in ours}
    table = {o: t for o, t in table.items() if not _among((o, t), ignore)}
    given = {
        name: tensor
        for name, tensor in theirs.items()
        if name in inside and not _among((name, bare[name]), ignore)
    }
    return table, given


def load_file(
    model: nn.Module, file: str | os.PathLike[str], choices: Choices
) -> Loaded:
    """`load` of a file, whose name a refusal begins with."""
    try:
        return load(model, file, choices)
    except WeightsError as error:
        said = str(error)
        named = said.startswith(os.fspath(file))
        raise WeightsError(said if named else f"{os.fspath(file)}: {said}") from None


def _unlike(model: nn.Module, naming: str) -> str:
    """In what the model's network differs from what who wrote the names does by default.

    Empty where it does not, and for models that were not built here, of which no network is
    known.
    """
    network = NETWORKS.get(model)
    return "; ".join(conventions.unlike(network, naming)) if network else ""


# --- which network it is ------------------------------------------------------------------


class Known(NamedTuple):
    """How the file is read, or what of it is nearest, and their name for each of ours.

    `renamed` says which modules are called otherwise than that naming has them.
    """

    reading: Reading
    calls: Calling
    table: dict[str, str]
    renamed: tuple[str, ...] = ()


def recognized(
    ours: Mapping[str, Shaped],
    theirs: Mapping[str, Shaped],
    naming: str | None = None,
    prefix: str | None = None,
) -> Known:
    """The naming and the prefix by which the file has the network, or most of it.

    Either may be given. Raises WeightsError for a naming that is not there, a prefix that no
    name has, and several such networks.
    """
    refuse_unknown_naming(naming)
    top = dotted(prefix, theirs)
    found = recognition.recognized(_shapes(theirs), ours, naming, top)
    if len(found.readings) > 1:
        raise WeightsError(str(found))
    reading = found.reading or found.nearest or nothing(ours, theirs, naming, top or "")
    calls = called(parts(ours), reading.naming)
    usual = {o: reading.prefix + t for o, t in calls.theirs("").items()}
    table = usual | {o: t for o, t, _ in reading.differing} | {**reading.table}
    owners = {
        o: (usual[o].rpartition(".")[0], table[o].rpartition(".")[0]) for o in usual
    }
    moved = dict.fromkeys(pair for pair in owners.values() if pair[0] != pair[1])
    renamed = tuple(
        f"{own} is {there} there" for own, there in moved if not calls.trunk
    )
    return Known(reading, calls, table, renamed)


def _shapes(tensors: Mapping[str, Shaped]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _another(
    ours: Mapping[str, Shaped], theirs: Mapping[str, Shaped], choices: Choices
) -> str | None:
    """That all tensors fit by another naming than the one that was asked for."""
    if not choices.naming:
        return None
    known, kept = (
        {n: t for n, t in each.items() if not _among((n,), choices.ignore)}
        for each in (ours, theirs)
    )
    top = dotted(choices.prefix, theirs)
    asked, every = (
        recognition.recognized(_shapes(kept), known, naming, top).readings
        for naming in (choices.naming, None)
    )
    if asked or not every:
        return None
    fits = f"naming={every[0].naming!r} fits"
    return f"{possessive(choices.naming)} names do not fit; {fits}"


def opened(weights: Weights, key: str | None = None) -> Unwrapped:
    """The state dict in a file or a mapping, its values unread if it is a file."""
    if isinstance(weights, nn.Module):
        raise WeightsError("got a module; give its state_dict()")
    if isinstance(weights, Mapping):
        found = unwrapped(weights, "", key)
    else:
        found = files.opened(weights, key)
    for name, tensor in found.tensors.items():
        if isinstance(tensor, Tensor) and tensor.layout is not torch.strided:
            raise WeightsError(f"{name} is sparse, which no tensor of a network is")
        if isinstance(tensor, Tensor) and tensor.is_meta:
            raise WeightsError(f"{name} is on the meta device, and has no values")
    return found


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
