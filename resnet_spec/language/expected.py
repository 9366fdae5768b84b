"""What a field takes, in our words, by pydantic's errors."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from resnet_spec.catalog import CATALOG
from resnet_spec.language.fields import Spec
from resnet_spec.language.values import Model
from resnet_spec.problems import FieldPath, nested

EXPECTED = {
    "int_type": "must be an integer",
    "float_type": "must be a number",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "model_type": "must be a mapping of keys to values",
    "greater_than_equal": "must be at least {ge:g}",
    "greater_than": "must be more than {gt:g}",
    "multiple_of": "must be a multiple of {multiple_of:g}",
    "less_than_equal": "must be at most {le:g}",
    "less_than": "must be less than {lt:g}",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "has too few entries, {min_length} needed",
    "too_long": "has too many entries, {max_length} at most",
}
TAGS = frozenset(
    f"<{tag}>"
    for tag in (
        *("one", "each", "word", "number", "name", "numbered"),
        *("block", "own", "called", "chain", "op", "step"),
        *("both", "sides"),
    )
)
"""Of unions, no part of a path."""
OTHERS = {
    "<word>": " or an integer",
    "<name>": " or a mapping as {leaky_relu: 0.1}",
    "<block>": " or a mapping with name and body",
    "<called>": " or a list of ops",
    "<op>": " or a mapping as {conv: 3}",
    "<both>": ", or a height and a width as 2x1",
}
"""What a field takes beside its words or numbers, by the tag of those."""
OR_A_LIST = ", or a list with one per stage"
SYNONYMS = {"invalid_key": "extra_forbidden", "string_unicode": "string_type"}
"""What pydantic tells apart, of values that Python can give and YAML cannot."""


def kind(error: ErrorDetails) -> str:
    """The rule that an error breaks, as pydantic calls it."""
    return SYNONYMS.get(error["type"], error["type"])


def error_path(error: ErrorDetails) -> FieldPath:
    """Where an error's value stands in the document."""
    *above, last = error["loc"]
    unknown = kind(error) == "extra_forbidden"  # a key that may be called as a tag is
    named = [last] if unknown or last not in TAGS else []
    return (*(part for part in above if part not in TAGS), *named)


def expected(error: ErrorDetails) -> str:
    """`must be an integer`, or the words of which it must be one."""
    other = next((text for tag, text in OTHERS.items() if tag in error["loc"]), "")
    other += OR_A_LIST * _may_be_a_list(error)
    if kind(error) != "choice":
        said = EXPECTED.get(kind(error), error["msg"]).format(**error.get("ctx", {}))
        return f"{said}{other}" if kind(error).endswith("_type") else said
    legal = error["ctx"]["legal"]
    return f"must be {'one of ' * (len(legal) > 1)}{', '.join(legal)}{other}"


def _may_be_a_list(error: ErrorDetails) -> bool:
    """Whether a field that takes one value, or one per stage, has what is no list."""
    tags = takewhile(TAGS.__contains__, reversed(error["loc"]))
    whole = isinstance(error_path(error)[-1], str)
    return whole and "<one>" in tags and not isinstance(error["input"], (list, tuple))


def refused(field: str, value: Any) -> Iterator[str]:
    """Why a field, as `se.ratio`, does not take a value; nothing where it does."""
    path = tuple(field.split("."))
    try:
        Spec.model_validate(nested(path, value))
    except ValidationError as error:
        for each in error.errors(include_url=False):
            if error_path(each)[: len(path)] == path and kind(each) != "missing":
                yield expected(each)


def model_at(path: FieldPath) -> type[BaseModel]:
    """The model that holds the keys at this path."""
    model: type[BaseModel] = Spec
    for part in path:
        if isinstance(part, str):
            model = next(_models(model.model_fields[part].annotation))
    return model


def holder(key: str) -> str:
    """The field whose mapping has such a key; empty where none has it, or several.

    A field that takes words may be a mapping as well, and is none that others write.
    """
    found = [
        name
        for name in Spec.model_fields
        if name not in CATALOG and key in keys_of(name)
    ]
    return found[0] if len(found) == 1 else ""


def keys_of(name: str) -> list[str]:
    """The keys of the mapping that a field takes; none where it takes none."""
    field = Spec.model_fields.get(name)
    models = _models(field.annotation) if field else ()
    return [key for model in models for key in model.model_fields]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models among the alternatives of an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models(inner)
