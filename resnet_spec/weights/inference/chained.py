"""Blocks as chains of ops, read off the names and shapes of their tensors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from resnet_spec.weights.inference.blocks import (
    Block,
    Data,
    UnreadableError,
)
from resnet_spec.weights.inference.orders import PLAIN, Placed, arranged
from resnet_spec.weights.inference.pieces import Piece, below, in_order, pieces

SHORTCUT = "downsample"


class Layer(NamedTuple):
    """A layer in place of a 3x3: what the spec says of it, and its channels."""

    said: Data
    width: int
    gives: int
    read: int  # channels that a filter reads

    @classmethod
    def of(cls, block: Block, number: int) -> Layer:
        found = block.convolution(number)
        width = found.out // (found.layer or {}).get("scale", 1)
        return cls(found.layer or {}, width, found.out, found.read)


class Read(NamedTuple):
    """A block as chains of pieces, and what its shortcut does."""

    pre: Sequence[Placed]
    body: Sequence[Placed]
    post: Sequence[Placed]
    branch: Sequence[Placed]
    reads: int
    summed: int  # channels of the sum
    attention: str
    layer: Layer | None

    @property
    def gives(self) -> int:
        return self.post[-1].gives if self.post else self.summed

    @property
    def width(self) -> int:
        """What the spec calls the width."""
        return self.layer.width if self.layer else self.gives

    @property
    def groups(self) -> int:
        """Those of the layer in place of a 3x3; 1 without."""
        of = (p.channels for p in self.body if p.piece.kind == "spatial")
        return max(next(of, 1) // self.layer.read, 1) if self.layer else 1

    @property
    def changes(self) -> bool:
        return self.reads != self.summed


def read(block: Block, reads: int, before: bool) -> Read:
    """What a block is that reads so many channels.

    Raises UnreadableError where its ops have no order.
    """
    inside = {n: t for n, t in block.modules.items() if n.partition(".")[0] != SHORTCUT}
    queues = pieces(inside)
    layers = [piece.number for piece in queues["conv"] if piece.kind == "spatial"]
    layer = Layer.of(block, layers[0]) if layers else None
    if layer:
        queues["conv"] = [
            piece._replace(gives=layer.gives) if piece.kind == "spatial" else piece
            for piece in queues["conv"]
        ]
    branch = in_order(below(block.modules, SHORTCUT))
    try:
        chain = arranged(queues, reads, before)
    except UnreadableError as error:
        raise UnreadableError(f"{block.at}: {error}") from None
    attention = [p.piece.said for p in chain if p.piece.kind == "attention"]
    attention += [p.said for p in branch if p.kind == "attention"]
    if len({*attention}) > 1:
        raise UnreadableError(f"{block.at} has attention of two kinds")
    pre, body, post = _cut(chain, branch, reads, before)
    summed = body[-1].gives if body else reads
    return Read(
        pre,
        body,
        post,
        _placed(branch, pre[-1].gives if pre else reads, block.at),
        reads,
        summed,
        attention[0] if attention else "none",
        layer,
    )


def _cut(
    chain: Sequence[Placed], branch: Sequence[Piece], reads: int, before: bool
) -> tuple[Sequence[Placed], Sequence[Placed], Sequence[Placed]]:
    """Before body and shortcut, the body, and behind the sum, by what the shortcut tells."""
    convs = [piece for piece in branch if piece.kind == "conv"]
    start = 0
    if convs and reads % convs[0].reads:  # it reads what other ops made of the input
        start = next(
            (i for i, p in enumerate(chain) if p.channels % convs[0].reads == 0), 0
        )
    elif before and chain[0].piece.kind == "norm":
        start = 1
    end = len(chain)
    if convs and chain[-1].gives != convs[-1].gives:
        ends = [i for i, p in enumerate(chain, 1) if p.gives == convs[-1].gives]
        end = max((i for i in ends if i > start), default=end)
    elif not before:
        while end > start + 1 and chain[end - 1].piece.kind == "prelu":
            end -= 1
    return chain[:start], chain[start:end], chain[end:]


def _placed(branch: Sequence[Piece], reads: int, at: str) -> list[Placed]:
    found: list[Placed] = []
    for piece in branch:
        found.append(Placed(piece, reads))
        if piece.kind == "conv" and reads % piece.reads:
            raise UnreadableError(
                f"{at}: its shortcut reads other channels than it has"
            )
        reads = found[-1].gives
    return found


def blocks_of(
    stages: Sequence[Sequence[Block]], reads: int, before: bool
) -> list[list[Read]]:
    """All blocks, of which each reads what the one before it gives."""
    found: list[list[Read]] = []
    for stage in stages:
        row: list[Read] = []
        for block in stage:
            row.append(read(block, reads, before))
            reads = row[-1].gives
        found.append(row)
    return found


def common(reads: Sequence[Sequence[Read]]) -> str:
    """The norm that most have."""
    counts = Counter(
        p.piece.said
        for row in reads
        for b in row
        for p in (*b.pre, *b.body, *b.post, *b.branch)
        if p.piece.kind == "norm" and p.piece.said in PLAIN
    )
    return max(counts, key=lambda kind: counts[kind]) if counts else "batch"
