"""The ops of attention: what weighs the channels of a map, adds to them, or pools it."""

from __future__ import annotations

from functools import cached_property

from resnet_spec.network.custom import Layer, conv1x1, maker, named
from resnet_spec.network.ops import Activation, Argument, Tensor, batch_norm_tensors
from resnet_spec.network.shapes import Lengths, Maps, Multiples, Sizes
from resnet_spec.network.symbols import Maker


class SqueezeExcite(Layer):
    """Channels weighed by two 1x1 convolutions, with biases, of their means."""

    squeezed: int

    @property
    def noun(self) -> str:
        return "squeeze-and-excitation"

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        channels, squeezed = int(self.input.channels), int(self.squeezed)
        return (
            *conv1x1("fc1.", channels, squeezed, bias=True),
            *conv1x1("fc2.", squeezed, channels, bias=True),
        )

    @property
    def macs(self) -> int:
        return 2 * self.input.channels * self.squeezed

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(self.input.channels), Argument(self.squeezed))


class VariedSqueezeExcite(SqueezeExcite):
    """The same with or without biases, and with another activation inside."""

    bias: bool
    activation: Activation

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        channels, squeezed = int(self.input.channels), int(self.squeezed)
        return (
            *conv1x1("fc1.", channels, squeezed, self.bias),
            *conv1x1("fc2.", squeezed, channels, self.bias),
        )

    @property
    def args(self) -> tuple[Argument, ...]:
        function = Argument(maker(self.activation), "activation", Maker("nn.ReLU"))
        return (*super().args, Argument(self.bias, "bias", True), function)


class EfficientChannelAttention(Layer):
    """Channels weighed by a convolution, without bias, along their means."""

    kernel: int

    @property
    def noun(self) -> str:
        return "efficient channel attention"

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return (Tensor("conv.weight", (1, 1, int(self.kernel))),)

    @property
    def macs(self) -> int:
        return self.kernel * self.input.channels

    @property
    def args(self) -> tuple[Argument, ...]:
        return named(kernel=self.kernel)


class ConvBlockAttention(Layer):
    """Channels weighed by two linear layers of their means and maxima, then each pixel by a
    7x7 convolution, with a batch norm of its own, of its mean and maximum."""

    squeezed: int

    @property
    def noun(self) -> str:
        return "channel and spatial attention"

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        channels, squeezed = int(self.input.channels), int(self.squeezed)
        return (
            Tensor("fc1.weight", (squeezed, channels)),
            Tensor("fc1.bias", (squeezed,)),
            Tensor("fc2.weight", (channels, squeezed)),
            Tensor("fc2.bias", (channels,)),
            Tensor("conv.weight", (1, 2, 7, 7)),
            *batch_norm_tensors(1, "bn."),
        )

    @property
    def macs(self) -> int:
        channels, height, width = self.input
        return 4 * channels * self.squeezed + 2 * 49 * height * width

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(self.input.channels), Argument(self.squeezed))


class GlobalContext(Layer):
    """Channels to which a function of a weighed mean of all pixels is added."""

    squeezed: int

    @property
    def noun(self) -> str:
        return "global context"

    @property
    def restarts(self) -> bool:
        return True

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        channels, squeezed = int(self.input.channels), int(self.squeezed)
        return (
            *conv1x1("attn.", channels, 1, bias=True),
            *conv1x1("fc1.", channels, squeezed, bias=True),
            Tensor("norm.weight", (squeezed,)),
            Tensor("norm.bias", (squeezed,)),
            *conv1x1("fc2.", squeezed, channels, bias=True),
        )

    @property
    def macs(self) -> int:
        channels, height, width = self.input
        return 2 * channels * height * width + 2 * channels * self.squeezed

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(self.input.channels), Argument(self.squeezed))


class BilinearAttention(Layer):
    """Rows and columns mixed by shares of 8 parts of them, on maps that have such parts."""

    squeezed: int

    @property
    def noun(self) -> str:
        return "bilinear attention"

    @property
    def takes(self) -> tuple[Sizes, Sizes]:
        parts = Sizes(8, None, (Multiples(0, 8, 1),))
        return (parts, parts)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        channels, squeezed = int(self.input.channels), int(self.squeezed)
        return (
            *conv1x1("conv1.", channels, squeezed),
            *batch_norm_tensors(squeezed, "bn1."),
            *conv1x1("conv2.", squeezed, 2),
            *batch_norm_tensors(2, "bn2."),
            Tensor("conv_p.weight", (128, 2, 8, 1)),
            Tensor("conv_p.bias", (128,)),
            Tensor("conv_q.weight", (128, 2, 1, 8)),
            Tensor("conv_q.bias", (128,)),
            *conv1x1("conv3.", squeezed, squeezed),
            *batch_norm_tensors(squeezed, "bn3."),
            *conv1x1("conv4.", squeezed, channels),
            *batch_norm_tensors(channels, "bn4."),
        )

    @property
    def macs(self) -> int:
        channels, height, width = self.input
        each = 2 * channels + 2 + self.squeezed + height + width
        return self.squeezed * each * height * width + 2 * 128 * 2 * 8

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(self.input.channels), Argument(self.squeezed))


class AttentionPool2d(Layer):
    """What the mean of all pixels finds by attention in itself and in them, flat."""

    @property
    def takes(self) -> tuple[Sizes, Sizes]:
        height, width = (max(int(side), 1) for side in self.input[1:])
        return (Sizes(height, height), Sizes(width, width))

    @property
    def flattens(self) -> bool:
        return True

    @cached_property
    def lengths(self) -> Maps:
        return Maps.alike(Lengths(1, 0))

    @property
    def _tokens(self) -> int:
        return int(self.input.height * self.input.width) + 1

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        channels = int(self.input.channels)
        linear = (Tensor("weight", (channels, channels)), Tensor("bias", (channels,)))
        return (
            Tensor("pos_embed", (self._tokens, channels)),
            *(t._replace(name=f"{path}.{t.name}") for path in "qkv" for t in linear),
        )

    @property
    def macs(self) -> int:
        channels = int(self.input.channels)
        return (2 * self._tokens + 1) * channels**2 + 2 * self._tokens * channels

    @property
    def args(self) -> tuple[Argument, ...]:
        channels, height, width = map(Argument, self.input)
        return (channels, height, width)
