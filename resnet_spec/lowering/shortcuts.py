"""Shortcuts: what a block adds to its body.

Options A, B and C are those of https://arxiv.org/abs/1512.03385, section 4.1. A projection of
a pre-activation block has no norm of its own (https://arxiv.org/abs/1603.05027); whether it
reads the input or what norm and activation make of that, the spec says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from resnet_spec.lowering.parts import Part, Parts, aside, at, chain, numbered
from resnet_spec.network import (
    AvgPool,
    Condition,
    Either,
    Identity,
    Number,
    PadChannels,
    PadChannelsAround,
    Shape,
    Shortcut,
    Stride,
)


class Change(NamedTuple):
    """What a block does to the shape of its input."""

    x: Shape
    out_channels: int
    stride: Stride
    parts: Parts
    from_pre: bool = False  # shortcuts read what the block has before its body

    @property
    def condition(self) -> Condition:
        """Holds where the shape changes, so that the input itself cannot be added."""
        channels = (self.x.channels, self.out_channels)
        return Condition(((self.stride, 1), channels))

    def projected(self, how: str, *parts: Part) -> Shortcut:
        """The parts and their norm where the shape changes; pre-activation has none."""
        norm = () if self.parts.spec.preact else self.parts.norm("")
        return self.shaped(how, *parts, *norm)

    def shaped(self, how: str, *parts: Part) -> Shortcut:
        """The parts where the shape changes."""
        many = len(parts) > 1
        made = numbered("downsample", *parts) if many else [at("downsample", parts[0])]
        ops, _ = aside(chain(self.x, *made))
        return Shortcut(ops, self.condition, how, self.from_pre)


def projection(change: Change) -> Shortcut:
    """norm(conv1x1(x)) where the shape changes (option B)."""
    conv = change.parts.conv("downsample", change.out_channels, 1, change.stride)
    return change.projected("projected", conv)


def projection_always(change: Change) -> Shortcut:
    """norm(conv1x1(x)) in every block (option C)."""
    return projection(change)._replace(when=None)


def projection3x3(change: Change) -> Shortcut:
    """norm(conv(x)) where the shape changes, 3x3 where it strides and 1x1 elsewhere."""
    strides = Condition(((change.stride, 1),))
    kernel, padding = Either(strides, 3, 1), Either(strides, 1, 0)
    out, stride = change.out_channels, change.stride
    conv = change.parts.conv("downsample", out, kernel, stride, padding=padding)
    return change.projected("projected", conv)


def avg_projection(change: Change) -> Shortcut:
    """norm(conv1x1(pool(x))) where the shape changes (https://arxiv.org/abs/1812.01187).

    The pool rounds up, as a strided convolution does; rounding down fails on odd sizes.
    """
    pool = average("", change.stride)
    conv = change.parts.conv("", change.out_channels, 1)
    return change.projected("averaged and projected", pool, conv)


def avg_floor_projection(change: Change) -> Shortcut:
    """As avg_projection, with a pool that rounds down (https://arxiv.org/abs/2103.00020).

    It can be added to a body whose pool rounds down as well, and to no other.
    """
    pool = average("", change.stride, ceil=False)
    conv = change.parts.conv("", change.out_channels, 1)
    return change.projected("averaged and projected", pool, conv)


def blur_projection(change: Change) -> Shortcut:
    """norm(conv1x1(blur(x))) where the shape changes (https://arxiv.org/abs/1904.11486)."""
    blur = change.parts.blur("", change.stride)
    conv = change.parts.conv("", change.out_channels, 1)
    return change.projected("blurred and projected", blur, conv)


def zero_pad_after(change: Change) -> Shortcut:
    """Every stride-th pixel, and channels of zeros, where the shape changes (option A)."""
    return _padded(change, PadChannels, "subsampled and zero-padded")


def zero_pad_around(change: Change) -> Shortcut:
    """The same, with half of the zeros before the input's channels.

    https://github.com/akamaster/pytorch_resnet_cifar10, resnet.py
    """
    return _padded(change, PadChannelsAround, "subsampled, padded around")


def _padded(change: Change, made: type[PadChannels], how: str) -> Shortcut:
    op = made(
        path="downsample",
        input=change.x,
        out_channels=change.out_channels,
        stride=change.stride,
    )
    return Shortcut((op,), change.condition, how, change.from_pre)


def identity(_: Change) -> Shortcut:
    """The input itself, also where the body changes the shape, which is then refused."""
    return Shortcut()


def identity_or_none(change: Change) -> Shortcut:
    """The input itself where the shape stays, and nothing elsewhere (timm 1.0's RegNetZ)."""
    return Shortcut(absent=change.condition)


def shared(x: Shape, nth: int) -> Shortcut:
    """What norm and activation make of `x`, in a stage's first block; `x` in the others."""
    shares = Number(int(nth == 0), "shares")
    how = "what norm and activation give"
    op = Identity(path="shared", input=x)
    return Shortcut(
        (op,), Condition(((shares, 0),)), how, True, "In a stage's first block"
    )


def none(change: Change) -> None:
    """Nothing is added: a plain network."""


def average(path: str, stride: Stride, ceil: bool = True) -> Part:
    """An average over stride x stride pixels; of stride 1, the identity."""
    return lambda x: AvgPool(
        path=path, input=x, kernel=stride, stride=stride, ceil=ceil
    )


SHORTCUTS: dict[str, Callable[[Change], Shortcut | None]] = {
    "projection": projection,
    "projection_always": projection_always,
    "projection3x3": projection3x3,
    "avg_projection": avg_projection,
    "zero_pad_after": zero_pad_after,
    "zero_pad_around": zero_pad_around,
    "none": none,
    "identity": identity,
    "identity_or_none": identity_or_none,
    "avg_floor_projection": avg_floor_projection,
    "blur_projection": blur_projection,
}
