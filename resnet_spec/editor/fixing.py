"""The edits that write what a message proposes."""

from __future__ import annotations

from collections.abc import Iterator
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
from resnet_spec.editor.linking import extended
from resnet_spec.language.reading import read
from resnet_spec.language.yaml_nodes import compose
from resnet_spec.problems import FieldPath, Problem, Proposal, SpecError, dotted
from resnet_spec.problems.words import as_yaml, shortened

Data = dict[str, Any]


class Fix(NamedTuple):
    """What a click on a message writes: what that is called, and its edits."""

    title: str
    edits: tuple[Edit, ...]


def fixes(document: Document, problem: Problem) -> list[Fix]:
    """What can be written in place of a mistake, the likeliest first; all in this document.

    What is inherited, from a file that ships or not, is overridden here.
    """
    found: dict[str, Fix] = {}
    for proposal in problem.proposals:
        try:
            title, text = _applied(document, problem, proposal)
        except yaml.YAMLError:  # of what can be read and not be changed, as aliases
            continue
        if text != document.text:
            found.setdefault(text, Fix(title, tuple(edits(document, text))))
    return list(found.values())


def _applied(
    document: Document, problem: Problem, proposal: Proposal
) -> tuple[str, str]:
    """What a proposal is called, and the text that it makes of the document."""
    text = document.text
    if at := proposal.at:
        if at.file != document.name:
            return "", text
        start = document.offset(at.line, at.column)
        gone = text[start : start + at.length]
        title = (
            f"write {shortened(proposal.text.strip())}"
            if proposal.text.strip()
            else (f"take {gone.strip()} away" if gone.strip() else "indent with spaces")
        )
        return title, f"{text[:start]}{proposal.text}{text[start + at.length :]}"
    try:
        node, _ = compose(text, document.name)
    except SpecError:
        return "", text
    data: Data = node.data if isinstance(node.data, dict) else {}
    if new := _renaming(data, proposal):
        old = proposal.fields[0][0]
        return f"write {new} in place of {old[-1]}", renamed(text, old, new)
    inherited = _inherited(document)
    at_key = None
    if problem.place and problem.place.file == document.name:
        at_key = document.offset(problem.place.line, problem.place.column)
    for path, value in proposal.fields:
        text = _set(text, path, value, inherited, at_key)
    return " and ".join(_titles(proposal)), text


def _titles(proposal: Proposal) -> Iterator[str]:
    """What each of its fields is called; what goes is not said where something comes."""
    comes = [(path, value) for path, value in proposal.fields if value is not None]
    for path, value in comes or proposal.fields:
        if value is None:
            yield f"leave {dotted(path)} out"
        else:
            yield shortened(f"write {dotted(path)}: {value}")


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


def _inherited(document: Document) -> Data:
    """What the document is laid over, as plain data."""
    file = extended(document)
    if not file:
        return {}
    try:
        source = read(file, unsaved=document.unsaved)
    except SpecError:
        return {}
    data: Data = source.root.data
    own = ("name", "title", "expect", "choices")
    return {key: value for key, value in data.items() if key not in own}


def _set(
    text: str, path: FieldPath, value: str | None, inherited: Data, at: int | None
) -> str:
    """The text with the value at the path, or without it where that is None."""
    here = {span.path for span in spans(text)}
    if value is None:
        twice = at is not None and sum(s.path == path for s in spans(text)) > 1
        if twice or (path in here and _at(inherited, path) is None):
            return removed(text, path, at)
        if path not in here and _at(inherited, path) is None:
            return text
        value = "null"
    for i, part in enumerate(path):
        listed = isinstance(part, int) and path[:i] not in here
        if listed and isinstance(whole := _at(inherited, path[:i]), list):
            return written(text, path[:i], changed(whole, path[i:], value))
    return written(text, path, value)
