"""A network drawn with characters, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from textwrap import wrap

from resnet_spec.emit.diagram.figure import Figure, figure, shown
from resnet_spec.emit.diagram.parts import (
    Bands,
    Form,
    Frame,
    Series,
    Stack,
    Weighed,
    stacks,
)
from resnet_spec.network import Network

WIDTH = 80
TIED = "\u00a0×\u00a0"  # where no line may be broken
INNER = 34  # characters in a card beside which there is another


def text(network: Network) -> str:
    """The network in at most 80 columns: its parts, then a block of each form."""
    drawn = figure(network)
    lines = [*wrap(f"{drawn.title}: {drawn.facts}", WIDTH), "", *_parts(drawn)]
    for form in drawn.forms:
        lines += ["", "", *_form(form)]
    whole = "".join(f"{line.rstrip()}\n" for line in lines)
    return whole.replace(TIED, " x ").replace("×", "x")


def _parts(drawn: Figure) -> Iterator[str]:
    """Each part in a row of one card, with the map that it gives beside it."""
    rows = [
        wrap(
            f"{part.name:8}{', '.join(part.lines)}".replace(" × ", TIED),
            40,
            subsequent_indent=" " * 8,
        )
        for part in drawn.parts
    ]
    wide = max(len(line) for row in rows for line in row)
    yield f"   {shown(drawn.image)}"
    yield f" ┌──┴{'─' * (wide - 1)}┐"
    for i, (part, row) in enumerate(zip(drawn.parts, rows, strict=True)):
        if i:
            yield f" ├{'─' * (wide + 2)}┤"
        said = shown(part.output, part.flat) + (", features" if part.given else "")
        for line, more in zip_longest(row, [f"  {said}"], fillvalue=""):
            yield f" │ {line:{wide}} │{more}"
    yield f" └──┬{'─' * (wide - 1)}┘"
    last = drawn.parts[-1]
    yield f"   {shown(last.output, last.flat)}"


def _form(form: Form) -> Iterator[str]:
    yield from wrap(f"{form.title}, {form.note}" if form.note else form.title, WIDTH)
    yield ""
    before, body, after = map(_card, (form.before, form.body, form.after))
    yield f"   {shown(form.input)}"
    yield from before
    if form.added is None:
        yield from body
    else:
        yield from _sum(body, _card(form.added))
    yield from after
    yield f"   {shown(form.output, form.flat)}"


def _sum(body: list[str], added: list[str]) -> Iterator[str]:
    """The body's card, and beside it that of what is added, or a line."""
    wide, lane = max(map(len, body)), 6 if added else 2
    yield f"    ├{'─' * (wide + lane - 5)}┐"
    beside = [f"  {line}" for line in added] or ["  │ identity"]
    line = f"{' ' * lane}│"
    for left, right in zip_longest(body, beside):
        yield f"{left or '    │':{wide}}{right or line}"
    yield f"   (+){'─' * (wide + lane - 6)}┘"


def _card(series: Series) -> list[str]:
    """The series in a card with its axis in the fifth column; empty where there is none."""
    said = [line for stack in stacks(series) for line in _said(stack)]
    lines = [
        part for line in said for part in wrap(line, INNER, subsequent_indent="    ")
    ]
    if not lines:
        return []
    wide = max(map(len, lines))
    return [
        f" ┌──┴{'─' * (wide - 1)}┐",
        *(f" │ {line:{wide}} │" for line in lines),
        f" └──┬{'─' * (wide - 1)}┘",
    ]


def _said(stack: Stack) -> Iterator[str]:
    """What is done, in lines; what belongs to the first of several steps is indented."""
    match stack:
        case Frame():
            yield stack.title
            for part in stacks(stack.parts):
                yield from (f"  {line}" for line in _said(part))
        case Weighed():
            yield from _weighed(stack)
        case Bands():
            yield f"{stack.scale - 1} of {stack.scale} bands: {_chain(stack.steps)}"
            yield "each reads its own" if stack.apart else "each adds the one before"
            yield f"the last: {_chain(stack.last) or 'as it is'}"
        case first, *more if first.begins:
            yield str(first)
            if more:
                yield f"  {', '.join(map(str, more))}"
        case _:
            yield ", ".join(map(str, stack))


def _weighed(part: Weighed) -> Iterator[str]:
    if len(part.paths) == 1:
        yield f"{part.joins} ({_chain(part.side)})"
        return
    noun = "part" if part.parts else "path"
    for i, path in enumerate(part.paths):
        if path:
            yield f"{noun} {i + 1}: {_chain(path)}"
    yield f"each of {len(part.paths)} {noun}s × (sum > {_chain(part.side)})"
    yield "summed"


def _chain(steps: Series) -> str:
    """Steps in one line."""
    return " > ".join(str(step).replace(",", "") for step in steps)
