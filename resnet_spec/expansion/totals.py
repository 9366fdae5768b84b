"""Sums over all that runs, each distinct call counted once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from resnet_spec.expansion.calls import Call, Step, counted

MULTIPLYING = frozenset({"conv1d", "conv2d", "linear", "matmul"})


class Sums(NamedTuple):
    """Counts by name: those of one image, and those that are one for all images of a batch."""

    image: Mapping[str, int]
    once: Mapping[str, int]

    def of(self, name: str, batch: int = 1) -> int:
        """The count of that name for a batch."""
        return batch * self.image.get(name, 0) + self.once.get(name, 0)


def summed(
    call: Call, own: Callable[[Call], Mapping[str, int]], known: dict[int, Sums]
) -> Sums:
    """What each call in it counts by itself, summed over the call and all that evaluation runs
    inside; `known` is for those that are asked for again."""
    if id(call) not in known:
        found = dict(own(call))
        image, once = ({}, found) if call.once else (found, dict[str, int]())
        for step, times in counted(call.steps):
            if step.call.in_training:
                continue
            inner = summed(step.call, own, known)
            for sums, more in ((image, inner.image), (once, inner.once)):
                for name, count in more.items():
                    sums[name] = sums.get(name, 0) + times * count
        known[id(call)] = Sums(image, once)
    return known[id(call)]


# --- what the papers count ----------------------------------------------------------------


class Total(NamedTuple):
    """Learnable numbers; and for one image, multiply-adds, and the numbers that the
    convolutions and linear layers give (https://arxiv.org/abs/2003.13678)."""

    params: int = 0
    macs: int = 0
    activations: int = 0

    @classmethod
    def added(cls, totals: Iterable[Total]) -> Total:
        """The sum of several; of none, zeros."""
        return cls(*map(sum, zip(cls(), *totals, strict=True)))


Known = dict[int, Sums]


def total(call: Call, known: Known) -> Total:
    """That of a call and of all inside; `known` is for those that are asked for again."""
    sums = summed(call, _papers, known)
    return Total(*map(sums.of, Total._fields))


def total_of(steps: Iterable[Step], known: Known) -> Total:
    """That of several steps."""
    return Total.added(total(step.call, known) for step in steps)


def _papers(call: Call) -> dict[str, int]:
    if call.function not in MULTIPLYING:
        return {"params": call.params}
    return {"params": call.params, "macs": call.macs, "activations": call.gives}
