"""The nodes of what stands in place of a 3x3 convolution."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_spec.emit.onnx.graph import At
from resnet_spec.emit.onnx.layers import LAYERS, conv
from resnet_spec.emit.onnx.modules import MODULES, Nodes
from resnet_spec.network import (
    Conv,
    Conv3x3,
    Op,
    Res2Conv2d,
    SelectiveKernel,
    SplitAttention,
    StdConv2d,
    sides,
)


def nodes_of(op: Op, known: dict[type[Op], Nodes]) -> Nodes:
    """What makes the op's nodes: its own, or that of the kind of op that it is.

    Raises NotImplementedError where there is none.
    """
    for kind in type(op).__mro__:
        if kind in known:
            return known[kind]
    raise NotImplementedError(f"{type(op).__name__} has no nodes of ONNX")


def _run(op: Op, at: At, x: str) -> str:
    return nodes_of(op, MODULES | LAYERS)(op, at, x)


def _conv3x3(op: Conv3x3, at: At, x: str, groups: int, dilation: int) -> str:
    """The 3x3 inside, by standardized weights where it has those."""
    window = Conv(
        path="",
        input=op.input,
        kernel=3,
        out_channels=len(at.values("weight")),
        stride=op.stride,
        padding=dilation,
        dilation=dilation,
        groups=groups,
        bias=op.inside.bias,
    )
    eps = op.inside.eps
    return _run(StdConv2d(**window.values(), eps=eps) if eps else window, at, x)


def _normed(op: Conv3x3, at: At, x: str, norm: str, channels: int) -> str:
    """A norm and an activation of what is inside, where it has them."""
    if op.inside.norm:
        x = _run(op.inside.normed(channels), at.inside(norm), x)
    if op.inside.activation:
        x = _run(op.inside.activation, at.inside(f"{norm}.act"), x)
    return x


def _mixed(at: At, paths: Sequence[str], share: str) -> str:
    """The sum of the paths, each by its share (N, paths, C, 1, 1), a softmax over them."""
    share = at.node("Softmax", share, axis=1, name="softmax")
    mixed = []
    for i, path in enumerate(paths):
        one = at.node("Gather", share, at.graph.index(i), axis=1, name="share")
        mixed.append(at.node("Mul", path, one, name="mul"))
    return at.node("Sum", *mixed)


def res2_conv(op: Res2Conv2d, at: At, x: str) -> str:
    inputs = at.split(x, [int(op.width)] * op.scale)
    outputs: list[str] = []
    for i, band in enumerate(inputs[:-1]):
        if i > 0 and not op.apart.holds:
            band = at.node("Add", band, outputs[-1], name="add")
        y = _conv3x3(
            op, at.inside(f"bands.{i}.0"), band, int(op.groups), int(op.dilation)
        )
        outputs.append(_normed(op, at, y, f"bands.{i}.1", int(op.width)))
    last = inputs[-1]
    if op.apart.holds:
        strides = [*sides(op.stride)]
        settings = {"kernel_shape": [3, 3], "strides": strides, "pads": [1] * 4}
        last = at.node(
            "AveragePool", last, name="pool", count_include_pad=1, **settings
        )
    return at.node("Concat", *outputs, last, axis=1)


def selective_kernel(op: SelectiveKernel, at: At, x: str) -> str:
    out, half = int(op.out_channels), int(op.input.channels) // 2
    read = at.split(x, [half, half]) if op.split else [x, x]
    paths = []
    for i, y in enumerate(read):
        place = at.inside(f"paths.{i}.0")
        y = _conv3x3(op, place, y, int(op.groups), int(op.dilation) * (i + 1))
        paths.append(_normed(op, at, y, f"paths.{i}.1", out))
    mean = at.mean(at.node("Add", *paths, name="add"), 2, 3)
    hidden = _normed(op, at, conv(at.inside("fc1"), mean), "bn", int(op.reduced))
    share = at.reshaped(conv(at.inside("fc2"), hidden), 0, 2, out, 1, 1, name="pairs")
    return _mixed(at, paths, share)


def split_attention(op: SplitAttention, at: At, x: str) -> str:
    channels, radix, groups = int(op.input.channels), op.radix, int(op.groups)
    inner = channels * radix
    y = _conv3x3(op, at.inside("conv"), x, groups * radix, int(op.dilation))
    y = _normed(op, at, y, "bn0", inner)
    paths = at.split(y, [channels] * radix)
    total = paths[0]
    if radix > 1:
        total = at.node("Sum", *paths, name="sum")
    hidden = conv(at.inside("fc1"), at.mean(total, 2, 3), group=groups)
    hidden = _normed(op, at, hidden, "bn1", int(op.reduced))
    share = conv(at.inside("fc2"), hidden, group=groups)
    if radix == 1:
        share = at.node("Sigmoid", share, name="sigmoid")
        return at.node("Mul", y, share)
    share = at.reshaped(share, 0, groups, radix, channels // groups, name="by_group")
    share = at.node("Transpose", share, perm=[0, 2, 1, 3], name="by_path")
    share = at.reshaped(share, 0, radix, channels, 1, 1, name="by_channel")
    return _mixed(at, paths, share)


BANDS: dict[type[Op], Nodes] = {
    Res2Conv2d: res2_conv,
    SelectiveKernel: selective_kernel,
    SplitAttention: split_attention,
}
NODES = MODULES | LAYERS | BANDS
