"""YAML text -> nodes: plain values that know their line and column.

Scalars follow the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema):
`no`, `on`, `1:30` and dates are strings. The parser's events are read directly, because
its own constructor follows YAML 1.1, drops the places, and lets a repeated key win in
silence. Anchors, aliases and tags are refused: `extends` does their work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import yaml

from resnet_spec.language.syntax import BEYOND_UNICODE, BREAK, no_yaml
from resnet_spec.problems import (
    FieldPath,
    Place,
    Problem,
    Proposal,
    SpecError,
    leave_out,
    write,
)
from resnet_spec.problems.words import shortened

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
UNLIKE = re.compile("[\t?!\ufeff]")  # what the two parsers take in different ways
DEEPEST = 8  # levels of nesting; a spec has three
MOST_VALUES = 4000  # values in a document; a spec of a hundred stages has some thousand
LONGEST = 40  # characters of a number
SURROGATE = re.compile("[\ud800-\udfff]")
CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)

GLUED = re.compile(r"([a-z_]+):([\w.+-]+)", re.ASCII)  # key:value, one word in YAML
COMMENT = re.compile(r":\s+(#[^\s\"\\][^\"\\]*)")  # what follows a key


class Node(NamedTuple):
    """A value and its place; a list or dict holds nodes again.

    `taken` has the places of nulls that took a key away which was inherited.
    """

    value: Any
    place: Place
    key: Place | None = None  # of the key that it stands under
    taken: tuple[tuple[str, Place], ...] = ()

    @property
    def data(self) -> Any:
        """The value as plain dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: node.data for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.data for node in self.value]
        return self.value

    def walk(self, path: FieldPath = ()) -> Iterator[tuple[FieldPath, Node]]:
        """This node and every node below it, with their paths."""
        yield path, self
        items: Any = ()
        if isinstance(self.value, dict):
            items = self.value.items()
        elif isinstance(self.value, list):
            items = enumerate(self.value)
        for key, node in items:
            yield from node.walk((*path, key))


@lru_cache(maxsize=32)  # specs of a family extend the same few
def compose(text: str, file: str) -> tuple[Node, tuple[Problem, ...]]:
    """The root node of the one document in `text`, and what is wrong in it.

    The parser in C reads what both parsers take alike; all else, and what it cannot read, the
    one in Python reads, so that a mistake is told alike where there is no other. Raises
    SpecError for what stops the reading: no YAML, a second document, a key that is not a
    word, and nesting or a number of values that no spec has.
    """
    if LOADER is not yaml.SafeLoader and not UNLIKE.search(text):
        try:
            return _Composer(text, file, LOADER).document()
        except yaml.YAMLError:
            pass
    try:
        return _Composer(text, file, yaml.SafeLoader).document()
    except SpecError:
        raise
    except (yaml.YAMLError, ValueError) as error:
        raise SpecError(no_yaml(error, text, file)) from None


def _of_characters(event: Any) -> Any:
    """The event. Raises yaml.MarkedYAMLError for an escape that the parser in C refuses."""
    if isinstance(event, yaml.ScalarEvent) and SURROGATE.search(event.value):
        mark: Any = event.start_mark
        raise yaml.MarkedYAMLError(None, None, BEYOND_UNICODE, mark)
    return event


