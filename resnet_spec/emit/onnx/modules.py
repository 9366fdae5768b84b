"""The nodes of the ops that `torch.nn` has. Each gives the name of its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import gcd
from typing import Any

import numpy as np

from resnet_spec.emit.onnx.graph import Array, At
from resnet_spec.network import (
    Activation,
    AvgPool,
    BatchNorm,
    Conv,
    Dropout,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    GroupNorm,
    Identity,
    InstanceNorm,
    Linear,
    MaxPool,
    Op,
    PReLU,
    StdConv2d,
    Windowed,
    ZeroPad,
    sides,
)
from resnet_spec.passes.folding import STATISTICS, standardized

Nodes = Callable[[Any, At, str], str]
"""Of an op at its place, on what it reads."""


def window(op: Windowed) -> dict[str, Any]:
    """The attributes that convolutions and pools share."""
    return {
        "kernel_shape": [*sides(op.kernel)],
        "strides": [*sides(op.stride)],
        "pads": [op.padding] * 4,
        "dilations": [op.dilation] * 2,
    }


def conv(op: Conv, at: At, x: str) -> str:
    return _convolved(op, at, x, at.array("weight"))


def std_conv(op: StdConv2d, at: At, x: str) -> str:
    """Its filters are standardized once, here."""
    weight = at.values("weight")
    filters = standardized(weight.reshape(len(weight), -1), op.eps)
    return _convolved(op, at, x, filters.reshape(weight.shape))


def _convolved(op: Conv, at: At, x: str, filters: Array) -> str:
    """By filters (out_channels, channels of a group, height, width)."""
    groups, each = int(op.groups), filters.shape[1]
    least = at.graph.group_width
    together = gcd(groups, least // each) if 1 < each < least else 1
    if together > 1:
        filters = _together(filters, groups, together)
    at.held("weight", filters)
    reads = at.weights(bias=op.bias)
    return at.node("Conv", x, *reads, group=groups // together, **window(op))


def _together(filters: Array, groups: int, together: int) -> Array:
    """Filters of so many groups together, which are zero on what another group reads."""
    channels, each, *kernel = filters.shape
    split = filters.reshape(-1, together, channels // groups, each, *kernel)
    made = np.zeros((*split.shape[:3], together, *split.shape[3:]), filters.dtype)
    for i in range(together):
        made[:, i, :, i] = split[:, i]
    return made.reshape(channels, together * each, *kernel)


def batch_norm(at: At, x: str, eps: float = 1e-5) -> str:
    reads = map(at.tensor, STATISTICS)
    return at.node("BatchNormalization", x, *reads, epsilon=eps)


def group_norm(op: GroupNorm, at: At, x: str) -> str:
    reads, groups = at.weights(), int(op.groups)
    return at.node("GroupNormalization", x, *reads, epsilon=op.eps, num_groups=groups)


def instance_norm(op: InstanceNorm, at: At, x: str) -> str:
    channels = int(op.input.channels)
    if op.affine:
        reads = at.weights()
    else:
        reads = [
            at.graph.constant(np.ones(channels)),
            at.graph.constant(np.zeros(channels)),
        ]
    return at.node("InstanceNormalization", x, *reads, epsilon=op.eps)


ACTIVATIONS: dict[str, tuple[str, Mapping[str, float]]] = {
    "ReLU": ("Relu", {}),
    "LeakyReLU": ("LeakyRelu", {"alpha": 0.01}),
    "ELU": ("Elu", {"alpha": 1.0}),
    "GELU": ("Gelu", {}),
    "Mish": ("Mish", {}),
    "Hardswish": ("HardSwish", {}),
}
"""The operator for each class of torch's that has one, with what that takes by default."""


def activation(op: Activation, at: At, x: str) -> str:
    if op.kind == "SiLU":
        return at.node("Mul", x, at.node("Sigmoid", x, name="sigmoid"))
    if op.kind == "ReLU6":
        return at.node("Clip", x, at.graph.constant(0), at.graph.constant(6))
    if op.kind not in ACTIVATIONS:
        raise NotImplementedError(f"{op.kind} has no nodes of ONNX")
    kind, defaults = ACTIVATIONS[op.kind]
    given = dict(op.arguments)
    named = {"alpha": given.get("negative_slope", given.get("alpha"))}
    asked = {name: value for name, value in named.items() if value is not None}
    settings: dict[str, Any] = {**defaults, **asked} if defaults else {}
    return at.node(kind, x, **settings)


def prelu(_: PReLU, at: At, x: str) -> str:
    return at.node("PRelu", x, at.by_channel("weight"))


def max_pool(op: MaxPool, at: At, x: str) -> str:
    return at.node("MaxPool", x, ceil_mode=int(op.ceil), **window(op))


def avg_pool(op: AvgPool, at: At, x: str) -> str:
    """Padding counts; pixels beyond it, which rounding up reads, do not."""
    counted = int(bool(op.padding))
    settings = {"ceil_mode": int(op.ceil), "count_include_pad": counted} | window(op)
    return at.node("AveragePool", x, **settings)


def zero_pad(op: ZeroPad, at: At, x: str) -> str:
    sizes = [0, 0, op.padding, op.padding] * 2
    return at.node("Pad", x, at.graph.whole(*sizes))


def identity(_: Op, __: At, x: str) -> str:
    return x


MODULES: dict[type[Op], Nodes] = {
    Activation: activation,
    AvgPool: avg_pool,
    BatchNorm: lambda op, at, x: batch_norm(at, x, op.eps),
    Conv: conv,
    Dropout: identity,
    Flatten: lambda _, at, x: at.node("Flatten", x, axis=1),
    GlobalAvgPool: lambda _, at, x: at.node("GlobalAveragePool", x),
    GlobalMaxPool: lambda _, at, x: at.node("GlobalMaxPool", x),
    GroupNorm: group_norm,
    Identity: identity,
    InstanceNorm: instance_norm,
    Linear: lambda op, at, x: linear(at, x, bias=op.bias),
    MaxPool: max_pool,
    PReLU: prelu,
    StdConv2d: std_conv,
    ZeroPad: zero_pad,
}


def linear(at: At, x: str, *, bias: bool = True) -> str:
    """Of features (N, C)."""
    return at.node("Gemm", x, *at.weights(bias=bias), transB=1)
