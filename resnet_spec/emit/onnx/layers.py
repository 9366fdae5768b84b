"""The nodes of the layers that `torch.nn` lacks, which `resnet_spec.layers` has in torch."""

from __future__ import annotations

from typing import Any

import numpy as np

from resnet_spec.emit.onnx.graph import At
from resnet_spec.emit.onnx.modules import (
    Nodes,
    activation,
    batch_norm,
    identity,
    linear,
)
from resnet_spec.network import (
    AttentionPool2d,
    AvgMaxPool2d,
    BareEvoNormS0a,
    BareFilterResponseNorm,
    BilinearAttention,
    BlurPool2d,
    ChannelAffine,
    ConvBlockAttention,
    DropPath,
    EfficientChannelAttention,
    EvoNormS0,
    FilterResponseNorm,
    FrozenBatchNorm2d,
    GlobalContext,
    InstanceBatchNorm2d,
    LayerNorm2d,
    Op,
    PadChannels,
    PadChannelsAround,
    ScalarBias,
    ScalarMultiplier,
    Scale,
    SpaceToDepth,
    SqueezeExcite,
    StatisticsPool,
    VariedSqueezeExcite,
    sides,
)

SPREAD = 8  # rows and columns of bilinear attention
HEAD = 64  # channels of a head of the attention pool

# --- maps ---------------------------------------------------------------------------------


def pad_channels(op: PadChannels, at: At, x: str) -> str:
    more = int(op.out_channels) - int(op.input.channels)
    before = more // 2 if isinstance(op, PadChannelsAround) else 0
    if sides(op.stride) != (1, 1):
        whole = at.graph.whole
        starts, ends, axes = whole(0, 0), whole(*[2**62] * 2), whole(2, 3)
        steps = whole(*sides(op.stride))
        x = at.node("Slice", x, starts, ends, axes, steps, name="slice")
    sizes = [0, before, 0, 0, 0, more - before, 0, 0]
    return at.node("Pad", x, at.graph.whole(*sizes)) if more else x


def blur_pool(op: BlurPool2d, at: At, x: str) -> str:
    if op.stride == 1:
        return x
    row = np.ones(1)
    for _ in range(op.taps - 1):
        row = np.convolve(row, [0.5, 0.5])
    channels = int(op.input.channels)
    blur = np.broadcast_to(np.outer(row, row), (channels, 1, op.taps, op.taps))
    before, after = (op.taps - 1) // 2, op.taps // 2
    sizes = [0, 0, before, before, 0, 0, after, after]
    x = at.node("Pad", x, at.graph.whole(*sizes), name="pad", mode="reflect")
    strides = [*sides(op.stride)]
    return at.node("Conv", x, at.graph.constant(blur), group=channels, strides=strides)


def avg_max_pool(_: AvgMaxPool2d, at: At, x: str) -> str:
    mean = at.node("GlobalAveragePool", x, name="mean")
    largest = at.node("GlobalMaxPool", x, name="max")
    both = at.node("Add", mean, largest, name="add")
    return at.node("Mul", both, at.graph.constant(0.5))


def statistics_pool(_: StatisticsPool, at: At, x: str) -> str:
    """The deviation of a sample, whose variance is over one less than the width."""
    mean = at.mean(x, 3)
    squares = at.total(square(at, at.node("Sub", x, mean, name="sub")), 3)
    shape = at.node("Shape", x, name="shape", start=3)
    width = at.node("Cast", shape, name="width", to=at.graph.float)
    less = at.node("Sub", width, at.graph.constant(np.ones(1)), name="degrees")
    variance = at.node("Div", squares, less, name="variance")
    added = at.node("Add", variance, at.graph.constant(1e-7), name="add")
    deviation = at.node("Sqrt", added, name="deviation")
    flat = [at.node("Flatten", y, axis=1, name="flatten") for y in (mean, deviation)]
    return at.node("Concat", *flat, axis=1)


def square(at: At, x: str) -> str:
    return at.node("Mul", x, x, name="square")


