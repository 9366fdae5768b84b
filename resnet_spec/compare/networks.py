"""A comparison of two specs, as a page says it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from resnet_spec.compare.difference import Difference, Part, PartChange
from resnet_spec.compare.fields import FieldChange
from resnet_spec.compare.pages import Page, Row, ranges, tensor_rows
from resnet_spec.network import Network
from resnet_spec.problems.words import counted


class Comparison(NamedTuple):
    """Two specs by name, the fields that differ, and the difference of the networks."""

    a: str
    b: str
    fields: list[FieldChange]
    difference: Difference

    @property
    def equal(self) -> bool:
        return not self.fields and self.difference.equal

    @property
    def page(self) -> Page:
        sections, verdict = _sections(self), self.difference.verdict
        return Page(self.a, self.b, self.equal, verdict, sections, _data(self))


def _data(found: Comparison) -> dict[str, Any]:
    difference, weights = found.difference, found.difference.weights
    return {
        "digests": difference.digests,
        "fields": [change._asdict() for change in found.fields],
        "parts": [
            {"part": row.part, "a": _object(row.a), "b": _object(row.b)}
            for row in difference.parts
        ],
        "totals": {
            side: {"params": network.params, "macs": network.macs}
            for side, network in (("a", difference.a), ("b", difference.b))
        },
        "changes": [change._asdict() for change in difference.changes],
        "weights": weights._asdict()
        | {"changed": [tensor._asdict() for tensor in weights.changed]},
    }


def _object(part: Part | None) -> dict[str, Any] | None:
    return part and part._asdict() | {"output": [*map(int, part.output)]}


# --- what is said, in rows of a label and words -------------------------------------------


def _sections(found: Comparison) -> dict[str, list[Row]]:
    difference = found.difference
    return {
        "fields": [(c.field, " -> ".join(c.said)) for c in found.fields],
        "parts": [*_part_rows(difference)],
        "ops": [
            (_folded(change.places, difference), change.said)
            for change in difference.changes
        ],
        "weights": [] if found.equal else [*_weight_rows(found)],
    }


def _part_rows(difference: Difference) -> Iterator[Row]:
    yield from ((row.part, _part(row)) for row in difference.parts)
    a, b = difference.a, difference.b
    if (a.params, a.macs) != (b.params, b.macs):
        yield "total", "; ".join(_costs(a, b))


def _part(row: PartChange) -> str:
    if row.a is None or row.b is None:
        part = row.a or row.b
        assert part
        costs = f"{part.params:,} parameters, {counted(part.macs)}MACs"
        said = ", ".join(filter(None, (part.blocks, str(part.output), costs)))
        return f"{'new' if row.b else 'gone'}: {said}"
    pairs = (
        (row.a.blocks, row.b.blocks),
        (str(row.a.output), str(row.b.output)),
    )
    shown = (f"{old} -> {new}" for old, new in pairs if old != new)
    return "; ".join([*shown, *_costs(row.a, row.b)])


def _costs(a: Part | Network, b: Part | Network) -> Iterator[str]:
    if a.params != b.params:
        yield f"{a.params:,} -> {b.params:,} parameters"
    if a.macs != b.macs:
        old, new = counted(a.macs), counted(b.macs)
        if old == new:
            old, new = f"{a.macs:,} ", f"{b.macs:,} "
        yield f"{old}MACs -> {new}MACs"


def _weight_rows(found: Comparison) -> Iterator[Row]:
    a, b, difference = found.a, found.b, found.difference
    weights = difference.weights
    blocks = {
        stage.name: max(len(stage.blocks), len(_stage(other, stage.name)))
        for network, other in (
            (difference.a, difference.b),
            (difference.b, difference.a),
        )
        for stage in network.stages
    }
    carried = len(weights.carried)
    common = carried + len(weights.changed)
    first, second = common + len(weights.gone), common + len(weights.new)
    sizes = f"{first} in {a}, of {second} in {b}"
    yield "carry over", f"{carried} of {first if first == second else sizes}"
    shapes = {tensor.name: (tensor.a, tensor.b) for tensor in weights.changed}
    # A layer's tensor has as many dimensions whatever its sizes.
    reshaped = [name for name, (old, new) in shapes.items() if len(old) == len(new)]
    groups = {
        "change shape": reshaped,
        "of another layer": [name for name in shapes if name not in reshaped],
        "new": weights.new,
        "gone": weights.gone,
    }
    yield from tensor_rows(groups, shapes, blocks)


def _stage(network: Network, name: str) -> Sequence[object]:
    return next((s.blocks for s in network.stages if s.name == name), ())


def _folded(places: Sequence[str], difference: Difference) -> str:
    """`layer1, layer2.0`: a stage's name for all of the blocks that both have in it."""
    compared = {
        stage.name: min(len(stage.blocks), len(_stage(difference.b, stage.name)))
        for stage in difference.a.stages
    }
    found: dict[str, list[int]] = {}
    for place in places:
        stage, _, index = place.partition(".")
        found.setdefault(stage, [])
        found[stage] += [int(index)] if index else []
    said = [
        stage if len(at) == compared.get(stage, 0) else f"{stage}.{ranges(at)}"
        for stage, at in found.items()
    ]
    whole = {stage for stage, blocks in compared.items() if blocks}
    if len(whole) > 1 and whole == {*said}:
        return "every block"
    return ", ".join(said)
