"""The command that writes: build."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path
from typing import Any, NamedTuple

import click

from resnet_spec.cli.common import (
    FEATURES,
    Job,
    Outcome,
    compiling,
    complete_folder,
    line,
)
from resnet_spec.cli.failures import fail, put, report_problems, write_or_fail
from resnet_spec.output import clashes, orphans
from resnet_spec.problems.extras import needs


@click.command()
@click.option(
    "-o",
    "--output",
    default="generated",
    metavar="DIR",
    show_default=True,
    shell_complete=complete_folder,
    help="Folder to write to; - prints one SPEC's source instead.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Write nothing; say why, with status 1, where a file is not its SPEC's.",
)
@click.option("--diff", is_flag=True, help="Write nothing; print what would change.")
@click.option(
    "--verify",
    is_flag=True,
    help="First compare the source with the built module, bit for bit (needs torch).",
)
@FEATURES
@click.option(
    "--deploy",
    is_flag=True,
    help="Write the network of evaluation alone, with norms in its convolutions.",
)
@click.option(
    "--force",
    is_flag=True,
    help="Replace files that were edited or made from other inputs, too.",
)
@compiling
def build(outcome: Outcome, output: str, **options: Any) -> None:
    """Write each SPEC's source as DIR/<its path below specs>.py.

    Nothing is written where a SPEC has a mistake, or where a file would be replaced that
    was edited, or generated from another SPEC or with other --set or --features. The same
    SPEC is the same file, whatever it says by now; of standard input, the same network.

    \b
    resnet-spec build specs/resnet101.yaml
    resnet-spec build specs --check --diff
    resnet-spec build specs/resnet18.yaml --set head.classes=10 --verify -o ten_classes
    resnet-spec build resnet50d --features 1,2,3,4 -o backbones
    resnet-spec build resnet50 --deploy -o deployed
    """
    jobs, check, diff = outcome.jobs, options["check"], options["diff"]
    taken = list(clashes((job.spec, job.module) for job in jobs))
    report_problems([*outcome.problems, *taken])
    if outcome.fails or taken:
        sys.exit(1)
    if output == "-" and (check or diff or len(jobs) > 1):
        message = "-o - prints one SPEC's source, and compares nothing"
        raise click.UsageError(message)
    folder = Path("." if output == "-" else output)
    sources = [Written(folder / job.module, job, job.source(folder)) for job in jobs]
    if options["verify"]:
        _verify(sources)
    if output == "-":
        put(sources[0].source)
    elif check or diff:
        changed = _compare(sources, folder, diff)
        gone = check and _orphans(sources, folder, outcome.strict)
        if check and (changed or (gone and outcome.strict)):
            sys.exit(1)
    else:
        _write(sources, folder, options["force"])


class Written(NamedTuple):
    """A source and the file that it goes to."""

    file: Path
    job: Job
    source: str


def _verify(sources: list[Written]) -> None:
    needs("torch", "torch")
    from resnet_spec.compare.equality import verify

    failures = [
        f"{job.spec.file}: built and generated differ, {difference}"
        for _, job, source in sources
        for difference in verify(job.network, source)
    ]
    if failures:
        fail(*failures)
    click.echo(f"built and generated are equal: {len(sources)}", err=True)


def _compare(sources: list[Written], folder: Path, diff: bool) -> bool:
    """Say what `build` would do where a file is not the source, and how they differ."""
    changed = False
    for file, job, source in sources:
        old = _text(file)
        if old != source:
            changed = True
            click.echo(f"{file}: {_plan(file, job, folder)}", err=True)
            if diff and old is not None:
                click.echo("".join(_diff(str(file), old, source)), nl=False)
    return changed


def _text(file: Path) -> str | None:
    """The text of the file, empty where it is missing; None where it has none."""
    try:
        return file.read_text(encoding="utf-8") if file.exists() else ""
    except (OSError, UnicodeDecodeError):
        return None


def _plan(file: Path, job: Job, folder: Path) -> str:
    if why := job.obstacle(file, folder):
        return f"{why}, so build would leave it"
    if file.exists():
        return "is stale, build would replace it"
    return "is missing, build would write it"


def _orphans(sources: list[Written], folder: Path, strict: bool) -> bool:
    """Say which files come from specs that are gone."""
    gone = list(orphans(folder, (job.spec for _, job, _ in sources)))
    kind = "" if strict else "warning: "
    for file, spec in gone:
        said = f"{kind}was generated from {spec}, which is gone; delete the file"
        click.echo(f"{file}: {said} if nothing imports it", err=True)
    return bool(gone)


def _diff(name: str, old: str, new: str) -> Iterator[str]:
    import difflib

    lines = (old.splitlines(keepends=True), new.splitlines(keepends=True))
    return difflib.unified_diff(*lines, fromfile=name, tofile=f"{name} (from its spec)")


def _write(sources: list[Written], folder: Path, force: bool) -> None:
    """Write all of them, or none where one must not replace what is there."""
    refused = []
    for file, job, _ in sources:
        why = job.obstacle(file, folder)
        if why and (file.is_dir() or not force):
            advice = f"-o {_free(folder)} writes elsewhere"
            advice += "" if file.is_dir() else ", --force overwrites it"
            refused.append(f"{file}: {why}, so it is not overwritten; {advice}")
    if refused:
        fail(*refused, *["nothing was written"] * (len(sources) > 1))
    for file, job, source in sources:
        renamed = job.spec.renamed(job.network.name)
        if renamed and not file.exists():
            click.echo(renamed, err=True)
        write_or_fail(file, source)
        click.echo(line(file, job.network))


def _free(folder: Path) -> str:
    """A folder that is not there yet, beside this one, as a shell takes it."""
    import shlex

    start = folder if folder.name.strip(".") else folder / "models"
    names = chain([start], (start.with_name(f"{start.name}_{i}") for i in count(2)))
    return shlex.quote(next(n for n in names if not os.path.lexists(n)).as_posix())
