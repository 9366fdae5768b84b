"""The command that prints a network as a table: summary."""

from __future__ import annotations

from typing import Any

import click

from resnet_spec.cli.common import SET, report_problems, reported
from resnet_spec.compiler import load


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
    from resnet_spec.emit import table

    compiled = load(spec, dict(overrides))
    report_problems(compiled.warnings)
    click.echo(table.summary(compiled.network), nl=False)
