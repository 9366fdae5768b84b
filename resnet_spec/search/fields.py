"""Which fields the language has, and what each of them takes by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from resnet_spec.language.expected import error_path, kind, model_at
from resnet_spec.language.fields import Spec
from resnet_spec.language.messages import translated
from resnet_spec.language.source import Source
from resnet_spec.language.yaml_nodes import Node
from resnet_spec.problems import FieldPath, Problem, nested


def fields_of(path: FieldPath) -> Mapping[str, Any]:
    """The fields that the one at a path holds, by name."""
    try:
        return model_at(path).model_fields
    except StopIteration:  # of a field that holds no others
        return {}


def wrong(field: str, node: Node) -> Iterator[Problem]:
    """Why a field does not take a value, at the place of that."""
    path = tuple(field.split("."))
    data = nested(path, node.data)
    try:
        Spec.model_validate(data)
    except ValidationError as error:
        errors = [
            each
            for each in error.errors(include_url=False)
            if error_path(each)[: len(path)] == path and kind(each) != "missing"
        ]
        root = node
        for name in reversed(path):
            root = Node({name: root}, node.place, node.key)
        yield from Source(root).placed(*translated(errors, data))
