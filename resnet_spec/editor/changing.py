"""A text with other values at some paths of its document, and all else as it is."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from copy import deepcopy
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

import yaml

from resnet_spec.editor.cursor import QUOTED
from resnet_spec.editor.document import Document, Edit, edit
from resnet_spec.editor.fields import keys
from resnet_spec.problems import FieldPath
from resnet_spec.problems.words import as_yaml


class Span(NamedTuple):
    """Where in a text a value stands, and its key, by index; what it is, and what it is in.

    `kind` is `scalar`, `[` or `{` for those in brackets, or `-` or `:` for those in lines;
    `within` is that of the list or mapping that it is in, or empty.
    """

    path: FieldPath
    key: int
    start: int
    end: int
    kind: str
    within: str = ""


@lru_cache(maxsize=8)  # each of a problem's fixes starts from the same text
def spans(text: str) -> tuple[Span, ...]:
    """Every value of a document, in order, with its place in the text.

    Raises yaml.YAMLError where it is no YAML. It is read by events, for an alias in it may
    stand for any number of values.
    """
    events = yaml.parse(text, Loader=yaml.SafeLoader)
    next(events)  # the stream starts
    if isinstance(next(events), yaml.StreamEndEvent):
        return ()
    return tuple(_spans(text, events, next(events), (), 0, ""))


def _spans(
    text: str, events: Any, event: Any, path: FieldPath, key: int, within: str
) -> Iterator[Span]:
    """What an event begins, and all that is in it."""
    start, kind, last = event.start_mark.index, "scalar", event
    found: list[Span] = []
    if isinstance(event, yaml.MappingStartEvent):
        kind = "{" if event.flow_style else ":"
        while not isinstance(last := next(events), yaml.MappingEndEvent):
            below = (*path, getattr(last, "value", ""))
            at = last.start_mark.index
            found += _spans(text, events, next(events), below, at, kind)
    elif isinstance(event, yaml.SequenceStartEvent):
        kind = "[" if event.flow_style else "-"
        while not isinstance(last := next(events), yaml.SequenceEndEvent):
            below = (*path, sum(len(span.path) == len(path) + 1 for span in found))
            at = last.start_mark.index
            found += _spans(text, events, last, below, at, kind)
    ends = [span.end for span in found] if kind in ("-", ":") else []
    end = max(ends, default=last.end_mark.index)
    end = start + len(text[start:end].rstrip())  # of text over several lines
    yield Span(path, key, start, end, kind, within)
    yield from found


def written(text: str, path: FieldPath, value: str) -> str:
    """The text with a value at a path, whose list, where it is in one, is there."""
    found = {span.path: span for span in reversed(spans(text))}
    if here := found.get(path):
        before, after = text[: here.start], text[here.end :]
        if here.start == here.end and before.endswith(":"):  # nothing is there yet
            bare = after.lstrip(" ")
            before, after = f"{before} ", after if bare.startswith("#") else bare
        return f"{before}{value}{after}"
    *above, name = path
    parent = found.get(tuple(above))
    entry = f"{as_yaml(name)}: {value}"
    if parent and parent.kind in ("{", ":"):
        siblings = [s for s in found.values() if s.path and s.path[:-1] == parent.path]
        siblings.sort(key=lambda span: span.key)
        return _inserted(text, parent, siblings, entry, str(name))
    if parent or above:
        return written(text, tuple(above), f"{{{entry}}}")
    return f"{text}{chr(10) * (text[-1:] not in (chr(10), ''))}{entry}\n"


def _inserted(
    text: str, parent: Span, siblings: list[Span], entry: str, name: str
) -> str:
    """The text with an entry in a mapping, behind those that come before it in order."""
    if not siblings:
        return f"{text[: parent.start]}{{{entry}}}{text[parent.end :]}"
    order = list(keys(parent.path))
    earlier = order[: order.index(name)] if name in order else order
    before = [span for span in siblings if span.path[-1] in earlier]
    at = max(span.end for span in before) if before else siblings[0].key
    if parent.kind == "{":
        said = f", {entry}" if before else f"{entry}, "
        return f"{text[:at]}{said}{text[at:]}"
    indent = " " * (siblings[0].key - (text.rfind("\n", 0, siblings[0].key) + 1))
    if not before:
        return f"{text[:at]}{entry}\n{indent}{text[at:]}"
    at = _line_end(text, at)
    return f"{text[:at]}\n{indent}{entry}{text[at:]}"


def removed(text: str, path: FieldPath, at: int | None = None) -> str:
    """The text without what is at a path; of a key that is there twice, the one `at` there."""
    every = spans(text)
    found = [span for span in every if span.path == path]
    here = next((span for span in found if span.key == at), found[0])
    siblings = [s for s in every if s.path and s.path[:-1] == path[:-1]]
    nth = siblings.index(here)
    if len(siblings) == 1 and len(path) > 1 and isinstance(path[-1], str):
        return removed(text, path[:-1])
    if here.within in ("{", "["):
        return _out_of_brackets(text, siblings, nth)
    start = text.rfind("\n", 0, here.key) + 1
    end = min(_line_end(text, here.end) + 1, len(text))
    dashed = here.within == ":" and text[start : here.key].strip()
    if dashed and nth + 1 < len(
        siblings
    ):  # what follows takes its place behind the dash
        return text[: here.key] + text[siblings[nth + 1].key :]
    return text[:start] + text[end:]


def _out_of_brackets(text: str, siblings: list[Span], nth: int) -> str:
    if nth + 1 < len(siblings):
        return text[: siblings[nth].key] + text[siblings[nth + 1].key :]
    start = siblings[nth - 1].end if nth else siblings[nth].key
    return text[:start] + text[siblings[nth].end :]


def renamed(text: str, path: FieldPath, name: str) -> str:
    """The text with another name for a key."""
    here = next(span for span in spans(text) if span.path == path)
    quoted = QUOTED.match(text, here.key)
    end = quoted.end() if quoted else here.key + len(str(path[-1]))
    return f"{text[: here.key]}{name}{text[end:]}"


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def changed(data: Any, path: FieldPath, value: str) -> str:
    """A list of plain data, as YAML, with that value, which is YAML, at a path below it."""
    marker = "\0value\0"
    copy = deepcopy(data)
    inner = copy
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = marker
    return as_yaml(copy).replace(as_yaml(marker), value)


def edits(document: Document, text: str) -> list[Edit]:
    """What makes the document that text: an edit for each run of lines that differ."""
    old, new = document.text.splitlines(True), text.splitlines(True)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    starts = [0, *accumulate(map(len, old))]
    return [
        _trimmed(document, starts[i], starts[j], "".join(new[k:m]))
        for tag, i, j, k, m in matcher.get_opcodes()
        if tag != "equal"
    ]


def _trimmed(document: Document, start: int, end: int, text: str) -> Edit:
    """The edit without what is the same at either end."""
    old = document.text
    while start < end and text and old[start] == text[0]:
        start, text = start + 1, text[1:]
    while start < end and text and old[end - 1] == text[-1]:
        end, text = end - 1, text[:-1]
    return edit(document, start, end, text)
