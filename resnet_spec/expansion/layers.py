"""What runs inside of the modules that `torch.nn` lacks.

Each function follows the `forward` of the class in `resnet_spec.layers` that its ops are:
value 0 is what the module reads, and the last value is what it gives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from resnet_spec.expansion.calls import (
    Call,
    Frame,
    Sizes,
    Window,
    call_of,
    sizes,
    windowed,
)
from resnet_spec.network import (
    Activation,
    AttentionPool2d,
    AvgMaxPool2d,
    BareEvoNormS0a,
    BareFilterResponseNorm,
    BatchNorm,
    BilinearAttention,
    BlurPool2d,
    ChannelAffine,
    Conv,
    Conv3x3,
    ConvBlockAttention,
    DropPath,
    EfficientChannelAttention,
    EvoNormS0,
    EvoNormS0a,
    FilterResponseNorm,
    FrozenBatchNorm2d,
    GlobalContext,
    InstanceBatchNorm2d,
    InstanceNorm,
    Layer,
    LayerNorm2d,
    Norm,
    Op,
    PadChannels,
    PadChannelsAround,
    Res2Conv2d,
    ScalarBias,
    ScalarMultiplier,
    Scale,
    SelectiveKernel,
    Shape,
    SpaceToDepth,
    SplitAttention,
    SqueezeExcite,
    StatisticsPool,
    StdConv2d,
    Tensor,
    VariedSqueezeExcite,
    sides,
)

RELU = Activation(
    path="relu",
    input=Shape(1, 1, 1),
    function="relu",
    kind="ReLU",
    arguments=(("inplace", True),),
)
NORM = BatchNorm(path="bn", input=Shape(1, 1, 1))


# --- maps ---------------------------------------------------------------------------------


def _pad_channels(op: PadChannels, run: Frame) -> None:
    channels, *size = sizes(op.output)
    every = Window((1, 1), sides(op.stride))
    x = run.function("slice", 0, output=(run.shapes[0][0], *size), window=every)
    run.function("pad", x, output=(channels, *size))


def _space_to_depth(op: SpaceToDepth, run: Frame) -> None:
    square = (int(op.size), int(op.size))
    x = run.view("view", 0, run.shapes[0])
    run.function("reshape", x, output=sizes(op.output), window=Window(square, square))


def _blur_pool(op: BlurPool2d, run: Frame) -> None:
    if op.stride == 1:
        run.view("identity", 0, run.shapes[0])
        return
    channels, height, width = run.shapes[0]
    taps = int(op.taps)
    blur = run.function("mul", 0, output=(taps, taps), once=True)
    padded = (channels, height + taps - 1, width + taps - 1)
    first = (taps - 1) // 2
    mirrored = Window((1, 1), before=(first, first))
    x = run.function("reflection_pad", 0, output=padded, window=mirrored)
    run.function(
        "conv2d",
        x,
        blur,
        output=sizes(op.output),
        weight=(channels, 1, taps, taps),
        groups=channels,
        window=Window((taps, taps), sides(op.stride)),
    )


def _avg_max_pool(op: AvgMaxPool2d, run: Frame) -> None:
    pixel = sizes(op.output)
    mean = run.function("adaptive_avg_pool2d", 0, output=pixel)
    largest = run.function("adaptive_max_pool2d", 0, output=pixel)
    run.function("mul", run.function("add", mean, largest))


def _statistics_pool(op: StatisticsPool, run: Frame) -> None:  # noqa: ARG001
    channels, height, _ = run.shapes[0]
    rows = (channels, height)
    mean = run.function("mean", 0, output=rows)
    variance = run.function("add", run.function("var", 0, output=rows))
    deviation = run.function("sqrt", variance)
    flat = (channels * height,)
    first, second = (
        run.view("flatten", mean, flat),
        run.view("flatten", deviation, flat),
    )
    run.function("cat", first, second, output=(2 * channels * height,))


def _drop_path(op: DropPath, run: Frame) -> None:
    if float(op.rate) == 0:
        run.view("identity", 0, run.shapes[0])
        return
    kept = run.function("bernoulli", 0, output=(1, 1, 1), in_training=True)
    kept = run.function("div", kept, in_training=True)
    run.function("mul", 0, kept, output=run.shapes[0], in_training=True)


def _std_conv(op: StdConv2d, run: Frame) -> None:
    weight = op.tensors[0].shape
    filters = run.function("standardize", 0, output=weight, once=True)
    shape = sizes(op.output)
    run.function(
        "conv2d",
        0,
        filters,
        output=shape,
        weight=weight,
        bias=op.bias,
        groups=int(op.groups),
        window=windowed(op),
    )


# --- scalars ------------------------------------------------------------------------------


def _scale(op: Scale | ScalarMultiplier, run: Frame) -> None:  # noqa: ARG001
    run.function("mul", 0)


def _scalar_bias(op: ScalarBias, run: Frame) -> None:  # noqa: ARG001
    run.function("add", 0)


# --- norms --------------------------------------------------------------------------------


def _frozen_batch_norm(op: FrozenBatchNorm2d, run: Frame) -> None:  # noqa: ARG001
    channels = (run.shapes[0][0],)
    shape = run.shapes[0]
    scale = run.function("rsqrt", 0, output=channels, once=True)
    scale = run.function("mul", scale, once=True)
    shift = run.function("mul", scale, once=True)
    shift = run.function("sub", shift, once=True)
    x = run.function("mul", 0, scale, output=shape)
    run.function("add", x, shift, output=shape)


def _affine(run: Frame, value: int) -> int:
    """x * weight + bias, by channel."""
    return run.function("add", run.function("mul", value))


def _deviation(op: EvoNormS0, run: Frame) -> int:
    channels, height, width = run.shapes[0]
    groups = int(op.groups)
    split = (groups, channels // groups, height, width)
    grouped = run.view("view", 0, split)
    each = run.function("var", grouped, output=(groups, 1, 1, 1))
    deviation = run.function("sqrt", run.function("add", each))
    spread = run.view("expand", deviation, split)
    if groups in (1, channels):  # no copy is needed
        return run.view("view", spread, run.shapes[0])
    return run.function("reshape", spread, output=run.shapes[0])


def _gated(run: Frame) -> int:
    """x * sigmoid(x * v)"""
    return run.function("mul", 0, run.function("sigmoid", run.function("mul", 0)))


def _evo_norm(op: EvoNormS0, run: Frame) -> None:
    gated = run.bind("gated", _gated(run))
    deviation = run.bind("std", _deviation(op, run))
    _affine(run, run.function("div", gated, deviation))


def _evo_norm_a(op: EvoNormS0a, run: Frame) -> None:
    deviation = run.bind("std", _deviation(op, run))
    gated = run.bind("gated", _gated(run))
    _affine(run, run.function("div", gated, deviation))


def _bare_evo_norm(op: BareEvoNormS0a, run: Frame) -> None:
    deviation = run.bind("std", _deviation(op, run))
    _affine(run, run.function("div", 0, deviation))


def _responding(run: Frame) -> int:
    """x / sqrt(mean(x^2) + eps) * weight + bias"""
    channels = (run.shapes[0][0], 1, 1)
    square = run.function("mean", run.function("square", 0), output=channels)
    scale = run.function("rsqrt", run.function("add", square))
    x = run.bind("x", run.function("mul", 0, scale))
    return run.bind("x", _affine(run, x))


def _bare_filter_response_norm(op: BareFilterResponseNorm, run: Frame) -> None:  # noqa: ARG001
    _responding(run)


def _filter_response_norm(op: FilterResponseNorm, run: Frame) -> None:  # noqa: ARG001
    run.function("maximum", _responding(run))


def _channel_affine(op: ChannelAffine, run: Frame) -> None:  # noqa: ARG001
    _affine(run, 0)


def _layer_norm(op: LayerNorm2d, run: Frame) -> None:  # noqa: ARG001
    channels, height, width = run.shapes[0]
    x = run.bind("x", run.view("permute", 0, (height, width, channels)))
    x = run.bind("x", run.function("layer_norm", x, bias=True))
    run.view("permute", x, (channels, height, width))


def _instance_batch_norm(op: InstanceBatchNorm2d, run: Frame) -> None:
    channels, height, width = run.shapes[0]
    half = channels // 2
    x = run.view("slice", 0, (half, height, width))
    norm = InstanceNorm(
        path="IN", input=Shape(half, height, width), eps=op.eps, affine=True
    )
    first = run.bind("first", run.op(norm, x))
    x = run.view("slice", 0, (channels - half, height, width))
    others = _add(run, "BN", NORM, x)
    run.function("cat", first, others, output=(channels, height, width))


# --- attention ----------------------------------------------------------------------------


def _weighed(run: Frame, weight: int) -> None:
    """x * sigmoid(weight)"""
    run.function("mul", 0, run.function("sigmoid", weight), output=run.shapes[0])


def _squeeze_excite(op: SqueezeExcite, run: Frame) -> None:
    channels, bias = run.shapes[0][0], True
    name, activation = "relu", RELU
    if isinstance(op, VariedSqueezeExcite):
        name, activation, bias = "act", _made(op.activation), bool(op.bias)
    mean = run.function("mean", 0, output=(channels, 1, 1))
    hidden = run.conv("fc1", mean, int(op.squeezed), bias=bias)
    hidden = _add(run, name, activation, hidden)
    _weighed(run, run.conv("fc2", hidden, channels, bias=bias))


def _made(op: Activation) -> Activation:
    """The activation as a layer makes it, with torch's defaults: not in place."""
    kept = tuple((name, value) for name, value in op.arguments if name != "inplace")
    return op.replace(arguments=kept)


