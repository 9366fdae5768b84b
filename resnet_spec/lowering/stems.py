"""Stems: what is between the image and the first stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from resnet_spec.language.plan import Plan
from resnet_spec.lowering.chains import outside
from resnet_spec.lowering.parts import (
    Part,
    Parts,
    aside,
    biased,
    chain,
    numbered,
    strided,
)
from resnet_spec.network import AvgPool, Chain, MaxPool, Shape, Stride, ZeroPad


def stem(plan: Plan) -> tuple[Chain, Chain]:
    """relu(norm(conv(x))) and its pool, as far as the spec asks for them.

    Without ops, stages read the input. Before pre-activation blocks, whose own norm comes
    first (https://arxiv.org/abs/1603.05027), the spec says whether the last convolution has
    one.
    """
    spec = plan.spec
    if spec.stem.type == "none":
        return (), ()
    parts = Parts(plan.stages[0])
    if isinstance(spec.stem.type, str):
        made = list(CONVOLUTIONS[spec.stem.type](parts))
        if spec.stem.pool == "conv" or _ends_in_a_norm(parts):
            made += parts.norm_act(parts.name(1))
    else:
        channels = {"in": spec.input[0], "width": _width(parts)}
        made = outside(parts, spec.stem.type, channels)
    ops, _ = aside(chain(Shape(*spec.input), *made))
    pool = chain(ops[-1].output, *POOLS[spec.stem.pool or "none"](parts))
    return biased(ops, spec.conv_bias), biased(pool, spec.conv_bias)


def _ends_in_a_norm(parts: Parts) -> bool:
    preact = parts.spec.preact
    return preact is None or bool(preact.stem_norm)


# --- convolutions -------------------------------------------------------------------------


def _width(parts: Parts) -> int:
    assert parts.spec.stem.width is not None
    return parts.spec.stem.width


def _stride(parts: Parts, usual: int) -> Stride:
    return strided(parts.spec.stem.stride or usual)


def _conv7x7(parts: Parts) -> Iterator[Part]:
    yield parts.conv("conv1", _width(parts), 7, _stride(parts, 2))


def _conv3x3(parts: Parts) -> Iterator[Part]:
    yield parts.conv("conv1", _width(parts), 3, _stride(parts, 1))


def _conv1x1(parts: Parts) -> Iterator[Part]:
    yield parts.conv("conv1", _width(parts), 1, _stride(parts, 1))


def _deep(parts: Parts) -> Iterator[Part]:
    """Three 3x3 convolutions (https://arxiv.org/abs/1812.01187, ResNet-C)."""
    half = _width(parts) // 2
    yield from _three(parts, half, half)


def _tiered(parts: Parts) -> Iterator[Part]:
    """Three 3x3 convolutions that widen (timm 1.0's `deep_tiered`)."""
    yield from _three(parts, 3 * _width(parts) // 8, _width(parts) // 2)


def _three(parts: Parts, first: int, second: int) -> Iterator[Part]:
    steps = [parts.conv("", first, 3, _stride(parts, 2)), *parts.norm_act("")]
    steps += [parts.conv("", second, 3), *parts.norm_act("")]
    yield from numbered("conv1", *steps, parts.conv("", _width(parts), 3))


CONVOLUTIONS: dict[str, Callable[[Parts], Iterator[Part]]] = {
    "conv7x7": _conv7x7,
    "conv3x3": _conv3x3,
    "deep": _deep,
    "tiered": _tiered,
    "conv1x1": _conv1x1,
}


# --- pools --------------------------------------------------------------------------------


def _none(_: Parts) -> Iterator[Part]:
    yield from ()


def _max(_: Parts) -> Iterator[Part]:
    yield _max_pool("maxpool", stride=2, padding=1)


def _max_ceil(_: Parts) -> Iterator[Part]:
    yield _max_pool("maxpool", stride=2, ceil=True)


def _max_zero(_: Parts) -> Iterator[Part]:
    yield lambda x: ZeroPad(path="maxpool.0", input=x, padding=1)
    yield _max_pool("maxpool.1", stride=2)


def _max_blur(parts: Parts) -> Iterator[Part]:
    yield _max_pool("maxpool.0", stride=1, padding=1)
    yield parts.blur("maxpool.1")


def _max2_blur(parts: Parts) -> Iterator[Part]:
    yield lambda x: MaxPool(path="maxpool.0", input=x, kernel=2)
    yield parts.blur("maxpool.1")


def _avg(_: Parts) -> Iterator[Part]:
    yield lambda x: AvgPool(path="pool", input=x, kernel=2, stride=2)


def _conv(parts: Parts) -> Iterator[Part]:
    """A convolution in place of a pool (https://arxiv.org/abs/2103.07579)."""
    convolution = parts.conv("pool", _width(parts), 3, stride=2)
    if _ends_in_a_norm(parts):
        yield from numbered("pool", convolution, *parts.norm_act(""))
    else:
        yield convolution


POOLS: dict[str, Callable[[Parts], Iterator[Part]]] = {
    "none": _none,
    "max": _max,
    "max_ceil": _max_ceil,
    "max_zero": _max_zero,
    "max_blur": _max_blur,
    "max2_blur": _max2_blur,
    "avg": _avg,
    "conv": _conv,
}


def _max_pool(path: str, stride: int, padding: int = 0, ceil: bool = False) -> Part:
    return lambda x: MaxPool(
        path=path, input=x, kernel=3, stride=stride, padding=padding, ceil=ceil
    )
