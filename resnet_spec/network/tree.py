"""Blocks, stages and the network, and what is true of them for every image size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, reduce
from importlib import import_module
from itertools import chain, groupby, takewhile
from math import lcm
from typing import NamedTuple

from resnet_spec.network.fingerprint import Digests, digests
from resnet_spec.network.initialization import Init
from resnet_spec.network.ops import (
    Chain,
    Conv,
    Folded,
    Linear,
    Norm,
    Op,
    Tensor,
    biases,
    tensors_of,
)
from resnet_spec.network.record import Record
from resnet_spec.network.shapes import (
    SIDES,
    Lengths,
    Maps,
    Multiples,
    Shape,
    Sizes,
    sizes_of,
)
from resnet_spec.network.symbols import Condition, Named, named_numbers
from resnet_spec.problems.words import counted

CLASSIFIER = "fc"  # the path of what makes logits


class Disagreement(NamedTuple):
    """The smallest image at which a block cannot add its shortcut, and the two shapes.

    `image` is its height and width, or one of the two where the network takes no such square.
    """

    block: str
    image: int
    body: Shape
    shortcut: Shape


class Shortcut(NamedTuple):
    """What is added to a body: the ops where `when` holds, the input itself elsewhere.

    With `adds_pre` that is what `pre` makes of the input, and where `absent` holds, nothing is
    added. `how` says in a participle what the ops do to the input: "projected", and `where` in
    which blocks, if not where the shape changes. They read the block's input, or with
    `from_pre` what `pre` makes of it.
    """

    ops: Chain = ()
    when: Condition | None = None
    how: str = ""
    from_pre: bool = False
    where: str = ""
    adds_pre: bool = False
    absent: Condition | None = None

    @property
    def active(self) -> Chain:
        return self.ops if self.when is None or self.when.holds else ()


class Block(Record):
    """post(body(pre(x)) + shortcut(x)); a shortcut of None adds nothing.

    Blocks of one kind are one class in the source, and `noun` is what people call one of
    them. A path used twice is one shared module.
    """

    kind: str
    noun: str
    body: Chain
    shortcut: Shortcut | None
    post: Chain
    pre: Chain = ()

    @property
    def input(self) -> Shape:
        return (*self.pre, *self.body)[0].input

    @property
    def output(self) -> Shape:
        """What the sum gives; `post` keeps it."""
        return self.body[-1].output

    @property
    def adds(self) -> bool:
        """Whether anything is added to the body in this block."""
        shortcut = self.shortcut
        return shortcut is not None and not (shortcut.absent and shortcut.absent.holds)

    @property
    def branch(self) -> Chain:
        """The ops of the shortcut that this block has."""
        return self.shortcut.active if self.shortcut else ()

    @property
    def chains(self) -> tuple[Chain, ...]:
        """Pre, body, branch and post, in the order in which they run."""
        return (self.pre, self.body, self.branch, self.post)

    @cached_property
    def ops(self) -> Chain:
        """The ops in the order in which they run."""
        return _active(tuple(chain.from_iterable(self.chains)))

    @cached_property
    def main(self) -> Chain:
        """One op per module of pre, body and post, in torchvision's order: shared ones last.

        Ops that are the identity in this very block are among them.
        """
        ops = (*self.pre, *self.body, *self.post)
        paths = [op.path for op in ops]
        shared = {op.path: op for op in ops if paths.count(op.path) > 1}
        held = [path for path, op in shared.items() if op.tensors]
        assert not held, (
            f"{self.kind}: one module at {held} cannot have several weights"
        )
        return (*(op for op in ops if op.path not in shared), *shared.values())

    @cached_property
    def registered(self) -> Chain:
        """One op per module, in the order of the state dict."""
        return (*self.main, *self.branch)

    @cached_property
    def tensors(self) -> list[tuple[str, Tensor]]:
        """Every tensor with its name in the block's state dict, in the order of that."""
        return list(tensors_of(_active(self.registered)))

    @cached_property
    def params(self) -> int:
        return sum(tensor.size for _, tensor in self.tensors if tensor.learns)

    @cached_property
    def macs(self) -> int:
        return sum(op.macs for op in self.ops)

    @cached_property
    def numbers(self) -> dict[str, Named]:
        """The block's named numbers; one name has one value."""
        return named_numbers(self)

    @cached_property
    def lengths(self) -> Maps:
        return _through((*self.pre, *self.body))

    @cached_property
    def branch_lengths(self) -> Maps:
        return _through(self.added)

    @cached_property
    def smallest(self) -> tuple[float, ...]:
        """The least height and width that every op in it takes; infinite where none does."""
        chains = ((*self.pre, *self.body, *self.post), self.added)
        return tuple(map(max, *map(_smallest, chains)))

    @cached_property
    def multiples(self) -> tuple[tuple[Multiples, ...], ...]:
        """What its ops take of heights and of widths, beside the least of each."""
        if not any(op.takes[side].multiples for op in self.ops for side in SIDES):
            return ((), ())
        chains = ((*self.pre, *self.body, *self.post), self.added)
        return tuple(
            tuple(each for ops in chains for each in _multiples(ops, side))
            for side in SIDES
        )

    @property
    def reads_pre(self) -> bool:
        """Whether the shortcut reads what `pre` gives, and not the block's input."""
        shortcut = self.shortcut
        if not (shortcut and self.pre):
            return False
        return shortcut.adds_pre or bool(self.branch and shortcut.from_pre)

    @property
    def added(self) -> Chain:
        """The ops between the block's input and what is added to its body."""
        return (*self.pre, *self.branch) if self.reads_pre else self.branch


