"""The command that measures: bench."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING

import click

from resnet_spec.bench import EAGER, FORMS
from resnet_spec.cli.common import (
    BANDWIDTH,
    FLOPS,
    INPUT,
    Job,
    Outcome,
    against,
    compiling,
    machine_of,
)
from resnet_spec.cli.failures import put, report_problems
from resnet_spec.language.shipped import shipped, shortest, shown
from resnet_spec.problems import RunError
from resnet_spec.problems.extras import needs
from resnet_spec.problems.words import either, nearest

if TYPE_CHECKING:
    from resnet_spec.bench.results import Row
    from resnet_spec.bench.run import Conditions
    from resnet_spec.emit.cost.roofline import Machine

LARGEST = 10**6


def _counts(
    context: click.Context, option: click.Parameter, text: str | None
) -> tuple[int, ...]:
    """`1,8` -> (1, 8)"""
    parts = [part.strip() for part in text.split(",")] if text is not None else []
    found = [int(part) if part.isdecimal() else 0 for part in parts]
    if not all(0 < count <= LARGEST for count in found):
        message = f"must be whole numbers from 1 on, as 1,8, got {text!r}"
        raise click.BadParameter(message, context, option)
    return tuple(dict.fromkeys(found))


def _forms(
    context: click.Context, option: click.Parameter, text: str | None
) -> tuple[str, ...]:
    """`eager,onnxruntime` -> ("eager", "onnxruntime")"""
    found = [part.strip() for part in text.split(",")] if text is not None else []
    for form in found:
        if form not in FORMS:
            message = f"must be of {either(FORMS)}, got {form!r}{nearest(form, FORMS)}"
            raise click.BadParameter(message, context, option)
    return tuple(dict.fromkeys(found))


@click.command()
@click.option(
    "--forms",
    metavar="FORM,...",
    callback=_forms,
    help=f"Of {', '.join(FORMS)}.  [default: those that are installed]",
)
@click.option(
    "--batch",
    "batches",
    metavar="N,...",
    default="1",
    show_default=True,
    callback=_counts,
    help="How many images at once.",
)
@click.option(
    "--threads",
    metavar="N,...",
    callback=_counts,
    help="How many threads.  [default: as many as torch takes]",
)
@INPUT
@against(
    "A library's network beside it, as timm:resnet50d.  "
    "[default: where SPEC ships, torchvision's or timm's of its name]"
)
@click.option(
    "--rounds",
    type=click.IntRange(3, LARGEST),
    default=15,
    show_default=True,
    help="How often each form is measured.",
)
@click.option(
    "--device",
    type=click.Choice(("cpu", "cuda")),
    help="Where it runs.  [default: cuda where there is one]",
)
@FLOPS
@BANDWIDTH
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, in seconds.")
@click.option("--csv", "as_csv", is_flag=True, help="Print it as CSV, in seconds.")
@compiling
def bench(  # noqa: PLR0913  # an option each
    outcome: Outcome,
    forms: tuple[str, ...],
    batches: tuple[int, ...],
    threads: tuple[int, ...],
    against: str | None,
    rounds: int,
    device: str | None,
    flops: float | None,
    bandwidth: float | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Measure how long each SPEC's network takes for its images, form by form.

    Weights are random, and the output of each form is compared with eager's before any is
    timed. The forms have their turns within one run; given are medians and quartiles.

    \b
    resnet-spec bench resnet50 --batch 1,8 --threads 1,2
    resnet-spec bench resnet18 resnet50d --forms folded,onnxruntime --csv
    resnet-spec bench own.yaml --against timm:resnet50d --flops 200G --bandwidth 20G
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    if against and len(outcome.jobs) > 1:
        raise click.UsageError("--against is beside one SPEC")
    limits = machine_of(flops, bandwidth)
    needs("torch", "torch")
    from resnet_spec.bench import results, run

    report_problems(outcome.problems)
    if not outcome.jobs:
        sys.exit(1)
    chosen = forms or tuple(_installed())
    for form in forms:
        needs("bench", *FORMS[form])
    conditions = run.Conditions(batches, threads, run.there(device), rounds)
    asked = [*forms, against] if against else list(forms)
    rows, fails = [], outcome.fails
    for job in outcome.jobs:
        others = [against] if against else [] if forms else _namesakes(job)
        made, failing = _measured(job, [*chosen, *others], asked, conditions, limits)
        rows += made
        fails |= failing
    facts = run.machine(conditions.device)
    if as_json:
        put(results.as_json(rows, facts))
    elif as_csv:
        put(results.as_csv(rows))
    elif rows:
        click.echo(results.text(rows, facts), nl=False)
    if fails:
        sys.exit(1)


def _installed() -> Iterator[str]:
    """The forms whose packages are here; a line for each of the others."""
    for form, packages in FORMS.items():
        try:
            needs("bench", *packages)
        except ImportError as error:
            click.echo(f"{form} is left out: {error}", err=True)
        else:
            yield form


def _namesakes(job: Job) -> list[str]:
    """The network of the SPEC's name in torchvision, else in timm, where both are known to
    be the same: of a SPEC that ships, as it is."""
    from resnet_spec.compare.libraries import LIBRARIES, has

    own = job.spec.file.resolve()
    keys = (key for key, file in shipped().items() if file.resolve() == own)
    key = next(keys, None)
    if key is None or job.changed:
        return []
    name = shortest()[key]
    there = (each for each in LIBRARIES if find_spec(each) and has(each, name))
    return [f"{library}:{name}" for library in islice(there, 1)]


def _measured(
    job: Job,
    forms: Sequence[str],
    asked: Sequence[str],
    conditions: Conditions,
    limits: Machine | None,
) -> tuple[list[Row], bool]:
    """The rows of a network, and whether what it lacks is a failure. Each has its line."""
    from resnet_spec.bench.results import rows
    from resnet_spec.bench.run import measured
    from resnet_spec.emit.cost.roofline import roofline

    name, network = shown(job.spec.file), job.network
    found: list[Row] = []
    failed, wrong = dict[str, str](), dict[str, str]()
    try:
        for one in measured(network, forms, conditions, lambda t: _say(f"{name}, {t}")):
            failed |= one.failed
            wrong |= one.wrong
            least = roofline(network, limits, one.batch).seconds if limits else None
            found += rows(name, one.batch, one.threads, one.samples, least)
    except RunError as error:
        wrong[EAGER] = str(error)
    _say("")
    for form, why in (failed | wrong).items():
        click.echo(f"{name}: {form} is left out: {why}", err=True)
    return found, bool(wrong or {*failed} & {*asked})


def _say(text: str) -> None:
    """What is going on, on a terminal, in place of what was said before."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{text}", err=True, nl=False)
