"""Network -> what a picture of it shows, whatever it is drawn with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from resnet_spec.emit.diagram.inside import series, times
from resnet_spec.emit.diagram.parts import Form, words
from resnet_spec.network import Block, Chain, Linear, Maps, Network, Shape
from resnet_spec.problems.words import by_sides, counted


class Part(NamedTuple):
    """A stem, pool, stage or head: its blocks, and the map that it gives."""

    name: str
    blocks: tuple[tuple[int, str], ...]  # how many of each kind
    more: tuple[str, ...]  # "stride 2"
    output: Shape
    flat: bool = False  # whether that has no height and width
    given: bool = False  # whether the network gives this map

    @property
    def lines(self) -> tuple[str, ...]:
        """What is said of it, its name aside."""
        return (*(f"{count} × {kind}" for count, kind in self.blocks), *self.more)


class Figure(NamedTuple):
    """What a picture shows; it does not grow with the depth of the network."""

    title: str
    facts: str
    image: Shape
    parts: tuple[Part, ...]
    forms: tuple[Form, ...]

    @property
    def description(self) -> str:
        """The picture in sentences, for whoever does not see it."""
        said = [
            f"{part.name}: {', '.join((*part.lines, shown(part.output, part.flat)))}"
            for part in self.parts
        ]
        forms = ", ".join(dict.fromkeys(form.title for form in self.forms))
        image = f"An image of {shown(self.image)}"
        return f"{image} goes through {'; '.join(said)}. In detail: {forms}."


def shown(shape: Shape, flat: bool = False) -> str:
    """A shape as a figure has it: `64 × 56 × 56`, or `1000` where it is flat."""
    return f"{int(shape.channels)}" if flat else times_signs(str(shape))


def times_signs(text: str) -> str:
    return text.replace(" x ", " × ")


def figure(network: Network) -> Figure:
    """What a picture of the network shows."""
    costs = f"{network.params:,} parameters, {counted(network.macs)}MACs"
    facts = f"{costs} at {shown(network.image)}"
    parts, forms = tuple(_parts(network)), tuple(_forms(network))
    return Figure(network.title, facts, network.image, parts, forms)


def _parts(network: Network) -> Iterator[Part]:
    for name, ops in (("stem", network.stem), ("pool", network.pool)):
        if ops:
            yield Part(
                name,
                (),
                _stride(_through(ops)),
                ops[-1].output,
                given=name in network.features,
            )
    for stage in network.stages:
        kinds = Counter(block.kind for block in stage.blocks)
        blocks = tuple((count, kind) for kind, count in kinds.items())
        yield Part(
            stage.name,
            blocks,
            _stride(stage.lengths),
            stage.output,
            given=stage.name in network.features,
        )
    if network.head:
        classes = (f"{network.classes} classes",) if network.classes else ()
        output, flat = network.head[-1].output, _flat(network.head)
        yield Part("head", (), classes, output, flat)


def _through(ops: Chain) -> Maps:
    at = Maps()
    for op in ops:
        at = at.then(op.lengths)
    return at


def _stride(maps: Maps) -> tuple[str, ...]:
    stride = by_sides(maps.strides)
    return (f"stride {times(stride)}",) if stride != 1 else ()


def _flat(ops: Chain) -> bool:
    return any(op.flattens or isinstance(op, Linear) for op in ops)


def _forms(network: Network) -> Iterator[Form]:
    """The stem with its pool, one block of each form, and the head."""
    entry = {"stem": network.stem, "pool": network.pool}
    if network.entry:
        title = " and ".join(name for name, ops in entry.items() if ops)
        yield _chain(title, network.entry)
    yield from _blocks(network)
    if network.head:
        yield _chain("head", network.head)


def _chain(title: str, ops: Chain) -> Form:
    given, made = ops[0].input, ops[-1].output
    return Form(title, "", given, (), series(ops), None, (), made, _flat(ops))


def _blocks(network: Network) -> Iterator[Form]:
    """One block of each form: of one kind, of the same steps, whatever their sizes.

    The first that strides, where one does; of the same stage as the form before, if any is.
    """
    times_used = Counter(id(block) for _, block in network.blocks())
    total = sum(times_used.values())
    found: dict[object, list[tuple[str, Block, Form]]] = {}
    for stage in network.stages:
        for path, block in stage.distinct.items():
            form = _block(block)
            parts = (form.before, form.body, form.added, form.after)
            key = (form.title, *map(words, parts))
            found.setdefault(key, []).append((path, block, form))
    stage_before = ""
    for like in found.values():
        count = sum(times_used[id(block)] for _, block, _ in like)
        fitting = [
            (block.lengths.stride != 1, path.startswith(stage_before))
            for path, block, _ in like
        ]
        path, _, form = like[fitting.index(max(fitting))]
        stage_before = path[: path.rindex(".") + 1]
        noun = "block" if total == 1 else "blocks"
        yield form._replace(note=f"{path} ({count} of {total} {noun})")


def _block(block: Block) -> Form:
    before, body = block.pre, block.body
    if block.adds and not block.reads_pre:
        before, body = (), (*block.pre, *block.body)
    added = series(block.branch) if block.adds else None
    return Form(
        block.kind,
        "",
        block.input,
        series(before),
        series(body),
        added,
        series(block.post),
        block.output,
    )
