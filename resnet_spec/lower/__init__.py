"""Spec -> Network: the only place that knows what a residual network is.

A new block, stem or shortcut is one small function here that returns ops. It then has a
module, source, cost and a proof of its shapes for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_spec import ir
from resnet_spec.errors import Problem, SpecError
from resnet_spec.lower.blocks import stage
from resnet_spec.lower.heads import head
from resnet_spec.lower.kinds import kinds
from resnet_spec.lower.notes import notes
from resnet_spec.lower.stems import stem
from resnet_spec.rows import rows
from resnet_spec.spec import Spec


def lower(spec: Spec) -> ir.Network:
    """The network that a spec says, of known shapes, proved addable for every image size.

    Refuses an image that a fixed pool does not fit, a zero_pad shortcut that would have to
    drop channels, and a name that a class of the network's own has.
    """
    image = ir.Shape(*spec.input)
    first = stem(spec)
    x, dilation = first[-1].output if first else image, 1
    stages: list[ir.Stage] = []
    for row, kind in zip(rows(spec), kinds(rows(spec)), strict=True):
        stages.append(stage(spec, row, kind, x, dilation))
        x, dilation = stages[-1].output, row.dilation
    network = ir.Network(
        name=spec.name,
        title=spec.title,
        paper=(spec.paper.title, spec.paper.url) if spec.paper else None,
        notes=notes(spec),
        image=image,
        stem=first,
        stages=tuple(stages),
        head=head(spec.head, x),
    )
    if problems := [
        *_wrong_sizes(spec, network),
        *_dropped(spec, network),
        *_clash(network),
    ]:
        raise SpecError(*problems)
    wrong = network.disagreement()
    assert wrong is None, wrong  # every shortcut here is proved to fit
    return network


def _wrong_sizes(spec: Spec, network: ir.Network) -> Iterator[Problem]:
    """An image that leaves a map without a pixel, or with more than a fixed pool covers."""
    _, *sides = network.image
    smallest, largest = network.sizes
    if all(side in network.sizes for side in sides):
        return
    last, pool = network.stages[-1].output, spec.head.pool
    yield Problem(
        "pool-fits",
        f"{list(spec.input)} gives a last map of {last.height} x {last.width}, and "
        f"head.pool needs {pool} x {pool}; heights and widths from {smallest} to {largest} "
        "give it",
        ("input",),
    )


def _dropped(spec: Spec, network: ir.Network) -> Iterator[Problem]:
    """A shortcut by zero_pad can add channels but not take any away."""
    for row, made in zip(rows(spec), network.stages, strict=True):
        before, after = made.input.channels, made.output.channels
        if row.shortcut == "zero_pad" and after < before:
            yield Problem(
                "channels-dropped",
                f"zero_pad cannot drop channels, and stage {row.index + 1} goes from "
                f"{before} to {after}; projection can",
                row.path("shortcut"),
            )


def _clash(network: ir.Network) -> Iterator[Problem]:
    """A network that has the name of another thing in its own source."""
    layers = {type(op).__name__ for _, op in network.ops() if isinstance(op, ir.Layer)}
    taken = {block.kind for _, block in network.blocks()} | layers | {"F", "Tensor"}
    if network.name in taken:
        message = (
            f"{network.name} is a class that the network itself uses; choose another"
        )
        yield Problem("name-taken", message, ("name",))
