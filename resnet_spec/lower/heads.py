"""Heads: what stands behind the last stage."""

from __future__ import annotations

from resnet_spec import ir
from resnet_spec.lower.parts import Part, chain
from resnet_spec.spec import Head


def head(settings: Head, x: ir.Shape) -> ir.Chain:
    """linear(dropout(flatten(pool(x)))), as far as the settings ask for it."""
    parts: list[Part] = [_pool(settings.pool), lambda x: ir.Flatten(path="", input=x)]
    if settings.dropout:
        rate = settings.dropout
        parts.append(lambda x: ir.Dropout(path="dropout", input=x, rate=rate))
    if settings.classes != "none":
        classes = ir.Number(settings.classes, "num_classes")
        parts.append(lambda x: ir.Linear(path="fc", input=x, out_channels=classes))
    return chain(x, *parts)


def _pool(size: int | str) -> Part:
    """The average over the whole map, or over a window that must be the whole map.

    The window moves by one pixel, as in the first releases of torchvision, so that a map
    which it does not cover is an error and not a crop.
    """
    if isinstance(size, str):
        return lambda x: ir.GlobalAvgPool(path="avgpool", input=x)
    return lambda x: ir.AvgPool(path="avgpool", input=x, kernel=size)
