"""What a reader must know of a network and the code does not say aloud."""

from __future__ import annotations

from collections.abc import Iterator

from resnet_spec.rows import Row, rows
from resnet_spec.spec import Norm, Spec, Stem

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


def notes(spec: Spec) -> tuple[str, ...]:
    """Sentences, each true of this very network."""
    return (*_shortcuts(spec), *_strides(spec), *_dilations(spec), *_weights(spec))


def _shortcuts(spec: Spec) -> Iterator[str]:
    if all(row.shortcut == "none" for row in rows(spec)):
        yield "No block has a shortcut: this is a plain network, to compare residual ones with."


def _strides(spec: Spec) -> Iterator[str]:
    """Where bottlenecks stride; published code disagrees on it."""
    on = _strided(spec)
    if set(on.values()) == {"conv1"}:
        yield "The stride sits on the first 1x1 convolution (v1, as in the paper)."
    elif set(on.values()) == {"conv2"}:
        yield "The stride sits on the 3x3 convolution (v1.5)."
    elif on:
        stages = ", ".join(str(stage) for stage, at in on.items() if at == "conv1")
        yield (
            f"The stride sits on the first 1x1 convolution (v1) in stage {stages} and on "
            "the 3x3 (v1.5) elsewhere."
        )


def _strided(spec: Spec) -> dict[int, str | None]:
    """The striding convolution of each stage of bottlenecks that strides."""
    return {row.index + 1: row.stride_on for row in rows(spec) if row.needs_stride_on}


def _dilations(spec: Spec) -> Iterator[str]:
    if len({1, *(row.dilation for row in rows(spec))}) > 1:
        yield "The first 3x3 convolution of a stage keeps the dilation of the stage before."


def _weights(spec: Spec) -> Iterator[str]:
    name = _sibling(spec)
    if name and "conv1" in _strided(spec).values():
        yield (
            f"Weights of torchvision's {name}, which is v1.5, have the same names and "
            "shapes: they load here without an error and give other outputs."
        )
    elif name:
        yield (
            "Parameters carry torchvision's names and order, so checkpoints of its "
            f"{name} load unchanged."
        )


def _sibling(spec: Spec) -> str | None:
    """The torchvision network with the same state dict, names and shapes."""
    stages = rows(spec)
    usual = (
        spec.input[0] == 3
        and spec.stem == Stem(type="conv7x7", width=64, pool="max")
        and [(row.width, row.stride) for row in stages]
        == [(64, 1), (128, 2), (256, 2), (512, 2)]
        and all(_is_usual(row) for row in stages)
        and spec.norm == Norm()
        and spec.head.classes == 1000
    )
    said = {(row.block, row.groups, row.width_per_group) for row in stages}
    if not usual or len(said) > 1:
        return None
    ((block, groups, width_per_group),) = said
    row = (block, spec.depths, groups, width_per_group)
    return next((name for name, known in TORCHVISION.items() if known == row), None)


def _is_usual(row: Row) -> bool:
    return (
        row.shortcut == "projection"
        and row.dilation == 1
        and row.activation == "relu"
        and row.expansion == (4 if row.is_bottleneck else None)
    )
