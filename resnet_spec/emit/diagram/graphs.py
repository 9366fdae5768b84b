"""The graphs inside of ops, drawn: paths that are weighed, and bands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resnet_spec.emit.diagram.parts import (
    Bands,
    Frame,
    Part,
    Stack,
    Step,
    Weighed,
    stacks,
    together,
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
    said = [words for part in op.parts for words in _said(part)]
    left, right = (max(side + MARGIN, wide / 2) for side in (inner.left, inner.right))
    words = max(PLAIN.width(op.title), *map(SOFT.width, said), 0.0) + 2 * MARGIN
    left += max(0.0, words - left - right)
    middle, across = (right - left) / 2, left + right
    lead = TIGHT if isinstance(op.parts[0], Step) else 0.0
    top = ROW + CAPTION * len(said)
    height = top + lead + inner.height + TIGHT
    drawn = [
        box(-left, 0, across, height, "page", "main-edge"),
        box(-left, 0, across, top, "main", "main-edge"),
        text(op.title, middle, ROW / 2),
        *(
            text(each, middle, ROW + CAPTION * i + 6, SOFT)
            for i, each in enumerate(said)
        ),
        line((0, top), (0, top + lead)) if lead else "",
        moved(inner.svg, y=top + lead),
        line((0, height - TIGHT), (0, height), arrow=False),
    ]
    return Piece(left, right, height, "".join(drawn))


def one(op: Weighed) -> Piece:
    """A line, and beside it the side path that is made of it and meets it again."""
    side = _side(op)
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


def _side(op: Weighed) -> Piece:
    """The steps of the side path."""
    wide = card_width(op.side) - 6
    return column([card(steps, wide) for steps in together(op.side)], TIGHT)


def several(op: Weighed) -> Piece:
    """Paths side by side, of whose sum the shares are made that weigh each of them."""
    cards = [card(path, card_width(path)) for path in op.paths if path]
    side = _side(op)
    widest = max((piece.width for piece in cards), default=0.0)
    nearest = max(side.right + APART, widest / 2 + 6)
    step = max(APART + 12, widest + 12)
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


WIDE, BOX, STAIR = 36.0, 22.0, 46.0  # a band's width, its box, how much lower it is
CORNER = 14.0  # of a line that turns
INSIDE = SOFT._replace(paint="ink")


def bands(op: Bands) -> Piece:
    """Bands from left to right, each lower than the one that it reads."""
    xs = [WIDE * 1.2 * (i - (op.scale - 1) / 2) for i in range(op.scale)]
    fork, kernel = 12.0, op.steps[0].word.split()[0]
    ys = [fork + 26 + (0 if op.apart else STAIR * i) for i in range(op.scale - 1)]
    bottom = ys[-1] + BOX + 20
    tops = [*ys, ys[-1] if op.last else bottom]
    drawn = [line((0, 0), (0, fork), arrow=False)]
    drawn += _around_bands(xs, (tops[0], tops[-1]), fork, bottom)
    for i, (x, y) in enumerate(zip(xs, tops, strict=True)):
        outer = x in (xs[0], xs[-1])
        if i < len(ys) or op.last:
            drawn += [
                line((x, y - CORNER if outer else fork), (x, y)),
                box(x - WIDE / 2, y, WIDE, BOX, "main", "main-edge"),
                text(kernel if i < len(ys) else "avg", x, y + BOX / 2, INSIDE),
                line((x, y + BOX), (x, bottom - CORNER * outer), arrow=False),
            ]
        if not op.apart and i < len(ys) - 1:
            y += BOX + 7
            drawn += [dot(x, y), line((x, y), (xs[i + 1] - 6, y))]
            drawn.append(join("+", xs[i + 1], y, 6.0))
    half, foot = xs[-1] + WIDE / 2, bottom + 10
    drawn.append(line((0, bottom), (0, foot), arrow=False))
    return Piece(half, half, foot, "".join(drawn), opens=True)


def _around_bands(
    xs: Sequence[float], tops: tuple[float, float], fork: float, bottom: float
) -> Iterator[str]:
    """The lines that lead to the first band and the last, and from them."""
    first, last = xs[0], xs[-1]
    left, right = (min(top - CORNER, bottom - CORNER) for top in tops)
    yield line((first, left), (first, fork), (last, fork), (last, right), arrow=False)
    foot = bottom - CORNER
    yield line(
        (first, foot), (first, bottom), (last, bottom), (last, foot), arrow=False
    )


def _said(part: Part) -> Iterator[str]:
    """What is said of a graph below the name of its op, in lines."""
    match part:
        case Bands():
            first, *more = map(str, part.steps)
            yield f"each of {part.scale - 1}: {first}"
            if more:
                yield ", ".join(more)
            yield from (f"the last: {step}" for step in part.last)
        case Weighed() if part.parts:
            yield f"channels in {len(part.paths)} parts"