class Stage(Record):
    """Blocks in a row. `repeat` is what follows the first block, however often, even never.

    Without it, each block is for itself.
    """

    name: str
    blocks: tuple[Block, ...]
    repeat: Block | None

    @property
    def input(self) -> Shape:
        return self.blocks[0].input

    @property
    def output(self) -> Shape:
        return self.blocks[-1].output

    @property
    def params(self) -> int:
        return sum(block.params for block in self.blocks)

    @property
    def macs(self) -> int:
        return sum(block.macs for block in self.blocks)

    @property
    def runs(self) -> tuple[tuple[str, int], ...]:
        """The kinds of its blocks in order, each with how many of it are in a row."""
        each = groupby(self.blocks, lambda block: block.kind)
        return tuple((kind, len([*blocks])) for kind, blocks in each)

    @property
    def contents(self) -> str:
        """`3 x Bottleneck`; runs of several kinds have a plus between them."""
        return " + ".join(f"{count} x {kind}" for kind, count in self.runs)

    @cached_property
    def distinct(self) -> dict[str, Block]:
        """The blocks by path, `layer1.0` first; those that repeat, once."""
        seen: dict[int, tuple[str, Block]] = {}
        for i, block in enumerate(self.blocks):
            seen.setdefault(id(block), (f"{self.name}.{i}", block))
        return dict(seen.values())

    @cached_property
    def lengths(self) -> Maps:
        return reduce(Maps.then, (block.lengths for block in self.blocks), Maps())


