"""Which naming a file's tensors have, below what, and what of a network is not among them.

Names and shapes of all tensors are compared: nothing follows from one name alone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from resnet_spec.problems import words
from resnet_spec.weights.differences import difference
from resnet_spec.weights.naming import NAMINGS, called, possessive
from resnet_spec.weights.naming.rules import (
    COUNT,
    Calling,
    Parts,
    Shaped,
    Shapes,
    classifies,
    parts,
)
from resnet_spec.weights.reading import Reading
from resnet_spec.weights.stored import WeightsError
from resnet_spec.weights.wrappers import WANTED

OURS = "torchvision"
ASIDE = (COUNT, "_momentum")  # beside frozen norms, and in Caffe2's files of a training


class Recognized(NamedTuple):
    """The readings by which a file has the network, best first.

    Where there is none, the nearest one and what it differs in, in a line.
    """

    readings: tuple[Reading, ...]
    nearest: Reading | None = None
    difference: str = ""

    @property
    def reading(self) -> Reading | None:
        """The one reading; None where there is none, or several."""
        return self.readings[0] if len(self.readings) == 1 else None

    def __str__(self) -> str:
        if self.reading:
            return str(self.reading)
        return _several(self.readings) if self.readings else self.difference


def recognized(
    theirs: Shapes,
    ours: Mapping[str, Shaped],
    naming: str | None = None,
    prefix: str | None = None,
) -> Recognized:
    """How the tensors of a file are read as those of a network, `dict(network.tensors())`.

    A naming or a prefix is what the reading must have; an empty prefix is none at all.
    Raises KeyError for a naming that is not in NAMINGS.
    """
    found = parts(ours)
    readings = []
    for each in _readings(_Names(theirs), found, [naming] if naming else NAMINGS):
        readings.append(each)
        if each.naming == OURS and each.is_all(theirs):
            break  # a file with our own names is ours, whatever else it might be
    if prefix is not None:
        top = f"{prefix.rstrip('.')}." if prefix else ""
        readings = [each for each in readings if each.prefix == top]
    readings = [*_fullest(readings)]
    if fitting := _best([each for each in readings if each.fits]):
        return Recognized((*fitting,))
    nearest = max(readings, key=lambda each: len(each.table), default=None)
    if naming and (other := recognized(theirs, ours, None, prefix).reading):
        said = f"{possessive(naming)} names do not fit; naming={other.naming!r} fits"
    elif nearest:
        said = difference(nearest, called(found, nearest.naming))
    else:
        said = difference(nothing(ours, theirs, naming), called(found, OURS))
    return Recognized((), nearest, said)


def nothing(
    ours: Iterable[str], theirs: Iterable[str], naming: str | None = None, top: str = ""
) -> Reading:
    """The reading of a file in which there is nothing of the network."""
    missing = (name for name in ours if not name.endswith(COUNT))
    return Reading(naming or OURS, top, {}, (*missing,), 0, (), (*theirs,), ())


def refuse_unknown_naming(naming: str | None) -> None:
    """Raises WeightsError for one that is not in NAMINGS."""
    if naming is not None and naming not in NAMINGS:
        known = f"{', '.join(NAMINGS)}, got {naming}{words.nearest(naming, NAMINGS)}"
        raise WeightsError(f"naming must be one of {known}")


def dotted(prefix: str | None, theirs: Iterable[str]) -> str | None:
    """A prefix with its dot, or none; raises WeightsError where no name begins with it."""
    top = f"{prefix.rstrip('.')}." if prefix else prefix
    if top and not any(name.startswith(top) for name in theirs):
        raise WeightsError(f"no name begins with {top}")
    return top


class _Names:
    """A file's names, to be searched by how they end."""

    def __init__(self, sizes: Shapes) -> None:
        self.sizes = sizes

    @cached_property
    def _by_one(self) -> Mapping[str, list[str]]:
        return self._by(1)

    @cached_property
    def _by_two(self) -> Mapping[str, list[str]]:
        return self._by(2)

    def _by(self, words: int) -> Mapping[str, list[str]]:
        found = defaultdict(list)
        for name in self.sizes:
            found[_last(name, words)].append(name)
        return found

    def before(self, name: str) -> Iterator[str]:
        """What stands in front of a name, wherever it is the end of one at a dot."""
        few = "." not in name
        known = self._by_one if few else self._by_two
        for each in known.get(_last(name, 1 if few else 2), ()):
            top = each.removesuffix(name)
            if each.endswith(name) and (not top or top.endswith(".")):
                yield top


def _last(name: str, words: int) -> str:
    return ".".join(name.rsplit(".", words)[-words:])


