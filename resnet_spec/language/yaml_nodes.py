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
from yaml.reader import ReaderError

from resnet_spec.problems import FieldPath, Place, Problem, SpecError
from resnet_spec.problems.words import shortened

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
UNLIKE = re.compile("[\t?!\ufeff]")  # what the two parsers take in different ways
DEEPEST = 8  # levels of nesting; a spec has three
MOST_VALUES = 4000  # values in a document; a spec of a hundred stages has some thousand
LONGEST = 40  # characters of a number
BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # where the parser counts a new line
PLAIN_WORDS = {
    "could not find expected ':'": (
        "a key without a colon and a space after it",
        True,
    ),
    "mapping values are not allowed": (
        "a colon where no key can stand; is the line before whole?",
        False,
    ),
    "mapping keys are not allowed": ("a ? where no key can stand", False),
    "sequence entries are not allowed": (
        "an item of a list starts on a line of its own",
        False,
    ),
    "found unexpected end of stream": ("a quote that is not closed", True),
    "found unexpected document separator": ("a quote that is not closed", True),
    "found unknown escape character": (
        "a backslash that says nothing; in single quotes it is itself",
        False,
    ),
    "expected escape sequence": ("a backslash without the digits it needs", False),
    "expected ',' or ']'": ("a [ that is not closed by ]", True),
    "expected ',' or '}'": ("a { that is not closed by }", True),
    "expected the node content": ("a value or a closing bracket is missing", False),
    "expected <block end>": ("a line that is indented unlike its neighbours", False),
    "expected '<document start>'": ("a line that no key or value leads to", False),
    "expected chomping": ("text after > or | starts on the next line", False),
    "expected a comment or a line break": (
        "text after > or | starts on the next line",
        False,
    ),
    "expected indentation indicator": ("> and | take an indentation from 1 on", False),
}
"""The parser's words, ours, and whether the mistake is where the parser began to wait."""
BEYOND_UNICODE = "an escape that is no character"
SURROGATE = re.compile("[\ud800-\udfff]")
LARGE_ESCAPE = re.compile(r"\\U(?!000|0010)")
CLOSING = re.compile(r"expected <block end>, but found '([\]},:])'")

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
WORD = re.compile(r"\w+", re.ASCII)
WITHOUT_COMMA = re.compile(r"[\w.\]}\"'] +(\w+)(?=:?$)", re.ASCII)
DASHED = re.compile(r"- +(\w+:)(?=\s|$)", re.ASCII)
KEYED = re.compile(r"\s*\w+:\s+[^\s#]", re.ASCII)
TEXT_WITH_COLON = re.compile(r"\s*(\w+):\s+([^\s\[{\"'][^\"\\]*?:.*?)(\s+#.*|\s*)")


