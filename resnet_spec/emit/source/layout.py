"""Lines that a formatter leaves as they are.

ruff and black keep a call on one line where it fits, else put the arguments on the next
line, else one on each (https://docs.astral.sh/ruff/formatter/). So do these functions.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import NamedTuple

LINE = 88  # characters, the default of ruff and black


class Call(NamedTuple):
    """A call to print. `exploded` has one argument on each line, whatever its length."""

    name: str
    args: tuple[str | Call, ...]
    exploded: bool = False

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.args))})"


def layout(before: str, call: Call, after: str = "", column: int = 0) -> str:
    """`before` call `after` from the given column on, broken where it must be.

    >>> print(layout("x = ", Call("f", ("a", "b")), column=80))
    x = f(
        a, b
    )
    """
    if not call.exploded:
        if column + len(f"{before}{call}{after}") <= LINE:
            return f"{before}{call}{after}"
        inside = ", ".join(map(str, call.args))
        if column + 4 + len(inside) <= LINE:
            return f"{before}{call.name}(\n    {inside}\n){after}"
    lines = (_argument(arg, column + 4) for arg in call.args)
    return "\n".join([f"{before}{call.name}(", *lines, f"){after}"])


def _argument(arg: str | Call, column: int) -> str:
    text = layout("", arg, ",", column) if isinstance(arg, Call) else f"{arg},"
    return indented(text)


def mapping(before: str, items: Mapping[str, object], column: int) -> str:
    """`before` and a dict with text for keys: on one line, else with a line for each key.

    >>> print(mapping("x = ", {"a": 1, "b": 2}, column=80))
    x = {
        "a": 1,
        "b": 2,
    }
    """
    entries = [f'"{key}": {value}' for key, value in items.items()]
    line = f"{before}{{{', '.join(entries)}}}"
    if column + len(line) <= LINE:
        return line
    return "\n".join([f"{before}{{", *(f"    {entry}," for entry in entries), "}"])


def comprehension(call: Call, loop: str, column: int) -> str:
    """`*(call loop),` as an argument on lines of its own."""
    one_line = f"*({call} {loop}),"
    if column + len(one_line) <= LINE:
        return one_line
    return f"*(\n{indented(layout('', call, column=column + 4))}\n    {loop}\n),"


def indented(text: str) -> str:
    return textwrap.indent(text, "    ")


def docstring(text: str, more: str = "", column: int = 4) -> str:
    """The text between quotes, followed by more: on one line where both fit.

    >>> print(docstring("Stack blocks.", "The first one strides."))
    \"""Stack blocks. The first one strides.\"""
    """
    whole = f"{text} {more}".strip()
    if column + 6 + len(whole) <= LINE:
        return f'"""{whole}"""'
    if more and column + 3 + len(text) <= LINE:
        return f'"""{text}\n\n{filled(more, LINE - column)}\n"""'
    return f'"""{filled(whole, LINE - column - 6)}\n"""'


def comment(text: str, column: int) -> str:
    """The text as a comment, on as many lines as it needs.

    >>> print(comment("Where the shape changes.", column=66))
    # Where the shape
    # changes.
    """
    return textwrap.indent(filled(text, LINE - column - 2), "# ")


def filled(text: str, length: int = LINE) -> str:
    """The text in lines of at most that many characters, where its words allow it."""
    lines = textwrap.wrap(text, length, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines)
