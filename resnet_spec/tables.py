"""Rows as a table for people. Only here is rich imported."""

from __future__ import annotations

import io

from rich import box
from rich.console import Console
from rich.table import Table

from resnet_spec.ir import Network
from resnet_spec.summary import Row, summarize
from resnet_spec.words import counted

WIDTH = 1000  # characters, more than any row has


def summary(network: Network) -> str:
    """The network by stage, with its totals in the last line."""
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


def _shape(row: Row) -> str:
    return str(row.output) if row.stride else str(int(row.output.channels))
