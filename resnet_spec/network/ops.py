"""The ops: one step each, holding its input shape, from which all else is derived.

`output` is the shape it gives, `lengths` the same for every height and width, `params` its
learnable numbers, and `macs` its multiply-adds for one image. Multiply-adds are those of
convolutions and linear layers, as the papers count (https://arxiv.org/abs/1512.03385).
`module` and `args` say what `torch.nn` has for it; ops of `torch.nn`'s are here, those that
it lacks in `layers`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from resnet_spec.network.numbers import Condition
from resnet_spec.network.shapes import Lengths, Shape


class Argument(NamedTuple):
    """What a module is constructed with; without a keyword it is always positional."""

    value: Any
    keyword: str = ""
    default: Any = None  # what the module takes where nothing is said


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Op:
    """One step on a map of shape `input`, by the module at `path` within its block.

    Where `when` does not hold the op is the identity: a block without it.
    """

    path: str
    input: Shape
    when: Condition | None = None

    @property
    def active(self) -> bool:
        return self.when is None or self.when.holds

    @property
    def output(self) -> Shape:
        channels, height, width = self.input
        return Shape(channels, self.lengths(height), self.lengths(width))

    @property
    def lengths(self) -> Lengths:
        return Lengths()

    @property
    def least(self) -> int:
        """The smallest height and width that it takes."""
        return 1

    @property
    def params(self) -> int:
        return 0

    @property
    def macs(self) -> int:
        return 0

    @property
    def noun(self) -> str:
        """What it is called in a list of a body's main parts; empty for the others."""
        return ""

    @property
    def module(self) -> str:
        """The class of the module that does it; empty where none is needed."""
        return ""

    @property
    def args(self) -> tuple[Argument, ...]:
        return ()


Chain = tuple[Op, ...]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Windowed(Op):
    """A square window that slides over the map."""

    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    ceil: bool = False

    def __post_init__(self) -> None:
        # torch drops a last window that starts in the padding, which is no Lengths map.
        # https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html
        span = self.dilation * (self.kernel - 1) + 1
        assert not self.ceil or self.stride + self.padding <= span, self

    @property
    def lengths(self) -> Lengths:
        span = self.dilation * (self.kernel - 1) + 1
        rounding = self.stride - 1 if self.ceil else 0
        return Lengths(2 * self.padding - span + self.stride + rounding, self.stride)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Conv(Windowed):
    """A convolution, without bias where a norm stands behind it."""

    out_channels: int
    groups: int = 1
    bias: bool = False

    @property
    def output(self) -> Shape:
        return super().output._replace(channels=self.out_channels)

    @property
    def _weights(self) -> int:
        return self.out_channels * (self.input.channels // self.groups) * self.kernel**2

    @property
    def params(self) -> int:
        return self._weights + self.bias * self.out_channels

    @property
    def macs(self) -> int:
        return self._weights * self.output.height * self.output.width

    @property
    def noun(self) -> str:
        return f"{self.kernel}x{self.kernel}"

    @property
    def module(self) -> str:
        return "Conv2d"

    @property
    def args(self) -> tuple[Argument, ...]:
        return (
            Argument(self.input.channels),
            Argument(self.out_channels),
            Argument(self.kernel),
            Argument(self.stride, "stride", 1),
            Argument(self.padding, "padding", 0),
            Argument(self.dilation, "dilation", 1),
            Argument(self.groups, "groups", 1),
            Argument(self.bias, "bias", True),
        )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Norm(Op):
    """A normalisation with a weight and a bias; `zero` starts its weight at 0 rather than 1."""

    eps: float = 1e-5
    zero: bool = False

    @property
    def params(self) -> int:
        return 2 * self.input.channels


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BatchNorm(Norm):
    """Batch normalisation."""

    momentum: float = 0.1

    @property
    def module(self) -> str:
        return "BatchNorm2d"

    @property
    def args(self) -> tuple[Argument, ...]:
        return (
            Argument(self.input.channels),
            Argument(self.eps, "eps", 1e-5),
            Argument(self.momentum, "momentum", 0.1),
        )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GroupNorm(Norm):
    """Group normalisation (https://arxiv.org/abs/1803.08494)."""

    groups: int

    @property
    def least(self) -> int:
        """A group of one channel needs several pixels, for torch refuses a single value."""
        return 2 if self.input.channels == self.groups else 1

    @property
    def module(self) -> str:
        return "GroupNorm"

    @property
    def args(self) -> tuple[Argument, ...]:
        channels, eps = Argument(self.input.channels), Argument(self.eps, "eps", 1e-5)
        return (Argument(self.groups), channels, eps)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Activation(Op):
    """A function of each number, in place: relu or silu."""

    function: str

    @property
    def module(self) -> str:
        return {"relu": "ReLU", "silu": "SiLU"}[self.function]

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(True, "inplace", False),)


class Pool(Windowed):
    """One number for each window."""

    @property
    def args(self) -> tuple[Argument, ...]:
        return (
            Argument(self.kernel),
            Argument(self.stride, "stride", self.kernel),
            Argument(self.padding, "padding", 0),
            Argument(self.ceil, "ceil_mode", False),
        )


class MaxPool(Pool):
    """The largest value in each window."""

    @property
    def module(self) -> str:
        return "MaxPool2d"


class AvgPool(Pool):
    """The mean of each window, padding counted as zeros; where it rounds up, pixels beyond
    the map do not count."""

    @property
    def module(self) -> str:
        return "AvgPool2d"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ZeroPad(Op):
    """`padding` rows and columns of zeros on each side."""

    padding: int

    @property
    def lengths(self) -> Lengths:
        return Lengths(2 * self.padding)

    @property
    def module(self) -> str:
        return "ZeroPad2d"

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(self.padding),)


class GlobalAvgPool(Op):
    """The mean of each channel."""

    @property
    def lengths(self) -> Lengths:
        return Lengths(1, 0)

    @property
    def module(self) -> str:
        return "AdaptiveAvgPool2d"

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(1),)


class Flatten(Op):
    """From (N, C, 1, 1) to (N, C), without a module, so its path is empty.

    `Network.sizes` leaves out the images that would give it a larger map.
    """


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Dropout(Op):
    rate: float

    @property
    def module(self) -> str:
        return "Dropout"

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(self.rate),)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Linear(Op):
    """The classifier, with bias."""

    out_channels: int

    @property
    def output(self) -> Shape:
        return Shape(self.out_channels, 1, 1)

    @property
    def params(self) -> int:
        return (self.input.channels + 1) * self.out_channels

    @property
    def macs(self) -> int:
        return self.input.channels * self.out_channels

    @property
    def module(self) -> str:
        return "Linear"

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(self.input.channels), Argument(self.out_channels))
