"""What to write in place of others' words, as `vocabulary` has them.

An answer is a sentence. `write FIELD: VALUE` is one whose value the field takes; where it does
not take what was written, the answer says what it is called here and what it takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

from resnet_spec.catalog import CATALOG, NUMBER, STEMS, words
from resnet_spec.language.chains import ALONE, is_chain
from resnet_spec.language.expected import model_at, refused
from resnet_spec.language.fields import Spec
from resnet_spec.language.likely import rewritten
from resnet_spec.language.meanings import (
    FUNCTIONS,
    Data,
    Said,
    image_of_other_dimensions,
)
from resnet_spec.language.reading import override
from resnet_spec.language.vocabulary import (
    BOOLEANS,
    BY_VALUE,
    CALLED,
    KEYS,
    MAPPINGS,
    OP_KEYS,
    OPS,
    SENTENCES,
    WORDS,
    our_word,
    plainly,
    text_of,
    type_of,
)
from resnet_spec.problems import FieldPath, without_indices
from resnet_spec.problems.words import either, flow

EXTENDS = re.compile(r"\bextends: (\S+)$")  # of an answer that names a spec
ALIKE = {"width_per_group": 64}  # what a field without a default is as good as

SAID = {plainly(text): said for text, said in SENTENCES.items()}
FIELDS = {plainly(key): field for field, keys in CALLED.items() for key in keys.split()}
OF_OPS = {plainly(w): op for op, words in OPS.items() for w in words.split()}
OF_OP_KEYS = {plainly(k): said for said, keys in OP_KEYS.items() for k in keys.split()}
OF_KEYS = {plainly(key): said for said, keys in KEYS.items() for key in keys.split()}
VALUES = {
    plainly(key): {
        plainly(value) or value: said
        for values, said in table.items()
        for value in values.split()
    }
    for keys, table in BY_VALUE.items()
    for key in keys.split()
}
OTHERS_MAPPINGS = {plainly(key) for key in MAPPINGS.split()}


def answer(path: FieldPath, value: Any, rule: str, data: Data | None = None) -> str:
    """What to write in place of that; empty where the tables have nothing that means the same.

    `data` is all that was written, with what is inherited.
    """
    data = data or {}
    if in_chain(path, data):
        if path[0] == "head":
            return _of_head(path, value, rule)
        own = path[0] == "stem"
        return _of_stem(path, value, rule, data) if own else _of_op(path, value, rule)
    if path == ("stem",) and is_chain(value):
        return "write type: with that list below stem, and width: beside it"
    names = [*without_indices(path)]
    dotted, key = ".".join(names), names[-1] if names else ""
    if rule in ("too-short", "too-long", "tuple-type") and path == ("input",):
        return image_of_other_dimensions(value)
    for text in (f"{dotted}: {flow(type_of(value))}", f"{dotted} [{rule}]"):
        if said := SAID.get(plainly(text)):
            return said.replace("VALUE", flow(value))
    if rule == "model-type" and (meant := _of_mapping(dotted, value, data)):
        return _written(meant, names[:-1], data)
    if rule == "choice":
        word = our_word(dotted, value) if dotted in WORDS else ""
        return f"write {word}" if word else ""
    if rule != "unknown-key":
        return ""
    here = _written(_meaning(dotted, value, data), names[:-1], data)
    elsewhere = _written(_meaning(key, value, data), names[:-1], data)
    return here or (elsewhere if elsewhere.startswith(("write", "called")) else "")


def fields_of(path: FieldPath, value: Any, rule: str, data: Data) -> dict[str, Any]:
    """The fields that an answer says to write, `{"stem.width": 64}`; none of a sentence."""
    if in_chain(path, data):
        return {}
    names = [*without_indices(path)]
    meant: list[Said] = []
    if rule == "model-type":
        meant = [_of_mapping(".".join(names), value, data)]
    if rule == "unknown-key":
        meant = [_meaning(key, value, data) for key in (".".join(names), names[-1])]
    for said in meant:
        if isinstance(said, dict) and said:
            return _new(said, data)
        if isinstance(said, str) and (named := EXTENDS.search(said)):
            return {"extends": named[1]}
    return {}


def op_of(value: Any) -> str:
    """The op of a chain that a word of others is, as YAML; empty if none."""
    if SAID.get(plainly(f"activation: {flow(value)}")):
        return ""
    for field in ("activation", "norm.type"):
        if isinstance(value, str) and (word := our_word(field, value)):
            return f"{{{field.split('.')[0]}: {word}}}"
    return OF_OPS.get(text_of(value), "")


def in_chain(path: FieldPath, data: Data) -> bool:
    """Whether a path is that of an op in a chain, or below one."""
    if path[:2] in (("stem", "type"), ("head", "pre")):
        return len(path) > 2
    if path[:1] == ("shortcut",):
        lists = sum(isinstance(part, int) for part in path)
        return lists > 1 or (lists == 1 and is_chain(data.get("shortcut")))
    pairs = pairwise(path) if path[:1] == ("block",) else ()
    return any(a in ("pre", "body", "post") and isinstance(b, int) for a, b in pairs)


def _of_op(path: FieldPath, value: Any, rule: str) -> str:
    key = str(path[-1])
    if rule == "unknown-key":
        return OF_OP_KEYS.get(plainly(key), "")
    if key in ("to", "pad") and type(value) is int:
        return "write in, width or out, or one of them as in out / 2"
    if key == "stride":
        return "write stride: block; `strides` says how much"
    if said := SAID.get(plainly(f"activation: {flow(value)}")):
        return said
    return f"write {op}" if (op := op_of(value)) else ""


def _of_stem(path: FieldPath, value: Any, rule: str, data: Data) -> str:
    """What is said of an op in a stem, in which nothing is a block's."""
    if value == "block":
        return "write a number, for a stem has no block"
    if path[-1] == "stride":
        return ""
    if path[-1] in ("to", "pad") and type(value) is int:
        return f"write {_part_of_width(value, data['stem'].get('width'))}"
    said = _of_op(path, value, rule)
    if value in ALONE or said.startswith("write attention"):
        return "a stem has none, so take it away"
    said = said.replace("in, width or out", "in or width")
    return said.replace("stride: block", "stride: with a number")


