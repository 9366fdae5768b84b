"""What a network moves through memory, and the least time that this and its sums can take."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from resnet_spec.emit.cost.memory import IDLE
from resnet_spec.expansion import Call, counted, expand
from resnet_spec.network import Network


class Work(NamedTuple):
    """Floating-point operations, two for each multiply-add; bytes read and written; seconds."""

    flops: float = 0
    bytes: float = 0
    seconds: float = 0

    @property
    def intensity(self) -> float:
        """Operations for each byte moved."""
        return self.flops / self.bytes


class Machine(NamedTuple):
    """Operations and bytes that it does and moves in a second, at most."""

    flops: float
    bandwidth: float


def roofline(
    network: Network, machine: Machine, batch: int = 1, width: int = 4
) -> Work:
    """The work of evaluating so many images, each function by itself, in numbers of `width`
    bytes.

    A function takes as long as the slower of what it computes and what it reads and writes
    (https://doi.org/10.1145/1498765.1498785). Nothing is fused and nothing stays in a cache.
    """
    return _work(expand(network), (), machine, batch, width, {})


def _work(
    call: Call,
    others: tuple[int, ...],
    machine: Machine,
    batch: int,
    width: int,
    known: dict[int, Work],
) -> Work:
    """That of a call, which reads so many numbers beside its first."""
    if not call.steps:
        return _function(call, others, machine, batch, width)
    if id(call) in known:
        return known[id(call)]
    sizes = [call.reads, *(step.call.gives for step in call.steps)]
    total = [0.0, 0.0, 0.0]
    for step, times in counted(call.steps):
        if step.call.in_training:
            continue
        more = tuple(sizes[read] for read in step.reads[1:])
        work = _work(step.call, more, machine, batch, width, known)
        total = [a + times * b for a, b in zip(total, work, strict=True)]
    found = known[id(call)] = Work(*total)
    return found


def _function(
    call: Call, others: tuple[int, ...], machine: Machine, batch: int, width: int
) -> Work:
    if call.function in IDLE:
        return Work()
    images = 1 if call.once else batch
    numbers = images * (call.reads + sum(others) + call.gives)
    numbers += sum(prod(tensor.shape) for tensor in call.tensors)
    flops, moved = 2 * images * call.macs, width * numbers
    seconds = max(flops / machine.flops, moved / machine.bandwidth)
    return Work(flops, moved, seconds)
