"""What a spec says of blocks, by words or as chains, read off their shapes."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_spec.weights.inference.blocks import (
    ATTENTIONS,
    READ_BY,
    Block,
    Data,
    UnreadableError,
    alike,
    kinds,
    ratio,
    squeezes,
)

WORDED = {"conv", "bn", "norm", "prelu", "downsample", "IN", *ATTENTIONS}
"""What the modules of blocks that are words are called."""


def body_of(stages: Sequence[Sequence[Block]]) -> Data:
    """What is said of blocks that are words. Raises UnreadableError where they are none."""
    words = [next(kinds(stage[0]), None) for stage in stages]
    for stage, word in zip(stages, words, strict=True):
        others = {top for block in stage for top in _tops(block)} - WORDED
        if not word or others:
            raise UnreadableError(f"the blocks of {stage[0].at} are no words")
    data: Data = {"block": alike(words), "stride_on": "conv2"}
    data["depths"] = [len(stage) for stage in stages]
    return data | _widths(stages, words) | _attention(stages, words)


def _tops(block: Block) -> set[str]:
    return {name.partition(".")[0].rstrip("0123456789") for name in block.modules}


def _widths(stages: Sequence[Sequence[Block]], words: Sequence[str | None]) -> Data:
    """Widths, expansion and groups of blocks that are words."""
    data: Data = {}
    first = [stage[0] for stage in stages]
    outs = [b.convolution(b.numbers[-1]).out for b in first]
    inner = [b.convolution(min(2, len(b.numbers) - 1)).out for b in first]
    layers = [
        b.convolution(2 if w == "bottleneck" else 1).layer
        for b, w in zip(first, words, strict=True)
    ]
    if any(layers):
        data["spatial"] = _spatial(first, layers)
    if all(word == "basic" for word in words):
        return {"widths": outs, **data}
    inner = [b.convolution(2).out for b in first]
    groups = [
        b.convolution(1).out // b.convolution(2).read if w == "bottleneck" else 1
        for b, w in zip(first, words, strict=True)
    ]
    reduced = {
        b.convolution(2).out // b.convolution(1).out
        for b, w in zip(first, words, strict=True)
        if w == "bottleneck"
    }
    reduce = max(reduced) if len(reduced) == 1 else 1
    groups = [max(g, 1) for g in groups]
    scales = [layer.get("scale", 1) if layer else 1 for layer in layers]
    inner = [w // scale for w, scale in zip(inner, scales, strict=True)]
    if (pruned := _pruned(stages, outs)) is not None:
        return {
            "widths": [64, 128, 256, 512][: len(stages)],
            "expansion": 4,
            "pruned": pruned,
        }
    if all(out % width == 0 for out, width in zip(outs, inner, strict=True)):
        data["widths"] = inner
        data["expansion"] = alike(
            [out // w for out, w in zip(outs, inner, strict=True)]
        )
    else:
        data |= _shared_widths(outs, inner, groups)
    each = [w // g for w, g in zip(inner, groups, strict=True)]
    if len({*groups}) > 1 and len({*each}) == 1 and "width_per_group" not in data:
        data["group_width"] = each[0]
    elif any(g > 1 for g in groups):
        data["groups"] = alike(groups)
    if reduce > 1:
        data["reduce_first"] = reduce
    return data


def _spatial(first: Sequence[Block], layers: Sequence[Data | None]) -> Data:
    """The layer in place of a 3x3, with the ratio that all stages have."""
    layer = {**next(layer for layer in layers if layer)}
    if layer.pop("chosen", None):
        outs = [b.convolution(min(2, len(b.numbers) - 1)).out for b in first]
        pairs = [
            (each["chosen"], out)
            for each, out in zip(layers, outs, strict=True)
            if each
        ]
        layer |= ratio(pairs)
    return layer


def _shared_widths(outs: list[int], inner: list[int], groups: list[int]) -> Data:
    """Widths of which the 3x3's are another share in every stage, as in Res2Net."""
    for expansion in (4, 2, 8, 1):
        widths = [out // expansion for out in outs]
        each = {
            w2 * 64 // (width * g) if width else 0
            for w2, width, g in zip(inner, widths, groups, strict=True)
        }
        for share in sorted(each | {value + 1 for value in each}):
            made = [w * share // 64 * g for w, g in zip(widths, groups, strict=True)]
            if made == inner and share:
                return {
                    "widths": widths,
                    "expansion": expansion,
                    "width_per_group": share,
                }
    raise UnreadableError("the widths of its blocks follow no rule")


def _pruned(stages: Sequence[Sequence[Block]], outs: list[int]) -> Data | None:
    """The widths of every block, where those of a stage differ."""
    each = [[[b.convolution(n).out for n in b.numbers] for b in s] for s in stages]
    if all(block == stage[0] for stage in each for block in stage):
        return None
    if any(len(block) != 3 for stage in each for block in stage):
        return None
    return {
        "conv1": [[block[0] for block in stage] for stage in each],
        "conv2": [[block[1] for block in stage] for stage in each],
        "out": outs,
    }


def _attention(stages: Sequence[Sequence[Block]], words: Sequence[str | None]) -> Data:
    found = [
        next((a for a in ATTENTIONS if any(b.has(a) for b in stage)), "none")
        for stage in stages
    ]
    if {*found} == {"none"}:
        return {}
    data: Data = {"attention": alike(found)}
    after = False
    for stage, word in zip(stages, words, strict=True):
        block = stage[0]
        if word == "bottleneck":
            weights = (block.weight(f"{kind}.{name}") for kind, name in READ_BY.items())
            of = next((weight for weight in weights if weight), ())
            inner, out = block.convolution(2).out, block.convolution(3).out
            after |= len(of) > 1 and of[1] == inner != out
    if after:
        data["attention_after"] = "conv2"
    if "se" in found:
        data["se"] = squeezes(stages)
    return data