class Network(Record):
    """A stem, its pool, stages and a head, with what people are told about them.

    With `features` it has no head and gives what those parts give: `stem`, before its pool,
    `pool`, and stages by name.
    """

    name: str
    title: str
    paper: tuple[str, str] | None  # title, address
    notes: tuple[str, ...]  # sentences, each true of this network
    image: Shape
    stem: Chain
    pool: Chain
    stages: tuple[Stage, ...]
    head: Chain
    init: Init
    features: tuple[str, ...] = ()

    def __repr__(self) -> str:
        if self.features:
            given = ", ".join(f"{name} {self.shapes[name]}" for name in self.features)
        else:
            given = f"{self.output.channels} {'logits' if self.classes else 'features'}"
        size = f"{self.params:,} parameters, {counted(self.macs)}MACs"
        return f"<Network {self.name}: {self.image} -> {given}; {size}>"

    def _repr_svg_(self) -> str:
        """The network as a picture, which is what a notebook shows.

        No room knows those above it, so the package is asked, as anybody would.
        """
        svg: str = import_module("resnet_spec").diagram(self)
        return svg

    def noted(self, notes: Iterable[str]) -> Network:
        """The same with other notes, on which nothing that is derived depends."""
        made = self.replace(notes=tuple(notes))
        known = vars(made)
        known |= {name: fact for name, fact in vars(self).items() if name not in known}
        return made

    @cached_property
    def digests(self) -> Digests:
        """What the network is in each respect, to compare."""
        return digests(self)

    @property
    def entry(self) -> Chain:
        """The ops between the image and the first stage."""
        return (*self.stem, *self.pool)

    def ops(self) -> Iterator[tuple[str, Op]]:
        """Every op with its path in the state dict, in the order in which they run."""
        yield from ((op.path, op) for op in self.entry)
        for prefix, block in self.blocks():
            yield from ((f"{prefix}.{op.path}", op) for op in block.ops)
        yield from ((op.path, op) for op in self.head)

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Every tensor with its name in the state dict, in the order of that."""
        yield from tensors_of(self.entry)
        for prefix, block in self.blocks():
            yield from ((f"{prefix}.{name}", tensor) for name, tensor in block.tensors)
        yield from tensors_of(self.head)

    def distinct_ops(self) -> Iterator[tuple[str, Op]]:
        """Every op with a path in the state dict, those of blocks that repeat once."""
        yield from ((op.path, op) for op in (*self.entry, *self.head))
        for stage in self.stages:
            for prefix, block in stage.distinct.items():
                yield from ((f"{prefix}.{op.path}", op) for op in block.ops)

    def blocks(self) -> Iterator[tuple[str, Block]]:
        """Every block with its path, `layer1.0` first."""
        for stage in self.stages:
            for i, block in enumerate(stage.blocks):
                yield f"{stage.name}.{i}", block

    @property
    def output(self) -> Shape:
        """What the head gives, or without one the last of the stages."""
        return self.head[-1].output if self.head else self.shapes[self.parts[-1]]

    @property
    def parts(self) -> tuple[str, ...]:
        """What a network can be asked to give the maps of, by name, in order."""
        return tuple(self.shapes)

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """The shape that each of the parts gives."""
        ends = {"stem": self.stem, "pool": self.pool}
        found = {name: ops[-1].output for name, ops in ends.items() if ops}
        return found | {stage.name: stage.output for stage in self.stages}

    @property
    def channels(self) -> dict[str, int]:
        """Channels of each of the features."""
        return {name: int(self.shapes[name].channels) for name in self.features}

    @property
    def strides(self) -> dict[str, int | tuple[int, int]]:
        """Pixels of the image per pixel of each of the features, along a side.

        Of height and width where those differ in any.
        """
        at = _through(self.stem)
        found = {"stem": at}
        at = at.then(_through(self.pool))
        found["pool"] = at
        for stage in self.stages:
            at = at.then(stage.lengths)
            found[stage.name] = at
        given = {name: found[name].strides for name in self.features}
        if any(height != width for height, width in given.values()):
            return {**given}
        return {name: height for name, (height, _) in given.items()}

    @property
    def classifier(self) -> Conv | Linear | None:
        """The op that makes logits, None without one."""
        makers = [op for op in self.head if isinstance(op, (Conv, Linear))]
        return next((op for op in makers if op.path == CLASSIFIER), None)

    def convolving(self) -> list[Op]:
        """The ops whose 2-D convolutions start as all do."""
        alone = self.classifier if self.init.classifier else None
        ops = (op for _, op in self.distinct_ops() if op is not alone)
        return [op for op in ops if [*biases(op)]]

    @cached_property
    def restarted(self) -> list[str]:
        """The modules that start weights themselves, after all others, in order."""
        return sorted({op.module for _, op in self.distinct_ops() if op.restarts})

    @property
    def norms(self) -> list[Op]:
        """The norms, and the layers with some inside, those of blocks that repeat once."""

        def normalizes(op: Op) -> bool:
            names = (tensor.name for tensor in op.tensors)
            return isinstance(op, Norm) or any(n.endswith("running_var") for n in names)

        return [op for _, op in self.distinct_ops() if normalizes(op)]

    @property
    def folds(self) -> list[Folded]:
        """What its convolutions have taken in, those of blocks that repeat once.

        There is nothing in a network as it is trained.
        """
        return [fold for _, op in self.distinct_ops() for fold in op.folds]

    @property
    def classes(self) -> int | None:
        """Logits of the classifier, None without one."""
        return self.classifier.out_channels if self.classifier else None

    @cached_property
    def params(self) -> int:
        """Learnable numbers."""
        ends = sum(op.params for op in (*self.entry, *self.head))
        return ends + sum(stage.params for stage in self.stages)

    @cached_property
    def macs(self) -> int:
        """Multiply-adds of convolutions and linear layers for one image."""
        ends = sum(op.macs for op in (*self.entry, *self.head))
        return ends + sum(stage.macs for stage in self.stages)

    @cached_property
    def output_stride(self) -> int | tuple[int, int]:
        """Pixels of the image per pixel after the last stage, along a side."""
        stages = (stage.lengths for stage in self.stages)
        return reduce(Maps.then, stages, _through(self.entry)).stride

    @cached_property
    def sides(self) -> tuple[Sizes, Sizes]:
        """The heights and the widths of images at which every map has a pixel, and as many
        as its op takes."""
        found = [self._reached(side) for side in self._asked]
        heights, widths = (_taken(self.head, side, *found[-side]) for side in SIDES)
        return heights, widths

    def takes(self, size: Sequence[int]) -> bool:
        """Whether it takes images of that height and width."""
        return all(side in sizes for side, sizes in zip(size, self.sides, strict=True))

    @cached_property
    def _asked(self) -> tuple[int, ...]:
        """The sides that one has to ask for: the height alone where widths go the same way."""
        alike = all(op.lengths.are_alike for _, op in self.distinct_ops())
        return SIDES[:1] if alike else SIDES

    def _reached(self, side: int) -> tuple[Lengths, float, tuple[Multiples, ...]]:
        """The map from the length of a side to that before the head, the least length, and
        the multiples that it must be in."""
        at, smallest = _through(self.entry)[side], _smallest(self.entry)[side]
        multiples = [*_multiples(self.entry, side)]
        for _, block in self.blocks():
            smallest = max(smallest, at.smallest(block.smallest[side]))
            multiples += [each.before(at) for each in block.multiples[side]]
            at = at.then(block.lengths[side])
        return at, smallest, tuple(dict.fromkeys(multiples))

    @property
    def sizes(self) -> Sizes:
        """The sides of the square images among those."""
        heights, widths = self.sides
        limits = [
            most for most in (heights.largest, widths.largest) if most is not None
        ]
        smallest = max(heights.smallest, widths.smallest)
        multiples = (*heights.multiples, *widths.multiples)
        return sizes_of(smallest, min(limits, default=None), multiples)

    def disagreement(self) -> Disagreement | None:
        """The smallest image at which a block's two shapes differ; None proves that none is.

        Asked of the sizes that the network takes, for equal shapes, not ones that broadcast.
        """
        asked = {(self._asked[-side], sizes) for side, sizes in enumerate(self.sides)}
        found = [each for way in asked for each in self._differences(*way)]
        if not found:
            return None
        image, nth = min(found)
        *before, (path, block) = [*self.blocks()][: nth + 1]
        lengths = (block.lengths for _, block in before)
        at = reduce(Maps.then, lengths, _through(self.entry))
        return Disagreement(path, image, *self._added(block, at, image))

    def _differences(self, side: int, sizes: Sizes) -> Iterator[tuple[int, int]]:
        """The first length of that side of the image for each block that differs, and which
        block that is."""
        at = _through(self.entry)[side]
        for nth, (_, block) in enumerate(self.blocks()):
            start = at(sizes.smallest)
            length = _difference(block, side, start) if block.adds else None
            if length and (at.stride or length == start):  # a constant map reaches one
                image = max(int(at.smallest(length)), sizes.smallest)
                if sizes.multiples:
                    image = _apart(block, side, at, sizes)
                if image in sizes:
                    yield image, nth
            at = at.then(block.lengths[side])

    def _added(self, block: Block, at: Maps, image: int) -> Iterator[Shape]:
        """What its body and its shortcut give for an image of that height and width.

        Along a side that is never so long, for one of the shortest that are taken.
        """
        lengths = (image if image in sizes else sizes.smallest for sizes in self.sides)
        height, width = (to(length) for to, length in zip(at, lengths, strict=True))
        x = Shape(block.input.channels, height, width)
        for ops in ((*block.pre, *block.body), block.added):
            heights, widths = _through(ops)
            channels = ops[-1].output.channels if ops else x.channels
            yield Shape(channels, heights(x.height), widths(x.width))


def _active(ops: Chain) -> Chain:
    return tuple(op for op in ops if op.active)


def _through(ops: Chain) -> Maps:
    return reduce(Maps.then, (op.lengths for op in _active(ops)), Maps())


def _smallest(ops: Chain) -> tuple[float, float]:
    """The least height and width that every op in the chain takes and leaves a pixel of."""
    ops = _active(ops)
    height = _shortest(ops, 0)
    alike = all(op.lengths.are_alike for op in ops)
    return height, height if alike else _shortest(ops, 1)


def _shortest(ops: Chain, side: int) -> float:
    """The least length of that side."""
    at, smallest = Lengths(), 1.0
    for op in ops:
        smallest = max(smallest, at.smallest(op.takes[side].smallest))
        at = at.then(op.lengths[side])
        smallest = max(smallest, at.smallest(1))
    return smallest


def _multiples(ops: Chain, side: int) -> Iterator[Multiples]:
    """What the ops take of the lengths of that side, beside a least one."""
    at = Lengths()
    for op in _active(ops):
        yield from (each.before(at) for each in op.takes[side].multiples)
        at = at.then(op.lengths[side])


def _apart(block: Block, side: int, at: Lengths, sizes: Sizes) -> int:
    """The least length of the image, of those, at which body and branch differ; 0 for none.

    From one common period of all the maps to the next nothing changes.
    """
    body, branch = (
        at.then(each) for each in (block.lengths[side], block.branch_lengths[side])
    )
    periods = (each.period for each in sizes.multiples)
    period = lcm(body.stride or 1, branch.stride or 1, *periods)
    for image in takewhile(lambda h: h <= sizes.smallest + period, sizes.lengths()):
        if _widens(block) or body(image) != branch(image):
            return image
    return 0


def _taken(
    head: Chain,
    side: int,
    at: Lengths,
    smallest: float,
    multiples: tuple[Multiples, ...],
) -> Sizes:
    """The lengths of a side of the image that the head takes too.

    `at` is the map from them to those before the head, `smallest` what that needs.
    """
    largest = None
    for op in head:
        taken = op.takes[side]
        smallest = max(smallest, at.smallest(taken.smallest))
        if taken.largest and at.stride:
            largest = int(at.smallest(taken.largest + 1)) - 1
        multiples += tuple(each.before(at) for each in taken.multiples)
        at = at.then(op.lengths[side])
        smallest = max(smallest, at.smallest(1))
    return sizes_of(smallest, largest, multiples)


def _widens(block: Block) -> bool:
    """Whether its body gives other channels than are added to it."""
    added = block.branch[-1].output if block.branch else block.input
    return added.channels != block.output.channels


def _difference(block: Block, side: int, start: int) -> int | None:
    """The first input length >= start at which body and branch differ along that side."""
    if _widens(block):
        return start
    lengths, others = block.lengths[side], block.branch_lengths[side]
    return lengths.first_difference(others, start)
