"""How weights start: `lower` decides it, `build` applies it, `render` prints it."""

from __future__ import annotations

from typing import Literal, NamedTuple

Draw = Literal["kaiming_fan_out", "kaiming_fan_out_grouped", "normal_0.01", "zeros"]
"""Kaiming normal by fan-out (https://arxiv.org/abs/1502.01852) has the variance 2 / (kernel
height * kernel width * output channels). Grouped, that product is divided by the groups, as
timm 1.0 counts it for RegNets. The other normal has the standard deviation in its name."""

UNGROUPED: dict[Draw, Draw] = {"kaiming_fan_out_grouped": "kaiming_fan_out"}
"""What draws by groups are where every convolution has one."""


class Start(NamedTuple):
    """How weights start, and biases; without a `bias` those start as torch has it."""

    weight: Draw
    bias: Draw | None = None


class Init(NamedTuple):
    """How the weights of all 2-D convolutions start, and those of the classifier.

    Without a `classifier`, a linear one starts as torch has it, and one that is a
    convolution as the others. Norms start at weight 1 and bias 0, or as their op says.
    """

    convolutions: Start
    classifier: Start | None = None
