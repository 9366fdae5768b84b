"""The command that says what a network is, to compare: digest."""

from __future__ import annotations

import sys

import click

from resnet_spec.cli.common import FEATURES, Outcome, compiling
from resnet_spec.cli.failures import report_problems
from resnet_spec.network import Digests

COLUMNS = ("parameters", *Digests._fields, "fingerprint")


@click.command()
@FEATURES
@compiling
def digest(outcome: Outcome, features: object) -> None:  # noqa: ARG001  # of `compiling`
    """Print what each SPEC's network is, as digests: equal where two networks are.

    Equal layout: the weights of one load into the other. Equal function: they then compute
    the same in evaluation. Training and init are of dropout, momentum and frozen norms, and
    of how weights start; image is of the input's size. The fingerprint is of all of them.

    \b
    resnet-spec digest resnet50 v1/resnet50_v1
    resnet-spec digest resnet50 --set width_per_group=64
    """
    report_problems(outcome.problems)
    if outcome.fails:
        sys.exit(1)
    names = [str(job.spec.name.with_suffix("")) for job in outcome.jobs]
    width = max(map(len, ("spec", *names)))
    rows = [("spec", *COLUMNS)]
    for name, job in zip(names, outcome.jobs, strict=True):
        found = job.network.digests
        rows.append((name, str(job.network.params), *found, found.fingerprint))
    for first, params, *more in rows:
        click.echo(
            "  ".join([f"{first:{width}}", f"{params:>10}", *_columns(more)]).rstrip()
        )


def _columns(cells: list[str]) -> list[str]:
    return [f"{cell:12}" for cell in cells]
