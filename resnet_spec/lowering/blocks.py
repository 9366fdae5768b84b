"""Blocks: the formula of each, from its place in the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from resnet_spec.language.chains import OwnBlock, Steps
from resnet_spec.language.fields import Spec
from resnet_spec.language.plan import StagePlan
from resnet_spec.language.values import both_of
from resnet_spec.lowering.attention import ATTENTION, Weighed
from resnet_spec.lowering.chains import Words, dilated, how, named, parts_of
from resnet_spec.lowering.conv3x3 import At, conv3x3
from resnet_spec.lowering.kinds import Kind
from resnet_spec.lowering.parts import (
    Part,
    Parts,
    apart,
    aside,
    biased,
    chain,
    where,
)
from resnet_spec.lowering.shortcuts import SHORTCUTS, Change, shared
from resnet_spec.network import (
    Block,
    Condition,
    Dropout,
    DropPath,
    Number,
    Op,
    Pair,
    Quotient,
    Rate,
    Shape,
    Shortcut,
    Stage,
    Stride,
)


class Slot(NamedTuple):
    """Where a block stands. Its numbers have names, for the source is rolled up by them."""

    stage: StagePlan  # or where a list says it, that of the very block
    kind: Kind
    x: Shape
    stride: Number | Pair
    dilation: int  # of the block's 3x3 convolutions
    nth: int  # in its stage, from 0
    rate: Rate | None  # of dropping its body

    @property
    def spec(self) -> Spec:
        return self.stage.spec

    @property
    def parts(self) -> Parts:
        return Parts(self.stage, of_block=True)

    @property
    def first_dilation(self) -> Number:
        """Of the block's first 3x3, which may keep that of the stage before."""
        dilation = Number(self.dilation, "dilation")
        if self.spec.dilation_from != "previous":
            return dilation
        kept = self.dilation if self.nth else self.stage.first_dilation
        return Number(kept, "previous_dilation", of=dilation)

    @property
    def zero(self) -> bool:
        """Whether the last norm starts at zero, so that the block starts as its shortcut."""
        changes = self._change(self.stage.out_channels).condition
        absent = self.kind.shortcut == "identity_or_none" and changes.holds
        return self.spec.init.zero_last_norm and not absent

    def _change(self, out: int) -> Change:
        """What the block does to the shape, where it gives so many channels."""
        return Change(self.x, out, self.stride, self.parts)

    def last_norm(self, number: int, activated: bool = False) -> tuple[Part, ...]:
        """The norm before the sum, `activated` with an activation behind it.

        Without a sum the activation that follows may be the norm's own.
        """
        path, zero = self.parts.name(number), self.zero
        ends = self.kind.shortcut == "none" and self.parts.fuses
        make = self.parts.norm_act if activated or ends else self.parts.norm
        return make(path, zero)

    def summed(self) -> list[Part]:
        """What follows the sum: IBN-Net-b normalizes that of a stage's last block."""
        if self.kind.shortcut == "none" and self.parts.fuses:
            return []
        if self.stage.norm != "ibn_b":
            return [self.parts.activation()]
        last = Number(self.nth == self.stage.depth - 1, "last")
        (norm,) = self.parts.norm_of("instance_affine", "IN")
        return [where(Condition(((last, 0),)), norm), self.parts.activation()]

    def norm_act(self, number: int) -> tuple[Part, ...]:
        return self.parts.norm_act(self.parts.name(number))

    def conv3x3(
        self, number: int, stride: Stride, out: int, width: int, dilation: int
    ) -> list[Part]:
        """The block's first 3x3 or what replaces it; `out` is what the block gives.

        In pre-activation blocks the norm behind it belongs to the next convolution.
        """
        changes = self._change(out).condition
        groups = self._groups(width)
        norm = self.parts.name(number + self.stage.preact)
        at = At(number, norm, width, stride, dilation, groups, changes)
        return conv3x3(self.parts, at)

    def _groups(self, channels: int) -> int:
        """Those of a convolution that reads so many channels."""
        each = self.stage.group_width
        if each is None:
            return Number(self.stage.groups, "groups")
        return Quotient(channels, Number(each, "group_width"))

    def attention(self, after: str, channels: int) -> list[Part]:
        """The attention where the spec has it after that part of the body.

        Its kernel stays that of an unpruned block (timm 1.0's ECA-ResNet-50-D pruned).
        """
        kind, stage = self.stage.attention, self.stage
        at = self.spec.attention_after if "attention_after" in stage.reads else "last"
        if kind == "none" or at != after:
            return []
        unpruned = channels
        if self.spec.pruned:
            unpruned = stage.unpruned if after == "last" else stage.width
        return [ATTENTION[kind](self.stage, self._weighed(channels, unpruned))]

    def _weighed(self, channels: int, unpruned: int) -> Weighed:
        return Weighed(channels, unpruned, self.x.channels)

    def dropout(self) -> list[Part]:
        rate = self.spec.dropout
        return [lambda x: Dropout(path="dropout", input=x, rate=rate)] if rate else []

    def words(self, *chains: Steps, where: str = "") -> Words:
        """What the words stand for in the chains of a block, or in a shortcut.

        `where` tells the numbers of a shortcut from those of the block.
        """
        width = self._inner_width
        out = Number(self.stage.out_channels, "out_channels", of=width)
        return Words(
            parts=self.parts,
            channels={"in": self.x.channels, "width": width, "out": out},
            stride=self.stride,
            groups=self._groups,
            dilation=self._dilation(dilated(*chains), where),
            alone={
                "activation": lambda _: [self.parts.activation()],
                "attention": lambda nth: self._attention(
                    f"{where}{nth}" if where or nth > 1 else ""
                ),
                "dropout": lambda _: self.dropout(),
                "spatial": lambda number: self.conv3x3(
                    number, self.stride, out, width, self.first_dilation
                ),
            },
        )

    @property
    def _inner_width(self) -> Number:
        """Channels inside: `width`, but where a basic block has that without groups."""
        alike = self.stage.block != "basic" or self.spec.width_per_group is None
        return Number(self.stage.inner_width, "width" if alike else "inner_width")

    def _dilation(self, dilated: list[int], where: str) -> Callable[[int], int]:
        """That of each convolution; the first in a block may have that of the stage before."""
        if where or len(dilated) == 1:
            return lambda _: Number(self.first_dilation, f"dilation{where}")
        own = Number(self.dilation, "dilation")
        return lambda number: self.first_dilation if number == dilated[0] else own

    def _attention(self, nth: str) -> list[Part]:
        """The stage's attention, whose numbers are told from those of another one by `nth`."""
        kind = self.stage.attention
        if kind == "none":
            return []

        def made(x: Shape) -> Op:
            op = ATTENTION[kind](self.stage, self._weighed(*[x.channels] * 2))(x)
            own = {k: v for k, v in op.values().items() if isinstance(v, Number)}
            return op.replace(
                **{k: v.renamed(f"{v.name}{nth}") for k, v in own.items()}
            )

        return [made]

    def drop_path(self) -> list[Part]:
        if self.rate is None:
            return []
        rate = self.rate
        return [lambda x: DropPath(path="drop_path", input=x, rate=rate)]

    def block(
        self, *body: Part, pre: Sequence[Part] = (), post: Sequence[Part] = ()
    ) -> Block:
        """post(body(pre(x)) + shortcut), the shortcut of x or of pre(x)."""
        asked = self.spec.conv_bias
        ops = biased(chain(self.x, *body, *self.drop_path()), asked)
        out = ops[-1].output
        start = biased(chain(self.x, *pre), asked)
        end = biased(chain(out, *post), asked)
        before, ops, after = apart(start, ops, end)
        before, ops, after = aside(before, ops, summed=after)
        reads_pre = bool(pre) and (not self.stage.preact or self.stage.activates)
        change = self._change(out.channels)._replace(from_pre=reads_pre)
        shortcut = self._shortcut(change)
        if shortcut:
            ops_of = biased(shortcut.ops, asked, projects=True)
            adds_pre = self.stage.adds_pre
            shortcut = shortcut._replace(ops=ops_of, adds_pre=adds_pre)
        return Block(
            kind=self.kind.name,
            noun=self.kind.noun,
            pre=before,
            body=ops,
            shortcut=shortcut,
            post=after,
        )

    def _shortcut(self, change: Change) -> Shortcut | None:
        if self.stage.shares:
            return shared(self.x, self.nth)
        chain = self.kind.shortcut
        if isinstance(chain, str):
            return SHORTCUTS[chain](change)
        (steps,) = named(chain)
        words = self.words(where="_of_shortcut")
        channels = {**words.channels, "out": change.out_channels}
        parts = parts_of(words._replace(channels=channels), steps)
        return change.shaped(how(chain), *parts)


