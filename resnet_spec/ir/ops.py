"""The ops: one step each, holding its input shape, from which all else is derived.

`output` is the shape it gives, `lengths` the same for every height and width, `params` its
learnable numbers, and `macs` its multiply-adds for one image. Multiply-adds are those of
convolutions and linear layers, as the papers count (https://arxiv.org/abs/1512.03385).
"""

from __future__ import annotations

from dataclasses import dataclass

from resnet_spec.ir.shapes import Lengths, Shape


@dataclass(frozen=True, kw_only=True)
class Op:
    """One step on a map of shape `input`, by the module at `path` within its block."""

    path: str
    input: Shape

    @property
    def output(self) -> Shape:
        channels, height, width = self.input
        return Shape(channels, self.lengths(height), self.lengths(width))

    @property
    def lengths(self) -> Lengths:
        return Lengths()

    @property
    def params(self) -> int:
        return 0

    @property
    def macs(self) -> int:
        return 0


Chain = tuple[Op, ...]


@dataclass(frozen=True, kw_only=True)
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


@dataclass(frozen=True, kw_only=True)
class Conv(Windowed):
    """A convolution without bias; its norm has one."""

    out_channels: int
    groups: int = 1

    @property
    def output(self) -> Shape:
        return super().output._replace(channels=self.out_channels)

    @property
    def params(self) -> int:
        return self.out_channels * (self.input.channels // self.groups) * self.kernel**2

    @property
    def macs(self) -> int:
        return self.params * self.output.height * self.output.width


@dataclass(frozen=True, kw_only=True)
class BatchNorm(Op):
    """Batch normalisation; `zero` starts its weight at 0 rather than 1."""

    eps: float = 1e-5
    momentum: float = 0.1
    zero: bool = False

    @property
    def params(self) -> int:
        return 2 * self.input.channels


@dataclass(frozen=True, kw_only=True)
class Activation(Op):
    """A function of each number: relu or silu."""

    function: str


class MaxPool(Windowed):
    """The largest value in each window."""


class AvgPool(Windowed):
    """The mean of each window; where it rounds up, pixels beyond the map do not count."""


class GlobalAvgPool(Op):
    """The mean of each channel."""

    @property
    def lengths(self) -> Lengths:
        return Lengths(1, 0)


class Flatten(Op):
    """From (N, C, 1, 1) to (N, C), without a module, so its path is empty.

    `Network.sizes` leaves out the images that would give it a larger map.
    """


@dataclass(frozen=True, kw_only=True)
class Dropout(Op):
    rate: float


@dataclass(frozen=True, kw_only=True)
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


class Layer(Op):
    """A module that torch.nn lacks: the class of the op's own name in `layers`."""

    @property
    def args(self) -> tuple[int, ...]:
        """What the module is constructed with."""
        return ()


@dataclass(frozen=True, kw_only=True)
class PadChannels(Layer):
    """Every stride-th pixel, and channels of zeros behind the input's own."""

    out_channels: int
    stride: int

    @property
    def args(self) -> tuple[int, ...]:
        return (self.input.channels, self.out_channels, self.stride)

    @property
    def output(self) -> Shape:
        return super().output._replace(channels=self.out_channels)

    @property
    def lengths(self) -> Lengths:
        return Lengths(self.stride - 1, self.stride)
