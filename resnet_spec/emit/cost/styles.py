"""Network -> what torchsummary or torchinfo prints of its module, to the last character.

Both are of the module in evaluation. Rules are those of torchsummary 1.5.1 and torchinfo 1.8.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

from resnet_spec.emit.cost import costs
from resnet_spec.emit.cost.tally import has_row, mebibytes, shown, tallied
from resnet_spec.expansion import Call, Known, expand, total
from resnet_spec.network import Network

SIMPLE, DOUBLE = "-" * 64, "=" * 64


# --- torchsummary -------------------------------------------------------------------------


def torchsummary(network: Network, batch: int = -1) -> str:
    """What `torchsummary.summary(model, image, batch)` prints, whose -1 counts as 1."""
    lines = [SIMPLE, _line("Layer (type)", "Output Shape", "Param #"), DOUBLE]
    for number, call in enumerate(_finished(expand(network)), 1):
        shape = str([batch, *call.output])
        lines.append(_line(f"{call.module}-{number}", shape, f"{shown(call):,}"))
    sums = tallied(network)
    params, trainable = map(sums.of, ("torchsummary.params", "torchsummary.trainable"))
    sizes = mebibytes(network, abs(batch))
    names = ("Input", "Forward/backward pass", "Params")
    lines += [
        DOUBLE,
        f"Total params: {params:,}",
        f"Trainable params: {trainable:,}",
        f"Non-trainable params: {params - trainable:,}",
        SIMPLE,
        *(f"{n} size (MB): {s:.2f}" for n, s in zip(names, sizes, strict=True)),
        f"Estimated Total Size (MB): {sum(sizes):.2f}",
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
            if has_row(step.call):
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
    known: Known = {}
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
    return "\n".join([*lines, rule, *_totals(network, batch, rule), rule]) + "\n"


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


def _params(row: Row, is_deepest: bool, known: Known) -> int:
    """A module's own parameters, and at the limit of the depth those of all below it."""
    if is_deepest:
        held = row.members if row.call is None else (row.call,)
        return sum(total(call, known).params for call in held)
    return row.call.params if row.call else 0


def _totals(network: Network, batch: int, rule: str) -> Iterator[str]:
    found = costs(network, batch)
    params = found["torchinfo.params"]
    macs = found["torchinfo.mult_adds"]
    sizes = {
        "Input": found["torchinfo.input_bytes"],
        "Forward/backward pass": found["torchinfo.output_bytes"],
        "Params": found["torchinfo.param_bytes"],
    }
    yield f"Total params: {params:,}"
    yield f"Trainable params: {params:,}"
    yield "Non-trainable params: 0"
    size, unit = next(((s, u) for s, u in UNITS if macs >= s), UNITS[-1])
    value = macs / size
    count = f"{int(value):,d}" if value.is_integer() else f"{value:,.2f}"
    yield f"Total mult-adds (Units.{unit}): {count}"
    yield rule
    yield from (f"{name} size (MB): {size / 1e6:0.2f}" for name, size in sizes.items())
    yield f"Estimated Total Size (MB): {sum(sizes.values()) / 1e6:0.2f}"
