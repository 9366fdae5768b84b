"""Calls of modules and functions, and how those inside of one are written down."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

from resnet_spec.network import (
    Activation,
    Conv,
    GroupNorm,
    Linear,
    Op,
    Shape,
    Tensor,
    Windowed,
    ZeroPad,
    plain,
    sides,
)

Sizes = tuple[int, ...]
"""A tensor's shape for one image: (C, H, W), or (C,) where it is flat."""

FUNCTIONS = {
    "AdaptiveAvgPool2d": "adaptive_avg_pool2d",
    "AdaptiveMaxPool2d": "adaptive_max_pool2d",
    "AvgPool2d": "avg_pool2d",
    "BatchNorm1d": "batch_norm",
    "BatchNorm2d": "batch_norm",
    "Conv1d": "conv1d",
    "Conv2d": "conv2d",
    "Dropout": "dropout",
    "Dropout2d": "dropout",
    "Flatten": "flatten",
    "GroupNorm": "group_norm",
    "Identity": "identity",
    "InstanceNorm2d": "instance_norm",
    "LayerNorm": "layer_norm",
    "Linear": "linear",
    "MaxPool2d": "max_pool2d",
    "ReLU6": "hardtanh",
    "ZeroPad2d": "pad",
}
"""The function that a class of torch.nn runs; other activations are called as theirs."""


class Window(NamedTuple):
    """The pixels behind one of the output, along height and width.

    `before` are those added at the start of each side, zeros or mirrored.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    before: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)


class Call(NamedTuple):
    """A module, or a function that none of them stands for, on tensors of these shapes.

    A module of torch.nn runs one `function`; others run the `steps` inside.
    """

    output: Sizes
    input: Sizes  # of the first that it reads
    module: str = ""  # its class
    function: str = ""
    tensors: tuple[Tensor, ...] = ()  # of the module itself, not of those inside
    weight: Sizes = ()  # what a convolution or linear layer multiplies by
    bias: bool = False  # whether one is added, of a norm, a convolution or linear layer
    groups: int = 1  # of a convolution or a group norm
    kernel: int | Sizes | None = None  # as the module holds it
    window: Window | None = None  # None where each pixel is by itself, or all are one
    inplace: bool = False
    once: bool = False  # on weights, so once for all images, and in no image's shape
    in_training: bool = False  # in training alone
    steps: tuple[Step, ...] = ()
    lasts: tuple[
        int, ...
    ] = ()  # for each value inside, the last step at which it is held

    @property
    def reads(self) -> int:
        """How many numbers of an image it reads."""
        return prod(self.input)

    @property
    def gives(self) -> int:
        """How many numbers of an image it gives."""
        return prod(self.output)

    @property
    def params(self) -> int:
        """How many numbers the module itself learns."""
        return sum(tensor.size for tensor in self.tensors if tensor.learns)

    @property
    def macs(self) -> int:
        """Multiply-adds of a convolution or linear layer, for one image, without its bias."""
        return self.gives * prod(self.weight[1:]) if self.weight else 0

    @property
    def is_leaf(self) -> bool:
        """Whether it is a module that holds no other module."""
        return bool(self.module) and not any(step.call.module for step in self.steps)


class Step(NamedTuple):
    """A call within another one: the attribute that holds its module, and what it reads.

    Values are numbered in the order in which they are made; 0 is what the outer call reads,
    and the i-th step, from 0 on, makes i + 1. The last one is what the outer call gives.
    """

    name: str
    reads: tuple[int, ...]
    call: Call


class Counted(NamedTuple):
    """A step, and how often its call is among those of an outer call."""

    step: Step
    times: int


def counted(steps: tuple[Step, ...]) -> Iterator[Counted]:
    """Each distinct call once, in the order in which they first run."""
    found: dict[int, list[Step]] = {}
    for step in steps:
        found.setdefault(id(step.call), []).append(step)
    return (Counted(same[0], len(same)) for same in found.values())


class Frame:
    """The steps of one call, as they are written down."""

    def __init__(self, *inputs: Sizes) -> None:
        self.shapes: list[Sizes] = [*inputs]
        self.steps: list[Step] = []
        self._variables: dict[str, int] = {}
        self._lasts: dict[int, int] = {}

    def add(self, name: str, call: Call, *reads: int) -> int:
        """The number of the value that the call gives."""
        self.steps.append(Step(name, reads, call))
        self.shapes.append(call.output)
        return len(self.shapes) - 1

    def bind(self, name: str, value: int) -> int:
        """Give a value to a variable, which holds it until it is bound again, or to the end.

        Other values are held until their last use.
        """
        if name in self._variables:
            self._lasts[self._variables[name]] = len(self.steps) - 1
        self._variables[name] = value
        return value

    def call(self, module: str, **more: Any) -> Call:
        """The call with these steps."""
        lasts = {0: len(self.steps)}
        for i, step in enumerate(self.steps):
            lasts |= dict.fromkeys(step.reads, i)
        for value, last in self._lasts.items():
            lasts[value] = max(lasts.get(value, last), last)
        lasts |= dict.fromkeys((*self._variables.values(), 0), len(self.steps))
        return Call(
            self.shapes[-1],
            self.shapes[0],
            module,
            steps=(*self.steps,),
            lasts=tuple(lasts.get(i, i - 1) for i in range(len(self.shapes))),
            **more,
        )

    def function(
        self, name: str, *reads: int, output: Sizes | None = None, **more: Any
    ) -> int:
        """A function of these values; without `output` it keeps the first one's shape.

        More are fields of the call.
        """
        read = self.shapes[reads[0]]
        given = read if output is None else output
        return self.add("", Call(given, read, function=name, **more), *reads)

    def view(self, name: str, value: int, output: Sizes) -> int:
        """The same numbers, or some of them, in another shape."""
        return self.function(name, value, output=output)

    def module(
        self, name: str, kind: str, value: int, output: Sizes, **more: Any
    ) -> int:
        """A module of torch.nn that reads one value; more are fields of the call."""
        call = Call(output, self.shapes[value], kind, FUNCTIONS[kind], **more)
        return self.add(name, call, value)

    def conv(
        self,
        name: str,
        value: int,
        out: int,
        kernel: int = 1,
        *,
        groups: int = 1,
        bias: bool = False,
    ) -> int:
        """A convolution padded to keep the size, of a map (C, H, W)."""
        op = Conv(
            path=name,
            input=Shape(*self.shapes[value]),
            kernel=kernel,
            out_channels=out,
            padding=(kernel - 1) // 2,
            groups=groups,
            bias=bias,
        )
        return self.op(op, value)

    def linear(self, name: str, value: int, out: int) -> int:
        """A linear layer, with a bias, of the last dimension."""
        *others, read = self.shapes[value]
        tensors = (Tensor("weight", (out, read)), Tensor("bias", (out,)))
        shape = (*others, out)
        return self.module(
            name, "Linear", value, shape, tensors=tensors, weight=(out, read), bias=True
        )

    def op(self, op: Op, value: int) -> int:
        """The module of an op of torch.nn's."""
        return self.add(op.path, call_of(op, self.shapes[value]), value)

    def relu(self, name: str, value: int) -> int:
        """torch.nn's ReLU, in place."""
        shape = self.shapes[value]
        call = Call(shape, shape, "ReLU", "relu", inplace=True)
        return self.add(name, call, value)


