"""The command that prints networks as tables: summary."""

from __future__ import annotations

import sys

import click

from resnet_spec.cli.common import FEATURES, Outcome, compiling
from resnet_spec.cli.failures import report_problems


@click.command()
@FEATURES
@compiling
def summary(outcome: Outcome, features: object) -> None:  # noqa: ARG001  # of `compiling`
    """Print each SPEC as a table, one row a stage, for one image of the stated input.

    \b
    resnet-spec summary specs/resnet50.yaml
    resnet-spec summary specs/resnet50.yaml --set 'input=[3,64,64]'
    resnet-spec summary resnet50 resnet50d --features 2,3,4
    """
    from shutil import get_terminal_size

    from resnet_spec.emit import table

    report_problems(outcome.problems)
    width = get_terminal_size((0, 0)).columns  # 0 where it goes to a file or a program
    tables = (table.summary(job.network, width) for job in outcome.jobs)
    click.echo("\n\n".join(tables), nl=False)
    if outcome.fails:
        sys.exit(1)
