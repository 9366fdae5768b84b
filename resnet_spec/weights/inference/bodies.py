"""What a spec says of blocks, by words or as chains, read off their shapes."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from resnet_spec.weights.inference.blocks import (
    ATTENTIONS,
    READ_BY,
    Block,
    Convolution,
    Data,
    UnreadableError,
    by_block,
    kinds,
    spatial,
)
from resnet_spec.weights.inference.squeezes import squeezes
from resnet_spec.weights.inference.widths import Channels, ruled

WORDED = {"conv", "bn", "norm", "prelu", "downsample", "IN", *ATTENTIONS}
"""What the modules of blocks that are words are called."""


def body_of(stages: Sequence[Sequence[Block]]) -> Data:
    """What is said of blocks that are words. Raises UnreadableError where they are none."""
    stages = [[_word_of(block, stage[0]) for block in stage] for stage in stages]
    words = [[next(kinds(block)) for block in stage] for stage in stages]
    data: Data = {"block": by_block(words), "stride_on": "conv2"}
    data["depths"] = [len(stage) for stage in stages]
    blocks = [block for stage in stages for block in stage]
    layers = [(conv.out, conv.layer) for conv in map(_three, blocks) if conv.layer]
    return data | spatial(layers) | _widths(stages) | _attention(stages)


def _word_of(block: Block, first: Block) -> Block:
    """The block, or the first of its stage where it lacks what its convolutions need."""
    for each in (block, first):
        tops = {name.partition(".")[0].rstrip("0123456789") for name in each.modules}
        if tops - WORDED:
            break
        if next(kinds(each), ""):
            return each
    raise UnreadableError(f"{block.at} is no word")


def _three(block: Block) -> Convolution:
    """Its 3x3, or the layer in place of that."""
    return block.convolution(2 if len(block.numbers) > 2 else 1)


def _widths(stages: Sequence[Sequence[Block]]) -> Data:
    """Widths, expansion and groups of blocks that are words."""
    blocks = [block for stage in stages for block in stage]
    deep = [block for block in blocks if len(block.numbers) > 2]
    if not deep:
        return {"widths": by_block([[_out(b) for b in stage] for stage in stages])}
    over = {Fraction(_three(b).out, b.convolution(1).out) for b in deep}
    reduced = over.pop()
    if over or reduced.denominator > 1:
        return _pruned(stages)
    said = ruled([[_channels(block) for block in stage] for stage in stages])
    return said | ({"reduce_first": int(reduced)} if reduced > 1 else {})


def _out(block: Block) -> int:
    return block.convolution(block.numbers[-1]).out


def _channels(block: Block) -> Channels:
    if len(block.numbers) < 3:
        return Channels(_out(block), _out(block), 1)
    conv = _three(block)
    groups = block.convolution(1).out // conv.read
    width = conv.out // (conv.layer or {}).get("scale", 1)
    return Channels(_out(block), width, max(groups, 1))


def _pruned(stages: Sequence[Sequence[Block]]) -> Data:
    """The widths of every block, where those of a block differ by another rule."""
    if any(len(block.numbers) != 3 for stage in stages for block in stage):
        raise UnreadableError("the widths of its blocks follow no rule")
    first, second = (
        [[block.convolution(n).out for block in stage] for stage in stages]
        for n in (1, 2)
    )
    out = [_out(stage[0]) for stage in stages]
    usual = {"widths": [64, 128, 256, 512][: len(stages)], "expansion": 4}
    return usual | {"pruned": {"conv1": first, "conv2": second, "out": out}}


def _attention(stages: Sequence[Sequence[Block]]) -> Data:
    found = [
        [next(filter(block.has, ATTENTIONS), "none") for block in stage]
        for stage in stages
    ]
    if {kind for row in found for kind in row} == {"none"}:
        return {}
    data: Data = {"attention": by_block(found)}
    if any(_is_inside(block) for stage in stages for block in stage):
        data["attention_after"] = "conv2"
    if any("se" in row for row in found):
        data["se"] = squeezes(stages)
    return data


def _is_inside(block: Block) -> bool:
    """Whether a bottleneck's attention reads what its 3x3 gives, and its last one does not."""
    if len(block.numbers) < 3:
        return False
    weights = (block.weight(f"{kind}.{name}") for kind, name in READ_BY.items())
    of = next((weight for weight in weights if weight), ())
    inner, out = block.convolution(2).out, _out(block)
    return len(of) > 1 and of[1] == inner != out
