"""Ops as steps, and the graphs inside of those that have one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from resnet_spec.emit.diagram.parts import (
    Bands,
    Frame,
    Part,
    Series,
    Step,
    Weighed,
)
from resnet_spec.network import (
    Activation,
    AvgPool,
    BilinearAttention,
    BlurPool2d,
    Conv,
    ConvBlockAttention,
    Dropout,
    DropPath,
    EfficientChannelAttention,
    GlobalContext,
    GroupNorm,
    Inside,
    Linear,
    Norm,
    Op,
    PadChannels,
    Res2Conv2d,
    Scalar,
    Scale,
    SelectiveKernel,
    SpaceToDepth,
    SplitAttention,
    SqueezeExcite,
    StdConv2d,
    VariedSqueezeExcite,
    Windowed,
    sides,
)
from resnet_spec.problems.words import by_sides, snake

MEAN, SIGMOID, SOFTMAX = Step("mean"), Step("sigmoid"), Step("softmax")
FOLLOWING = (Norm, Activation, Dropout, DropPath, Scalar, Scale)
"""Ops that belong to the one before them."""
RELU, BATCH_NORM = Step("ReLU"), Step("batch norm")


def series(ops: Iterable[Op]) -> Series:
    """What is drawn of the ops, in order, without those that never change a number."""
    return tuple(part(op) for op in ops if op.active and (op.meaning or op.training))


def part(op: Op) -> Part:
    """An op as one step, or as a frame around what is inside."""
    inside = next((INSIDE[kind] for kind in type(op).__mro__ if kind in INSIDE), None)
    if not inside:
        return step(op)
    return Frame(re.sub(r"(?<=\d)x(?=\d)", "×", op.noun), tuple(inside(op)))


def step(op: Op) -> Step:
    """An op in words: its kernel, what it is called, its channels, and what else is set."""
    word = " ".join(filter(None, (_kernel(op), _name(op))))
    sets = isinstance(op, (Conv, Linear)) or (
        op.output.channels != op.input.channels and not op.flattens
    )
    size = str(int(op.output.channels)) if sets else ""
    return Step(word, size, tuple(_more(op)), not isinstance(op, FOLLOWING))


def _name(op: Op) -> str:
    """The field's word for it, which most often is that of its class."""
    match op:
        case Activation():
            return op.kind
        case Linear():
            return "fc"
        case AvgPool():
            return "avg pool"
        case StdConv2d():
            return "standardized conv"
        case Conv() if op.groups > 1 and op.groups == op.input.channels:
            return "depthwise conv"
    name = snake(type(op).__name__).replace("_", " ")
    for ending in ("1d", "2d"):
        name = name.removesuffix(ending)
    return name


def _kernel(op: Op) -> str:
    match op:
        case Windowed():
            return times(by_sides(sides(op.kernel)), square=True)
        case BlurPool2d():
            return times(op.taps, square=True)
        case SpaceToDepth():
            return times(op.size, square=True)
    return ""


def times(number: int | str, square: bool = False) -> str:
    """A number, or one of height and one of width, as a figure has it.

    >>> times(3, square=True), times("2x1", square=True), times("2x1")
    ('3×3', '2×1', '2×1')
    """
    text = f"{number}".replace("x", "×")
    return f"{text}×{text}" if square and "×" not in text else text


def _more(op: Op) -> Iterator[str]:
    yield from _stride(op)
    groups = int(getattr(op, "groups", 1))
    if groups > 1 and (isinstance(op, GroupNorm) or groups != op.input.channels):
        yield f"{groups} groups"
    if getattr(op, "dilation", 1) != 1:
        yield f"dilation {int(getattr(op, 'dilation'))}"  # noqa: B009  # of several kinds
    match op:
        case Activation():
            yield from (
                f"{name.replace('_', ' ')} {value}"
                for name, value in op.said("function")
                if not isinstance(value, bool)
            )
        case Dropout() | DropPath():
            yield f"rate {op.rate:.3g}"
        case Scale():
            yield f"by {op.factor:g}"
        case PadChannels():
            yield "with zeros"


# --- graphs inside ------------------------------------------------------------------------


def _fc(channels: int) -> Step:
    return Step("fc", str(int(channels)), begins=True)


