"""A comparison of two things as people, programs and pull requests read it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from resnet_spec.problems.words import printable

NAMES = 6  # of tensors, folded, before the others are counted
LABELS = 30  # characters of a column; longer ones push what follows
Row = tuple[str, str]


class Page(NamedTuple):
    """The names of two things, whether they are equal and what that means, rows of a label and
    words below titles, and the rest as data. Titles without rows are left out."""

    a: str
    b: str
    equal: bool
    verdict: str
    sections: Mapping[str, Sequence[Row]]
    data: Mapping[str, Any]

    @property
    def sentence(self) -> str:
        """The verdict with a capital and a stop."""
        return printable(f"{self.verdict[0].upper()}{self.verdict[1:]}.")


def text(page: Page, width: int = 0) -> str:
    """For people, in lines of at most so many characters; 0 does not break them."""
    lines = [f"{page.a} -> {page.b}", "", page.sentence]
    for title, rows in _filled(page):
        longest = min(max(len(label) for label, _ in rows), LABELS)
        lines += ["", title]
        lines += [f"  {label:{longest}}  {said}".rstrip() for label, said in rows]
    broken = (piece for line in lines for piece in _broken(line, width))
    return "".join(f"{line}\n" for line in broken)


def markdown(page: Page) -> str:
    """For a pull request."""
    lines = [
        f"### {_code(page.a)} → {_code(page.b)}",
        "",
        f"**{page.sentence}**",
    ]
    for title, rows in _filled(page):
        lines += ["", f"| {title} | |", "| --- | --- |"]
        lines += [f"| {_escaped(label)} | {_escaped(said)} |" for label, said in rows]
    return "".join(f"{line}\n" for line in lines)


def as_json(page: Page) -> str:
    """For programs: everything, every tensor by its name."""
    data = {"a": page.a, "b": page.b, "equal": page.equal, "verdict": page.verdict}
    data |= page.data
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


FORMATS: dict[str, Callable[[Page], str]] = {
    "text": text,
    "json": as_json,
    "markdown": markdown,
}


def _filled(page: Page) -> list[tuple[str, Sequence[Row]]]:
    """Whatever names of a file have in them, a row is a line."""
    return [
        (title, [(printable(label), printable(said)) for label, said in rows])
        for title, rows in page.sections.items()
        if rows
    ]


# --- tensors by name ----------------------------------------------------------------------


Shapes = Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]
"""Those of a tensor here and there, by its name."""


def tensor_rows(
    groups: Mapping[str, Sequence[str]], shapes: Shapes, blocks: Mapping[str, int]
) -> Iterator[Row]:
    """A row for each group of tensors that is there, with how many there are.

    `blocks` has how many a stage has, whose tensors are folded.
    """
    for label, names in groups.items():
        if names:
            yield label, f"{len(names)}: {_listed(names, shapes, blocks)}"


def _listed(names: Sequence[str], shapes: Shapes, blocks: Mapping[str, int]) -> str:
    """`layer1.*.conv1.weight, fc.weight and 23 more`; of tensors that change, with shapes."""
    groups: dict[tuple[str, str, object], list[int]] = defaultdict(list)
    for name in names:
        stage, _, rest = name.partition(".")
        index, _, tensor = rest.partition(".")
        if stage in blocks and index.isdigit():
            groups[stage, tensor, shapes.get(name)].append(int(index))
        else:
            groups["", name, shapes.get(name)].append(0)
    said, shown = [], 0
    for (stage, tensor, shape), at in [*groups.items()][:NAMES]:
        where = f"{stage}.{_at(at, blocks[stage])}." if stage else ""
        sizes = " -> ".join(map(_size, shape)) if isinstance(shape, tuple) else ""
        said.append(f"{where}{tensor} {sizes}".rstrip())
        shown += len(at)
    more = f" and {len(names) - shown} more" * (len(names) > shown)
    return f"{', '.join(said)}{more}"


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "1"


def _at(indices: Sequence[int], blocks: int) -> str:
    """`*` for all blocks of a stage, else their numbers."""
    return "*" if blocks == len(indices) > 1 else ranges(indices)


def ranges(indices: Sequence[int]) -> str:
    """`0,2-5`"""
    runs = groupby(enumerate(sorted(indices)), lambda pair: pair[1] - pair[0])
    each = [[i for _, i in run] for _, run in runs]
    return ",".join(f"{r[0]}-{r[-1]}" if len(r) > 1 else f"{r[0]}" for r in each)


# --- how it is written --------------------------------------------------------------------


def _broken(line: str, width: int) -> list[str]:
    """The line in pieces that fit; those after the first are indented."""
    if not width or len(line) <= width:
        return [line]
    from textwrap import wrap

    indent = 4 * line.startswith(" ")
    return wrap(line, width, subsequent_indent=" " * indent, break_on_hyphens=False)


def _code(text: str) -> str:
    """As code, which renders nothing in it."""
    marks = "`" * (
        max((len([*g]) for c, g in groupby(text) if c == "`"), default=0) + 1
    )
    space = " " * ("`" in text)
    return f"{marks}{space}{text}{space}{marks}".replace("|", r"\|")


def _escaped(text: str) -> str:
    """As text, in a cell of a table."""
    kept = "".join(f"\\{c}" if c in r"\`*_[]<|#~" else c for c in text)
    return kept.replace(" -> ", " → ")
