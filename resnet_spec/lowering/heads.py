"""Heads: what follows the last stage."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_spec.catalog import FLAT_POOLS
from resnet_spec.language.fields import Head
from resnet_spec.language.plan import Plan
from resnet_spec.lowering.chains import outside
from resnet_spec.lowering.parts import (
    Part,
    Parts,
    aside,
    at,
    biased,
    chain,
    not_in_place,
    numbered,
)
from resnet_spec.network import (
    AttentionPool2d,
    AvgMaxPool2d,
    BatchNorm,
    BatchNorm1d,
    Block,
    Chain,
    Conv,
    Dropout,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    Linear,
    Number,
    Op,
    Shape,
    StatisticsPool,
    WholeAvgPool,
)


def head(plan: Plan, before: Block) -> Chain:
    """classifier(dropout(hidden(pool(pre(x))))), as far as the spec asks for it.

    Pre-activation blocks leave their sum bare, so where the spec says so a norm and an
    activation come first. What ends the block before is needed for its gradient, if it is no
    sum, so an activation does not overwrite that.
    """
    made: list[Part] = []  # before the pool
    spec, last = plan.spec, plan.blocks[-1]
    parts = Parts(last)
    if spec.preact and spec.preact.final_norm:
        made += parts.norm_act("norm")
    made += _before_the_pool(parts, before.output)
    (ops,) = aside(summed=biased(chain(before.output, *made), spec.conv_bias))
    out = ops[-1].output if ops else before.output
    ops += chain(out, *_pool(spec.head.pool), *_ending(spec.head, parts))
    return (not_in_place(ops[0]), *ops[1:]) if before.post and ops else ops


def _before_the_pool(parts: Parts, x: Shape) -> list[Part]:
    """What the spec has between the last stage and the pool."""
    made = outside(parts, parts.spec.head.pre, {"in": x.channels, "": 1})
    return numbered("final", *made) if len(made) > 1 else [at("final", p) for p in made]


def _ending(settings: Head, parts: Parts) -> list[Part]:
    """What follows the pool. The map becomes flat as late as it can: before the first linear
    layer, or at the end.

    Only between two hidden ones does that need a module.
    """
    on_map, on_flat = _hidden(settings, parts)
    flatten = _flatten(settings.pool)
    if settings.classifier == "conv" and not isinstance(settings.classes, str):
        return [*numbered("hidden", *on_map), *_classifier(settings), *flatten]
    if on_map and on_flat:
        hidden = numbered("hidden", *on_map, *flatten, *on_flat)
    else:
        before, after = (numbered("hidden", *some) for some in (on_map, on_flat))
        hidden = [*before, *flatten, *after]
    return [*hidden, *_classifier(settings)]


def _hidden(settings: Head, parts: Parts) -> tuple[list[Part], list[Part]]:
    """The hidden layers that read a map, and those that read flat features."""
    items = settings.hidden
    layers = [i for i, item in enumerate(items) if isinstance(item, int)]
    first = 0 if settings.pool in FLAT_POOLS else min(layers, default=len(items))
    on_map = [part for item in items[:first] for part in _layer(item, parts)]
    on_flat = [_flat(part) for item in items[first:] for part in _layer(item, parts)]
    if layers and isinstance(settings.classes, str):
        on_flat[layers[-1] - first : layers[-1] - first] = _dropout(settings)
    return on_map, on_flat


def _layer(item: int | str, parts: Parts) -> Sequence[Part]:
    """A linear layer of so many features, a norm or an activation."""
    if isinstance(item, int):
        return [_linear("", item)]
    if item == "norm":
        return parts.norm_of(parts.kind(""), "")
    activation = parts.activation()  # the one before it may need its own output still
    return [lambda x: not_in_place(activation(x))]


def _flat(part: Part) -> Part:
    """The part for flat features: torch has another batch norm for those."""

    def made(x: Shape) -> Op:
        op = part(x)
        return BatchNorm1d(**op.values()) if type(op) is BatchNorm else op

    return made


def _classifier(settings: Head) -> list[Part]:
    """Dropout and classifier: linear on flat features, or a convolution on a 1 x 1 map."""
    if isinstance(settings.classes, str):
        return []
    classes = Number(settings.classes, "num_classes")
    made = _convolution if settings.classifier == "conv" else _linear
    return [*_dropout(settings), made("fc", classes, settings.bias)]


def _dropout(settings: Head) -> list[Part]:
    rate = settings.dropout
    return [lambda x: Dropout(path="dropout", input=x, rate=rate)] if rate else []


def _linear(path: str, out: int, bias: bool = True) -> Part:
    return lambda x: Linear(path=path, input=x, out_channels=out, bias=bias)


def _convolution(path: str, out: int, bias: bool) -> Part:
    return lambda x: Conv(path=path, input=x, out_channels=out, kernel=1, bias=bias)


def _flatten(pool: int | str) -> Sequence[Part]:
    """Of one pixel, or where nothing pools of as many as there are; some pools give flat
    features."""

    def made(x: Shape) -> Op:
        height, width = x[1:] if pool == "none" else (1, 1)
        return Flatten(path="", input=x, height=max(height, 1), width=max(width, 1))

    return () if pool in FLAT_POOLS else (made,)


def _pool(size: int | str) -> Sequence[Part]:
    """What becomes of the whole map, or of a window that must be the whole map.

    The window moves by one pixel, as in the first releases of torchvision, so that a map
    which it does not cover is an error and not a crop.
    """
    if isinstance(size, str):
        return POOLS[size]
    return (lambda x: WholeAvgPool(path="avgpool", input=x, kernel=size),)


POOLS: dict[str, tuple[Part, ...]] = {
    "global": (lambda x: GlobalAvgPool(path="avgpool", input=x),),
    "max": (lambda x: GlobalMaxPool(path="global_pool", input=x),),
    "avg_max": (lambda x: AvgMaxPool2d(path="global_pool", input=x),),
    "attention": (lambda x: AttentionPool2d(path="attnpool", input=x),),
    "statistics": (lambda x: StatisticsPool(path="statistics", input=x),),
    "none": (),
}
