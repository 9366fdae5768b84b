"""The ops that `torch.nn` lacks: each is the class of its own name in `resnet_spec.layers`."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from resnet_spec.network.ops import (
    Activation,
    Argument,
    BatchNorm,
    Conv,
    Norm,
    Op,
    Tensor,
    batch_norm_tensors,
    convolution_tensors,
    every,
)
from resnet_spec.network.shapes import Lengths, Maps, Multiples, Shape, Sizes
from resnet_spec.network.symbols import (
    Condition,
    Maker,
    Number,
    Rate,
    Stride,
    plain,
    sides,
)


class Layer(Op):
    """A module of `resnet_spec.layers`."""

    @property
    def module(self) -> str:
        return type(self).__name__


def named(**values: Any) -> tuple[Argument, ...]:
    return tuple(Argument(value, keyword) for keyword, value in values.items())


def conv1x1(prefix: str, read: int, out: int, bias: bool = False) -> tuple[Tensor, ...]:
    """The tensors of a 1x1 convolution whose filters read that many channels."""
    return convolution_tensors(out, read, 1, bias, prefix)


# --- maps ---------------------------------------------------------------------------------


class PadChannels(Layer):
    """Every stride-th pixel, and channels of zeros after the input's own."""

    out_channels: int
    stride: Stride

    @property
    def args(self) -> tuple[Argument, ...]:
        return (
            Argument(self.input.channels),
            Argument(self.out_channels),
            Argument(self.stride),
        )

    @cached_property
    def output(self) -> Shape:
        return super().output._replace(channels=self.out_channels)

    @cached_property
    def lengths(self) -> Maps:
        return every(self.stride)


class PadChannelsAround(PadChannels):
    """The same with half of the zeros before the input's own channels."""

    @cached_property
    def meaning(self) -> tuple[Any, ...]:
        """Where there are no new channels, what the other one means."""
        if self.out_channels > self.input.channels:
            return super().meaning
        return (PadChannels.__name__, *self.said("function"))


class SpaceToDepth(Layer):
    """The pixels of each square of the map as channels."""

    size: int

    @property
    def takes(self) -> tuple[Sizes, Sizes]:
        squares = Sizes(self.size, None, (Multiples(0, self.size, 1),))
        return (squares, squares)

    @cached_property
    def lengths(self) -> Maps:
        return Maps.alike(Lengths(0, self.size))

    @cached_property
    def output(self) -> Shape:
        return super().output._replace(channels=self.input.channels * self.size**2)

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(self.size),)


class BlurPool2d(Layer):
    """Every stride-th pixel of the map blurred by fixed weights, mirrored at the edges.

    Of stride 1, the identity.
    """

    taps: int = 3
    stride: Stride = 2

    @property
    def least(self) -> int:
        """One pixel more than are mirrored at its end."""
        return self.taps // 2 + 1 if self.stride != 1 else 1

    @cached_property
    def lengths(self) -> Maps:
        return every(self.stride)

    @property
    def macs(self) -> int:
        channels, height, width = self.output
        return channels * height * width * self.taps**2 if self.stride != 1 else 0

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(self.taps, "taps", 3), Argument(self.stride, "stride", 2))

    @cached_property
    def meaning(self) -> tuple[Any, ...]:
        return super().meaning if self.stride != 1 else ()


class AvgMaxPool2d(Layer):
    """Half of the mean and half of the largest value of each channel."""

    @cached_property
    def lengths(self) -> Maps:
        return Maps.alike(Lengths(1, 0))


class StatisticsPool(Layer):
    """Mean and standard deviation of each channel and row along the width, flat.

    One number has no deviation. Rows become features, so the height is fixed.
    """

    @property
    def takes(self) -> tuple[Sizes, Sizes]:
        height = max(int(self.input.height), 1)
        return (Sizes(height, height), Sizes(2))

    @property
    def flattens(self) -> bool:
        return True

    @cached_property
    def output(self) -> Shape:
        return Shape(2 * self.input.channels * self.input.height, 1, 1)

    @cached_property
    def lengths(self) -> Maps:
        return Maps.alike(Lengths(1, 0))

    @cached_property
    def meaning(self) -> tuple[Any, ...]:
        return (self.module, int(self.input.height))


