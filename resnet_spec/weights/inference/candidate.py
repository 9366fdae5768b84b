"""Which of the specs that ship a file's network is, as far as names and shapes tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from resnet_spec.problems.words import flow, nearest
from resnet_spec.weights.inference.index import (
    Row,
    Traits,
    alike,
    ordered,
    table,
    traits,
)
from resnet_spec.weights.inference.trunk import Trunk
from resnet_spec.weights.naming.rules import COUNT, Shapes

LIBRARIES = ("timm", "torchvision")


class OtherSpecError(ValueError):
    """An assumption that names and shapes refute, in a line."""


class Candidate(NamedTuple):
    """A spec that ships, the file's tensors by its names, and what is to be set in it."""

    row: Row
    trunk: Trunk
    fields: dict[str, Any]


class Choice(NamedTuple):
    """Those that compute something else each, the usual one first, and what was assumed.

    `same` compute what the first does, `others` something else, against what was assumed.
    `witnessed` are comments that say how each was tried.
    """

    candidates: tuple[Candidate, ...]
    assumed: str
    same: tuple[Row, ...] = ()
    others: tuple[Row, ...] = ()
    witnessed: tuple[str, ...] = ()

    @property
    def first(self) -> Candidate:
        return self.candidates[0]

    @property
    def rows(self) -> tuple[Row, ...]:
        return tuple(each.row for each in self.candidates)

    @property
    def is_sure(self) -> bool:
        return len(self.candidates) == 1


def candidates(trunk: Trunk) -> list[Candidate]:
    """What ships with such names and shapes, but for classes and channels."""
    known = traits(trunk.shapes)
    found = [Candidate(row, trunk, fields(row, known)) for row in alike(known)]
    return [each for each in found if _holds(each, known)]


def choice(found: Sequence[Candidate], assume: str) -> Choice:
    """What is left of them by an assumption.

    Raises OtherSpecError where it is assumed to be what it is not.
    """
    by_row = {each.row.spec: each for each in reversed(found)}
    rows = ordered({each.row.spec: each.row for each in found}.values())
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.function, []).append(row)
    firsts = [each[0] for each in groups.values()]
    chosen = _assumed(firsts, rows, assume) if assume else firsts
    functions = {row.function for row in chosen}
    same = groups[chosen[0].function] if len(chosen) == 1 else []
    return Choice(
        tuple(by_row[row.spec] for row in chosen),
        assume,
        tuple(row for row in same if row is not chosen[0]),
        tuple(row for row in firsts if row.function not in functions),
    )


def _assumed(firsts: list[Row], found: list[Row], assume: str) -> list[Row]:
    """What is left by the assumption, each that computes something else once."""
    if assume in LIBRARIES:
        left = {row.function: row for row in reversed(found) if assume in row.libraries}
        kept = [row for row in firsts if row.function in left]
        return [left[row.function] for row in kept] or firsts
    named = [row for row in found if assume in (row.spec, bare(row))]
    if len({row.function for row in named}) == 1:
        return named[:1]
    if assume not in {row.spec for row in table()} | {*map(bare, table())}:
        near = nearest(assume, [*LIBRARIES, *map(short, found)])
        raise OtherSpecError(f"--assume {assume} is no spec that ships{near}")
    raise OtherSpecError(
        f"it is not {assume}, by its names and shapes, but {listed(firsts)}"
    )


def fields(row: Row, known: Traits) -> dict[str, Any]:
    """What has to be said of a spec that ships so that it has such tensors."""
    found: dict[str, Any] = {}
    if known.classifier != row.traits.classifier:
        classes = known.classifier.partition("x")[0]
        found["head.classes"] = int(classes) if classes else "none"
    if known.reads != row.traits.reads and known.reads and row.traits.reads:
        channels, *size = row.image
        found["input"] = [known.reads * channels // row.traits.reads, *size]
    return found


def _holds(found: Candidate, known: Traits) -> bool:
    """Whether the spec has all names and shapes of the file, and no others.

    A digest of all of them is in the table, so that what is just a spec that ships needs no
    more; what differs from it in classes or channels is compiled, and compared name by name.
    """
    row, trunk = found.row, found.trunk
    uncounted = known._replace(counts=row.traits.counts)
    if row.traits == (known if trunk.counted and known.counts else uncounted):
        return True
    from resnet_spec.problems import SpecError
    from resnet_spec.weights.inference.changed import changed

    try:
        _, compiled = changed(row.spec, found.fields)
    except SpecError:
        return False
    theirs = {name: tensor.shape for name, tensor in compiled.network.tensors()}
    return not unlike(theirs, trunk.shapes)


def unlike(ours: Shapes, theirs: Shapes) -> str:
    """The first tensor that two networks do not both have in one shape; empty for none.

    Counts of batches are left aside where the file has none at all.
    """
    counted = any(name.endswith(COUNT) for name in theirs)
    names = [n for n in ours if counted or not n.endswith(COUNT)]
    for name in [*names, *(name for name in theirs if name not in ours)]:
        if ours.get(name) != theirs.get(name):
            said = [
                "x".join(map(str, shapes[name])) or "one number"
                if name in shapes
                else "absent"
                for shapes in (theirs, ours)
            ]
            return f"{name} is {said[0]} in the file, and {said[1]} in what was read off it"
    return ""


def short(row: Row) -> str:
    """What a spec is found by: its name, or with its folder if it is shared."""
    same = [each for each in table() if bare(each) == bare(row)]
    return bare(row) if len(same) == 1 else row.spec


def bare(row: Row) -> str:
    """Its name without folders."""
    return row.spec.rpartition("/")[2]


def told(row: Row, every: Sequence[Row]) -> str:
    """What tells a spec from the first of all, `stride_on: conv1`; the first, from any."""
    first = every[0]

    def tells(field: str, value: Any) -> bool:
        others = [each.says.get(field) for each in every]
        is_new = row is first or value != first.says.get(field)
        return (
            is_new and value is not None and any(o not in (value, None) for o in others)
        )

    differ = [field for field, value in row.says.items() if tells(field, value)]
    return ", ".join(f"{field}: {said(row.says[field])}" for field in differ)


def said(value: Any) -> str:
    """A value on a line; of a block of one's own its name."""
    if isinstance(value, dict) and "name" in value:
        return str(value["name"])
    return flow(value)


def listed(rows: Sequence[Row]) -> str:
    """
    `resnet50 (stride_on: conv2), resnet50_v1 (stride_on: conv1)`
    """
    return ", ".join(
        f"{short(row)} ({text})"
        if len(rows) > 1 and (text := told(row, rows))
        else short(row)
        for row in rows
    )
