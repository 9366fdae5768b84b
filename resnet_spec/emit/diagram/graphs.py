"""The graphs inside of ops, drawn: paths that are weighed, and bands."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_spec.emit.diagram.parts import (
    Bands,
    Frame,
    Part,
    Stack,
    Step,
    Weighed,
    stacks,
)
from resnet_spec.emit.diagram.pieces import (
    LOW,
    MARGIN,
    PLAIN,
    RADIUS,
    ROW,
    SOFT,
    Piece,
    box,
    card,
    card_width,
    column,
    dot,
    join,
    line,
    moved,
    text,
)

TIGHT = 14.0  # between the steps of a side path
APART = 18.0  # between lines side by side
CAPTION = 18.0  # the height of a line of words


def pieces(series: Sequence[Part], wide: float) -> list[Piece]:
    """What is drawn of a series, with cards of that width."""
    return [_piece(stack, wide) for stack in stacks(tuple(series))]


def _piece(stack: Stack, wide: float) -> Piece:
    match stack:
        case Weighed():
            return one(stack) if len(stack.paths) == 1 else several(stack)
        case Bands():
            return bands(stack)
        case Frame():
            return frame(stack, wide)
    return card(stack, wide)


def frame(op: Frame, wide: float) -> Piece:
    """An op's name over what is inside."""
    steps = [part for part in op.parts if isinstance(part, Step)]
    inner = column(pieces(op.parts, max(card_width(steps), wide - 4 * MARGIN)), TIGHT)
    said = [
        words for part in op.parts if isinstance(part, Bands) for words in _said(part)
    ]
    widths = [PLAIN.width(op.title), *map(SOFT.width, said)]
    half = max(inner.left, inner.right, wide / 2 - MARGIN, max(widths) / 2) + MARGIN
    lead = TIGHT if isinstance(op.parts[0], Step) else 0.0
    top = ROW + CAPTION * len(said)
    height = top + lead + inner.height + TIGHT
    drawn = [
        box(-half, 0, 2 * half, height, "page", "main-edge"),
        box(-half, 0, 2 * half, top, "main", "main-edge"),
        text(op.title, 0, ROW / 2),
        *(text(words, 0, ROW + CAPTION * i + 6, SOFT) for i, words in enumerate(said)),
        line((0, top), (0, top + lead)) if lead else "",
        moved(inner.svg, y=top + lead),
        line((0, height - TIGHT), (0, height), arrow=False),
    ]
    return Piece(half, half, height, "".join(drawn))


def one(op: Weighed) -> Piece:
    """A line, and beside it the side path that is made of it and meets it again."""
    side = column([card([step], _mini(op.side)) for step in op.side], TIGHT)
    x, top = -(side.right + APART), 12.0
    bottom = top + 12 + side.height
    end = bottom + RADIUS + 4
    drawn = [
        line((0, 0), (0, end - RADIUS)),
        dot(0, top),
        line((0, top), (x, top), (x, top + 12)),
        moved(side.svg, x, top + 12),
        line((x, bottom), (x, end), (-RADIUS, end)),
        join(op.joins, 0, end),
    ]
    left = side.left - x
    return Piece(left, RADIUS, end + RADIUS, "".join(drawn), opens=True)


def _mini(steps: Sequence[Step]) -> float:
    return card_width(steps) - 6


