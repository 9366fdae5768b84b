"""The command that shows networks side by side: page."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resnet_spec import __version__
from resnet_spec.cli.common import Job, Outcome, compiling
from resnet_spec.cli.failures import fail, put, report_problems, write_or_fail
from resnet_spec.network import Network
from resnet_spec.problems.extras import needs
from resnet_spec.problems.words import by_sides, flow

if TYPE_CHECKING:
    from resnet_spec.emit.page import Entry, Table


@click.command()
@click.option(
    "-o",
    "--output",
    default="page.html",
    metavar="FILE",
    show_default=True,
    help="File to write; - prints it instead.",
)
@compiling
def page(outcome: Outcome, output: str) -> None:
    """Write one HTML file with all SPECs: a table, a plot, and what each network is.

    A browser opens it without a server or a network. Two networks that are picked there are
    compared: their fields, costs and shapes, and whether the weights of one fit the other.

    \b
    resnet-spec page specs -o page.html
    resnet-spec page resnet50 resnet50d my_net.yaml -o mine.html
    """
    needs("page", "plotly")
    report_problems(outcome.problems)
    if outcome.fails:
        sys.exit(1)
    file = Path(output)
    if output != "-" and (why := _obstacle(file)):
        fail(f"{file}: {why}, so it is not overwritten")
    text = _page(outcome.jobs, file.parent)
    if output == "-":
        put(text)
        return
    write_or_fail(file, text)
    networks = len(outcome.jobs)
    megabytes = len(text) / 1e6
    click.echo(f"{file}  {networks} network{'s' * (networks != 1)}  {megabytes:.1f} MB")


def _obstacle(file: Path) -> str:
    """Why a page must not replace the file; empty where it may."""
    from resnet_spec.emit.page import GENERATOR

    if file.is_dir():
        return "is a folder"
    try:
        with file.open("rb") as opened:
            known = GENERATOR.encode() in opened.read(2000)
    except OSError:  # where it cannot be read, writing says more
        return ""
    return "" if known else "is not a page of this command"


def _page(jobs: list[Job], folder: Path) -> str:
    from plotly.offline import get_plotlyjs

    from resnet_spec.emit.page import page

    return page([_entry(job, folder) for job in jobs], get_plotlyjs(), __version__)


def _entry(job: Job, folder: Path) -> Entry:
    from resnet_spec.emit.cost import costs
    from resnet_spec.emit.diagram import svg
    from resnet_spec.emit.page import Entry

    network = job.network
    cost = costs(network)
    name, family = _named(job)
    return Entry(
        name=name,
        family=family,
        title=network.title,
        paper=network.paper,
        figures=_figures(network, cost),
        digests=network.digests._asdict(),
        tables=(_fields(job), _summary(network), _maps(network), _costs(cost)),
        file=job.module.name,
        source=job.source(folder),
        diagram=svg(network),
    )


def _named(job: Job) -> tuple[str, str]:
    """What a command takes for the spec, and the family or the folder that it is in."""
    from resnet_spec.language.shipped import family, shipped, shortest
    from resnet_spec.problems.texts import STDIN

    key = job.spec.name.with_suffix("").as_posix()
    if job.spec.file == Path(STDIN):
        return job.network.name, "standard input"
    if shipped().get(key, Path()).resolve() == job.spec.file.resolve():
        return shortest()[key], family(key)
    return key, key.rpartition("/")[0]


def _figures(network: Network, cost: Mapping[str, float]) -> dict[str, float]:
    """The columns of the page's table, each a figure of the network."""
    return {
        "params": network.params,
        "MACs": network.macs,
        "activations": cost["fvcore.activations"],
        "blocks": sum(len(stage.blocks) for stage in network.stages),
        "channels": int(network.stages[-1].output.channels),
    }


def _summary(network: Network) -> Table:
    from resnet_spec.emit import table
    from resnet_spec.emit.page import Table

    rows = tuple(
        (
            row.part,
            row.blocks,
            str(row.output),
            by_sides(row.stride) if row.stride else "",
            row.params,
            row.macs,
            row.activations,
        )
        for row in table.detailed(network)
    )
    return Table("Summary", table.COLUMNS, rows)


def _costs(cost: Mapping[str, float]) -> Table:
    """Each cost by the name of the tool that counts it so."""
    from resnet_spec.emit.page import Table

    return Table("Costs", ("cost", "of one image"), tuple(cost.items()))


def _maps(network: Network) -> Table:
    """What each part gives, to build on."""
    from resnet_spec.emit.features import features
    from resnet_spec.emit.page import Table

    rows = []
    for each in features(network):
        height, width = each.fields
        reads = f"{by_sides((height.size, width.size))}{', whole image' * height.whole}"
        stride = by_sides(each.stride)
        size = " x ".join(map(str, each.size))
        rows.append((each.name, each.channels, stride, size, reads))
    columns = ("part", "channels", "stride", "size", "receptive field")
    return Table("Feature maps", columns, tuple(rows))


def _fields(job: Job) -> Table:
    from resnet_spec.emit.page import Table
    from resnet_spec.language.canonical import canonical

    plain = canonical(job.compiled.plan)
    shown = {name: of for name, of in plain.items() if name not in ("title", "paper")}
    rows = tuple(_flat(shown, ""))
    return Table("Fields", ("field", "value"), rows)


def _flat(data: Mapping[str, Any], above: str) -> Iterator[tuple[str, str]]:
    """`stem.width`, `64` of each value; a list is one value."""
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        elif value is not None or above:
            yield f"{above}{key}", flow(value)
