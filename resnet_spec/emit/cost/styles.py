"""Network -> what torchsummary or torchinfo prints of its module, to the last character.

Both are of the module in evaluation. Rules are those of torchsummary 1.5.1 and torchinfo 1.8.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

from resnet_spec.expansion import Call, Total, expand, total
from resnet_spec.network import Network

MEBI = 2**20
SIMPLE, DOUBLE = "-" * 64, "=" * 64


# --- torchsummary -------------------------------------------------------------------------


def torchsummary(network: Network, batch: int = -1) -> str:
    """What `torchsummary.summary(model, image, batch)` prints, whose -1 counts as 1."""
    root = expand(network)
    calls = list(_finished(root))
    lines = [SIMPLE, _line("Layer (type)", "Output Shape", "Param #"), DOUBLE]
    params = trainable = gives = 0
    for number, call in enumerate(calls, 1):
        shown = {tensor.name: tensor for tensor in call.tensors}
        shown = {name: shown[name] for name in ("weight", "bias") if name in shown}
        count = sum(tensor.size for tensor in shown.values())
        params += count
        trainable += count if "weight" in shown and shown["weight"].learns else 0
        gives += call.gives
        shape = str([batch, *call.output])
        lines.append(_line(f"{call.module}-{number}", shape, f"{count:,}"))
    each = abs(batch)
    sizes = [4 * root.reads * each, 8 * gives * each, 4 * params]
    names = ("Input", "Forward/backward pass", "Params")
    lines += [
        DOUBLE,
        f"Total params: {params:,}",
        f"Trainable params: {trainable:,}",
        f"Non-trainable params: {params - trainable:,}",
        SIMPLE,
        *(f"{n} size (MB): {s / MEBI:.2f}" for n, s in zip(names, sizes, strict=True)),
        f"Estimated Total Size (MB): {sum(size / MEBI for size in sizes):.2f}",
        SIMPLE,
    ]
    return "\n".join(lines) + "\n"


def _line(layer: str, shape: str, params: str) -> str:
    return f"{layer:>20}  {shape:>25} {params:>15}"


def _finished(call: Call) -> Iterator[Call]:
    """The modules in the order in which they have finished; no Sequential is one."""
    for step in call.steps:
        if step.call.module:
            yield from _finished(step.call)
            if step.call.module != "Sequential":
                yield step.call


# --- torchinfo ----------------------------------------------------------------------------

COLUMN = 25
LEAST, STEP = 40, 5  # of the width of the first column
UNITS = ((1e12, "TERABYTES"), (1e9, "GIGABYTES"), (1e6, "MEGABYTES"))


class Row(NamedTuple):
    """A module that runs; or, without a call, a list of modules that only holds some."""

    depth: int
    kind: str
    call: Call | None
    members: tuple[Call, ...] = ()


def torchinfo(network: Network, batch: int = 1, depth: int = 3) -> str:
    """What `torchinfo.summary(model, (batch, C, H, W), depth=depth)` prints.

    As on Python 3.11 and later, where the unit of its multiply-adds reads `Units.GIGABYTES`.
    """
    root = expand(network)
    known: dict[int, Total] = {}
    rows = [Row(0, root.module, root), *_entered(root, 1)]
    titles = list(_titles(rows))
    longest = max(
        len(title) + STEP * row.depth + 1
        for title, row in zip(titles, rows, strict=True)
    )
    width = max(LEAST, ceil(longest / STEP) * STEP)
    rule = "=" * (width + 2 * COLUMN)
    lines = [
        rule,
        _cells(width, "Layer (type:depth-idx)", "Output Shape", "Param #"),
        rule,
    ]
    for title, row in zip(titles, rows, strict=True):
        if row.depth <= depth:
            shape = str([batch, *row.call.output]) if row.call else "--"
            count = _params(row, row.depth == depth, known)
            start = _start(row.depth)
            lines.append(
                _cells(width, f"{start}{title}", shape, f"{count:,}" if count else "--")
            )
    return (
        "\n".join([*lines, rule, *_totals(root, rows, batch, rule, known), rule]) + "\n"
    )


def _entered(call: Call, depth: int) -> Iterator[Row]:
    """The modules in the order in which they are entered, each list before its first."""
    held = ""
    for step in call.steps:
        if not step.call.module:
            continue
        name, _, member = step.name.partition(".")
        if member and name != held:
            same = (s.call for s in call.steps if s.name.startswith(f"{name}."))
            yield Row(depth, "ModuleList", None, tuple(same))
        held = name if member else ""
        below = depth + bool(member)
        yield Row(below, step.call.module, step.call)
        yield from _entered(step.call, below + 1)


def _titles(rows: list[Row]) -> Iterator[str]:
    """`Conv2d: 1-1`, numbered by depth; the network has no number."""
    counts: dict[int, int] = {}
    for row in rows:
        counts[row.depth] = counts.get(row.depth, 0) + 1
        yield f"{row.kind}: {row.depth}-{counts[row.depth]}" if row.depth else row.kind


def _start(depth: int) -> str:
    return "│    " * (depth - 1) + ("├─" if depth == 1 else "└─") if depth else ""


def _cells(width: int, *cells: str) -> str:
    first, *others = cells
    padded = [f"{first:<{width}}", *(f"{cell:<{COLUMN}}" for cell in others)]
    return " ".join(padded).rstrip()


def _params(row: Row, is_deepest: bool, known: dict[int, Total]) -> int:
    """A module's own parameters, and at the limit of the depth those of all below it."""
    if is_deepest:
        held = row.members if row.call is None else (row.call,)
        return sum(total(call, known).params for call in held)
    return row.call.params if row.call else 0


def _totals(
    root: Call, rows: list[Row], batch: int, rule: str, known: dict[int, Total]
) -> Iterator[str]:
    params = total(root, known).params
    leaves = [row.call for row in rows if row.call and row.call.is_leaf]
    macs = batch * sum(map(_mult_adds, leaves))
    sizes = {
        "Input": 4 * batch * root.reads + 64,
        "Forward/backward pass": 8 * batch * sum(c.gives for c in leaves if c.params),
        "Params": 4 * sum(call.params for call in leaves),
    }
    yield f"Total params: {params:,}"
    yield f"Trainable params: {params:,}"
    yield "Non-trainable params: 0"
    size, unit = next(((s, u) for s, u in UNITS if macs >= s), UNITS[-1])
    value = macs / size
    shown = f"{int(value):,d}" if value.is_integer() else f"{value:,.2f}"
    yield f"Total mult-adds (Units.{unit}): {shown}"
    yield rule
    yield from (f"{name} size (MB): {size / 1e6:0.2f}" for name, size in sizes.items())
    yield f"Estimated Total Size (MB): {sum(sizes.values()) / 1e6:0.2f}"


def _mult_adds(call: Call) -> int:
    """Weights and biases, at each place of the output where the class says Conv."""
    places = call.gives // call.output[0] if "Conv" in call.module else 1
    learned = (t for t in call.tensors if t.learns and t.name in ("weight", "bias"))
    return places * sum(tensor.size for tensor in learned)
