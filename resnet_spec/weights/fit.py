"""Tensors made to fit a model, held to it, and put into it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from resnet_spec.emit.module import NETWORKS, WITHOUT_VALUES, build
from resnet_spec.weights.dtypes import is_real, of_other_numbers
from resnet_spec.weights.naming.rules import COUNT
from resnet_spec.weights.reading import Reading, listed, size
from resnet_spec.weights.stored import WeightsError
from resnet_spec.weights.surgery import (
    adapted,
    identities,
    norms_behind,
    pixels_in_depth,
)
from resnet_spec.weights.values import read


@dataclass
class Loaded:
    """What was loaded; as text, a line that says it."""

    tensors: int
    naming: str
    inside: tuple[str, ...]  # the keys that the state dict was found under
    beside: tuple[str, ...]  # the other keys that have tensors
    below: str  # what every name that was taken begins with
    elsewhere: int  # tensors that are no part of the network
    ignored: tuple[str, ...]
    started: int = 0  # of those ignored, tensors that had no values
    left: list[str] = field(
        default_factory=list
    )  # our optional tensors that were not there
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


class Fit:
    """Tensors on their way into a model: `given` by their names, those in the table of ours."""

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
        """`fc.1.weight` as `fc.weight`, of a module beside what has no tensors."""
        for our, their in self.table.items():
            owner, _, last = their.rpartition(".")
            if last != "weight" or their in self.given:
                continue
            inner = [
                n
                for n in self.given
                if n.startswith(f"{owner}.") and n.endswith(".weight")
            ]
            if (
                len(inner) != 1
                or len(self.given[inner[0]].shape) != self.ours[our].ndim
            ):
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
        has_norms = any(self.table[f"{n}.running_var"] in self.given for n in norms)
        biases = self._strange_biases()
        if has_norms or not norms or not biases:
            if folded:
                raise WeightsError("folded='identity', and no norms were folded there")
            return
        if not folded:
            raise WeightsError(
                "the weights have no norms, which were folded into the convolutions: "
                f"{listed(biases)}; folded='identity' takes those as biases of norms that do "
                "nothing else, right in evaluation alone"
            )
        pairs = norms_behind(self.model)
        pairs = {conv: norm for conv, norm in pairs.items() if norm in norms}
        if alone := sorted(norms - {*pairs.values()}):
            message = "stands behind no convolution without bias, so it was not folded"
            raise WeightsError(f"{alone[0]} {message}")
        bias = {}
        for conv in pairs:
            name = f"{self.table[f'{conv}.weight'].removesuffix('.weight')}.bias"
            if name not in self.given:
                raise WeightsError(
                    f"the weights have no {name}, as folded norms leave it"
                )
            if not is_real(self.given[name]):
                raise WeightsError(f"{name} has no real numbers")
            bias[conv] = read(self.given.pop(name)).float()
        for name, tensor in identities(self.model, pairs, bias):
            if name in self.table:
                self.given[self.table[name]] = tensor
        self.done.changes.append(f"{len(pairs)} folded norms are identities")

    def _strange_biases(self) -> list[str]:
        """Theirs of convolutions that have none in the network."""
        convolutions = (t for o, t in self.table.items() if self.ours[o].ndim == 4)
        biases = (f"{t.removesuffix('.weight')}.bias" for t in convolutions)
        known = {*self.table.values()}
        return [name for name in biases if name in self.given and name not in known]

    def adapt(self, rule: str | None) -> None:
        """The first convolution for other input channels, by the rule."""
        our = next((name for name, t in self.ours.items() if t.ndim == 4), "")
        their = self.table.get(our, "")
        if not rule or their not in self.given:
            return
        mine, other = tuple(self.ours[our].shape), tuple(self.given[their].shape)
        if (
            mine == other
            or len(other) != 4
            or other[:1] + other[2:] != mine[:1] + mine[2:]
        ):
            return
        groups = pixels_in_depth(self.model)
        if other[1] % groups:
            return
        if is_real(self.given[their]):
            weight = read(self.given[their])
            self.given[their] = adapted(weight, mine[1], rule, groups)
            were, are = other[1] // groups, mine[1] // groups
            channels = "channel" if were == 1 else "channels"
            told = f"{were} input {channels} made {are} by {rule}"
            self.done.changes.append(told)

    def leave_out(self, optional: Sequence[str]) -> None:
        """Without those of our modules that the weights lack, or have in another shape."""
        for owner in optional:
            own = {o: t for o, t in self.table.items() if o.startswith(f"{owner}.")}
            other = [t for o, t in own.items() if not self._fits(o, t)]
            if not other:
                continue
            their = other[0].rpartition(".")[0]
            found = self.given.get(other[0])
            told = f"{size(found.shape)} there" if found is not None else "not there"
            told += ", transposed" * self._is_transposed(owner, found)
            self.done.left.append(owner)
            self.done.changes.append(f"{owner} left out, {told}")
            for name in [n for n in self.given if n.startswith(f"{their}.")]:
                del self.given[name]
            for our in own:
                del self.table[our]

    def _fits(self, our: str, their: str) -> bool:
        found = self.given.get(their)
        return found is not None and tuple(found.shape) == tuple(self.ours[our].shape)

    def _is_transposed(self, owner: str, found: Any) -> bool:
        mine = tuple(self.ours[f"{owner}.weight"].shape)
        return found is not None and len(mine) == 2 and tuple(found.shape) == mine[::-1]

    def check(self, known: Reading, explain: Callable[[Reading], str]) -> None:
        """Refuses tensors that are not the model's, before anything is touched.

        `explain` says why of what is known of the file, as it now is.
        """
        if line := of_other_numbers(self.ours, self.given, self.table):
            raise WeightsError(line)
        fits = {o: t for o, t in self.table.items() if self._fits(o, t)}
        taken = {*self.table.values()}
        left = tuple(name for name in self.given if name not in taken)
        if left or len(fits) < len(self.table):
            others = [(o, t) for o, t in self.table.items() if o not in fits]
            found = known._replace(
                table=fits,
                missing=tuple(o for o, t in others if t not in self.given),
                differing=tuple(
                    (o, t, tuple(self.given[t].shape))
                    for o, t in others
                    if t in self.given
                ),
                left=left,
            )
            said = "the weights are not this network's"
            raise WeightsError(f"{said}: {explain(found)}")
        if not self.table:
            raise WeightsError("nothing is left to load")

    def load(self) -> Loaded:
        """Read them, and put them into the model."""
        meta = any(tensor.is_meta for tensor in self.ours.values())
        loaded = {o: read(self.given[t], owned=meta) for o, t in self.table.items()}
        left = [name for name in self.ours if name not in self.table]
        started = _started(self.model, left)
        if strange := _put(self.model, loaded | started, assign=meta):
            them = "tensor has" if len(strange) == 1 else "tensors have"
            said = f"{len(strange)} {them} numbers that are not finite"
            self.done.warnings.append(f"{said}: {listed(strange)}")
        self.done.tensors, self.done.started = len(self.table), len(started)
        return self.done


@torch.no_grad()
def _put(model: nn.Module, loaded: Mapping[str, Tensor], assign: bool) -> list[str]:
    """Load the tensors, and name those that then have numbers that are not finite.

    One by one, since a tensor that was just copied is looked at in half the time.
    """
    modules, strange = dict(model.named_modules()), []
    for name, tensor in loaded.items():
        module, _, last = name.rpartition(".")
        held: Tensor = getattr(modules[module], last)
        if not assign:
            held.copy_(tensor)
        else:
            parameter = isinstance(held, nn.Parameter)
            own = nn.Parameter(tensor, held.requires_grad) if parameter else tensor
            setattr(modules[module], last, own)
        if not _is_finite(tensor if assign else held):
            strange.append(name)
    return strange


def _is_finite(tensor: Tensor) -> bool:
    """Whether all numbers are; their sum tells that, but where it is too large."""
    if not tensor.is_floating_point():
        return True
    if tensor.dtype.itemsize == 1:
        tensor = tensor.float()
    return math.isfinite(tensor.sum().item()) or bool(tensor.isfinite().all())


def _started(model: nn.Module, left: list[str]) -> dict[str, Tensor]:
    """First values for what is not loaded, in a model that has none."""
    if model not in WITHOUT_VALUES:
        tensors = model.state_dict() if left else {}
        if lost := [name for name in left if tensors[name].is_meta]:
            message = "is ignored, and has no value on the meta device"
            raise WeightsError(f"{lost[0]} {message}")
        return {}
    WITHOUT_VALUES.remove(model)
    fresh = build(NETWORKS[model], device="cpu").state_dict() if left else {}
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
    return read(value, owned=True).long()
