"""The ops: one step each, holding its input shape, from which all else is derived.

`output` is the shape it gives, `lengths` the same for every height and width, `tensors` what
its module holds, `params` the learnable numbers in them, and `macs` its multiply-adds for one
image. Multiply-adds are those of convolutions and linear layers, as the papers count
(https://arxiv.org/abs/1512.03385). `module` and `args` say what `torch.nn` has for it. The ops
of `torch.nn` are here, those that it lacks in `custom`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from itertools import groupby
from math import prod
from typing import Any, Literal, NamedTuple

from resnet_spec.network.record import Record
from resnet_spec.network.shapes import Lengths, Maps, Shape, Sizes
from resnet_spec.network.symbols import Condition, Stride, plain, sides


class Argument(NamedTuple):
    """What a module is constructed with; without a keyword it is always positional.

    `changes` says what another value would change: what the module computes in evaluation,
    how it trains alone, where its weights start, or nothing.
    """

    value: Any
    keyword: str = ""
    default: Any = ...  # what the module takes where nothing is said
    changes: Literal["function", "training", "start", "nothing"] = "function"


class Tensor(NamedTuple):
    """A tensor that a module holds: its name there, its shape, and whether it learns."""

    name: str
    shape: tuple[int, ...]
    learns: bool = True

    @property
    def size(self) -> int:
        return prod(self.shape)


MEAN = ("mean",)  # of each channel, whatever computes it
ANY = (Sizes(1), Sizes(1))  # what most ops take
SAME = Maps()  # what most ops do to height and width


@lru_cache(maxsize=512)
def convolution_tensors(
    out_channels: int, read: int, kernel: int, bias: bool, prefix: str = ""
) -> tuple[Tensor, ...]:
    """Those of a `Conv2d` whose filters read that many channels."""
    weight = Tensor(f"{prefix}weight", (out_channels, read, kernel, kernel))
    return (weight, Tensor(f"{prefix}bias", (out_channels,))) if bias else (weight,)


@lru_cache(maxsize=512)
def batch_norm_tensors(channels: int, prefix: str = "") -> tuple[Tensor, ...]:
    """Those of a `BatchNorm2d`, in the order of its state dict."""
    return (
        Tensor(f"{prefix}weight", (channels,)),
        Tensor(f"{prefix}bias", (channels,)),
        Tensor(f"{prefix}running_mean", (channels,), learns=False),
        Tensor(f"{prefix}running_var", (channels,), learns=False),
        Tensor(f"{prefix}num_batches_tracked", (), learns=False),
    )


class Folded(NamedTuple):
    """A norm of the trained network that is part of a convolution here, by their paths.

    The norm's path is empty where it was the filters that were standardized.
    """

    convolution: str
    norm: str
    eps: float


class Op(Record):
    """One step on a map of shape `input`, by the module at `path` within its block.

    Where `when` does not hold the op is the identity: a block without it. `folds` are the
    norms that it has taken in, in order.
    """

    path: str
    input: Shape
    when: Condition | None = None
    folds: tuple[Folded, ...] = ()

    @property
    def active(self) -> bool:
        return self.when is None or self.when.holds

    @property
    def output(self) -> Shape:
        if self.lengths is SAME:
            return self.input
        channels, height, width = self.input
        heights, widths = self.lengths
        return Shape(channels, heights(height), widths(width))

    @property
    def lengths(self) -> Maps:
        return SAME

    @property
    def least(self) -> int:
        """The smallest height and width that it takes."""
        return 1

    @property
    def takes(self) -> tuple[Sizes, Sizes]:
        """The heights and the widths of a map that it takes, wherever the head has it."""
        return (Sizes(self.least), Sizes(self.least)) if self.least > 1 else ANY

    @property
    def flattens(self) -> bool:
        """Whether it makes features (N, C) of a map (N, C, H, W)."""
        return False

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """What its module holds, in the order of the module's state dict."""
        return ()

    @property
    def params(self) -> int:
        return sum(tensor.size for tensor in self.tensors if tensor.learns)

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

    @cached_property
    def meaning(self) -> tuple[Any, ...]:
        """What evaluation does with it, as plain data; empty where that is nothing.

        Two modules that do the same mean the same.
        """
        return (self.module, *self.said("function"))

    @property
    def training(self) -> tuple[Any, ...]:
        """What training does besides, as plain data; empty where that is nothing."""
        return self.said("training")

    @property
    def starts(self) -> Any:
        """Where its weights start other than all of their kind do; empty or False elsewhere."""
        return self.restarts or self.said("start")

    def said(self, changes: str) -> tuple[Any, ...]:
        """The arguments that change that and are not torch's defaults, as plain data."""
        given = ((arg, plain(arg.value)) for arg in self.args if arg.changes == changes)
        return tuple((arg.keyword, said) for arg, said in given if said != arg.default)

    @property
    def restarts(self) -> bool:
        """Whether its `reset_parameters` starts weights after all others have started."""
        return False

    @property
    def attribute(self) -> str:
        """The attribute that holds its module: `downsample` of `downsample.0`."""
        return self.path.split(".")[0]


