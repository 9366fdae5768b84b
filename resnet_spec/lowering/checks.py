"""What can be wrong with a network though every field of its spec is lawful."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import gcd
from operator import itemgetter

from resnet_spec.language.chains import OwnBlock
from resnet_spec.language.plan import Plan, StagePlan
from resnet_spec.language.rules.widths import nearest_divisor
from resnet_spec.network import (
    AttentionPool2d,
    BatchNorm1d,
    Block,
    BlurPool2d,
    Conv,
    Conv3x3,
    EvoNormS0,
    GroupNorm,
    InstanceBatchNorm2d,
    Layer,
    Network,
    Norm,
    Op,
    PadChannels,
    Pair,
    SelectiveKernel,
    Shape,
    Sizes,
    SplitAttention,
    StdConv2d,
    plain,
)
from resnet_spec.problems import FieldPath, Problem, Proposal, leave_out, write

FLAT = (BatchNorm1d, GroupNorm)  # the norms that take features (N, C)


def wrong(plan: Plan, network: Network) -> list[Problem]:
    """All that is wrong; where nothing else is, whether every sum adds equal shapes."""
    found = [
        *_wrong_sizes(plan, network),
        *_dropped_channels(plan, network),
        *_odd_zeros(plan, network),
        *_one_stride(plan, network),
        *_taken_name(plan, network),
        *_odd_groups(plan, network),
        *_odd_heads(plan, network),
        *_groups_of_one(network),
        *_single_weights(network),
        *_one_channel(network),
        *_no_bias(plan, network),
        *_norms_of_maps(plan, network),
    ]
    return found or list(_unequal_shapes(plan, network))


def _wrong_sizes(plan: Plan, network: Network) -> Iterator[Problem]:
    """An image that leaves a map without a pixel, or with more than a fixed pool covers."""
    others = (("strides",), ("stem", "pool"), ("stem", "type"), ("head", "pool"))
    _, *sides = network.image
    wrong = [i for i in (0, 1) if sides[i] not in network.sides[i]]
    if not wrong:
        return
    smallest, largest, _ = network.sides[wrong[0]]
    image, pool = list(plan.spec.input), plan.spec.head.pool
    last, uncut = network.stages[-1].output, _uncut(network)
    if uncut and (isinstance(pool, str) or not _is_empty(network)):
        yield _cut(plan, network, *uncut)
    elif largest is None or (isinstance(pool, str) and smallest > sides[wrong[0]]):
        named = ("heights", "widths")
        enough = [side._replace(largest=None) for side in network.sides]
        each = (f"{named[i]} {enough[i]}" for i in wrong)
        large = _fitting(*enough) if len({*enough}) == 1 else " and ".join(each)
        message = (
            f"{image} leaves a map too small for a pool that follows; {large} do not"
        )
        proposals = _taken(plan, enough)
        yield Problem(
            "image-too-small", message, ("input",), others=others, proposals=proposals
        )
    elif _is_empty(network):
        yield _no_size(plan, network)
    else:
        yield Problem(
            "pool-fits",
            f"{image} gives a last map of {last.height} x {last.width}, and head.pool needs "
            f"{pool} x {pool}; {_fitting(*network.sides)} give it",
            ("input",),
            others=others,
            proposals=_taken(plan, network.sides),
        )


def _taken(plan: Plan, sides: Sequence[Sizes]) -> tuple[Proposal, ...]:
    """The image that is nearest to the spec's and has such heights and widths."""
    channels, *asked = plan.spec.input
    each = (taken.nearest(side) for taken, side in zip(sides, asked, strict=True))
    return write(("input",), [channels, *each])


def _is_empty(network: Network) -> bool:
    """Whether it takes no image."""
    sides = network.sides
    return any(s.largest is not None and s.largest < s.smallest for s in sides)


def _uncut(network: Network) -> tuple[str, Shape] | None:
    """The first op whose map has a side that it cannot divide, and that map."""
    for path, op in network.distinct_ops():
        for side, taken in zip(op.input[1:], op.takes, strict=True):
            if any(side not in each for each in taken.multiples):
                return path, op.input
    return None


def _cut(plan: Plan, network: Network, path: str, x: Shape) -> Problem:
    """An image of which that op's map has a side that it cannot divide.

    A pool that fits just this image fits no other, so the others are told without it.
    """
    taken = network.replace(head=()) if _is_empty(network) else network
    others = "no image gives every layer one that it can"
    proposals: tuple[Proposal, ...] = ()
    if not _is_empty(taken):
        others = f"write {_fitting(*taken.sides)}"
        proposals = _taken(plan, taken.sides)
    return Problem(
        "image-divides",
        f"{list(plan.spec.input)} gives {path} a map of {x.height} x {x.width}, which it "
        f"cannot divide; {others}",
        ("input",),
        others=(("stem", "type"), ("attention",), ("strides",), ("head", "pre")),
        proposals=proposals,
    )


