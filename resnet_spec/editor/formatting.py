"""A text with its fields in the order of the reference, comments and all else as they were."""

from __future__ import annotations

from typing import Any

from resnet_spec.editor.changing import edits, spans
from resnet_spec.editor.document import Document, Edit
from resnet_spec.editor.fields import keys
from resnet_spec.language.yaml_nodes import compose
from resnet_spec.problems import SpecError


def formatted(document: Document) -> list[Edit]:
    """The edits that sort a document's fields; none where it is no YAML, or in order.

    A field moves with the lines below it, and with the comments right above it; those above
    the first field are the file's, and stay. Keys that are not known, or are there twice,
    stay behind the one that they follow.
    """
    text = document.text
    try:
        root, _ = compose(text, document.name)
    except SpecError:
        return []
    fields = [span for span in spans(text) if len(span.path) == 1]
    if not isinstance(root.value, dict) or not fields or fields[0].within != ":":
        return []
    lines = [document.place(span.key).line for span in fields]
    lines[1:] = (_with_comments(document, line) for line in lines[1:])
    starts = [document.offset(line, 1) for line in lines]
    pairs = zip(starts, [*starts[1:], len(text)], strict=True)
    paragraphs = [text[start:end] for start, end in pairs]
    ranks = _ranks([str(span.path[0]) for span in fields])
    if ranks == sorted(ranks):
        return []
    if text[-1] not in "\r\n":
        paragraphs[-1] += "\n"
    placed = sorted(range(len(fields)), key=ranks.__getitem__)
    new = text[: starts[0]] + "".join(paragraphs[i] for i in placed)
    return edits(document, new) if _same(root.data, new) else []


def _ranks(names: list[str]) -> list[int]:
    """Where each name comes in the reference; of one that does not, that of the one before."""
    order, ranks = list(keys(())), [0]
    for name in names:
        known = name in order and names.count(name) == 1
        ranks.append(order.index(name) if known else ranks[-1])
    return ranks[1:]


def _same(data: Any, text: str) -> bool:
    try:
        root, _ = compose(text, "")
    except SpecError:
        return False
    return bool(root.data == data)


def _with_comments(document: Document, line: int) -> int:
    """The line in which the comments begin that stand right above a line."""
    while line > 1 and document.text.startswith("#", document.offset(line - 1, 1)):
        line -= 1
    return line
