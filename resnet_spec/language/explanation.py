"""Source and Plan -> the canonical form as YAML, and the line that each value comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from resnet_spec.language.canonical import canonical
from resnet_spec.language.plan import Plan
from resnet_spec.language.source import Source
from resnet_spec.language.yaml_nodes import Node
from resnet_spec.problems import FieldPath
from resnet_spec.problems.words import as_yaml


def explain(source: Source, plan: Plan, plain: bool = False) -> str:
    """The whole spec on one page, with `extends` and defaults worked in.

    `plain` leaves out where values come from: what remains is a spec of the same network.
    """
    nodes = dict(source.root.walk())
    lines = list(_lines(canonical(plan), nodes, ()))
    if plain:
        return "".join(f"{text}\n" for text, _ in lines)
    longest = max(len(text) for text, _ in lines)
    padded = (f"{t:{longest}}  # {place}" if place else t for t, place in lines)
    return "".join(f"{text}\n" for text in padded)


def _lines(
    data: Mapping[str, Any], nodes: Mapping[FieldPath, Node], path: FieldPath
) -> Iterator[tuple[str, str]]:
    """(line of YAML, place of its value) of a mapping's entries."""
    indent = "  " * len(path)
    for key, value in data.items():
        below = (*path, key)
        if isinstance(value, dict):
            inner = {k: v for k, v in value.items() if v is not None}
            yield f"{indent}{key}:", ""
            yield from _lines(inner, nodes, below)
        else:
            place = str(nodes[below].place) if below in nodes else "default"
            yield f"{indent}{key}: {as_yaml(value)}", place
