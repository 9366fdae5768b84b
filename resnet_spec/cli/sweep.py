"""The command that searches a space of networks: sweep."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

import click

from resnet_spec.cli.common import (
    Limits,
    complete_folder,
    complete_spec,
    line,
    read_limits,
)
from resnet_spec.cli.failures import fail, reported, write_or_fail
from resnet_spec.cli.page import jobs_of, refuse_other_files, write_page
from resnet_spec.cli.trials import asked, by_accuracy, training
from resnet_spec.expansion import Total
from resnet_spec.problems.words import either

if TYPE_CHECKING:
    from resnet_spec.search.ranking import Found, Order
    from resnet_spec.search.space import Digits, Space
    from resnet_spec.search.walk import Walk

SHOWN = 20  # rows of a table where nothing else is asked for
FIGURES = Total._fields


def _order(
    context: click.Context, option: click.Parameter, text: str | None
) -> Order | None:
    """`-macs` -> by MACs, the most first"""
    from resnet_spec.search.ranking import Order

    if text is None:
        return None
    figure = text.removeprefix("-")
    if figure not in FIGURES:
        message = f"must be {either(FIGURES)}, or with - the most first, as -macs, got {text!r}"
        raise click.BadParameter(message, context, option)
    return Order(figure, text != figure)


def _pair(
    context: click.Context, option: click.Parameter, text: str | None
) -> tuple[Order, Order] | None:
    """`params,-macs` -> the least parameters, the most MACs"""
    if text is None:
        return None
    orders = [_order(context, option, each.strip()) for each in text.split(",")]
    if len({order.figure for order in orders if order}) != 2 or len(orders) != 2:
        message = f"must be two figures, as params,-macs, got {text!r}"
        raise click.BadParameter(message, context, option)
    one, other = orders
    return (one, other) if one and other else None


@click.command()
@click.argument("space", type=click.Path(), shell_complete=complete_spec)
@click.option(
    "--count", "only_count", is_flag=True, help="Print how many points it has."
)
@click.option(
    "--sample", type=click.IntRange(1), metavar="N", help="Take so many at random."
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    metavar="S",
    help="Of what is taken, and of the trainings; 0 is the usual one.",
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="FIELD=MOST",
    callback=read_limits,
    help="Keep those up to it, as params=1M. Repeatable.",
)
@click.option(
    "--sort",
    metavar="FIELD",
    callback=_order,
    help="The order, the least first; with a minus the most, as -macs, the usual one.",
)
@click.option(
    "--pareto",
    metavar="FIELD,FIELD",
    callback=_pair,
    help="Keep those that none is better than in both, as params,-macs.",
)
@click.option("--best", type=click.IntRange(1), metavar="N", help="Keep the first N.")
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    shell_complete=complete_folder,
    help="Write those as specs that extend SPACE; needs --best.",
)
@click.option("--csv", "form", flag_value="csv", help="Print all that is kept as CSV.")
@click.option(
    "--json", "form", flag_value="json", help="Print all that is kept as JSON."
)
@click.option(
    "--page",
    metavar="FILE",
    help="Write one HTML page of what -o writes (needs the extra page).",
)
@training
@reported
def sweep(  # noqa: PLR0913  # an option each
    space: str,
    only_count: bool,
    sample: int | None,
    seed: int | None,
    limits: Limits,
    sort: Order | None,
    pareto: tuple[Order, Order] | None,
    best: int | None,
    output: str | None,
    form: str | None,
    page: str | None,
    **given: Any,
) -> None:
    """Cost the networks of SPACE, a spec with choices in it, and print the best as a table.

    Those are kept that are as SPACE expects. The best have the most MACs, or come first by
    --sort. Ctrl-C ends it with what was found so far. --train trains the best, and prints
    them by accuracy; the same command goes on where one was stopped, and several that name
    the same --storage share the work.

    \b
    resnet-spec sweep examples/cifar.yaml --best 10 -o best
    resnet-spec sweep examples/cifar.yaml --sample 10000 --seed 1 --csv
    resnet-spec sweep examples/cifar.yaml --pareto params,-macs
    resnet-spec sweep examples/cifar.yaml --best 10 -o best --train --data cifar10
    """
    from resnet_spec.search.listing import texts
    from resnet_spec.search.space import space_of
    from resnet_spec.search.walk import Walk

    if seed is not None and not (sample or given["train"]):
        raise click.UsageError("--seed is that of --sample and of --train")
    if output and not best:
        raise click.UsageError("-o writes the best, so it needs --best")
    if output and space == "-":
        raise click.UsageError("-o writes specs that extend a file; name that, not -")
    if page and (not output or page == "-"):
        raise click.UsageError("--page FILE shows what -o writes, so it needs -o")
    trains = asked(given, seed, output, best)
    if page:
        refuse_other_files(page)
    read = space_of(space)
    if only_count:
        click.echo(read.count)
        return
    points = read.sample(sample, seed or 0) if sample else read.points()
    walk, length = Walk(read, limits), min(sample or read.count, read.count)
    rows = _walked(walk, points, length, sort, pareto, best)
    _say(walk, len(rows), best, form)
    files, results = dict[int, Path](), dict[int, dict[str, Any]]()
    if output and rows:
        files = _write(read, rows, Path(output))
    if trains and walk.seen < length:
        fail("so nothing is trained")
    if trains and rows:
        rows, results = by_accuracy(trains, rows, files)
    shown = rows if form or best else rows[:SHOWN]
    for text in texts(read, shown, form, results):
        click.echo(text, nl=False)
    if page and rows:
        from resnet_spec.emit.page import Measured

        more = {files[point]: Measured(of) for point, of in results.items()}
        axes = (("MACs", "less"), ("accuracy", "more")) if results else None
        click.echo(write_page(jobs_of(files.values()), page, more, axes), err=True)


def _walked(
    walk: Walk,
    points: Iterable[tuple[int, Digits]],
    length: int,
    sort: Order | None,
    pareto: tuple[Order, Order] | None,
    best: int | None,
) -> list[Found]:
    """What is kept of the points, in order; what is said of them goes to stderr."""
    from resnet_spec.search import ranking

    order = sort or ranking.Order("macs", descending=True)
    start = process_time()
    with _interruptible() as goes_on, _progress(length) as advance:
        found = walk.found(advance(points), goes_on)
        if pareto:
            found = iter(ranking.front(found, *pareto))
        rows = ranking.best(found, order, best)
        stopped = not goes_on()
    seconds = max(process_time() - start, 1e-3)
    if not stopped:
        walk.check()
    said = f"{walk.seen:,} points"
    if stopped:
        said = f"stopped after {walk.seen:,} of {length:,} points"
    lowered = walk.costs.lowered
    click.echo(
        f"{said}, {seconds:.1f} s, {walk.seen / seconds:,.0f} a second; "
        f"{lowered:,} network{'s were' if lowered != 1 else ' was'} lowered",
        err=True,
    )
    return rows


@contextmanager
def _interruptible() -> Iterator[Any]:
    """Whether to go on: not after Ctrl-C; a second one ends the command."""
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield lambda: not stopped
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _progress(length: int) -> Iterator[Any]:
    """What shows a bar on a terminal while it hands the points on."""
    if not sys.stderr.isatty():
        yield iter
        return
    with click.progressbar(length=length, file=sys.stderr, label="points") as bar:

        def advance(points: Iterable[Any]) -> Iterator[Any]:
            for i, point in enumerate(points, 1):
                yield point
                if i % 2000 == 0:
                    bar.update(2000)
            bar.update(length - bar.pos)

        yield advance


def _say(walk: Walk, rows: int, best: int | None, form: str | None) -> None:
    """On stderr, what was not kept and what is not shown."""
    if walk.broken:
        rules = ", ".join(
            f"{rule} {count:,}" for rule, count in sorted(walk.broken.items())
        )
        said = (
            f"{walk.broken.total():,} of {walk.seen:,} points are no networks: {rules}"
        )
        click.echo(f"{said} (`resnet-spec rule NAME` says why)", err=True)
    if walk.within and not walk.kept:
        click.echo(f"none of {walk.within:,} networks is within the limits", err=True)
    if not (form or best) and rows > SHOWN:
        more = "--best N shows others, --csv and --json all"
        click.echo(f"the first {SHOWN} of {rows:,} networks; {more}", err=True)


def _write(space: Space, rows: Sequence[Found], folder: Path) -> dict[int, Path]:
    """Write a spec of each row, all or none, and say where; returns their files."""
    from resnet_spec.compiler import load
    from resnet_spec.search.points import file_of, spec_of

    files = {row.point: folder / file_of(space, row.point) for row in rows}
    texts = {files[row.point]: spec_of(space, *row, folder) for row in rows}
    for path, text in texts.items():
        if path.exists() and (path.is_dir() or path.read_bytes() != text.encode()):
            fail(f"{path}: is another file, so nothing is written; name another folder")
    for path, text in texts.items():
        write_or_fail(path, text)
        click.echo(line(path, load(path).network), err=True)
    return files
