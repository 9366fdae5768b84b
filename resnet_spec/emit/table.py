"""Network -> the rows of a table, one for each part, and the table for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from textwrap import wrap
from typing import NamedTuple

from resnet_spec.expansion import Known, Total, expand, total_of
from resnet_spec.network import (
    Activation,
    BlurPool2d,
    Chain,
    Flatten,
    Maps,
    Network,
    Norm,
    Pool,
    Shape,
    called,
    sides,
)
from resnet_spec.problems.tables import aligned, comma_separated, markdown
from resnet_spec.problems.words import batched, by_sides, counted

COLUMNS = ("part", "blocks", "output", "stride", "parameters", "MACs", "activations")
LEFT = 2  # columns that stand to the left
BAR = 5  # characters of a bar that is all of the network


class Part(NamedTuple):
    """A stem or a step of it, a stage or a head: what it gives, and what it costs.

    Costs are for one image; activations are the numbers that its convolutions and linear
    layers give.
    """

    part: str
    blocks: (
        str  # "3 x Bottleneck", of a step what it does; empty for a whole stem or head
    )
    output: Shape
    stride: int | tuple[int, int] | None  # in pixels of the image; None for the head
    params: int
    macs: int
    activations: int


def summarize(network: Network) -> list[Part]:
    """The rows of stem, stages and head, in that order; parameters and MACs add up."""
    return list(_rows(network, whole=True))


def detailed(network: Network) -> list[Part]:
    """The same with a row for each step of the stem."""
    return list(_rows(network, whole=False))


def _rows(network: Network, *, whole: bool) -> Iterator[Part]:
    run, known = iter(expand(network).steps), Known()
    lines = list(_lines(network.entry))
    if whole and lines:
        lines = [("stem", "", network.entry, sum(count for *_, count in lines))]
    at = Maps()
    for name, what, ops, count in lines:
        for op in ops:
            at = at.then(op.lengths)
        found = total_of(islice(run, count), known)
        yield Part(name, what, ops[-1].output, at.stride, *found)
    for stage in network.stages:
        at = at.then(stage.lengths)
        found = total_of(islice(run, 1), known)
        yield Part(stage.name, stage.contents, stage.output, at.stride, *found)
    if network.head:
        head = network.head[-1].output
        yield Part("head", "", head, None, *total_of(run, known))


def _lines(ops: Chain) -> Iterator[tuple[str, str, Chain, int]]:
    """The steps of a stem, each with what it does, its ops, and its number of calls.

    A norm and an activation are of the step that they follow.
    """
    found: list[tuple[str, list[str], Chain, int]] = []
    for name, members in called(ops):
        follows = isinstance(members[0], (Norm, Activation, Flatten))
        if found and follows and len(members) == 1:
            first, nouns, before, count = found.pop()
            found.append((first, nouns, (*before, *members), count + 1))
        else:
            nouns = [noun for op in members if (noun := _noun(op))]
            found.append((name, nouns, tuple(members), 1))
    return ((name, ", ".join(nouns), line, count) for name, nouns, line, count in found)


def _noun(op: object) -> str:
    if isinstance(op, Pool):
        height, width = sides(op.kernel)
        return f"{height}x{width} {op.module.removesuffix('Pool2d').lower()} pool"
    if isinstance(op, BlurPool2d):
        return "blur"
    return getattr(op, "noun", "")


# --- text ---------------------------------------------------------------------------------


def summary(network: Network, width: int | None = None, batch: int = 1) -> str:
    """The network by part, with its totals in the last line and bars of each one's share.

    Where that is wider than so many characters, bars are left out, then activations, and
    then each part is named on a line of its own. Costs are those of `batch` images.
    """
    parts = detailed(network)
    whole = _whole(parts)
    rows = [COLUMNS, *(_cells(part, batch) for part in parts), _total(whole, batch)]
    shares = [["", "", ""], *(_bars(part, whole) for part in parts), ["", "", ""]]
    short = [row[:-1] for row in rows]
    names = [", ".join(filter(None, row[:2])) for row in rows]
    figures = aligned([row[2:] for row in short], left=0)
    ways = (
        [f" {row}" for row in aligned(_beside(rows, shares), LEFT)],
        [f" {row}" for row in aligned(rows, LEFT)],
        [f" {row}" for row in aligned(short, LEFT)],
        [f" {n}\n   {row}" for n, row in zip(names, figures, strict=True)],
    )
    lines = next((way for way in ways if not width or _wide(way) <= width), ways[-1])
    rule = "─" * (_wide(lines) - 1)
    title = f"{network.title}, input {batched(network.image, batch)}"
    heading = wrap(title, width) if width else [title]
    head, *body, end = lines
    text = "\n".join([*heading, "", head, f" {rule}", *body, "", end])
    return "".join(f"{line.rstrip()}\n" for line in text.split("\n"))


def _whole(parts: Sequence[Part]) -> Total:
    """The costs of all of them."""
    return Total.added(Total(*part[4:]) for part in parts)


def _wide(lines: Sequence[str]) -> int:
    """The longest line's characters."""
    return max(map(len, "\n".join(lines).split("\n")))


