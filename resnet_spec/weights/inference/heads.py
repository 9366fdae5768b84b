"""What follows the blocks, read off the shapes of its tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from resnet_spec.weights.inference.blocks import Block, Data, UnreadableError
from resnet_spec.weights.inference.pieces import (
    Piece,
    below,
    bounded,
    in_order,
    words_of,
)
from resnet_spec.weights.inference.styles import Modules, Style, own_activation


class Head(NamedTuple):
    """What `head` says, what its words stand for, and the sides of a last map that it wants,
    where it takes only one."""

    said: Data
    words: Style
    sides: tuple[int, int] | None


def head(outside: Modules, last: Block, learns: bool) -> Head:
    """What follows such a block; `learns` says that its first activation has slopes.

    Raises UnreadableError where features are no pixels.
    """
    data: Data = {}
    channels = last.convolution(last.numbers[-1]).out
    final = in_order(below(outside, "final"))
    if final:
        data["pre"] = [*_before(final, channels)]
        channels = next((p.gives for p in reversed(final) if p.gives), channels)
    fc = outside.get("fc", {})
    hidden = below(outside, "hidden")
    learned = own_activation(last) == "prelu"
    layers, dropped = _layers(hidden, "fc" in outside, learned)
    linear = next((shape for shape in layers if len(shape) == 2), fc.get("weight", ()))
    pool, sides = _pool(layers[:1], linear, channels)
    if "attnpool" in outside:
        pixels = outside["attnpool"]["pos_embed"][0] - 1
        pool, sides = "attention", (round(pixels**0.5),) * 2
    data |= {"pool": pool} if pool else {}
    data |= {"dropout": 0.1} if dropped else {}
    if layers:
        kinds = ("activation", "norm")
        data["hidden"] = [s[0] if len(s) == 2 else kinds[bool(s)] for s in layers]
    data |= {"classifier": "conv"} if len(fc.get("weight", ())) == 4 else {}
    data |= {"bias": False} if fc and "bias" not in fc else {}
    data["classes"] = fc["weight"][0] if "weight" in fc else "none"
    known = {"": outside["norm"]} if "norm" in outside else {}
    words = words_of(in_order(known), in_order(hidden))
    words = words._replace(activation="prelu") if learns else words
    if len(final) > 1 and final[-1].kind == "norm" and not words.activation:
        data["pre"].append("activation")
    return Head(data, words, sides)


def _pool(
    layers: Sequence[tuple[int, ...]], linear: tuple[int, ...], channels: int
) -> tuple[str, tuple[int, int] | None]:
    """What becomes of the last map where its pixels are features, and the sides of that map.

    `layers` has the first hidden layer, `linear` is the shape of the first linear one.
    """
    first = layers[0] if layers and len(layers[0]) == 1 else ()
    is_flat = bool(first) and first != (channels,)  # a norm of flat features
    features = linear[1] if len(linear) == 2 else channels
    features = first[0] if first and is_flat else features
    pixels, left = divmod(features, channels)
    if left:
        raise UnreadableError(
            f"{features} features are no pixels of {channels} channels"
        )
    if pixels <= 1:
        return "", None
    if is_flat:
        return "statistics", (pixels // 2, 2)
    height = _height(pixels)
    return "none", (height, pixels // height)


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


def _layers(
    hidden: Modules, classified: bool, learned: bool
) -> tuple[list[tuple[int, ...]], bool]:
    """Hidden layers: the shape of a linear one, the channels of a norm alone, and nothing of
    an activation; and whether a dropout stands before the last linear one.

    What has no tensors is what flattens the map, or a dropout where no classifier follows, or
    an activation, if it has not `learned` slopes.
    """
    found = {bounded(name): tensors for name, tensors in hidden.items()}
    linear = [i for i in sorted(found) if len(found[i].get("weight", ())) == 2]
    first, before = (linear[0], linear[-1] - 1) if linear else (0, -1)
    is_alone = before == first - 1
    dropped = before >= 0 and not classified and before not in found
    dropped &= before == 0 or (learned and not (is_alone and before - 1 in found))
    flattens = first - 1 - (dropped and is_alone)
    left = {before} if dropped else set()
    left |= {flattens} if flattens > 0 else set()
    made: list[tuple[int, ...]] = []
    for i in range(max(found, default=-1) + 1):
        if i in left and i not in found:
            continue
        tensors = found.get(i, {})
        made.append(tensors.get("weight", ()) if "bias" in tensors else ())
    return made, dropped
