"""detectron2's build_resnet_backbone: lines of a YAML config."""

from __future__ import annotations

from resnet_spec.network import Network
from resnet_spec.weights.builders.forms import (
    CHANNELS,
    Anatomy,
    Asked,
    UnsayableError,
    anatomy,
    built,
)

DEPTHS: dict[tuple[bool, tuple[int, ...]], int] = {
    (False, (2, 2, 2, 2)): 18,
    (False, (3, 4, 6, 3)): 34,
    (True, (3, 4, 6, 3)): 50,
    (True, (3, 4, 23, 3)): 101,
    (True, (3, 8, 36, 3)): 152,
}
"""What detectron2 and OpenMMLab call bottlenecks, or basic blocks, of these depths."""
NORMS = {"batch": "BN", "frozen": "FrozenBN", "group": "GN"}
OF_GROUPS = 32  # of its group norms


def depth_of(known: Anatomy) -> int:
    """Raises UnsayableError where it is none of theirs."""
    if (known.is_bottleneck, known.depths) not in DEPTHS:
        blocks = "bottlenecks" if known.is_bottleneck else "basic blocks"
        raise UnsayableError(f"it has no depth of {[*known.depths]} {blocks}")
    return DEPTHS[known.is_bottleneck, known.depths]


def ask(network: Network) -> Asked:
    """Stages double their channels, and the last alone may dilate."""
    known = anatomy(network)
    depth = depth_of(known)
    if known.channels != CHANNELS:
        raise UnsayableError(
            f"its images have as many channels as PIXEL_MEAN, and here {known.channels}"
        )
    dilated = known.is_bottleneck and known.strides[-1] == 1
    lines = [
        f"DEPTH: {depth}",
        f"NORM: {NORMS[known.norm]}",
        "OUT_FEATURES: [res2, res3, res4, res5]",
    ]
    lines += [f"STEM_OUT_CHANNELS: {known.width}"] * (known.width != 64)
    lines += [f"RES2_OUT_CHANNELS: {known.outs[0]}"] * (known.outs[0] != 256)
    outs = [known.outs[0] * 2**stage for stage in range(4)]
    inner = [known.inner[0] * 2**stage for stage in range(4)]
    if known.is_bottleneck:
        lines.append(f"STRIDE_IN_1X1: {str(known.stride_on == 'conv1').lower()}")
        lines += [f"NUM_GROUPS: {known.groups}"] * (known.groups != 1)
        lines += [f"WIDTH_PER_GROUP: {known.group_width}"] * (known.group_width != 64)
        lines += ["RES5_DILATION: 2"] * dilated
    made = built(
        known._replace(norm_groups=OF_GROUPS),
        stem={"type": "conv7x7", "width": known.width, "pool": "max"},
        widths=inner if known.is_bottleneck else outs,
        outs=outs,
        strides=[1, 2, 2, 1 if dilated else 2],
        dilations=[1, 1, 1, 2 if dilated else 1],
        dilation_from="own",
        shortcut="projection",
    )
    text = "MODEL:\n  BACKBONE:\n    NAME: build_resnet_backbone\n  RESNETS:\n"
    text += "".join(f"    {line}\n" for line in lines)
    if known.classes:
        text += "# This backbone leaves linear.* aside: it has no classifier.\n"
    return Asked(made, "detectron2", text)
