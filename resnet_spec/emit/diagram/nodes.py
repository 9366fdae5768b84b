"""A figure as nodes and edges, for languages that place them by themselves."""

from __future__ import annotations

from typing import NamedTuple

from resnet_spec.emit.diagram.figure import Figure, shown
from resnet_spec.emit.diagram.parts import (
    Bands,
    Form,
    Frame,
    Part,
    Series,
    Step,
    Weighed,
    stacks,
)


class Node(NamedTuple):
    """Lines of words in a shape: of a map, of an op, or of where lines meet."""

    key: str
    lines: tuple[str, ...]
    kind: str  # map, op, join


class Edge(NamedTuple):
    """From one node to another, with words on it or none."""

    start: str
    end: str
    words: str = ""


class Group(NamedTuple):
    """Nodes and edges that are drawn together; no edge leaves it."""

    key: str
    title: str
    nodes: list[Node]
    edges: list[Edge]

    def node(self, kind: str, *lines: str) -> str:
        """The key of a new node."""
        key = f"{self.key}_{len(self.nodes)}"
        self.nodes.append(Node(key, lines, kind))
        return key

    def edge(self, start: str, end: str, words: str = "") -> str:
        self.edges.append(Edge(start, end, words))
        return end


def groups(figure: Figure) -> list[Group]:
    """The network as a whole, and each of its forms."""
    forms = [_form(f"form{i}", form) for i, form in enumerate(figure.forms)]
    return [_network(figure), *forms]


def _network(figure: Figure) -> Group:
    group = Group("network", f"{figure.title}: {figure.facts}", [], [])
    at, words = group.node("map", "image"), shown(figure.image)
    for part in figure.parts:
        at = group.edge(at, group.node("op", part.name, *part.lines), words)
        words = shown(part.output, part.flat)
        if part.given:
            group.edge(at, group.node("map", "features"), words)
    if not figure.parts[-1].given:
        group.edge(at, group.node("map", words))
    return group


def _form(key: str, form: Form) -> Group:
    title = f"{form.title}: {form.note}" if form.note else form.title
    group = Group(key, title, [], [])
    fork = _series(group, form.before, group.node("map", shown(form.input)))
    end = _series(group, form.body, fork)
    if form.added is not None:
        join = group.edge(end, group.node("join", "+"))
        added = _series(group, form.added, fork)
        group.edge(added, join, "" if form.added else "identity")
        end = join
    end = _series(group, form.after, end)
    group.edge(end, group.node("map", shown(form.output, form.flat)))
    return group


def _series(group: Group, series: Series, at: str) -> str:
    """The key of the last node of a series that reads what that node gives."""
    for stack in stacks(series):
        if isinstance(stack, (Weighed, Bands, Frame)):
            at = _graph(group, stack, at)
        else:
            at = group.edge(at, group.node("op", *map(str, stack)))
    return at


def _graph(group: Group, part: Part, at: str) -> str:
    match part:
        case Frame():
            at = group.edge(at, group.node("op", part.title))
            return _series(group, part.parts, at)
        case Weighed() if len(part.paths) == 1:
            join = group.edge(at, group.node("join", part.joins))
            group.edge(_side(group, part.side, at), join)
            return join
        case Weighed():
            return _several(group, part, at)
        case Bands():
            return _bands(group, part, at)
    raise TypeError(part)


def _side(group: Group, side: tuple[Step, ...], at: str) -> str:
    return group.edge(at, group.node("op", *map(str, side)))


def _several(group: Group, part: Weighed, at: str) -> str:
    count = len(part.paths)
    names = [f"part {i + 1} of {count}" if part.parts else "" for i in range(count)]
    total, ends = group.node("join", "+"), []
    for path, name in zip(part.paths, names, strict=True):
        end = group.node("op", *map(str, path)) if path else group.node("map", name)
        group.edge(at, end, name if path else "")
        group.edge(end, total)
        ends.append(end)
    shares, joins = _side(group, part.side, total), []
    for end in ends:
        join = group.edge(end, group.node("join", "×"))
        group.edge(shares, join)
        joins.append(join)
    together = group.node("join", "+")
    for join in joins:
        group.edge(join, together)
    return together


def _bands(group: Group, part: Bands, at: str) -> str:
    together, before = group.node("map", "bands together"), ""
    for i in range(part.scale):
        steps = part.steps if i < part.scale - 1 else part.last
        words, start = f"band {i + 1} of {part.scale}", at
        if before and steps and not part.apart:
            start = group.edge(at, group.node("join", "+"), words)
            group.edge(before, start)
            words = ""
        if steps:
            before = group.edge(start, group.node("op", *map(str, steps)), words)
            words = ""
        group.edge(before if steps else at, together, words)
    return together
