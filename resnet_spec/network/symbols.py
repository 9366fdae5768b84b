"""Numbers that know what they are called, so that source can be rolled up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from resnet_spec.network.record import Record


class Formula(NamedTuple):
    """How a number follows from another one: `width * 4`, `out_channels // 16`."""

    name: str
    operator: str
    by: int

    @property
    def is_same(self) -> bool:
        return self.operator == "*" and self.by == 1


class Number(int):
    """An int with a name and, where it follows from another Number, the formula for that.

    `of` is a number that this one is a multiple of; `over` is a number and what it is
    divided by, rounding down. Names are given on purpose: arithmetic on a Number gives a
    plain int. Equality and hash are the int's, so a set or a dict key may lose a name.

    >>> width = Number(64, "width")
    >>> Number(256, "out_channels", of=width).formula
    Formula(name='width', operator='*', by=4)
    >>> Number(4, "squeezed", over=(width, 16)).formula
    Formula(name='width', operator='//', by=16)
    """

    name: str
    formula: Formula | None

    def __new__(
        cls,
        value: int,
        name: str = "",
        of: int | None = None,
        over: tuple[int, int] | None = None,
    ) -> Number:
        number = super().__new__(cls, value)
        number.name = name
        number.formula = None
        if isinstance(of, Number) and value % of == 0:
            number.formula = Formula(of.name, "*", value // of)
        elif over and isinstance(over[0], Number) and value == over[0] // over[1]:
            operator = "//" if over[1] > 1 else "*"
            number.formula = Formula(over[0].name, operator, over[1])
        return number

    def renamed(self, name: str) -> Number:
        """The same number by another name."""
        number = Number(self, name)
        number.formula = self.formula
        return number


class Pair:
    """A height and a width, with a name as a Number has one.

    Where both are the same, it is equal to that number.

    >>> Pair(2, 1) == (2, 1), Pair(2, 1) == 2, Pair(1, 1) == 1
    (True, False, True)
    """

    formula = None

    def __init__(self, height: int, width: int, name: str = "") -> None:
        self.sides, self.name = (height, width), name

    def __eq__(self, other: object) -> bool:
        said = other.sides if isinstance(other, Pair) else other
        return said in (self.sides, plain(self))

    def __hash__(self) -> int:
        return hash(plain(self))

    def __repr__(self) -> str:
        return str(self.sides)


Stride = int | Pair  # of both sides, or of height and width


def sides(number: Stride) -> tuple[int, int]:
    """The number of height and that of width."""
    return number.sides if isinstance(number, Pair) else (number, number)


class Rate(float):
    """A probability that grows from block to block: `total * index / last`."""

    name = "drop_rate"
    formula = None
    total: float
    last: int

    def __new__(cls, total: float, index: int, last: int) -> Rate:
        rate = super().__new__(cls, total * index / last)
        rate.total, rate.last = total, last
        return rate


Named = Number | Pair | Rate


class Condition(NamedTuple):
    """Holds where any pair of numbers differs; reads `a != b or c != d`."""

    pairs: tuple[tuple[Stride, int], ...]

    @property
    def holds(self) -> bool:
        return any(a != b for a, b in self.pairs)


ALWAYS = Condition(((0, 1),))
NEVER = Condition(())


class Either(int):
    """`then` where a condition holds, `otherwise` elsewhere."""

    when: Condition
    then: int
    otherwise: int

    def __new__(cls, when: Condition, then: int, otherwise: int) -> Either:
        number = super().__new__(cls, then if when.holds else otherwise)
        number.when, number.then, number.otherwise = when, then, otherwise
        return number


class Quotient(int):
    """A number divided by another one, which reads `width // 16`."""

    number: int
    by: int

    def __new__(cls, number: int, by: int) -> Quotient:
        quotient = super().__new__(cls, number // by)
        quotient.number, quotient.by = number, by
        return quotient


class Maker(NamedTuple):
    """What makes a module of channels given later: `partial(nn.GroupNorm, 8)`.

    `module` is a class of torch.nn, as `nn.GroupNorm`, or of `resnet_spec.layers`.
    """

    module: str
    positional: tuple[Any, ...] = ()
    keywords: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        said = [repr(value) for value in self.positional]
        said += [f"{name}={value!r}" for name, value in self.keywords]
        return f"partial({', '.join([self.module, *said])})" if said else self.module


PLAIN = (int, float, bool, str, type(None))


def plain(value: Any) -> Any:
    """A value without its name: an int or two, a float, or whether a condition holds."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, Condition):
        return value.holds
    if isinstance(value, (Number, Either, Quotient)):
        return int(value)
    if isinstance(value, Pair):
        height, width = value.sides
        return height if height == width else (height, width)
    return float(value) if isinstance(value, Rate) else value


def named_numbers(part: Any) -> dict[str, Named]:
    """The named numbers in a part of a network; one name with two values is refused."""
    found: dict[str, Named] = {}
    for number in _found(part, (Number, Pair, Rate)):
        if number.name:
            known = found.setdefault(number.name, number)
            assert known == number, f"{number.name} is both {known} and {number}"
    return found


def conditions(part: Any) -> list[Condition]:
    """The conditions in a part of a network, in one order for all parts of its kind."""
    return list(_found(part, Condition))


def with_conditions(part: Any, change: Callable[[Condition], Condition]) -> Any:
    """The part with each of its conditions changed; what has none is kept as it is."""
    if type(part) in PLAIN:
        return part
    if isinstance(part, Condition):
        return change(part)
    if isinstance(part, Either):
        return Either(change(part.when), part.then, part.otherwise)
    if isinstance(part, tuple):
        items = [with_conditions(item, change) for item in part]
        if all(new is old for new, old in zip(items, part, strict=True)):
            return part
        return type(part)(*items) if hasattr(part, "_fields") else tuple(items)
    if isinstance(part, Record):
        values = part.values()
        made = {name: with_conditions(old, change) for name, old in values.items()}
        changed = {name: new for name, new in made.items() if new is not values[name]}
        return part.replace(**changed) if changed else part
    return part


def _found(part: Any, kind: type[Any] | tuple[type[Any], ...]) -> Iterator[Any]:
    if type(part) in PLAIN:
        return
    if isinstance(part, kind):
        yield part
    if isinstance(part, tuple):
        for item in part:
            yield from _found(item, kind)
    elif isinstance(part, Either):
        yield from _found(part.when, kind)
    elif isinstance(part, Quotient):
        yield from _found((part.number, part.by), kind)
    elif isinstance(part, Record):
        for value in part.values().values():
            yield from _found(value, kind)
