"""What a network is, as digests: where one is equal, two networks are the same in that.

Numbers are hashed, never what they are called. What a module takes where nothing is said is
left out, so that a new argument of torch's moves no digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from resnet_spec.network.initialization import UNGROUPED, Init, Start
from resnet_spec.network.ops import (
    Activation,
    Chain,
    MaxPool,
    Op,
    Tensor,
    ZeroPad,
    biases,
    tensors_of,
)

if TYPE_CHECKING:
    from resnet_spec.network.tree import Block, Network


class Digests(NamedTuple):
    """Twelve hexadecimal digits each, of a SHA-256.

    `layout` is of the names and shapes of all tensors: where it is equal, weights load.
    `function` is of what evaluation computes, tensors by their place and not by their name:
    where it is equal, the same weights give the same outputs for every image that both take.
    `training` is of what training adds: dropped numbers and paths, momentum, frozen norms.
    `init` is of how weights start, `image` of the stated image and of the sizes that fit.
    """

    layout: str
    function: str
    training: str
    init: str
    image: str

    @property
    def fingerprint(self) -> str:
        """The digest of all of them."""
        return _digest(tuple(self))


def digests(network: Network) -> Digests:
    """What the network is in each respect. Refuses nothing; takes a few milliseconds."""
    return Digests(
        layout=_digest(_layout(network)),
        function=_digest(_function(network)),
        training=_digest(_marks(network, lambda op: op.training)),
        init=_digest((_init(network), _marks(network, lambda op: op.starts))),
        image=_digest((tuple(map(int, network.image)), *_sizes(network))),
    )


def _sizes(network: Network) -> list[tuple[object, ...]]:
    """The lengths that height and width may have, once where those are the same."""
    each = (side[: 3 if side.multiples else 2] for side in network.sides)
    return [*dict.fromkeys(each)]


def _init(network: Network) -> Init:
    """How weights start, without a word on what is not there: classifier, biases, groups."""
    (weight, bias), classifier = network.init
    if classifier and not (network.classifier and network.classifier.bias):
        classifier = classifier._replace(bias=None)
    convolutions = network.convolving()
    if not any(has for op in convolutions for has in biases(op)):
        bias = None
    if all(getattr(op, "groups", 1) == 1 for op in convolutions):
        weight = UNGROUPED.get(weight, weight)
    return Init(Start(weight, bias), classifier if network.classifier else None)


def _digest(data: Any) -> str:
    return hashlib.sha256(repr(data).encode()).hexdigest()[:12]


def _layout(network: Network) -> list[Any]:
    """The names and shapes of all tensors, those of each block as a digest."""

    def shapes(tensors: Iterable[tuple[str, Tensor]]) -> list[Any]:
        return sorted((name, tensor.shape) for name, tensor in tensors)

    found = shapes(tensors_of((*network.entry, *network.head)))
    for stage, blocks in _by_stage(network, lambda b: _digest(shapes(b.tensors))):
        found += [(f"{stage}.{i}", known) for i, known in enumerate(blocks)]
    return found


# --- what evaluation computes -------------------------------------------------------------


def _function(network: Network) -> list[Any]:
    """What each op and block does, in order, and where maps are given."""

    def given(part: str) -> list[str]:
        return ["given"] * (part in network.features)

    entry, stem = _computed(network.entry), len(_computed(network.stem))
    found = [*entry[:stem], *given("stem"), *entry[stem:], *given("pool")]
    for stage, blocks in _by_stage(network, _wired):
        found += [*blocks, *given(stage)]
    return [*found, *_computed(network.head)]


def _wired(block: Block) -> tuple[Any, ...]:
    """What the block's chains do, whether there is a shortcut, and what that reads."""
    return (block.adds, block.reads_pre, *map(_computed, block.chains))


def _computed(ops: Chain) -> list[tuple[Any, ...]]:
    """What each op does, without those that do nothing.

    Where no number is negative, zeros around them are never the largest, so a max pool may
    as well pad by itself.
    """
    found: list[tuple[Any, ...]] = []
    zeros: ZeroPad | None = None  # around numbers of which none is negative
    nonnegative = False
    for op in ops:
        if not (op.active and op.meaning):
            continue
        if zeros and isinstance(op, MaxPool) and not op.padding:
            found[-1] = (*op.meaning, ("padding", zeros.padding))
        else:
            found.append(op.meaning)
        zeros = op if nonnegative and isinstance(op, ZeroPad) else None
        nonnegative = isinstance(op, Activation) and op.function in ("relu", "relu6")
    return found


# --- marks on ops -------------------------------------------------------------------------


def _marks(network: Network, mark: Callable[[Op], Any]) -> list[Any]:
    """The marks of all ops that have one, each with its place among those that compute."""

    def marked(ops: Chain) -> list[Any]:
        found, place = [], 0
        for op in ops:
            if op.active and (said := mark(op)):
                found.append((place, said))
            place += op.active and bool(op.meaning)
        return found

    def of_block(block: Block) -> list[Any]:
        found = map(marked, block.chains)
        return [(i, marks) for i, marks in enumerate(found) if marks]

    blocks = [found for _, each in _by_stage(network, of_block) for found in each]
    every = (marked(network.entry), *blocks, marked(network.head))
    return [(place, found) for place, found in enumerate(every) if found]


def _by_stage(
    network: Network, of: Callable[[Block], Any]
) -> Iterator[tuple[str, list[Any]]]:
    """What is found of each block, by stage; one that repeats is asked once."""
    known: dict[int, Any] = {}
    for stage in network.stages:
        for block in stage.blocks:
            if id(block) not in known:
                known[id(block)] = of(block)
        yield stage.name, [known[id(block)] for block in stage.blocks]
