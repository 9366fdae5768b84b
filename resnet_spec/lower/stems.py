"""Stems: what stands between the image and the first stage."""

from __future__ import annotations

from resnet_spec import ir
from resnet_spec.lower.parts import activation, chain, conv, norm
from resnet_spec.rows import rows
from resnet_spec.spec import Spec

CONVOLUTIONS = {"conv7x7": (7, 2), "conv3x3": (3, 1)}  # kernel, stride


def stem(spec: Spec) -> ir.Chain:
    """relu(norm(conv(x))) and a pool where asked; without ops, stages read the input."""
    image = ir.Shape(*spec.input)
    if spec.stem.type == "none":
        return ()
    assert spec.stem.width is not None
    ops = chain(
        image,
        conv("conv1", spec.stem.width, *CONVOLUTIONS[spec.stem.type]),
        norm("bn1", spec.norm),
        activation(rows(spec)[0].activation),
    )
    return ops + chain(ops[-1].output, max_pool) if spec.stem.pool == "max" else ops


def max_pool(x: ir.Shape) -> ir.Op:
    """Halves height and width, rounding up."""
    return ir.MaxPool(path="maxpool", input=x, kernel=3, stride=2, padding=1)
