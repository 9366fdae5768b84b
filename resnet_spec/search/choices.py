"""What stands under a key of `choices`: which fields it chooses, and of what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from resnet_spec.language.plan import PER_STAGE
from resnet_spec.language.yaml_nodes import Node
from resnet_spec.problems import Place, Problem, SpecError
from resnet_spec.problems.words import describe, either, flow, nearest, together
from resnet_spec.search.fields import fields_of, wrong

ONE_FOR_ALL = ("name", "title", "paper", "expect", "extends", "choices")
"""The keys of which a point cannot have another value: each has a name of its own."""
KEYS = {
    "from": ("from", "to", "step"),
    "each": ("each",),
    "stages": ("stages",),
    "same": ("same", "times"),
}
FORMS = (*KEYS,)
EXAMPLE = "as [16, 32] or {from: 1, to: 18}"
MOST_ALTERNATIVES = 100_000


class Axis(NamedTuple):
    """What is chosen by itself: for each alternative, the value of each of the fields.

    Of one stage's entries where `stage` is its number, from 0 on.
    """

    fields: tuple[str, ...]
    stage: int | None
    alternatives: tuple[tuple[Node, ...], ...]


class Choice(NamedTuple):
    """The axes of a key, and its place: one, or one for each stage."""

    place: Place
    axes: tuple[Axis, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        return self.axes[0].fields

    def values(self, digits: Sequence[int]) -> dict[str, Node]:
        """The value of each field, by the alternative that is taken of each axis."""
        taken = [
            axis.alternatives[i] for axis, i in zip(self.axes, digits, strict=True)
        ]
        if self.axes[0].stage is None:
            return dict(zip(self.fields, taken[0], strict=True))
        (field,) = self.fields
        return {field: Node([node for (node,) in taken], self.place)}


def choices_of(node: Node, stages: int | None) -> list[Choice]:
    """The choices of a space, whose networks have so many stages, where that is known.

    Raises SpecError with what is wrong in each of them.
    """
    if not isinstance(node.value, dict) or not node.value:
        got = "nothing" if node.value == {} else describe(node.data)
        message = f"needs a field with what it may be, as widths: {{each: [16, 32]}}, got {got}"
        raise SpecError(Problem("choices", message, ("choices",), node.place))
    found: list[Choice] = []
    problems: list[Problem] = []
    for key, chosen in node.value.items():
        try:
            found.append(_Key(key, chosen, stages).choice())
        except SpecError as error:
            problems += error.problems
    if problems := [*problems, *_contradictions(found)]:
        raise SpecError(*problems)
    return found


def _contradictions(choices: Sequence[Choice]) -> Iterator[Problem]:
    """Fields that are chosen twice, or inside of one that is."""
    each = [(field, choice) for choice in choices for field in choice.fields]
    for (one, _), (other, choice) in combinations(each, 2):
        if f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}."):
            why = "twice" if one == other else f"and so is {one}"
            message = f"{other} is chosen {why}; choose them under one key, as `a, b`"
            yield Problem("choices", message, ("choices",), choice.place)


class _Key(NamedTuple):
    """A key of `choices`, what stands under it, and how many stages there are."""

    key: str
    node: Node
    stages: int | None

    @property
    def place(self) -> Place:
        return self.node.key or self.node.place

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(field.strip() for field in self.key.split(","))

    def refused(self, message: str, place: Place | None = None) -> SpecError:
        path = ("choices", self.key)
        return SpecError(Problem("choices", message, path, place or self.place))

    def choice(self) -> Choice:
        for field in self.fields:
            self.known(field)
        axes = tuple(self.axes())
        for axis in axes:
            self.check(axis)
        return Choice(self.place, axes)

    def known(self, field: str) -> None:
        """Refuses what is no field of the language, or what a point cannot choose."""
        path = tuple(field.split("."))
        what = f"{field} " * bool(self.fields[1:])
        if path[0] in ONE_FOR_ALL:
            message = f"{what}is one for the whole space, and cannot be chosen"
            raise self.refused(message)
        for i, name in enumerate(path):
            known = fields_of(path[:i])
            if name not in known:
                hint = nearest(name, known) or f"; known here: {', '.join(known)}"
                message = f"{what}is no field of a spec{hint if known else ''}"
                raise self.refused(message)

    def axes(self) -> Iterator[Axis]:
        """The axes that the form of what is chosen has."""
        form = self.form(self.node, FORMS)
        inner = (
            self.node.value[form] if form in ("each", "stages", "same") else self.node
        )
        if form in ("each", "stages") and self.fields[1:]:
            raise self.refused(f"`{form}` is of one field, got {together(self.fields)}")
        if form in ("each", "stages") and self.fields[0] not in PER_STAGE:
            message = f"is one for all stages, so it has no `{form}`"
            raise self.refused(message)
        if form == "each":
            one = self.wrapped(self.alternatives(inner))
            yield from (Axis(self.fields, i, one) for i in range(self.count(form)))
        elif form == "stages":
            if not isinstance(inner.value, list) or not inner.value:
                message = f"must be a list with an entry for each stage, {EXAMPLE}"
                raise self.refused(message, inner.place)
            if len(inner.value) != (self.stages or len(inner.value)):
                message = f"has {len(inner.value)} stages, and the space {self.stages}"
                raise self.refused(message, inner.place)
            for i, entry in enumerate(inner.value):
                yield Axis(self.fields, i, self.wrapped(self.alternatives(entry)))
        elif form == "same":
            times = self.times()
            nodes = [self.scaled(times, node) for node in self.alternatives(inner)]
            yield Axis(self.fields, None, self.split(nodes))
        else:
            yield Axis(self.fields, None, self.split(self.alternatives(inner)))

    def form(self, node: Node, forms: Sequence[str]) -> str:
        """The key by which a mapping is known; `list` for a list."""
        if isinstance(node.value, list):
            return "list"
        keys = node.value if isinstance(node.value, dict) else ()
        said = [form for form in forms if form in keys]
        if len(said) != 1:
            message = (
                f"must be a list, or a mapping with {either(forms)}, {EXAMPLE}, got "
                f"{flow(node.data) if isinstance(node.value, dict) else describe(node.data)}"
            )
            raise self.refused(message, node.place)
        (form,) = said
        for name, value in node.value.items():
            if name not in KEYS[form]:
                hint = nearest(name, KEYS[form])
                message = f"{name} is unknown beside {form}{hint}"
                raise self.refused(message, value.key)
        return form

    def alternatives(self, node: Node) -> list[Node]:
        """Those of a list or a range of integers: one at least, and none twice."""
        if self.form(node, FORMS[:1]) == "from":
            return self.range(node)
        if not node.value:
            raise self.refused("has nothing to choose from; write an entry", node.place)
        found: list[Node] = []
        for entry in node.value:
            if any(_same(entry.data, other.data) for other in found):
                message = f"has {describe(entry.data)} twice"
                raise self.refused(message, entry.place)
            found.append(entry)
        return found

    def range(self, node: Node) -> list[Node]:
        """`{from: 1, to: 9, step: 2}`, of which the last is part."""
        said = {name: value.data for name, value in node.value.items()}
        numbers = {"step": 1, **said}
        if set(numbers) != {"from", "to", "step"} or {*map(type, numbers.values())} != {
            int
        }:
            message = f"must have whole numbers under from and to, {EXAMPLE}"
            raise self.refused(message, node.place)
        first, last, step = (numbers[name] for name in ("from", "to", "step"))
        if step < 1 or last < first:
            message = f"has nothing from {first} to {last} by steps of {step}"
            raise self.refused(message, node.place)
        if (last - first) // step >= MOST_ALTERNATIVES:
            message = f"has more than {MOST_ALTERNATIVES:,} numbers"
            raise self.refused(message, node.place)
        return [Node(i, node.place) for i in range(first, last + 1, step)]

    def count(self, form: str) -> int:
        if self.stages is None:
            message = (
                f"`{form}` needs the number of stages, which nothing says; write `stages` with "
                "an entry for each"
            )
            raise self.refused(message)
        return self.stages

    def times(self) -> Any:
        """What `same` is multiplied by: 1 in each stage where nothing is said."""
        said = self.node.value.get("times")
        if said is None and self.fields[1:]:
            message = "needs `times` with an entry for each field, as [1, [1, 2, 4]]"
            raise self.refused(message)
        if said is None:
            return [1] * self.count("same")
        if not _numbers(said.data):
            message = f"must be whole numbers, as [1, 2, 4], got {describe(said.data)}"
            raise self.refused(message, said.place)
        return said.data

    def scaled(self, times: Any, node: Node) -> Node:
        """The times a number: [16, 32, 64] for [1, 2, 4] and 16."""
        if type(node.value) is not int:
            if times == [1] * len(times):
                return Node([node] * len(times), node.place)
            message = (
                f"is multiplied, so it must be an integer, got {describe(node.data)}"
            )
            raise self.refused(message, node.place)

        def made(by: Any) -> Node:
            if isinstance(by, list):
                return Node([*map(made, by)], node.place)
            return Node(by * node.value, node.place)

        return made(times)

    def wrapped(self, nodes: Sequence[Node]) -> tuple[tuple[Node, ...], ...]:
        return tuple((node,) for node in nodes)

    def split(self, nodes: Sequence[Node]) -> tuple[tuple[Node, ...], ...]:
        """The value of each field in each alternative; several fields have a list of them."""
        if not self.fields[1:]:
            return self.wrapped(nodes)
        for node in nodes:
            if not isinstance(node.value, list) or len(node.value) != len(self.fields):
                message = (
                    f"must be a list with a value for each of {together(self.fields)}, got "
                    f"{describe(node.data)}"
                )
                raise self.refused(message, node.place)
        return tuple(tuple(node.value) for node in nodes)

    def check(self, axis: Axis) -> None:
        """Refuses an alternative that its field does not take, whatever else is chosen."""
        found: dict[Place | None, Problem] = {}
        for values in axis.alternatives:
            for field, node in zip(axis.fields, values, strict=True):
                if node.value is None and field != "depths":
                    continue
                said = node if axis.stage is None else Node([node], node.place)
                for problem in wrong(field, said):
                    found.setdefault(problem.place, problem)
        if found:
            raise SpecError(*found.values())


def _numbers(value: Any) -> bool:
    """Whether it is a list of whole numbers above zero, or of such lists."""
    if not isinstance(value, list) or not value:
        return False
    return all((type(v) is int and v > 0) or _numbers(v) for v in value)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are one; 1 and true are two."""
    return repr(one) == repr(other)
