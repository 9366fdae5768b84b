"""The most bytes of maps and gradients that are alive at once, in evaluation and in training.

Both are of the generated module: in evaluation its source holds what its variables do, where a
module that `build` makes holds other maps, up to a third more or less. Evaluation frees a map
after its last use; what a call reads stays until it returns. Training keeps what `memory` says
until the function that needs it has run backwards, with the gradients of parameters from then
on.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from resnet_spec.emit.cost.memory import (
    FLOAT,
    IDLE,
    INDEX,
    Unrolled,
    boundaries,
    parts,
    places,
)
from resnet_spec.expansion import Call, expand
from resnet_spec.network import Network


def evaluation_peak(network: Network, batch: int = 1) -> int:
    """Bytes of maps alive at once while the network evaluates so many images."""
    return _peak(expand(network), batch, {})


def _peak(call: Call, batch: int, known: dict[int, int]) -> int:
    """The most bytes alive within the call, with those that it reads."""
    if not call.steps:
        indices = INDEX * batch * places(call)
        return _bytes(call.reads, batch) + _new(call, batch) + indices
    if id(call) not in known:
        known[id(call)] = max(_moments(call, batch, known))
    return known[id(call)]


def _moments(call: Call, batch: int, known: dict[int, int]) -> Iterator[int]:
    """The bytes alive while each of the steps runs."""
    storages = [0]  # of each value
    sizes = {0: _bytes(call.reads, batch)}
    lasts = {0: call.lasts[0]}  # the last step at which each storage is held
    for i, step in enumerate(call.steps, 1):
        new = _new(step.call, batch)
        storages.append(i if new else storages[step.reads[0]])
        sizes[i] = new
        lasts[storages[i]] = max(lasts.get(storages[i], 0), call.lasts[i])
    ends: dict[int, int] = {}  # bytes that are freed after each step
    for at, last in lasts.items():
        ends[max(at, last)] = ends.get(max(at, last), 0) + sizes[at]
    held = 0
    for i, step in enumerate(call.steps):
        held += sizes[i]  # what the step before made
        yield held - sizes[storages[step.reads[0]]] + _peak(step.call, batch, known)
        held -= ends.get(i, 0)


def _bytes(numbers: int, batch: int) -> int:
    return FLOAT * batch * numbers


def _new(call: Call, batch: int) -> int:
    """Bytes of the memory that a call's output takes, none where it is the input's."""
    if call.in_training or call.inplace or call.function in IDLE:
        return 0
    if call.steps and all(not _new(step.call, batch) for step in call.steps):
        return 0
    return FLOAT * call.gives if call.once else _bytes(call.gives, batch)


def training_peak(network: Network, batch: int = 1) -> int:
    """Bytes of maps and gradients alive at once in a training step, those of parameters too.

    Parameters, buffers and what an optimizer holds are not in it.
    """
    row = parts(network, batch)
    kept = boundaries(row)
    before = [*accumulate((part.unrolled.inner for part in row), initial=0)]
    lower = [*accumulate(kept)]
    after = sum(part.unrolled.params for part in row)
    image = row[0].reads if not kept[0] else 0
    most = evaluation_peak(network, batch)  # which the forward pass needs as well
    known: dict[tuple[int, bool], int] = {}
    alone = False  # whether no one else holds what a part reads, as the image is held
    for i, (unrolled, _) in enumerate(row):
        after -= unrolled.params
        key = id(unrolled), alone
        if key not in known:
            known[key] = _backward_peak(unrolled, alone)
        most = max(most, before[i] + lower[i] + image + known[key] + after)
        alone = unrolled.output not in unrolled.kept | {0}
    return most


def _backward_peak(unrolled: Unrolled, alone: bool) -> int:
    """The most bytes that a part's own backward pass needs, without those of its input.

    That is freed as well after its last use, where the part `alone` keeps it.
    """
    if not unrolled.learns[unrolled.last]:
        return 0
    sizes = unrolled.sizes
    first: dict[int, int] = {}  # the moment at which each storage is kept first
    for i, moment in enumerate(unrolled.moments):
        for storage in moment.kept:
            first.setdefault(storage, i)
    read = first.pop(0, None)
    frees: dict[int, int] = {}
    for storage, i in first.items():
        frees[i] = frees.get(i, 0) + sizes[storage]
    held = sum(frees.values()) + sum(moment.more for moment in unrolled.moments)
    if alone and read is not None:
        frees[read] = frees.get(read, 0) + sizes[0]
    gradients = {unrolled.last: Buffer(unrolled.last, sizes[unrolled.last])}
    params = most = 0
    for i in range(len(unrolled.moments) - 1, -1, -1):
        moment = unrolled.moments[i]
        params += moment.params
        given = gradients.get(moment.makes, Buffer(moment.makes, 0))
        new = {
            read: given if moment.passes else Buffer((moment.makes, read), sizes[read])
            for read in moment.reads
            if unrolled.learns[read]
        }
        most = max(most, held + params + moment.summed + _total(gradients, new))
        gradients.pop(moment.makes, None)
        held -= frees.get(i, 0) + moment.more
        sums = {
            read: Buffer((moment.makes, read, "sum"), sizes[read])
            for read in new
            if read in gradients
        }
        if sums:
            most = max(most, held + params + _total(gradients, new, sums))
        gradients |= new | sums
    return most


class Buffer(NamedTuple):
    """A gradient in memory, by what it is the first gradient of, and its bytes."""

    owner: object
    size: int


def _total(*gradients: dict[int, Buffer]) -> int:
    """Bytes of the gradients of values, those that lie in the same memory counted once."""
    return sum({b.owner: b.size for each in gradients for b in each.values()}.values())
