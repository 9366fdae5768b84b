"""How `lower` writes ops: each part is made on the shape that the part before it leaves."""

from __future__ import annotations

from collections.abc import Callable

from resnet_spec import ir
from resnet_spec.spec import Norm

Part = Callable[[ir.Shape], ir.Op]


def chain(x: ir.Shape, *parts: Part) -> ir.Chain:
    """The ops of the parts, from an input of shape `x` on."""
    ops: list[ir.Op] = []
    for part in parts:
        ops.append(part(ops[-1].output if ops else x))
    return tuple(ops)


def conv(
    path: str,
    out_channels: int,
    kernel: int,
    stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
) -> Part:
    """A convolution, padded so that at stride 1 it keeps height and width."""
    padding = dilation if kernel == 3 else kernel // 2
    return lambda x: ir.Conv(
        path=path,
        input=x,
        out_channels=out_channels,
        kernel=kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
    )


def norm(path: str, settings: Norm, zero: bool = False) -> Part:
    """A batch norm, of weight zero at the start where asked."""
    return lambda x: ir.BatchNorm(
        path=path, input=x, eps=settings.eps, momentum=settings.momentum, zero=zero
    )


def activation(function: str) -> Part:
    """The function, by a module of its name."""
    return lambda x: ir.Activation(path=function, input=x, function=function)
