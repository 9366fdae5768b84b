"""Source -> Plan, or every problem at once, in our own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from pydantic import BaseModel, ValidationError, create_model
from pydantic_core import ErrorDetails

from resnet_spec.language.fields import Model, Spec
from resnet_spec.language.plan import Plan, UnknownError
from resnet_spec.language.reading import Source
from resnet_spec.language.rules import CHECKS, LENGTHS, Check
from resnet_spec.problems import FieldPath, Problem
from resnet_spec.problems.words import closest, describe, flow, nearest

MOST_PROBLEMS = 100  # problems that one report shows


def parse(source: Source) -> Plan:
    """What a source says of each stage. Raises SpecError with all that is wrong, placed."""
    data = source.root.data
    problems: list[Problem] = []
    try:
        spec = Spec.model_validate(data)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        problems += _translated(errors[:MOST_PROBLEMS])
        if len(errors) > MOST_PROBLEMS:
            problems.append(
                Problem("more", f"has {len(errors) - MOST_PROBLEMS:,} more mistakes")
            )
        spec = _valid_part(data, {e["loc"][0] for e in errors})
    plan = Plan(spec)
    problems += _broken_rules(plan)
    if problems or source.problems:
        raise source.refuse(*problems)
    return plan


# --- rules, as far as they can be asked ---------------------------------------------------


class _Known:
    """A spec of which some fields are not valid and raise UnknownError.

    It takes the place of a Spec, since pydantic makes no partial one.
    """

    def __init__(self, spec: object, bad: Iterable[object]) -> None:
        self._spec, self._bad = spec, frozenset(bad)

    def __getattr__(self, name: str) -> Any:
        if name in self._bad:
            raise UnknownError(name)
        return getattr(self._spec, name)


def _valid_part(data: dict[str, Any], bad: set[str | int]) -> Spec:
    """The spec without its bad fields: validated once more as a model that lacks them."""
    fields = {k: f for k, f in Spec.model_fields.items() if k not in bad}
    definitions: dict[str, Any] = {k: (f.annotation, f) for k, f in fields.items()}
    part = create_model("Part", __base__=Model, **definitions)
    valid = part.model_validate({k: v for k, v in data.items() if k in fields})
    return cast(Spec, _Known(valid, bad))


def _broken_rules(plan: Plan) -> list[Problem]:
    """What the rules say; one that needs a field that is not valid says nothing."""
    wrong_length = _asked(LENGTHS, plan)
    if wrong_length:
        known = _Known(plan.spec, (problem.path[0] for problem in wrong_length))
        plan = Plan(cast(Spec, known))
    return wrong_length + _asked(CHECKS, plan)


def _asked(checks: Iterable[Check], plan: Plan) -> list[Problem]:
    problems: list[Problem] = []
    for check in checks:
        try:
            problems += check(plan)
        except UnknownError:
            continue
    return problems


# --- pydantic's errors in our words -------------------------------------------------------

TAGS = ("<one>", "<each>", "<word>", "<number>")  # of unions, no part of a path

ELSEWHERE = {
    "aa_layer": "anti_alias",
    "act_layer": "activation",
    "attn_layer": "attention",
    "avg_down": "shortcut: avg_projection",
    "base_width": "width_per_group",
    "block_reduce_first": "reduce_first",
    "cardinality": "groups",
    "down_kernel_size": "shortcut: projection3x3",
    "drop_path_rate": "drop_path",
    "drop_rate": "head.dropout",
    "in_chans": "input",
    "layers": "depths",
    "norm_layer": "norm",
    "num_classes": "head.classes",
    "output_stride": "strides and dilations",
    "planes": "widths",
    "rd_ratio": "se.ratio",
    "replace_stride_with_dilation": "strides and dilations",
    "replace_stem_pool": "stem.pool: conv",
    "stem_type": "stem.type",
    "stem_width": "stem.width (what the stem gives, in deep ones twice timm's)",
    "zero_init_last": "init.zero_last_norm",
    "zero_init_residual": "init.zero_last_norm",
}
"""What torchvision 0.29 and timm 1.0 call it, and what it is here."""

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


SYNONYMS = {"invalid_key": "extra_forbidden", "string_unicode": "string_type"}
"""What pydantic tells apart, of values that Python can give and YAML cannot."""


def _translated(errors: Sequence[ErrorDetails]) -> Iterator[Problem]:
    """A problem for each error; a key that was misspelt is not called missing as well."""
    unknown = [_path(e) for e in errors if _kind(e) == "extra_forbidden"]
    meant = {(*path[:-1], _meant(path)) for path in unknown}
    inner = {_path(error)[:-1] for error in errors}
    for error in errors:
        if error["type"] == "too_short" and _path(error) in inner:
            continue  # pydantic counts the valid entries alone
        path, kind, value = _path(error), _kind(error), error["input"]
        if kind == "extra_forbidden":
            yield Problem("unknown-key", _unknown_key(path), path, about_key=True)
        elif kind == "missing" and path not in meant:
            yield Problem("missing", f"is missing; {_purpose(path)}", path)
        elif kind == "choice":
            message = f"{_choice(error)}, got {describe(value)}{_near(error)}"
            yield Problem("choice", message, path)
        elif kind != "missing":
            words = EXPECTED.get(kind, error["msg"]).format(**error.get("ctx", {}))
            if kind in ("model_type", "tuple_type") and (example := _example(path)):
                words = f"{words}, as {example}"
            yield Problem(
                kind.replace("_", "-"), f"{words}, got {describe(value)}", path
            )


def _kind(error: ErrorDetails) -> str:
    return SYNONYMS.get(error["type"], error["type"])


def _path(error: ErrorDetails) -> FieldPath:
    return tuple(part for part in error["loc"] if part not in TAGS)


def _choice(error: ErrorDetails) -> str:
    legal = _legal(error)
    number = " or an integer" if "<word>" in error["loc"] else ""
    return f"must be {'one of ' * (len(legal) > 1)}{', '.join(legal)}{number}"


def _near(error: ErrorDetails) -> str:
    value = error["input"]
    return nearest(value, _legal(error)) if isinstance(value, str) else ""


def _legal(error: ErrorDetails) -> list[str]:
    legal: list[str] = error["ctx"]["legal"]
    return legal


def _purpose(path: FieldPath) -> str:
    """What the field at a path is for, with an example where it has one."""
    field = _model_at(path[:-1]).model_fields[str(path[-1])]
    purpose = re.split("[:;]", field.description or "")[0]
    return f"{purpose}, as {_example(path)}" if field.examples else purpose


def _example(path: FieldPath) -> str:
    """An example of the field at a path, where it has one."""
    if not all(isinstance(part, str) for part in path):
        return ""
    examples = _model_at(path[:-1]).model_fields[str(path[-1])].examples
    return flow(examples[0]) if examples else ""


def _unknown_key(path: FieldPath) -> str:
    known = list(_model_at(path[:-1]).model_fields)
    if said := ELSEWHERE.get(str(path[-1])):
        return f"unknown key; called {said} here"
    if near := nearest(str(path[-1]), known):
        return f"unknown key{near}"
    return f"unknown key; known here: {', '.join(known)}"


def _meant(path: FieldPath) -> str | None:
    """The known key that an unknown one is near to, or is called in another library."""
    if said := ELSEWHERE.get(str(path[-1])):
        return re.split("[.:]", said)[0]
    return closest(str(path[-1]), _model_at(path[:-1]).model_fields)


def _model_at(path: FieldPath) -> type[BaseModel]:
    """The model that holds the keys at this path."""
    model: type[BaseModel] = Spec
    for part in path:
        annotation = model.model_fields[str(part)].annotation
        options = getattr(annotation, "__args__", (annotation,))
        model = next(o for o in options if isinstance(o, type) and issubclass(o, Model))
    return model