def basic(slot: Slot) -> Block:
    """relu(norm(conv3x3(relu(norm(conv3x3(x))))) + shortcut(x))

    With `dilation_from: previous`, where a stage dilates, its first block's first convolution
    keeps the dilation of the stage before (timm 1.0; torchvision 0.29 has no dilated basic
    block). With `own` both dilate (segmentation_models_pytorch 0.5).
    """
    width, previous, dilation = _basic_numbers(slot)
    activated = slot.spec.se.activated and slot.stage.attention == "se"
    return slot.block(
        *slot.conv3x3(1, slot.stride, width, width, previous),
        *slot.dropout(),
        slot.parts.conv("conv2", width, 3, dilation=dilation),
        *slot.last_norm(2, activated),
        *slot.attention("last", width),
        post=slot.summed(),
    )


def preact_basic(slot: Slot) -> Block:
    """conv3x3(relu(norm(conv3x3(y)))) + shortcut with y = relu(norm(x))"""
    width, previous, dilation = _basic_numbers(slot)
    return slot.block(
        *slot.conv3x3(1, slot.stride, width, width, previous),
        *slot.dropout(),
        slot.parts.conv("conv2", width, 3, dilation=dilation),
        *slot.attention("last", width),
        pre=slot.norm_act(1),
    )


