"""Pydantic's errors in our words: what is wrong with a key or a value, and what to write."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any

from pydantic_core import ErrorDetails

from resnet_spec.catalog import CATALOG, words
from resnet_spec.language.answers import BOOLEANS, answer, holds_fields
from resnet_spec.language.expected import error_path, expected, kind, model_at
from resnet_spec.language.fields import Spec
from resnet_spec.language.meanings import Data
from resnet_spec.language.vocabulary import misspelling, our_word
from resnet_spec.language.yaml_nodes import FLOAT, INTEGER
from resnet_spec.problems import FieldPath, Problem, dotted, nested
from resnet_spec.problems.words import by_sides, closest, describe, either, flow

GIVEN = (("depths",), ("widths",))  # what `stages` gives


def translated(errors: Sequence[ErrorDetails], data: Any) -> Iterator[Problem]:
    """A problem for each error; a key that was misspelt is not called missing as well."""
    unknown = [e for e in errors if kind(e) == "extra_forbidden"]
    meant = {path for e in unknown for path in _meant(error_path(e), e["input"], data)}
    inner = {p[:i] for p in map(error_path, errors) for i in range(len(p))}
    listed: set[FieldPath] = set()  # where the known keys have been said
    quoted: set[FieldPath] = set()  # lists whose numbers are in quotes
    for error in errors:
        path, rule = error_path(error), kind(error)
        if rule == "too_short" and path in inner:
            continue  # pydantic counts the valid entries alone
        if rule == "missing":
            if path in GIVEN and "stages" in data:
                continue  # whose own mistake is said
            if not {path, ("extends",)} & meant:
                yield Problem("missing", f"is missing; {_purpose(path)}", path)
        elif rule == "extra_forbidden":
            said = _unknown_key(path, error["input"], data, listed)
            yield Problem("unknown-key", said, path, about_key=True)
            yield from _below(path, error["input"], data)
        elif isinstance(path[-1], int) and (numbers := _in_quotes(data, path[:-1])):
            if path[:-1] not in quoted:
                message = f"must be numbers without quotes; write {numbers}"
                yield Problem(rule.replace("_", "-"), message, path[:-1])
            quoted.add(path[:-1])
        else:
            yield _wrong_value(error, data)


# --- values -------------------------------------------------------------------------------


def _wrong_value(error: ErrorDetails, data: Data) -> Problem:
    path, rule, value = error_path(error), kind(error).replace("_", "-"), error["input"]
    takes, hint = expected(error), _hint(error, data)
    if (
        rule in ("model-type", "tuple-type")
        and not hint
        and (example := _example(path))
    ):
        takes = f"{takes}, as {example}"
    message = f"{takes}, got {describe(value)}{hint}"
    return Problem(rule, message, path)


def _hint(error: ErrorDetails, data: Data) -> str:
    """What to write in place of the value, where that is clear; else nothing."""
    path, rule, value = error_path(error), kind(error), error["input"]
    said = answer(path, value, rule.replace("_", "-"), data)
    if not said and {"<both>", "<sides>"} & {*error["loc"]}:
        said = _sides(path, value)
    if not said and isinstance(value, str) and re.search(r"\$[({\w]|\{\{", value):
        said = "nothing is filled in here, so write the value itself"
    if not said and (written := _rewritten(path, rule, value)):
        said = f"write {written}"
    if not said and path[-1] == "ratio" and rule == "less_than_equal":
        said = f"1 / {flow(value)} is {1 / value:.4g}"
    if not said and rule == "choice" and isinstance(value, str):
        return misspelling(value, error["ctx"]["legal"])
    return f"; {said}" if said and said.isprintable() else ""


def _rewritten(path: FieldPath, rule: str, value: Any) -> str:
    """The value as it was likely meant: without quotes, in brackets, with a space."""
    text = value if isinstance(value, str) else ""
    if rule in ("int_type", "float_type", "tuple_type"):
        return _number(path, rule, value)
    if rule == "string_type" and isinstance(value, (int, float)):
        return "a class name, as ResNet50" if path == ("name",) else f'"{flow(value)}"'
    if rule == "bool_type":
        return BOOLEANS.get(flow(value).lower(), "")
    if rule == "class_name":
        return _class_of(text)
    if rule == "choice" and isinstance(value, dict):
        field = ".".join(part for part in path if isinstance(part, str))
        return our_word(field, value.get("type")) if field in CATALOG else ""
    return _wrapped(path, value) if rule == "model_type" else ""


SEPARATED = re.compile(r"\D?([0-9]{1,5})\D{1,4}([0-9]{1,5})\D?", re.ASCII)
HALF = re.compile(r"\(\s*[0-9]+|[0-9]+\s*\)")  # of (2, 1), which a comma takes apart


def _sides(path: FieldPath, value: Any) -> str:
    """A height and a width as one writes them, where two numbers were likely meant so."""
    if isinstance(value, list) and [*map(type, value)] == [int, int]:
        found = value
    elif isinstance(value, str) and (match := SEPARATED.fullmatch(value)):
        found = [int(each) for each in match.groups()]
    elif isinstance(value, str) and HALF.fullmatch(value):
        return "write a height and a width as one word, 2x1"
    else:
        return ""
    said = str(by_sides(found))
    if min(found) < 1 or said == value:
        return ""
    stages = f", or {flow(found)} for two stages" if path == ("strides",) else ""
    return f"write {said}{stages}"


def _class_of(text: str) -> str:
    """The text as the name of a class, where that is another; it may be none still."""
    parts = re.split("[^A-Za-z0-9]+", text)
    name = "".join(f"{part[:1].upper()}{part[1:]}" for part in parts)
    return name if name[:1].isalpha() and name != text else ""


def _number(path: FieldPath, rule: str, value: Any) -> str:
    """A number without quotes, fraction or percent; a list of numbers in brackets."""
    text = value if isinstance(value, str) else ""
    if rule != "tuple_type" and re.fullmatch(r"[0-9]{1,3}([_,][0-9]{3})+", text):
        return re.sub("[_,]", "", text)
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
    fields = model_at(path).model_fields
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


def _unknown_key(
    path: FieldPath, value: Any, data: Data, listed: set[FieldPath]
) -> str:
    """What a key is called here, what it is near to, or once all that is known."""
    *above, key = path
    if said := _answer(path, value, data):
        return f"unknown key; {said}"
    if near := closest(str(key), _known(path)):
        return f"unknown key (did you mean {near}?)"
    if tuple(above) in listed:
        return "unknown key"
    listed.add(tuple(above))
    return f"unknown key; known here: {', '.join(_known(path))}"


def _below(path: FieldPath, value: Any, data: Data) -> Iterator[Problem]:
    """The keys of others in a mapping of theirs, as if they stood at the top."""
    if not isinstance(value, dict) or not holds_fields(path[-1]):
        return
    for key, inner in value.items():
        if key not in Spec.model_fields and (said := _answer((key,), inner, data)):
            below, message = (*path, key), f"unknown key; {said}"
            yield Problem("unknown-key", message, below, about_key=True)
            yield from _below(below, inner, data)


def _answer(path: FieldPath, value: Any, data: Data) -> str:
    """What to do about an unknown key; nothing where a terminal cannot show it."""
    said = _said_of(path, value, data)
    return said if said.isprintable() else ""


def _said_of(path: FieldPath, value: Any, data: Data) -> str:
    key = str(path[-1])
    if isinstance(value, dict):
        below = len(value.keys() & set(_known(path)))
        if below > 1 or (holds_fields(key) and len(path) == 1):
            return (
                f"take `{key}:` away and write what is below it without its indentation"
            )
    first, *inner = key.split(".")
    if inner and first in _known(path):
        return f"write {first}: {flow(nested(inner, value))}; dots are for --set"
    return answer(path, value, "unknown-key", data)


def _meant(path: FieldPath, value: Any, data: Data) -> Iterator[FieldPath]:
    """The fields that an unknown key stands for, which are then not missing."""
    *above, key = path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*above, name)
            if holds_fields(key):
                yield from _meant((name,), inner, data)
    said = _answer(path, value, data) or f"write {closest(str(key), _known(path))}:"
    if said.startswith(("write", "called")):
        for name in re.findall(r"\w+(?=:)|(?<=^write )\w+|(?<=^called )\w+", said):
            if name != "extends" or said.startswith("write extends"):
                yield from ((*above, name), (name,))


def _known(path: FieldPath) -> list[str]:
    """The keys that stand beside the one at a path."""
    fields = model_at(path[:-1]).model_fields
    return [*(["extends"] if len(path) == 1 else []), *fields]


# --- fields -------------------------------------------------------------------------------


def _purpose(path: FieldPath) -> str:
    """What the field at a path is for, with an example or all words that it takes."""
    field = model_at(path[:-1]).model_fields[str(path[-1])]
    purpose = re.split("[:;]", field.description or "")[0]
    if field.examples:
        return f"{purpose}, as {_example(path)}"
    name = dotted(path)
    return f"{purpose}: {either(words(name))}" if name in CATALOG else purpose


def _example(path: FieldPath) -> str:
    """An example of the field at a path, where it has one."""
    if not isinstance(path[-1], str):
        return ""
    examples = model_at(path[:-1]).model_fields[str(path[-1])].examples
    return flow(examples[0]) if examples else ""