def _of_head(path: FieldPath, value: Any, rule: str) -> str:
    """What is said of an op before the head's pool, where channels are numbers."""
    if value == "block":
        return "write a number, for a head has no block"
    if type(value) is int and isinstance(path[-1], int):
        return f"write {{conv: 1, to: {value}}}"
    said = _of_op(path, value, rule)
    if value in ALONE or said.startswith("write attention"):
        return "there is none before the pool, so take it away"
    return said.replace("in, width or out", "a number or in")


def _part_of_width(channels: int, width: Any) -> str:
    """So many channels as a part of the stem's width; an example where they are none."""
    if type(width) is int and min(width, channels) > 0:
        times, over = Fraction(channels, width).as_integer_ratio()
        if max(times, over) < 10_000:
            return f"width{f' * {times}' * (times > 1)}{f' / {over}' * (over > 1)}"
    return "width, or a part of it, as width / 2"


def holds_fields(key: Any) -> bool:
    """Whether others have fields below that key which are at the top here."""
    return plainly(str(key)) in OTHERS_MAPPINGS


# --- what is meant ------------------------------------------------------------------------


def _by_value(key: str, value: Any, text: str = "") -> Said:
    said = VALUES.get(plainly(key), {}).get(text or text_of(value), "")
    if re.match(r"[a-z_.]+=", said):
        return dict(override(each) for each in said.split("; "))
    return said


def _of_mapping(key: str, value: Any, data: Data) -> Said:
    """What is meant by a value where a mapping has to be."""
    if key in ("preact", "se"):
        return FUNCTIONS[key](value, data)
    return _by_value(key, value)