class DropPath(Layer):
    """In training, zero for some images."""

    rate: Rate

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(self.rate, "rate", 0.0, "training"),)

    @cached_property
    def meaning(self) -> tuple[Any, ...]:
        return ()


class StdConv2d(Layer, Conv):
    """A convolution by standardized weights."""

    eps: float

    @property
    def args(self) -> tuple[Argument, ...]:
        *plain, _ = super().args
        bias = Argument(self.bias, "bias", False)
        return (*plain, bias, Argument(self.eps, "eps", 1e-5))


# --- scalars ------------------------------------------------------------------------------


class Scale(Layer):
    """The map times a fixed number."""

    factor: float

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(self.factor),)


class Scalar(Layer):
    """One number for the whole map, which learns from `start` on."""

    start: float

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(self.start, changes="start"),)


class ScalarMultiplier(Scalar):
    """The map times that number."""

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return (Tensor("weight", (1,)),)


class ScalarBias(Scalar):
    """The map plus that number."""

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return (Tensor("bias", (1,)),)


# --- norms --------------------------------------------------------------------------------


class FrozenBatchNorm2d(Layer, Norm):
    """Batch normalization that no longer learns."""

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        *four, _ = batch_norm_tensors(int(self.input.channels))
        return tuple(tensor._replace(learns=False) for tensor in four)

    @cached_property
    def meaning(self) -> tuple[Any, ...]:
        return ("BatchNorm2d", *self.said("function"))

    @property
    def training(self) -> tuple[Any, ...]:
        return ("frozen",)

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(self.input.channels), Argument(self.eps, "eps", 1e-5))


class EvoNormS0(Layer, Norm):
    """A normalization over groups of channels that is its own activation."""

    groups: int

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return (*super().tensors, Tensor("v", (int(self.input.channels),)))

    @property
    def args(self) -> tuple[Argument, ...]:
        eps = Argument(self.eps, "eps", 1e-5)
        return (Argument(self.groups), Argument(self.input.channels), eps)


class EvoNormS0a(EvoNormS0):
    """The same, whose gradients are summed in another order."""

    @cached_property
    def meaning(self) -> tuple[Any, ...]:
        return (EvoNormS0.__name__, *self.said("function"))


class BareEvoNormS0a(EvoNormS0):
    """The normalization without the activation."""

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return super().tensors[:-1]


class FilterResponseNorm(Layer, Norm):
    """A normalization of each channel alone, with a learned threshold for activation."""

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return (*super().tensors, Tensor("tau", (int(self.input.channels),)))

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(self.input.channels), Argument(self.eps, "eps", 1e-5))


class ChannelAffine(Layer, Norm):
    """A weight and a bias for each channel: EvoNorm-S0 without its activation."""

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(self.input.channels),)


class BareFilterResponseNorm(Layer, Norm):
    """The normalization of each channel alone, without a threshold."""

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(self.input.channels), Argument(self.eps, "eps", 1e-5))


class LayerNorm2d(Layer, Norm):
    """A normalization of each pixel over its channels."""

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(self.input.channels), Argument(self.eps, "eps", 1e-5))


class InstanceBatchNorm2d(Layer, BatchNorm):
    """Instance normalization of half of the channels, batch normalization of the others.

    Names are those of https://github.com/XingangPan/IBN-Net.
    """

    @property
    def least(self) -> int:
        """torch refuses a single value."""
        return 2

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        channels = int(self.input.channels)
        half = channels // 2
        return (
            Tensor("IN.weight", (half,)),
            Tensor("IN.bias", (half,)),
            *batch_norm_tensors(channels - half, "BN."),
        )


# --- what replaces a 3x3 convolution -------------------------------------------------------


