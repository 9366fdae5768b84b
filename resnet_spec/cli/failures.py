"""How a command prints, and how it fails."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from pathlib import Path
from typing import NoReturn, ParamSpec

import click

from resnet_spec.problems import Problem, RunError, SpecError

P = ParamSpec("P")


def reported(command: Callable[P, None]) -> Callable[P, None]:
    """The command with every foreseen failure as lines on stderr and status 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except SpecError as error:
            report_problems(error.problems)
            sys.exit(1)
        except (RunError, ImportError) as error:
            fail(str(error))

    return run


def fail(*lines: str) -> NoReturn:
    """Print the lines on stderr and exit with status 1."""
    for text in lines:
        click.echo(text, err=True)
    sys.exit(1)


def write_or_fail(file: Path, content: str | Iterable[bytes | memoryview]) -> None:
    """The content as the file, whole; where that fails, a line that says why."""
    from resnet_spec.output import write
    from resnet_spec.problems.words import reason

    try:
        write(file, content)
    except OSError as error:
        fail(f"{file}: cannot be written, {reason(error)}")


def report_problems(problems: Sequence[Problem]) -> None:
    """Print the problems on stderr, in color on a terminal that wants it."""
    if not problems:
        return
    from resnet_spec.problems import report

    def paint(text: str, color: str) -> str:
        plain = os.environ.get("NO_COLOR")
        return text if plain else click.style(text, fg=color, bold=True)

    click.echo(report.text(problems, paint), err=True, nl=False)


def put(text: str) -> None:
    """Print what programs read as they read files: in UTF-8, whatever a terminal has."""
    click.echo(text.encode("utf-8", "backslashreplace"), nl=False)
