"""Calls -> how long each of them takes, by turns."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Mapping
from time import perf_counter, process_time
from typing import Any, NamedTuple

Call = Callable[[], Any]


class Sample(NamedTuple):
    """Seconds that a call took, and seconds of all processors together."""

    wall: float
    processor: float


def interleaved(
    calls: Mapping[str, Call],
    rounds: int,
    warmup: int,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, list[Sample]]:
    """So many samples of each call, by its name, after calls that do not count.

    In a round every call has its turn, in an order drawn anew, so that what else a machine
    does meets all alike. A turn is two calls, of which the second counts: the first finds
    caches and threads as another left them.
    """
    order, samples = list(calls), {name: list[Sample]() for name in calls}
    draw = random.Random(0)
    for call in calls.values():
        for _ in range(warmup):
            call()
    collects = gc.isenabled()
    gc.disable()
    try:
        for i in range(rounds):
            say(f"round {i + 1} of {rounds}")
            draw.shuffle(order)
            for name in order:
                calls[name]()
                samples[name].append(_sample(calls[name]))
    finally:
        if collects:
            gc.enable()
    return samples


def _sample(call: Call) -> Sample:
    processor, wall = process_time(), perf_counter()
    call()
    return Sample(perf_counter() - wall, process_time() - processor)
