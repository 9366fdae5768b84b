"""The parts of a network in a row, each as the map that it gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt
from typing import NamedTuple

from resnet_spec.emit.diagram.figure import Figure, Part, times_signs
from resnet_spec.emit.diagram.pieces import NAME, SOFT, Font, box, line, text
from resnet_spec.network import Shape

TALL, WIDE = 112.0, 58.0  # the largest map's box
LEAST = 9.0  # height and width of the smallest
LINE = 17.0  # from one line of words to the next
BETWEEN = 14.0  # from the words of a part to those of the next
SHEET = 3.0  # what each of the boxes behind a box is moved by
CHANNELS = Font(12.0)
ABOVE = 52.0  # for the names of maps that are given


class Row(NamedTuple):
    """The drawing, from x = 0 to its width."""

    width: float
    height: float
    svg: str


class Place(NamedTuple):
    """Where a part's box is."""

    x: float  # of its middle
    wide: float
    high: float


def overview(figure: Figure) -> Row:
    """An image that goes through all parts to what the network gives."""
    shapes = [figure.image, *(part.output for part in figure.parts)]
    flat = [False, *(part.flat for part in figure.parts)]
    gaps = [_gap(shape, flat) for shape, flat in zip(shapes, flat, strict=True)]
    places = _places(figure, gaps)
    given = any(part.given for part in figure.parts)
    axis = TALL / 2 + (ABOVE if given else 8.0)
    below = axis + TALL / 2 + 18
    drawn, x = [], 0.0
    last = figure.parts[-1]
    for i, (part, place) in enumerate(zip(figure.parts, places, strict=True)):
        start = place.x - place.wide / 2
        drawn += _edge(shapes[i], flat[i], x, start, axis)
        drawn.append(_box(part, place, axis))
        drawn += _words(part, place, axis, below)
        x = place.x + place.wide / 2 + _behind(part)
    end = x + gaps[-1]
    drawn += _edge(last.output, last.flat, x, end, axis)
    right = max(end, places[-1].x + _half(last))
    most = max(len(_lines(part)) for part in figure.parts)
    return Row(right, below + LINE * most + 10, "".join(drawn))


def _words(part: Part, place: Place, axis: float, below: float) -> Iterator[str]:
    """What is said below a part, and above it where the network gives its map."""
    yield text(part.name, place.x, below, NAME)
    for i, words in enumerate(_lines(part)):
        yield text(words, place.x, below + LINE * (i + 1), SOFT)
    if part.given:
        x, top = place.x + _behind(part), axis - place.high / 2 - _behind(part)
        yield line((x, top), (x, top - 22))
        yield text("features", x, top - 31, SOFT)


def _places(figure: Figure, gaps: Sequence[float]) -> list[Place]:
    """From left to right, with room for what is said on the arrows and below."""
    found: list[Place] = []
    for part, gap in zip(figure.parts, gaps, strict=False):
        wide, high = _sides(part, figure)
        if not found:
            x = max(gap + wide / 2, _half(part))
        else:
            before, words = found[-1], _half(figure.parts[len(found) - 1])
            behind = _behind(figure.parts[len(found) - 1])
            arrows = before.wide / 2 + behind + gap + wide / 2
            x = before.x + max(arrows, words + BETWEEN + _half(part))
        found.append(Place(x, wide, high))
    return found


def _half(part: Part) -> float:
    """Half of the width of what is said below a part."""
    widths = (SOFT.width(words) for words in _lines(part))
    return max(NAME.width(part.name), *widths, 0.0) / 2


def _lines(part: Part) -> list[str]:
    """What is said below a part: long names of blocks on lines of their own."""
    found: list[str] = []
    for words in part.lines:
        count, _, kind = words.partition(" × ")
        found += [f"{count} ×", kind] if len(words) > 17 and kind else [words]
    return found


def _sides(part: Part, figure: Figure) -> tuple[float, float]:
    """Width and height of its box: roots of channels, and of the rows of the map."""
    maps = [each.output for each in figure.parts if not each.flat]
    most = max((int(shape.channels) for shape in maps), default=1)
    tall = max((int(shape.height) for shape in maps), default=1)
    channels, height, _ = part.output
    if part.flat:
        return LEAST, TALL / 2
    wide, high = WIDE * sqrt(channels / most), TALL * sqrt(height / tall)
    return max(LEAST, wide), max(LEAST, high)


def _gap(shape: Shape, flat: bool) -> float:
    """The length of an arrow on which that shape is said."""
    return max(map(CHANNELS.width, _said(shape, flat))) + 12


def _said(shape: Shape, flat: bool) -> tuple[str, ...]:
    channels, size = str(shape).split(" x ", 1)
    return (channels,) if flat else (channels, times_signs(size))


def _edge(shape: Shape, flat: bool, x: float, end: float, axis: float) -> list[str]:
    """An arrow with the shape of the map on it."""
    return [line((x, axis), (end, axis)), *_label(shape, flat, (x + end) / 2, axis)]


def _label(shape: Shape, flat: bool, x: float, axis: float) -> list[str]:
    """Channels above the axis, height and width below it."""
    channels, *size = _said(shape, flat)
    found = [text(channels, x, axis - 11, CHANNELS)]
    return found + [text(words, x, axis + 12, SOFT) for words in size]


def _box(part: Part, place: Place, axis: float) -> str:
    """The box, and where several blocks are folded into it two more behind."""
    paints = ("main", "main-edge") if part.blocks else ("row", "edge")
    x, y = place.x - place.wide / 2, axis - place.high / 2
    moves = [2 * SHEET, SHEET, 0.0][-1 - round(_behind(part) / SHEET) :]
    return "".join(box(x + by, y - by, place.wide, place.high, *paints) for by in moves)


def _behind(part: Part) -> float:
    """What the boxes behind a box reach to the right: one more for a second block, two for
    any number of them."""
    count = sum(count for count, _ in part.blocks)
    return SHEET * min(max(count - 1, 0), 2)