def _beside(
    rows: Sequence[Sequence[str]], shares: Sequence[Sequence[str]]
) -> list[list[str]]:
    """The rows with a bar behind each of their last three cells."""
    return [
        [*row[:4], *(f"{c} {b:{BAR}}" for c, b in zip(row[4:], bars, strict=True))]
        for row, bars in zip(rows, shares, strict=True)
    ]


def _bars(part: Part, whole: Total) -> list[str]:
    return [bar(own, of) for own, of in zip(part[4:], whole, strict=True)]


def bar(part: int, whole: int) -> str:
    """A bar as long as that share of the whole, to an eighth of a character.

    >>> bar(1, 2), bar(1, 1)
    ('██▌', '█████')
    """
    eighths = round(8 * BAR * part / whole) if whole else 0
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def _cells(row: Part, batch: int) -> tuple[str, ...]:
    output = str(row.output) if row.stride else str(int(row.output.channels))
    stride = str(by_sides(row.stride)) if row.stride else ""
    return (row.part, row.blocks, output, stride, *_figures(Total(*row[4:]), batch))


def _total(whole: Total, batch: int) -> tuple[str, ...]:
    return ("total", "", "", "", *_figures(whole, batch))


def _figures(found: Total, batch: int) -> tuple[str, str, str]:
    macs, activations = batch * found.macs, batch * found.activations
    return (f"{found.params:,}", counted(macs).strip(), counted(activations).strip())


# --- for other programs ---------------------------------------------------------------------


def facts(network: Network, batch: int = 1) -> dict[str, object]:
    """The same as plain data."""
    parts = detailed(network)
    rows = [
        {
            "part": part.part,
            "blocks": part.blocks,
            "output": [int(size) for size in part.output],
            "stride": part.stride,
            **_costs(Total(*part[4:]), batch),
        }
        for part in parts
    ]
    image = [int(size) for size in network.image]
    about = {"title": network.title, "input": image, "batch": batch}
    return {**about, **_costs(_whole(parts), batch), "parts": rows}


def _costs(found: Total, batch: int) -> dict[str, int]:
    return {
        "params": found.params,
        "macs": batch * found.macs,
        "activations": batch * found.activations,
    }


def as_csv(network: Network, batch: int = 1) -> str:
    """The same as comma-separated values, counts in full."""
    rows: list[tuple[object, ...]] = [COLUMNS]
    for part in detailed(network):
        output, stride = str(part.output), part.stride and by_sides(part.stride)
        costs = (part.params, batch * part.macs, batch * part.activations)
        rows.append((part.part, part.blocks, output, stride, *costs))
    return comma_separated(rows)


def as_markdown(network: Network, batch: int = 1) -> str:
    """The same as a table of Markdown below its title."""
    parts = detailed(network)
    cells = (_cells(part, batch) for part in parts)
    rows = [COLUMNS, *cells, _total(_whole(parts), batch)]
    title = f"**{network.title}**, input {batched(network.image, batch)}"
    return "\n".join([title, "", *markdown(rows, LEFT)]) + "\n"
