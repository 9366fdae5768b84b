"""What SVG is put together from: texts, boxes, lines, and pieces around an axis.

A piece is drawn around an axis that runs downwards at x = 0, from y = 0 on: what flows
through it enters at the top of the axis and leaves at its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from resnet_spec.emit.diagram.parts import Step
from resnet_spec.emit.diagram.style import painted, width

GAP = 20.0  # from one piece to the next, with an arrow
TEXT, SMALL = 13.0, 11.5
RADIUS = 9.0  # of a join


class Piece(NamedTuple):
    """Something drawn, and how far it reaches to the left and right of the axis, and down."""

    left: float
    right: float
    height: float
    svg: str
    opens: bool = (
        False  # whether it begins with a line, and an arrow ends only further in
    )

    @property
    def width(self) -> float:
        return self.left + self.right


def number(value: float) -> str:
    """A length as SVG has it.

    >>> number(12.0), number(0.25), number(-0.01)
    ('12', '0.2', '0')
    """
    rounded = round(value, 1)
    return f"{int(rounded)}" if rounded == int(rounded) else f"{rounded}"


def moved(svg: str, x: float = 0, y: float = 0) -> str:
    if not svg or (number(x), number(y)) == ("0", "0"):
        return svg
    return f'<g transform="translate({number(x)} {number(y)})">{svg}</g>'


class Font(NamedTuple):
    """How a text looks."""

    size: float = TEXT
    paint: str = "ink"
    bold: bool = False
    anchor: str = "middle"

    def width(self, text: str) -> float:
        return width(text, self.size, self.bold)


NAME = Font(bold=True)
PLAIN = Font()
SOFT = Font(SMALL, "soft")
BESIDE = Font(SMALL, "soft", anchor="start")


def text(words: str, x: float, y: float, font: Font = PLAIN) -> str:
    """A text whose middle is at that height."""
    weight = ' font-weight="600"' if font.bold else ""
    anchor = f' text-anchor="{font.anchor}"' if font.anchor != "start" else ""
    place = f'x="{number(x)}" y="{number(y + 0.36 * font.size)}"'
    return (
        f'<text {place} font-size="{number(font.size)}"{weight}{anchor} '
        f"{painted(font.paint)}>{escape(words, quote=False)}</text>"
    )


def box(x: float, y: float, wide: float, high: float, *paints: str) -> str:
    radius = min(5.0, wide / 2, high / 2)
    place = f'x="{number(x)}" y="{number(y)}"'
    sides = f'width="{number(wide)}" height="{number(high)}"'
    return f'<rect {place} {sides} rx="{number(radius)}" {painted(*paints)}/>'


Point = tuple[float, float]


def line(*points: Point, arrow: bool = True) -> str:
    """A line with rounded corners and, at its end, a head."""
    if arrow:
        *most, (x, y) = points
        before = most[-1]
        dx, dy = _direction(before, (x, y))
        short = (x - 4 * dx, y - 4 * dy)
        return line(*most, short, arrow=False) + _head(x, y, dx, dy)
    first, *middle, last = points
    path = [f"M{_at(first)}"]
    for before, corner, after in zip(points, middle, points[2:], strict=False):
        (ax, ay), (bx, by) = _direction(before, corner), _direction(corner, after)
        radius = min(7.0, _length(before, corner) / 2, _length(corner, after) / 2)
        x, y = corner
        path.append(f"L{_at((x - radius * ax, y - radius * ay))}")
        path.append(f"Q{_at(corner)} {_at((x + radius * bx, y + radius * by))}")
    path.append(f"L{_at(last)}")
    stroke = painted("line")
    return f'<path d="{"".join(path)}" fill="none" stroke-width="1.4" {stroke}/>'


def _at(point: Point) -> str:
    return f"{number(point[0])} {number(point[1])}"


def _length(start: Point, end: Point) -> float:
    return abs(end[0] - start[0]) + abs(end[1] - start[1])


def _direction(start: Point, end: Point) -> Point:
    """Of a line that runs along one side of the picture."""
    length = _length(start, end) or 1.0
    return ((end[0] - start[0]) / length, (end[1] - start[1]) / length)


def _head(x: float, y: float, dx: float, dy: float) -> str:
    back, half = 6.5, 3.6
    left = (x - back * dx - half * dy, y - back * dy + half * dx)
    right = (x - back * dx + half * dy, y - back * dy - half * dx)
    corners = f"M{_at((x, y))}L{_at(left)}L{_at(right)}Z"
    return f'<path d="{corners}" {painted("head")}/>'


def dot(x: float, y: float) -> str:
    """Where a line forks."""
    return f'<circle cx="{number(x)}" cy="{number(y)}" r="2.4" {painted("head")}/>'


def join(sign: str, x: float, y: float, radius: float = RADIUS) -> str:
    """A circle where lines meet, with what is done: + or ×, drawn, not written."""
    arm = 0.5 * radius * (1 if sign == "+" else 0.72)
    crossed = (
        [(-arm, 0, arm, 0), (0, -arm, 0, arm)]
        if sign == "+"
        else [(-arm, -arm, arm, arm), (-arm, arm, arm, -arm)]
    )
    strokes = "".join(
        f"M{_at((x + a, y + b))}L{_at((x + c, y + d))}" for a, b, c, d in crossed
    )
    place = f'cx="{number(x)}" cy="{number(y)}" r="{number(radius)}"'
    return (
        f'<circle {place} stroke-width="1.4" {painted("main", "main-edge")}/>'
        f'<path d="{strokes}" stroke-width="1.6" stroke-linecap="round" '
        f"{painted('sign')}/>"
    )


# --- cards --------------------------------------------------------------------------------

ROW, LOW, HIGH = (
    26.0,
    21.0,
    41.0,
)  # heights of a row: of a main op, of another, of two lines
MARGIN = 12.0  # beside the words of a row


def card_width(steps: Iterable[Step]) -> float:
    """What the widest row of those needs."""
    widths = (max(_font(step).width(words) for words in _lines(step)) for step in steps)
    return max(widths, default=0.0) + 2 * MARGIN


def _font(step: Step) -> Font:
    return PLAIN if step.begins else SOFT


def _lines(step: Step) -> tuple[str, ...]:
    """A main op's details are on a line of their own, as they need one."""
    if step.begins and step.more:
        return (step.title, ", ".join(step.more))
    return (str(step),)


