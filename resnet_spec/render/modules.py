"""Ops as source: the lines that construct their modules and the lines that call them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

from resnet_spec import ir
from resnet_spec.render.layout import Call, layout
from resnet_spec.render.scope import Scope

Argument = tuple[
    str, Any, Any
]  # keyword ("" is always positional), value, torch's default


def _conv(op: ir.Conv) -> tuple[str, list[Argument]]:
    return "nn.Conv2d", [
        ("", op.input.channels, None),
        ("", op.out_channels, None),
        ("", op.kernel, None),
        ("stride", op.stride, 1),
        ("padding", op.padding, 0),
        ("dilation", op.dilation, 1),
        ("groups", op.groups, 1),
        ("bias", False, True),
    ]


def _batch_norm(op: ir.BatchNorm) -> tuple[str, list[Argument]]:
    eps, momentum = ("eps", op.eps, 1e-5), ("momentum", op.momentum, 0.1)
    return "nn.BatchNorm2d", [("", op.input.channels, None), eps, momentum]


def _activation(op: ir.Activation) -> tuple[str, list[Argument]]:
    name = {"relu": "nn.ReLU", "silu": "nn.SiLU"}[op.function]
    return name, [("inplace", True, False)]


def _max_pool(op: ir.MaxPool) -> tuple[str, list[Argument]]:
    return "nn.MaxPool2d", _window(op)


def _avg_pool(op: ir.AvgPool) -> tuple[str, list[Argument]]:
    return "nn.AvgPool2d", _window(op)


def _window(op: ir.Windowed) -> list[Argument]:
    return [
        ("", op.kernel, None),
        ("stride", op.stride, op.kernel),
        ("padding", op.padding, 0),
        ("ceil_mode", op.ceil, False),
    ]


def _linear(op: ir.Linear) -> tuple[str, list[Argument]]:
    return "nn.Linear", [("", op.input.channels, None), ("", op.out_channels, None)]


def _layer(op: ir.Layer) -> tuple[str, list[Argument]]:
    return type(op).__name__, [("", arg, None) for arg in op.args]


CONSTRUCTORS: dict[type[ir.Op], Callable[[Any], tuple[str, list[Argument]]]] = {
    ir.Conv: _conv,
    ir.BatchNorm: _batch_norm,
    ir.Activation: _activation,
    ir.MaxPool: _max_pool,
    ir.AvgPool: _avg_pool,
    ir.GlobalAvgPool: lambda op: ("nn.AdaptiveAvgPool2d", [("", 1, None)]),
    ir.Dropout: lambda op: ("nn.Dropout", [("", op.rate, None)]),
    ir.Linear: _linear,
}


def constructor(op: ir.Op, scope: Scope) -> Call:
    """The call that makes the op's module; what torch does by default is not said.

    An argument that reads like its keyword is positional as long as nothing before it was
    left out: `nn.Conv2d(width, width, 3, stride, padding=1, bias=False)`.
    """
    name, arguments = CONSTRUCTORS.get(type(op), _layer)(op)
    texts: list[str] = []
    positional = True
    for keyword, value, default in arguments:
        text = scope.text(value)
        if keyword and text == scope.text(default):
            positional = False
        elif not keyword or (positional and text == keyword):
            texts.append(text)
        else:
            positional = False
            texts.append(f"{keyword}={text}")
    return Call(name, tuple(texts))


def definitions(ops: Iterable[ir.Op], scope: Scope, column: int = 8) -> list[str]:
    """`self.conv1 = nn.Conv2d(...)`, one for each module.

    Numbered paths, `downsample.0`, are the members of one Sequential.
    """
    made = [op for op in ops if op.path]
    lines = []
    for name, group in groupby(made, key=_attribute):
        members = [(op.path, constructor(op, scope)) for op in group]
        if members[0][0] == name:
            call = members[0][1]
        else:
            assert [path for path, _ in members] == [
                f"{name}.{i}" for i in range(len(members))
            ]
            call = Call("nn.Sequential", tuple(c for _, c in members), exploded=True)
        lines.append(layout(f"self.{name} = ", call, column=column))
    return lines


def calls(ops: Iterable[ir.Op], x: str = "x") -> list[tuple[str, ir.Op]]:
    """The expressions that apply the ops to `x`, one for each line, with its last op.

    A norm, an activation and a flatten stay on the line of what they read.
    """
    lines: list[tuple[str, ir.Op]] = []
    for name, group in groupby(ops, key=_attribute):
        members = list(group)
        inner = x
        if lines and isinstance(members[0], (ir.BatchNorm, ir.Activation, ir.Flatten)):
            inner = lines.pop()[0]
        elif lines:
            inner = "x"
        text = f"self.{name}({inner})" if name else f"{inner}.flatten(1)"
        lines.append((text, members[-1]))
    return lines


def _attribute(op: ir.Op) -> str:
    """The attribute of the module that holds the op's: `downsample` of `downsample.0`."""
    return op.path.split(".")[0]
