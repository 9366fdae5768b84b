"""What may stand at a path of a document, and what it means there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

from pydantic.fields import FieldInfo

from resnet_spec.catalog import CATALOG, STEPS
from resnet_spec.language.chains import ALONE
from resnet_spec.language.expected import model_at
from resnet_spec.language.fields import Spec
from resnet_spec.language.reference import row
from resnet_spec.language.values import OneOf
from resnet_spec.language.vocabulary import OPS
from resnet_spec.problems import FieldPath, without_indices
from resnet_spec.problems.words import flow

EXTENDS = "path of the spec that this one changes, or the name of one that ships"


def keys(path: FieldPath) -> dict[str, str]:
    """The keys of the mapping at a path, each with what it says; none where none is."""
    try:
        fields = model_at(path).model_fields
    except (KeyError, StopIteration):
        return {}
    extends = {} if path else {"extends": EXTENDS}
    return extends | {name: field.description or "" for name, field in fields.items()}


def about(path: FieldPath) -> str:
    """What the field at a path says and takes, as Markdown; empty where there is none."""
    names = without_indices(path)
    if names == ("extends",):
        return f"**extends**: {EXTENDS}"
    if not _field(path):
        return ""
    takes, default, said = row(names)
    return f"**{names[-1]}**: {takes}{f'; {default}' * bool(default)}\n\n{said}"


def values(path: FieldPath) -> dict[str, str]:
    """What may be written at a path, each with what it means, as far as it can be listed."""
    field = _field(path)
    if not field:
        return {}
    depth = len(path) - len(_without_entries(path))
    words = list(_words(field.annotation, depth))
    words += _of(field.metadata, depth)
    found = {word: meaning(path, word) for word in words}
    if "conv" in keys(path) and not found.keys().isdisjoint(ALONE):
        found |= _written_ops(path)
    if depth == 0:
        found |= {flow(example): "" for example in field.examples or () if example}
    return found


def meaning(path: FieldPath, word: str) -> str:
    """What a word means at a path, as the catalog has it; empty where it has nothing."""
    names = without_indices(path) or ("",)
    for field in (".".join(names), {"norm": "norm.type"}.get(names[-1], names[-1])):
        if entry := CATALOG.get(field, {}).get(word):
            return entry.text
    if word in ALONE:
        said = Spec.model_fields[word].description or ""
        return f"what the field {word} says: {said.split(':')[0]}"
    return ""


def _without_entries(path: FieldPath) -> FieldPath:
    """The path of the field whose entry, or an entry of whose entry, is at a path."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    return path


def _field(path: FieldPath) -> FieldInfo | None:
    *above, name = _without_entries(path) or ("",)
    try:
        return model_at(tuple(above)).model_fields.get(str(name))
    except (KeyError, StopIteration):
        return None


def _words(annotation: Any, depth: int) -> Iterator[str]:
    """The words that an annotation takes inside so many lists."""
    if annotation is bool and depth == 0:
        yield from ("true", "false")
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        yield from _of(metadata, depth)
        yield from _words(inner, depth)
        return
    depth -= get_origin(annotation) is tuple
    if depth >= 0:
        for inner in get_args(annotation):
            yield from _words(inner, depth)


def _of(metadata: Any, depth: int) -> Iterator[str]:
    for each in metadata:
        if isinstance(each, OneOf) and depth == 0:
            yield from each.legal


def _written_ops(path: FieldPath) -> dict[str, str]:
    """Mappings that are an op in a chain, each with what it is."""
    fields = keys(path)
    known = {op: fields[op] for op in STEPS if op in fields}
    examples = [op for op in OPS if op.startswith("{")]
    examples += [
        f"{{{op}: }}" for op in known if not any(f"{op}:" in e for e in examples)
    ]
    return {op: known.get(op[1:].split(":")[0], "") for op in examples}
