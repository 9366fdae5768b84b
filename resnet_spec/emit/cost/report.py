"""What a network costs, as plain data and as lines for people."""

from __future__ import annotations

from typing import Any

from resnet_spec.emit.cost.memory import FLOAT, saved_bytes
from resnet_spec.emit.cost.peaks import evaluation_peak, training_peak
from resnet_spec.emit.cost.reconcile import faults, reconciled
from resnet_spec.emit.cost.roofline import Machine, roofline
from resnet_spec.emit.cost.tally import tallied
from resnet_spec.emit.cost.tools import TOOLS
from resnet_spec.network import Network, Tensor
from resnet_spec.problems.tables import aligned
from resnet_spec.problems.words import counted

WIDTHS = {"float32": 4, "float16": 2, "bfloat16": 2, "float64": 8, "int8": 1}
"""Bytes of a number of each type."""
NOT_SEEN = "Maps are in float32, by torch's rules on a CPU; no GPU was measured."


def facts(
    network: Network,
    batch: int = 1,
    dtype: str = "float32",
    machine: Machine | None = None,
) -> dict[str, Any]:
    """The costs of so many images, as plain data: counts, bytes, and a time in seconds.

    Buffers are numbers that do not learn; `frozen` are those of them that are weights and
    biases of frozen norms. Bytes of weights are of the given type, but for counts of batches,
    which are int64; those of maps of float32.
    """
    tensors = [tensor for _, tensor in network.tensors()]
    kept = [tensor for tensor in tensors if not tensor.learns]
    frozen = sum(t.size for t in kept if t.name.endswith(("weight", "bias")))
    sizes = ((tensor.size, _width(tensor, dtype)) for tensor in tensors)
    found: dict[str, Any] = {
        "images": [batch, *map(int, network.image)],
        "dtype": dtype,
        "params": network.params,
        "frozen": frozen,
        "buffers": sum(tensor.size for tensor in kept) - frozen,
        "weights_bytes": sum(size * width for size, width in sizes),
        "macs": batch * network.macs,
        "activations": tallied(network).of("fvcore.activations", batch),
        "evaluation_bytes": evaluation_peak(network, batch),
        "saved_bytes": saved_bytes(network, batch),
        "training_bytes": training_peak(network, batch),
    }
    work = roofline(network, machine or Machine(1.0, 1.0), batch, FLOAT)
    found |= {"moved_bytes": int(work.bytes), "intensity": round(work.intensity, 2)}
    if machine:
        found |= machine._asdict() | {"seconds": work.seconds}
    return found


def _width(tensor: Tensor, dtype: str) -> int:
    """Bytes of each of its numbers; a count of batches is an int64 in any type."""
    return 8 if tensor.name.endswith("num_batches_tracked") else WIDTHS[dtype]


def text(
    network: Network,
    batch: int = 1,
    dtype: str = "float32",
    machine: Machine | None = None,
) -> str:
    """The same for people."""
    lines = rows(facts(network, batch, dtype, machine))
    figures = aligned([line[:2] for line in lines])
    width = max(map(len, figures))
    printed = [
        f" {figure:<{width}}  {said}"
        for figure, (*_, said) in zip(figures, lines, strict=True)
    ]
    title = f"{network.title}, {batch} image{'s' * (batch != 1)} of {network.image}"
    return "\n".join([title, "", *printed, "", f" {NOT_SEEN}"]) + "\n"


def rows(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What a figure is of, the figure, and what that means, line by line of the `facts`.

    The name is indented where the line goes with the one above.
    """
    lines = [
        ("parameters", f"{found['params']:,}", "that learn"),
        ("  frozen", f"{found['frozen']:,}", "weights and biases of frozen norms"),
        ("  buffers", f"{found['buffers']:,}", "statistics of norms"),
        (
            "weights",
            _bytes(found["weights_bytes"]),
            f"all of these, in {found['dtype']}",
        ),
        ("MACs", counted(found["macs"]), "of convolutions and linear layers"),
        ("activations", counted(found["activations"]), "numbers that those give"),
        ("evaluation", _bytes(found["evaluation_bytes"]), "of maps at most at once"),
        ("training", _bytes(found["training_bytes"]), "of maps and gradients at once"),
        ("  kept", _bytes(found["saved_bytes"]), "of maps for the backward pass"),
        ("moved", _bytes(found["moved_bytes"]), "read and written, by each function"),
        ("intensity", f"{found['intensity']:.1f} ", "operations for each such byte"),
    ]
    if "seconds" in found:
        least = f"{1000 * found['seconds']:,.2f} ms"
        lines.append(("least time", least, _per(found)))
    return lines


def _per(found: dict[str, Any]) -> str:
    """`of the slower of both, at 20.00 TFLOP/s and 900.00 GB/s`"""
    flops, moved = (counted(int(found[rate])) for rate in Machine._fields)
    return f"of the slower of both, at {flops}FLOP/s and {moved}B/s"


def reconciliation(network: Network, batch: int = 1) -> str:
    """From plain multiply-adds to the figure of each tool, for people."""
    rows: list[tuple[str, str]] = []
    for name, tool in TOOLS.items():
        images = batch if tool.batch else 1
        terms = reconciled(network, name, images)
        total = sum(term.number for term in terms)
        rows.append((f"{total:,}", tool.said(batch)))
        rows += [(f"{term.number:,}", f"  {term.what}") for term in terms]
        rows += [("", f"  wrong: {fault}") for fault in faults(network, name)]
        rows.append(("", ""))
    width = max(len(number) for number, _ in rows)
    lines = [f" {number:>{width}}   {what}".rstrip() for number, what in rows]
    title = f"{network.title}, input {network.image}"
    return "\n".join([title, "", *lines[:-1]]) + "\n"


def _bytes(number: int) -> str:
    return f"{counted(number).strip()}{'B' if number >= 10**6 else ' B'}"