# --- norms --------------------------------------------------------------------------------


def affine(at: At, x: str, name: str = "") -> str:
    """x * weight + bias, by channel."""
    x = at.node("Mul", x, at.by_channel("weight"), name="mul")
    return at.node("Add", x, at.by_channel("bias"), name=name)


def evo_norm(op: EvoNormS0, at: At, x: str) -> str:
    """Of groups of channels, as deep as they go."""
    gated = x
    if not isinstance(op, BareEvoNormS0a):
        scaled = at.node("Mul", x, at.by_channel("v"), name="scaled")
        gate = at.node("Sigmoid", scaled, name="sigmoid")
        gated = at.node("Mul", x, gate, name="gated")
    groups = at.reshaped(x, 0, int(op.groups), -1, name="groups")
    centered = at.node("Sub", groups, at.mean(groups, 2), name="centered")
    variance = at.mean(square(at, centered), 2, name="variance")
    added = at.node("Add", variance, at.graph.constant(op.eps), name="add")
    each = int(op.input.channels) // int(op.groups)
    deviation = at.node("Sqrt", added, name="deviation")  # (N, groups, 1)
    shape = at.graph.whole(1, 1, each)
    deviation = at.node("Expand", deviation, shape, name="expand")
    deviation = at.reshaped(
        deviation, 0, int(op.input.channels), 1, 1, name="by_channel"
    )
    return affine(at, at.node("Div", gated, deviation, name="div"))


def filter_response_norm(op: Any, at: At, x: str) -> str:
    mean = at.mean(square(at, x), 2, 3)
    added = at.node("Add", mean, at.graph.constant(op.eps), name="add")
    x = at.node("Div", x, at.node("Sqrt", added, name="sqrt"), name="div")
    if isinstance(op, BareFilterResponseNorm):
        return affine(at, x)
    return at.node("Max", affine(at, x, "affine"), at.by_channel("tau"))


def layer_norm(op: LayerNorm2d, at: At, x: str) -> str:
    x = at.node("Transpose", x, perm=[0, 2, 3, 1], name="channels_last")
    reads = (x, *at.weights())
    x = at.node("LayerNormalization", *reads, name="norm", axis=-1, epsilon=op.eps)
    return at.node("Transpose", x, perm=[0, 3, 1, 2])


