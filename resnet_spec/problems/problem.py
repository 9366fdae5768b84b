"""What a user is told about a mistake."""

from __future__ import annotations

from typing import NamedTuple

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


class Problem(NamedTuple):
    """One mistake: what is wrong, what would be legal, and where it stands.

    `rule` names what is broken, as in the table of `rules`; `about_key` says that the key is
    wrong, whatever value it has; a `warning` is lawful and almost certainly a mistake. A
    problem of a spec that stands in a file that it extends is `inherited_by` that spec, and
    `note` is said in addition. Two values that do not go together have two places, and
    `otherwise` is the path of the second one and the message there: it is shown where the
    first is inherited.
    """

    rule: str
    message: str
    path: FieldPath = ()
    place: Place | None = None
    about_key: bool = False
    warning: bool = False
    inherited_by: str = ""
    note: str = ""
    otherwise: tuple[FieldPath, str] | None = None

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