class _Composer:
    """Builds the nodes of one document from the parser's events."""

    def __init__(self, text: str, file: str, loader: Any) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.values = 0
        self.text = text
        self.events = yaml.parse(text, Loader=loader)
        if loader is yaml.SafeLoader:
            self.events = map(_of_characters, self.events)

    @cached_property
    def lines(self) -> list[str]:
        return BREAK.split(self.text)

    def document(self) -> tuple[Node, tuple[Problem, ...]]:
        """The document's root, and what is wrong that does not stop the reading."""
        return self.root(), tuple(self.problems)

    def root(self) -> Node:
        next(self.events)  # the stream starts
        if isinstance(event := next(self.events), yaml.StreamEndEvent):
            return Node(None, Place(self.file, 1, 1))
        root = self.node(next(self.events), (), None)
        next(self.events)  # the document ends
        if not isinstance(event := next(self.events), yaml.StreamEndEvent):
            message = "a second document starts here, and a file holds one"
            raise self.stopped("one-document", message, event.start_mark)
        return root

    def node(self, event: Any, path: FieldPath, key: Place | None) -> Node:
        place = self.place(event)
        self.values += 1
        if self.values > MOST_VALUES:
            message = f"has more than {MOST_VALUES:,} values"
            raise self.stopped("size", message, event.start_mark)
        if len(path) > DEEPEST:
            message = f"is nested deeper than {DEEPEST} levels"
            raise self.stopped("nesting", message, event.start_mark)
        if event.anchor:
            mark = "*" if isinstance(event, yaml.AliasEvent) else "&"
            message = f"anchors and aliases are refused, got {mark}{event.anchor}"
            message += "; write the value out, or use extends"
            self.note("anchor", message, path, place)
        if isinstance(event, yaml.AliasEvent):
            return Node("", place, key)
        if event.tag not in (None, "!"):
            self.note("tag", f"tags are refused, got {event.tag}", path, place)
        if isinstance(event, yaml.ScalarEvent):
            quoted = not event.implicit[0]
            text = event.value
            if key and not (text or quoted):  # the parsers differ on where nothing is
                after = key.column + key.length
                colon = self.lines[key.line - 1].startswith(":", after - 1)
                place = key._replace(column=after + colon, length=1)
            value = text if quoted else self.scalar(text, path, place)
            return Node(value, place, key)
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(self.sequence(path), place, key)
        return Node(self.mapping(path), place, key)

    def sequence(self, path: FieldPath) -> list[Node]:
        nodes: list[Node] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            nodes.append(self.node(event, (*path, len(nodes)), None))
        return nodes

    def mapping(self, path: FieldPath) -> dict[str, Node]:
        nodes: dict[str, Node] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            place = self.place(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise self.stopped(
                    "plain-key", "a key must be a word", event.start_mark
                )
            key = event.value
            node = self.node(next(self.events), (*path, key), place)
            key, node = self.meant(key, node, path)
            if first := nodes.get(key):
                line = first.key.line if first.key else 0
                message = f"is given twice, first in line {line}; keep one"
                below = (*path, key)
                self.note("duplicate-key", message, below, place, leave_out(below))
            nodes.setdefault(key, node)
        return nodes

    def meant(self, key: str, node: Node, path: FieldPath) -> tuple[str, Node]:
        """A key and its value as they were meant, where the value is lost to a typo."""
        if node.value is not None or node.key is None:
            return key, node
        place = node.key
        if found := GLUED.fullmatch(key):
            name, value = found.groups()
            message = f"a space is missing after the colon; write {name}: {value}"
            spaced = Proposal(text=f"{name}: {value}", at=place)
            self.note("yaml", message, (*path, name), place, (spaced,))
            return name, node._replace(value=self.scalar(value, path, place))
        if key.isdecimal():
            self.note("yaml", "write a number without commas", (*path, key), place)
        line = self.lines[place.line - 1][place.column - 1 + len(key) :]
        if (found := COMMENT.fullmatch(line)) and line.isprintable():
            said = f'{key}: "{found[1]}"'
            message = f"has no value, as # begins a comment; write {shortened(said)}"
            below = (*path, key)
            self.note("null", message, below, place, write(below, found[1]))
        return key, node

    def scalar(self, text: str, path: FieldPath, place: Place) -> Any:
        """The value of text without quotes, by YAML 1.2's core schema."""
        if text in CONSTANTS:
            return CONSTANTS[text]
        if INTEGER.fullmatch(text) or FLOAT.fullmatch(text):
            if len(text) > LONGEST:
                message = f"a number of {len(text)} characters is refused"
                self.note("long-number", message, path, place)
                return 0
            if INTEGER.fullmatch(text):
                return int(text, 0 if text[:2] in ("0o", "0x") else 10)
            return float(re.sub(r"\.(?=inf|nan)", "", text, flags=re.IGNORECASE))
        return text

    def note(
        self,
        rule: str,
        message: str,
        path: FieldPath,
        place: Place,
        proposals: tuple[Proposal, ...] = (),
    ) -> None:
        self.problems.append(Problem(rule, message, path, place, proposals=proposals))

    def place(self, event: Any) -> Place:
        start, end = event.start_mark, event.end_mark
        length = end.column - start.column if start.line == end.line else 1
        return Place(self.file, start.line + 1, start.column + 1, max(1, length))

    def stopped(self, rule: str, message: str, mark: Any) -> SpecError:
        place = Place(self.file, mark.line + 1, mark.column + 1)
        return SpecError(Problem(rule, message, place=place))
