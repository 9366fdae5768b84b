"""Shortcuts: what a block adds to its body.

Options A, B and C are those of https://arxiv.org/abs/1512.03385, section 4.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from resnet_spec import ir
from resnet_spec.lower.parts import Part, chain, conv, norm
from resnet_spec.spec import Norm


class Change(NamedTuple):
    """What a block does to the shape of its input."""

    x: ir.Shape
    out_channels: int
    stride: int
    norm: Norm

    @property
    def condition(self) -> ir.Condition:
        """Holds where the shape changes, so that the input itself cannot be added."""
        channels = (self.x.channels, self.out_channels)
        return ir.Condition(((self.stride, 1), channels))


def projection(change: Change) -> ir.Shortcut:
    """norm(conv1x1(x)) where the shape changes (option B)."""
    ops = chain(
        change.x,
        conv("downsample.0", change.out_channels, 1, change.stride),
        norm("downsample.1", change.norm),
    )
    return ir.Shortcut(ops, change.condition, "projected")


def projection_always(change: Change) -> ir.Shortcut:
    """norm(conv1x1(x)) in every block (option C)."""
    return projection(change)._replace(when=None)


def avg_projection(change: Change) -> ir.Shortcut:
    """norm(conv1x1(pool(x))) where the shape changes (https://arxiv.org/abs/1812.01187).

    The pool rounds up, as a strided convolution does; rounding down fails on odd sizes.
    """
    ops = chain(
        change.x,
        average("downsample.0", change.stride),
        conv("downsample.1", change.out_channels, 1),
        norm("downsample.2", change.norm),
    )
    return ir.Shortcut(ops, change.condition, "averaged and projected")


def zero_pad(change: Change) -> ir.Shortcut:
    """Every stride-th pixel, and channels of zeros, where the shape changes (option A)."""
    op = ir.PadChannels(
        path="downsample",
        input=change.x,
        out_channels=change.out_channels,
        stride=change.stride,
    )
    return ir.Shortcut((op,), change.condition, "subsampled and zero-padded")


def none(change: Change) -> None:
    """Nothing is added: a plain network."""


def average(path: str, stride: int) -> Part:
    """An average over stride x stride pixels; of stride 1, the identity."""
    return lambda x: ir.AvgPool(
        path=path, input=x, kernel=stride, stride=stride, ceil=True
    )


SHORTCUTS: dict[str, Callable[[Change], ir.Shortcut | None]] = {
    "projection": projection,
    "projection_always": projection_always,
    "avg_projection": avg_projection,
    "zero_pad": zero_pad,
    "none": none,
}
