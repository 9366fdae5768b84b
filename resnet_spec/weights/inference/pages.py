"""What was inferred, as a page of YAML, with what names and shapes cannot tell."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from resnet_spec.problems import merge, nested
from resnet_spec.problems.words import flow
from resnet_spec.weights.inference.candidate import (
    LIBRARIES,
    Candidate,
    Choice,
    listed,
    short,
    told,
)
from resnet_spec.weights.inference.index import Row
from resnet_spec.weights.inference.trunk import Trunk
from resnet_spec.weights.reading import listed as shown

NEVER = "activations, strides, dilations, pools and eps"
WITHOUT = "Inferred"


def page(found: Choice) -> str:
    """A spec that extends one that ships, or a choice of those, each behind a `#`."""
    return "".join(f"{line}\n" for line in _lines(found))


def asked(found: Choice) -> str:
    """What to answer, in a line; empty where one spec is left."""
    if found.is_sure:
        return ""
    ways = [short(row) for row in found.rows]
    ways += [
        each
        for each in LIBRARIES
        if sum(each in row.libraries for row in found.rows) == 1
        and each != found.assumed
    ]
    return (
        f"names and shapes are those of {listed(found.rows)}: give --assume "
        f"{', '.join(ways[:-1])} or {ways[-1]}"
    )


def _lines(found: Choice) -> Iterator[str]:
    trunk = found.first.trunk
    yield f"# By {trunk}; the names and shapes of {len(trunk.shapes)} tensors."
    yield from left_out(trunk)
    first = found.rows[0]
    if found.is_sure:
        yield f"# They do not tell {NEVER}: those are {short(first)}'s."
        yield from found.witnessed
        if found.others:
            yield f"# Assumed: {found.assumed}. By names and shapes it may as well be"
            every = (first, *found.others)
            yield from _commented(found.others, every, "#   ")
        for row in found.same:
            yield f"# {short(row)} computes the same."
        yield f"extends: {short(first)}"
        yield f"name: {first.name}"
        yield f"title: {_text(first.title)}"
    else:
        yield "# They are those of several networks: take away one #, or give --assume NAME."
        yield from found.witnessed
        yield from _commented(found.rows, found.rows, "# extends: ")
        yield f"name: {WITHOUT}"
        yield "title: Inferred from a checkpoint"
    for key, value in _fields(found.first).items():
        yield f"{key}: {flow(value)}"


def left_out(trunk: Trunk) -> Iterator[str]:
    """A line of what is in the file beside the network, where anything is."""
    if trunk.beside:
        yield f"# Left out: {shown(trunk.beside)}."


def _commented(rows: Sequence[Row], every: Sequence[Row], begun: str) -> Iterator[str]:
    """A line for each spec, with what tells it from the first of all."""
    width = max(len(short(row)) for row in rows)
    for row in rows:
        tells = told(row, every)
        yield f"{begun}{short(row):{width}}  # {tells}" if tells else begun + short(row)


def _fields(found: Candidate) -> dict[str, Any]:
    """What is to be set, with the nulls that follow from it."""
    if not found.fields:
        return {}
    from resnet_spec.weights.inference.changed import changed

    fields, _ = changed(found.row.spec, found.fields)
    made: dict[str, Any] = {}
    for path, value in fields.items():
        merge(made, nested(path.split("."), value))
    return made


def _text(text: str) -> str:
    """Text as YAML takes it, in quotes where it needs them."""
    plain = text.replace(" ", "").replace("-", "").replace(".", "").isalnum()
    return text if plain and text[0].isalpha() else json.dumps(text, ensure_ascii=False)
