"""The command that prints a network as a table: summary."""

from __future__ import annotations

from typing import Any

import click

from resnet_spec.cli.common import SET, SPEC
from resnet_spec.cli.failures import report_problems, reported
from resnet_spec.compiler import load


@click.command()
@SPEC
@SET
@reported
def summary(spec: str, overrides: tuple[tuple[str, Any], ...]) -> None:
    """Print SPEC as a table, one row a stage, for one image of the stated input.

    \b
    resnet-spec summary specs/resnet50.yaml
    resnet-spec summary specs/resnet50.yaml --set 'input=[3,64,64]'
    """
    from shutil import get_terminal_size

    from resnet_spec.emit import table

    compiled = load(spec, dict(overrides))
    report_problems(compiled.warnings)
    width = get_terminal_size((0, 0)).columns  # 0 where it goes to a file or a program
    click.echo(table.summary(compiled.network, width), nl=False)
