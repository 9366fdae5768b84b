"""Heads: what follows the last stage."""

from __future__ import annotations

from resnet_spec.language.fields import Head
from resnet_spec.language.plan import Plan
from resnet_spec.lowering.parts import Part, Parts, chain
from resnet_spec.network import (
    Chain,
    Conv,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Linear,
    Number,
    Op,
    Shape,
    WholeAvgPool,
)


def head(plan: Plan, x: Shape) -> Chain:
    """classifier(dropout(pool(x))), as far as the spec asks for it.

    Pre-activation blocks leave their sum bare, so a norm and an activation come first.
    """
    parts: list[Part] = []
    spec, last = plan.spec, plan.stages[-1]
    if spec.pre_activation:
        parts += Parts(last).norm_act("norm")
    parts.append(_pool(spec.head.pool))
    return chain(x, *parts, *_classifier(spec.head))


def _classifier(settings: Head) -> list[Part]:
    """Dropout and classifier: linear on flat features, or a convolution on a 1 x 1 map."""
    parts: list[Part] = []
    if settings.dropout:
        rate = settings.dropout
        parts.append(lambda x: Dropout(path="dropout", input=x, rate=rate))
    if isinstance(settings.classes, str):
        return [_flatten]
    classes = Number(settings.classes, "num_classes")
    if settings.classifier == "conv":
        return [*parts, _convolution(classes), _flatten]
    return [_flatten, *parts, _linear(classes)]


def _linear(classes: int) -> Part:
    return lambda x: Linear(path="fc", input=x, out_channels=classes)


def _convolution(classes: int) -> Part:
    return lambda x: Conv(path="fc", input=x, out_channels=classes, kernel=1, bias=True)


def _flatten(x: Shape) -> Op:
    return Flatten(path="", input=x)


def _pool(size: int | str) -> Part:
    """The average over the whole map, or over a window that must be the whole map.

    The window moves by one pixel, as in the first releases of torchvision, so that a map
    which it does not cover is an error and not a crop.
    """
    if isinstance(size, str):
        return lambda x: GlobalAvgPool(path="avgpool", input=x)
    return lambda x: WholeAvgPool(path="avgpool", input=x, kernel=size)
