"""What a user is told about a mistake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from resnet_spec.problems.words import as_yaml

FieldPath = tuple[str | int, ...]
"""Where in a document a value stands: `("widths", 2)` is the third width."""


def dotted(path: FieldPath) -> str:
    """The path as one writes it.

    >>> dotted(("stem", "width")), dotted(("widths", 2))
    ('stem.width', 'widths[2]')
    """
    parts = (
        f"[{part}]"
        if isinstance(part, int)
        else f".{part if part.isprintable() else ascii(part)}"
        for part in path
    )
    return "".join(parts).removeprefix(".")


def without_indices(path: FieldPath) -> tuple[str, ...]:
    """The keys of the path, whichever entries of lists it leads to.

    >>> without_indices(("head", "pre", 2, "conv"))
    ('head', 'pre', 'conv')
    """
    return tuple(part for part in path if isinstance(part, str))


def nested(path: Sequence[str], value: Any) -> Any:
    """The value below its keys.

    >>> nested(("stem", "width"), 64)
    {'stem': {'width': 64}}
    """
    for key in reversed(path):
        value = {key: value}
    return value


def merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Put what is in the one into the other, mapping by mapping.

    >>> made = {"stem": {"width": 64}}
    >>> merge(made, {"stem": {"pool": "max"}, "groups": 2})
    >>> made
    {'stem': {'width': 64, 'pool': 'max'}, 'groups': 2}
    """
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


class Place(NamedTuple):
    """A file and, counted from 1, the line and column in it; line 0 is no line.

    `length` is the number of characters from there that are meant.
    """

    file: str
    line: int = 0
    column: int = 0
    length: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Proposal(NamedTuple):
    """What a message proposes: YAML for the value at each path, None to leave that out.

    Or the text that is written over the characters `at` a place, where what was meant as
    YAML is none.
    """

    fields: tuple[tuple[FieldPath, str | None], ...] = ()
    text: str = ""
    at: Place | None = None


def write(path: FieldPath, *values: Any) -> tuple[Proposal, ...]:
    """Proposals of one of the values at a path.

    >>> write(("block",), "basic")
    (Proposal(fields=((('block',), 'basic'),), text='', at=None),)
    """
    return tuple(Proposal(((path, as_yaml(value)),)) for value in values)


def leave_out(path: FieldPath) -> tuple[Proposal, ...]:
    """The proposal to say nothing at a path, or to take away what is inherited there."""
    return (Proposal(((path, None),)),)


class Problem(NamedTuple):
    """One mistake: what is wrong, what would be legal, and where it stands.

    `rule` names what is broken, as in the table of `rules`; `about_key` says that the key is
    wrong, whatever value it has; a `warning` is lawful and almost certainly a mistake.
    `others` are the other fields that it comes from: where the value at `path` is inherited,
    the problem is shown at one of those that is not, and says `inherited` where that is
    another message; `proposals` are what the message says to write, the likeliest first. A
    problem of a spec that stands in a file that it extends, or in an
    override, is `inherited_by` that spec, and `note` is said in addition.
    """

    rule: str
    message: str
    path: FieldPath = ()
    place: Place | None = None
    about_key: bool = False
    warning: bool = False
    inherited_by: str = ""
    note: str = ""
    others: tuple[FieldPath, ...] = ()
    inherited: str = ""
    proposals: tuple[Proposal, ...] = ()

    @property
    def file(self) -> str:
        """The file that a page of annotations has to open; an override is in the spec's."""
        place = self.place or Place("")
        return place.file if place.line else self.inherited_by or place.file

    @property
    def said(self) -> str:
        """The path and the message, without the place."""
        path = f"{dotted(self.path)}: " if self.path else ""
        return f"{path}{self.message}"

    def __str__(self) -> str:
        return f"{self.place}: {self.said}" if self.place else self.said


class SpecError(ValueError):
    """Raised for every mistake in a spec, with all the problems found.

    >>> print(SpecError(Problem("groups-divide", "64 is not divisible by 3", ("widths", 0))))
    widths[0]: 64 is not divisible by 3
    """

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class RunError(ValueError):
    """Why a training run cannot start or continue: one line, or several if names follow."""
