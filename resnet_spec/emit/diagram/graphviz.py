"""A network in DOT, the language of Graphviz."""

from __future__ import annotations

from collections.abc import Iterator

from resnet_spec.emit.diagram.figure import figure
from resnet_spec.emit.diagram.nodes import groups
from resnet_spec.emit.diagram.style import PAINTS
from resnet_spec.network import Network

SHAPES = {"map": "plain", "op": "box", "join": "circle"}


def dot(network: Network) -> str:
    """The graph, for `dot -Tsvg` and its like. https://graphviz.org/doc/info/lang.html"""
    return "\n".join(_lines(network)) + "\n"


def _lines(network: Network) -> Iterator[str]:
    drawn = figure(network)
    line, fill = PAINTS["line"].light, PAINTS["main"].light
    yield f"digraph {_quoted(network.name)} {{"
    yield f"    tooltip={_quoted(drawn.description)}"
    yield '    graph [fontname="Helvetica" fontsize=14 pencolor="#c3ccd8" style=rounded]'
    yield '    node [fontname="Helvetica" fontsize=11 style="rounded,filled"'
    yield f'          fillcolor="{fill}" color="{PAINTS["main-edge"].light}"]'
    yield f'    edge [fontname="Helvetica" fontsize=10 color="{line}"]'
    for group in groups(drawn):
        yield f"    subgraph cluster_{group.key} {{"
        yield f"        label={_quoted(group.title)}"
        for node in group.nodes:
            shape = SHAPES[node.kind]
            more = {"map": " style=solid", "join": " style=filled margin=0 width=0.3"}
            label = _quoted(*node.lines)
            yield f"        {node.key} [label={label} shape={shape}{more.get(node.kind, '')}]"
        for start, end, words in group.edges:
            label = f" [label={_quoted(f' {words} ')}]" if words else ""
            yield f"        {start} -> {end}{label}"
        yield "    }"
    yield "}"


def _quoted(*lines: str) -> str:
    escaped = (line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'
