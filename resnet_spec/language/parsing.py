"""Source -> Plan, or every problem at once, in our own words."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, cast

from pydantic import ValidationError, create_model

from resnet_spec.language.fields import MOST_STAGES, Spec, Stages
from resnet_spec.language.generators import Lists, regnet
from resnet_spec.language.plan import Plan, UnknownError
from resnet_spec.language.rules import CHECKS, LENGTHS, Check
from resnet_spec.language.source import Source
from resnet_spec.language.values import LARGEST, Model
from resnet_spec.language.yaml_nodes import Node
from resnet_spec.problems import Problem, leave_out
from resnet_spec.problems.words import flow, shortened

MOST_PROBLEMS = 100  # problems that one report shows
SPACE = "makes the file a space of many networks, which `resnet-spec sweep` takes"


def generated(source: Source) -> Source:
    """The same with the lists that its `stages` give, each at the place of those.

    Where those are not valid, nothing is given; `parse` says why.
    """
    rule = source.root.value.get("stages")
    if rule is None:
        return source
    try:
        stages = Stages.model_validate(rule.data)
    except ValidationError:
        return source
    lists = regnet(**stages.regnet.model_dump())
    if problem := _unbuildable(lists):
        return source._replace(problems=(*source.problems, problem))
    made = {field: each for field, each in lists._asdict().items() if each}
    both = [field for field in made if field in source.root.value]
    nodes = {
        field: Node([Node(value, rule.place) for value in values], rule.place)
        for field, values in made.items()
        if field not in both
    }
    return source._replace(
        root=source.root._replace(value=source.root.value | nodes),
        problems=(*source.problems, *map(_said_twice, both)),
    )


def _unbuildable(lists: Lists) -> Problem | None:
    """What is wrong with lists that are longer or wider than any network."""
    if len(lists.widths) <= MOST_STAGES and lists.widths[-1] <= LARGEST:
        return None
    message = (
        f"gives {len(lists.widths)} stages of {shortened(flow(lists.widths))} channels; "
        f"at most {MOST_STAGES} stages of {LARGEST:,} channels can be built"
    )
    return Problem("rule-of-stages", message, ("stages", "regnet"))


def _said_twice(field: str) -> Problem:
    return Problem(
        "said-twice",
        "is what `stages` gives; remove it, or write stages: null",
        (field,),
        others=(("stages",),),
        about_key=True,
        inherited=f"is inherited, and `stages` gives it, so write {field}: null",
        proposals=(*leave_out((field,)), *leave_out(("stages",))),
    )


def parse(source: Source) -> Plan:
    """What a source says of each stage. Raises SpecError with all that is wrong, placed."""
    if "choices" in source.root.value:
        raise source.refuse(Problem("space", SPACE, ("choices",), about_key=True))
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
    part = _part(frozenset(key for key in Spec.model_fields if key not in bad))
    known = {k: v for k, v in data.items() if k in part.model_fields}
    return cast(Spec, _Known(part.model_validate(known), bad))


@lru_cache(maxsize=64)  # who types makes the same mistake many times over
def _part(names: frozenset[str]) -> type[Model]:
    """The model of a spec that has these fields alone."""
    fields = {name: f for name, f in Spec.model_fields.items() if name in names}
    if len(fields) == len(Spec.model_fields):
        return Spec
    definitions: dict[str, Any] = {k: (f.annotation, f) for k, f in fields.items()}
    return create_model("Part", __base__=Model, **definitions)


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