def _efficient_channel_attention(op: EfficientChannelAttention, run: Frame) -> None:
    channels = run.shapes[0][0]
    mean = run.function("mean", 0, output=(channels,))
    mean = run.view("unsqueeze", mean, (1, channels))
    weight, kernel = op.tensors[0].shape, int(op.kernel)
    tensors = (Tensor("weight", weight),)
    shape = (1, channels)
    held = {"tensors": tensors, "weight": weight, "kernel": (kernel,)}
    gate = run.module("conv", "Conv1d", mean, shape, **held)
    gate = run.function("sigmoid", gate)
    gate = run.view("unsqueeze", gate, (channels, 1, 1))
    run.function("mul", 0, gate, output=run.shapes[0])


def _conv_block_attention(op: ConvBlockAttention, run: Frame) -> None:
    channels, height, width = run.shapes[0]
    pixels = run.view("flatten", 0, (channels, height * width))
    mean = run.function("mean", pixels, output=(channels,))
    largest = run.function("amax", pixels, output=(channels,))
    both = run.function("stack", mean, largest, output=(2, channels))
    hidden = run.relu("relu", run.linear("fc1", both, int(op.squeezed)))
    weight = run.linear("fc2", hidden, channels)
    weight = run.function("sum", weight, output=(channels,))
    gate = run.view("view", run.function("sigmoid", weight), (channels, 1, 1))
    y = run.bind("y", run.function("mul", 0, gate, output=(channels, height, width)))
    largest = run.function("amax", y, output=(height, width))
    mean = run.function("mean", y, output=(height, width))
    both = run.function("stack", largest, mean, output=(2, height, width))
    weight = _add(run, "bn", NORM, run.conv("conv", both, 1, 7))
    gate = run.function("sigmoid", weight)
    run.function("mul", y, gate, output=(channels, height, width))