def card(steps: Sequence[Step], wide: float) -> Piece:
    """Steps that belong together, one row each."""
    half, y, rows = wide / 2, 0.0, []
    for step in steps:
        lines = _lines(step)
        high = HIGH if len(lines) > 1 else ROW if step.begins else LOW
        paints = ("main", "main-edge") if step.begins else ("row", "edge")
        rows.append(box(-half, y, wide, high, *paints))
        if len(lines) > 1:
            rows.append(text(lines[0], 0, y + 14, PLAIN))
            rows.append(text(lines[1], 0, y + 30, SOFT))
        else:
            rows.append(text(lines[0], 0, y + high / 2, _font(step)))
        y += high + 2
    return Piece(half, half, y - 2, "".join(rows))


def column(pieces: Sequence[Piece], gap: float = GAP) -> Piece:
    """Pieces one below the other, with arrows between them."""
    y, drawn = 0.0, []
    for i, piece in enumerate(pieces):
        if i:
            drawn.append(line((0, y), (0, y + gap), arrow=not piece.opens))
            y += gap
        drawn.append(moved(piece.svg, y=y))
        y += piece.height
    left = max((piece.left for piece in pieces), default=0.0)
    right = max((piece.right for piece in pieces), default=0.0)
    opens = bool(pieces) and pieces[0].opens
    return Piece(left, right, y, "".join(drawn), opens)
