"""Whole specs of blocks of one's own, which say of each block what its tensors say."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from resnet_spec.weights.inference.blocks import Block, Data, alike
from resnet_spec.weights.inference.chained import blocks_of, common
from resnet_spec.weights.inference.ends import Head, Stem
from resnet_spec.weights.inference.fields import dividing
from resnet_spec.weights.inference.own_blocks import Styles, said
from resnet_spec.weights.inference.pieces import Modules

USUAL = 224  # pixels along a side
SMALL = 32


def whole(
    outside: Modules,
    stages: Sequence[Sequence[Block]],
    ends: tuple[Stem, Head],
    before: bool,
) -> Data:
    """A spec with such tensors, with norms before convolutions or behind them.

    Raises UnreadableError where the ops of a block have no order.
    """
    stem, head = ends
    reads = blocks_of(stages, stem.width, before)
    usual = [common(reads)] * len(stages)
    styles = Styles(
        _with_ends(usual, stem.words.norm, head.words.norm),
        _with_ends(
            ["relu"] * len(stages), stem.words.activation, head.words.activation
        ),
    )
    blocks = said(stages, reads, styles)
    return {
        "name": "Inferred",
        "title": "Inferred from a checkpoint",
        "input": image(stem, head, blocks["strides"]),
        "stem": stem.said,
        **blocks,
        "activation": alike(styles.activations),
        "conv_bias": _biases(outside, stages),
        "norm": {"type": alike(styles.norms), "groups": _dividing(outside, stages)},
        "head": head.said,
        **preact(outside, stages, stem),
    }


def _with_ends(usual: Sequence[str], first: str, last: str) -> list[str]:
    """What words stand for in each stage: the stem's is the first's, the head's the last's."""
    made = [*usual]
    made[0] = first or made[0]
    made[-1] = last or made[-1]
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
    """Whether batch norms are called as they are in pre-activation networks."""
    return "norm" in outside or any(
        name.startswith("norm") and "running_mean" in tensors
        for modules in _every(outside, stages)
        for name, tensors in modules.items()
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
