"""What comes before the blocks, read off the shapes of its tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import NamedTuple

from resnet_spec.weights.inference.blocks import Block, Data, UnreadableError
from resnet_spec.weights.inference.orders import PLAIN, Placed, Voice, arranged, steps
from resnet_spec.weights.inference.pieces import (
    NUMBERED,
    Piece,
    below,
    in_order,
    pieces,
    words_of,
)
from resnet_spec.weights.inference.styles import Modules, Style, stem_norm

TYPES = {7: ("conv7x7", "max"), 3: ("conv3x3", "none"), 1: ("conv1x1", "none")}
PIXELS = 48  # channels that a convolution reads of 4 x 4 pixels of three
COLORS = 3


class Stem(NamedTuple):
    """What `stem` says, the channels that it gives, and those of the image.

    `normed` says whether a norm that a word stands for is behind its last convolution.
    """

    said: Data
    width: int
    image: int
    words: Style = Style()
    normed: bool = False

    @property
    def stride(self) -> int:
        """Pixels of the image per pixel behind it, as most have them."""
        if isinstance(self.said["type"], list):
            chain = [step for step in self.said["type"] if isinstance(step, dict)]
            strides: list[int] = [step.get("stride", 1) for step in chain]
            return prod(strides) * self.squares
        first = 2 if self.said["type"] in ("conv7x7", "deep", "tiered") else 1
        return first * (1 if self.said.get("pool", "none") == "none" else 2)

    @property
    def squares(self) -> int:
        """The side of the squares of pixels that become channels."""
        chain = self.said["type"] if isinstance(self.said["type"], list) else ()
        return prod(s.get("space_to_depth", 1) for s in chain if isinstance(s, dict))


def stem(outside: Modules, stage: Sequence[Block]) -> Stem:
    """The stem before such a stage.

    Raises UnreadableError where the ops before the first block have no order.
    """
    own = {name: t for name, t in outside.items() if _kind(name) in NUMBERED}
    pool, deep = below(outside, "pool"), below(outside, "conv1")
    queues = pieces(own)
    if deep and "" not in deep:
        return _deep(queues, in_order(deep), in_order(pool))
    if "conv" not in queues:
        reads = _reads(stage[0])
        return Stem({"type": "none"}, reads, reads)
    conv, width = queues["conv"][0], queues["conv"][-1].gives
    blocks_norm = stem_norm(stage)
    if pool or _is_usual(queues, blocks_norm):
        word, usual = TYPES.get(conv.said["conv"], TYPES[3])
        said = {"type": word, "width": width, "pool": "conv" if pool else usual}
        found = _flat(queues), in_order(pool)
        words = words_of(*found)
        if "0" in pool and not words.norm:
            words = words._replace(norm="none")
        return Stem(said, width, conv.reads, words, _normed(*found))
    placed, image = _arranged(queues)
    voice = Voice(blocks_norm or "batch", {"activation": "relu"}, "width", width, width)
    return Stem({"type": steps(placed, voice, 2), "width": width}, width, image)


def _kind(name: str) -> str:
    """`conv` of `conv1`; of a norm behind the stages, which has no number, nothing."""
    word = name.rstrip("0123456789")
    return word if word != name or word == "prelu" else ""


def _flat(queues: Mapping[str, Sequence[Piece]]) -> list[Piece]:
    return [piece for each in queues.values() for piece in each]


def _is_usual(queues: Mapping[str, Sequence[Piece]], blocks_norm: str) -> bool:
    """Whether it is a convolution and its norm, the first block's, as a word says them."""
    kinds = {kind: len(each) for kind, each in queues.items()}
    if kinds != {"conv": 1, "norm": 1}:
        return False
    (conv,), (norm,) = queues["conv"], queues["norm"]
    whole = conv.said.keys() == {"conv"} and conv.reads not in (1, PIXELS)
    is_plain = norm.said in PLAIN and norm.reads == conv.gives
    is_plain &= not blocks_norm or norm.said == blocks_norm
    return whole and is_plain and conv.said["conv"] in TYPES


def _deep(
    queues: Mapping[str, Sequence[Piece]],
    chain: Sequence[Piece],
    pool: Sequence[Piece],
) -> Stem:
    """A stem of three convolutions."""
    convs = [piece for piece in chain if piece.kind == "conv"]
    if not convs:
        raise UnreadableError("a stem without a convolution")
    *inner, width = (piece.gives for piece in convs)
    word = "deep" if inner == [width // 2] * 2 else "tiered"
    if word == "tiered" and inner != [3 * width // 8, width // 2]:
        raise UnreadableError(
            f"a stem of {', '.join(map(str, inner))} and {width} channels"
        )
    said = {"type": word, "width": width, "pool": "conv" if pool else "max"}
    found = [*chain, *_flat(queues)]
    normed = _normed(_flat(queues), pool)
    words = words_of(found, pool)
    if not words.norm:  # by the place of its second convolution
        words = words._replace(norm="instance" if convs[1].number == 3 else "none")
    return Stem(said, width, convs[0].reads, words, normed)


def _normed(chain: Sequence[Piece], pool: Sequence[Piece]) -> bool:
    """Whether words have norms behind convolutions, and behind one that pools."""
    return any(piece.kind == "norm" for piece in pool or chain)


def _arranged(queues: Mapping[str, Sequence[Piece]]) -> tuple[list[Placed], int]:
    """The ops in order, of an image of so many channels, which the first ones may tell."""
    reads = queues["conv"][0].reads
    firsts = (next((p.reads for p in q if p.reads), reads) for q in queues.values())
    images = [COLORS] * (reads == PIXELS) + [*dict.fromkeys([reads, *firsts])]
    for squares, image in product((False, True), images):
        try:
            return arranged(queues, image, squares=squares), image
        except UnreadableError:
            continue
    raise UnreadableError("the ops of its stem have no order in which they read on")


def _reads(first: Block) -> int:
    """Channels that the first block reads, which nothing before it tells."""
    inside = {n: t for n, t in first.modules.items() if not n.startswith("downsample")}
    branch = in_order(below(first.modules, "downsample"))
    found = branch, pieces(inside).get("conv", [])
    firsts = (next((p.reads for p in each if p.reads), 1) for each in found)
    return max(firsts)
