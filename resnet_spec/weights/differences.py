"""What of a network is not in a file as it should be, in a line, and what to leave out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from resnet_spec.weights.naming.rules import (
    CLASSIFIER,
    COUNT,
    Calling,
    classifies,
)
from resnet_spec.weights.naming.tables import stem
from resnet_spec.weights.reading import SHOWN, Reading, listed, size

STATISTICS = ("running_mean", "running_var")
FEW = 2  # modules, each of which is named


class Wrong(NamedTuple):
    """What does not fit: ours that is missing, the file's shape of ours, and what is left of
    theirs, without the prefix."""

    missing: list[str]
    differing: dict[str, tuple[int, ...]]
    left: list[str]

    @property
    def names(self) -> list[str]:
        return [*self.missing, *self.differing, *self.left]

    def without(self, names: Iterable[str]) -> Wrong:
        gone = {*names}
        return Wrong(
            [name for name in self.missing if name not in gone],
            {our: shape for our, shape in self.differing.items() if our not in gone},
            [name for name in self.left if name not in gone],
        )


class Finding(NamedTuple):
    """A part of what is wrong: what to say of it, its tensors, what leaves them out, and what
    else would help."""

    text: str
    names: Sequence[str]
    ignore: Sequence[str] = ()
    remedy: str = ""


def difference(reading: Reading, calls: Calling) -> str:
    """`all fits but the classifier, 10 classes in the file, 1000 here: ignore=['fc']`

    Of a reading that does not fit; loading says it, and recognition.
    """
    wrong = Wrong(
        [*reading.missing],
        {our: shape for our, _, shape in reading.differing},
        [name.removeprefix(reading.prefix) for name in reading.left],
    )
    fitting = sum(not name.endswith(COUNT) for name in reading.table)
    if not (fitting or wrong.differing):
        such = f"no naming has such names, as {listed(wrong.left)}"
        return such if wrong.left else "there are no tensors"
    asked = fitting + len(wrong.missing) + len(wrong.differing)
    findings: list[Finding] = []
    for find in (
        _dimensions,
        _statistics,
        _depths,
        _classifier,
        _stem,
        _blocks,
        _others,
    ):
        for finding in find(wrong, calls):
            findings.append(finding)
            wrong = wrong.without(finding.names)
    if all(finding.ignore for finding in findings):
        ignore = [*dict.fromkeys(name for each in findings for name in each.ignore)]
        said = " and ".join(finding.text for finding in findings)
        help_ = [f"ignore={ignore!r}", *(each.remedy for each in findings)]
        return f"all fits but {said}: {', or '.join(filter(None, help_))}"
    said = "; ".join(finding.text for finding in findings[:SHOWN])
    more = f"; {len(findings) - SHOWN} more" if len(findings) > SHOWN else ""
    count = f"{fitting} of {asked} tensors fit"
    return f"{count} by {reading.whose}: {said}{more}"


def _dimensions(wrong: Wrong, calls: Calling) -> Iterator[Finding]:
    """Filters over a line, or over space and time."""
    sizes = {name: len(shape) - 2 for name, shape in wrong.differing.items()}
    filters = [n for n in sizes if len(calls.of.shapes[n]) == 4 and sizes[n] in (1, 3)]
    if len(filters) > FEW:
        kind = f"{sizes[filters[0]]}-D"
        yield Finding(f"convolutions are {kind} in the file", [*wrong.differing])


def _statistics(wrong: Wrong, _: Calling) -> Iterator[Finding]:
    """Statistics that norms of one side alone have."""
    for names, where in ((wrong.missing, "here"), (wrong.left, "in the file")):
        found = [name for name in names if name.endswith(STATISTICS)]
        if found and len(found) == len(names):
            yield Finding(f"statistics of norms, {where} alone", found, STATISTICS)


def _depths(wrong: Wrong, calls: Calling) -> Iterator[Finding]:
    """Stages that have other blocks in the file."""
    lost, more = _lost(wrong, calls), _more(wrong, calls)
    here = Counter(stage for stage, _ in calls.of.kind)
    there = {
        stage: here[stage] - len(lost[stage]) + len(more[stage])
        for stage in sorted({*here, *more})
    }
    apart = [stage for stage, depth in there.items() if depth != here[stage]]
    names = [
        n
        for blocks in (*lost.values(), *more.values())
        for b in blocks.values()
        for n in b
    ]
    tops = [_stage(calls, stage) for stage in apart if not here[stage]]
    text = f"depths {_depths_of(there)} in the file, {_depths_of(here)} here"
    if len(apart) == 1:
        (stage,) = apart
        text = (
            f"layer{stage + 1}, {_counted(there[stage], 'block')} in the file, "
            f"{here[stage]} here"
        )
    if apart:
        yield Finding(
            text, names, tops if all(tops) and len(tops) == len(apart) else ()
        )


def _depths_of(stages: Mapping[int, int]) -> str:
    """`3-4-6-3`"""
    return (
        "-".join(str(depth) for _, depth in sorted(stages.items()) if depth) or "none"
    )


def _lost(wrong: Wrong, calls: Calling) -> dict[int, dict[int, list[str]]]:
    """The blocks of which nothing is in the file, by stage, with the tensors of each."""
    found: dict[int, dict[int, list[str]]] = defaultdict(dict)
    missing = {*wrong.missing}
    tensors = defaultdict(list)
    for name, (at, _) in calls.of.places.items():
        if at and not name.endswith(COUNT):
            tensors[at].append(name)
    for (stage, block), names in tensors.items():
        if missing.issuperset(names):
            found[stage][block] = names
    return found


def _more(wrong: Wrong, calls: Calling) -> dict[int, dict[int, list[str]]]:
    """The blocks that only the file has, by stage, with the tensors of each."""
    found: dict[int, dict[int, list[str]]] = defaultdict(dict)
    for name in wrong.left:
        place = calls.library.place(name)
        if place and place[:2] not in calls.of.kind:
            found[place[0]].setdefault(place[1], []).append(name)
    return found


def _stage(calls: Calling, stage: int) -> str:
    """What the names of a stage lie in; empty where they lie in nothing."""
    return calls.library.block(stage, 0).rstrip(".").rpartition(".")[0]


def _classifier(wrong: Wrong, calls: Calling) -> Iterator[Finding]:
    """One of other classes, a transposed one, or none."""
    names = [name for name in wrong.names if classifies(name)]
    weight = f"{CLASSIFIER}.weight"
    if weight in wrong.differing:
        here, there = calls.of.shapes[weight], wrong.differing[weight]
        text = _shapes(weight, wrong, calls)
        if there[1:] == here[1:]:
            text = f"the classifier, {there[0]} classes in the file, {here[0]} here"
        elif len(here) == 2 and there == here[::-1]:
            text = "the classifier, transposed in the file, as Keras keeps it"
        yield Finding(text, names, [CLASSIFIER])
    elif weight in wrong.missing:
        yield Finding("the classifier, which is missing", names, [CLASSIFIER])


def _stem(wrong: Wrong, calls: Calling) -> Iterator[Finding]:
    """Another first convolution, or another chain before the first stage."""
    ours = _stem_of(calls)
    outside = [name for name in (*wrong.missing, *wrong.differing) if name in ours]
    block = calls.library.block_pattern
    theirs = [name for name in wrong.left if not block.match(name)]
    first = next((name for name in outside if name in wrong.differing), "")
    if outside == [first] and not theirs:
        text, remedy, owner = _shapes(first, wrong, calls), "", _owner(first)
        here, there = calls.of.shapes[first], wrong.differing[first]
        if here[2:] != there[2:]:
            sizes = f"{size(there[2:])} in the file, {size(here[2:])} here"
            text = f"the stem, {sizes}"
        elif here[:1] == there[:1] and len(here) == 4:
            text = f"{owner}, {_counted(there[1], 'input channel')} in the file, {here[1]} here"
            remedy = f"channels_by='sum' for {owner}"
        yield Finding(text, [first], [owner], remedy)
    elif outside and (theirs or len(_owners(outside)) > FEW):
        yield Finding(f"the stem has {_sides(theirs, outside)}", [*outside, *theirs])


def _stem_of(calls: Calling) -> set[str]:
    convolutions, norms = stem(calls.of.outside)
    tops = (*convolutions, *norms)
    return {name for name in calls.of.outside if name.startswith(tops)}


def _blocks(wrong: Wrong, calls: Calling) -> Iterator[Finding]:
    """What several blocks have on one side alone, told once."""
    places = calls.of.places
    ours = {n: places[n].path for n in wrong.missing if places[n].block}
    there = {name: calls.library.place(name) for name in wrong.left}
    theirs = {name: place[2] for name, place in there.items() if place}
    found = [*ours.values(), *theirs.values()]
    if found and len(found) >= 2 * len({*found}):
        owners = _owners(found)
        same = [n for n in wrong.differing if _owner(places[n].path) in owners]
        sides = _sides(theirs.values(), ours.values())
        yield Finding(f"blocks have {sides}", [*ours, *theirs, *same])


def _sides(theirs: Iterable[str], ours: Iterable[str]) -> str:
    """`conv1.0, conv1.1 in the file, conv1 here`"""
    there, here = listed(_owners(theirs)), listed(_owners(ours))
    if there and here:
        return f"{there} in the file, {here} here"
    return f"{there} in the file alone" if there else f"{here} here alone"


def _others(wrong: Wrong, calls: Calling) -> Iterator[Finding]:
    """What is left: by module where those are few, else how much there is of each kind."""
    modules = _owners(wrong.names)
    if len(modules) <= FEW:
        for module in modules:
            names = [name for name in wrong.names if _owner(name) == module]
            differing = next((name for name in names if name in wrong.differing), "")
            yield Finding(
                _shapes(differing, wrong, calls)
                if differing
                else _absent(names, wrong),
                names,
                [module],
            )
        return
    for kind, names in (("missing", wrong.missing), ("left over", wrong.left)):
        if names:
            yield Finding(f"{len(names)} {kind}, {listed(names)}", names)
    if wrong.differing:
        first = next(iter(wrong.differing))
        count = f"{len(wrong.differing)} of another shape"
        yield Finding(f"{count}, {_shapes(first, wrong, calls)}", [*wrong.differing])


def _absent(names: Sequence[str], wrong: Wrong) -> str:
    where = "missing" if names[0] in wrong.missing else "left over"
    return f"{listed(names)}, which {'is' if len(names) == 1 else 'are'} {where}"


def _shapes(name: str, wrong: Wrong, calls: Calling) -> str:
    here, there = size(calls.of.shapes[name]), size(wrong.differing[name])
    return f"{name} ({here} here, {there} in the file)"


def _counted(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}" + "s" * (number != 1)


def _owner(name: str) -> str:
    return name.rpartition(".")[0] or name


def _owners(names: Iterable[str]) -> list[str]:
    return [*dict.fromkeys(map(_owner, names))]
