"""The command that says what a network costs: cost."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from resnet_spec.cli.common import Outcome, compiling
from resnet_spec.cli.failures import report_problems
from resnet_spec.emit.cost.tools import TOOLS

if TYPE_CHECKING:
    from resnet_spec.emit.cost.roofline import Machine

UNITS = {"": 1, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
TYPES = ("float32", "float16", "bfloat16", "float64", "int8")


def _rate(
    context: click.Context, option: click.Parameter, text: str | None
) -> float | None:
    """`100T` -> 1e14"""
    if text is None:
        return None
    number, unit = (text[:-1], text[-1]) if text[-1:] in UNITS else (text, "")
    try:
        value = float(number) * UNITS[unit]
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        message = (
            f"must be a number with k, M, G, T or P behind it, as 100T, got {text!r}"
        )
        raise click.BadParameter(message, context, option)
    return value


@click.command()
@click.option(
    "--batch",
    default=1,
    show_default=True,
    type=click.IntRange(1, 10**6),
    help="Images.",
)
@click.option(
    "--dtype",
    type=click.Choice(TYPES),
    default="float32",
    show_default=True,
    help="Of the weights.",
)
@click.option(
    "--flops", callback=_rate, metavar="RATE", help="Of the machine, as 100T."
)
@click.option("--bandwidth", callback=_rate, metavar="RATE", help="Bytes, as 900G.")
@click.option(
    "--as", "tool", type=click.Choice(list(TOOLS)), help="Print the integer of a tool."
)
@click.option(
    "--reconcile", is_flag=True, help="From plain MACs to each tool's figure."
)
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON.")
@compiling
def cost(  # noqa: PLR0913  # an option each
    outcome: Outcome,
    batch: int,
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

    if tool and (reconcile or as_json):
        raise click.UsageError("--as goes without --reconcile and --json.")
    if bool(flops) != bool(bandwidth):
        raise click.UsageError("A time needs both --flops and --bandwidth.")
    machine = _machine(flops, bandwidth)
    report_problems(outcome.problems)
    texts = []
    found = {}
    for job in outcome.jobs:
        network = job.network
        if tool:
            asked = TOOLS[tool]
            figure = costs(network, batch).get(asked.figure)
            said = asked.said(batch)
            texts.append(
                f"{int(figure)}  {said}\n" if figure is not None else f"none  {said}\n"
            )
        elif as_json:
            facts = report.facts(network, batch, dtype, machine)
            found[network.name] = facts | {"tools": costs(network, batch)}
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


def _machine(flops: float | None, bandwidth: float | None) -> Machine | None:
    from resnet_spec.emit.cost.roofline import Machine

    return Machine(flops, bandwidth) if flops and bandwidth else None
