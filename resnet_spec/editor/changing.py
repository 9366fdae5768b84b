"""A text with other values at some paths of its document, and all else as it is."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

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


def spans(text: str) -> list[Span]:
    """Every value of a document that is YAML, in order, with its place in the text."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    return list(_spans(text, root, (), root.start_mark.index, "")) if root else []


def _spans(
    text: str, node: Any, path: FieldPath, key: int, within: str
) -> Iterator[Span]:
    start, kind = node.start_mark.index, "scalar"
    found: list[Span] = []
    if isinstance(node, yaml.MappingNode):
        kind = "{" if node.flow_style else ":"
        for k, value in node.value:
            below = (*path, k.value)
            found += _spans(text, value, below, k.start_mark.index, kind)
    elif isinstance(node, yaml.SequenceNode):
        kind = "[" if node.flow_style else "-"
        for i, value in enumerate(node.value):
            found += _spans(text, value, (*path, i), value.start_mark.index, kind)
    ends = [span.end for span in found] if kind in ("-", ":") else []
    end = max(ends) if ends else node.end_mark.index
    end = start + len(text[start:end].rstrip())  # of text over several lines
    yield Span(path, key, start, end, kind, within)
    yield from found


def written(text: str, path: FieldPath, value: str) -> str:
    """The text with a value at a path, whose list, where it is in one, is there."""
    found = {span.path: span for span in reversed(spans(text))}
    if here := found.get(path):
        space = " " * (
            here.start == here.end and text[here.start - 1 : here.start] == ":"
        )
        return f"{text[: here.start]}{space}{value}{text[here.end :]}"
    *above, name = path
    parent = found.get(tuple(above))
    if not parent and above:
        return written(text, tuple(above), f"{{{name}: {value}}}")
    if not parent:
        return f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{name}: {value}\n"
    if parent.kind not in ("{", ":"):
        return written(text, tuple(above), f"{{{name}: {value}}}")
    return _inserted(text, parent, found, f"{name}: {value}", str(name))


def _inserted(
    text: str, parent: Span, found: dict[FieldPath, Span], entry: str, name: str
) -> str:
    """The text with an entry in a mapping, behind those that come before it in order."""
    siblings = [s for s in found.values() if s.path[:-1] == parent.path and s.path]
    siblings.sort()
    order = list(keys(parent.path))
    before = (
        [s for s in siblings if s.path[-1] in order[: order.index(name)]]
        if (name in order)
        else siblings
    )
    siblings.sort(key=lambda span: span.key)
    if not siblings:
        return f"{text[: parent.start]}{{{entry}}}{text[parent.end :]}"
    at = max(span.end for span in before) if before else siblings[0].key
    if parent.kind == "{":
        said = f", {entry}" if before else f"{entry}, "
        return f"{text[:at]}{said}{text[at:]}"
    column = siblings[0].key - (text.rfind("\n", 0, siblings[0].key) + 1)
    if not before:
        return f"{text[:at]}{entry}\n{' ' * column}{text[at:]}"
    at = _line_end(text, at)
    return f"{text[:at]}\n{' ' * column}{entry}{text[at:]}"


def removed(text: str, path: FieldPath, at: int | None = None) -> str:
    """The text without what is at a path; of a key that is there twice, the one `at` there."""
    every = spans(text)
    here = next((s for s in every if s.path == path and at in (None, s.key)), None)
    here = here or next(s for s in every if s.path == path)
    siblings = [s for s in every if s.path and s.path[:-1] == path[:-1]]
    nth = siblings.index(here)
    if len(siblings) == 1 and len(path) > 1 and isinstance(path[-1], str):
        return removed(text, path[:-1])
    if here.within in ("{", "["):
        return _out_of_brackets(text, siblings, nth)
    start = text.rfind("\n", 0, here.key) + 1
    end = min(_line_end(text, here.end) + 1, len(text))
    if text[start : here.key].strip(" -") or "-" not in text[start : here.key]:
        return text[:start] + text[end:]
    if here.within == "-":
        return text[:start] + text[end:]
    following = siblings[nth + 1].key if nth + 1 < len(siblings) else end
    return text[: here.key] + text[following:]


def _out_of_brackets(text: str, siblings: list[Span], nth: int) -> str:
    if nth + 1 < len(siblings):
        return text[: siblings[nth].key] + text[siblings[nth + 1].key :]
    start = siblings[nth - 1].end if nth else siblings[nth].key
    return text[:start] + text[siblings[nth].end :]


def renamed(text: str, path: FieldPath, name: str) -> str:
    """The text with another name for a key."""
    here = next(span for span in spans(text) if span.path == path)
    end = here.key + len(str(path[-1])) + 2 * (text[here.key] in "\"'")
    return f"{text[: here.key]}{name}{text[end:]}"


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def changed(data: Any, path: FieldPath, value: str) -> str:
    """A list of plain data, as YAML, with that value, which is YAML, at a path below it."""
    marker = "\0value\0"
    copy = _copied(data)
    inner = copy
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = marker
    return as_yaml(copy).replace(as_yaml(marker), value)


def _copied(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _copied(value) for key, value in data.items()}
    return [*map(_copied, data)] if isinstance(data, list) else data


def edits(document: Document, text: str) -> list[Edit]:
    """What makes the document that text: an edit for each run of lines that differ."""
    old, new = document.text.splitlines(True), text.splitlines(True)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
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
