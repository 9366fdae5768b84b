"""A comparison of two files of weights, as a page says it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any

from resnet_spec.compare.checkpoints import Apart, Checkpoints, Side
from resnet_spec.compare.pages import Page, Row, tensor_rows
from resnet_spec.weights.naming.rules import COUNT


def page_of(found: Checkpoints) -> Page:
    verdict, sections, data = _verdict(found), _sections(found), _data(found)
    return Page(found.a.file, found.b.file, found.same, verdict, sections, data)


def _verdict(found: Checkpoints) -> str:
    a, b = found.a.reading, found.b.reading
    renamed = a and b and (a.whose != b.whose)
    under = ", under other names" if renamed else ""
    if found.same:
        of = " of the network" * any(side.left_out for side in (found.a, found.b))
        return f"every tensor{of} is equal, to the bit{under}"
    said = []
    if found.apart:
        said.append(f"{_of_both(found, found.apart, 'differ')}, {_most(found.apart)}")
    if found.retyped:
        rounded = sum(each.rounded for each in found.retyped)
        kinds = dict.fromkeys(f"{each.a} -> {each.b}" for each in found.retyped)
        same = "the same" if rounded == len(found.retyped) else f"{rounded} the same"
        of = _of_both(found, found.retyped, "have another dtype")
        said.append(f"{of}, {', '.join(kinds)}, {same} but for rounding")
    if found.reshaped:
        said.append(_of_both(found, found.reshaped, "have another shape"))
    if not said:
        said.append(f"what both have is equal, to the bit{under}")
    for names, file in ((found.gone, found.a.file), (found.new, found.b.file)):
        if names:
            counts = all(name.endswith(COUNT) for name in names)
            said.append(f"{len(names)}{' counts of batches' * counts} only in {file}")
    return "; ".join(said)


def _of_both(found: Checkpoints, names: Sequence[object], said: str) -> str:
    """`2 of 320 tensors differ`"""
    both = found.a.tensors.keys() & found.b.tensors.keys()
    said = ONE.get(said, said) if len(names) == 1 else said
    return f"{len(names)} of {len(both)} tensors {said}"


ONE = {
    "differ": "differs",
    "have another dtype": "has another dtype",
    "have another shape": "has another shape",
}


def _most(apart: Sequence[Apart]) -> str:
    """`by at most 0.0012, relatively 0.034 in layer1.0.conv1.weight`"""
    largest = max(each.largest for each in apart)
    most = max(apart, key=lambda each: each.relative)
    return f"by at most {largest:.2g}, relatively {most.relative:.2g} in {most.name}"


def _sections(found: Checkpoints) -> dict[str, list[Row]]:
    names = [(side.file, str(side)) for side in (found.a, found.b)]
    return {
        "names": names,
        "tensors": [] if found.same else [*_rows(found)],
        "differences": [*_by_part(found)],
    }


def _rows(found: Checkpoints) -> Iterator[Row]:
    both = found.a.tensors.keys() & found.b.tensors.keys()
    yield "equal", f"{len(found.equal)} of {len(both)}"
    shapes = {name: (a, b) for name, a, b in found.reshaped}
    groups = {
        "differ": [each.name for each in found.apart],
        "change dtype": [each.name for each in found.retyped],
        "change shape": [*shapes],
        "new": found.new,
        "gone": found.gone,
    }
    yield from tensor_rows(groups, shapes, found.stages)


def _by_part(found: Checkpoints) -> Iterator[Row]:
    """The largest difference of each stage, and of each module beside those."""
    common = found.a.tensors.keys() & found.b.tensors.keys()
    of = Counter(name.partition(".")[0] for name in common)
    by: dict[str, list[Apart]] = {}
    for each in found.apart:
        by.setdefault(each.name.partition(".")[0], []).append(each)
    for part, apart in by.items():
        yield part, f"{len(apart)} of {of[part]}, {_most(apart)}"


def _data(found: Checkpoints) -> dict[str, Any]:
    finite = [
        {
            k: v if k == "name" or isfinite(v) else None
            for k, v in each._asdict().items()
        }
        for each in found.apart
    ]
    return {
        "names": {which: _side(getattr(found, which)) for which in "ab"},
        "tensors": {
            "equal": found.equal,
            "differing": finite,
            "retyped": [each._asdict() for each in found.retyped],
            "changed": [each._asdict() for each in found.reshaped],
            "new": found.new,
            "gone": found.gone,
        },
    }


def _side(side: Side) -> dict[str, Any]:
    reading = side.reading
    return {
        "tensors": len(side.tensors),
        "naming": reading.naming if reading else None,
        "prefix": reading.prefix.rstrip(".") if reading else None,
        "key": ".".join(side.inside),
        "left_out": side.left_out,
    }