def _global_context(op: GlobalContext, run: Frame) -> None:
    channels, height, width = run.shapes[0]
    squeezed, pixels = int(op.squeezed), height * width
    weight = run.conv("attn", 0, 1, bias=True)
    weight = run.function("softmax", run.view("flatten", weight, (1, pixels)))
    flat = run.view("flatten", 0, (channels, pixels))
    weight = run.view("transpose", weight, (pixels, 1))
    context = _matmul(run, flat, weight)
    context = run.view("unsqueeze", context, (channels, 1, 1))
    hidden = run.view(
        "flatten", run.conv("fc1", context, squeezed, bias=True), (squeezed,)
    )
    norm = (Tensor("weight", (squeezed,)), Tensor("bias", (squeezed,)))
    hidden = run.module(
        "norm", "LayerNorm", hidden, (squeezed,), tensors=norm, bias=True
    )
    hidden = run.view("unsqueeze", hidden, (squeezed, 1, 1))
    added = run.conv("fc2", run.relu("relu", hidden), channels, bias=True)
    run.function("add", 0, added, output=run.shapes[0])


def _matmul(run: Frame, left: int, right: int) -> int:
    *batch, rows, inner = run.shapes[left]
    columns = run.shapes[right][-1]
    weight = (columns, inner)
    return run.function(
        "matmul", left, right, output=(*batch, rows, columns), weight=weight
    )


