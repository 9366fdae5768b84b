"""Blocks: the formula of each, from its place in the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from resnet_spec import ir
from resnet_spec.lower.attention import ATTENTION
from resnet_spec.lower.kinds import Kind
from resnet_spec.lower.parts import Part, Parts, chain
from resnet_spec.lower.shortcuts import SHORTCUTS, Change
from resnet_spec.lower.spatial import Place, spatial
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
    nth: int  # in its stage, from 0
    rate: ir.Rate | None  # of dropping its body

    @property
    def parts(self) -> Parts:
        return Parts(self.spec, self.row.activation)

    def last_norm(self, number: int) -> Part:
        return self.parts.norm(self.parts.name(number), self.spec.init.zero_last_norm)

    def norm_act(self, number: int) -> tuple[Part, ...]:
        return self.parts.norm_act(self.parts.name(number))

    def spatial(
        self, number: int, stride: int, out: int, width: int, dilation: int
    ) -> list[Part]:
        """The block's first 3x3; `out` is what the block gives."""
        changes = Change(self.x, out, self.stride, self.parts).condition
        groups = ir.Number(self.row.groups, "groups")
        return spatial(
            self.parts, Place(number, width, stride, dilation, groups, changes)
        )

    def attention(self, after: str, channels: int) -> list[Part]:
        """The attention where the spec has it behind that part of the body.

        Its kernel stays that of an unpruned block (timm 1.0's ECA-ResNet-50-D pruned).
        """
        kind = self.row.attention
        at = self.spec.attention_after if self.row.is_bottleneck else "last"
        if kind == "none" or at != after:
            return []
        unpruned = channels
        if self.spec.pruned:
            unpruned = self.row.unpruned if after == "last" else self.row.width
        return [ATTENTION[kind](self.spec, channels, unpruned)]

    def dropout(self) -> list[Part]:
        rate = self.spec.dropout
        return (
            [lambda x: ir.Dropout(path="dropout", input=x, rate=rate)] if rate else []
        )

    def drop_path(self) -> list[Part]:
        if self.rate is None:
            return []
        rate = self.rate
        return [lambda x: ir.DropPath(path="drop_path", input=x, rate=rate)]

    def block(self, *body: Part) -> ir.Block:
        """relu(body(x) + shortcut(x)), or with pre-activation body(pre(x)) + shortcut."""
        pre = chain(self.x, *self.norm_act(1)) if self.spec.pre_activation else ()
        ops = chain(self.x, *body, *self.drop_path())
        out = ops[-1].output
        change = Change(self.x, out.channels, self.stride, self.parts)
        shortcut = SHORTCUTS[self.row.shortcut](change)
        post = () if pre else chain(out, self.parts.activation())
        return ir.Block(*self.kind, ops, shortcut, post, pre)


def basic(slot: Slot) -> ir.Block:
    """relu(norm(conv3x3(relu(norm(conv3x3(x))))) + shortcut(x))

    Where a stage dilates, its first block's first convolution keeps the dilation of the
    stage before (timm 1.0's convention; torchvision 0.29 has no dilated basic block).
    """
    width, previous, dilation = _basic_numbers(slot)
    second = slot.parts.conv("conv2", width, 3, dilation=dilation)
    activated = slot.spec.se.activated and slot.row.attention == "se"
    return slot.block(
        *slot.spatial(1, slot.stride, width, width, previous),
        *slot.dropout(),
        second,
        slot.last_norm(2),
        *[slot.parts.activation()] * activated,
        *slot.attention("last", width),
    )


def preact_basic(slot: Slot) -> ir.Block:
    """conv3x3(relu(norm(conv3x3(y)))) + shortcut with y = relu(norm(x))"""
    width, previous, dilation = _basic_numbers(slot)
    return slot.block(
        slot.parts.conv("conv1", width, 3, slot.stride, dilation=previous),
        *slot.norm_act(2),
        *slot.dropout(),
        slot.parts.conv("conv2", width, 3, dilation=dilation),
        *slot.attention("last", width),
    )


def _basic_numbers(slot: Slot) -> tuple[ir.Number, ir.Number, ir.Number]:
    """A basic block's channels, and the dilations of its two convolutions."""
    dilation = ir.Number(slot.row.dilation, "dilation")
    previous = ir.Number(slot.dilation, "previous_dilation", of=dilation)
    return ir.Number(slot.row.width, "width"), previous, dilation


