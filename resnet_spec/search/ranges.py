"""What a space expects of its networks: each figure in a range."""

from __future__ import annotations

import re
from typing import NamedTuple

from resnet_spec.expansion import Total
from resnet_spec.language.yaml_nodes import Node
from resnet_spec.problems import Place, Problem, SpecError
from resnet_spec.problems.words import UNITS, describe, either, nearest

FIGURES = Total._fields
AMOUNT = r"([0-9]+(?:\.[0-9]+)?) ?([kKMGTP]?)"
UP_TO = re.compile(rf"<= ?{AMOUNT}")
AT_LEAST = re.compile(rf">= ?{AMOUNT}")
BETWEEN = re.compile(rf"{AMOUNT} ?\.\. ?{AMOUNT}")
EXAMPLE = 'as "<= 1M", ">= 500k" or "100M .. 200M"'


class Range(NamedTuple):
    """The least and the most of a figure, both allowed, and where that is written."""

    figure: str
    least: float
    most: float
    place: Place

    def holds(self, figures: Total) -> bool:
        found: int = getattr(figures, self.figure)
        return self.least <= found <= self.most


def ranges_of(node: Node) -> list[Range]:
    """The ranges of `expect`. Raises SpecError with all that is none."""
    if not isinstance(node.value, dict):
        message = f"must be a mapping of {either(FIGURES)} to a range, {EXAMPLE}"
        raise SpecError(Problem("range", message, ("expect",), node.place))
    found: list[Range] = []
    problems: list[Problem] = []
    for name, said in node.value.items():
        path = ("expect", name)
        if name not in FIGURES:
            hint = (
                nearest(name, FIGURES) or f"; a space has ranges of {either(FIGURES)}"
            )
            message = f"unknown key{hint}"
            problems.append(Problem("unknown-key", message, path, said.key))
        elif (limits := _limits(said.value)) is None:
            message = (
                f"must be a number or a range, {EXAMPLE}, got {describe(said.data)}"
            )
            problems.append(Problem("range", message, path, said.place))
        elif limits[0] > limits[1]:
            message = f"is empty, for {said.value} goes down"
            problems.append(Problem("range", message, path, said.place))
        else:
            found.append(Range(name, *limits, said.place))
    if problems:
        raise SpecError(*problems)
    return found


def _limits(value: object) -> tuple[float, float] | None:
    """The least and the most that a range says; None where it is none."""
    if type(value) is int:
        return value, value
    text = value if isinstance(value, str) else ""
    if match := UP_TO.fullmatch(text):
        return 0, _amount(*match.groups())
    if match := AT_LEAST.fullmatch(text):
        return _amount(*match.groups()), float("inf")
    if match := BETWEEN.fullmatch(text):
        number, unit, *most = match.groups()
        return _amount(number, unit), _amount(*most)
    return None


def _amount(number: str, unit: str) -> float:
    return float(number) * UNITS.get(unit, 1.0)
