"""One block, a stem or a head in detail: its ops, and what is added to them."""

from __future__ import annotations

from collections.abc import Iterator

from resnet_spec.emit.diagram.figure import shown
from resnet_spec.emit.diagram.graphs import pieces
from resnet_spec.emit.diagram.parts import Form, Frame, Series, Step
from resnet_spec.emit.diagram.pieces import (
    BESIDE,
    GAP,
    NAME,
    RADIUS,
    SOFT,
    Piece,
    card_width,
    column,
    dot,
    join,
    line,
    moved,
    text,
)

LANE = 26.0  # between the body and the line that goes around it
LEAST = 128.0  # the width of a card
HEADING = 20.0  # the height of a line above the drawing


def detail(form: Form) -> Piece:
    """A form with its heading, what goes in and what comes out."""
    wide = max(LEAST, *map(_widest, (form.before, form.body, form.after)))
    inner = column(
        [*pieces(form.before, wide), _sum(form, wide), *pieces(form.after, wide)]
    )
    heading = [text(form.title, 0, HEADING / 2, NAME)]
    if form.note:
        heading.append(text(form.note, 0, 1.5 * HEADING, SOFT))
    top = HEADING * (3 if form.note else 2)
    given, made = shown(form.input), shown(form.output, form.flat)
    ends = top + 12 + GAP
    bottom = ends + inner.height + GAP
    drawn = [
        *heading,
        text(given, 0, top, SOFT),
        line((0, top + 10), (0, ends), arrow=not inner.opens),
        moved(inner.svg, y=ends),
        line((0, ends + inner.height), (0, bottom)),
        text(made, 0, bottom + 10, SOFT),
    ]
    words = [NAME.width(form.title), *map(SOFT.width, (form.note, given, made))]
    half = max(words) / 2
    left, right = max(inner.left, half), max(inner.right, half)
    return Piece(left, right, bottom + 18, "".join(drawn))


def _widest(series: Series) -> float:
    steps = [part for part in series if isinstance(part, Step)]
    return max(card_width(steps), *(_inside(part) for part in series), 0.0, 0.0)


def _inside(part: object) -> float:
    """What the cards in a frame need."""
    inner = part.parts if isinstance(part, Frame) else ()
    return card_width(step for step in inner if isinstance(step, Step))


def _sum(form: Form, wide: float) -> Piece:
    """The body, with what is added to it on a lane of its own."""
    body = column(pieces(form.body, wide))
    if form.added is None:
        return body
    fork = 8.0
    top = fork + GAP
    added = column(pieces(form.added, _widest(form.added)))
    x = body.right + LANE + added.left
    end = top + max(body.height, added.height + 6) + GAP + RADIUS
    drawn = [
        line((0, 0), (0, top), arrow=not body.opens),
        dot(0, fork),
        moved(body.svg, y=top),
        line((0, top + body.height), (0, end - RADIUS)),
        *_lane(form.added, added, x, (fork, top, end)),
        join("+", 0, end),
    ]
    right = x + (added.right if form.added else BESIDE.width("identity") + 8)
    right = max(body.right, right)
    return Piece(body.left, right, end + RADIUS, "".join(drawn), opens=True)


def _lane(
    series: Series, added: Piece, x: float, heights: tuple[float, float, float]
) -> Iterator[str]:
    """The line from the fork around the body to the sum, through what is on it."""
    fork, top, end = heights
    if not series:
        yield line((0, fork), (x, fork), (x, end), (RADIUS, end))
        yield text("identity", x + 8, (fork + end) / 2, BESIDE)
        return
    yield line((0, fork), (x, fork), (x, top))
    yield moved(added.svg, x, top)
    yield line((x, top + added.height), (x, end), (RADIUS, end))