Chain = tuple[Op, ...]


def called(ops: Iterable[Op]) -> Iterator[tuple[str, list[Op]]]:
    """Each attribute that is called, in order, with its ops: those of one Sequential together.

    A module that is called twice in a row is there twice.
    """
    for name, group in groupby(ops, key=lambda op: op.attribute):
        members = list(group)
        if members[0].path == name:
            yield from ((name, [op]) for op in members)
        else:
            yield name, members


def held(ops: Iterable[Op]) -> Iterator[tuple[str, list[Op]]]:
    """Each attribute that holds a module, once, with its ops."""
    return called({op.path: op for op in ops if op.path}.values())


def every(stride: Stride) -> Maps:
    """What is left of lengths by every stride-th pixel, from the first on."""
    return Maps(*(Lengths(each - 1, each) for each in sides(stride)))


def tensors_of(ops: Chain) -> Iterator[tuple[str, Tensor]]:
    """Every tensor of the ops' modules, with its name in the state dict."""
    return ((f"{op.path}.{tensor.name}", tensor) for op in ops for tensor in op.tensors)


def biases(op: Op) -> Iterator[bool]:
    """For each 2-D convolution in the op's module, whether it has a bias."""
    names = {tensor.name for tensor in op.tensors}
    for tensor in op.tensors:
        if tensor.name.endswith("weight") and len(tensor.shape) == 4:
            yield f"{tensor.name.removesuffix('weight')}bias" in names


class Windowed(Op):
    """A window that slides over the map."""

    kernel: Stride
    stride: Stride = 1
    padding: int = 0
    dilation: int = 1
    ceil: bool = False

    def __post_init__(self) -> None:
        # torch drops a last window that starts in the padding, which is no Lengths map.
        # https://docs.pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html
        assert not self.ceil or all(
            stride + self.padding <= self._span(kernel)
            for kernel, stride in self._windows
        ), self

    @property
    def _windows(self) -> tuple[tuple[int, int], ...]:
        """Kernel and stride along the height, and along the width."""
        return tuple(zip(sides(self.kernel), sides(self.stride), strict=True))

    def _span(self, kernel: int) -> int:
        """The pixels from a window's first to its last."""
        return self.dilation * (kernel - 1) + 1

    @cached_property
    def lengths(self) -> Maps:
        return Maps(*(self._along(*window) for window in self._windows))

    def _along(self, kernel: int, stride: int) -> Lengths:
        """What becomes of the lengths of one side."""
        rounding = stride - 1 if self.ceil else 0
        return Lengths(
            2 * self.padding - self._span(kernel) + stride + rounding, stride
        )


class Conv(Windowed):
    """A convolution, most often without bias, as a norm follows it."""

    kernel: int
    out_channels: int
    groups: int = 1
    bias: bool = False

    @cached_property
    def output(self) -> Shape:
        return super().output._replace(channels=self.out_channels)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        read = self.input.channels // self.groups
        return convolution_tensors(
            int(self.out_channels), read, int(self.kernel), self.bias
        )

    @property
    def macs(self) -> int:
        return self.tensors[0].size * self.output.height * self.output.width

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


class Norm(Op):
    """A normalization with a weight and a bias; `zero` starts its weight at 0 rather than 1."""

    eps: float = 1e-5
    zero: bool = False

    @property
    def starts(self) -> Any:
        return self.zero

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        channels = (int(self.input.channels),)
        return (Tensor("weight", channels), Tensor("bias", channels))


class BatchNorm(Norm):
    """Batch normalization."""

    momentum: float = 0.1

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return batch_norm_tensors(int(self.input.channels))

    @property
    def module(self) -> str:
        return "BatchNorm2d"

    @property
    def args(self) -> tuple[Argument, ...]:
        return (
            Argument(self.input.channels),
            Argument(self.eps, "eps", 1e-5),
            Argument(self.momentum, "momentum", 0.1, "training"),
        )


class BatchNorm1d(BatchNorm):
    """Batch normalization of flat features."""

    @property
    def module(self) -> str:
        return "BatchNorm1d"

    @cached_property
    def meaning(self) -> tuple[Any, ...]:
        """That of the norm of maps, of one pixel."""
        return ("BatchNorm2d", *self.said("function"))


class GroupNorm(Norm):
    """Group normalization (https://arxiv.org/abs/1803.08494)."""

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


class InstanceNorm(Norm):
    """Each channel of each image by itself, with a weight and a bias where it is `affine`."""

    affine: bool

    @property
    def least(self) -> int:
        """torch refuses a single value."""
        return 2

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return super().tensors if self.affine else ()

    @property
    def module(self) -> str:
        return "InstanceNorm2d"

    @property
    def args(self) -> tuple[Argument, ...]:
        return (
            Argument(self.input.channels),
            Argument(self.eps, "eps", 1e-5),
            Argument(self.affine, "affine", False),
        )


