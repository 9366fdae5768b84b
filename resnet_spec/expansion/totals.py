"""What the papers count, summed over all that runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from resnet_spec.expansion.calls import Call, Step, counted

MULTIPLYING = frozenset({"conv1d", "conv2d", "linear", "matmul"})


class Total(NamedTuple):
    """Learnable numbers; and for one image, multiply-adds, and the numbers that the
    convolutions and linear layers give (https://arxiv.org/abs/2003.13678)."""

    params: int = 0
    macs: int = 0
    activations: int = 0

    def plus(self, other: Total, times: int = 1) -> Total:
        return Total(*(a + times * b for a, b in zip(self, other, strict=True)))


Known = dict[int, Total]


def total(call: Call, known: Known) -> Total:
    """That of a call and of all inside; `known` is for those that are asked for again."""
    if id(call) not in known:
        multiplies = call.function in MULTIPLYING
        found = Total(call.params, call.macs * multiplies, call.gives * multiplies)
        for step, times in counted(call.steps):
            found = found.plus(total(step.call, known), times)
        known[id(call)] = found
    return known[id(call)]


def total_of(steps: Iterable[Step], known: Known) -> Total:
    """That of several steps."""
    found = Total()
    for step in steps:
        found = found.plus(total(step.call, known))
    return found
