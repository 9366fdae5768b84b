"""Rows of text as tables: for a terminal, for a page, and for other programs."""

from __future__ import annotations

from collections.abc import Sequence

Rows = Sequence[Sequence[str]]


def aligned(rows: Rows, left: int = 1) -> list[str]:
    """The rows with even columns, the first so many to the left and the others to the right.

    >>> aligned([("stem", "64"), ("layer1", "256")])
    ['stem      64', 'layer1   256']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "   ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def ruled(rows: Rows, left: int = 1) -> list[str]:
    """The same, each line indented by one, with a rule below the first."""
    head, *others = (f" {line}" for line in aligned(rows, left))
    width = max(map(len, (head, *others))) - 1
    return [head, f" {'─' * width}", *others]


def markdown(rows: Rows, left: int = 1) -> list[str]:
    """The same as a table of Markdown.

    >>> markdown([("part", "channels"), ("a|b", "64")])
    ['| part | channels |', '| --- | ---: |', '| a\\\\|b | 64 |']
    """
    head, *others = (
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
        for row in rows
    )
    marks = ["---" if i < left else "---:" for i in range(len(rows[0]))]
    return [head, f"| {' | '.join(marks)} |", *others]


def comma_separated(rows: Sequence[Sequence[object]]) -> str:
    """The rows as RFC 4180 has them, with `\\n` for line ends."""
    import csv
    from io import StringIO

    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
