"""The command that says what a network costs: cost."""

from __future__ import annotations

import sys

import click

from resnet_spec.cli.common import (
    BANDWIDTH,
    BATCH,
    FLOPS,
    INPUT,
    Outcome,
    compiling,
    machine_of,
)
from resnet_spec.cli.failures import report_problems
from resnet_spec.emit.cost.tools import TOOLS
from resnet_spec.language.shipped import shown

TYPES = ("float32", "float16", "bfloat16", "float64", "int8")


@click.command()
@BATCH
@INPUT
@click.option(
    "--dtype",
    type=click.Choice(TYPES),
    default="float32",
    show_default=True,
    help="Of the weights.",
)
@FLOPS
@BANDWIDTH
@click.option(
    "--as",
    "tool",
    type=click.Choice(list(TOOLS)),
    help="Print the integer that it returns.",
)
@click.option(
    "--reconcile", is_flag=True, help="From plain MACs to each tool's figure."
)
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON.")
@compiling
def cost(  # noqa: PLR0913  # an option each
    outcome: Outcome,
    batch: int | None,
    dtype: str,
    flops: float | None,
    bandwidth: float | None,
    tool: str | None,
    reconcile: bool,
    as_json: bool,
) -> None:
    """Say what each SPEC costs: parameters, MACs, memory, and by the rules of each tool.

    \b
    resnet-spec cost resnet50 --batch 32 --flops 20T --bandwidth 900G
    resnet-spec cost resnet50 --as fvcore
    resnet-spec cost resnext50_32x4d --reconcile
    """
    from resnet_spec.emit.cost import costs, report

    if bool(tool) + reconcile + as_json > 1:
        raise click.UsageError("--as, --reconcile and --json exclude each other")
    machine = machine_of(flops, bandwidth)
    if machine and (tool or reconcile):
        raise click.UsageError("--as and --reconcile count, and give no time")
    batch = batch or 1
    report_problems(outcome.problems)
    texts = []
    found = {}
    for job in outcome.jobs:
        network, name = job.network, shown(job.spec.file)
        if tool:
            of = f", {name}" * (len(outcome.jobs) > 1)
            figure = costs(network, batch).get(TOOLS[tool].figure, "none")
            texts.append(f"{figure}  {TOOLS[tool].said(batch)}{of}\n")
        elif as_json:
            facts = report.facts(network, batch, dtype, machine)
            found[name] = facts | {"tools": costs(network, batch)}
        elif reconcile:
            texts.append(report.reconciliation(network, batch))
        else:
            texts.append(report.text(network, batch, dtype, machine))
    if as_json:
        import json

        click.echo(json.dumps(found, indent=2))
    click.echo(("" if tool else "\n\n").join(texts), nl=False)
    if outcome.fails:
        sys.exit(1)
