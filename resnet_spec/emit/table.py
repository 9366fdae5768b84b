"""Network -> the rows of a table, one for each part, and the table for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import NamedTuple

from resnet_spec.network import Chain, Maps, Network, Shape
from resnet_spec.problems.words import by_sides, counted

COLUMNS = ("part", "blocks", "output", "stride", "parameters", "MACs")


class Part(NamedTuple):
    """A stem, stage or head: what it gives, and what it costs for one image."""

    part: str
    blocks: str  # "3 x Bottleneck"; empty where there are none
    output: Shape
    stride: int | tuple[int, int] | None  # in pixels of the image; None for the head
    params: int
    macs: int


def summarize(network: Network) -> list[Part]:
    """The rows of stem, stages and head, in that order; parameters and MACs add up."""
    return list(_rows(network))


def _rows(network: Network) -> Iterator[Part]:
    at = Maps()
    if network.entry:
        for op in network.entry:
            at = at.then(op.lengths)
        yield _ends("stem", network.entry, at.stride)
    for stage in network.stages:
        at = at.then(stage.lengths)
        blocks = " + ".join(f"{count} x {kind}" for kind, count in stage.runs)
        params = sum(block.params for block in stage.blocks)
        macs = sum(block.macs for block in stage.blocks)
        yield Part(stage.name, blocks, stage.output, at.stride, params, macs)
    if network.head:
        yield _ends("head", network.head, None)


def _ends(part: str, ops: Chain, stride: int | tuple[int, int] | None) -> Part:
    params, macs = sum(op.params for op in ops), sum(op.macs for op in ops)
    return Part(part, "", ops[-1].output, stride, params, macs)


def summary(network: Network, width: int | None = None) -> str:
    """The network by stage, with its totals in the last line.

    Where that is wider than so many characters, each part is named on a line of its own.
    """
    total = ("total", "", "", "", f"{network.params:,}", counted(network.macs).strip())
    rows = [COLUMNS, *map(_cells, summarize(network)), total]
    lines = [f" {row}" for row in _aligned(rows, left=2)]
    if width and max(map(len, lines)) > width:
        names = [", ".join(filter(None, row[:2])) for row in rows]
        figures = _aligned([row[2:] for row in rows], left=0)
        lines = [f" {n}\n   {row}" for n, row in zip(names, figures, strict=True)]
    rule = "─" * (max(map(len, "\n".join(lines).split("\n"))) - 1)
    title = f"{network.title}, input {network.image}"
    heading = wrap(title, width) if width else [title]
    head, *parts, end = lines
    text = "\n".join([*heading, "", head, f" {rule}", *parts, "", end])
    return "".join(f"{line.rstrip()}\n" for line in text.split("\n"))


def _cells(row: Part) -> tuple[str, ...]:
    output = str(row.output) if row.stride else str(int(row.output.channels))
    stride = str(by_sides(row.stride)) if row.stride else ""
    params, macs = f"{row.params:,}", counted(row.macs).strip()
    return row.part, row.blocks, output, stride, params, macs


def _aligned(rows: Sequence[Sequence[str]], left: int) -> list[str]:
    """The rows with even columns, so many of them to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "   ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
