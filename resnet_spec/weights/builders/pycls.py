"""pycls: lines of a YAML config, for its ResNet or, where that lacks it, its AnyNet."""

from __future__ import annotations

from resnet_spec.network import Network
from resnet_spec.weights.builders.forms import (
    CHANNELS,
    Anatomy,
    Asked,
    Data,
    UnsayableError,
    anatomy,
    built,
)

DEPTHS: dict[tuple[int, ...], int] = {
    (3, 4, 6, 3): 50,
    (3, 4, 23, 3): 101,
    (3, 8, 36, 3): 152,
}
STEM: Data = {"type": "conv7x7", "pool": "max"}
SMALL: Data = {"type": "conv3x3", "pool": "none"}


def ask(network: Network) -> Asked:
    """Norms are batch norms, images of three channels, and there is a classifier."""
    known = anatomy(network)
    if known.channels != CHANNELS:
        raise UnsayableError(
            f"its images have {CHANNELS} channels, and here {known.channels}"
        )
    resnet = known.is_bottleneck and known.depths in DEPTHS and known.entry == "conv7x7"
    lines, said = _resnet(known) if resnet else _anynet(known)
    made = built(
        known,
        dilations=[1] * len(known.outs),
        shortcut="projection",
        norm={"type": "batch"},
        **said,
    )
    text = "".join(f"{line}\n" for line in lines)
    return Asked(made, "pycls", text)


def _model(known: Anatomy, kind: str, *more: str) -> list[str]:
    classes = [f"  NUM_CLASSES: {known.classes}"] * bool(known.classes)
    return ["MODEL:", f"  TYPE: {kind}", *more, *classes]


def _resnet(known: Anatomy) -> tuple[list[str], Data]:
    lines = [
        *_model(known, "resnet", f"  DEPTH: {DEPTHS[known.depths]}"),
        "RESNET:",
        "  TRANS_FUN: bottleneck_transform",
        f"  NUM_GROUPS: {known.groups}",
        f"  WIDTH_PER_GROUP: {known.group_width}",
        f"  STRIDE_1X1: {str(known.stride_on == 'conv1').lower()}",
    ]
    return lines, {
        "stem": {**STEM, "width": 64},
        "widths": [known.inner[0] * 2**stage for stage in range(4)],
        "outs": [256 * 2**stage for stage in range(4)],
        "strides": [1, 2, 2, 2],
    }


def _anynet(known: Anatomy) -> tuple[list[str], Data]:
    """Its bottlenecks stride in their 3x3."""
    small = known.entry == "conv3x3"
    lines = [
        *_model(known, "anynet"),
        "ANYNET:",
        f"  STEM_TYPE: {'res_stem_cifar' if small else 'res_stem_in'}",
        f"  STEM_W: {known.width}",
        f"  BLOCK_TYPE: {'res_bottleneck_block' if known.is_bottleneck else 'res_basic_block'}",
        f"  DEPTHS: {[*known.depths]}",
        f"  WIDTHS: {[*known.outs]}",
        f"  STRIDES: {[*known.strides]}",
    ]
    if known.is_bottleneck:
        pairs = zip(known.inner, known.outs, strict=True)
        lines += [
            f"  BOT_MULS: {[inner / out for inner, out in pairs]}",
            f"  GROUP_WS: {[inner // known.groups for inner in known.inner]}",
        ]
    stem = {**(SMALL if small else STEM), "width": known.width}
    return lines, {"stem": stem, "stride_on": "conv2"}
