"""Attention: how a block weighs the channels of its body."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from resnet_spec.language.plan import StagePlan
from resnet_spec.lowering.parts import ANY, Part, activation, rounded
from resnet_spec.network import (
    BilinearAttention,
    ConvBlockAttention,
    EfficientChannelAttention,
    GlobalContext,
    Number,
    SqueezeExcite,
    VariedSqueezeExcite,
)


class Weighed(NamedTuple):
    """What is weighed: its channels, and those that it would have if nothing were pruned.

    `block_in` are the channels that the block reads.
    """

    channels: int
    unpruned: int
    block_in: int


def se(stage: StagePlan, x: Weighed) -> Part:
    """x * sigmoid(conv1x1(relu(conv1x1(mean(x))))), squeezed to a ratio of channels.

    Halves of the ratio of a block's input go to the even number, as in timm 1.0's RegNets.
    """
    said, ratio = stage.spec.se, stage.value("se.ratio")
    if said.ratio_of == "input":
        whole = x.block_in
        size = max(round(whole * ratio / said.divisor), 1) * said.divisor
    else:
        whole = x.channels
        size = rounded(whole * ratio, said.divisor)
    over = (whole, round(1 / ratio))
    squeezed = Number(max(size, said.least), "squeezed", over=over)
    if said.bias and said.activation == "relu":
        return lambda x: SqueezeExcite(path="se", input=x, squeezed=squeezed)
    inside = activation(said.activation)(ANY)
    return lambda x: VariedSqueezeExcite(
        path="se", input=x, squeezed=squeezed, bias=said.bias, activation=inside
    )


def eca(_: StagePlan, x: Weighed) -> Part:
    """x * sigmoid(conv(mean(x))), of a kernel that grows with the logarithm of channels.

    The odd number next above (log2(C) + 1) / 2 rounded down, at least 3: timm 1.0's rule.
    """
    half = int((math.log2(x.unpruned) + 1) / 2)
    kernel = Number(max(half if half % 2 else half + 1, 3), "kernel")
    return lambda x: EfficientChannelAttention(path="eca", input=x, kernel=kernel)


def cbam(_: StagePlan, x: Weighed) -> Part:
    """Attention to channels by a sixteenth of them, then to pixels by a 7x7 convolution."""
    size = max(x.channels // 16, 1)
    squeezed = Number(size, "squeezed", over=(x.channels, 16))
    return lambda x: ConvBlockAttention(path="cbam", input=x, squeezed=squeezed)


def bat(_: StagePlan, x: Weighed) -> Part:
    """x + conv(P y Q), y of a quarter of the channels, rounded to 8 and not below 0.9 of it.

    timm 1.0's rule.
    """
    size = rounded(x.channels / 4, 8)
    size += 8 * (size < 0.9 * x.channels / 4)
    squeezed = Number(size, "squeezed", over=(x.channels, 4))
    return lambda x: BilinearAttention(path="bat", input=x, squeezed=squeezed)


def gca(_: StagePlan, x: Weighed) -> Part:
    """x + conv1x1(relu(norm(conv1x1(mean(x))))), of a mean with weights, by an eighth."""
    size = rounded(x.channels / 8, 1)
    squeezed = Number(size, "squeezed", over=(x.channels, 8))
    return lambda x: GlobalContext(path="gca", input=x, squeezed=squeezed)


ATTENTION: dict[str, Callable[[StagePlan, Weighed], Part]] = {
    "se": se,
    "eca": eca,
    "cbam": cbam,
    "gca": gca,
    "bat": bat,
}
