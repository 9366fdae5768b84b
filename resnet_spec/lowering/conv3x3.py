"""A block's first 3x3 convolution with its norm and activation, or what replaces them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from resnet_spec.language.fields import Spatial
from resnet_spec.lowering.parts import ANY, Part, Parts, flat, rounded, where
from resnet_spec.lowering.shortcuts import average
from resnet_spec.network import (
    PUBLISHED,
    Activation,
    AvgPool,
    Condition,
    Conv3x3,
    Inside,
    Norm,
    Number,
    Op,
    Pair,
    Res2Conv2d,
    SelectiveKernel,
    Shape,
    SplitAttention,
    Stride,
)


class At(NamedTuple):
    """Where it is: the module's number in its block, its norm's name, and numbers it needs.

    `changes` holds in a block that changes the shape of its input.
    """

    number: int
    norm: str
    width: int
    stride: Stride
    dilation: int
    groups: int
    changes: Condition

    @property
    def path(self) -> str:
        return f"conv{self.number}"

    @property
    def strides(self) -> Condition:
        return Condition(((self.stride, 1),))


def conv3x3(parts: Parts, at: At) -> list[Part]:
    """relu(norm(conv3x3(x))), or what the spec has in its place."""
    smooth = ANTI_ALIAS[parts.spec.anti_alias](parts, at)
    if smooth:
        at = at._replace(stride=1)
    if settings := parts.spec.spatial:
        layer = SPATIAL[settings.type](settings, at)
        return [*(_as_asked(part, parts, at) for part in layer), *smooth]
    window = {"dilation": at.dilation, "groups": at.groups}
    conv = parts.conv(at.path, at.width, 3, at.stride, **window)
    return [conv, *parts.norm_act(at.norm), *smooth]


# --- striding without aliases -------------------------------------------------------------


def _avg(_: Parts, at: At) -> list[Part]:
    """The pool rounds up, as a strided convolution does, so that odd maps add too."""
    return [where(at.strides, average("avgpool", at.stride))]


def _avg_floor(_: Parts, at: At) -> list[Part]:
    """The pool rounds down, so that odd maps add to a shortcut that does, too."""
    return [where(at.strides, average("avgpool", at.stride, ceil=False))]


def _blur(parts: Parts, at: At) -> list[Part]:
    return [where(at.strides, parts.blur("blur"))]


ANTI_ALIAS: dict[str, Callable[[Parts, At], list[Part]]] = {
    "none": lambda parts, at: [],
    "avg": _avg,
    "blur": _blur,
    "avg_floor": _avg_floor,
}


# --- layers of their own ------------------------------------------------------------------


def _inside(parts: Parts, at: At) -> Inside:
    """The stage's norm and activation, as the layer has them behind its convolutions."""
    norms = [part(ANY) for part in parts.norm_of(parts.kind(at.norm), "")]
    functions = [] if parts.fuses else [parts.activation()(ANY)]
    standard = parts.spec.standardization
    return Inside(
        next((op for op in norms if isinstance(op, Norm)), None),
        next((op for op in functions if isinstance(op, Activation)), None),
        standard.eps if standard else None,
    )


def _as_asked(part: Part, parts: Parts, at: At) -> Part:
    """The layer with its dilation and what is inside; what is beside it, as it is.

    Where any stage dilates or has a stride of two numbers, the layers of all are of the
    class that can.
    """
    inside = _inside(parts, at)
    dilates = any(dilation not in (None, 1) for dilation in flat(parts.spec.dilations))
    varies = dilates or inside.makers != PUBLISHED.makers or isinstance(at.stride, Pair)

    def made(x: Shape) -> Op:
        op = part(x)
        if not (varies and isinstance(op, Conv3x3)):
            return op
        return op.replace(inside=inside, varies=True, dilation=at.dilation)

    return made


def res2net(settings: Spatial, at: At) -> list[Part]:
    """Bands of channels that read one another, but not where the shape changes."""
    return [
        lambda x: Res2Conv2d(
            path=at.path,
            input=x,
            width=at.width,
            scale=settings.scale or 1,
            stride=at.stride,
            groups=at.groups,
            apart=at.changes,
        )
    ]


def selective_kernel(settings: Spatial, at: At) -> list[Part]:
    """A choice between two dilations."""
    size = rounded(at.width * (settings.ratio or 1), settings.divisor or 1)
    reduced = Number(size, "reduced")
    return [
        lambda x: SelectiveKernel(
            path=at.path,
            input=x,
            out_channels=at.width,
            reduced=reduced,
            stride=at.stride,
            groups=at.groups,
            split=bool(settings.split),
        )
    ]


def split_attention(settings: Spatial, at: At) -> list[Part]:
    """A weighted sum of convolutions; an average pool beside it strides.

    A quarter of their channels is reduced, rounded to 8, at least 32 (timm 1.0's rule).
    """
    radix = settings.radix or 1
    size = rounded(at.width * radix / 4, 8, least=32)
    reduced = Number(size, "reduced", over=(at.width, 4 // radix or 1))

    def attention(x: Shape) -> Op:
        return SplitAttention(
            path=at.path,
            input=x,
            reduced=reduced,
            groups=at.groups,
            radix=radix,
        )

    pool = where(at.strides, lambda x: _pool(x, at.stride))
    return [pool, attention] if settings.pool == "before" else [attention, pool]


def _pool(x: Shape, stride: Stride) -> Op:
    return AvgPool(path="pool", input=x, kernel=3, stride=stride, padding=1)


SPATIAL: dict[str, Callable[[Spatial, At], list[Part]]] = {
    "res2net": res2net,
    "selective_kernel": selective_kernel,
    "split_attention": split_attention,
}
