"""The command that prints the maps that a decoder can be built on: features."""

from __future__ import annotations

import sys

import click

from resnet_spec.cli.common import INPUT, Outcome, compiling
from resnet_spec.cli.failures import report_problems
from resnet_spec.language.shipped import shown


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@INPUT
@compiling
def features(outcome: Outcome, as_json: bool) -> None:
    """Print the maps of the stem and stages of each SPEC, a line each.

    \b
    resnet-spec features resnet50
    resnet-spec features resnet50 --input 3,512,512 --json
    """
    from resnet_spec.emit import features

    report_problems(outcome.problems)
    if as_json:
        import json

        found = {
            shown(job.spec.file): [
                map_.facts() for map_ in features.features(job.network)
            ]
            for job in outcome.jobs
        }
        click.echo(json.dumps(found, indent=2))
    else:
        tables = (features.table(job.network) for job in outcome.jobs)
        click.echo("\n\n".join(tables), nl=False)
    if outcome.fails:
        sys.exit(1)
