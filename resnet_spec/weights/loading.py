"""Weights from elsewhere, into a model of ours."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from warnings import warn

import torch
from torch import Tensor, nn

from resnet_spec.emit.module import WITHOUT_VALUES, build
from resnet_spec.problems.words import nearest
from resnet_spec.weights.files import contents
from resnet_spec.weights.misfits import (
    COUNT,
    hints,
    is_real,
    listed,
    of_other_numbers,
    size,
    wrong,
)
from resnet_spec.weights.naming import NAMINGS, Shaped, names
from resnet_spec.weights.stored import Refusal, Stored, WeightsError
from resnet_spec.weights.surgery import (
    adapted,
    identities,
    norms_behind,
    pixels_in_depth,
    refuse_unknown,
)
from resnet_spec.weights.wrappers import Unwrapped, unwrapped

__all__ = ["Choices", "Loaded", "WeightsError", "load", "load_weights"]

Weights = str | os.PathLike[str] | Mapping[str, Any]


class Choices(NamedTuple):
    """What `resnet_spec.load_weights` is asked, and what only this project asks."""

    naming: str | None = None
    ignore: Sequence[str] = ()
    key: str | None = None
    prefix: str | None = None
    folded: str | None = None
    channels_by: str | None = None
    optional: Sequence[str] = ()  # of ours, left out where there is none of that shape
    whole: Mapping[str, Shaped] | None = None  # what the model is the beginning of


@dataclass
class Loaded:
    """What was loaded; as text, a line that says it."""

    tensors: int
    naming: str
    inside: tuple[str, ...]  # the keys that the state dict was found under
    beside: tuple[str, ...]  # the other keys that have tensors
    below: str  # what every name that was taken begins with
    elsewhere: int  # tensors whose names do not
    ignored: tuple[str, ...]
    started: int = 0  # of those ignored, tensors that had no values
    left: list[str] = field(default_factory=list)  # our optional tensors that were not there
    changes: list[str] = field(default_factory=list)  # what was made to fit
    warnings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """`122 tensors from state_dict, below backbone; 2 elsewhere left out; fc ignored`"""
        said = [f"{self.tensors} tensors"]
        said[0] += f" as {self.naming} names them" * (self.naming != "torchvision")
        said[0] += f" from {'.'.join(self.inside)}" * bool(self.inside)
        said[0] += f", below {self.below}" * bool(self.below)
        said += [f"not from {', '.join(self.beside)}"] * bool(self.beside)
        said += [f"{self.elsewhere} elsewhere left out"] * bool(self.elsewhere)
        said += self.changes
        said += [f"{listed(self.ignored)} ignored"] * bool(self.ignored)
        said += [f"{self.started} start afresh"] * bool(self.started)
        return "; ".join(said)


def load_weights(  # noqa: PLR0913  # a choice each
    model: nn.Module,
    weights: Weights,
    naming: str | None = None,
    ignore: Sequence[str] = (),
    *,
    key: str | None = None,
    prefix: str | None = None,
    folded: str | None = None,
    channels_by: str | None = None,
) -> Loaded:
    """`resnet_spec.load_weights`, which says what it takes, gives and refuses."""
    choices = Choices(naming, ignore, key, prefix, folded, channels_by)
    done = load(model, weights, choices)
    for text in done.warnings:
        warn(text, stacklevel=3)
    return done


def load(model: nn.Module, weights: Weights, choices: Choices) -> Loaded:
    """Load them; what to be warned of is in what it returns."""
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
    fit = _Fit(model, ours, given, table, done)
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


# --- making them fit ----------------------------------------------------------------------


class _Fit:
    """Tensors on their way into a model: `given` by their names, which the table has for ours."""

    def __init__(
        self,
        model: nn.Module,
        ours: Mapping[str, Tensor],
        given: dict[str, Any],
        table: dict[str, str],
        done: Loaded,
    ) -> None:
        self.model, self.ours, self.done = model, ours, done
        self.given = _with_counts(given, list(table.values()))
        self.table = table

    def take_out_of_sequentials(self) -> None:
        """`fc.1.weight` as `fc.weight`, where a module is in a Sequential with what has none."""
        for our, their in self.table.items():
            owner, _, last = their.rpartition(".")
            if last != "weight" or their in self.given:
                continue
            inner = [n for n in self.given if n.startswith(f"{owner}.") and n.endswith(".weight")]
            if len(inner) != 1 or len(self.given[inner[0]].shape) != self.ours[our].ndim:
                continue
            holder = inner[0].removesuffix(".weight")
            if not holder.removeprefix(f"{owner}.").isdigit():
                continue
            for end in ("weight", "bias"):
                if f"{holder}.{end}" in self.given:
                    self.given[f"{owner}.{end}"] = self.given.pop(f"{holder}.{end}")
            self.done.changes.append(f"{owner} is {holder} there")

    def unfold(self, folded: str | None) -> None:
        """Identity norms that add what folded norms left as biases of convolutions."""
        norms = {
            name.removesuffix(".running_var")
            for name in self.table
            if name.endswith(".running_var")
        }
        biases = [n for n in self._left_over() if n.endswith(".bias")]
        if not biases or any(self.table.get(f"{n}.running_var") in self.given for n in norms):
            if folded:
                raise WeightsError("folded='identity', and the weights have norms")
            return
        if not folded:
            raise WeightsError(
                "the weights have no norms, which were folded into the convolutions: "
                f"{listed(biases)}; folded='identity' takes those as biases of norms that do "
                "nothing else, right in evaluation alone"
            )
        pairs = norms_behind(self.model)
        if alone := sorted(norms - {*pairs.values()}):
            message = "stands behind no convolution without bias, so nothing can be folded"
            raise WeightsError(f"{alone[0]} {message}")
        pairs = {conv: norm for conv, norm in pairs.items() if norm in norms}
        bias = {}
        for conv in pairs:
            name = f"{self.table[f'{conv}.weight'].removesuffix('.weight')}.bias"
            if name not in self.given:
                raise WeightsError(f"the weights have no {name}, as folded norms leave it")
            bias[conv] = _tensor(self.given.pop(name))
        for name, tensor in identities(self.model, pairs, bias):
            if name in self.table:
                self.given[self.table[name]] = tensor
        self.done.changes.append(f"{len(pairs)} folded norms are identities")

    def adapt(self, rule: str | None) -> None:
        """The first convolution for other input channels, by the rule."""
        our = next((name for name, t in self.ours.items() if t.ndim == 4), "")
        their = self.table.get(our, "")
        if not rule or their not in self.given:
            return
        mine, other = tuple(self.ours[our].shape), tuple(self.given[their].shape)
        if mine == other or len(other) != 4 or other[:1] + other[2:] != mine[:1] + mine[2:]:
            return
        groups = pixels_in_depth(self.model)
        if other[1] % groups:
            return
        if is_real(self.given[their]):
            weight = _tensor(self.given[their])
            self.given[their] = adapted(weight, mine[1], rule, groups)
            told = f"{other[1] // groups} input channels made {mine[1] // groups} by {rule}"
            self.done.changes.append(told)

    def leave_out(self, optional: Sequence[str]) -> None:
        """Without those of our tensors that the weights lack, or have in another shape."""
        for our in optional:
            their = self.table.get(our)
            if their is None:
                continue
            other = self.given.get(their)
            if other is None or tuple(other.shape) != tuple(self.ours[our].shape):
                self.done.left.append(our)
                there = "not there" if other is None else f"{size(other)} there"
                self.done.changes.append(f"{our} left out, {there}")
                self.given.pop(their, None)
                del self.table[our]

    def check(self, fitting: Any) -> None:
        """Refuses tensors that are not the model's, before anything is touched."""
        if line := of_other_numbers(self.ours, self.given, self.table):
            raise WeightsError(line)
        if lines := wrong(self.ours, self.given, self.table):
            naming = fitting()
            hint = [f"  naming={naming!r} fits"] if naming else []
            hint = hint or hints(self.ours, self.given, self.table)
            lines = ["the weights are not this network's:", *lines, *hint]
            raise WeightsError("\n".join(lines))
        if not self.table:
            raise WeightsError("nothing is left to load")

    def load(self) -> Loaded:
        """Read them, and put them into the model."""
        meta = any(tensor.is_meta for tensor in self.ours.values())
        loaded = {o: _tensor(self.given[t], meta) for o, t in self.table.items()}
        strange = [name for name, tensor in loaded.items() if not _is_finite(tensor)]
        if strange:
            said = f"{len(strange)} tensors have numbers that are not finite"
            self.done.warnings.append(f"{said}: {listed(strange)}")
        left = [name for name in self.ours if name not in self.table]
        started = _started(self.model, left)
        loaded |= started
        self.model.load_state_dict(loaded, strict=not left, assign=meta)
        self.done.tensors, self.done.started = len(self.table), len(started)
        return self.done

    def _left_over(self) -> list[str]:
        known = {*self.table.values()}
        return [name for name in self.given if name not in known]


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


