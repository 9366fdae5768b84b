"""Blocks, shortcuts and stems of one's own: each op of their chains, as a part.

The modules of a block are numbered by what they are, in order: `conv1`, `norm1`, `pool1`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from resnet_spec.language.chains import Formula, StemStep, Step, Steps
from resnet_spec.language.values import function_of
from resnet_spec.lowering.parts import Part, Parts, strided
from resnet_spec.network import (
    AvgPool,
    BlurPool2d,
    MaxPool,
    Number,
    Op,
    PadChannels,
    ScalarBias,
    ScalarMultiplier,
    Scale,
    Shape,
    SpaceToDepth,
    Stride,
)
from resnet_spec.problems.words import together

Named = list[tuple[str, int, str | Step]]  # what each step is, its number, and itself


class Words(NamedTuple):
    """What the words of a chain stand for in one block, or in the stem."""

    parts: Parts
    channels: Mapping[str, int]  # of `in`, `width` and `out`
    alone: Mapping[str, Callable[[int], list[Part]]]  # by number, of words but `norm`
    stride: Stride = 1
    groups: Callable[[int], int] = int  # of a convolution of so many channels
    dilation: Callable[[int], int] = int  # of the convolution of that number

    def of(self, formula: Formula) -> int:
        """The number that it gives, which the source computes from its base."""
        made, times, over = self.channels[formula.base], formula.times, formula.over
        if not isinstance(made, Number):
            return made * times // over
        if times > 1:
            made = Number(made * times, f"{made.name}_{times}", of=made)
        if over > 1:
            made = Number(made // over, f"{made.name}_{over}th", over=(made, over))
        return made

    def stride_of(self, step: Step) -> Stride:
        return self.stride if step.stride == "block" else strided(step.stride or 1)


def named(*chains: Steps) -> Iterator[Named]:
    """The chains of a block, in which what is alike is numbered in order."""
    counts: Counter[str] = Counter()

    def number(kind: str) -> int:
        counts[kind] += 1
        return counts[kind]

    for chain in chains:
        pairs = [(_kind(step), step) for step in chain]
        yield [(kind, number(kind), step) for kind, step in pairs]


def _kind(step: str | Step) -> str:
    """What a step is numbered with."""
    if isinstance(step, Step):
        return step.op
    return "conv" if step == "spatial" else step


def outside(parts: Parts, steps: Steps, channels: Mapping[str, int]) -> list[Part]:
    """The parts of a chain outside of blocks, where norm and activation are the only words."""
    (chain,) = named(steps)
    alone = {"activation": lambda _: [parts.activation()]}
    return parts_of(Words(parts, channels, alone), chain)


def dilated(*chains: Steps) -> list[int]:
    """The numbers of the convolutions that dilate as the stage does."""
    return [
        number
        for chain in named(*chains)
        for kind, number, step in chain
        if kind == "conv" and isinstance(step, Step) and step.dilation == "block"
    ]


def how(chain: Steps) -> str:
    """What a shortcut's ops do to its input, in participles: "averaged and projected"."""
    said = [_did(step) for step in chain if isinstance(step, Step)]
    return together(dict.fromkeys(word for word in said if word) or ["changed"])


DID = {
    "pad": "zero-padded",
    "blur": "blurred",
    "scale": "scaled",
    "scalar_multiplier": "scaled",
    "scalar_bias": "shifted",
}


def _did(step: Step) -> str:
    if step.op == "conv":
        return "projected" if step.conv == 1 else "convolved"
    pooled = {"avg": "averaged", "max": "pooled"}.get(step.pool or "", "")
    return pooled or DID.get(step.op, "")


def parts_of(words: Words, chain: Named, zero_last: bool = False) -> list[Part]:
    """The parts of a chain; with `zero_last` its last norm starts at weight zero."""
    norms = [number for _, number, step in chain if step == "norm"]
    zero = norms[-1] if zero_last and norms else 0
    steps = [step for *_, step in chain]
    found: list[Part] = []
    for (kind, number, step), before, after in zip(
        chain, ["", *steps], [*steps[1:], ""], strict=False
    ):
        if isinstance(step, Step):
            found += STEPS[kind](words, number, step)
        elif kind == "norm":
            make = words.parts.norm_act if after == "activation" else words.parts.norm
            found += make(words.parts.name(number), number == zero)
        elif (before, step) != ("norm", "activation"):
            found += words.alone[step](number)
    return found


