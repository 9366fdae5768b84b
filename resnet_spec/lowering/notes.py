"""What a reader must know of a network and the code does not say aloud."""

from __future__ import annotations

from collections.abc import Iterator

from resnet_spec.language.fields import Norm, Spec
from resnet_spec.language.plan import Row, rows

TORCHVISION = {
    "resnet18": ("basic", (2, 2, 2, 2), 1, None),
    "resnet34": ("basic", (3, 4, 6, 3), 1, None),
    "resnet50": ("bottleneck", (3, 4, 6, 3), 1, None),
    "resnet101": ("bottleneck", (3, 4, 23, 3), 1, None),
    "resnet152": ("bottleneck", (3, 8, 36, 3), 1, None),
    "resnext50_32x4d": ("bottleneck", (3, 4, 6, 3), 32, 4),
    "resnext101_32x8d": ("bottleneck", (3, 4, 23, 3), 32, 8),
    "resnext101_64x4d": ("bottleneck", (3, 4, 23, 3), 64, 4),
    "wide_resnet50_2": ("bottleneck", (3, 4, 6, 3), 1, 128),
    "wide_resnet101_2": ("bottleneck", (3, 4, 23, 3), 1, 128),
}
"""torchvision 0.29's ResNets: block, depths, groups, width per group."""


WHERE = {"before": "before", "after": "behind"}


def notes(spec: Spec, whole: bool) -> tuple[str, ...]:
    """Sentences, each true of this very network, or of its stages where it has no head."""
    return (
        *_stem(spec),
        *_order(spec, whole),
        *_shortcuts(spec),
        *_strides(spec),
        *_smoothing(spec),
        *_dilations(spec),
        *(_weights(spec) if whole else ()),
    )


def _stem(spec: Spec) -> Iterator[str]:
    if spec.stem.type in ("deep", "tiered"):
        yield "The stem is three 3x3 convolutions in place of one 7x7."
    if spec.stem.pool == "conv":
        yield "A 3x3 convolution stands for the stem's pool."


def _order(spec: Spec, whole: bool) -> Iterator[str]:
    if spec.pre_activation:
        yield (
            "In blocks, norm and activation stand before the convolutions"
            f"{', and once more behind the last stage' * whole} (v2)."
        )


def _shortcuts(spec: Spec) -> Iterator[str]:
    if all(row.shortcut == "none" for row in rows(spec)):
        yield "No block has a shortcut: this is a plain network, to compare residual ones with."
    averages = (row.shortcut == "avg_projection" for row in rows(spec))
    if all(averages) and any(row.stride > 1 for row in rows(spec)):
        yield "Where the resolution drops, the shortcut averages before it projects."


def _strides(spec: Spec) -> Iterator[str]:
    """Where bottlenecks stride; published code disagrees on it."""
    on = _strided(spec)
    if set(on.values()) == {"conv1"}:
        yield "The stride sits on the first 1x1 convolution (v1, as in the paper)."
    elif set(on.values()) == {"conv2"} and spec.anti_alias == "none":
        pool = spec.spatial.pool if spec.spatial else None
        if pool:
            yield f"A 3x3 average pool {WHERE[pool]} the split attention strides."
        else:
            yield "The stride sits on the 3x3 convolution (v1.5)."
    elif "conv1" in on.values():
        stages = ", ".join(str(stage) for stage, at in on.items() if at == "conv1")
        yield (
            f"The stride sits on the first 1x1 convolution (v1) in stage {stages} and on "
            "the 3x3 (v1.5) elsewhere."
        )


def _smoothing(spec: Spec) -> Iterator[str]:
    how = {"avg": "an average pool", "blur": "a blur"}.get(spec.anti_alias)
    if how and any(row.stride > 1 for row in rows(spec)):
        yield f"The 3x3 convolution itself keeps the size, and {how} behind it strides."


def _strided(spec: Spec) -> dict[int, str | None]:
    """The striding convolution of each stage of bottlenecks that strides."""
    return {row.index + 1: row.stride_on for row in rows(spec) if row.needs_stride_on}


def _dilations(spec: Spec) -> Iterator[str]:
    if len({1, *(row.dilation for row in rows(spec))}) > 1:
        yield "The first 3x3 convolution of a stage keeps the dilation of the stage before."


def _weights(spec: Spec) -> Iterator[str]:
    """What becomes of torchvision's weights, where they load."""
    name = _sibling(spec)
    if name and "conv1" in _strided(spec).values():
        yield (
            f"Weights of torchvision's {name}, which is v1.5, have the same names and "
            "shapes: they load here without an error and give other outputs."
        )
    elif name and not _computes_as_usual(spec):
        yield (
            f"Weights of torchvision's {name} have the same names and shapes: they load "
            "here without an error and give other outputs."
        )
    elif name and _trains_as_usual(spec):
        yield (
            "Parameters carry torchvision's names and order, so checkpoints of its "
            f"{name} load unchanged."
        )


def _sibling(spec: Spec) -> str | None:
    """The torchvision network with the same state dict, names and shapes."""
    stages, stem, head = rows(spec), spec.stem, spec.head
    usual = (
        spec.input[0] == 3
        and (stem.type, stem.width) == ("conv7x7", 64)
        and stem.pool != "conv"
        and [row.width for row in stages] == [64, 128, 256, 512]
        and all(_has_usual_weights(row) for row in stages)
        and spec.norm.type == "batch"
        and (head.classes, head.classifier) == (1000, "linear")
        and (spec.spatial, spec.pruned, spec.reduce_first) == (None, None, 1)
        and not spec.pre_activation
    )
    said = {(row.block, row.groups, row.width_per_group) for row in stages}
    if not usual or len(said) > 1:
        return None
    ((block, groups, width_per_group),) = said
    row = (block, spec.depths, groups, width_per_group)
    return next((name for name, known in TORCHVISION.items() if known == row), None)


def _has_usual_weights(row: Row) -> bool:
    """A basic block has a projection just where the network of the paper has one."""
    return (
        row.shortcut == "projection"
        and row.attention == "none"
        and row.expansion == (4 if row.is_bottleneck else None)
        and (row.is_bottleneck or row.index > 0 or row.stride == 1)
    )


def _computes_as_usual(spec: Spec) -> bool:
    """The same outputs from the same weights, where the stride is where it should be."""
    stages = rows(spec)
    return (
        spec.stem.pool
        in ("max", "max_zero")  # behind relu, zeros are never the largest
        and [row.stride for row in stages] == [1, 2, 2, 2]
        and all((row.dilation, row.activation) == (1, "relu") for row in stages)
        and spec.anti_alias == "none"
        and spec.standardization is None
        and spec.norm.eps == Norm().eps
    )


def _trains_as_usual(spec: Spec) -> bool:
    rates = (spec.dropout, spec.drop_path, spec.head.dropout)
    return spec.norm.momentum == Norm().momentum and not any(rates)