def bottleneck(slot: Slot) -> ir.Block:
    """relu(norm(conv1x1(relu(norm(conv3x3(relu(norm(conv1x1(x)))))))) + shortcut(x))

    Where a stage dilates, its first block keeps the dilation of the stage before
    (torchvision 0.29's convention).
    """
    first, width, out = _widths(slot)
    on1, on2 = _strides(slot)
    dilation = ir.Number(slot.dilation, "dilation")
    bands = first if slot.spec.spatial and slot.spec.spatial.scale else None
    return slot.block(
        slot.parts.conv("conv1", first, 1, on1),
        *slot.norm_act(1),
        *slot.spatial(2, on2, out, width, dilation),
        *slot.attention("conv2", bands or width),
        slot.parts.conv("conv3", out, 1),
        slot.last_norm(3),
        *slot.attention("last", out),
    )


def preact_bottleneck(slot: Slot) -> ir.Block:
    """conv1x1(relu(norm(conv3x3(relu(norm(conv1x1(y))))))) + shortcut, y = relu(norm(x))"""
    first, width, out = _widths(slot)
    on1, on2 = _strides(slot)
    window = {
        "dilation": ir.Number(slot.dilation, "dilation"),
        "groups": ir.Number(slot.row.groups, "groups"),
    }
    return slot.block(
        slot.parts.conv("conv1", first, 1, on1),
        *slot.norm_act(2),
        slot.parts.conv("conv2", width, 3, on2, **window),
        *slot.norm_act(3),
        slot.parts.conv("conv3", out, 1),
        *slot.attention("last", out),
    )


def _strides(slot: Slot) -> tuple[int, int]:
    """Those of a bottleneck's first 1x1 and of its 3x3."""
    return (slot.stride, 1) if slot.row.stride_on == "conv1" else (1, slot.stride)


def _widths(slot: Slot) -> tuple[ir.Number, ir.Number, ir.Number]:
    """Channels behind a bottleneck's first 1x1, in its 3x3, and behind its last 1x1."""
    row, spec = slot.row, slot.spec
    if spec.pruned:
        first = ir.Number(spec.pruned.conv1[row.index][slot.nth], "first_width")
        width = ir.Number(spec.pruned.conv2[row.index][slot.nth], "width")
        return first, width, ir.Number(row.out_channels, "out_channels")
    width = ir.Number(row.inner_width, "width")
    out = ir.Number(row.out_channels, "out_channels", of=width)
    if spec.spatial and spec.spatial.scale:
        return ir.Number(width * spec.spatial.scale, "bands", of=width), width, out
    if spec.reduce_first == 1:
        return width, width, out
    reduced = width // spec.reduce_first
    first = ir.Number(reduced, "first_width", over=(width, spec.reduce_first))
    return first, width, out


BLOCKS: dict[tuple[str, bool], Callable[[Slot], ir.Block]] = {
    ("basic", False): basic,
    ("basic", True): preact_basic,
    ("bottleneck", False): bottleneck,
    ("bottleneck", True): preact_bottleneck,
}


def stage(
    row: Row, kind: Kind, x: ir.Shape, dilation: int, rates: Sequence[ir.Rate]
) -> ir.Stage:
    """The stage's blocks: the first changes the shape, what follows repeats itself.

    `x` is the stage's input, `dilation` that of the stage before, `rates` those of dropping
    each block's body, where they are dropped.
    """
    spec = row.spec
    make = BLOCKS[row.block, spec.pre_activation]
    stride = ir.Number(row.stride, "stride")

    def rate(i: int) -> ir.Rate | None:
        return rates[i] if rates else None

    x = x._replace(channels=ir.Number(x.channels, "in_channels"))
    first = make(Slot(spec, row, kind, x, stride, dilation, 0, rate(0)))
    out = first.output
    x = out._replace(channels=ir.Number(out.channels, "in_channels", of=out.channels))
    again = Slot(spec, row, kind, x, ir.Number(1, "stride"), row.dilation, 1, rate(-1))
    name, behind = f"layer{row.index + 1}", range(1, row.depth)
    if spec.pruned:
        pruned = [make(again._replace(nth=i, rate=rate(i))) for i in behind]
        return ir.Stage(name, (first, *pruned), None)
    if rates:
        dropped = [make(again._replace(rate=rate(i))) for i in behind]
        return ir.Stage(name, (first, *dropped), make(again))
    repeat = make(again)
    return ir.Stage(name, (first, *[repeat] * len(behind)), repeat)
