"""The command that explains a rule: rule."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import TextWrapper, indent, wrap
from typing import TYPE_CHECKING

import click

from resnet_spec.cli.failures import fail, put, reported
from resnet_spec.compiler import load
from resnet_spec.problems import Problem, SpecError, report
from resnet_spec.problems.words import nearest

if TYPE_CHECKING:
    from resnet_spec.problems.rules import Rule

WIDTH = 92  # columns of prose and of reports


def _complete(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    from resnet_spec.problems.rules import RULES

    return [name for name in RULES if name.startswith(begun)]


@click.command()
@click.argument("name", required=False, shell_complete=_complete)
@click.option("--markdown", is_flag=True, help="Print the page of all, docs/rules.md.")
@reported
def rule(name: str | None, markdown: bool) -> None:
    """Explain the rule NAME, with a spec that breaks it, what that prints, and the fix.

    Without NAME, list all rules. Reports have their names in brackets.

    \b
    resnet-spec rule
    resnet-spec rule stage-count
    """
    from resnet_spec.problems import reference
    from resnet_spec.problems.rules import RULES

    if markdown and name:
        raise click.UsageError("--markdown prints all rules, and takes no NAME")
    if markdown:
        put(reference.markdown())
    elif name is None:
        longest = max(map(len, RULES))
        for known, found in RULES.items():
            click.echo(f"{known:{longest}}  {found.summary}")
    elif name in RULES:
        click.echo("\n\n".join(_parts(name, RULES[name])))
    else:
        hint = nearest(name, RULES) or "; `resnet-spec rule` lists all"
        fail(f"{name} is not a rule{hint}")


def _parts(name: str, rule: Rule) -> Iterator[str]:
    yield f"{name}: {rule.summary}"
    yield "\n".join(wrap(rule.explanation, WIDTH))
    if rule.wrong:
        yield f"Wrong:\n\n{_shown(rule.wrong)}"
        yield f"It prints:\n\n{_shown(_printed(rule.wrong))}"
        yield f"Right:\n\n{_shown(rule.right)}"


def _shown(text: str) -> str:
    return indent(text.rstrip("\n"), "    ")


def _printed(spec: str) -> str:
    """What `check` prints of a spec, its longest lines on several."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "wrong.yaml")
        file.write_text(spec, encoding="utf-8")
        text = report.text(_problems(file)).replace(f"{folder}{os.sep}", "")
    folded = TextWrapper(WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join(chain.from_iterable(map(folded.wrap, text.splitlines())))


def _problems(file: Path) -> Sequence[Problem]:
    try:
        return load(file).warnings
    except SpecError as error:
        return error.problems
