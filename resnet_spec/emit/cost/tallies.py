"""Sums over all that runs in a network, each distinct block counted once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from weakref import WeakKeyDictionary

from resnet_spec.emit.cost import tables
from resnet_spec.emit.cost.tables import Rule, by_function, by_module
from resnet_spec.expansion import Call, counted, expand
from resnet_spec.network import Network


def _params(call: Call) -> int:
    return sum(tensor.size for tensor in call.tensors if tensor.learns)


def _row(call: Call) -> bool:
    """Whether torchsummary has a row for it."""
    return call.module not in ("", "Sequential")


def _shown(call: Call) -> int:
    """What torchsummary takes for the parameters of a module: its weight and bias."""
    if not _row(call):
        return 0
    return sum(t.size for t in call.tensors if t.name in ("weight", "bias"))


def _trainable(call: Call) -> int:
    learns = any(t.name == "weight" and t.learns for t in call.tensors)
    return _shown(call) if learns else 0


def _rows(call: Call) -> int:
    """The rows of torchinfo: its own, and those of the lists of modules in it."""
    lists = {step.name.split(".")[0] for step in call.steps if "." in step.name}
    return bool(call.module) + len(lists)


RULES: Mapping[str, Rule] = {
    "plain": by_function(tables.PLAIN),
    "params": _params,
    "torchinfo": tables.torchinfo,
    "torchinfo.rows": _rows,
    "torchinfo.gives": lambda c: c.gives if c.is_leaf and _params(c) else 0,
    "torchinfo.params": lambda c: _params(c) if c.is_leaf else 0,
    "fvcore": by_function(tables.FVCORE),
    "fvcore.train": by_function(tables.FVCORE_TRAINING),
    "fvcore.activations": by_function(tables.FVCORE_ACTIVATIONS),
    "ptflops.modules": by_module(tables.PTFLOPS_MODULES),
    "ptflops.functions": by_function(tables.PTFLOPS_FUNCTIONS),
    "ptflops.aten": by_function(tables.PTFLOPS_ATEN),
    "thop": by_module(tables.THOP),
    "thop.params": lambda c: _params(c) if c.module in tables.THOP_PARAMS else 0,
    "thop.leaves": lambda c: _params(c) if c.is_leaf else 0,
    "torchprofile": by_function(tables.TORCHPROFILE),
    "calflops": by_function(tables.CALFLOPS),
    "calflops.macs": by_function(tables.CALFLOPS_MACS),
    "torch": by_function(tables.TORCH),
    "pycls": by_function(tables.PYCLS),
    "pycls.activations": by_function(tables.PYCLS_ACTIVATIONS),
    "torchsummary.rows": _row,
    "torchsummary.gives": lambda c: c.gives if _row(c) else 0,
    "torchsummary.params": _shown,
    "torchsummary.trainable": _trainable,
}
"""What is summed, each by its rule."""


class Tally(NamedTuple):
    """Sums for one image, and what is counted once for all images of a batch."""

    image: tuple[int, ...]
    once: tuple[int, ...]

    def of(self, name: str, batch: int = 1) -> int:
        """The sum by that rule for a batch."""
        at = NAMES[name]
        return batch * self.image[at] + self.once[at]


NAMES = {name: at for at, name in enumerate(RULES)}
NOTHING = (0,) * len(RULES)
KNOWN: WeakKeyDictionary[Network, Tally] = WeakKeyDictionary()


def tally(network: Network) -> Tally:
    """All sums of the network, in evaluation."""
    if network not in KNOWN:
        KNOWN[network] = _tally(expand(network), {})
    return KNOWN[network]


def _tally(call: Call, known: dict[int, Tally]) -> Tally:
    if id(call) in known:
        return known[id(call)]
    own = tuple(int(rule(call)) for rule in RULES.values())
    parts = [Tally(NOTHING, own) if call.once else Tally(own, NOTHING)]
    times = [1]
    for step, repeats in counted(call.steps):
        if not step.call.in_training:
            parts.append(_tally(step.call, known))
            times.append(repeats)
    image, once = (
        tuple(
            sum(time * value for time, value in zip(times, column, strict=True))
            for column in zip(*side, strict=True)
        )
        for side in zip(*parts, strict=True)
    )
    found = known[id(call)] = Tally(image, once)
    return found
