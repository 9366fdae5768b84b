"""A network as libraries ask for one: basic blocks or bottlenecks, by stage, and its ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from resnet_spec.network import Block, Network, Op
from resnet_spec.network.custom import FrozenBatchNorm2d
from resnet_spec.network.ops import (
    Activation,
    AvgPool,
    BatchNorm,
    Conv,
    GroupNorm,
    Norm,
)
from resnet_spec.problems import SpecError
from resnet_spec.weights.inference.structure import compiled

Data = dict[str, Any]
BOTTLENECK = 3  # convolutions
PLANES = (64, 128, 256, 512)
EXPANSION = 4
CHANNELS = 3


class UnsayableError(ValueError):
    """Why a library cannot be asked for a network, in a line."""


class Asked(NamedTuple):
    """The network that a library builds, and of what text in its own words.

    `naming` has the names of its tensors there. `files` are texts by the name that the library
    looks for beside the weights.
    """

    network: Network
    naming: str
    text: str = ""
    files: tuple[tuple[str, str], ...] = ()


class Anatomy(NamedTuple):
    """What libraries ask for. What a network has beside it is not among it.

    `entry` is the word of a spec for its stem, `width` the channels that that gives; `inner`
    are those of the last 3x3 of blocks, `outs` those that stages give. `previous` says whether
    the first block of a dilated stage dilates as the stage before.
    """

    image: tuple[int, int, int]
    classes: int | None
    entry: str
    width: int
    pools: bool
    is_bottleneck: bool
    depths: tuple[int, ...]
    inner: tuple[int, ...]
    outs: tuple[int, ...]
    groups: int
    strides: tuple[int, ...]
    stride_on: str
    dilations: tuple[int, ...]
    previous: bool
    norm: str
    norm_groups: int
    activation: str
    averages: bool
    squeezes: bool
    zero: bool

    @property
    def channels(self) -> int:
        return self.image[0]

    @property
    def group_width(self) -> int:
        """Channels of a group in the first stage."""
        return self.inner[0] // self.groups


def planes(known: Anatomy) -> tuple[list[int], list[int]]:
    """Channels inside of blocks, and those that they give, in torchvision's and timm's ResNet.

    Raises UnsayableError where there are not four stages.
    """
    if len(known.outs) != len(PLANES):
        raise UnsayableError("its ResNet has four stages")
    if not known.is_bottleneck:
        return [*PLANES], [*PLANES]
    inner = [int(each * (known.group_width / 64)) * known.groups for each in PLANES]
    return inner, [EXPANSION * each for each in PLANES]


def anatomy(network: Network) -> Anatomy:
    """Raises UnsayableError for other blocks than those."""
    firsts = [stage.blocks[0] for stage in network.stages]
    each = [_convolutions(block) for block in firsts]
    kernels = {tuple(int(conv.kernel) for conv in convs) for convs in each}
    if not network.stem or kernels not in ({(3, 3)}, {(1, 3, 1)}):
        raise UnsayableError(
            "it builds basic blocks and bottlenecks alone, and this network has others"
        )
    lasts = [_convolutions(stage.blocks[-1])[1] for stage in network.stages]
    dilations = tuple(int(conv.dilation) for conv in lasts)
    begun = [int(convs[1].dilation) for convs in each]
    ops = [op for _, op in network.distinct_ops()]
    norms = [op for op in ops if isinstance(op, Norm)]
    is_bottleneck = kernels == {(1, 3, 1)}
    first = is_bottleneck and any(_strides(convs[0]) for convs in each)
    stem = [op for op in network.stem if isinstance(op, Conv)]
    return Anatomy(
        image=tuple(map(int, network.image)),  # type: ignore[arg-type]
        classes=network.classes,
        entry="deep"
        if len(stem) == BOTTLENECK
        else f"conv{int(stem[0].kernel)}x{int(stem[0].kernel)}",
        width=int(network.stem[-1].output.channels),
        pools=bool(network.pool),
        is_bottleneck=is_bottleneck,
        depths=tuple(len(stage.blocks) for stage in network.stages),
        inner=tuple(int(convs[-2].out_channels) for convs in each),
        outs=tuple(int(stage.output.channels) for stage in network.stages),
        groups=int(each[0][1].groups),
        strides=tuple(_stride(block) for block in firsts),
        stride_on="conv1" if first else "conv2",
        dilations=dilations,
        previous=any(a < b for a, b in zip(begun, dilations, strict=True)),
        norm=_norm(norms),
        norm_groups=next(
            (int(op.groups) for op in norms if isinstance(op, GroupNorm)), 0
        ),
        activation=next(
            (op.function for op in network.stem if isinstance(op, Activation)), "relu"
        ),
        averages=any(
            isinstance(op, AvgPool) for block in firsts for op in block.branch
        ),
        squeezes=any(op.module == "SqueezeExcite" for op in firsts[0].body),
        zero=any(op.zero for op in norms),
    )


def _convolutions(block: Block) -> list[Conv]:
    return [op for op in block.body if isinstance(op, Conv) and op.active]


def _stride(block: Block) -> int:
    return block.lengths[0].stride


def _strides(op: Op) -> bool:
    return op.active and op.lengths[0].stride > 1


def _norm(norms: Sequence[Norm]) -> str:
    """The word for them; of batch norms of which some are frozen, `batch`."""
    kinds = {"batch": BatchNorm, "group": GroupNorm, "frozen": FrozenBatchNorm2d}
    found = (
        word for word, kind in kinds.items() if any(isinstance(n, kind) for n in norms)
    )
    return next(found, "batch")


def built(known: Anatomy, **said: Any) -> Network:
    """The network of a library that was asked for one of that anatomy, but for what is said.

    `said` are fields of a spec, `widths` those inside of blocks, and `outs` what they give.
    Raises UnsayableError where there is no such network.
    """
    widths, outs = said.pop("widths", known.inner), said.pop("outs", known.outs)
    data: Data = {
        "name": "Built",
        "title": "Built",
        "input": [*known.image],
        "stem": {
            "type": known.entry,
            "width": known.width,
            "pool": "max" if known.pools else "none",
        },
        "block": "bottleneck" if known.is_bottleneck else "basic",
        "stride_on": known.stride_on,
        "depths": [*known.depths],
        "widths": [*widths],
        "expansion": [out // width for out, width in zip(outs, widths, strict=False)],
        "groups": known.groups,
        "strides": [*known.strides],
        "dilations": [*known.dilations],
        "dilation_from": "previous" if known.previous else "own",
        "shortcut": "avg_projection" if known.averages else "projection",
        "norm": _norm_data(known),
        "head": {"classes": known.classes or "none"},
        "init": {"zero_last_norm": True} if known.zero else None,
    } | said
    if data["block"] == "basic":
        data |= {"stride_on": None, "groups": None, "expansion": None}
    if max(data["strides"]) == 1:
        data["stride_on"] = None
    if max(data["dilations"]) == 1:
        data |= {"dilations": None, "dilation_from": None}
    if data["groups"] == 1:
        data["groups"] = None
    try:
        return compiled(
            {key: value for key, value in data.items() if value is not None}
        )
    except SpecError as error:
        raise UnsayableError(
            f"it builds no such network: {error.problems[0].said}"
        ) from None


def _norm_data(known: Anatomy) -> Data:
    if known.norm == "group":
        return {"type": "group", "groups": known.norm_groups}
    return {"type": known.norm}
