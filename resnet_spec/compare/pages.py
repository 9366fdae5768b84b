"""A comparison of two specs as people, programs and pull requests read it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from resnet_spec.compare.difference import Difference, Part, PartChange
from resnet_spec.compare.fields import FieldChange
from resnet_spec.network import Network
from resnet_spec.problems.words import counted

NAMES = 6  # of tensors, folded, before the others are counted
LABELS = 30  # characters of a column; longer ones push what follows


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
    def verdict(self) -> str:
        """The sentence that comes first."""
        said = self.difference.verdict
        return f"{said[0].upper()}{said[1:]}."


def text(found: Comparison, width: int = 0) -> str:
    """For people, in lines of at most so many characters; 0 does not break them."""
    lines = [f"{found.a} -> {found.b}", "", found.verdict]
    for title, rows in _sections(found).items():
        longest = min(max(len(label) for label, _ in rows), LABELS)
        lines += ["", title]
        lines += [f"  {label:{longest}}  {said}".rstrip() for label, said in rows]
    broken = (piece for line in lines for piece in _broken(line, width))
    return "".join(f"{line}\n" for line in broken)


def markdown(found: Comparison) -> str:
    """For a pull request."""
    lines = [f"### {_code(found.a)} → {_code(found.b)}", "", f"**{found.verdict}**"]
    for title, rows in _sections(found).items():
        lines += ["", f"| {title} | |", "| --- | --- |"]
        lines += [f"| {_escaped(label)} | {_escaped(said)} |" for label, said in rows]
    return "".join(f"{line}\n" for line in lines)


def as_json(found: Comparison) -> str:
    """For programs: everything, every tensor by its name."""
    difference, weights = found.difference, found.difference.weights
    data = {
        "a": found.a,
        "b": found.b,
        "equal": found.equal,
        "verdict": difference.verdict,
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
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


FORMATS: dict[str, Callable[[Comparison], str]] = {
    "text": text,
    "json": as_json,
    "markdown": markdown,
}


def _object(part: Part | None) -> dict[str, Any] | None:
    return part and part._asdict() | {"output": [*map(int, part.output)]}


# --- what is said, in rows of a label and words -------------------------------------------


def _sections(found: Comparison) -> dict[str, list[tuple[str, str]]]:
    """The rows under each title; without those that are empty."""
    difference = found.difference
    sections = {
        "fields": [(c.field, " -> ".join(c.said)) for c in found.fields],
        "parts": [*_part_rows(difference)],
        "ops": [
            (_folded(change.places, difference), change.said)
            for change in difference.changes
        ],
        "weights": [] if found.equal else [*_weight_rows(difference)],
    }
    return {title: rows for title, rows in sections.items() if rows}


def _part_rows(difference: Difference) -> Iterator[tuple[str, str]]:
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


def _weight_rows(difference: Difference) -> Iterator[tuple[str, str]]:
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
    of = first if first == second else f"the first's {first}, of the second's {second}"
    yield "carry over", f"{carried} of {of}"
    shapes = {tensor.name: (tensor.a, tensor.b) for tensor in weights.changed}
    for label, names in (
        ("change shape", tuple(shapes)),
        ("new", weights.new),
        ("gone", weights.gone),
    ):
        if names:
            yield label, f"{len(names)}: {_listed(names, shapes, blocks)}"


def _stage(network: Network, name: str) -> Sequence[object]:
    return next((s.blocks for s in network.stages if s.name == name), ())


def _listed(
    names: Sequence[str],
    shapes: dict[str, tuple[tuple[int, ...], tuple[int, ...]]],
    blocks: dict[str, int],
) -> str:
    """`layer1.*.conv1.weight, fc.weight and 23 more`; of tensors that change, with shapes."""
    groups: dict[tuple[str, str, object], list[int]] = defaultdict(list)
    for name in names:
        stage, _, rest = name.partition(".")
        index, _, tensor = rest.partition(".")
        if stage in blocks and index.isdigit():
            groups[stage, tensor, shapes.get(name)].append(int(index))
        else:
            groups["", name, shapes.get(name)].append(0)
    said, shown = [], 0
    for (stage, tensor, shape), at in [*groups.items()][:NAMES]:
        where = f"{stage}.{_at(at, blocks[stage])}." if stage else ""
        sizes = " -> ".join(map(_size, shape)) if isinstance(shape, tuple) else ""
        said.append(f"{where}{tensor} {sizes}".rstrip())
        shown += len(at)
    more = f" and {len(names) - shown} more" * (len(names) > shown)
    return f"{', '.join(said)}{more}"


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "1"


def _at(indices: Sequence[int], blocks: int) -> str:
    """`*` for all blocks of a stage, else their numbers."""
    return "*" if blocks == len(indices) > 1 else _ranges(indices)


def _ranges(indices: Sequence[int]) -> str:
    """`0,2-5`"""
    runs = groupby(enumerate(sorted(indices)), lambda pair: pair[1] - pair[0])
    each = [[i for _, i in run] for _, run in runs]
    return ",".join(f"{r[0]}-{r[-1]}" if len(r) > 1 else f"{r[0]}" for r in each)


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
        stage if len(at) == compared.get(stage, 0) else f"{stage}.{_ranges(at)}"
        for stage, at in found.items()
    ]
    whole = {stage for stage, blocks in compared.items() if blocks}
    if len(whole) > 1 and whole == {*said}:
        return "every block"
    return ", ".join(said)


# --- how it is written --------------------------------------------------------------------


def _broken(line: str, width: int) -> list[str]:
    """The line in pieces that fit; those after the first are indented."""
    if not width or len(line) <= width:
        return [line]
    from textwrap import wrap

    indent = 4 * line.startswith(" ")
    return wrap(line, width, subsequent_indent=" " * indent, break_on_hyphens=False)


def _code(text: str) -> str:
    """As code, which renders nothing in it."""
    marks = "`" * (
        max((len([*g]) for c, g in groupby(text) if c == "`"), default=0) + 1
    )
    space = " " * ("`" in text)
    return f"{marks}{space}{text}{space}{marks}".replace("|", r"\|")


def _escaped(text: str) -> str:
    """As text, in a cell of a table."""
    kept = "".join(f"\\{c}" if c in r"\`*_[]<|#~" else c for c in text)
    return kept.replace(" -> ", " → ")