def several(op: Weighed) -> Piece:
    """Paths side by side, of whose sum the shares are made that weigh each of them."""
    cards = [card(path, card_width(path)) for path in op.paths if path]
    side = column([card([step], _mini(op.side)) for step in op.side], TIGHT)
    widest = max((piece.width for piece in cards), default=0.0)
    nearest = max(side.right + APART, widest / 2 + 6)
    step = max(APART + 4, widest + 12)
    xs = _around(len(op.paths), nearest, step)
    outer = max(abs(x) for x in xs)
    fork, high = 12.0, max((piece.height for piece in cards), default=0.0)
    total = fork + 14 + high + 16
    first = total + RADIUS + TIGHT
    weigh = first + side.height - LOW / 2
    end = first + side.height + TIGHT + RADIUS
    drawn = [line((0, 0), (0, fork), arrow=False), dot(0, fork)]
    for i, x in enumerate(xs):
        toward = 1 if x < 0 else -1
        drawn.append(line((0, fork), (x, fork), (x, fork + 14), arrow=bool(cards)))
        begin = fork + 14
        if cards:
            drawn.append(moved(cards[i].svg, x, begin))
            begin += cards[i].height
        drawn.append(line((x, begin), (x, weigh - RADIUS)))
        drawn.append(line((x, weigh + RADIUS), (x, end), (-toward * RADIUS, end)))
        drawn += [dot(x, total), line((x, total), (-toward * RADIUS, total))]
    drawn.append(line((0, total + RADIUS), (0, first)))
    drawn.append(moved(side.svg, y=first))
    for x in xs:
        toward = 1 if x < 0 else -1
        inner = side.right if abs(x) == nearest else abs(x) - step + RADIUS
        drawn.append(line((-toward * inner, weigh), (x + toward * RADIUS, weigh)))
    drawn += [join("×", x, weigh) for x in xs]
    drawn += [join("+", 0, total), join("+", 0, end)]
    reach = max(outer + RADIUS, outer + widest / 2)
    return Piece(reach, reach, end + RADIUS, "".join(drawn), opens=True)


def _around(count: int, nearest: float, step: float) -> list[float]:
    """Places left and right of the axis, from left to right."""
    left = [-(nearest + step * i) for i in range((count + 1) // 2)]
    right = [nearest + step * i for i in range(count // 2)]
    return [*reversed(left), *right]


WIDE, BOX, STAIR = (
    36.0,
    22.0,
    46.0,
)  # of a band: its width, its box, and what it is lower


def bands(op: Bands) -> Piece:
    """Bands from left to right, each lower than the one that it reads."""
    xs = [WIDE * 1.2 * (i - (op.scale - 1) / 2) for i in range(op.scale)]
    fork, kernel = 12.0, op.steps[0].word.split()[0]
    ys = [fork + 26 + (0 if op.apart else STAIR * i) for i in range(op.scale - 1)]
    bottom = ys[-1] + BOX + 16
    tops = [*ys, ys[-1] if op.last else bottom - 8]
    around = ((xs[0], tops[0]), (xs[0], fork), (xs[-1], fork), (xs[-1], tops[-1]))
    drawn = [
        line((0, 0), (0, fork), arrow=False),
        line(*around, arrow=False),
        line(
            (xs[0], bottom - 8),
            (xs[0], bottom),
            (xs[-1], bottom),
            (xs[-1], bottom - 8),
            arrow=False,
        ),
    ]
    for i, (x, y) in enumerate(zip(xs, tops, strict=True)):
        boxed = i < len(ys) or bool(op.last)
        drawn.append(
            line((x, y - 9 if i in (0, op.scale - 1) else fork), (x, y), arrow=boxed)
        )
        if boxed:
            drawn.append(box(x - WIDE / 2, y, WIDE, BOX, "main", "main-edge"))
            word = kernel if i < len(ys) else "avg"
            drawn.append(text(word, x, y + BOX / 2, SOFT._replace(paint="ink")))
            inner = 8 if i in (0, op.scale - 1) else 0
            drawn.append(line((x, y + BOX), (x, bottom - inner), arrow=False))
        if not op.apart and i < len(ys) - 1:
            y += BOX + 7
            drawn += [dot(x, y), line((x, y), (xs[i + 1] - 6, y))]
            drawn.append(join("+", xs[i + 1], y, 6.0))
    half, foot = xs[-1] + WIDE / 2, bottom + 10
    drawn.append(line((0, bottom), (0, foot), arrow=False))
    return Piece(half, half, foot, "".join(drawn), opens=True)


def _said(op: Bands) -> list[str]:
    """What the bands are, in lines."""
    first, *more = map(str, op.steps)
    last = [f"the last: {op.last[0]}"] if op.last else []
    return [f"each of {op.scale - 1}: {first}", ", ".join(more), *last]
