"""Network -> the rows of a table, one for each part, and the table for people."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import NamedTuple

from resnet_spec.network import Chain, Lengths, Network, Shape
from resnet_spec.problems.words import counted

WIDTH = 1000  # characters, more than any row has


class Part(NamedTuple):
    """A stem, stage or head: what it gives, and what it costs for one image."""

    part: str
    blocks: str  # "3 x Bottleneck"; empty where there are none
    output: Shape
    stride: int | None  # pixels of the image per pixel of the output; None for the head
    params: int
    macs: int


def summarize(network: Network) -> list[Part]:
    """The rows of stem, stages and head, in that order; parameters and MACs add up."""
    return list(_rows(network))


def _rows(network: Network) -> Iterator[Part]:
    at = Lengths()
    if network.entry:
        for op in network.entry:
            at = at.then(op.lengths)
        yield _ends("stem", network.entry, at.stride)
    for stage in network.stages:
        at = at.then(stage.lengths)
        blocks = f"{len(stage.blocks)} x {stage.blocks[0].kind}"
        params = sum(block.params for block in stage.blocks)
        macs = sum(block.macs for block in stage.blocks)
        yield Part(stage.name, blocks, stage.output, at.stride, params, macs)
    if network.head:
        yield _ends("head", network.head, None)


def _ends(part: str, ops: Chain, stride: int | None) -> Part:
    params, macs = sum(op.params for op in ops), sum(op.macs for op in ops)
    return Part(part, "", ops[-1].output, stride, params, macs)


def summary(network: Network) -> str:
    """The network by stage, with its totals in the last line."""
    from rich import box  # here, for it costs a third of a build
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_footer=True, pad_edge=False)
    rows = summarize(network)
    columns = {
        "part": ([row.part for row in rows], "total"),
        "blocks": ([row.blocks for row in rows], ""),
        "output": ([_shape(row) for row in rows], ""),
        "stride": ([str(row.stride or "") for row in rows], ""),
        "parameters": ([f"{row.params:,}" for row in rows], f"{network.params:,}"),
        "MACs": ([counted(row.macs) for row in rows], counted(network.macs)),
    }
    for name, (_, total) in columns.items():
        left = name in ("part", "blocks")
        table.add_column(name, total, justify="left" if left else "right", no_wrap=True)
    for cells in zip(*(cells for cells, _ in columns.values()), strict=True):
        table.add_row(*cells)
    out = io.StringIO()
    console = Console(file=out, width=WIDTH, color_system=None, highlight=False)
    console.print(f"{network.title}, input {network.image}", markup=False, emoji=False)
    console.print(table)
    lines = (line.rstrip() for line in out.getvalue().rstrip().splitlines())
    return "\n".join(lines) + "\n"


def _shape(row: Part) -> str:
    return str(row.output) if row.stride else str(int(row.output.channels))
