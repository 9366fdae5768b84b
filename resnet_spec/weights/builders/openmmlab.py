"""mmpretrain 1.2 and mmdet 3, whose ResNets are nearly one: lines of a Python config."""

from __future__ import annotations

from typing import NamedTuple

from resnet_spec.network import Network
from resnet_spec.weights.builders.detectron2 import depth_of
from resnet_spec.weights.builders.forms import (
    CHANNELS,
    EXPANSION,
    Anatomy,
    Asked,
    Data,
    UnsayableError,
    anatomy,
    built,
)

NORMS = {
    "frozen": "norm_cfg=dict(type='BN', requires_grad=False), norm_eval=True",
    "group": "norm_cfg=dict(type='GN', num_groups={})",
}


class _Library(NamedTuple):
    """In what the two differ."""

    outs: str  # the stages whose maps are given
    width: str  # what a ResNeXt calls the channels of a group
    classifies: bool  # and so has SE, CIFAR's stem, and other expansions


MMPRETRAIN = _Library("(3, )", "width_per_group", classifies=True)
MMDET = _Library("(0, 1, 2, 3)", "base_width", classifies=False)


def ask_mmpretrain(network: Network) -> Asked:
    """An ImageClassifier."""
    known = anatomy(network)
    made, backbone = _backbone(known, MMPRETRAIN)
    parts = ["type='ImageClassifier'", f"backbone={backbone}"]
    parts.append("neck=dict(type='GlobalAveragePooling')")
    if known.classes:
        head = f"type='LinearClsHead', num_classes={known.classes}"
        head += f", in_channels={known.outs[-1]}, loss=dict(type='CrossEntropyLoss')"
        parts.append(f"head=dict({head})")
    text = "".join(f"    {part},\n" for part in parts)
    return Asked(made, "mmpretrain", f"model = dict(\n{text})\n")


def ask_mmdet(network: Network) -> Asked:
    """The backbone of a detector."""
    made, backbone = _backbone(anatomy(network), MMDET)
    return Asked(made, "mmdet", f"backbone = {backbone}\n")


def _backbone(known: Anatomy, library: _Library) -> tuple[Network, str]:
    """Stages double their channels; the first block of a dilated stage dilates as the others.

    In a dilated basic block the first convolution alone dilates, which is not said here.
    """
    kind = _kind(known, library)
    stem: Data = {"type": known.entry, "width": known.width}
    stem["pool"] = "none" if kind == "ResNet_CIFAR" else "max"
    if kind != "ResNet_CIFAR" and known.entry != "deep":
        stem["type"] = "conv7x7"
    expansion = _expansion(known)
    base = known.outs[0] // expansion
    dilations = known.dilations if known.is_bottleneck else (1,) * len(known.outs)
    style = "caffe" if known.stride_on == "conv1" else "pytorch"
    said = {
        "depth": depth_of(known),
        "in_channels": known.channels,
        "stem_channels": known.width,
        "base_channels": base,
        "expansion": expansion,
        "groups": known.groups,
        library.width: known.group_width if known.groups > 1 else None,
        "strides": known.strides,
        "dilations": dilations,
        "deep_stem": known.entry == "deep",
        "avg_down": known.averages,
        "style": repr(style),
    }
    usual = {
        "in_channels": CHANNELS,
        "stem_channels": 64,
        "base_channels": 64,
        "expansion": EXPANSION if known.is_bottleneck else 1,
        "groups": 1,
        library.width: None,
        "strides": (1, 2, 2, 2),
        "dilations": (1, 1, 1, 1),
        "deep_stem": False,
        "avg_down": False,
    }
    args = [f"type='{kind}'", "num_stages=4", f"out_indices={library.outs}"]
    args += [f"{k}={v}" for k, v in said.items() if v != usual.get(k, ...)]
    if known.norm in NORMS:
        args.append(NORMS[known.norm].format(known.norm_groups))
    made = built(
        known,
        stem=stem,
        widths=[known.inner[0] * 2**stage for stage in range(4)],
        outs=[base * expansion * 2**stage for stage in range(4)],
        dilations=[*dilations],
        dilation_from="own",
        attention="se" if known.squeezes else "none",
        **({"norm": {"type": "batch"}} if known.norm != "group" else {}),
    )
    return made, f"dict({', '.join(args)})"


def _kind(known: Anatomy, library: _Library) -> str:
    """The name of a backbone. Raises UnsayableError where there is none."""
    small = known.entry == "conv3x3" and library.classifies
    special = small or known.squeezes or _expansion(known) not in (1, EXPANSION)
    if special and not (library.classifies and (known.is_bottleneck or small)):
        raise UnsayableError("it has no such blocks")
    if small:
        return "ResNet_CIFAR"
    return "SE" * known.squeezes + ("ResNeXt" if known.groups > 1 else "ResNet")


def _expansion(known: Anatomy) -> int:
    """Channels of a block per those inside; of a ResNeXt, before those become groups."""
    if known.groups > 1:
        return EXPANSION
    return known.outs[0] // known.inner[0] or 1
