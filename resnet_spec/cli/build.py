"""The command that writes: build."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from resnet_spec.cli.common import (
    FEATURES,
    Job,
    Outcome,
    compiling,
    fail,
    line,
    reason,
    report_problems,
)
from resnet_spec.output import obstacle, write
from resnet_spec.problems.extras import needs


@click.command()
@click.option(
    "-o",
    "--output",
    default="generated",
    metavar="DIR",
    show_default=True,
    help="Folder to write to; - prints one SPEC's source instead.",
)
@click.option(
    "--check", is_flag=True, help="Write nothing; status 1 if a file would change."
)
@click.option("--diff", is_flag=True, help="Write nothing; print what would change.")
@click.option(
    "--verify",
    is_flag=True,
    help="First compare the source with the built module, bit for bit (needs torch).",
)
@FEATURES
@click.option(
    "--force", is_flag=True, help="Overwrite files that were edited by hand, too."
)
@compiling
def build(outcome: Outcome, output: str, **options: Any) -> None:
    """Write each SPEC's source as DIR/<its path below specs>.py.

    Nothing is written where a SPEC has a mistake, or a file to be overwritten is not one
    that was generated from the same SPEC.

    \b
    resnet-spec build specs/resnet101.yaml
    resnet-spec build specs --check --diff
    resnet-spec build specs/resnet18.yaml --set head.classes=10 --verify
    resnet-spec build resnet50d --features 1,2,3,4
    """
    report_problems(outcome.problems)
    if outcome.fails:
        sys.exit(1)
    jobs, check, diff = outcome.jobs, options["check"], options["diff"]
    if output == "-" and (check or diff or len(jobs) > 1):
        message = "-o - prints one SPEC's source, and compares nothing"
        raise click.UsageError(message)
    if options["verify"]:
        _verify(jobs)
    files = {Path(output, job.spec.module): job for job in jobs}
    if output == "-":
        click.echo(jobs[0].source, nl=False)
    elif check or diff:
        _compare(files, diff, check)
    else:
        _write(files, options["force"])


def _verify(jobs: list[Job]) -> None:
    needs("torch", "torch")
    from resnet_spec.compare.equality import verify

    failures = [
        f"{job.spec.file}: built and generated differ, {difference}"
        for job in jobs
        for difference in verify(job.network, job.source)
    ]
    if failures:
        fail(*failures)
    click.echo(f"built and generated are equal: {len(jobs)}", err=True)


def _compare(files: dict[Path, Job], diff: bool, check: bool) -> None:
    """Say which files would change, and how."""
    changed = []
    for file, job in files.items():
        try:
            old = file.read_text(encoding="utf-8") if file.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            fail(f"{file}: cannot be read, {error}")
        if old != job.source:
            changed.append(f"would change {file}")
            if diff:
                click.echo("".join(_diff(str(file), old, job.source)), nl=False)
    if check and changed:
        fail(*changed)


def _diff(name: str, old: str, new: str) -> Iterator[str]:
    import difflib

    lines = (old.splitlines(keepends=True), new.splitlines(keepends=True))
    return difflib.unified_diff(*lines, fromfile=name, tofile=f"{name} (from its spec)")


def _write(files: dict[Path, Job], force: bool) -> None:
    blocked = {file: obstacle(file, job.spec.shown) for file, job in files.items()}
    refused = [
        f"{file}: {why}, so it is not overwritten"
        + ("" if file.is_dir() else "; --force does")
        for file, why in blocked.items()
        if why and (file.is_dir() or not force)
    ]
    if refused:
        fail(*refused)
    for file, job in files.items():
        try:
            write(file, job.source)
        except OSError as error:
            fail(f"{file}: cannot be written, {reason(error)}")
        click.echo(line(file, job.network))
