"""Sums over all that runs in a network, each distinct block counted once."""

from __future__ import annotations

from collections.abc import Mapping
from weakref import WeakKeyDictionary

from resnet_spec.emit.cost import tables
from resnet_spec.emit.cost.tables import Rule, by_function, by_module
from resnet_spec.expansion import Call, Sums, expand, summed
from resnet_spec.network import Network

MEBI = 2**20


def has_row(call: Call) -> bool:
    """Whether torchsummary has a row for it."""
    return call.module not in ("", "Sequential")


def shown(call: Call) -> int:
    """What torchsummary takes for the parameters of a module: its weight and bias."""
    if not has_row(call):
        return 0
    return sum(t.size for t in call.tensors if t.name in ("weight", "bias"))


def _trainable(call: Call) -> int:
    learns = any(t.name == "weight" and t.learns for t in call.tensors)
    return shown(call) if learns else 0


def _rows(call: Call) -> int:
    """The rows of torchinfo: its own, and those of the lists of modules in it."""
    lists = {step.name.split(".")[0] for step in call.steps if "." in step.name}
    return bool(call.module) + len(lists)


RULES: Mapping[str, Rule] = {
    "plain": by_function(tables.PLAIN),
    "params": lambda c: c.params,
    "torchinfo": tables.torchinfo,
    "torchinfo.rows": _rows,
    "torchinfo.gives": lambda c: c.gives if c.is_leaf and c.params else 0,
    "torchinfo.params": lambda c: c.params if c.is_leaf else 0,
    "fvcore": by_function(tables.FVCORE),
    "fvcore.train": by_function(tables.FVCORE_TRAINING),
    "fvcore.activations": by_function(tables.FVCORE_ACTIVATIONS),
    "ptflops.modules": by_module(tables.PTFLOPS_MODULES),
    "ptflops.functions": by_function(tables.PTFLOPS_FUNCTIONS),
    "ptflops.aten": by_function(tables.PTFLOPS_ATEN),
    "thop": by_module(tables.THOP),
    "thop.params": lambda c: c.params if c.module in tables.THOP_PARAMS else 0,
    "thop.leaves": lambda c: c.params if c.is_leaf else 0,
    "torchprofile": by_function(tables.TORCHPROFILE),
    "calflops": by_function(tables.CALFLOPS),
    "calflops.macs": by_function(tables.CALFLOPS_MACS),
    "torch": by_function(tables.TORCH),
    "pycls": by_function(tables.PYCLS),
    "pycls.activations": by_function(tables.PYCLS_ACTIVATIONS),
    "torchsummary.rows": has_row,
    "torchsummary.gives": lambda c: c.gives if has_row(c) else 0,
    "torchsummary.params": shown,
    "torchsummary.trainable": _trainable,
}
"""What is summed, each by its rule."""


KNOWN: WeakKeyDictionary[Network, Sums] = WeakKeyDictionary()


def tallied(network: Network) -> Sums:
    """All sums of the network, in evaluation."""
    if network not in KNOWN:
        KNOWN[network] = summed(expand(network), _own, {})
    return KNOWN[network]


def _own(call: Call) -> dict[str, int]:
    """What the call itself counts, by each rule by which that is anything."""
    counts = ((name, int(rule(call))) for name, rule in RULES.items())
    return {name: count for name, count in counts if count}


def mebibytes(network: Network, batch: int = 1) -> list[float]:
    """What torchsummary says of the images, of all that its rows give and of parameters."""
    sums, root = tallied(network), expand(network)
    gives = sums.of("torchsummary.gives") - root.gives
    sizes = (
        4 * batch * root.reads,
        8 * batch * gives,
        4 * sums.of("torchsummary.params"),
    )
    return [size / MEBI for size in sizes]
