"""Numbers that know what they are called, so that source can be rolled up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple


class Number(int):
    """An int with a name and, where it follows from another Number, the rule for that.

    Names are given on purpose: arithmetic on a Number gives a plain int. Equality and hash
    are the int's, so a set or a dict key may lose a name.

    >>> width = Number(64, "width")
    >>> Number(256, "out_channels", of=width).rule
    ('width', 4)
    """

    name: str
    rule: tuple[str, int] | None  # the other's name, and this one over it

    def __new__(cls, value: int, name: str = "", of: int | None = None) -> Number:
        number = super().__new__(cls, value)
        number.name = name
        number.rule = None
        if isinstance(of, Number) and value % of == 0:
            number.rule = (of.name, value // of)
        return number


class Condition(NamedTuple):
    """Holds where any pair of numbers differs; reads `a != b or c != d`."""

    pairs: tuple[tuple[int, int], ...]

    @property
    def holds(self) -> bool:
        return any(a != b for a, b in self.pairs)


def named_numbers(part: Any) -> dict[str, Number]:
    """The named numbers in a part of a network; one name with two values is refused."""
    found: dict[str, Number] = {}
    for number in _numbers(part):
        if number.name:
            known = found.setdefault(number.name, number)
            assert known == number, f"{number.name} is both {known} and {number}"
    return found


def _numbers(part: Any) -> Iterator[Number]:
    if isinstance(part, Number):
        yield part
    elif isinstance(part, tuple):
        for item in part:
            yield from _numbers(item)
    elif is_dataclass(part):
        for field in fields(part):
            yield from _numbers(getattr(part, field.name))