class Inside(NamedTuple):
    """What the layer's convolutions are, and what follows them.

    `norm` and `activation` are None where there is none, `eps` that of standardized weights.
    A convolution that a norm may follow has a bias where `bias` says so.
    """

    norm: Norm | None
    activation: Activation | None
    eps: float | None = None
    bias: bool = False

    @property
    def makers(self) -> dict[str, Maker]:
        standardized = Maker("StdConv2d", keywords=(("eps", self.eps),))
        return {
            "convolution": standardized if self.eps else Maker("nn.Conv2d"),
            "norm": maker(self.norm),
            "activation": maker(self.activation),
        }

    def least(self, channels: int) -> int:
        """The smallest map of so many channels that the norm takes."""
        return self.normed(channels).least if self.norm else 1

    def normed(self, channels: int) -> Norm:
        assert self.norm is not None
        return self.norm.replace(input=Shape(channels, 1, 1))

    def norm_tensors(self, channels: int, prefix: str) -> tuple[Tensor, ...]:
        if not self.norm:
            return ()
        found = self.normed(channels).tensors
        return tuple(t._replace(name=f"{prefix}{t.name}") for t in found)


def maker(op: Op | None) -> Maker:
    """What makes the op's module of channels; what torch does by default is not said."""
    if op is None:
        return Maker("nn.Identity")
    said = [arg for arg in op.args if arg.value is not op.input.channels]
    said = [arg for arg in said if arg.changes != "nothing"]
    keywords = [(a.keyword, plain(a.value)) for a in said if a.value != a.default]
    return Maker(
        op.module if isinstance(op, Layer) else f"nn.{op.module}",
        tuple(value for keyword, value in keywords if not keyword),
        tuple((keyword, value) for keyword, value in keywords if keyword),
    )


ANY = Shape(Number(1), 1, 1)  # a map of channels that are given later
PUBLISHED = Inside(
    BatchNorm(path="", input=ANY),
    Activation(path="", input=ANY, function="relu", kind="ReLU"),
)


