"""A value that a field does not take, as it was likely meant."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, NamedTuple

from resnet_spec.catalog import CATALOG
from resnet_spec.language.expected import model_at
from resnet_spec.language.fields import Spec
from resnet_spec.language.vocabulary import BOOLEANS, our_word
from resnet_spec.language.yaml_nodes import FLOAT, INTEGER
from resnet_spec.problems import FieldPath, without_indices
from resnet_spec.problems.words import UNITS, by_sides, flow


class Rewritten(NamedTuple):
    """A value as it was likely meant, before and behind what a message says of it."""

    before: str = ""
    text: str = ""
    behind: str = ""


def rewritten(path: FieldPath, rule: str, value: Any) -> Rewritten:
    """The value as it was likely meant: without quotes, in brackets, with a space."""
    text = value if isinstance(value, str) else ""
    if rule in ("int_type", "float_type", "tuple_type"):
        return _number(path, rule, value)
    if rule == "string_type" and isinstance(value, (int, float)):
        if path == ("name",):
            return Rewritten("a class name, as ResNet50")
        return Rewritten(text=f'"{flow(value)}"')
    if rule == "bool_type":
        return Rewritten(text=BOOLEANS.get(flow(value).lower(), ""))
    if rule == "class_name":
        return Rewritten(text=_class_of(text))
    if rule == "choice" and isinstance(value, dict):
        field = ".".join(without_indices(path))
        word = our_word(field, value.get("type")) if field in CATALOG else ""
        return Rewritten(text=word)
    return _wrapped(path, value) if rule == "model_type" else Rewritten()


SEPARATED = re.compile(r"\D?([0-9]{1,5})\D{1,4}([0-9]{1,5})\D?", re.ASCII)


def two_of(value: Any) -> list[int]:
    """Two numbers that a value is likely meant as; none where there are no two."""
    found = value if isinstance(value, list) else []
    if isinstance(value, str) and (match := SEPARATED.fullmatch(value)):
        found = [int(each) for each in match.groups()]
    two = [*map(type, found)] == [int, int] and min(found) > 0
    return found if two and str(by_sides(found)) != value else []


def _class_of(text: str) -> str:
    """The text as the name of a class, where that is another; it may be none still."""
    parts = re.split("[^A-Za-z0-9]+", text)
    name = "".join(f"{part[:1].upper()}{part[1:]}" for part in parts)
    return name if name[:1].isalpha() and name != text else ""


AMOUNT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([kKMGTP])", re.ASCII)


def _number(path: FieldPath, rule: str, value: Any) -> Rewritten:
    """A number without quotes, unit, fraction or percent; a list of numbers in brackets."""
    text = value if isinstance(value, str) else ""
    if rule == "int_type" and (amount := _amount(text)):
        return Rewritten(text=amount)
    if isinstance(path[-1], int) and re.fullmatch(r"[0-9.]+( - [0-9.]+)+", text):
        return Rewritten("the dashes one below the other")
    if rule != "tuple_type" and re.fullmatch(r"[0-9]{1,3}([_,][0-9]{3})+", text):
        return Rewritten(text=re.sub("[_,]", "", text))
    if re.fullmatch(r"\(?[0-9]+([\s,]+[0-9]+)+,?\)?", text):
        numbers = ", ".join(re.findall("[0-9]+", text))
        return Rewritten(text=numbers if isinstance(path[-1], int) else f"[{numbers}]")
    if re.fullmatch("[0-9]{1,2}%", text):
        return Rewritten(text=f"{int(text[:-1]) / 100:g}")
    if isinstance(value, float) and value.is_integer():
        return Rewritten(text=f"{value:.0f}")
    takes = INTEGER.fullmatch if rule == "int_type" else is_number
    return Rewritten("", text, " without quotes") if takes(text) else Rewritten()


def _amount(text: str) -> str:
    """`4090000000` for `4.09G`; nothing where that is no integer."""
    if not (found := AMOUNT.fullmatch(text)):
        return ""
    amount = Decimal(found[1]) * int(UNITS[found[2]])
    return f"{amount:.0f}" if amount == int(amount) else ""


def _wrapped(path: FieldPath, value: Any) -> Rewritten:
    """`{type: batch}` for `batch`, where a field of the mapping has that word."""
    fields = model_at(path).model_fields
    glued = re.fullmatch(r"(\w+):(\S+)", value) if isinstance(value, str) else None
    if glued and glued[1] in fields:
        note = ", with a space after the colon"
        return Rewritten("", f"{glued[1]}: {glued[2]}", note)
    for name in fields:
        field = f"{path[0]}.{name}"
        if field in CATALOG and (word := our_word(field, value)):
            (example,) = Spec.model_fields[str(path[0])].examples or [{}]
            whole = example if example.get(name) == word else {name: word}
            return Rewritten(f"{path[0]}: ", flow(whole))
    return Rewritten()


def is_number(text: str) -> bool:
    return bool(INTEGER.fullmatch(text) or FLOAT.fullmatch(text))
