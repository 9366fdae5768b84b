"""Whole specs of blocks of one's own, which say of each block what its tensors say."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from resnet_spec.weights.inference.blocks import Block, Data, by_block
from resnet_spec.weights.inference.chained import Read, blocks_of, common
from resnet_spec.weights.inference.ends import Ends
from resnet_spec.weights.inference.fields import dividing
from resnet_spec.weights.inference.heads import Head
from resnet_spec.weights.inference.own_blocks import said
from resnet_spec.weights.inference.pieces import below
from resnet_spec.weights.inference.stems import Stem
from resnet_spec.weights.inference.styles import Modules, Style, layers_norm, norms_in

USUAL = 224  # pixels along a side
SMALL = 32


def whole(
    outside: Modules,
    stages: Sequence[Sequence[Block]],
    ends: Ends,
    before: bool,
) -> Data:
    """A spec with such tensors, with norms before convolutions or behind them.

    Raises UnreadableError where the ops of a block have no order.
    """
    stem, head = ends
    reads = blocks_of(stages, stem.width, before)
    styles = _styles(stages, reads, ends)
    norms = [[style.norm for style in row] for row in styles]
    activations = [[style.activation for style in row] for row in styles]
    blocks = said(stages, reads, styles)
    return {
        "name": "Inferred",
        "title": "Inferred from a checkpoint",
        "input": image(stem, head, blocks["strides"]),
        "stem": stem.said,
        **blocks,
        "activation": by_block(activations),
        "conv_bias": _biases(outside, stages),
        "norm": {"type": by_block(norms), "groups": _dividing(outside, stages)},
        "head": head.said,
        **preact(outside, stages, stem),
    }


def _styles(
    stages: Sequence[Sequence[Block]],
    reads: Sequence[Sequence[Read]],
    ends: Ends,
) -> list[list[Style]]:
    """What words stand for in each block: in layers in place of a 3x3, and in stem and head,
    whose are the first block's and the last one's; elsewhere in most blocks."""
    usual = Style(common(reads), "relu")
    made = [
        [usual._replace(norm=layers_norm(block) or usual.norm) for block in stage]
        for stage in stages
    ]
    for row, at, words in ((made[0], 0, ends[0].words), (made[-1], -1, ends[1].words)):
        norm, activation = words.norm or row[at].norm, words.activation
        row[at] = Style(norm, activation or row[at].activation)
    return made


def image(stem: Stem, head: Head, strides: Sequence[Any]) -> list[int]:
    """Channels, height and width of an image that the network takes."""
    if head.sides:
        total = stem.stride * prod(prod(_each(stride)) for stride in strides)
        return [stem.image, *(total * side for side in head.sides)]
    is_small = len(strides) <= 3 and stem.said.get("pool", "none") == "none"
    side = (SMALL if is_small else USUAL) * stem.squares
    return [stem.image, side, side]


def _each(value: Any) -> list[int]:
    return value if isinstance(value, list) else [value]


def _every(outside: Modules, stages: Sequence[Sequence[Block]]) -> list[Modules]:
    """The modules outside of blocks, and those of each block."""
    return [outside, *(block.modules for row in stages for block in row)]


def is_preact(outside: Modules, stages: Sequence[Sequence[Block]]) -> bool:
    """Whether batch norms are called as they are in pre-activation networks, or the stem's
    last convolution has none behind it, as those before have."""
    deep = norms_in(below(outside, "conv1"))
    return (
        bool({"norm", "pool"} & {*outside})
        or bool(deep and not {"bn1", "norm1"} & {*outside})
        or any(
            name.startswith("norm") and "running_mean" in tensors
            for modules in _every(outside, stages)
            for name, tensors in modules.items()
        )
    )


def preact(outside: Modules, stages: Sequence[Sequence[Block]], stem: Stem) -> Data:
    """What a spec says of those."""
    if not is_preact(outside, stages):
        return {}
    final = "norm" in outside
    told = {"shortcut": "activated", "first": "own"}
    return {"preact": {**told, "stem_norm": stem.normed, "final_norm": final}}


def _biases(outside: Modules, stages: Sequence[Sequence[Block]]) -> str:
    """What gives biases to convolutions of which a word alone is said."""
    is_word = {"pool", "pool.0", "conv1.0"} & {*outside}
    asked = any(
        f"{name}.".startswith(("conv1.", "pool.")) and "bias" in tensors
        for name, tensors in outside.items()
        if len(tensors.get("weight", ())) == 4
    )
    if not (is_word and asked):
        return "none"
    convs = [
        t
        for m in _every(outside, stages)
        for t in m.values()
        if len(t.get("weight", ())) == 4
    ]
    return "all" if all("bias" in tensors for tensors in convs) else "unnormalized"


def _dividing(outside: Modules, stages: Sequence[Sequence[Block]]) -> int:
    """Groups into which the channels of all norms can be divided."""
    sizes = {
        tensors["weight"][0]
        for modules in _every(outside, stages)
        for tensors in modules.values()
        if len(tensors.get("weight", ())) == 1 and "bias" in tensors
    }
    return dividing(sizes)