def _readings(names: _Names, found: Parts, namings: Iterable[str]) -> Iterator[Reading]:
    """All that have anything of the network, one of each that reads alike."""
    anchors = _anchors(found)
    seen: list[tuple[str, Mapping[str, str], str]] = []
    for naming in namings:
        calls = called(found, naming)
        tops = {top for our in anchors for top in names.before(calls.name(our))}
        bare = calls.theirs("") if tops else {}
        if len({*bare.values()}) < len(bare):
            continue
        for top in sorted(tops):
            if (top, bare, calls.trunk) not in seen:
                seen.append((top, bare, calls.trunk))
                yield _read(names.sizes, top, naming, calls, bare)


def _anchors(found: Parts) -> list[str]:
    """A few of our tensors, whose names are long: the first of each stage, or of a stem."""
    firsts: dict[int, str] = {}
    for name, (block, _) in found.places.items():
        if block:
            firsts.setdefault(block[0], name)
    return [*firsts.values()] or [*found.places][:1]


def _read(
    sizes: Shapes,
    top: str,
    naming: str,
    calls: Calling,
    bare: Mapping[str, str],
) -> Reading:
    """The file by one naming, with that in front of the trunk's names."""
    trunk = calls.trunk
    base = top.removesuffix(trunk) if trunk and top.endswith(trunk) else top
    heads = [{our: base + h for our, h in each.items()} for each in _heads(calls, bare)]
    head = next(
        (h for h in heads if any(name in sizes for name in h.values())), heads[0]
    )
    table, missing, differing, uncounted = {}, [], [], 0
    shapes = calls.of.shapes
    for our, name in bare.items():
        their = head.get(our) or top + name
        shape = sizes.get(their)
        if shape is None:
            if our.endswith(COUNT):
                uncounted += 1
            else:
                missing.append(our)
        elif shape == shapes[our]:
            table[our] = their
        else:
            differing.append((our, their, shape))
    taken = {*table.values(), *(their for _, their, _ in differing)}
    left, beside = _others(sizes, taken, top, base, calls)
    return Reading(
        naming, top, table, (*missing,), uncounted, (*differing,), left, beside
    )


def _heads(calls: Calling, bare: Mapping[str, str]) -> list[dict[str, str]]:
    """What the classifier's tensors may be called."""
    usual = {our: name for our, name in bare.items() if classifies(our)}
    several = calls.library.classifiers
    others = [
        {our: name.replace(several[0], other, 1) for our, name in usual.items()}
        for other in several[1:]
    ]
    return [usual, *others]


def _others(
    sizes: Shapes, taken: set[str], top: str, base: str, calls: Calling
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names that are not taken: of the trunk, and others."""
    if len(taken) == len(sizes):
        return (), ()
    trunk = _trunk(calls)
    heads = tuple(f"{base}{each}." for each in calls.library.classifiers)
    left, beside = [], []
    for name in sizes:
        if name not in taken:
            inside = name.startswith(top) and trunk.match(name, len(top))
            if not inside or name.startswith(heads):
                beside.append(name)
            elif not name.endswith(ASIDE):
                left.append(name)
    return (*left,), (*beside,)


def _trunk(calls: Calling) -> re.Pattern[str]:
    """What names of the trunk begin with: those of blocks, and of the stem's modules."""
    tops = {
        (theirs or ours).partition(".")[0]
        for ours, theirs in calls.outside.items()
        if not classifies(ours)
    }
    words = "|".join(map(re.escape, sorted(tops)))
    return re.compile(rf"{calls.library.block_pattern.pattern}|(?:{words})(?:\.|$)")


def _fullest(readings: Sequence[Reading]) -> Iterator[Reading]:
    """Of readings of one trunk, that which also has the classifier, even of another shape."""
    trunks: list[tuple[str, Mapping[str, str], list[Reading]]] = []
    for each in readings:
        for prefix, trunk, alike in trunks:
            if prefix == each.prefix and trunk == each.trunk:
                alike.append(each)
                break
        else:
            trunks.append((each.prefix, each.trunk, [each]))
    for _, _, alike in trunks:
        yield max(alike, key=lambda each: len(each.table) + len(each.differing))


def _best(readings: Sequence[Reading]) -> list[Reading]:
    """Those of which no other has more, the wanted ones first."""
    kept = [
        each
        for each in readings
        if not any(each.table.items() < other.table.items() for other in readings)
    ]
    return sorted(kept, key=lambda each: (not _wanted(each), each.prefix))


def _wanted(reading: Reading) -> bool:
    return bool(WANTED & {*reading.prefix.split(".")})


def _several(readings: Sequence[Reading]) -> str:
    """What to choose from, and which of it is mostly wanted."""
    if len({each.prefix for each in readings}) < len(readings):
        fits = " and ".join(each.naming for each in readings)
        return f"several namings fit, {fits}: give naming={readings[0].naming!r}"
    first, *others = (
        f"below {top}" if (top := each.prefix.rstrip(".")) else "below nothing"
        for each in readings
    )
    wanted = ", which is mostly wanted," * _wanted(readings[0])
    return (
        f"there are {len(readings)} such networks, {first}{wanted} and "
        f"{' and '.join(others)}: give prefix={readings[0].prefix!r}"
    )
