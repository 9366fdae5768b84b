"""The order in which pieces may stand in a chain, and how a spec says it.

Names number what is alike, in order: `conv1`, `conv2`, `norm1`. How those of another kind
lie between them the channels tell, each op reading what the one before it gives; where they
leave it open, any order has the same names and shapes, and the usual one is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from resnet_spec.weights.inference.blocks import Data, UnreadableError
from resnet_spec.weights.inference.pieces import LONGEST, Piece

Steps = list[Any]
PLAIN = ("batch", "frozen", "group")
"""Norms that the word `norm` may stand for, with an activation behind them or not."""
SQUARES = {size * size: size for size in range(2, 9)}
NEXT = {
    "": ("conv", "norm", "prelu", "multiplier", "bias", "attention"),
    "conv": ("norm", "prelu", "multiplier", "bias", "conv", "attention"),
    "norm": ("prelu", "conv", "multiplier", "bias", "norm", "attention"),
}
"""What mostly follows what; attention stands as late as its channels let it."""


def _after(last: str, before: bool, begun: bool, many: bool) -> tuple[str, ...]:
    """What to try, the usual first: whether norms stand before convolutions, whether one of
    those has come, and whether there are more norms than those."""
    every = NEXT[""]
    if before:
        first = ("norm", "conv") if last != "norm" else ("prelu", "conv")
        return (*first, *(kind for kind in every if kind not in first))
    if not last and many:
        return ("norm", *every)
    return NEXT.get(last, every) if begun else every


class Placed(NamedTuple):
    """A piece, and the channels of the map that it reads.

    `square` is the side of the squares whose pixels are made channels before it.
    """

    piece: Piece
    channels: int
    square: int = 0

    @property
    def gives(self) -> int:
        return self.piece.gives or self.channels

    @property
    def is_depthwise(self) -> bool:
        piece = self.piece
        return piece.reads == 1 and self.channels == piece.gives > 1


def arranged(
    queues: Mapping[str, Sequence[Piece]],
    reads: int,
    before: bool = False,
    squares: bool = False,
) -> list[Placed]:
    """All pieces in an order in which each reads what it says, from so many channels on.

    `before` says that norms stand in front of convolutions, `squares` that pixels may become
    channels. Raises UnreadableError where there is no such order.
    """
    if sum(map(len, queues.values())) > LONGEST:
        raise UnreadableError(f"it has more than {LONGEST} ops")
    failed: set[tuple[tuple[int, ...], int]] = set()
    kinds = [*queues]
    many = len(queues.get("norm", ())) > len(queues.get("conv", ()))
    at_conv = kinds.index("conv") + 1 if "conv" in queues else 0

    def rest(at: tuple[int, ...], channels: int, last: str) -> list[Placed] | None:
        if all(n == len(queues[kind]) for n, kind in zip(at, kinds, strict=True)):
            return []
        if (at, channels) in failed:
            return None
        begun = not at_conv or at[at_conv - 1] > 0
        for kind in _after(last, before, begun, many):
            if kind not in queues or at[kinds.index(kind)] == len(queues[kind]):
                continue
            i = kinds.index(kind)
            piece = queues[kind][at[i]]
            placed = _placed(piece, channels, squares)
            if placed is None:
                continue
            then = (*at[:i], at[i] + 1, *at[i + 1 :])
            more = rest(then, placed.gives, kind)
            if more is not None:
                return [placed, *more]
        failed.add((at, channels))
        return None

    found = rest((0,) * len(kinds), reads, "")
    if found is None:
        raise UnreadableError(
            f"its ops have no order in which each reads {reads} channels"
        )
    return found


def _placed(piece: Piece, channels: int, squares: bool) -> Placed | None:
    """The piece on a map of so many channels, where it reads that."""
    if _fits(piece, channels):
        return Placed(piece, channels)
    times, left = divmod(piece.reads, channels)
    if squares and not left and times in SQUARES:
        return Placed(piece, piece.reads, SQUARES[times])
    return None


def _fits(piece: Piece, channels: int) -> bool:
    if piece.kind == "conv":
        groups, left = divmod(channels, piece.reads)
        return not left and piece.gives % groups == 0
    return piece.reads in (0, channels)


# --- as a spec says it --------------------------------------------------------------------


class Voice(NamedTuple):
    """How a chain is said: the word `norm` for one kind, and channels as shares of a base.

    Channels that a convolution has by itself need not be said: `last` those of the last one,
    `width` those of the others.
    """

    norm: str
    activation: Any
    base: str
    of: int  # its channels
    last: int = 0
    width: int = 0


def steps(placed: Sequence[Placed], voice: Voice, strides: Any = None) -> Steps:
    """The ops of a chain, with activations between norms and convolutions; `strides` is the
    stride of its first convolution of a window, or of its first."""
    every = [i for i, p in enumerate(placed) if p.piece.kind in ("conv", "spatial")]
    wide = [i for i in every if (placed[i].piece.said or {"conv": 3})["conv"] > 1]
    at = (wide or every or [-1])[0]
    convs = [i for i in every if not placed[i].is_depthwise] or [-1]
    made: Steps = []
    for i, each in enumerate(placed):
        kind = each.piece.kind
        made += [{"space_to_depth": each.square}] * bool(each.square)
        if kind == "conv":
            usual = voice.last if i == convs[-1] else voice.width
            made.append(_convolution(each, voice, usual, i == at and strides))
        elif kind == "norm":
            own = each.piece.said
            is_word = own == voice.norm and own in PLAIN
            made.append("norm" if is_word else {"norm": own})
            follows = placed[i + 1].piece.kind if i + 1 < len(placed) else ""
            if follows == "conv" and own in (*PLAIN, "ibn_a"):
                made.append(voice.activation)
        elif kind in _OTHERS:
            made.append(_OTHERS[kind])
        else:
            raise UnreadableError(f"no chain has a {kind} layer")
    return made


_OTHERS: dict[str, Any] = {
    "prelu": {"activation": "prelu"},
    "multiplier": {"scalar_multiplier": 1},
    "bias": {"scalar_bias": 0},
    "attention": "attention",
    "spatial": "spatial",
}


def _convolution(each: Placed, voice: Voice, usual: int, strides: Any) -> Data:
    """What is said of one, whose channels are not where they are the usual."""
    piece = each.piece
    said: Data = {**piece.said}
    groups = each.channels // piece.reads
    if groups > 1:
        said["groups"] = "each" if each.is_depthwise else groups
    if not each.is_depthwise and piece.gives != usual:
        said["to"] = share(piece.gives, voice.of, voice.base)
    if strides:
        said["stride"] = strides
    return said


def share(count: int, of: int, base: str) -> str:
    """Channels as a share of a base.

    >>> share(96, 64, "out"), share(64, 64, "width")
    ('out * 3 / 2', 'width')
    """
    part = Fraction(count, of)
    times = f" * {part.numerator}" if part.numerator > 1 else ""
    return base + times + (f" / {part.denominator}" if part.denominator > 1 else "")
