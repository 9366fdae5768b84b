"""Which of many points are the best."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import nsmallest
from itertools import islice
from typing import NamedTuple

from resnet_spec.expansion import Total

BATCH = 100_000  # points from which a front is taken at once


class Found(NamedTuple):
    """A point by its number, and what it costs."""

    point: int
    figures: Total


class Order(NamedTuple):
    """A figure by which points are put in order: the least first, or the most."""

    figure: str
    descending: bool

    def key(self, found: Found) -> int:
        value: int = getattr(found.figures, self.figure)
        return -value if self.descending else value


def best(found: Iterable[Found], order: Order, count: int | None) -> list[Found]:
    """So many of them, or all, in order; of equal ones the first points."""

    def key(each: Found) -> tuple[int, int]:
        return order.key(each), each.point

    if count is None:
        return sorted(found, key=key)
    return nsmallest(count, found, key=key)


def front(found: Iterable[Found], one: Order, other: Order) -> list[Found]:
    """Those that none is better than in one figure and no worse in the other; of equal ones
    the first point."""
    each, kept = iter(found), list[Found]()
    while batch := [*islice(each, BATCH)]:
        kept = [*_front([*kept, *batch], one, other)]
    return kept


def _front(found: list[Found], one: Order, other: Order) -> Iterator[Found]:
    least: float = float("inf")
    for each in sorted(found, key=lambda f: (one.key(f), other.key(f), f.point)):
        if (reached := other.key(each)) < least:
            least = reached
            yield each
