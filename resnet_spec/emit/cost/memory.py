"""Bytes of maps that a backward pass needs, by what each function keeps of the forward pass.

What each function keeps follows the formulas of torch's derivatives
(https://github.com/pytorch/pytorch/blob/main/tools/autograd/derivatives.yaml); views and
functions in place share the memory of what they read. Parameters are not among them, nor the
workspaces of cuDNN and MKL, nor what an allocator rounds up.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import NamedTuple

from resnet_spec.emit.cost.tables import names
from resnet_spec.expansion import Call, expand
from resnet_spec.network import Network

FLOAT, INDEX = 4, 8  # bytes of a number, and of the place that a max pool took it from

VIEWS = names(
    "chunk expand flatten identity permute slice transpose unflatten unsqueeze view"
)
IDLE = VIEWS | {"dropout"}  # what evaluation does nothing by
KEEPS_INPUT = names(
    "adaptive_max_pool2d amax avg_pool2d batch_norm conv1d conv2d div gelu group_norm "
    "hardswish instance_norm layer_norm linear matmul max_pool2d maximum mish prelu "
    "reflection_pad silu square var"
)
KEEPS_OTHERS = names("conv1d conv2d div matmul")  # all that it reads
KEEPS_OUTPUT = names("amax relu rsqrt sigmoid softmax sqrt")
KEEPS_EITHER = names("elu hardtanh leaky_relu")  # its output in place, else its input
COPIES = names(
    "gelu hardswish mish silu"
)  # those that need an input which is gone in place

SUMS = {"div": 1, "maximum": 3.5, "mul": 1, "prelu": 1}
"""Maps that torch makes on its way to the gradient of one number for many pixels, two of those
of a maximum being masks of a byte a pixel."""


class Moment(NamedTuple):
    """One function, when it runs: the values that it reads and makes, and what it keeps."""

    reads: tuple[int, ...]
    makes: int
    kept: frozenset[int]  # storages of values
    more: int  # bytes beside those, of what it measured or copied
    passes: bool  # whether the gradient of what it makes is that of what it reads
    summed: int  # bytes of products that backwards are summed to a smaller gradient
    params: int  # bytes of the parameters that it learns


class Unrolled:
    """All functions inside of a call in one row, for a batch of so many images.

    Value 0 is what the call reads; the last one is what it gives.
    """

    def __init__(self, call: Call, learns: bool, batch: int) -> None:
        self.batch = batch
        self.sizes = [FLOAT * batch * call.reads]  # bytes of each value
        self.storages = [0]  # the value in whose memory each of them lies
        self.learns = [learns]
        self.moments: list[Moment] = []
        self.last = self._run(call, (0,), False)
        self.kept = frozenset(at for moment in self.moments for at in moment.kept)
        self.params = sum(moment.params for moment in self.moments)

    @property
    def output(self) -> int:
        """The storage of what the call gives."""
        return self.storages[self.last]

    @property
    def inner(self) -> int:
        """Bytes that are kept of neither the input's memory nor the output's."""
        inside = self.kept - {0, self.output}
        more = sum(moment.more for moment in self.moments)
        return sum(self.sizes[at] for at in inside) + more

    def _run(self, call: Call, reads: tuple[int, ...], owned: bool) -> int:
        """The value that the call gives; `owned` where it is within a module that learns."""
        own = bool(call.params)
        if not call.steps:
            return self._function(call, reads, own or (owned and not call.module))
        values = [reads[0]]
        learning = len(
            self.moments
        )  # that which reads the parameters of the module itself
        for step in call.steps:
            inner = tuple(values[read] for read in step.reads)
            values.append(self._run(step.call, inner, own))
        if own:
            at = learning if call.steps[0].call.once else -1
            moment = self.moments[at]
            self.moments[at] = moment._replace(
                params=moment.params + FLOAT * call.params
            )
        return values[-1]

    def _function(self, call: Call, reads: tuple[int, ...], own: bool) -> int:
        made = len(self.sizes)
        shares = call.inplace or call.function in VIEWS
        batch = 1 if call.once else self.batch
        self.sizes.append(FLOAT * batch * call.gives)
        self.storages.append(self.storages[reads[0]] if shares else made)
        learns = own or any(self.learns[read] for read in reads)
        if call.once:
            learns = own
        if call.function == "bernoulli":
            learns = False
        self.learns.append(learns)
        kept, more = frozenset[int](), 0
        if learns:
            values = {*self._kept(call, reads, made, own)}
            kept = frozenset(self.storages[value] for value in values)
            more = self._more(call)
        if call.once and call.function == "standardize":
            kept, more = frozenset(), 2 * FLOAT * call.output[0]  # of each filter
        passes = call.function == "add" or (shares and not kept and not more)
        summed = int(self.sizes[made] * self._sums(call, reads, own))
        moment = Moment(reads, made, kept, more, passes, summed, FLOAT * call.params)
        self.moments.append(moment)
        return made

    def _kept(
        self, call: Call, reads: tuple[int, ...], made: int, own: bool
    ) -> Iterator[int]:
        """The values that a function keeps."""
        function = call.function
        if call.once:
            return
        by_number = function == "div" and len(reads) == 1
        if function in KEEPS_INPUT and not _copied(call) and not by_number:
            yield reads[0]
        if function in KEEPS_OTHERS:
            yield from reads[1:]
        if function in KEEPS_OUTPUT:
            yield made
        if function in KEEPS_EITHER:
            yield made if call.inplace else reads[0]
        if function == "mul":
            first, *others = reads
            if own or any(self.learns[other] for other in others):
                yield first
            if self.learns[first]:
                yield from others

    def _sums(self, call: Call, reads: tuple[int, ...], own: bool) -> float:
        """How often the output's size a gradient takes that is summed to a smaller one."""
        fewer = (r for r in reads if self.learns[r] and self.sizes[r] < self.sizes[-1])
        return SUMS.get(call.function, 0) * (own or any(fewer))

    def _more(self, call: Call) -> int:
        """Bytes of what a function measures or copies, and keeps."""
        copy = FLOAT * call.reads if _copied(call) else 0
        if call.function == "batch_norm":
            return 2 * FLOAT * call.input[0]
        return self.batch * (copy + FLOAT * _measured(call) + INDEX * places(call))


