"""The command that only looks for mistakes: check."""

from __future__ import annotations

import sys

import click

from resnet_spec.cli.common import Outcome, compiling, line
from resnet_spec.cli.failures import put, report_problems
from resnet_spec.language.shipped import shown
from resnet_spec.network import Network
from resnet_spec.problems import report


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
            click.echo(line(shown(job.spec.file), job.network))
    elif form == "json":
        networks = [_facts(shown(job.spec.file), job.network) for job in outcome.jobs]
        put(report.as_json(outcome.problems, networks))
    else:
        put(report.FORMATS[form](outcome.problems))
    if outcome.fails:
        sys.exit(1)


def _facts(name: str, network: Network) -> dict[str, object]:
    """The figures of a network, as plain data."""
    from resnet_spec.emit.listing import listed

    about: dict[str, object] = {"class": network.name, "title": network.title}
    return about | listed(name, network)._asdict()
