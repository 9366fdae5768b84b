"""Commands that look and write nothing: check, summary, explain."""

from __future__ import annotations

import sys
from typing import Any

import click

from resnet_spec import report
from resnet_spec.cli.common import (
    SET,
    Outcome,
    compiling,
    line,
    report_problems,
    reported,
)
from resnet_spec.compiler import load


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(list(report.FORMATS)),
    default="text",
    show_default=True,
    help="For people, for programs, for GitHub's annotations, for code scanning.",
)
@compiling
def check(outcome: Outcome, form: str) -> None:
    """Look for mistakes in each SPEC; print all of them, with their places.

    \b
    resnet-spec check specs
    resnet-spec check specs --strict --format sarif > resnet-spec.sarif
    """
    if form == "text":
        report_problems(outcome.problems)
        for job in outcome.jobs:
            click.echo(line(job.spec.file, job.network))
    else:
        click.echo(report.FORMATS[form](outcome.problems), nl=False)
    if outcome.fails:
        sys.exit(1)


@click.command()
@click.argument("spec", type=click.Path())
@SET
@reported
def summary(spec: str, overrides: tuple[tuple[str, Any], ...]) -> None:
    """Print SPEC as a table, one row a stage, for one image of the stated input.

    \b
    resnet-spec summary specs/resnet50.yaml
    resnet-spec summary specs/resnet50.yaml --set input=[3,64,64]
    """
    from resnet_spec import tables

    compiled = load(spec, dict(overrides))
    report_problems(compiled.warnings)
    click.echo(tables.summary(compiled.network), nl=False)


@click.command()
@click.argument("spec", type=click.Path())
@click.option("--plain", is_flag=True, help="Leave out where each value comes from.")
@SET
@reported
def explain(spec: str, plain: bool, overrides: tuple[tuple[str, Any], ...]) -> None:
    """Print SPEC whole: all that it extends and all defaults, and whence each value comes.

    \b
    resnet-spec explain specs/wide_resnet50_2.yaml
    resnet-spec explain specs/resnet101.yaml --plain > whole.yaml
    """
    from resnet_spec import explain as explanation

    compiled = load(spec, dict(overrides))
    text = explanation.explain(compiled.source, compiled.spec, plain)
    click.echo(text, nl=False)
