"""A network as a Mermaid flowchart, which GitHub and GitLab draw in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from resnet_spec.emit.diagram.figure import figure
from resnet_spec.emit.diagram.nodes import Node, groups
from resnet_spec.network import Network

SHAPES = {"map": ('(["', '"])'), "op": ('["', '"]'), "join": ('(("', '"))')}


def mermaid(network: Network) -> str:
    """The flowchart, without the fence that Markdown has around it.

    https://mermaid.js.org/syntax/flowchart.html
    """
    return "\n".join(_lines(network)) + "\n"


def _lines(network: Network) -> Iterator[str]:
    drawn = figure(network)
    yield "flowchart LR"
    yield f"    accTitle: {_plain(drawn.title)}"
    yield f"    accDescr: {_plain(drawn.description)}"
    found = groups(drawn)
    for group in found:
        yield f'    subgraph {group.key} ["{_escaped(group.title)}"]'
        yield "        direction TB"
        yield from (f"        {_node(node)}" for node in group.nodes)
        for start, end, words in group.edges:
            label = f'|"{_escaped(words)}"|' if words else ""
            yield f"        {start} -->{label} {end}"
        yield "    end"
    yield f"    {' ~~~ '.join(group.key for group in found)}"  # side by side, in order


def _node(node: Node) -> str:
    opened, closed = SHAPES[node.kind]
    return f"{node.key}{opened}{'<br>'.join(map(_escaped, node.lines))}{closed}"


def _escaped(words: str) -> str:
    """Letters, digits and a few signs as they are, anything else by its number."""
    return re.sub(r"[^\w ,.:()×-]", lambda found: f"#{ord(found[0])};", words)


def _plain(words: str) -> str:
    """On a line of its own, where no sign but these ends it."""
    return re.sub(r"[;#{}\n]", ",", words)