def _bilinear_attention(op: BilinearAttention, run: Frame) -> None:
    channels, height, width = run.shapes[0]
    squeezed = int(op.squeezed)
    y = run.relu("relu", _add(run, "bn1", NORM, run.conv("conv1", 0, squeezed)))
    maps = run.relu("relu", _add(run, "bn2", NORM, run.conv("conv2", y, 2)))
    mixes = []
    for name, pool, strip, length in (
        ("p", "rows", (8, 1), height),
        ("q", "columns", (1, 8), width),
    ):
        x = run.module(pool, "AdaptiveMaxPool2d", maps, (2, *strip))
        weight = (128, 2, *strip)
        tensors = (Tensor("weight", weight), Tensor("bias", (128,)))
        held = {"tensors": tensors, "weight": weight, "kernel": strip, "bias": True}
        x = run.module(f"conv_{name}", "Conv2d", x, (128, 1, 1), **held)
        mixes.append((run.function("sigmoid", run.view("view", x, (2, 8, 8))), length))
    p, q = (_spread(run, _shares(run, mix), squeezed, length) for mix, length in mixes)
    y = _matmul(run, _matmul(run, p, y), q)
    y = run.relu("relu", _add(run, "bn3", NORM, run.conv("conv3", y, squeezed)))
    y = run.relu("relu", _add(run, "bn4", NORM, run.conv("conv4", y, channels)))
    added = run.module("dropout", "Dropout2d", y, run.shapes[0])
    run.function("add", 0, added)


def _shares(run: Frame, matrix: int) -> int:
    return run.function("div", matrix, run.function("sum", matrix, output=(2, 8)))


def _spread(run: Frame, matrix: int, channels: int, length: int) -> int:
    """Its Kronecker product with the identity, (channels, length, length)."""
    times = length // 8
    each = run.function("reshape", matrix, output=(channels, 8, 8, 1, 1))
    each = run.function("mul", each, output=(channels, 8, 8, times, times))
    rows = run.function("cat", each, output=(channels, 8, length, times))
    return run.function("cat", rows, output=(channels, length, length))


def _attention_pool(op: AttentionPool2d, run: Frame) -> None:  # noqa: ARG001
    channels, height, width = run.shapes[0]
    heads, tokens = channels // 64, height * width + 1
    pixels = run.view("transpose", 0, (tokens - 1, channels))
    mean = run.function("mean", pixels, output=(1, channels))
    x = run.function("cat", mean, pixels, output=(tokens, channels))
    x = run.function("add", x)
    first = run.view("slice", x, (channels,))
    query = run.view("view", run.linear("q", first, channels), (heads, 1, 64))
    key = run.view("permute", run.linear("k", x, channels), (heads, 64, tokens))
    value = run.view("transpose", run.linear("v", x, channels), (heads, tokens, 64))
    weights = run.function("softmax", run.function("div", _matmul(run, query, key)))
    run.view("view", _matmul(run, weights, value), (channels,))


