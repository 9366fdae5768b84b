"""The network as a frozen tree, Network > Stage > Block > Op, with every shape known."""

from resnet_spec.ir.network import Block, Network, Shortcut, Sizes, Stage
from resnet_spec.ir.numbers import Condition, Number, named_numbers
from resnet_spec.ir.ops import (
    Activation,
    AvgPool,
    BatchNorm,
    Chain,
    Conv,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Layer,
    Linear,
    MaxPool,
    Op,
    PadChannels,
    Windowed,
)
from resnet_spec.ir.shapes import Lengths, Shape

__all__ = [
    "Activation",
    "AvgPool",
    "BatchNorm",
    "Block",
    "Chain",
    "Condition",
    "Conv",
    "Dropout",
    "Flatten",
    "GlobalAvgPool",
    "Layer",
    "Lengths",
    "Linear",
    "MaxPool",
    "Network",
    "Number",
    "Op",
    "PadChannels",
    "Shape",
    "Shortcut",
    "Sizes",
    "Stage",
    "Windowed",
    "named_numbers",
]
