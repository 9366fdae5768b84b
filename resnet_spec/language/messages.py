"""Pydantic's errors in our words: what is wrong with a key or a value, and what to write."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any

from pydantic_core import ErrorDetails

from resnet_spec.catalog import CATALOG, words
from resnet_spec.language.answers import (
    answer,
    fields_of,
    holds_fields,
    in_chain,
    op_of,
)
from resnet_spec.language.expected import (
    error_path,
    expected,
    holder,
    kind,
    model_at,
    refused,
)
from resnet_spec.language.fields import Spec
from resnet_spec.language.likely import Rewritten, is_number, rewritten, two_of
from resnet_spec.language.meanings import Data, image_meant
from resnet_spec.language.vocabulary import BOOLEANS, misspelling, our_word
from resnet_spec.problems import (
    FieldPath,
    Problem,
    Proposal,
    dotted,
    leave_out,
    nested,
    without_indices,
    write,
)
from resnet_spec.problems.words import (
    as_yaml,
    by_sides,
    closest,
    describe,
    either,
    flow,
)

GIVEN = (("depths",), ("widths",))  # what `stages` gives


def translated(errors: Sequence[ErrorDetails], data: Any) -> Iterator[Problem]:
    """A problem for each error; a key that was misspelt is not called missing as well."""
    unknown = [e for e in errors if kind(e) == "extra_forbidden"]
    meant = {path for e in unknown for path in _meant(error_path(e), e["input"], data)}
    inner = {p[:i] for p in map(error_path, errors) for i in range(len(p))}
    listed: set[FieldPath] = set()  # where the known keys have been said
    whole: set[FieldPath] = set()  # lists that are a mistake as a whole
    for error in errors:
        path, rule = error_path(error), kind(error)
        if rule == "too_short" and path in inner:
            continue  # pydantic counts the valid entries alone
        if rule == "missing":
            if path in GIVEN and "stages" in data:
                continue  # whose own mistake is said
            if not {path, ("extends",)} & meant:
                message = f"is missing; {_purpose(path)}"
                yield Problem("missing", message, path, proposals=_lawful(path))
        elif rule == "extra_forbidden":
            said = _unknown_key(path, error["input"], data, listed)
            proposals = _in_place(path, error["input"], data)
            yield Problem(
                "unknown-key", said, path, about_key=True, proposals=proposals
            )
            yield from _below(path, error["input"], data)
        elif isinstance(path[-1], int) and (problem := _of_list(error, data)):
            if problem.path not in whole:
                yield problem
            whole.add(problem.path)
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
    proposals = tuple(dict.fromkeys(_values(error, data)))
    return Problem(rule, message, path, proposals=proposals)


def _values(error: ErrorDetails, data: Data) -> Iterator[Proposal]:
    """What may be written in place of the value, the likeliest first."""
    path, rule, value = error_path(error), kind(error), error["input"]
    said = answer(path, value, rule.replace("_", "-"), data)
    if said.endswith(", so take it away"):
        yield from leave_out(path)
        return
    if said.startswith("leave it out"):
        yield from leave_out(path)
    if fields := fields_of(path, value, rule.replace("_", "-"), data):
        yield Proposal(_pairs(fields))
    if path == ("input",) and (image := image_meant(value)):
        yield from write(path, image)
        return
    if rule == "choice":
        yield from _words(error, data)
    if rule == "bool_type" and flow(value).lower() not in BOOLEANS:
        yield from write(path, True, False)
    if {"<both>", "<sides>"} & {*error["loc"]} and (pair := two_of(value)):
        yield from write(path, by_sides(pair))
    if rule != "choice" and (written := _likely(error).text):
        yield Proposal(((path, written),))
    if rule == "less_than_equal" and path[-1] == "ratio" and value > 1:
        yield from write(path, float(f"{1 / value:.4g}"))
    if rule in BOUNDS and isinstance(value, (int, float)):
        yield from write(path, error["ctx"][BOUNDS[rule]])
    if rule in ("model_type", "tuple_type", "too_short") or path == ("input",):
        yield from _lawful(path)


def _words(error: ErrorDetails, data: Data) -> Iterator[Proposal]:
    """What is meant; where that is not known, all words, a near one first."""
    path, value, legal = error_path(error), error["input"], error["ctx"]["legal"]
    field = ".".join(without_indices(path))
    meant = our_word(field, value) if field in CATALOG else ""
    meant = meant or (op_of(value) if in_chain(path, data) else "")
    if meant := meant or _likely(error).text:
        yield Proposal(((path, meant),))
        return
    near = closest(value, legal) if isinstance(value, str) else None
    yield from write(path, *([near] if near else []), *legal)


def _likely(error: ErrorDetails) -> Rewritten:
    """The value as it was likely meant; where a word or a number stands, a number."""
    path, rule, value = error_path(error), kind(error), error["input"]
    if "<word>" not in error["loc"]:
        return rewritten(path, rule, value)
    meant = rewritten(path, "int_type", value)
    return Rewritten() if meant.text.startswith("[") else meant


BOUNDS = {"greater_than_equal": "ge", "less_than_equal": "le"}
"""What pydantic calls the number that another one is beyond, by the rule."""


def _lawful(path: FieldPath) -> tuple[Proposal, ...]:
    """All words that a field takes by themselves, or an example of what it takes."""
    if (name := dotted(path)) in CATALOG and words(name):
        return write(path, *words(name))
    return write(path, *_examples(path)[:1])


def _pairs(fields: dict[str, Any]) -> tuple[tuple[FieldPath, str], ...]:
    return tuple((tuple(f.split(".")), as_yaml(value)) for f, value in fields.items())


def _hint(error: ErrorDetails, data: Data) -> str:
    """What to write in place of the value, where that is clear; else nothing."""
    path, rule, value = error_path(error), kind(error), error["input"]
    said = answer(path, value, rule.replace("_", "-"), data)
    if not said and {"<both>", "<sides>"} & {*error["loc"]}:
        said = _sides(path, value)
    if not said and isinstance(value, str) and re.search(r"\$[({\w]|\{\{", value):
        said = "nothing is filled in here, so write the value itself"
    if not said and any(written := _likely(error)):
        said = f"write {''.join(written)}"
    if not said and path[-1] == "ratio" and rule == "less_than_equal":
        said = f"1 / {flow(value)} is {1 / value:.4g}"
    if not said and rule == "choice" and isinstance(value, str):
        return misspelling(value, error["ctx"]["legal"])
    return f"; {said}" if said and said.isprintable() else ""


HALF = re.compile(r"\(\s*[0-9]+|[0-9]+\s*\)")  # of (2, 1), which a comma takes apart


def _sides(path: FieldPath, value: Any) -> str:
    """A height and a width as one writes them, where two numbers were likely meant so."""
    if isinstance(value, str) and HALF.fullmatch(value):
        return "write a height and a width as one word, 2x1"
    if not (found := two_of(value)):
        return ""
    said = by_sides(found)
    stages = f", or {flow(found)} for two stages" if path == ("strides",) else ""
    return f"write {said}{stages}"


def _of_list(error: ErrorDetails, data: Any) -> Problem | None:
    """What an entry's mistake says of the list as a whole; None where it is the entry's own."""
    path, rule = error_path(error), kind(error)
    entries = reduce(lambda inner, key: inner[key], path[:-1], data)
    field = ".".join(without_indices(path))
    message = "must be numbers without quotes"
    meant = _in_quotes(entries)
    if not meant and rule == "choice" and not in_chain(path, data):
        message = f"each entry {expected(error)}, got {describe(entries)}"
        meant = _in_words(field, entries) if field in CATALOG else ""
    if not meant:
        return None
    message, proposals = f"{message}; write {meant}", (Proposal(((path[:-1], meant),)),)
    return Problem(rule.replace("_", "-"), message, path[:-1], proposals=proposals)


def _in_words(field: str, entries: list[Any]) -> str:
    """A list of words of others in ours; nothing where one alone is, or one has no meaning."""
    meant = [our_word(field, entry) for entry in entries]
    several = sum(word != entry for word, entry in zip(meant, entries, strict=True)) > 1
    return flow(meant) if several and all(meant) else ""


def _in_quotes(entries: list[Any]) -> str:
    """A list of numbers as it is without its quotes; nothing where it is not one."""
    texts = [e if isinstance(e, str) else flow(e) for e in entries]
    some = any(isinstance(entry, str) for entry in entries)
    return f"[{', '.join(texts)}]" if some and all(map(is_number, texts)) else ""


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


def _in_place(
    path: FieldPath, value: Any, data: Data, where: FieldPath = ()
) -> tuple[Proposal, ...]:
    """What may be written in place of an unknown key: other fields, or nothing.

    It stands `where` that says, and else at the path as which it is read.
    """
    *above, key = path
    gone = (where or path, None)
    first, *inner = str(key).split(".")
    if isinstance(value, dict) and _said_of(path, value, data).startswith("take `"):
        inside = (((*above, k), as_yaml(of)) for k, of in value.items())
        return (Proposal((gone, *inside)),)
    if inner and first in _known(path):
        return (Proposal((gone, ((*above, first, *inner), as_yaml(value)))),)
    if fields := fields_of(path, value, "unknown-key", data):
        return (Proposal((gone, *_pairs(fields))),)
    said = _answer(path, value, data)
    if called := re.match(r"called (\w+) here", said):
        return (Proposal((gone, ((*above, called[1]), as_yaml(value)))),)
    if said.startswith("leave it out"):
        return (Proposal((gone,)),)
    if name := _outside(path, value, data):
        return (Proposal((gone, ((name, key), as_yaml(value)))),)
    near = closest(str(key), _known(path))
    if said or not near:
        return ()
    return (Proposal((gone, ((*above, near), as_yaml(value)))),)


def _below(path: FieldPath, value: Any, data: Data) -> Iterator[Problem]:
    """The keys of others in a mapping of theirs, as if they stood at the top."""
    if not isinstance(value, dict) or not holds_fields(path[-1]):
        return
    for key, inner in value.items():
        if key not in Spec.model_fields and (said := _answer((key,), inner, data)):
            below, message = (*path, key), f"unknown key; {said}"
            proposals = _in_place((key,), inner, data, below)
            yield Problem(
                "unknown-key", message, below, about_key=True, proposals=proposals
            )
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
    if name := _outside(path, value, data):
        return f"it is a key of {name}, so indent it below {name}"
    return answer(path, value, "unknown-key", data)


def _outside(path: FieldPath, value: Any, data: Data) -> str:
    """The mapping that alone has such a key as stands at the top; or nothing.

    Where it does not lack that key, one at the top may be near, and is rather meant.
    """
    key = str(path[-1])
    name = holder(key) if len(path) == 1 else ""
    if not name or answer(path, value, "unknown-key", data):
        return ""
    inside = data.get(name)
    if isinstance(inside, dict) and key not in inside:
        return name
    other = closest(key, _known(path)) or next(refused(f"{name}.{key}", value), "")
    return "" if other else name


def _meant(path: FieldPath, value: Any, data: Data) -> Iterator[FieldPath]:
    """The fields that an unknown key stands for, which are then not missing."""
    *above, key = path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*above, name)
            if holds_fields(key):
                yield from _meant((name,), inner, data)
    if name := _outside(path, value, data):
        yield (name, key)
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
    return next(map(flow, _examples(path)), "")


def _examples(path: FieldPath) -> list[Any]:
    if not isinstance(path[-1], str):
        return []
    return model_at(path[:-1]).model_fields[path[-1]].examples or []