# --- what replaces a 3x3 convolution --------------------------------------------------------


def _inside(op: Conv3x3) -> tuple[Norm | None, Activation | None, str]:
    """Its norms, its activations, and what the layer calls those."""
    if not op.varies:
        return NORM, RELU, "relu"
    activation = op.inside.activation
    return op.inside.norm, activation and _made(activation), "act"


def _conv3x3(op: Conv3x3, out: int, groups: int, dilation: int) -> Conv:
    """The 3x3 inside, by standardized weights where it has those."""
    conv = Conv(
        path="",
        input=op.input,
        kernel=3,
        out_channels=out,
        stride=op.stride,
        padding=dilation,
        dilation=dilation,
        groups=groups,
        bias=op.inside.bias,
    )
    eps = op.inside.eps
    return StdConv2d(**conv.values(), eps=eps) if eps else conv


def _add(run: Frame, name: str, op: Op | None, value: int) -> int:
    """The op's module on that value, or the identity where there is none."""
    read = run.shapes[value]
    if op is None:
        return run.module(name, "Identity", value, read)
    made = op.replace(path=name, input=Shape(*read))
    call = layer(made, read) if isinstance(made, Layer) else call_of(made, read)
    return run.add(name, call, value)


def _path(op: Conv3x3, run: Frame, name: str, value: int, conv: Conv) -> int:
    """A Sequential of that convolution, a norm and an activation."""
    norm, activation, _ = _inside(op)
    inner = Frame(run.shapes[value])
    at = 0
    for i, member in enumerate((conv, norm, activation)):
        at = _add(inner, str(i), member, at)
    return run.add(name, inner.call("Sequential"), value)


def _res2_conv(op: Res2Conv2d, run: Frame) -> None:
    channels, height, width = run.shapes[0]
    band, scale = int(op.width), int(op.scale)
    conv = _conv3x3(op, band, int(op.groups), int(op.dilation))
    inputs = [run.view("chunk", 0, (band, height, width)) for _ in range(scale)]
    outputs: list[int] = []
    for i in range(scale - 1):
        x = inputs[i]
        if i > 0 and not op.apart.holds:
            x = run.bind("x", run.function("add", x, outputs[-1]))
        x = run.bind(f"outputs.{i}", _path(op, run, f"bands.{i}", x, conv))
        outputs.append(x)
    last = inputs[-1]
    size = sizes(op.output)[1:]
    if op.apart.holds:
        window = Window((3, 3), sides(op.stride), (1, 1))
        shape = (band, *size)
        last = run.module("pool", "AvgPool2d", last, shape, kernel=3, window=window)
    else:
        last = run.module("pool", "Identity", last, run.shapes[last])
    run.function("cat", *outputs, last, output=(channels, *size))


