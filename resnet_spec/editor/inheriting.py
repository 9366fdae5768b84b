"""What a document inherits, and the document that says it all by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from resnet_spec.editor.changing import edits, removed, written
from resnet_spec.editor.document import Document, Edit
from resnet_spec.editor.linking import extended
from resnet_spec.language.reading import OWN, read
from resnet_spec.language.source import Source
from resnet_spec.language.yaml_nodes import compose
from resnet_spec.problems import FieldPath, SpecError
from resnet_spec.problems.words import as_yaml

Data = dict[str, Any]


def inherited(document: Document) -> Data:
    """What the document is laid over, as plain data."""
    file = extended(document)
    if not file:
        return {}
    try:
        return passed_on(read(file, unsaved=document.unsaved))
    except SpecError:
        return {}


def passed_on(source: Source) -> Data:
    """What a spec gives to one that extends it, as plain data."""
    data: Data = source.root.data
    return {key: value for key, value in data.items() if key not in OWN}


def written_out(document: Document) -> list[Edit]:
    """The edits that write what it inherits in place of `extends`; it then says the same.

    None where it extends nothing, or what cannot be read.
    """
    base = inherited(document)
    if not base:
        return []
    try:
        whole = read(document.path, unsaved=document.texts).root.data
        text = removed(document.text, ("extends",))
        own, _ = compose(document.text, document.name)
        for path, value in _missing(base, own.data):
            text = removed(text, path) if value is None else written(text, path, value)
        alone, _ = compose(text, document.name)
    except (SpecError, yaml.YAMLError):
        return []
    return edits(document, text) if alone.data == whole else []


def _missing(
    base: Data, own: Data, path: FieldPath = ()
) -> Iterator[tuple[FieldPath, str | None]]:
    """What the one says and the other does not, as YAML; None for what that takes away."""
    for key, value in base.items():
        below = (*path, key)
        if key not in own:
            yield below, as_yaml(value)
        elif own[key] is None:
            yield below, None
        elif isinstance(value, dict) and isinstance(own[key], dict):
            yield from _missing(value, own[key], below)