def _no_size(plan: Plan, network: Network) -> Problem:
    """What reads more of a map than the head's pool, or what it leaves, has for any image."""
    if any(op.least > 1 for op in network.head):
        message = (
            f"norm.type: {plan.blocks[-1].norm} takes the variance of a map, and what the pool "
            "leaves is a single pixel; leave norm out, or write norm.type: batch"
        )
        batch = write(("norm", "type"), "batch")
        field = ("head", "hidden")
        return Problem("image-too-small", message, field, proposals=batch)
    pool = plan.spec.head.pool
    ends = {op.path for op in network.head}
    *_, (path, most) = (
        (path, most)
        for path, op in network.distinct_ops()
        if path not in ends and (most := max(op.takes, key=itemgetter(0))).smallest > 1
    )
    reads = f"{most.smallest} x {most.smallest} at least"
    if most.multiples:
        reads = f"maps whose sides are multiples of {most.smallest}"
    message = (
        f"fits no image: it needs a last map of {pool} x {pool}, and {path} reads {reads}; "
        "write head.pool: global"
    )
    proposals = write(("head", "pool"), "global")
    return Problem("image-too-small", message, ("head", "pool"), proposals=proposals)


def _dropped_channels(plan: Plan, network: Network) -> Iterator[Problem]:
    """A shortcut of zeros can add channels but not take any away; said once."""
    found: dict[FieldPath, Problem] = {}
    for stage, made in _blocks(plan, network):
        before, after = made.input.channels, made.output.channels
        if "zero_pad" in stage.shortcut and after < before:
            problem = Problem(
                "channels-dropped",
                f"{stage.shortcut} cannot drop channels, and stage {stage.index + 1} goes from "
                f"{before} to {after}; projection can",
                stage.path("shortcut"),
                others=(stage.path("widths"), stage.path("expansion"), ("depths",)),
                proposals=write(stage.path("shortcut"), "projection"),
            )
            found.setdefault(problem.path, problem)
    yield from found.values()


def _odd_zeros(plan: Plan, network: Network) -> Iterator[Problem]:
    """Zeros of which there is no half to put before the input's channels; said once."""
    found: dict[FieldPath, Problem] = {}
    for stage, made in _blocks(plan, network):
        before, after = made.input.channels, made.output.channels
        odd = after > before and (after - before) % 2
        if stage.shortcut == "zero_pad_around" and odd:
            problem = Problem(
                "odd-zeros",
                f"zero_pad_around puts half of the new channels on each side, and stage "
                f"{stage.index + 1} has {after - before} of them, from {before} to {after}; "
                "an even number has a half",
                stage.path("shortcut"),
                others=(
                    stage.path("widths"),
                    stage.path("expansion"),
                    ("stem", "width"),
                ),
            )
            found.setdefault(problem.path, problem)
    yield from found.values()


def _fitting(heights: Sizes, widths: Sizes) -> str:
    """`heights and widths from 193 to 224`, or each for itself."""
    if heights == widths:
        return f"heights and widths {heights}"
    return f"heights {heights} and widths {widths}"


ONE_STRIDE = {
    PadChannels: ("adds channels of zeros", "shortcut: projection"),
    BlurPool2d: ("is a blur", "an average pool in its place"),
    StdConv2d: ("has standardized weights", "leave standardization out"),
}
"""The layers whose code has one stride for both sides, and what to write in their place."""


def _one_stride(plan: Plan, network: Network) -> Iterator[Problem]:
    """A stride of a height and a width in a layer that takes one number; said once."""
    asked = [
        (isinstance(plain(stride), int), path, op.path == path, said)
        for path, op in network.distinct_ops()
        if isinstance(stride := getattr(op, "stride", 1), Pair)
        for kind, said in ONE_STRIDE.items()
        if isinstance(op, kind)
    ]
    if asked:
        # The first one where they differ: with it, all blocks of its class have pairs.
        _, path, of_stem, (does, other) = min(asked)
        chain = not isinstance(plan.spec.stem.type, str)
        stem = ("stem", "type" if chain else "stride")
        said = stem if of_stem else next(_pairs(plan))
        yield Problem(
            "one-stride",
            f"is of height and width, and {path}, which {does}, strides alike along both; "
            f"write one number, or {other}",
            said,
            others=(("shortcut",), ("standardization",), ("block",)),
        )


def _pairs(plan: Plan) -> Iterator[FieldPath]:
    """Where strides of a height and a width are written."""
    for block in plan.blocks:
        if isinstance(block.stride, str):
            yield block.path("strides")


