"""The specs that ship by the names and shapes of their tensors, and which of them are alike.

`python -m tests.which > resnet_spec/weights/inference/shipped.txt` writes the table by which a
file is known, `python -m tests.which --markdown > docs/which-resnet.md` the page of those that
no names and shapes tell apart.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from resnet_spec import load
from resnet_spec.compiler import Compiled
from resnet_spec.language.canonical import canonical
from resnet_spec.language.shipped import shipped, shipped_spec
from resnet_spec.network import Network
from resnet_spec.weights.inference.candidate import short, told
from resnet_spec.weights.inference.index import Row, filters, lines, ordered, traits

COLORS = 3
CLASSIFIER = "fc"
ASIDE = (
    *("name", "title", "paper", "input", "init.", "dropout", "drop_path"),
    *("head.classes", "head.classifier", "head.bias", "head.dropout", "norm.momentum"),
    *("se.ratio", "se.divisor", "se.least", "groups", "reduce_first", "norm.type"),
)
"""Fields that change nothing of what evaluation computes, or that shapes tell."""


def rows(keys: Sequence[str] = ()) -> list[Row]:
    """A row for each spec, or for those, in the order in which they ship.

    Of specs of one trunk all have to be asked for, since a row says how they differ.
    """
    libraries = defaultdict(set)
    with Path("tests/conformance.csv").open(encoding="utf-8", newline="") as file:
        for each in csv.DictReader(file):
            if _is_plain(each):
                libraries[shipped_spec(each["spec"])].add(each["library"])
    specs = {key: load(key) for key in keys or shipped()}
    found = [
        Row(
            key,
            compiled.network.name,
            compiled.network.title,
            traits({name: t.shape for name, t in compiled.network.tensors()}),
            (*map(int, compiled.network.image),),
            filters(tensor.shape for _, tensor in compiled.network.tensors()),
            _headless(key, compiled.network),
            (*sorted(libraries[shipped()[key]]),),
            {},
        )
        for key, compiled in specs.items()
    ]
    groups = defaultdict(list)
    for row in found:
        groups[row.traits.trunk].append(row)
    return [
        row._replace(says=_says(row, groups[row.traits.trunk], specs)) for row in found
    ]


def _headless(key: str, network: Network) -> str:
    """The digest of what it computes before its classifier, of images of three channels."""
    channels, *size = network.image
    if network.stem and channels != COLORS:
        network = load(key, {"input": [COLORS, *size]}).network
    head = tuple(op for op in network.head if op.path != CLASSIFIER)
    return network.replace(head=head).digests.function


def _is_plain(row: dict[str, str]) -> bool:
    """Whether the library itself calls the whole network so, and builds it by that name."""
    return not {".", "("} & {*row["model"]} and "quantized" not in row["model"]


def _says(row: Row, group: list[Row], specs: dict[str, Compiled]) -> dict[str, Any]:
    """The fields of a spec by which it differs from those of its group."""
    plain = {each.spec: dict(_flat(canonical(specs[each.spec].plan))) for each in group}
    if len({each.function for each in group}) == 1:
        return {}
    fields = dict.fromkeys(field for each in plain.values() for field in each)
    differ = [
        field
        for field in fields
        if any(
            each.get(field) != plain[other].get(field)
            for each in plain.values()
            for other in plain
        )
    ]
    mine = plain[row.spec]
    return {field: mine.get(field) for field in differ}


def _flat(data: dict[str, Any], top: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        path = f"{top}{key}"
        if path.startswith(ASIDE):
            continue
        if isinstance(value, dict) and path != "block":
            yield from _flat(value, f"{path}.")
        else:
            yield path, value


PAGE = Path(__file__).with_suffix(".md")


def page(known: list[Row]) -> str:
    """The page for people."""
    exact = _groups(known, lambda row: (row.traits._replace(counts=True), row.image[0]))
    trunks = _groups(known, lambda row: row.traits.trunk)
    every = _by(known, lambda row: (*row.traits, row.function, row.image[0]))
    same = [group for group in every if len(group) > 1]
    listed = [line for group in exact for line in _lines(group)]
    return PAGE.read_text(encoding="utf-8").format(
        shipped=len(known),
        groups=len(exact),
        members=sum(map(len, exact)),
        table="\n".join(listed),
        aliases=len(same),
        same="; ".join(" = ".join(f"`{short(r)}`" for r in group) for group in same),
        trunks=len(trunks),
        trunk_members=sum(map(len, trunks)),
    )


def _lines(group: list[Row]) -> Iterator[str]:
    """A group in a line each, with what tells one from the first."""
    firsts: dict[str, Row] = {}
    for row in ordered(group):
        firsts.setdefault(row.function, row)
    for i, row in enumerate(firsts.values()):
        same = [r for r in group if r.function == row.function and r is not row]
        names = " = ".join(f"`{short(each)}`" for each in (row, *same))
        tells = told(row, [*firsts.values()])
        yield f"{'    ' * (i > 0)}* {names}" + f", {tells}" * bool(tells)


def _groups(known: list[Row], key: Callable[[Row], Any]) -> list[list[Row]]:
    """Those of one key of which some compute something else."""
    return [
        group for group in _by(known, key) if len({row.function for row in group}) > 1
    ]


def _by(known: list[Row], key: Callable[[Row], Any]) -> list[list[Row]]:
    found = defaultdict(list)
    for row in known:
        found[key(row)].append(row)
    return [*found.values()]


if __name__ == "__main__":
    print(page(rows()) if "--markdown" in sys.argv else lines(rows()), end="")
