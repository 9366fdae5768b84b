"""Ops as source: the lines that construct their modules and the lines that call them."""

from __future__ import annotations

from collections.abc import Iterable

from resnet_spec.emit.source.layout import LINE, Call, indented, layout
from resnet_spec.emit.source.scope import Scope
from resnet_spec.network import Activation, Flatten, Layer, Norm, Op, called, held


def constructor(op: Op, scope: Scope) -> Call:
    """The call that makes the op's module; what torch does by default is not said.

    An argument that reads like its keyword is positional as long as nothing before it was
    left out: `nn.Conv2d(width, width, 3, stride, padding=1, bias=False)`.
    """
    texts: list[str] = []
    positional = True
    for value, keyword, default, _ in op.args:
        text = scope.text(value)
        if keyword and text == scope.text(default):
            positional = False
        elif not keyword or (positional and text == keyword):
            texts.append(text)
        else:
            positional = False
            texts.append(f"{keyword}={text}")
    name = op.module if isinstance(op, Layer) else f"nn.{op.module}"
    return Call(name, tuple(texts))


def definitions(ops: Iterable[Op], scope: Scope, column: int = 8) -> list[str]:
    """`self.conv1 = nn.Conv2d(...)`, one for each module.

    Numbered paths, `downsample.0`, are the members of one Sequential. Where an op stands on
    a condition, its module is the identity elsewhere.
    """
    lines = []
    for name, made in held(ops):
        when = made[0].when
        members = [(op.path, constructor(op, scope)) for op in made]
        if members[0][0] == name:
            call = members[0][1]
        else:
            assert [path for path, _ in members] == [
                f"{name}.{i}" for i in range(len(members))
            ]
            call = Call("nn.Sequential", tuple(c for _, c in members), exploded=True)
        if when is None:
            lines.append(layout(f"self.{name} = ", call, column=column))
        else:
            lines.append(f"self.{name}: nn.Module = nn.Identity()")
            lines.append(f"if {scope.condition(when)}:")
            text = layout(f"self.{name} = ", call, column=column + 4)
            lines.append(indented(text))
    return lines


def folds(ops: Iterable[Op], column: int = 4) -> str:
    """What the class says of norms that convolutions have taken in; empty for none."""
    taken = {fold: None for op in ops for fold in op.folds}
    norms = [(f.convolution, f.norm, f.eps) for f in taken if f.norm]
    filters = [(f.convolution, f.eps) for f in taken if not f.norm]
    lines = []
    if norms:
        lines += [
            "# Convolutions, the norms that they have taken in, and the eps of those."
        ]
        lines += [_rows("folds", norms, column)]
    if filters:
        lines += [
            "# Convolutions whose filters were standardized each time, and by what eps."
        ]
        lines += [_rows("standardized", filters, column)]
    return "\n".join(lines)


def _rows(name: str, rows: Iterable[tuple[object, ...]], column: int) -> str:
    """`name = (rows)`, a row in a line."""
    texts = [f"({', '.join(map(_literal, row))})" for row in rows]
    if len(texts) == 1:
        return f"{name} = ({texts[0]},)"
    return layout(f"{name} = ", Call("", tuple(texts), exploded=True), column=column)


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def calls(
    ops: Iterable[Op], x: str = "x", longest: int = LINE - 12
) -> list[tuple[str, Op]]:
    """The expressions that apply the ops to `x`, one for each line, with its last op.

    A norm, an activation and a flatten stay on the line of what they read, where that does
    not become longer.
    """
    lines: list[tuple[str, Op]] = []
    for name, members in called(ops):
        inner = x
        alone = members[0].path == name
        follows = alone and isinstance(members[0], (Norm, Activation, Flatten))
        if lines and follows and len(_applied(name, lines[-1][0])) <= longest:
            inner = lines.pop()[0]
        elif lines:
            inner = "x"
        lines.append((_applied(name, inner), members[-1]))
    return lines


def _applied(name: str, x: str) -> str:
    return f"self.{name}({x})" if name else f"{x}.flatten(1)"