def _blocks(plan: Plan, network: Network) -> Iterator[tuple[StagePlan, Block]]:
    """The first block of each stage, or where a list says them, each, with what is said."""
    for stage, made in zip(plan.stages, network.stages, strict=True):
        yield from zip(stage.blocks, made.blocks, strict=False)


def _image(network: Network, side: int) -> str:
    """An image of that height and width, where the network takes it."""
    heights, widths = (side in sizes for sizes in network.sides)
    if heights and widths:
        return f"an image of {side} x {side}"
    return f"images of {'height' if heights else 'width'} {side}"


def _taken_name(plan: Plan, network: Network) -> Iterator[Problem]:
    """A network or a block that has the name of another thing in the network's source."""
    layers = {op.module for _, op in network.distinct_ops() if isinstance(op, Layer)}
    taken = {*layers, "F", "Tensor"}
    blocks: dict[str, str | OwnBlock] = {}
    for stage, made in _blocks(plan, network):
        kind = made.kind
        if kind in taken or blocks.setdefault(kind, stage.block) != stage.block:
            message = f"{kind} is another class of the network; choose another name"
            name = ("name",) * isinstance(stage.block, OwnBlock)
            path = (*stage.path("block"), *name)
            mine = write(path, f"My{kind}") if name else ()
            yield Problem("name-taken", message, path, proposals=mine)
            return
    if network.name in taken | blocks.keys():
        message = (
            f"{network.name} is a class that the network itself uses; choose another, as "
            f"My{network.name}"
        )
        mine = write(("name",), f"My{network.name}")
        yield Problem("name-taken", message, ("name",), proposals=mine)


def _odd_groups(plan: Plan, network: Network) -> Iterator[Problem]:
    """Channels that do not fall into the groups that something in the network makes."""
    for path, op in network.distinct_ops():
        for channels, groups, field in _groups(plan, op):
            if channels % groups:
                one = "channels_per_group" in field
                what = f"groups of {groups}" if one else f"{groups} groups"
                message = f"{what} do not divide {channels} channels, of {path}"
                proposals: tuple[Proposal, ...] = ()
                if field[0] == "norm":
                    near = _divisor(plan, network, groups)
                    message = f"{message}; {near} divide all"
                    proposals = write(field, near)
                others = (("widths",), ("stem", "width"), ("groups",), ("spatial",))
                yield Problem(
                    "odd-groups", message, field, others=others, proposals=proposals
                )
                return


def _odd_heads(plan: Plan, network: Network) -> Iterator[Problem]:
    """Attention has heads of 64 channels, of what the last op before it gives."""
    for op in network.head:
        if isinstance(op, AttentionPool2d) and op.input.channels % 64:
            message = (
                "has heads of 64 channels, which do not divide the "
                f"{op.input.channels} that it reads"
            )
            last = plan.blocks[-1]
            others = (last.path("widths"), last.path("expansion"), ("head", "pre"))
            yield Problem("groups-divide", message, ("head", "pool"), others=others)


def _divisor(plan: Plan, network: Network, asked: int) -> int:
    """The groups nearest to those asked for into which the channels of all norms fall."""
    found = [
        channels
        for _, op in network.distinct_ops()
        for channels, _, field in _groups(plan, op)
        if field[0] == "norm"
    ]
    return nearest_divisor(gcd(*found), asked)


def _groups(plan: Plan, op: Op) -> Iterator[tuple[int, int, FieldPath]]:
    """Channels, the groups that they must fall into, and the field that says so."""
    channels = op.input.channels
    if isinstance(op, (GroupNorm, EvoNormS0)):
        per_group = plan.spec.norm.channels_per_group
        name = "channels_per_group" if per_group else "groups"
        yield channels, per_group or op.groups, ("norm", name)
    elif isinstance(op, Conv3x3):
        yield from _groups_inside(op)
    elif isinstance(op, Conv):
        yield channels, op.groups, ("reduce_first",)  # else a rule has refused them


def _groups_inside(op: Conv3x3) -> Iterator[tuple[int, int, FieldPath]]:
    """Those of a layer with an inner graph: of its convolutions, and of its norms."""
    channels = op.input.channels
    groups = getattr(op.inside.norm, "groups", 0)
    for normed in op.normed if groups else ():
        yield normed, groups, ("norm", "groups")
    if isinstance(op, SelectiveKernel):
        yield channels, op.groups * (2 if op.split else 1), ("spatial", "type")
    elif isinstance(op, SplitAttention):
        yield channels, op.groups * op.radix, ("spatial", "radix")
        yield op.reduced, op.groups, ("groups",)