class Activation(Op):
    """A function of each number: `function` is its name, `kind` its class in torch.nn."""

    function: str
    kind: str
    arguments: tuple[tuple[str, Any], ...] = ()

    @property
    def module(self) -> str:
        return self.kind

    @property
    def args(self) -> tuple[Argument, ...]:
        return tuple(
            Argument(
                value, name, changes="nothing" if name == "inplace" else "function"
            )
            for name, value in self.arguments
        )


class PReLU(Activation):
    """A slope for each channel's negative numbers, which learns (arXiv 1502.01852)."""

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return (Tensor("weight", (int(self.input.channels),)),)

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(self.input.channels), *super().args)


class Pool(Windowed):
    """One number for each window."""

    @cached_property
    def meaning(self) -> tuple[Any, ...]:
        """Nothing for windows of one pixel, side by side."""
        return super().meaning if (self.kernel, self.stride) != (1, 1) else ()

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


class Identity(Op):
    """Nothing but a name for what it reads."""

    @cached_property
    def meaning(self) -> tuple[Any, ...]:
        return ()

    @property
    def module(self) -> str:
        return "Identity"


class ZeroPad(Op):
    """`padding` rows and columns of zeros on each side."""

    padding: int

    @cached_property
    def lengths(self) -> Maps:
        return Maps.alike(Lengths(2 * self.padding))

    @property
    def module(self) -> str:
        return "ZeroPad2d"

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(self.padding),)


class WholeAvgPool(AvgPool):
    """The mean of each channel, for maps of just the size of the one window."""

    @cached_property
    def meaning(self) -> tuple[Any, ...]:
        return MEAN


class GlobalAvgPool(Op):
    """The mean of each channel."""

    @cached_property
    def meaning(self) -> tuple[Any, ...]:
        return MEAN

    @cached_property
    def lengths(self) -> Maps:
        return Maps.alike(Lengths(1, 0))

    @property
    def module(self) -> str:
        return "AdaptiveAvgPool2d"

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(1),)


class GlobalMaxPool(Op):
    """The largest value of each channel."""

    @cached_property
    def lengths(self) -> Maps:
        return Maps.alike(Lengths(1, 0))

    @property
    def module(self) -> str:
        return "AdaptiveMaxPool2d"

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(1),)


class Flatten(Op):
    """From (N, C, H, W) to (N, C * H * W); among others, as a module, else its path is empty.

    `Network.sides` leaves out the images that would give it a map of another size.
    """

    height: int = 1
    width: int = 1

    @property
    def takes(self) -> tuple[Sizes, Sizes]:
        return (Sizes(self.height, self.height), Sizes(self.width, self.width))

    @property
    def flattens(self) -> bool:
        return True

    @property
    def output(self) -> Shape:
        if self.height == self.width == 1:
            return self.input._replace(height=1, width=1)
        return Shape(self.input.channels * self.height * self.width, 1, 1)

    @cached_property
    def lengths(self) -> Maps:
        return Maps.alike(Lengths(1, 0))

    @property
    def module(self) -> str:
        return "Flatten" if self.path else ""

    @cached_property
    def meaning(self) -> tuple[Any, ...]:
        """Nothing for maps of one pixel."""
        size = (self.height, self.width)
        return ("Flatten", *size) if size != (1, 1) else ()


class Dropout(Op):
    """In training, zero for some numbers."""

    rate: float

    @cached_property
    def meaning(self) -> tuple[Any, ...]:
        return ()

    @property
    def module(self) -> str:
        return "Dropout"

    @property
    def args(self) -> tuple[Argument, ...]:
        return (Argument(self.rate, changes="training"),)


class Linear(Op):
    """A linear layer of flat features: the classifier, or one before it."""

    out_channels: int
    bias: bool = True

    @cached_property
    def output(self) -> Shape:
        return Shape(self.out_channels, 1, 1)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        out, read = int(self.out_channels), int(self.input.channels)
        weight = Tensor("weight", (out, read))
        return (weight, Tensor("bias", (out,))) if self.bias else (weight,)

    @cached_property
    def meaning(self) -> tuple[Any, ...]:
        """That of a 1x1 convolution, on features that are maps of one pixel."""
        read, out, *bias = self.said("function")
        return ("Conv2d", read, out, ("", 1), *bias)

    @property
    def macs(self) -> int:
        return self.input.channels * self.out_channels

    @property
    def module(self) -> str:
        return "Linear"

    @property
    def args(self) -> tuple[Argument, ...]:
        return (
            Argument(self.input.channels),
            Argument(self.out_channels),
            Argument(self.bias, "bias", True),
        )
