"""The specs that ship, by the names and shapes of their tensors, without a compiler.

`shipped.txt` has a line for each, which `python -m tests.which` writes; a test holds it to what
ships today. So a file that is one of them costs no more than the reading of its names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from resnet_spec.weights.naming.rules import COUNT, Shapes, classifies

TABLE = Path(__file__).with_name("shipped.txt")
OTHERS = ("field/", "tutorials/", "own/")
FIRSTS = ("conv1.weight", "conv1.0.weight")
"""What the convolution that reads the image is called, of which one network has one."""


class Traits(NamedTuple):
    """What the names and shapes of a network are but for what is changed every day.

    `trunk` is a digest of all but the classifier, counts of batches, and how many channels
    the first convolution reads, which are `reads`: None where there is no stem. `classifier`
    is its weight's shape and whether it has a bias, as `1000x2048+`; empty without one.
    """

    trunk: str
    reads: int | None
    classifier: str
    counts: bool


class Row(NamedTuple):
    """A spec that ships: its traits and image, and what tells it from its like.

    `filters` is a digest of the shapes of its wide filters, whatever they are called,
    `function` that of what it computes before its classifier, `libraries` those that have this
    network, `says` its fields that differ among specs of the same trunk.
    """

    spec: str
    name: str
    title: str
    traits: Traits
    image: tuple[int, int, int]
    filters: str
    function: str
    libraries: tuple[str, ...]
    says: Mapping[str, Any]

    @property
    def is_usual(self) -> bool:
        """Whether it is no other people's variant, and no example."""
        return not self.spec.startswith(OTHERS)


def traits(ours: Shapes) -> Traits:
    """Those of tensors by our names, in any order."""
    first = next((name for name in FIRSTS if name in ours), None)
    trunk = {
        name: shape
        for name, shape in ours.items()
        if not (classifies(name) or name.endswith(COUNT))
    }
    reads = None
    if first:
        out, reads, *kernel = trunk[first]
        trunk[first] = (out, 0, *kernel)
    text = repr(sorted((name, tuple(shape)) for name, shape in trunk.items()))
    weight = ours.get("fc.weight")
    classifier = "x".join(map(str, weight)) if weight else ""
    return Traits(
        hashlib.sha256(text.encode()).hexdigest()[:12],
        reads,
        classifier + "+" * ("fc.bias" in ours),
        any(name.endswith(COUNT) for name in ours),
    )


LEAST = 16  # channels that a filter reads, which are never those of an image


def filters(shapes: Iterable[tuple[int, ...]]) -> str:
    """A digest of the filters of more than a pixel that read `LEAST` channels or more.

    No naming changes it, and neither do other classes or channels of images.
    """
    wide = (s for s in shapes if len(s) == 4 and s[1] >= LEAST and s[2:] != (1, 1))
    return hashlib.sha256(repr(sorted(map(tuple, wide))).encode()).hexdigest()[:12]


@cache
def _by_filters() -> Mapping[str, Mapping[str, Row]]:
    found: dict[str, dict[str, Row]] = {}
    for row in ordered(table()):
        found.setdefault(row.filters, {}).setdefault(row.traits.trunk, row)
    return found


def of_filters(shapes: Iterable[tuple[int, ...]]) -> list[Row]:
    """The usual spec of each trunk that has such filters, the usual trunks first."""
    return [*_by_filters().get(filters(shapes), {}).values()]


def lines(rows: Iterable[Row]) -> str:
    """The table's text."""
    return "".join(f"{json.dumps([*row], ensure_ascii=False)}\n" for row in rows)


@cache
def table() -> tuple[Row, ...]:
    """All rows, in the order in which specs ship."""
    return tuple(map(_row, TABLE.read_text(encoding="utf-8").splitlines()))


def _row(line: str) -> Row:
    spec, name, title, known, image, *digests, libraries, says = json.loads(line)
    told, computed = digests
    known, image = Traits(*known), (*image,)
    return Row(spec, name, title, known, image, told, computed, (*libraries,), says)


@cache
def _by_trunk() -> Mapping[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in table():
        found.setdefault(row.traits.trunk, []).append(row)
    return found


def alike(known: Traits) -> list[Row]:
    """The specs that such tensors may be of, those that are just so alone where there are any.

    A spec without a classifier is none of a file's with one. Where counts of batches are
    absent, norms may be frozen, or older than counts.
    """
    found = [
        row
        for row in _by_trunk().get(known.trunk, ())
        if fits_head(row.traits.classifier, known.classifier)
        and (row.traits.counts or not known.counts)
    ]
    if not known.classifier:
        return found
    same = [row for row in found if row.traits == known]
    return same or found


def ordered(rows: Iterable[Row]) -> list[Row]:
    """Rows, the usual ones first, of those what libraries have."""
    return sorted(
        rows, key=lambda row: (not row.is_usual, not row.libraries, len(row.name))
    )


def fits_head(ours: str, theirs: str) -> bool:
    """Whether one classifier is the other for so many classes; none is as any without it.

    >>> fits_head("1000x512+", "10x512+"), fits_head("", "10x512"), fits_head("5x2", "")
    (True, False, True)
    """
    if not (ours and theirs):
        return not theirs
    return ours.partition("x")[2] == theirs.partition("x")[2]
