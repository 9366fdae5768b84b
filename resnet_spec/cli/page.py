"""The command that shows networks side by side: page."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resnet_spec import __version__
from resnet_spec.cli.common import Job, Outcome, compiling
from resnet_spec.cli.failures import fail, put, report_problems, write_or_fail
from resnet_spec.compiler import load
from resnet_spec.language.shipped import shown
from resnet_spec.network import Network
from resnet_spec.output import spec_files
from resnet_spec.problems.extras import needs
from resnet_spec.problems.words import by_sides, flow

if TYPE_CHECKING:
    from resnet_spec.emit.page import Axis, Entry, Measured, Table


@click.command()
@click.option(
    "-o",
    "--output",
    default="page.html",
    metavar="FILE",
    show_default=True,
    help="File to write; - prints it instead.",
)
@click.option(
    "--bench",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With the times that `resnet-spec bench --json` printed.",
)
@compiling
def page(outcome: Outcome, output: str, bench: Path | None) -> None:
    """Write one HTML file with all SPECs: a table, a plot, and what each network is.

    A browser opens it without a server or a network. Two networks that are picked there are
    compared: their fields, costs and shapes, and whether the weights of one fit the other.

    \b
    resnet-spec page specs -o page.html
    resnet-spec page resnet50 resnet50d my_net.yaml -o mine.html
    resnet-spec page resnet18 resnet50 --bench times.json
    """
    refuse_other_files(output)
    report_problems(outcome.problems)
    if outcome.fails:
        sys.exit(1)
    more, axes = _times(bench, outcome.jobs) if bench else ({}, None)
    if said := write_page(outcome.jobs, output, more, axes):
        click.echo(said)


def refuse_other_files(output: str) -> None:
    """Refuses an output that is there and no page, and any where plotly is not installed."""
    needs("page", "plotly")
    file = Path(output)
    if output != "-" and (why := _obstacle(file)):
        fail(f"{file}: {why}, so it is not overwritten")


def jobs_of(files: Iterable[Path]) -> list[Job]:
    """The specs in files that compile, as they are."""
    specs, _ = spec_files(map(str, files))
    return [Job(spec, load(spec.file), "") for spec in specs]


def write_page(
    jobs: Sequence[Job],
    output: str,
    more: Mapping[Path, Measured],
    axes: tuple[Axis, Axis] | None,
) -> str:
    """Write the page of the networks, with what was measured of some; returns a line on it.

    The output `-` prints it instead, and there is no line.
    """
    from plotly.offline import get_plotlyjs

    from resnet_spec.emit.page import AXES, Measured, page

    file = Path(output)
    entries = [
        _entry(job, file.parent, more.get(job.spec.file, Measured())) for job in jobs
    ]
    text = page(entries, get_plotlyjs(), __version__, axes or AXES)
    if output == "-":
        put(text)
        return ""
    write_or_fail(file, text)
    networks = len(jobs)
    megabytes = len(text) / 1e6
    return f"{file}  {networks} network{'s' * (networks != 1)}  {megabytes:.1f} MB"


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


def _times(
    file: Path, jobs: Sequence[Job]
) -> tuple[dict[Path, Measured], tuple[Axis, Axis]]:
    """What a bench measured of the networks, and the axes that show it."""
    from resnet_spec.bench.pages import measured
    from resnet_spec.bench.results import read

    machine, rows = read(file)
    names = {shown(job.spec.file): job.spec.file for job in jobs}
    others = [*dict.fromkeys(row.network for row in rows if row.network not in names)]
    if others:
        what = ", ".join(others)
        click.echo(
            f"{file}: {what} is not among the SPECs, so it is left out", err=True
        )
    own = [row for row in rows if row.network in names]
    if not own:
        fail(f"{file}: has no times of any SPEC; name those that were measured")
    found, upward = measured(own, machine)
    more = {names[name]: of for name, of in found.items()}
    return more, (("MACs", "less"), (upward, "less"))


def _entry(job: Job, folder: Path, more: Measured) -> Entry:
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
        figures={**more.figures, **_figures(network, cost)},
        digests=network.digests._asdict(),
        tables=(
            *more.tables,
            *(_fields(job), _summary(network), _maps(network), _costs(cost)),
        ),
        file=job.module.name,
        source=job.source(folder),
        diagram=svg(network),
        spreads=more.spreads,
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