def _selective_kernel(op: SelectiveKernel, run: Frame) -> None:
    channels, height, width = run.shapes[0]
    out, reduced = int(op.out_channels), int(op.reduced)
    norm, activation, name = _inside(op)
    near = far = 0
    if op.split:
        half = (channels // 2, height, width)
        near, far = run.view("chunk", 0, half), run.view("chunk", 0, half)
    groups, dilation = int(op.groups), int(op.dilation)
    done = [
        _path(op, run, f"paths.{i}", x, _conv3x3(op, out, groups, dilation * (i + 1)))
        for i, x in enumerate((near, far))
    ]
    for i, path in enumerate(done):
        run.bind(f"done.{i}", path)
    shape = run.shapes[done[0]]
    paths = run.bind("paths", run.function("stack", *done, output=(2, *shape)))
    mean = run.function(
        "mean", run.function("sum", paths, output=shape), output=(out, 1, 1)
    )
    hidden = _add(run, "bn", norm, run.conv("fc1", mean, reduced, bias=op.inside.bias))
    hidden = _add(run, name, activation, hidden)
    share = run.view("unflatten", run.conv("fc2", hidden, 2 * out), (2, out, 1, 1))
    mixed = run.function(
        "mul", paths, run.function("softmax", share), output=(2, *shape)
    )
    run.function("sum", mixed, output=shape)


def _split_attention(op: SplitAttention, run: Frame) -> None:
    channels = run.shapes[0][0]
    radix, groups, reduced = int(op.radix), int(op.groups), int(op.reduced)
    norm, activation, name = _inside(op)
    inner = channels * radix
    conv = _conv3x3(op, inner, groups * radix, int(op.dilation))
    x = _add(run, "bn0", norm, _add(run, "conv", conv, 0))
    x = _add(run, name, activation, x)
    shape = (channels, *run.shapes[x][1:])
    paths = run.bind("paths", run.view("unflatten", x, (radix, *shape)))
    total = run.function("sum", paths, output=shape)
    mean = run.function("mean", total, output=(channels, 1, 1))
    hidden = run.conv("fc1", mean, reduced, groups=groups, bias=True)
    hidden = _add(run, name, activation, _add(run, "bn1", norm, hidden))
    share = run.conv("fc2", hidden, inner, groups=groups, bias=True)
    share = run.function("reshape", share, output=(radix, channels))
    share = run.function("softmax" if radix > 1 else "sigmoid", share)
    share = run.view("view", share, (radix, channels, 1, 1))
    mixed = run.function("mul", paths, share, output=(radix, *shape))
    run.function("sum", mixed, output=shape)


INSIDE: dict[type[Layer], Callable[[Any, Frame], object]] = {
    AttentionPool2d: _attention_pool,
    AvgMaxPool2d: _avg_max_pool,
    BareEvoNormS0a: _bare_evo_norm,
    BareFilterResponseNorm: _bare_filter_response_norm,
    BilinearAttention: _bilinear_attention,
    BlurPool2d: _blur_pool,
    ChannelAffine: _channel_affine,
    ConvBlockAttention: _conv_block_attention,
    DropPath: _drop_path,
    EfficientChannelAttention: _efficient_channel_attention,
    EvoNormS0: _evo_norm,
    EvoNormS0a: _evo_norm_a,
    FilterResponseNorm: _filter_response_norm,
    FrozenBatchNorm2d: _frozen_batch_norm,
    GlobalContext: _global_context,
    InstanceBatchNorm2d: _instance_batch_norm,
    LayerNorm2d: _layer_norm,
    PadChannels: _pad_channels,
    PadChannelsAround: _pad_channels,
    Res2Conv2d: _res2_conv,
    ScalarBias: _scalar_bias,
    ScalarMultiplier: _scale,
    Scale: _scale,
    SelectiveKernel: _selective_kernel,
    SpaceToDepth: _space_to_depth,
    SplitAttention: _split_attention,
    SqueezeExcite: _squeeze_excite,
    StatisticsPool: _statistics_pool,
    StdConv2d: _std_conv,
    VariedSqueezeExcite: _squeeze_excite,
}


def layer(op: Layer, read: Sizes) -> Call:
    """The call of a module of `resnet_spec.layers`, with all that runs inside."""
    run = Frame(read)
    INSIDE[type(op)](op, run)
    own = tuple(tensor for tensor in op.tensors if "." not in tensor.name)
    call = run.call(op.module, tensors=own)
    if isinstance(op, StdConv2d):
        weight = own[0].shape
        return call._replace(weight=weight, kernel=weight[2:], bias=op.bias)
    return call
