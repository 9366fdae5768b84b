"""The edits that write what a message proposes."""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml

from resnet_spec.editor.changing import (
    changed,
    edits,
    removed,
    renamed,
    spans,
    written,
)
from resnet_spec.editor.document import Document, Edit
from resnet_spec.editor.inheriting import Data, inherited
from resnet_spec.language.yaml_nodes import compose
from resnet_spec.problems import FieldPath, Place, Problem, Proposal, SpecError, dotted
from resnet_spec.problems.words import as_yaml, shortened, together


class Fix(NamedTuple):
    """What a click on a message writes: what that is called, and its edits."""

    title: str
    edits: tuple[Edit, ...]


def fixes(document: Document, problem: Problem) -> list[Fix]:
    """What can be written in place of a mistake, the likeliest first; all in this document.

    What is inherited, from a file that ships or not, is overridden here.
    """
    found: dict[str, Fix] = {}
    base = inherited(document) if problem.proposals else {}
    for proposal in problem.proposals:
        try:
            title, text = _applied(document, problem, proposal, base)
        except yaml.YAMLError:  # of what can be read and not be changed, as aliases
            continue
        if text != document.text:
            found.setdefault(text, Fix(title, tuple(edits(document, text))))
    return list(found.values())


def _applied(
    document: Document, problem: Problem, proposal: Proposal, base: Data
) -> tuple[str, str]:
    """What a proposal is called, and the text that it makes of a document laid over that."""
    if proposal.at:
        return _written_over(document, proposal.text, proposal.at)
    try:
        node, _ = compose(document.text, document.name)
    except SpecError:
        return "", document.text
    data: Data = node.data if isinstance(node.data, dict) else {}
    if new := _renaming(data, proposal):
        old = proposal.fields[0][0]
        return f"write {new} in place of {old[-1]}", renamed(document.text, old, new)
    text, key = document.text, None
    if problem.place and problem.place.file == document.name:
        key = document.offset(problem.place.line, problem.place.column)
    for path, value in proposal.fields:
        text = _set(text, path, value, base, key)
    return _title(proposal), text


def _written_over(document: Document, new: str, at: Place) -> tuple[str, str]:
    """The same of characters that are written over others."""
    text = document.text
    if at.file != document.name:
        return "", text
    start = document.offset(at.line, at.column)
    end = start + at.length
    title = f"indent it by {len(new)}" if new else "remove the indentation"
    if "\t" in text[start:end]:
        title = "indent with spaces"
    elif new.strip():
        title = f"write {shortened(new.strip())}"
    elif gone := text[start:end].strip():
        title = f"take {gone} away"
    return title, f"{text[:start]}{new}{text[end:]}"


def _title(proposal: Proposal) -> str:
    """What is written; what goes is not said where something comes."""
    comes = [f"{dotted(path)}: {value}" for path, value in proposal.fields if value]
    goes = together(dotted(path) for path, _ in proposal.fields)
    return shortened(f"write {together(comes)}" if comes else f"leave {goes} out")


def _renaming(data: Data, proposal: Proposal) -> str:
    """The name that a key gets, where nothing else changes."""
    if len(proposal.fields) != 2:
        return ""
    (old, gone), (new, value) = proposal.fields
    there, given = _at(data, old), _at(data, new)
    same = old[:-1] == new[:-1] and gone is None and value == as_yaml(there)
    return str(new[-1]) if same and there is not None and given is None else ""


def _at(data: Any, path: FieldPath) -> Any:
    """What plain data have at a path; None where they have nothing."""
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _set(
    text: str, path: FieldPath, value: str | None, base: Data, at: int | None
) -> str:
    """The text with the value at the path, or without it where that is None."""
    every = [span.path for span in spans(text)]
    own = path in every and any(isinstance(part, int) for part in path)
    below = _at(base, path) is not None and not own  # a list replaces a list
    if value is None and path in every and (every.count(path) > 1 or not below):
        return removed(text, path, at)
    if value is None and not below:
        return text
    value = value or "null"
    for i, part in enumerate(path):
        listed = isinstance(part, int) and path[:i] not in every
        if listed and isinstance(whole := _at(base, path[:i]), list):
            return written(text, path[:i], changed(whole, path[i:], value))
    return written(text, path, value)