def _basic_numbers(slot: Slot) -> tuple[Number, Number, Number]:
    """A basic block's channels, and the dilations of its two convolutions."""
    dilation = Number(slot.dilation, "dilation")
    return Number(slot.stage.width, "width"), slot.first_dilation, dilation


def bottleneck(slot: Slot) -> Block:
    """relu(norm(conv1x1(relu(norm(conv3x3(relu(norm(conv1x1(x)))))))) + shortcut(x))

    With `dilation_from: previous`, where a stage dilates, its first block keeps the dilation
    of the stage before (torchvision 0.29).
    """
    body, out = _to_the_last_1x1(slot)
    attention = slot.attention("last", out)
    return slot.block(*body, *slot.last_norm(3), *attention, post=slot.summed())


def preact_bottleneck(slot: Slot) -> Block:
    """conv1x1(relu(norm(conv3x3(relu(norm(conv1x1(y))))))) + shortcut, y = relu(norm(x))"""
    body, out = _to_the_last_1x1(slot)
    return slot.block(*body, *slot.attention("last", out), pre=slot.norm_act(1))


def _to_the_last_1x1(slot: Slot) -> tuple[list[Part], Number]:
    """What both forms of a bottleneck have, and the channels that it gives."""
    first, width, out = _widths(slot)
    on1, on2 = _strides(slot)
    dilation = Number(slot.first_dilation, "dilation")
    conv3x3 = slot.conv3x3(2, on2, out, width, dilation)
    attention = slot.attention("conv2", _attended(slot, first, width))
    # In pre-activation blocks the norm behind it is that of the last 1x1.
    at = 1 if slot.stage.preact and not slot.spec.spatial else len(conv3x3)
    body = [
        slot.parts.conv("conv1", first, 1, on1),
        *slot.norm_act(1 + slot.stage.preact),
        *conv3x3[:at],
        *attention,
        *conv3x3[at:],
        slot.parts.conv("conv3", out, 1),
    ]
    return body, out


def _attended(slot: Slot, first: int, width: int) -> int:
    """Channels behind the 3x3; bands have those of the first 1x1."""
    return first if slot.spec.spatial and slot.spec.spatial.scale else width


def _strides(slot: Slot) -> tuple[Stride, Stride]:
    """Those of a bottleneck's first 1x1 and of its 3x3."""
    return (slot.stride, 1) if slot.kind.stride_on == "conv1" else (1, slot.stride)


