"""What names cannot tell, and what the library that wrote them does about it by default."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from resnet_spec.network import Block, Network, Op
from resnet_spec.network.custom import PadChannels, PadChannelsAround
from resnet_spec.network.ops import AvgPool, BatchNorm, Conv, MaxPool
from resnet_spec.network.symbols import sides
from resnet_spec.weights.naming import possessive

VERSIONS = {"conv1": "conv1 (v1)", "conv2": "conv2 (v1.5)"}


Pool = Literal["max", "max_ceil", "avg", ""]
POOLS = {
    "max": "a maximum, padded",
    "max_ceil": "a maximum, without padding, that rounds up",
    "avg": "an average",
}


class Convention(NamedTuple):
    """What a library does where nothing else is asked of it; empty for what it leaves open.

    `strides` is the convolution of a bottleneck that strides, or a pool; `dilates` says
    whether the first block of a dilated stage dilates as the others do, or as the stage
    before; `pool` is what stands behind the stem, where anything does. `images` says what its
    published weights want, unless that is RGB, divided by the deviations of ImageNet.
    """

    strides: Literal["conv1", "conv2", "a pool", ""] = ""
    dilates: Literal["own", "previous", ""] = ""
    eps: float | None = None
    zeros: Literal["around", ""] = ""
    pool: Pool = ""
    images: str = ""
    aside: str = ""  # on strides


CAFFE = "BGR, from 0 to 255, less 103.53, 116.28, 123.675, and not divided"
CONVENTIONS = {
    "timm-senet": Convention(pool="max_ceil"),
    "transformers": Convention("conv2", eps=1e-5, pool="max"),
    "mmpretrain": Convention("conv2", "own", 1e-5, pool="max"),
    "mmdet": Convention("conv2", "own", 1e-5, pool="max"),
    "detectron2": Convention("conv1", "own", 1e-5, images=CAFFE, pool="max"),
    "caffe2": Convention("conv1", "own", 1e-5, images=CAFFE, pool="max"),
    "caffe2-spelt-out": Convention("conv1", "own", 1e-5, images=CAFFE, pool="max"),
    "pycls": Convention(
        "conv1",
        eps=1e-5,
        images="BGR, with mean and deviation in the order of RGB",
        pool="max",
        aside=", but in AnyNet and RegNet",
    ),
    "clip": Convention(
        "a pool", eps=1e-5, images="RGB, with CLIP's mean and deviation"
    ),
    "fastai": Convention("conv2", eps=1e-5),
    "kuangliu": Convention("conv2", eps=1e-5, zeros="around"),
}
"""By naming. Those that are not here tell nothing of who wrote them, as torchvision's, which
everybody has, or differ from network to network, as timm's."""


def unlike(network: Network, naming: str) -> list[str]:
    """In what the network differs from what the library does by default: a sentence each.

    So weights with these names may have been trained for another network, of equal names.
    """
    known = CONVENTIONS.get(naming)
    return [*_unlike(network, known, possessive(naming))] if known else []


def images(network: Network, naming: str) -> str:
    """What images its published weights want, where that is not what most want; else empty.

    OpenMMLab's of the style `caffe` stride in conv1, and want what Caffe did.
    """
    caffe = naming in ("mmpretrain", "mmdet") and _strides(network) == {"conv1"}
    return CAFFE if caffe else CONVENTIONS.get(naming, Convention()).images


def _unlike(network: Network, known: Convention, whose: str) -> Iterator[str]:
    default = f"{whose} own default"
    strides = _strides(network)
    if known.strides and strides and strides != {known.strides}:
        there = VERSIONS.get(known.strides, known.strides)
        here = " and ".join(VERSIONS.get(each, each) for each in sorted(strides))
        yield f"{default} strides in {there}{known.aside}; this network strides in {here}"
    dilates = _dilates(network)
    if known.dilates and dilates and dilates != known.dilates:
        said = {"own": "its own dilation", "previous": "that of the stage before"}
        yield (
            f"{default} gives the first block of a dilated stage {said[known.dilates]}; "
            f"this network gives it {said[dilates]}"
        )
    found = {op.eps for _, op in network.distinct_ops() if isinstance(op, BatchNorm)}
    if known.eps and found - {known.eps}:
        other = ", ".join(f"{eps:g}" for eps in sorted(found - {known.eps}))
        yield f"{whose} norms have an eps of {known.eps:g}; this network's have {other}"
    pool = _pool(network)
    if known.pool and pool and pool != known.pool:
        yield (
            f"{default} behind the stem is {POOLS[known.pool]}; this network's is "
            f"{POOLS[pool]}"
        )
    pads = [op for _, op in network.distinct_ops() if isinstance(op, PadChannels)]
    if known.zeros and any(not isinstance(op, PadChannelsAround) for op in pads):
        yield (
            "akamaster's own shortcuts put zeros before and behind the channels; this "
            "network's put them behind"
        )


def _pool(network: Network) -> Pool:
    """What stands behind the stem; empty for nothing, and for other pools."""
    if len(network.pool) != 1:
        return ""
    (op,) = network.pool
    if isinstance(op, MaxPool):
        return "max_ceil" if op.ceil else "max" if op.padding else ""
    return "avg" if isinstance(op, AvgPool) else ""


def _strides(network: Network) -> set[str]:
    """The modules of bottlenecks that stride; empty without such."""
    found = set()
    for _, block in network.blocks():
        if _is_bottleneck(block):
            strided = [op.path for op in block.body if _strided(op)]
            convolutions = [path for path in strided if path.startswith("conv")]
            found |= {"a pool"} if strided and not convolutions else {*convolutions}
    return found


def _is_bottleneck(block: Block) -> bool:
    first = next((op for op in block.body if op.path == "conv1"), None)
    reads = isinstance(first, Conv) and first.kernel == 1
    return reads and any(op.path == "conv3" for op in block.body)


def _strided(op: Op) -> bool:
    stride = getattr(op, "stride", 1)
    return op.active and max(sides(stride)) > 1


def _dilates(network: Network) -> Literal["own", "previous", ""]:
    """How the first blocks of dilated stages dilate; empty where none is, or it is mixed."""
    found, before = set(), 1
    for stage in network.stages:
        each = [_dilation(block) for block in stage.blocks]
        if max(each) > before:
            found.add(each[0] > before)
        before = each[-1]
    if len(found) != 1:
        return ""
    return "own" if found == {True} else "previous"


def _dilation(block: Block) -> int:
    return max(int(getattr(op, "dilation", 1)) for op in block.body if op.active)
