"""Blocks: the formula of each, from its place in the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from resnet_spec import ir
from resnet_spec.lower.kinds import Kind
from resnet_spec.lower.parts import Part, activation, chain, conv, norm
from resnet_spec.lower.shortcuts import SHORTCUTS, Change
from resnet_spec.rows import Row
from resnet_spec.spec import Spec


class Slot(NamedTuple):
    """Where a block stands. Its numbers have names, for the source is rolled up by them."""

    spec: Spec
    row: Row
    kind: Kind
    x: ir.Shape
    stride: ir.Number
    dilation: int  # of the block's first 3x3
    first: bool  # in its stage

    def norm(self, path: str, last: bool = False) -> Part:
        return norm(path, self.spec.norm, last and self.spec.init.zero_last_norm)

    def activation(self) -> Part:
        return activation(self.row.activation)

    def shortcut(self, out_channels: int) -> ir.Shortcut | None:
        change = Change(self.x, out_channels, self.stride, self.spec.norm)
        return SHORTCUTS[self.row.shortcut](change)

    def block(self, body: ir.Chain) -> ir.Block:
        """relu(body(x) + shortcut(x))"""
        out = body[-1].output
        post = chain(out, self.activation())
        return ir.Block(*self.kind, body, self.shortcut(out.channels), post)


def basic(slot: Slot) -> ir.Block:
    """relu(norm(conv3x3(relu(norm(conv3x3(x))))) + shortcut(x))

    Where a stage dilates, its first block's first convolution keeps the dilation of the
    stage before (timm 1.0's convention; torchvision 0.29 has no dilated basic block).
    """
    width = ir.Number(slot.row.width, "width")
    dilation = ir.Number(slot.row.dilation, "dilation")
    repeated = None if slot.first else dilation
    previous = ir.Number(slot.dilation, "previous_dilation", of=repeated)
    body = chain(
        slot.x,
        conv("conv1", width, 3, slot.stride, previous),
        slot.norm("bn1"),
        slot.activation(),
        conv("conv2", width, 3, 1, dilation),
        slot.norm("bn2", last=True),
    )
    return slot.block(body)


def bottleneck(slot: Slot) -> ir.Block:
    """relu(norm(conv1x1(relu(norm(conv3x3(relu(norm(conv1x1(x)))))))) + shortcut(x))

    Where a stage dilates, its first block keeps the dilation of the stage before
    (torchvision 0.29's convention).
    """
    row = slot.row
    width = ir.Number(inner_width(row), "width")
    out_channels = ir.Number(row.width * (row.expansion or 1), "out_channels", of=width)
    groups = ir.Number(row.groups, "groups")
    dilation = ir.Number(slot.dilation, "dilation")
    on1, on2 = (slot.stride, 1) if row.stride_on == "conv1" else (1, slot.stride)
    body = chain(
        slot.x,
        conv("conv1", width, 1, on1),
        slot.norm("bn1"),
        slot.activation(),
        conv("conv2", width, 3, on2, dilation, groups),
        slot.norm("bn2"),
        slot.activation(),
        conv("conv3", out_channels, 1),
        slot.norm("bn3", last=True),
    )
    return slot.block(body)


def inner_width(row: Row) -> int:
    """Channels of a bottleneck's 3x3, by torchvision 0.29's rule for width_per_group."""
    if row.width_per_group is None:
        return row.width
    return row.width * row.width_per_group // 64 * row.groups


BLOCKS: dict[str, Callable[[Slot], ir.Block]] = {
    "basic": basic,
    "bottleneck": bottleneck,
}


def stage(spec: Spec, row: Row, kind: Kind, x: ir.Shape, dilation: int) -> ir.Stage:
    """The stage's blocks: the first changes the shape, what follows repeats itself.

    `x` is the stage's input, `dilation` that of the stage before.
    """

    def block(x: ir.Shape, stride: int, dilation: int, first: bool) -> ir.Block:
        number = ir.Number(stride, "stride")
        return BLOCKS[row.block](Slot(spec, row, kind, x, number, dilation, first))

    x = x._replace(channels=ir.Number(x.channels, "in_channels"))
    first = block(x, row.stride, dilation, first=True)
    out = first.output
    x = out._replace(channels=ir.Number(out.channels, "in_channels", of=out.channels))
    repeat = block(x, 1, row.dilation, first=False)
    return ir.Stage(
        f"layer{row.index + 1}", (first, *[repeat] * (row.depth - 1)), repeat
    )