def _tensor(value: Any, owned: bool = False) -> Tensor:
    """The values of a tensor in a file; `owned`, they do not change with the file.

    Of one that is a tensor already, itself.
    """
    if not isinstance(value, Stored):
        tensor: Tensor = value if isinstance(value, Tensor) else torch.as_tensor(value)
        return tensor
    kind = getattr(torch, value.dtype)
    if 0 in value.shape:
        return torch.empty(value.shape, dtype=kind)
    try:
        flat = torch.frombuffer(value.buffer(), dtype=kind)
    except Refusal as refusal:
        raise WeightsError(f"the file {refusal}") from None
    found = flat.as_strided(value.shape, value.stride, value.offset)
    return found.clone() if owned else found


def _is_finite(tensor: Tensor) -> bool:
    """Whether all numbers are; their sum tells that, but where it is too large."""
    if not tensor.is_floating_point():
        return True
    if tensor.dtype.itemsize == 1:
        tensor = tensor.float()
    return bool(tensor.sum().isfinite() or tensor.isfinite().all())


def _below(theirs: Mapping[str, Any], prefix: str) -> tuple[dict[str, Any], int]:
    """The tensors whose names begin so, by the rest of their names, and how many others."""
    kept = {n.removeprefix(prefix): t for n, t in theirs.items() if n.startswith(prefix)}
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


def _started(model: nn.Module, left: list[str]) -> dict[str, Tensor]:
    """First values for what is not loaded, in a model that has none."""
    network, tensors = WITHOUT_VALUES.get(model), model.state_dict()
    if network is None:
        if lost := [name for name in left if tensors[name].is_meta]:
            message = "is ignored, and has no value on the meta device"
            raise WeightsError(f"{lost[0]} {message}")
        return {}
    del WITHOUT_VALUES[model]
    fresh = build(network, device="cpu").state_dict() if left else {}
    return {name: fresh[name] for name in left}


def _with_counts(given: dict[str, Any], asked: Sequence[str]) -> dict[str, Any]:
    """The tensors with just the counts of batches that are asked for; old files have none.

    Frozen norms ask for none.
    """
    kept = {name: t for name, t in given.items() if not name.endswith(COUNT)}
    zero = torch.zeros((), dtype=torch.long)
    counts = (name for name in asked if name.endswith(COUNT))
    return kept | {n: _count(given[n]) if n in given else zero.clone() for n in counts}


def _count(value: Any) -> Tensor:
    """An integer, of a tensor that may have been cast with the others."""
    return _tensor(value).long()


