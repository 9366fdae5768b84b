"""Source -> Plan, or every problem at once, in our own words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from pydantic import ValidationError, create_model

from resnet_spec.language.fields import Spec
from resnet_spec.language.plan import Plan, UnknownError
from resnet_spec.language.rules import CHECKS, LENGTHS, Check
from resnet_spec.language.source import Source
from resnet_spec.language.values import Model
from resnet_spec.problems import Problem

MOST_PROBLEMS = 100  # problems that one report shows


def parse(source: Source) -> Plan:
    """What a source says of each stage. Raises SpecError with all that is wrong, placed."""
    data = source.root.data
    problems: list[Problem] = []
    try:
        spec = Spec.model_validate(data)
    except ValidationError as error:
        from resnet_spec.language.messages import translated  # which good specs spare

        errors = error.errors(include_url=False)
        problems += translated(errors[:MOST_PROBLEMS], data)
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