# --- ops of which something is said -------------------------------------------------------


def _conv(words: Words, number: int, step: Step) -> Sequence[Part]:
    """A convolution; where each channel is its own group, it keeps the channels."""
    assert step.conv
    kernel, formula = step.conv, step.channels
    stride = words.stride_of(step)
    dilation = (
        words.dilation(number) if isinstance(step.dilation, str) else step.dilation
    )
    window = {"dilation": dilation, "padding": _times(dilation, kernel // 2)}

    def made(x: Shape) -> Op:
        out = words.of(formula) if formula else x.channels
        groups = step.groups
        if isinstance(groups, str):
            groups = x.channels if step.depthwise else words.groups(x.channels)
        conv = words.parts.conv(
            f"conv{number}",
            out,
            kernel,
            stride,
            groups=groups,
            bias=step.bias,
            **window,
        )
        return conv(x)

    return [made]


def _times(dilation: int, half: int) -> int:
    """What pads a window of that dilation, so that at stride 1 it keeps the size."""
    if half == 1:
        return dilation
    if not isinstance(dilation, Number):
        return dilation * half
    return Number(dilation * half, f"{dilation.name}_{half}", of=dilation)


def _pool(words: Words, number: int, step: Step) -> Sequence[Part]:
    """One of the kernel that is said, or one whose windows lie side by side."""
    kind = {"avg": AvgPool, "max": MaxPool}[step.pool or ""]
    stride = words.stride_of(step)
    kernel, padding = step.kernel or stride, (step.kernel or 1) // 2

    def made(x: Shape) -> Op:
        return kind(
            path=f"pool{number}",
            input=x,
            kernel=kernel,
            stride=stride,
            padding=padding,
            ceil=not step.kernel,
        )

    return [made]


def _blur(words: Words, number: int, step: Step) -> Sequence[Part]:
    assert step.blur
    taps, stride, path = step.blur, words.stride_of(step), f"blur{number}"
    return [lambda x: BlurPool2d(path=path, input=x, taps=taps, stride=stride)]


def _pad(words: Words, number: int, step: Step) -> Sequence[Part]:
    assert step.channels
    out, stride = words.of(step.channels), words.stride_of(step)
    path = f"pad{number}"
    return [lambda x: PadChannels(path=path, input=x, out_channels=out, stride=stride)]


def _activation(words: Words, _: int, step: Step) -> Sequence[Part]:
    assert step.activation
    return [words.parts.activation(function_of(step.activation))]


def _norm(words: Words, number: int, step: Step) -> Sequence[Part]:
    assert step.norm
    return words.parts.norm_of(step.norm, words.parts.name(number, step.norm))


def _space_to_depth(_: Words, number: int, step: Step) -> Sequence[Part]:
    assert isinstance(step, StemStep)
    assert step.space_to_depth
    size, path = step.space_to_depth, f"space_to_depth{number}"
    return [lambda x: SpaceToDepth(path=path, input=x, size=size)]


def _scale(_: Words, number: int, step: Step) -> Sequence[Part]:
    assert step.scale is not None
    factor, path = step.scale, f"scale{number}"
    return [lambda x: Scale(path=path, input=x, factor=factor)]


def _scalar_multiplier(_: Words, number: int, step: Step) -> Sequence[Part]:
    assert step.scalar_multiplier is not None
    start, path = step.scalar_multiplier, f"multiplier{number}"
    return [lambda x: ScalarMultiplier(path=path, input=x, start=start)]


def _scalar_bias(_: Words, number: int, step: Step) -> Sequence[Part]:
    assert step.scalar_bias is not None
    start, path = step.scalar_bias, f"bias{number}"
    return [lambda x: ScalarBias(path=path, input=x, start=start)]


STEPS: dict[str, Callable[[Words, int, Step], Sequence[Part]]] = {
    "conv": _conv,
    "pool": _pool,
    "blur": _blur,
    "pad": _pad,
    "activation": _activation,
    "norm": _norm,
    "space_to_depth": _space_to_depth,
    "scale": _scale,
    "scalar_multiplier": _scalar_multiplier,
    "scalar_bias": _scalar_bias,
}
