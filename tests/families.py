"""The specs that ship, of those with the same kinds of ops the smallest, and shallow ones."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from resnet_spec import SpecError, load
from resnet_spec.language.shipped import shortest
from resnet_spec.network import Network, Op

Kinds = frozenset[type[Op]]


@cache
def shipped_networks() -> dict[str, Network]:
    """All that ship, by the shortest names of their specs."""
    return {name: load(name).network for name in shortest()}


def kinds(network: Network) -> Kinds:
    """The classes of its ops."""
    return frozenset(type(op) for _, op in network.ops())


@cache
def families() -> dict[str, Network]:
    """One network for each different set of kinds of ops, with few blocks."""
    found: dict[Kinds, str] = {}
    networks = shipped_networks()
    for name in sorted(networks, key=lambda name: networks[name].params):
        found.setdefault(kinds(networks[name]), name)
    return {name: _short(name) for name in found.values()}


def _short(name: str) -> Network:
    """With one block a stage, but for specs that say what each block is."""
    depths = [1] * len(shipped_networks()[name].stages)
    try:
        return load(name, {"depths": depths}).network
    except SpecError:
        return shipped_networks()[name]


def sized(name: str, side: int, **overrides: Any) -> Network:
    """The network of a spec for images (3, side, side)."""
    return load(name, {"input": [3, side, side], **overrides}).network


def covering(networks: Iterable[Network]) -> Iterator[Network]:
    """A few of them that have each kind of op: one that has many, and what others add."""
    seen: set[type[Op]] = set()
    for network in sorted(networks, key=lambda network: -len(kinds(network))):
        if kinds(network) - seen:
            seen |= kinds(network)
            yield network


def subclasses(of: type[Op]) -> set[type[Op]]:
    """All kinds of that op, near and far."""
    return {kind for each in of.__subclasses__() for kind in {each} | subclasses(each)}


# --- shallow networks ---------------------------------------------------------------------

SHALLOW: dict[str, Any] = {
    "input": [3, 64, 64],
    "depths": [2, 1],
    "widths": [64, 64],
    "strides": [1, 2],
}
PRE = SHALLOW | {"head.classifier": "conv", "preact.first": "shared"}
PRE |= {"widths": [32, 64], "expansion": 2}
RADIX = {"spatial.type": "split_attention", "spatial.radix": 2, "spatial.pool": "after"}
KERNELS = {
    "spatial.type": "selective_kernel",
    "spatial.ratio": 0.25,
    "spatial.divisor": 8,
    "spatial.split": True,
}
STRIDES = {"stride": "block"}
SCALED = {
    "name": "Scaled",
    "pre": [{"scalar_bias": 0.5}],
    "body": [{"conv": 3, **STRIDES}, "norm", {"scalar_multiplier": 1}, {"scale": 0.1}],
}
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "basic": (
        "resnet18",
        SHALLOW
        | {"shortcut": ["none", "zero_pad_after"], "norm.type": "frozen"}
        | {"widths": [64, 128], "activation": "silu"},
    ),
    "bottleneck": (
        "resnet50",
        SHALLOW
        | {"groups": 4, "attention": ["se", "eca"], "head.pool": 8}
        | {"activation": ["relu", "prelu"]},
    ),
    "mixed": (
        "resnetblur50d",
        SHALLOW
        | {"block": ["basic", "bottleneck"], "expansion": [None, 4]}
        | {"stride_on": [None, "conv2"], "head.dropout": 0.5, "drop_path": 0.5},
    ),
    "res2net": (
        "resnet50",
        SHALLOW
        | {"spatial.type": "res2net", "spatial.scale": 4, "head.pool": "statistics"},
    ),
    "selective_kernel": (
        "resnet18",
        SHALLOW
        | KERNELS
        | {"shortcut": ["projection", "zero_pad_around"], "widths": [64, 96]},
    ),
    "split_attention": ("resnet50", SHALLOW | RADIX),
    "norms": (
        "resnet18",
        {"input": [3, 64, 64], "widths": [64, 64, 80], "strides": [1, 2, 2]}
        | {"depths": [1, 1, 1], "norm.type": ["ibn_a", "layer", "instance"]}
        | {"head.pool": "max"},
    ),
    "attention": (
        "resnet50",
        SHALLOW
        | {"attention": ["se", "cbam"], "se.bias": False, "conv_bias": "all"}
        | {"norm.type": ["ibn_b", "batch"]}
        | {"head.pool": "avg_max", "head.hidden": [16, "norm", "activation"]},
    ),
    "standardized": ("resnetv2_50x1_bit", PRE),
    "evonorm": ("resnetv2_50d_evos", PRE),
    "frn": ("resnetv2_50d_frn", PRE),
    "bare": (
        "resnet18",
        {"input": [3, 64, 64], "widths": 64, "strides": [1, 2, 2]}
        | {"depths": [1, 1, 2], "norm.groups": 8, "shortcut": "identity_or_none"}
        | {"norm.type": ["evonorm_s0", "frn", "evonorm_s0a"]}
        | {"attention": ["none", "none", "se"], "se.activation": "silu"},
    ),
    "squares": (
        "resnet18",
        SHALLOW
        | {"stem.type": [{"space_to_depth": 4}, {"conv": 3}, "norm"], "stem.pool": None}
        | {"attention": ["bat", "gca"], "head.pool": "attention"},
    ),
    "scalars": (
        "field/fixup/resnet20_fixup",
        {"input": [3, 64, 64], "block": SCALED, "norm.type": "batch"}
        | {"stem.type": "none", "stem.width": None}
        | {"depths": [2, 1], "widths": [3, 8], "strides": [1, 2]}
        | {"shortcut": [{"scalar_bias": 0}, {"scale": 0.5}, {"pad": "out", **STRIDES}]},
    ),
}
"""Shallow networks with every op, each by the spec that it starts from and what differs."""


def shallow(name: str) -> Network:
    spec, fields = NETWORKS[name]
    return load(spec, fields).network