def call_of(op: Op, read: Sizes) -> Call:
    """The call of an op that is one module of torch.nn's."""
    flat = len(read) == 1 or op.flattens
    output = (int(op.output.channels),) if flat else sizes(op.output)
    tensors = op.tensors
    weight: Sizes = ()
    kernel: int | Sizes | None = None
    window = None
    inplace = False
    function = FUNCTIONS.get(op.module, "")
    if isinstance(op, (Conv, Linear)):
        weight = tensors[0].shape
    if isinstance(op, Conv):
        kernel = weight[2:]
    elif isinstance(op, Windowed):
        kernel = plain(op.kernel)
    elif isinstance(op, Activation):
        function = function or op.function
        inplace = dict(op.arguments).get("inplace", False)
    groups = int(op.groups) if isinstance(op, (Conv, GroupNorm)) else 1
    if isinstance(op, Windowed):
        window = windowed(op)
    elif isinstance(op, ZeroPad):
        window = Window((1, 1), before=(op.padding, op.padding))
    return Call(
        output,
        read,
        op.module,
        function,
        tensors,
        weight,
        bias=any(tensor.name == "bias" for tensor in tensors),
        groups=groups,
        kernel=kernel,
        window=window,
        inplace=inplace,
    )


def windowed(op: Windowed) -> Window:
    """The window that slides over the map."""
    padding, dilation = int(op.padding), int(op.dilation)
    return Window(
        sides(op.kernel), sides(op.stride), (padding, padding), (dilation, dilation)
    )


def sizes(shape: Shape) -> Sizes:
    """(C, H, W), as plain numbers."""
    return (int(shape.channels), int(shape.height), int(shape.width))
