"""What numbers and conditions read as, where some names are in force."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from resnet_spec.network import (
    ALWAYS,
    NEVER,
    Condition,
    Either,
    Maker,
    Number,
    Pair,
    Quotient,
    Rate,
    Stride,
    plain,
)


class Scope(NamedTuple):
    """The names in force, each with the text that gives its value."""

    names: Mapping[str, str]

    def text(self, value: Any) -> str:
        """A number by its name where that is in force, else as a literal."""
        if isinstance(value, Condition):
            return self.condition(value)
        if isinstance(value, Maker):
            return str(value)
        if isinstance(value, Either):
            return self._either(value)
        if isinstance(value, Quotient):
            number = self.text(value.number)
            by = self.text(value.by)
            if number.isdigit():
                return str(int(value))
            return number if by == "1" else f"{number} // {by}"
        if isinstance(value, (Number, Pair, Rate)) and value.name in self.names:
            return self.names[value.name]
        if isinstance(value, str):
            return json.dumps(value)  # quoted as code is
        return repr(plain(value))

    def _either(self, value: Either) -> str:
        if value.when in (ALWAYS, NEVER):
            return str(value.then if value.when.holds else value.otherwise)
        return f"{value.then} if {self.condition(value.when)} else {value.otherwise}"

    def condition(self, when: Condition) -> str:
        """`stride != 1 or in_channels != width`"""
        if when in (ALWAYS, NEVER):
            return str(when.holds)
        return " or ".join(self._differ(a, b) for a, b in when.pairs)

    def agreement(self, when: Condition) -> str:
        """`stride == 1 and in_channels == width`, where the condition does not hold."""
        differ = (self._differ(a, b) for a, b in when.pairs)
        return " and ".join(text.replace(" != ", " == ") for text in differ)

    def _differ(self, a: Stride, b: int) -> str:
        """`stride != 1`, or of a height and a width `stride != (1, 1)`."""
        if not b:
            return self.text(a)
        other = str((b, b)) if isinstance(a, Pair) else self.text(b)
        return f"{self.text(a)} != {other}"