def _copied(call: Call) -> bool:
    """Whether it keeps a copy of its input: of one that is gone, or of a map by pixels."""
    by_pixel = len(call.input) > 1 and min(prod(call.input[:-1]), call.input[-1]) > 1
    return (call.function in COPIES and call.inplace) or (
        call.function == "layer_norm" and by_pixel
    )


def _measured(call: Call) -> int:
    """Numbers for each image that a function measures and keeps."""
    if call.function == "group_norm":
        return 2 * call.groups
    if call.function == "dropout":  # what each number, or channel, was multiplied by
        return call.input[0] if call.module == "Dropout2d" else call.reads
    if call.function == "layer_norm":
        return 2 * prod(call.input[:-1])
    if call.function == "instance_norm":
        return (2 + call.bias) * call.input[0]
    return 0


def places(call: Call) -> int:
    """How many places of largest numbers a function keeps, or has while it runs."""
    return call.gives if call.function in ("adaptive_max_pool2d", "max_pool2d") else 0


# --- the network --------------------------------------------------------------------------


class Part(NamedTuple):
    """A block, or another call of the network's own, and the bytes of what it reads."""

    unrolled: Unrolled
    reads: int


def parts(network: Network, batch: int) -> list[Part]:
    """The network as a row of calls, each of which reads what the one before gives.

    Blocks that repeat are unrolled once.
    """
    known: dict[tuple[int, bool], Unrolled] = {}
    found: list[Part] = []
    learns = False
    for call in _row(expand(network)):
        if (id(call), learns) not in known:
            known[id(call), learns] = Unrolled(call, learns, batch)
        unrolled = known[id(call), learns]
        found.append(Part(unrolled, unrolled.sizes[0]))
        learns = unrolled.learns[unrolled.last]
    return found


def _row(root: Call) -> Iterator[Call]:
    """The calls of the network, stages block by block."""
    for step in root.steps:
        if step.call.module == "Sequential":
            yield from (inner.call for inner in step.call.steps)
        else:
            yield step.call


def boundaries(row: list[Part]) -> list[int]:
    """Bytes kept of what each part reads, and in the end of what the last one gives."""
    found = [0] * (len(row) + 1)
    source = 0  # the boundary in whose memory the value lies
    for i, (unrolled, reads) in enumerate(row):
        if 0 in unrolled.kept:
            found[source] = max(found[source], reads)
        if unrolled.output != 0:
            source = i + 1
            if unrolled.output in unrolled.kept:
                found[source] = unrolled.sizes[unrolled.output]
    return found


def saved_bytes(network: Network, batch: int = 1) -> int:
    """Bytes of all maps that a training step keeps from its forward for its backward pass."""
    row = parts(network, batch)
    return sum(part.unrolled.inner for part in row) + sum(boundaries(row))