def instance_batch_norm(op: InstanceBatchNorm2d, at: At, x: str) -> str:
    channels = int(op.input.channels)
    first, others = at.split(x, [channels // 2, channels - channels // 2])
    of_instance, of_batch = at.inside("IN"), at.inside("BN")
    reads = of_instance.weights()
    first = of_instance.node("InstanceNormalization", first, *reads, epsilon=op.eps)
    others = batch_norm(of_batch, others, op.eps)
    return at.node("Concat", first, others, axis=1)


# --- attention ----------------------------------------------------------------------------


def conv(at: At, x: str, **settings: Any) -> str:
    """A convolution by the tensors that are there."""
    return at.node("Conv", x, *at.weights(bias=at.has("bias")), **settings)


def weighed(at: At, x: str, weight: str, name: str = "") -> str:
    return at.node("Mul", x, at.node("Sigmoid", weight, name="sigmoid"), name=name)


def squeeze_excite(op: SqueezeExcite, at: At, x: str) -> str:
    hidden = conv(at.inside("fc1"), at.mean(x, 2, 3))
    if isinstance(op, VariedSqueezeExcite):
        hidden = activation(op.activation, at.inside("act"), hidden)
    else:
        hidden = at.node("Relu", hidden, name="relu")
    return weighed(at, x, conv(at.inside("fc2"), hidden))


def efficient_channel_attention(op: EfficientChannelAttention, at: At, x: str) -> str:
    mean = at.reshaped(at.mean(x, 2, 3), 0, 1, -1)  # (N, 1, C)
    kernel = int(op.kernel)
    weight = conv(at.inside("conv"), mean, pads=[kernel // 2] * 2)
    weight = at.node("Sigmoid", weight, name="sigmoid")
    return at.node("Mul", x, at.reshaped(weight, 0, -1, 1, 1, name="by_channel"))


def conv_block_attention(_: ConvBlockAttention, at: At, x: str) -> str:
    both = [at.mean(x, 2, 3, keep=False), at.largest(x, 2, 3, keep=False)]
    each = []
    for features in both:  # (N, C)
        hidden = linear(at.inside("fc1"), features)
        hidden = at.node("Relu", hidden, name="relu")
        each.append(linear(at.inside("fc2"), hidden))
    weight = at.node("Add", *each, name="add")
    weight = at.reshaped(weight, 0, -1, 1, 1, name="by_channel")
    y = weighed(at, x, weight, "channels")
    both = [at.largest(y, 1, name="pixels_max"), at.mean(y, 1, name="pixels_mean")]
    both = [at.node("Concat", *both, axis=1, name="concat")]
    weight = batch_norm(at.inside("bn"), conv(at.inside("conv"), *both, pads=[3] * 4))
    return weighed(at, y, weight)


def global_context(_: GlobalContext, at: At, x: str) -> str:
    weight = at.reshaped(conv(at.inside("attn"), x), 0, -1, 1, name="flat")
    weight = at.node("Softmax", weight, axis=1, name="softmax")  # (N, H * W, 1)
    pixels = at.reshaped(x, 0, 0, -1, name="pixels")
    context = at.node("MatMul", pixels, weight, name="context")  # (N, C, 1)
    context = at.reshaped(context, 0, 0, 1, 1, name="as_map")
    hidden = at.node("Flatten", conv(at.inside("fc1"), context), axis=1, name="flatten")
    norm = at.inside("norm")
    reads = norm.weights()
    hidden = norm.node("LayerNormalization", hidden, *reads, axis=-1, epsilon=1e-6)
    hidden = at.node(
        "Relu", at.reshaped(hidden, 0, 0, 1, 1, name="hidden"), name="relu"
    )
    return at.node("Add", x, conv(at.inside("fc2"), hidden))


def bilinear_attention(op: BilinearAttention, at: At, x: str) -> str:
    """Rows and columns are in eighths, which are mixed by two matrices of 8 x 8."""
    y = _conv_norm_relu(at, x, "1")
    maps = _conv_norm_relu(at, y, "2")  # (N, 2, H, W)
    rows = _eighths(at, at.largest(maps, 3, keep=False), "rows")
    columns = _eighths(at, at.largest(maps, 2, keep=False), "columns")
    p = _shares(at, conv(at.inside("conv_p"), at.reshaped(rows, 0, 0, 8, 1)), 3)
    q = _shares(at, conv(at.inside("conv_q"), at.reshaped(columns, 0, 0, 1, 8)), 2)
    y = _mixed(at, p, y, int(op.squeezed), "rows")
    turned = at.node("Transpose", y, perm=[0, 1, 3, 2], name="turned")
    q = at.node("Transpose", q, perm=[0, 1, 3, 2], name="q")
    turned = _mixed(at, q, turned, int(op.squeezed), "columns")
    y = at.node("Transpose", turned, perm=[0, 1, 3, 2], name="mixed")
    return at.node("Add", x, _conv_norm_relu(at, _conv_norm_relu(at, y, "3"), "4"))


def _conv_norm_relu(at: At, x: str, number: str) -> str:
    y = batch_norm(at.inside(f"bn{number}"), conv(at.inside(f"conv{number}"), x))
    return at.node("Relu", y, name="relu")


def _eighths(at: At, x: str, name: str) -> str:
    """The largest of each eighth of a row (N, 2, length)."""
    parts = at.reshaped(x, 0, 0, SPREAD, -1, name=f"{name}_in_eighths")
    return at.largest(parts, 3, keep=False, name=name)


def _shares(at: At, x: str, axis: int) -> str:
    matrix = at.reshaped(x, 0, 2, SPREAD, SPREAD, name="matrix")
    matrix = at.node("Sigmoid", matrix, name="sigmoid")
    return at.node("Div", matrix, at.total(matrix, axis, keep=True), name="shares")


def _mixed(at: At, matrix: str, y: str, channels: int, name: str) -> str:
    """Eighths of the rows of y (N, C, H, W), mixed; a matrix for each half of channels."""
    parts = at.reshaped(y, 0, 2, channels // 2, SPREAD, -1, name=f"{name}_apart")
    one = at.reshaped(matrix, 0, 2, 1, SPREAD, SPREAD, name=f"{name}_matrix")
    made = at.node("MatMul", one, parts, name=f"{name}_mixed")
    return at.shaped_as(made, y, f"{name}_together")


def attention_pool(op: AttentionPool2d, at: At, x: str) -> str:
    channels = int(op.input.channels)
    heads = channels // HEAD
    pixels = at.reshaped(x, 0, 0, -1, name="pixels")
    pixels = at.node(
        "Transpose", pixels, perm=[0, 2, 1], name="tokens"
    )  # (N, H * W, C)
    x = at.node("Concat", at.mean(pixels, 1), pixels, axis=1, name="concat")
    x = at.node("Add", x, at.tensor("pos_embed"), name="add")
    first = at.node("Gather", x, at.graph.whole(0), axis=1, name="first")  # (N, 1, C)
    query, key, value = (
        _heads(at, y, name, heads) for y, name in ((first, "q"), (x, "k"), (x, "v"))
    )
    key = at.node("Transpose", key, perm=[0, 1, 3, 2], name="keys")
    scores = at.node("MatMul", query, key, name="scores")
    scores = at.node("Div", scores, at.graph.constant(HEAD**0.5), name="scaled")
    weights = at.node("Softmax", scores, axis=3, name="softmax")
    pooled = at.node("MatMul", weights, value, name="pooled")  # (N, heads, 1, 64)
    return at.node("Reshape", pooled, at.graph.whole(0, channels))


def _heads(at: At, x: str, name: str, heads: int) -> str:
    """A linear layer of tokens (N, T, C), by head: (N, heads, T, 64)."""
    inner = at.inside(name)
    matrix = inner.held("weight", inner.values("weight").T)
    x = inner.node("MatMul", x, matrix, name="matmul")
    x = inner.node("Add", x, inner.tensor("bias"))
    x = at.reshaped(x, 0, 0, heads, HEAD, name="heads")
    return at.node("Transpose", x, perm=[0, 2, 1, 3], name="by_head")


LAYERS: dict[type[Op], Nodes] = {
    AttentionPool2d: attention_pool,
    AvgMaxPool2d: avg_max_pool,
    BareFilterResponseNorm: filter_response_norm,
    BilinearAttention: bilinear_attention,
    BlurPool2d: blur_pool,
    ChannelAffine: lambda _, at, x: affine(at, x),
    ConvBlockAttention: conv_block_attention,
    DropPath: identity,
    EfficientChannelAttention: efficient_channel_attention,
    EvoNormS0: evo_norm,
    FilterResponseNorm: filter_response_norm,
    FrozenBatchNorm2d: lambda op, at, x: batch_norm(at, x, op.eps),
    GlobalContext: global_context,
    InstanceBatchNorm2d: instance_batch_norm,
    LayerNorm2d: layer_norm,
    PadChannels: pad_channels,
    ScalarBias: lambda _, at, x: at.node("Add", x, at.tensor("bias")),
    ScalarMultiplier: lambda _, at, x: at.node("Mul", x, at.tensor("weight")),
    Scale: lambda op, at, x: at.node("Mul", x, at.graph.constant(op.factor)),
    SpaceToDepth: lambda op, at, x: at.node("SpaceToDepth", x, blocksize=op.size),
    SqueezeExcite: squeeze_excite,
    StatisticsPool: statistics_pool,
}
