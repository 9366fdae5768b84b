"""Pydantic's errors in our words: what is wrong with a key or a value, and what to write."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from resnet_spec.catalog import CATALOG, words
from resnet_spec.language.fields import Model, Spec
from resnet_spec.language.vocabulary import answer, misspelling, our_word
from resnet_spec.language.yaml_nodes import FLOAT, INTEGER
from resnet_spec.problems import FieldPath, Problem, dotted
from resnet_spec.problems.words import closest, describe, either, flow

TAGS = ("<one>", "<each>", "<word>", "<number>")  # of unions, no part of a path

EXPECTED = {
    "int_type": "must be an integer",
    "float_type": "must be a number",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "model_type": "must be a mapping of keys to values",
    "greater_than_equal": "must be at least {ge:g}",
    "greater_than": "must be more than {gt:g}",
    "less_than_equal": "must be at most {le:g}",
    "less_than": "must be less than {lt:g}",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "has too few entries, {min_length} needed",
    "too_long": "has too many entries, {max_length} at most",
}
BOOLEANS = {
    **dict.fromkeys(("yes", "on", "y", "1"), "true"),
    **dict.fromkeys(("no", "off", "n", "0"), "false"),
}

SYNONYMS = {"invalid_key": "extra_forbidden", "string_unicode": "string_type"}
"""What pydantic tells apart, of values that Python can give and YAML cannot."""


def translated(errors: Sequence[ErrorDetails], data: Any) -> Iterator[Problem]:
    """A problem for each error; a key that was misspelt is not called missing as well."""
    unknown = [e for e in errors if _kind(e) == "extra_forbidden"]
    meant = {path for error in unknown for path in _meant(error)}
    inner = {_path(error)[:-1] for error in errors}
    listed: set[FieldPath] = set()  # where the known keys have been said
    quoted: set[FieldPath] = set()  # lists whose numbers are in quotes
    for error in errors:
        path, kind = _path(error), _kind(error)
        if kind == "too_short" and path in inner:
            continue  # pydantic counts the valid entries alone
        if kind == "missing":
            if not {path, ("extends",)} & meant:
                yield Problem("missing", f"is missing; {_purpose(path)}", path)
        elif kind == "extra_forbidden":
            said = _unknown_key(error, listed)
            yield Problem("unknown-key", said, path, about_key=True)
        elif isinstance(path[-1], int) and (numbers := _in_quotes(data, path[:-1])):
            if path[:-1] not in quoted:
                message = f"must be numbers without quotes; write {numbers}"
                yield Problem(kind.replace("_", "-"), message, path[:-1])
            quoted.add(path[:-1])
        else:
            yield _wrong_value(error)


def _kind(error: ErrorDetails) -> str:
    return SYNONYMS.get(error["type"], error["type"])


def _path(error: ErrorDetails) -> FieldPath:
    return tuple(part for part in error["loc"] if part not in TAGS)


# --- values -------------------------------------------------------------------------------


def _wrong_value(error: ErrorDetails) -> Problem:
    path, rule, value = _path(error), _kind(error).replace("_", "-"), error["input"]
    expected = _choice(error) if rule == "choice" else _expected(error)
    hint = _hint(error)
    if (
        rule in ("model-type", "tuple-type")
        and not hint
        and (example := _example(path))
    ):
        expected = f"{expected}, as {example}"
    message = f"{expected}, got {describe(value)}{hint}"
    return Problem(rule, message, path)


def _expected(error: ErrorDetails) -> str:
    return EXPECTED.get(_kind(error), error["msg"]).format(**error.get("ctx", {}))


def _choice(error: ErrorDetails) -> str:
    legal = error["ctx"]["legal"]
    number = " or an integer" if "<word>" in error["loc"] else ""
    return f"must be {'one of ' * (len(legal) > 1)}{', '.join(legal)}{number}"


def _hint(error: ErrorDetails) -> str:
    """What to write in place of the value, where that is clear; else nothing."""
    path, kind, value = _path(error), _kind(error), error["input"]
    said = answer(path, value, kind.replace("_", "-"))
    if not said and (written := _rewritten(path, kind, value)):
        said = f"write {written}"
    if not said and path[-1] == "ratio" and kind == "less_than_equal":
        said = f"1 / {flow(value)} is {1 / value:.4g}"
    if not said and kind == "choice" and isinstance(value, str):
        return misspelling(value, error["ctx"]["legal"])
    return f"; {said}" if said and said.isprintable() else ""


def _rewritten(path: FieldPath, kind: str, value: Any) -> str:
    """The value as it was likely meant: without quotes, in brackets, with a space."""
    text = value if isinstance(value, str) else ""
    if kind in ("int_type", "float_type", "tuple_type"):
        return _number(path, value)
    if kind == "string_type" and isinstance(value, (int, float)):
        return f'"{flow(value)}"'
    if kind == "bool_type":
        return BOOLEANS.get(flow(value).lower(), "")
    if kind == "class_name":
        parts = re.split("[^A-Za-z0-9]+", text)
        name = "".join(f"{part[:1].upper()}{part[1:]}" for part in parts)
        return name if name[:1].isalpha() and name != text else ""
    if kind == "choice" and isinstance(value, dict):
        field = ".".join(part for part in path if isinstance(part, str))
        return our_word(field, value.get("type"))
    return _wrapped(path, value) if kind == "model_type" else ""


def _number(path: FieldPath, value: Any) -> str:
    """A number without quotes, fraction or percent; a list of numbers in brackets."""
    text = value if isinstance(value, str) else ""
    if re.fullmatch(r"\(?[0-9]+([\s,]+[0-9]+)+,?\)?", text):
        numbers = ", ".join(re.findall("[0-9]+", text))
        return numbers if isinstance(path[-1], int) else f"[{numbers}]"
    if re.fullmatch("[0-9]{1,2}%", text):
        return f"{int(text[:-1]) / 100:g}"
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    return f"{text} without quotes" if _is_number(text) else ""


def _wrapped(path: FieldPath, value: Any) -> str:
    """`{type: batch}` for `batch`, where a field of the mapping has that word."""
    fields = _model_at(path).model_fields
    glued = re.fullmatch(r"(\w+):(\S+)", value) if isinstance(value, str) else None
    if glued and glued[1] in fields:
        return f"{glued[1]}: {glued[2]}, with a space after the colon"
    for name in fields:
        field = f"{path[0]}.{name}"
        if field in CATALOG and (word := our_word(field, value)):
            (example,) = Spec.model_fields[str(path[0])].examples or [{}]
            whole = example if example.get(name) == word else {name: word}
            return f"{path[0]}: {flow(whole)}"
    return ""


def _is_number(text: str) -> bool:
    return bool(INTEGER.fullmatch(text) or FLOAT.fullmatch(text))


def _in_quotes(data: Any, path: FieldPath) -> str:
    """A list of numbers as it is without its quotes; nothing where it is not one."""
    entries = reduce(lambda inner, key: inner[key], path, data)
    texts = [e if isinstance(e, str) else flow(e) for e in entries]
    some = any(isinstance(entry, str) for entry in entries)
    return f"[{', '.join(texts)}]" if some and all(map(_is_number, texts)) else ""


# --- keys ---------------------------------------------------------------------------------


def _unknown_key(error: ErrorDetails, listed: set[FieldPath]) -> str:
    """What a key is called here, what it is near to, or once all that is known."""
    *above, key = path = _path(error)
    if said := _answer(error):
        return f"unknown key; {said}"
    if near := closest(str(key), _known(path)):
        return f"unknown key (did you mean {near}?)"
    if tuple(above) in listed:
        return "unknown key"
    listed.add(tuple(above))
    return f"unknown key; known here: {', '.join(_known(path))}"


def _answer(error: ErrorDetails) -> str:
    """What to do about an unknown key; nothing where a terminal cannot show it."""
    said = _said_of(_path(error), error["input"])
    return said if said.isprintable() else ""


def _said_of(path: FieldPath, value: Any) -> str:
    key = str(path[-1])
    if isinstance(value, dict) and len(value.keys() & set(_known(path))) > 1:
        return f"take `{key}:` away and write what is below it without its indentation"
    first, *inner = key.split(".")
    if inner and first in _known(path):
        for name in reversed(inner):
            value = {name: value}
        return f"write {first}: {flow(value)}; dots are for --set"
    return answer(path, value, "unknown-key")


def _meant(error: ErrorDetails) -> Iterator[FieldPath]:
    """The fields that an unknown key stands for, which are then not missing."""
    *above, key = path = _path(error)
    value = error["input"]
    if isinstance(value, dict):
        yield from ((*above, name) for name in value)
    said = _answer(error) or f"write {closest(str(key), _known(path))}:"
    for name in re.findall(r"(\w+)\b(?=:)", said) if said.startswith("write") else []:
        if name != "extends" or said.startswith("write extends"):
            yield from ((*above, name), (name,))


def _known(path: FieldPath) -> list[str]:
    """The keys that stand beside the one at a path."""
    fields = _model_at(path[:-1]).model_fields
    return [*(["extends"] if len(path) == 1 else []), *fields]


# --- fields -------------------------------------------------------------------------------


def _purpose(path: FieldPath) -> str:
    """What the field at a path is for, with an example or all words that it takes."""
    field = _model_at(path[:-1]).model_fields[str(path[-1])]
    purpose = re.split("[:;]", field.description or "")[0]
    if field.examples:
        return f"{purpose}, as {_example(path)}"
    name = dotted(path)
    return f"{purpose}: {either(words(name))}" if name in CATALOG else purpose


def _example(path: FieldPath) -> str:
    """An example of the field at a path, where it has one."""
    if not all(isinstance(part, str) for part in path):
        return ""
    examples = _model_at(path[:-1]).model_fields[str(path[-1])].examples
    return flow(examples[0]) if examples else ""


def _model_at(path: FieldPath) -> type[BaseModel]:
    """The model that holds the keys at this path."""
    model: type[BaseModel] = Spec
    for part in path:
        annotation = model.model_fields[str(part)].annotation
        options = getattr(annotation, "__args__", (annotation,))
        model = next(o for o in options if isinstance(o, type) and issubclass(o, Model))
    return model
