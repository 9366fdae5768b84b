"""Floating-point operations of a training step, as torch counts them."""

from __future__ import annotations

from typing import NamedTuple

from resnet_spec.expansion import MULTIPLYING, Call, expand
from resnet_spec.network import Network


class Passes(NamedTuple):
    """Operations for one image, two for each multiply-add.

    Forward; for the gradients of what each convolution or linear layer reads, where that has
    one; for those of its weights; and how many more torch counts there, since it takes the
    gradient of a grouped convolution's weights for that of a dense one's.
    """

    forward: int = 0
    inputs: int = 0
    weights: int = 0
    dense: int = 0

    def plus(self, other: Passes, times: int = 1) -> Passes:
        return Passes(*(a + times * b for a, b in zip(self, other, strict=True)))


class Reached(NamedTuple):
    """What a call takes, and whether its output has a gradient."""

    passes: Passes
    learns: bool


Known = dict[tuple[int, bool], Reached]


def passes(network: Network) -> Passes:
    """What `torch.utils.flop_counter` counts of a forward and a backward pass; all add up."""
    return _both(expand(network), False, {}).passes


def _both(call: Call, learns: bool, known: Known) -> Reached:
    """The call's operations, if what it reads has a gradient or not."""
    key = id(call), learns
    if key not in known:
        known[key] = _inside(call, learns, known)
    return known[key]


def _inside(call: Call, learns: bool, known: Known) -> Reached:
    own = bool(call.params)
    values, total = [learns], Passes()
    for step in call.steps:
        reads = [values[read] for read in step.reads]
        if step.call.once or step.call.in_training:
            values.append(own if step.call.once else any(reads))
            continue
        inner = (
            _both(step.call, reads[0], known)
            if step.call.steps
            else _one(step.call, reads)
        )
        total = total.plus(inner.passes)
        values.append(inner.learns)
    return Reached(total, values[-1] or own)


def _one(call: Call, reads: list[bool]) -> Reached:
    """The operations of one function, given which of what it reads have a gradient."""
    own = bool(call.params)
    learns = own or any(reads)
    if call.function not in MULTIPLYING:
        return Reached(Passes(), learns)
    forward = 2 * call.macs
    weights = forward * (own or any(reads[1:]))
    dense = weights * (call.groups - 1)
    return Reached(Passes(forward, forward * reads[0], weights, dense), learns)