def _groups_of_one(network: Network) -> Iterator[Problem]:
    """A norm of the means that a layer weighs by, each of which would be a group itself."""
    for path, op in network.distinct_ops():
        if not isinstance(op, Conv3x3) or len(op.normed) == 1:
            continue
        *_, means = op.normed
        if getattr(op.inside.norm, "groups", 0) == means:
            message = (
                f"puts each of the {means} means that {path} weighs by into a group of its "
                "own, and a single number has no variance; write fewer groups"
            )
            others = (("spatial",), ("norm", "type"))
            yield Problem("odd-groups", message, ("norm", "groups"), others=others)
            return


def _single_weights(network: Network) -> Iterator[Problem]:
    """A filter of a single weight, which weight standardization would make zero."""
    for path, op in network.distinct_ops():
        if not isinstance(op, StdConv2d):
            continue
        if op.kernel == 1 and op.input.channels == op.groups:
            message = f"would make {path} zero, whose filters have one weight each"
            others = (("widths",), ("stem", "width"), ("input",))
            field = ("standardization",)
            yield Problem("single-weight", message, field, others=others)
            return


def _one_channel(network: Network) -> Iterator[Problem]:
    """A norm of two halves that has a single channel."""
    for path, op in network.distinct_ops():
        if isinstance(op, InstanceBatchNorm2d) and op.input.channels == 1:
            message = f"ibn_a halves channels, and {path} has one; batch takes it"
            others = (("widths",), ("reduce_first",))
            field = ("norm", "type")
            batch = write(field, "batch")
            yield Problem("odd-groups", message, field, others=others, proposals=batch)
            return


def _no_bias(plan: Plan, network: Network) -> Iterator[Problem]:
    """Biases for a kind of convolution that the network does not have."""
    asked = plan.spec.conv_bias
    blocks = (block for s in network.stages for block in s.distinct.values())
    ops = (*network.entry, *(op for block in blocks for op in block.ops))
    if asked == "none" or any(isinstance(op, Conv) and op.bias for op in ops):
        return
    why = f"changes nothing, for this network has {WITHOUT[asked]}"
    yield Problem(
        "unused",
        f"{why}; remove it",
        ("conv_bias",),
        about_key=True,
        others=(("shortcut",), ("preact",), ("norm", "type")),
        inherited=f"{why}; write conv_bias: null",
        proposals=leave_out(("conv_bias",)),
    )


WITHOUT = {
    "projection": "no projection",
    "unnormalized": "a norm after every convolution",
}
"""What a network is like in which no convolution is of the kind that `conv_bias` names."""


def _norms_of_maps(plan: Plan, network: Network) -> Iterator[Problem]:
    """A norm of maps behind a linear layer, where features are flat."""
    flat = False
    for op in network.head:
        if flat and isinstance(op, Norm) and not isinstance(op, FLAT):
            message = (
                f"norm.type: {plan.blocks[-1].norm} has no form for what a linear layer gives; "
                "leave norm out behind one, or write norm.type: batch"
            )
            path, others = ("head", "hidden"), (("norm", "type"),)
            batch = write(others[0], "batch")
            yield Problem("flat-norm", message, path, others=others, proposals=batch)
            return
        flat = flat or op.flattens


def _unequal_shapes(plan: Plan, network: Network) -> Iterator[Problem]:
    """A block whose body and shortcut cannot be added for some image that is taken."""
    if found := network.disagreement():
        name, nth = found.block.split(".")
        stage = plan.stages[[s.name for s in network.stages].index(name)]
        stage = stage.blocks[int(nth)] if stage.by_block else stage
        addable = _addable(stage)
        yield Problem(
            "unequal-shapes",
            f"{found.block} cannot be added: for {_image(network, found.image)} "
            f"its body gives {found.body} and its shortcut {found.shortcut}; "
            f"write {_said(*addable) if addable else STRIDE_BOTH}",
            stage.path("shortcut"),
            others=(("anti_alias",), stage.path("block"), stage.path("strides")),
            proposals=write(stage.path(addable[0]), addable[1]) if addable else (),
        )


STRIDE_BOTH = "stride: block in one op of the body and in one of the shortcut"
FLOORS = "which rounds down as it does"


def _said(field: str, word: str, why: str) -> str:
    return f"{field}: {word}, {why}"


def _addable(stage: StagePlan) -> tuple[str, str, str] | None:
    """A field and a word with which a block's two sides can be added, and why."""
    if isinstance(stage.shortcut, tuple):
        return None
    if stage.shortcut == "avg_floor_projection":
        return "anti_alias", "avg_floor", FLOORS
    if stage.known("anti_alias") == "avg_floor":
        return "shortcut", "avg_floor_projection", FLOORS
    return "shortcut", "projection", "which changes as the body does"
