"""What `sweep --train` adds to a sweep: its options, and what comes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from resnet_spec.cli.common import complete_folder, refuse_given
from resnet_spec.cli.failures import fail
from resnet_spec.cli.settings import setting_options, settings_of
from resnet_spec.problems.extras import needs

if TYPE_CHECKING:
    from resnet_spec.search.ranking import Found
    from resnet_spec.train.settings import Settings

SETTINGS = (
    "data",
    "epochs",
    "batch_size",
    "optimizer",
    "momentum",
    "weight_decay",
    "schedule",
    "warmup_epochs",
    "augment",
    "precision",
    "skip_broken",
    "workers",
    "accelerator",
)
"""Those of a training that a sweep takes; --lr is its own, and so is --seed."""
OWN = ("lr", "prune", "storage", "runs")


class Asked(NamedTuple):
    """How the best are trained: all at each of the rates."""

    settings: Settings
    rates: tuple[float, ...]
    prune: bool
    storage: str
    runs: Path


def _rates(
    context: click.Context, option: click.Parameter, text: str | None
) -> tuple[float, ...] | None:
    """`0.1,0.01` -> (0.1, 0.01)"""
    if text is None:
        return None
    try:
        return tuple(dict.fromkeys(map(float, text.split(","))))
    except ValueError:
        message = f"must be a learning rate, or several, as 0.1,0.01, got {text!r}"
        raise click.BadParameter(message, context, option) from None


OPTIONS: tuple[Callable[[Callable[..., None]], Callable[..., None]], ...] = (
    click.option(
        "--train", is_flag=True, help="Train the best, and print them by accuracy."
    ),
    setting_options(SETTINGS),
    click.option(
        "--lr",
        metavar="RATE,...",
        callback=_rates,
        help="Learning rates; every network is trained at each.  "
        "[default: adam 0.001, sgd 0.1]",
    ),
    click.option(
        "--prune",
        is_flag=True,
        help="End a training whose accuracy is below the median of others so far, once "
        "five have ended.",
    ),
    click.option(
        "--storage",
        metavar="FILE",
        help="What is kept of it, to resume and to share: a file, or postgresql://...  "
        "[default: sweep.db in --runs]",
    ),
    click.option(
        "--runs",
        metavar="DIR",
        shell_complete=complete_folder,
        help="Where each training has its folder.  [default: runs/<DIR of -o>]",
    ),
)


def training(command: Callable[..., None]) -> Callable[..., None]:
    """The command with --train and the options of it."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def asked(
    given: Mapping[str, Any], seed: int | None, output: str | None, best: int | None
) -> Asked | None:
    """What is asked of the trainings; None where there are none.

    Raises UsageError for options that do not go together or say nothing that can be, RunError
    for data without classes, and ImportError where a package is missing.
    """
    from resnet_spec.train import LOOP, SERVER

    given = dict(given)
    if not given.pop("train"):
        refuse_given(given, "is that of --train")
        return None
    own = {name: given.pop(name) for name in OWN}
    said = {name: value for name, value in given.items() if value is not None}
    if "data" not in said or not output or not best:
        raise click.UsageError("--train needs --data DIR, --best N and -o DIR")
    said |= {"seed": seed or 0}
    every = [settings_of({**said, "lr": rate}) for rate in own["lr"] or (None,)]
    runs = Path(own["runs"] or Path("runs", Path(output).absolute().name))
    storage = own["storage"] or str(runs / "sweep.db")
    if "://" in storage and not storage.startswith(SERVER):
        message = f"--storage is a file, or begins with {SERVER}"
        raise click.UsageError(message)
    from resnet_spec.train.folders import folders_in

    folders_in(every[0].data)
    needs("sweep", *LOOP, "optuna")
    if storage.startswith(SERVER):
        needs("sweep", "psycopg")
    rates = tuple(settings.rate for settings in every)
    return Asked(every[0], rates, own["prune"], storage, runs)


def by_accuracy(
    asked: Asked, rows: Sequence[Found], files: Mapping[int, Path]
) -> tuple[list[Found], dict[int, dict[str, Any]]]:
    """The rows by the accuracy of their networks, the best first, and what is said of each.

    `files` are the specs of the points. Of a network that was trained at several rates, the
    best counts.
    """
    from resnet_spec.train.trials import Plan, trained

    _refuse_other_classes(asked, files)
    specs = [files[row.point] for row in rows]
    plan = Plan(specs, asked.settings, asked.rates, asked.runs, asked.prune)
    found = trained(plan, asked.storage)
    results = {}
    for row, spec in zip(rows, specs, strict=True):
        own = [each for each in found if each.key.spec == spec.stem]
        best = max(own, key=lambda each: -1 if each.why else each.accuracy or 0)
        result = {"accuracy": best.accuracy, "epochs": best.epochs}
        results[row.point] = result | (
            {"lr": best.key.rate} if len(asked.rates) > 1 else {}
        )
        if best.why:
            click.echo(f"{spec}: {best.why}", err=True)

    def order(row: Found) -> tuple[float, int, int]:
        return -(results[row.point]["accuracy"] or 0), row.figures.params, row.point

    return sorted(rows, key=order), results


def _refuse_other_classes(asked: Asked, files: Mapping[int, Path]) -> None:
    """Refuses networks that were costed for other classes than the data have."""
    from resnet_spec.compiler import load
    from resnet_spec.train.folders import folders_in

    held = folders_in(asked.settings.data)
    folders = len(held.classes)
    for file in files.values():
        classes = load(file).network.classes
        if classes != folders:
            message = (
                f"{file} has {classes or 'no'} classes, and {held.train} {folders}"
            )
            fail(f"{message} folders; say head.classes: {folders} in SPACE")