def _widths(slot: Slot) -> tuple[Number, Number, Number]:
    """Channels after a bottleneck's first 1x1, in its 3x3, and after its last 1x1."""
    plan, spec = slot.stage, slot.spec
    if spec.pruned:
        first = Number(spec.pruned.conv1[plan.index][slot.nth], "first_width")
        width = Number(spec.pruned.conv2[plan.index][slot.nth], "width")
        return first, width, Number(plan.out_channels, "out_channels")
    width = Number(plan.inner_width, "width")
    out = Number(plan.out_channels, "out_channels", of=width)
    if spec.spatial and spec.spatial.scale:
        return Number(width * spec.spatial.scale, "bands", of=width), width, out
    if spec.reduce_first == 1:
        return width, width, out
    reduced = width // spec.reduce_first
    first = Number(reduced, "first_width", over=(width, spec.reduce_first))
    return first, width, out


def own(slot: Slot, block: OwnBlock) -> Block:
    """The block that the spec itself says."""
    pre, body, post = named(block.pre, block.body, block.post)
    words = slot.words(block.pre, block.body, block.post)
    return slot.block(
        *parts_of(words, body, slot.zero),
        pre=parts_of(words, pre),
        post=parts_of(words, post),
    )


BLOCKS: dict[tuple[str, bool], Callable[[Slot], Block]] = {
    ("basic", False): basic,
    ("basic", True): preact_basic,
    ("bottleneck", False): bottleneck,
    ("bottleneck", True): preact_bottleneck,
}
"""The formula of each block, without and with pre-activation."""


def stage(
    planned: Sequence[tuple[StagePlan, Kind]], x: Shape, rates: Sequence[Rate]
) -> Stage:
    """The stage's blocks: the first may change the shape, what follows repeats itself, but
    where more is said of them.

    What is planned is the stage, or then each of its blocks. `x` is the stage's input, `rates`
    those of dropping each block's body, where they are dropped.
    """
    plan, kind = planned[0]
    name, spacing = f"layer{plan.index + 1}", plan.dilations

    def rate(i: int) -> Rate | None:
        return rates[i] if rates else None

    x = x._replace(channels=Number(x.channels, "in_channels"))
    stride = _strided(kind, plan.stride)
    first = _made(Slot(plan, kind, x, stride, spacing[0], 0, rate(0)))
    one = _strided(kind, 1)
    again = Slot(plan, kind, _read(first), one, spacing[-1], 1, rate(-1))
    ends = plan.norm == "ibn_b"  # whose last block is another one than those before it
    if plan.by_block or plan.spec.pruned or len({*spacing[1:]}) > 1 or ends:
        blocks = [first]
        for i in range(1, plan.depth):
            slot = again._replace(nth=i, rate=rate(i), dilation=spacing[i])
            if plan.by_block:
                said, kind = planned[i]
                stride = _strided(kind, said.stride)
                slot = slot._replace(stage=said, kind=kind, stride=stride)
            blocks.append(_made(slot._replace(x=_read(blocks[-1]))))
        return Stage(name=name, blocks=tuple(blocks), repeat=None)
    if rates:
        others = [_made(again._replace(rate=rate(i))) for i in range(1, plan.depth)]
        return Stage(name=name, blocks=(first, *others), repeat=_made(again))
    repeat = _made(again)
    return Stage(name=name, blocks=(first, *[repeat] * (plan.depth - 1)), repeat=repeat)


def _strided(kind: Kind, stride: int | str) -> Number | Pair:
    """The stride by its name; where some of a class are pairs, all are."""
    height, width = both_of(stride)
    return Pair(height, width, "stride") if kind.pairs else Number(height, "stride")


def _made(slot: Slot) -> Block:
    block = slot.stage.block
    if isinstance(block, OwnBlock):
        return own(slot, block)
    return BLOCKS[block, slot.stage.preact](slot)


def _read(before: Block) -> Shape:
    """What the block behind that one reads."""
    out = before.output
    return out._replace(channels=Number(out.channels, "in_channels", of=out.channels))