def _squeeze_excite(op: SqueezeExcite) -> Series:
    function = step(op.activation) if isinstance(op, VariedSqueezeExcite) else RELU
    fcs = (_fc(op.squeezed), function, _fc(op.input.channels))
    return (Weighed(((),), (MEAN, *fcs, SIGMOID)),)


def _efficient(op: EfficientChannelAttention) -> Series:
    along = Step("1-d conv", f"{int(op.kernel)} taps", begins=True)
    return (Weighed(((),), (MEAN, along, SIGMOID)),)


def _conv_block(op: ConvBlockAttention) -> Series:
    both = Step("mean and max")
    fcs = (_fc(op.squeezed), RELU, _fc(op.input.channels))
    conv = Step("7×7 conv", "1", begins=True)
    return (
        Weighed(((),), (both, *fcs, Step("their sum"), SIGMOID)),
        Weighed(((),), (Step("mean and max of channels"), conv, BATCH_NORM, SIGMOID)),
    )


def _context(op: GlobalContext) -> Series:
    mean = Step("mean by softmax of 1×1 conv")
    fcs = (_fc(op.squeezed), Step("layer norm"), RELU, _fc(op.input.channels))
    return (Weighed(((),), (mean, *fcs), "+"),)


def _bilinear(op: BilinearAttention) -> Series:
    squeezed, channels = str(int(op.squeezed)), str(int(op.input.channels))
    convs = [
        (Step("1×1 conv", size, begins=True), BATCH_NORM, RELU)
        for size in (squeezed, squeezed, channels)
    ]
    mixed = Step("rows and columns mixed", begins=True)
    return (Weighed(((),), (*convs[0], mixed, *convs[1], *convs[2]), "+"),)


def _normed(inside: Inside) -> tuple[Step, ...]:
    """The norm and the activation inside, where there are any."""
    return tuple(step(op) for op in (inside.norm, inside.activation) if op)


def _conv3x3(channels: int, *more: str) -> Step:
    return Step("3×3 conv", str(int(channels)), tuple(filter(None, more)), begins=True)


def _said(word: str, number: int) -> str:
    return f"{word} {int(number)}" if number != 1 else ""


def _of(groups: int) -> str:
    return f"{int(groups)} groups" if groups != 1 else ""


def _stride(op: Op) -> Iterator[str]:
    """`stride 2`, where it has one."""
    stride = by_sides(sides(getattr(op, "stride", 1)))
    if stride != 1:
        yield f"stride {times(stride)}"


def _bands(op: Res2Conv2d) -> Series:
    dilation = _said("dilation", op.dilation)
    conv = _conv3x3(op.width, *_stride(op), _of(op.groups), dilation)
    pool = Step("3×3 avg pool", more=tuple(_stride(op)), begins=True)
    apart = op.apart.holds
    steps = (conv, *_normed(op.inside))
    return (Bands(int(op.scale), steps, apart, (pool,) if apart else ()),)


def _selective(op: SelectiveKernel) -> Series:
    normed, out = _normed(op.inside), op.out_channels
    paths = tuple(
        (
            _conv3x3(out, *_stride(op), _of(op.groups), _said("dilation", dilation)),
            *normed,
        )
        for dilation in (op.dilation, 2 * op.dilation)
    )
    fcs = (_fc(op.reduced), *normed, _fc(2 * out))
    return (Weighed(paths, (MEAN, *fcs, SOFTMAX), parts=op.split),)


def _split(op: SplitAttention) -> Series:
    normed, radix = _normed(op.inside), int(op.radix)
    inner, dilation = op.input.channels * radix, _said("dilation", op.dilation)
    groups = _of(op.groups * radix)
    fcs = (_fc(op.reduced), *normed, _fc(inner))
    last = SOFTMAX if radix > 1 else SIGMOID
    shares = Weighed(((),) * radix, (MEAN, *fcs, last), parts=radix > 1)
    return (_conv3x3(inner, groups, dilation), *normed, shares)


INSIDE: dict[type[Op], Callable[[Any], Any]] = {
    BilinearAttention: _bilinear,
    ConvBlockAttention: _conv_block,
    EfficientChannelAttention: _efficient,
    GlobalContext: _context,
    Res2Conv2d: _bands,
    SelectiveKernel: _selective,
    SplitAttention: _split,
    SqueezeExcite: _squeeze_excite,
}
"""What is inside of ops that are graphs; any other op is one step."""