def _meaning(key: str, value: Any, data: Data) -> Said:
    """What is meant by a key of others with that value."""
    name = plainly(key)
    if said := _by_value(key, value):
        return said
    if name in FUNCTIONS and (said := FUNCTIONS[name](value, data)):
        return said
    if name in FIELDS:
        return {FIELDS[name]: value}
    said = OF_KEYS.get(name, "").replace("STEMS", _stems()) or _by_value(
        key, value, "*"
    )
    return said or (f"{flow(value)} has no equal here" if name in VALUES else "")


def _written(said: Said, above: list[str], data: Data) -> str:
    """The sentence that says to write those fields, below the keys above; not what is so."""
    if isinstance(said, str):
        return said
    fields = _taken(said)
    notes = [note for each in said for note in each.split(", ")[1:]]
    for (field, value), written in zip(fields.items(), said.values(), strict=True):
        if why := next(refused(field, value), ""):
            known = SAID.get(plainly(f"{field}: {flow(type_of(written))}"))
            return known or f"called {field} here, which {_takes(field, why)}"
    new = _new(said, data)
    suffix = f", {notes[-1]}" if notes else ""
    if not new:
        same = (f"{field} is {flow(value)}" for field, value in fields.items())
        return f"leave it out, {' and '.join(same)} already"
    return f"write {' and '.join(_lines(new, above, data))}{suffix}"


def _taken(said: dict[str, Any]) -> dict[str, Any]:
    """The fields without what is noted behind them, each with the value as it takes it."""
    names = {each: each.partition(", ")[0] for each in said}
    return {names[each]: taken(names[each], value) for each, value in said.items()}


def _new(said: dict[str, Any], data: Data) -> dict[str, Any]:
    """Those that the network does not have already."""
    fields = _taken(said).items()
    return {field: value for field, value in fields if _now(field, data) != value}


def taken(field: str, value: Any) -> Any:
    """A value of others as the field takes it, where it does; else as it is."""
    value = type_of(value)
    readings = [our_word(field, value) if field in CATALOG else value, value]
    if isinstance(value, float) and value.is_integer():
        readings.append(int(value))
    if str(value).lower() in BOOLEANS:
        readings.append(BOOLEANS[str(value).lower()] == "true")
    if number := rewritten(tuple(field.split(".")), "int_type", value).text:
        readings.append(override(f"{field}={number}")[1])
    lawful = (each for each in readings if not any(refused(field, each)))
    return next(lawful, value)


def _takes(field: str, why: str) -> str:
    if field not in CATALOG:
        example = (
            Spec.model_fields[field].examples if field in Spec.model_fields else None
        )
        listed = f", as {flow(example[0])}" if example and "list" in why else ""
        return f"{why}{listed}"
    number = ["a number"] * (NUMBER in CATALOG[field] or "pool" in field)
    return f"takes {either([*words(field), *number])}"


def _now(field: str, data: Data) -> Any:
    """What a field is already, by itself or by default."""
    *above, name = keys = field.split(".")
    value: Any = data
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    found = model_at(tuple(above)).model_fields[name]
    if value is None and not found.is_required():
        return ALIKE.get(field, found.default)
    return value


def _lines(fields: dict[str, Any], above: list[str], data: Data) -> Iterator[str]:
    """The fields as one writes them, those of a mapping together."""
    whole: dict[str, Any] = {}
    beside: dict[str, str] = {}
    for field, value in fields.items():
        keys = field.split(".")
        below = keys[: len(above)] == above
        *outer, last = keys[len(above) * below :]
        inside = whole
        for key in outer:
            start = {} if key in data or key != "stem" else _example(key)
            inside = inside.setdefault(key, start)
        inside[last] = value
        if not below:
            beside[keys[0]] = f" beside {above[0]}"
    return (f"{k}: {flow(value)}{beside.get(k, '')}" for k, value in whole.items())


def _example(name: str) -> dict[str, Any]:
    (example,) = Spec.model_fields[name].examples or [{}]
    return dict(example)


def _stems() -> str:
    """What each stem does to height and width, as the catalog says first."""
    said = (
        f"{word} {re.split(r' [(]| by ', each.text)[0]}" for word, each in STEMS.items()
    )
    return ", ".join(said)