class Conv3x3(Layer):
    """A 3x3 convolution with an inner graph of its own, padded to keep the size.

    `varies` where some layer of the network's is not as published: the class is then one
    that takes a dilation, what is inside, and a stride of two numbers.
    """

    groups: int
    inside: Inside = PUBLISHED
    varies: bool = False
    stride: Stride = 1
    dilation: int = 1

    @property
    def module(self) -> str:
        return f"{'Varied' * self.varies}{type(self).__name__}"

    @cached_property
    def meaning(self) -> tuple[Any, ...]:
        return (type(self).__name__, *self.said("function"))

    @property
    def normed(self) -> tuple[int, ...]:
        """The channels of each norm inside: of those behind the 3x3, and of the others."""
        raise NotImplementedError

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The names of each convolution inside that a norm may follow, and of that."""
        raise NotImplementedError

    @property
    def takes(self) -> tuple[Sizes, Sizes]:
        more = self.inside.least(self.normed[0]) - 1
        height, width = (more * stride + 1 for stride in sides(self.stride))
        return (Sizes(height), Sizes(width))

    @property
    def used(self) -> list[str]:
        """The layers that are made inside."""
        found = [maker.module for maker in self.inside.makers.values()]
        return [name for name in found if not name.startswith("nn.")]

    @property
    def _varied(self) -> tuple[Argument, ...]:
        """What the class that varies takes besides."""
        if not self.varies:
            return ()
        made = self.inside.makers.items()
        defaults = PUBLISHED.makers
        makers = (Argument(made, name, defaults[name]) for name, made in made)
        bias = Argument(self.inside.bias, "bias", False)
        return (Argument(self.dilation, "dilation", 1), bias, *makers)

    def _conv_norm(
        self, prefix: str, read: int, out: int, norm: str
    ) -> tuple[Tensor, ...]:
        """The tensors of a 3x3 convolution and of the norm that follows it."""
        convolution = convolution_tensors(out, read, 3, self.inside.bias, prefix)
        return (*convolution, *self.inside.norm_tensors(out, norm))

    @cached_property
    def lengths(self) -> Maps:
        return every(self.stride)

    @property
    def _pixels(self) -> int:
        return self.output.height * self.output.width


class Res2Conv2d(Conv3x3):
    """Bands of channels, each band's 3x3 reading the one before; `apart`, none does."""

    width: int
    scale: int
    apart: Condition

    @property
    def noun(self) -> str:
        return "3x3 in bands"

    @property
    def _weights(self) -> int:
        return (self.scale - 1) * 9 * self.width * (self.width // self.groups)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        width, read = int(self.width), self.width // self.groups
        return tuple(
            tensor
            for i in range(self.scale - 1)
            for tensor in self._conv_norm(f"bands.{i}.0.", read, width, f"bands.{i}.1.")
        )

    @property
    def normed(self) -> tuple[int, ...]:
        return (int(self.width),)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        bands = range(self.scale - 1)
        return tuple((f"bands.{i}.0", f"bands.{i}.1") for i in bands)

    @property
    def macs(self) -> int:
        return self._weights * self._pixels

    @property
    def args(self) -> tuple[Argument, ...]:
        given = named(
            width=self.width,
            scale=self.scale,
            stride=self.stride,
            groups=self.groups,
            apart=self.apart,
        )
        return (*given, *self._varied)


class SelectiveKernel(Conv3x3):
    """A mix of two 3x3 of different dilation, with their norms and activations."""

    out_channels: int
    reduced: int
    split: bool

    @property
    def noun(self) -> str:
        return "selective kernel"

    @cached_property
    def output(self) -> Shape:
        return super().output._replace(channels=self.out_channels)

    @property
    def _weights(self) -> int:
        read = self.input.channels // (2 if self.split else 1)
        return 2 * 9 * self.out_channels * (read // self.groups)

    @property
    def _shares(self) -> int:
        return 3 * self.out_channels * self.reduced

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        out, reduced = int(self.out_channels), int(self.reduced)
        read = self.input.channels // (2 if self.split else 1) // self.groups
        return (
            *self._conv_norm("paths.0.0.", read, out, "paths.0.1."),
            *self._conv_norm("paths.1.0.", read, out, "paths.1.1."),
            *conv1x1("fc1.", out, reduced, self.inside.bias),
            *self.inside.norm_tensors(reduced, "bn."),
            *conv1x1("fc2.", reduced, 2 * out),
        )

    @property
    def normed(self) -> tuple[int, ...]:
        return (int(self.out_channels), int(self.reduced))

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        return (("paths.0.0", "paths.0.1"), ("paths.1.0", "paths.1.1"), ("fc1", "bn"))

    @property
    def macs(self) -> int:
        return self._weights * self._pixels + self._shares

    @property
    def args(self) -> tuple[Argument, ...]:
        return (
            Argument(self.input.channels),
            *named(
                out_channels=self.out_channels,
                reduced=self.reduced,
                stride=self.stride,
                groups=self.groups,
                split=self.split,
            ),
            *self._varied,
        )


class SplitAttention(Conv3x3):
    """A sum of `radix` 3x3 by shares of their own, with norm and activation."""

    reduced: int
    radix: int

    @property
    def noun(self) -> str:
        return "split attention"

    @property
    def _weights(self) -> int:
        channels = self.input.channels
        return 9 * channels * (channels // self.groups)

    @property
    def _shares(self) -> int:
        channels = self.input.channels
        return (1 + self.radix) * channels * (self.reduced // self.groups)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        channels, reduced = int(self.input.channels), int(self.reduced)
        inner, read = channels * self.radix, channels // self.groups
        return (
            *self._conv_norm("conv.", read // self.radix, inner, "bn0."),
            *conv1x1("fc1.", read, reduced, bias=True),
            *self.inside.norm_tensors(reduced, "bn1."),
            *conv1x1("fc2.", reduced // self.groups, inner, bias=True),
        )

    @property
    def normed(self) -> tuple[int, ...]:
        return (int(self.input.channels) * self.radix, int(self.reduced))

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        return (("conv", "bn0"), ("fc1", "bn1"))

    @property
    def macs(self) -> int:
        return self._weights * self._pixels + self._shares

    @property
    def args(self) -> tuple[Argument, ...]:
        return (
            Argument(self.input.channels),
            *named(reduced=self.reduced, groups=self.groups, radix=self.radix),
            *self._varied,
        )