class Node(NamedTuple):
    """A value and its place; a list or dict holds nodes again."""

    value: Any
    place: Place
    key: Place | None = None  # of the key that it stands under

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

    The parser in C reads, and what it cannot read, the one in Python reads again, so that a
    mistake is told alike where there is no other. Raises SpecError for what stops the
    reading: no YAML, a second document, a key that is not a word, and nesting that no spec
    has.
    """
    if not UNLIKE.search(text):
        try:
            return _Composer(text, file, LOADER).document()
        except yaml.YAMLError:
            pass
    composer = _Composer(text, file, yaml.SafeLoader)
    try:
        return composer.document()
    except SpecError:
        raise
    except (yaml.YAMLError, ValueError) as error:
        raise composer.unreadable(error) from None


def _misplaced(problem: str, mark: Any, lines: list[str]) -> str:
    """What a parser that stumbled there likely should have met, by that line and the last."""
    line, before = lines[mark.line], lines[mark.line - 1] if mark.line else ""
    if problem.startswith("expected ','"):
        word = WORD.match(line, mark.column)
        found = WITHOUT_COMMA.search(line, 0, word.end() if word else mark.column)
        return f"a comma is missing before {found[1]}" if found else ""
    dashed = DASHED.match(line)
    if dashed and problem.startswith("expected <block end>"):
        return f"a key has no dash before it; write {dashed[1]}"
    if closing := CLOSING.fullmatch(problem):
        return f"a {closing[1]} that nothing before it asks for"
    deeper = _indentation(line) > _indentation(before)
    if problem.startswith("mapping values") and deeper and KEYED.match(before):
        return "a line that is indented more than the one before"
    return ""


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


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
        self.events = map(_of_characters, yaml.parse(text, Loader=loader))

    @cached_property
    def lines(self) -> list[str]:
        return BREAK.split(self.text)

    def document(self) -> tuple[Node, tuple[Problem, ...]]:
        """The document's root, and what is wrong that does not stop the reading."""
        return self.root(), tuple(self.problems)

    def unreadable(self, error: Exception) -> SpecError:
        """What the parser in Python says of a text that is no YAML, in our words."""
        if isinstance(error, ReaderError):
            before = BREAK.split(self.text[: error.position])
            message = (
                f"is not YAML, a character that no text has, U+{error.character:04X}"
            )
            place = Place(self.file, len(before), len(before[-1]) + 1)
            return SpecError(Problem("yaml", message, place=place))
        assert isinstance(error, yaml.MarkedYAMLError)
        message, mark = self.plainly(error)
        return self.stopped("yaml", f"is not YAML, {message}", mark)

    def plainly(self, error: yaml.MarkedYAMLError) -> tuple[str, Any]:
        """What the parser stumbled over and where that began, without its jargon."""
        problem, mark = error.problem or "", error.problem_mark
        context = error.context or ""
        assert mark is not None  # the parser's errors have one
        lines = [*self.lines, ""]  # the parser ends the last one too
        found = TEXT_WITH_COLON.fullmatch(lines[mark.line])
        if found and problem.startswith("mapping values") and found[0].isprintable():
            said = shortened(f'{found[1]}: "{found[2]}"')
            return f"text with a colon goes in quotes; write {said}", mark
        listed = context.endswith("block collection")
        at = (error.context_mark if listed else mark) or mark
        if said := _misplaced(problem, at, lines):
            return said, at
        if listed:
            return "a line of a list that does not start with -", mark
        if context.endswith(("an anchor", "an alias", "a tag", "a directive")):
            problem, mark = "found character", error.context_mark or mark
        for words, (message, at_start) in PLAIN_WORDS.items():
            if problem.startswith(words):
                return message, (at_start and error.context_mark) or mark
        character = lines[mark.line][mark.column : mark.column + 1]
        if character == "\t":
            return "a tab; indent with spaces", mark
        if problem.startswith("found character"):
            return f"no value starts with {character} but in quotes", mark
        return problem, mark

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
                self.note("duplicate-key", message, (*path, key), place)
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
            self.note("yaml", message, (*path, name), place)
            return name, node._replace(value=self.scalar(value, path, place))
        if key.isdecimal():
            self.note("yaml", "write a number without commas", (*path, key), place)
        line = self.lines[place.line - 1][place.column - 1 + len(key) :]
        if (found := COMMENT.fullmatch(line)) and line.isprintable():
            said = f'{key}: "{found[1]}"'
            message = f"has no value, as # begins a comment; write {shortened(said)}"
            self.note("null", message, (*path, key), place)
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

    def note(self, rule: str, message: str, path: FieldPath, place: Place) -> None:
        self.problems.append(Problem(rule, message, path, place))

    def place(self, event: Any) -> Place:
        start, end = event.start_mark, event.end_mark
        length = end.column - start.column if start.line == end.line else 1
        return Place(self.file, start.line + 1, start.column + 1, max(1, length))

    def stopped(self, rule: str, message: str, mark: Any = None) -> SpecError:
        where = (mark.line + 1, mark.column + 1) if mark else ()
        return SpecError(Problem(rule, message, place=Place(self.file, *where)))
