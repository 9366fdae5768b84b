"""Attention: how a block weighs the channels of its body."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from resnet_spec.language.fields import Spec
from resnet_spec.lowering.parts import Part, rounded
from resnet_spec.network import (
    BareSqueezeExcite,
    ConvBlockAttention,
    EfficientChannelAttention,
    Number,
    SqueezeExcite,
)


class Weighed(NamedTuple):
    """What is weighed: its channels, and those that it would have if nothing were pruned.

    `block_in` are the channels that the block reads.
    """

    channels: int
    unpruned: int
    block_in: int


def se(spec: Spec, x: Weighed) -> Part:
    """x * sigmoid(conv1x1(relu(conv1x1(mean(x))))), squeezed to a ratio of channels.

    Halves of the ratio of a block's input go to the even number, as in timm 1.0's RegNets.
    """
    ratio, divisor = spec.se.ratio, spec.se.divisor
    if spec.se.ratio_of == "input":
        whole = x.block_in
        size = max(round(whole * ratio / divisor), 1) * divisor
    else:
        whole = x.channels
        size = rounded(whole * ratio, divisor)
    over = (whole, round(1 / spec.se.ratio))
    squeezed = Number(size, "squeezed", over=over)
    made = SqueezeExcite if spec.se.bias else BareSqueezeExcite
    return lambda x: made(path="se", input=x, squeezed=squeezed)


def eca(_: Spec, x: Weighed) -> Part:
    """x * sigmoid(conv(mean(x))), of a kernel that grows with the logarithm of channels.

    The odd number next above (log2(C) + 1) / 2 rounded down, at least 3: timm 1.0's rule.
    """
    half = int((math.log2(x.unpruned) + 1) / 2)
    kernel = Number(max(half if half % 2 else half + 1, 3), "kernel")
    return lambda x: EfficientChannelAttention(path="eca", input=x, kernel=kernel)


def cbam(_: Spec, x: Weighed) -> Part:
    """Attention to channels by a sixteenth of them, then to pixels by a 7x7 convolution."""
    size = max(x.channels // 16, 1)
    squeezed = Number(size, "squeezed", over=(x.channels, 16))
    return lambda x: ConvBlockAttention(path="cbam", input=x, squeezed=squeezed)


ATTENTION: dict[str, Callable[[Spec, Weighed], Part]] = {
    "se": se,
    "eca": eca,
    "cbam": cbam,
}
