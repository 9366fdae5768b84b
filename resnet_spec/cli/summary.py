"""The command that prints networks as tables: summary."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

import click

from resnet_spec.cli.common import (
    BATCH,
    FEATURES,
    INPUT,
    Job,
    Limits,
    Outcome,
    compiling,
    read_limits,
)
from resnet_spec.cli.failures import report_problems
from resnet_spec.emit import listing
from resnet_spec.language.shipped import shown
from resnet_spec.problems.words import batched

STYLES = ("torchsummary", "torchinfo")
FORMS = ("json", "csv", "markdown")


def _form(form: str, said: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(f"--{form}", is_flag=True, help=f"Print it as {said}.")


@click.command()
@click.option("--layers", is_flag=True, help="A row for each layer, in their order.")
@click.option(
    "--style",
    type=click.Choice(STYLES),
    help="Print what that tool does of the network.",
)
@click.option(
    "--sort", type=click.Choice(listing.FIELDS), help="The order of several SPECs."
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="FIELD=MOST",
    callback=read_limits,
    help="Of several SPECs, those up to it, as params=1M. Repeatable.",
)
@_form("json", "JSON")
@_form("csv", "CSV")
@_form("markdown", "Markdown")
@BATCH
@INPUT
@FEATURES
@compiling
def summary(
    outcome: Outcome,
    layers: bool,
    style: str | None,
    sort: str | None,
    limits: Limits,
    batch: int | None,
    **options: object,
) -> None:
    """Print SPEC as a table, a row for each part; of several SPECs, a row for each of them.

    A folder stands for all specs in it, and a family of those that ship for all of it.

    \b
    resnet-spec summary specs/resnet50.yaml --input 3,512,512
    resnet-spec summary resnet50 --style torchinfo --batch 32
    resnet-spec summary resnet resnetd --sort macs --limit params=30M --csv
    """
    form, jobs = _chosen(options), outcome.jobs
    if style and (layers or form):
        raise click.UsageError("--style prints what the tool prints, and nothing else")
    if (layers or style) and (sort or limits):
        raise click.UsageError("--sort and --limit are of a table of several specs")
    if layers and form == "csv" and len(jobs) > 1:
        raise click.UsageError("--layers --csv takes one spec")
    several = len(jobs) > 1 or sort or limits
    if several and batch and not (layers or style):
        raise click.UsageError("--batch is not of a table of several specs")
    report_problems(outcome.problems)
    if style:
        texts = [_styled(job, style, batch) for job in jobs]
    elif layers and form == "json":
        texts = [_layers_as_json(jobs, batch or 1)]
    elif layers:
        texts = [_layers(job, form, batch or 1) for job in jobs]
    elif several:
        texts = [_compared(jobs, sort, limits, form)]
    else:
        texts = [_summary(job, form, batch or 1) for job in jobs]
    click.echo("\n\n".join(texts), nl=False)
    if outcome.fails:
        sys.exit(1)


def _chosen(options: Mapping[str, object]) -> str | None:
    """The one of the forms that is asked for."""
    chosen = [form for form in FORMS if options[form]]
    if len(chosen) > 1:
        said = " and ".join(f"--{form}" for form in chosen)
        raise click.UsageError(f"{said} exclude each other")
    return chosen[0] if chosen else None


def _styled(job: Job, style: str, batch: int | None) -> str:
    from resnet_spec.emit.cost import styles

    if style == "torchinfo":
        return styles.torchinfo(job.network, batch or 1)
    return styles.torchsummary(job.network, batch or -1)


def _summary(job: Job, form: str | None, batch: int) -> str:
    from shutil import get_terminal_size

    from resnet_spec.emit import table

    if form == "json":
        return _json(table.facts(job.network, batch))
    if form == "csv":
        return table.as_csv(job.network, batch)
    if form == "markdown":
        return table.as_markdown(job.network, batch)
    width = get_terminal_size((0, 0)).columns  # 0 where it goes to a file or a program
    return table.summary(job.network, width, batch)


def _layers_as_json(jobs: Sequence[Job], batch: int) -> str:
    """The layers of the one network; of several, those of each by the name of its spec."""
    found = {
        shown(job.spec.file): [
            row._asdict() for row in listing.layers(job.network, batch)
        ]
        for job in jobs
    }
    return _json(found if len(found) > 1 else next(iter(found.values()), []))


def _layers(job: Job, form: str | None, batch: int) -> str:
    rows = listing.layers(job.network, batch)
    if form == "csv":
        return _printed([listing.LAYER_COLUMNS, *rows], form, 2)
    text = _printed(listing.layer_cells(rows), form, 2)
    network = job.network
    return f"{network.title}, input {batched(network.image, batch)}\n\n{text}"


def _compared(
    jobs: Sequence[Job], sort: str | None, limits: Limits, form: str | None
) -> str:
    rows = [listing.listed(shown(job.spec.file), job.network) for job in jobs]
    kept = [row for row in rows if all(getattr(row, f) <= most for f, most in limits)]
    if rows and not kept:
        click.echo(f"none of {len(rows)} networks is within the limits", err=True)
    rows = kept
    if sort:
        rows.sort(key=lambda row: (getattr(row, sort), row.name))
    if form == "json":
        return _json([row._asdict() for row in rows])
    if form == "csv":
        return _printed([listing.FIELDS, *rows], form, 1)
    return _printed(listing.cells(rows), form, 1) if rows else ""


def _printed(rows: Sequence[Sequence[object]], form: str | None, left: int) -> str:
    from resnet_spec.problems import tables

    if form == "csv":
        return tables.comma_separated([list(_flat(row)) for row in rows])
    texts = [[str(cell) for cell in row] for row in rows]
    lines = tables.markdown(texts, left) if form else tables.ruled(texts, left)
    return "\n".join(lines) + "\n"


def _flat(row: Sequence[object]) -> Iterator[object]:
    """The row with sizes as text."""
    for cell in row:
        yield " x ".join(map(str, cell)) if isinstance(cell, tuple) else cell


def _json(value: object) -> str:
    import json

    return json.dumps(value, indent=2) + "\n"
