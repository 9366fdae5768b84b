"""The specs that ship, and of those with the same kinds of ops the smallest."""

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
