"""Stem and head, read off the shapes of the tensors that lie outside of blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any, NamedTuple

from resnet_spec.weights.inference.blocks import Block, Data, UnreadableError
from resnet_spec.weights.inference.orders import PLAIN, Placed, Voice, arranged, steps
from resnet_spec.weights.inference.pieces import (
    NUMBERED,
    Modules,
    Piece,
    below,
    bounded,
    in_order,
    pieces,
)

TYPES = {7: ("conv7x7", "max"), 3: ("conv3x3", "none"), 1: ("conv1x1", "none")}
PIXELS = 48  # channels that a convolution reads of 4 x 4 pixels of three
COLORS = 3


class Words(NamedTuple):
    """What the words of a stem or a head stand for; empty where it has none."""

    norm: str = ""
    activation: str = ""


class Stem(NamedTuple):
    """What `stem` says, the channels that it gives, and those of the image.

    `normed` says whether a norm that a word stands for is behind its last convolution.
    """

    said: Data
    width: int
    image: int
    words: Words = Words()
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


def stem(outside: Modules, first: Block) -> Stem:
    """Raises UnreadableError where the ops before the first block have no order."""
    own = {name: t for name, t in outside.items() if _kind(name) in NUMBERED}
    pool, deep = below(outside, "pool"), below(outside, "conv1")
    queues = pieces(own)
    if deep and "" not in deep:
        return _deep(queues, in_order(deep), in_order(pool))
    if "conv" not in queues:
        reads = _reads(first)
        return Stem({"type": "none"}, reads, reads)
    conv, width = queues["conv"][0], queues["conv"][-1].gives
    if pool or _is_usual(queues):
        word, usual = TYPES.get(conv.said["conv"], TYPES[3])
        said = {"type": word, "width": width, "pool": "conv" if pool else usual}
        found = _flat(queues), in_order(pool)
        return Stem(said, width, conv.reads, _words(*found), _normed(*found))
    placed, image = _arranged(queues)
    voice = Voice("batch", {"activation": "relu"}, "width", width, width)
    return Stem({"type": steps(placed, voice, 2), "width": width}, width, image)


def _kind(name: str) -> str:
    """`conv` of `conv1`; of a norm behind the stages, which has no number, nothing."""
    word = name.rstrip("0123456789")
    return word if word != name or word == "prelu" else ""


def _flat(queues: Mapping[str, Sequence[Piece]]) -> list[Piece]:
    return [piece for each in queues.values() for piece in each]


def _is_usual(queues: Mapping[str, Sequence[Piece]]) -> bool:
    """Whether it is a convolution and its norm, as a word says them."""
    kinds = {kind: len(each) for kind, each in queues.items()}
    if kinds != {"conv": 1, "norm": 1}:
        return False
    (conv,), (norm,) = queues["conv"], queues["norm"]
    whole = conv.said.keys() == {"conv"} and conv.reads not in (1, PIXELS)
    is_plain = norm.said in PLAIN and norm.reads == conv.gives
    return whole and is_plain and conv.said["conv"] in TYPES


def _deep(
    queues: Mapping[str, Sequence[Piece]],
    chain: Sequence[Piece],
    pool: Sequence[Piece],
) -> Stem:
    """A stem of three convolutions."""
    convs = [piece for piece in chain if piece.kind == "conv"]
    *inner, width = (piece.gives for piece in convs)
    word = "deep" if inner == [width // 2] * 2 else "tiered"
    if word == "tiered" and inner != [3 * width // 8, width // 2]:
        raise UnreadableError(
            f"a stem of {', '.join(map(str, inner))} and {width} channels"
        )
    said = {"type": word, "width": width, "pool": "conv" if pool else "max"}
    found = [*chain, *_flat(queues)]
    normed = _normed(_flat(queues), pool)
    return Stem(said, width, convs[0].reads, _words(found, pool), normed)


def _normed(chain: Sequence[Piece], pool: Sequence[Piece]) -> bool:
    """Whether words have norms behind convolutions, and behind one that pools."""
    return any(piece.kind == "norm" for piece in pool or chain)


def _arranged(queues: Mapping[str, Sequence[Piece]]) -> tuple[list[Placed], int]:
    """The ops in order, of an image of so many channels, which the first ones may tell."""
    reads = queues["conv"][0].reads
    others = [each[0].reads for each in queues.values() if each[0].reads]
    images = [COLORS] * (reads == PIXELS) + [*dict.fromkeys([reads, *others])]
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


def _words(*found: Sequence[Piece]) -> Words:
    """What words stand for, of the ops that are there."""
    every = [piece for each in found for piece in each]
    norms = [piece.said for piece in every if piece.kind == "norm"]
    prelu = any(piece.kind == "prelu" for piece in every)
    return Words(norms[0] if norms else "", "prelu" if prelu else "")


# --- head ---------------------------------------------------------------------------------


class Head(NamedTuple):
    """What `head` says, what its words stand for, and the sides of a last map that it wants,
    where it takes only one."""

    said: Data
    words: Words
    sides: tuple[int, int] | None


def head(outside: Modules, channels: int) -> Head:
    """Of the last map's channels. Raises UnreadableError where features are no pixels."""
    data: Data = {}
    sides = None
    final = in_order(below(outside, "final"))
    if final:
        data["pre"] = [*_before(final, channels)]
        channels = next((p.gives for p in reversed(final) if p.gives), channels)
    if "attnpool" in outside:
        data["pool"] = "attention"
        sides = (round((outside["attnpool"]["pos_embed"][0] - 1) ** 0.5),) * 2
    fc = outside.get("fc", {})
    hidden = below(outside, "hidden")
    layers, dropped = _layers(hidden, "fc" in outside)
    first = layers[0] if layers and len(layers[0]) == 1 else ()
    is_flat = bool(first) and first != (channels,)  # a norm of flat features
    linear = next((shape for shape in layers if len(shape) == 2), fc.get("weight", ()))
    features = linear[1] if len(linear) == 2 else channels
    features = first[0] if first and is_flat else features
    if features % channels:
        raise UnreadableError(
            f"{features} features are no pixels of {channels} channels"
        )
    if (pixels := features // channels) > 1:
        data["pool"] = "statistics" if is_flat else "none"
        height = pixels // 2 if is_flat else _height(pixels)
        sides = (height, 2 if is_flat else pixels // height)
    data |= {"dropout": 0.1} if dropped else {}
    if layers:
        words = ("activation", "norm")
        data["hidden"] = [s[0] if len(s) == 2 else words[bool(s)] for s in layers]
    data |= {"classifier": "conv"} if len(fc.get("weight", ())) == 4 else {}
    data |= {"bias": False} if fc and "bias" not in fc else {}
    data["classes"] = fc["weight"][0] if "weight" in fc else "none"
    known = {"": outside["norm"]} if "norm" in outside else {}
    words_of = _words(in_order(known), in_order(hidden))
    if len(final) > 1 and final[-1].kind == "norm" and not words_of.activation:
        data["pre"].append("activation")
    return Head(data, words_of, sides)


def _height(pixels: int) -> int:
    """The height of the map of so many pixels that is next to a square."""
    return max(n for n in range(1, int(pixels**0.5) + 1) if pixels % n == 0)


def _before(final: Sequence[Piece], channels: int) -> Iterator[Any]:
    """The chain before the pool."""
    for piece in final:
        if piece.kind == "conv":
            groups = channels // piece.reads
            yield {**piece.said, "to": piece.gives} | (
                {"groups": groups} if groups > 1 else {}
            )
            channels = piece.gives
        elif piece.kind == "norm":
            yield {"norm": piece.said}
        else:
            yield {"activation": "prelu" if piece.kind == "prelu" else "relu"}


def _layers(hidden: Modules, classified: bool) -> tuple[list[tuple[int, ...]], bool]:
    """Hidden layers: the shape of a linear one, the channels of a norm alone, and nothing of
    an activation; and whether a dropout stands before the one linear layer."""
    found = {bounded(name): tensors for name, tensors in hidden.items()}
    linear = [i for i in sorted(found) if len(found[i].get("weight", ())) == 2]
    first = linear[0] if linear else 0
    dropped = linear == [1] and 0 not in found and not classified
    made: list[tuple[int, ...]] = []
    for i in range(max(found, default=-1) + 1):
        if i == first - 1 and i not in found and (first > 1 or dropped):
            continue  # what flattens the map, or drops
        tensors = found.get(i, {})
        made.append(tensors.get("weight", ()) if "bias" in tensors else ())
    return made, dropped
