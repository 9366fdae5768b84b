"""The command line: parse, call, print. Only here is anything printed or exited."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, ParamSpec

import click

from resnet_spec import __version__, report
from resnet_spec.canonical import digest
from resnet_spec.compiler import load
from resnet_spec.errors import Problem, SpecError
from resnet_spec.files import SpecFile, obstacle, spec_files, write
from resnet_spec.ir import Network
from resnet_spec.render import render
from resnet_spec.source import override
from resnet_spec.stamp import origin, stamped
from resnet_spec.words import counted, flow

P = ParamSpec("P")
SPECS = click.argument(
    "specs", nargs=-1, required=True, metavar="SPEC...", type=click.Path()
)


class _Override(click.ParamType[Any]):
    """`head.classes=10` -> ("head.classes", 10)"""

    name = "key=value"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        try:
            return override(value)
        except SpecError as error:
            self.fail(error.problems[0].message, param, ctx)


SET = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    type=_Override(),
    help="Change a field of every SPEC, as head.classes=10. Repeatable.",
)


STRICT = click.option("--strict", is_flag=True, help="Count warnings as mistakes.")


def _reported(command: Callable[P, None]) -> Callable[P, None]:
    """The command with every foreseen failure as lines on stderr and status 1."""

    @wraps(command)
    def reported(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except SpecError as error:
            _print(error.problems)
            sys.exit(1)
        except ImportError as error:
            _fail(str(error))
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise  # which click ends in silence, as a pipe is meant to
            _fail(f"the output cannot be written, {(error.strerror or '').lower()}")

    return reported


def _fail(*lines: str) -> NoReturn:
    for line in lines:
        click.echo(line, err=True)
    sys.exit(1)


def _print(problems: Sequence[Problem]) -> None:
    """The problems on stderr, in colour where that is a terminal that wants it."""

    def paint(text: str, colour: str) -> str:
        plain = os.environ.get("NO_COLOR")
        return text if plain else click.style(text, fg=colour, bold=True)

    click.echo(report.text(problems, paint), err=True, nl=False)


class _Job(NamedTuple):
    """A spec that compiled, with its source."""

    spec: SpecFile
    network: Network
    source: str


def _compiled(
    paths: tuple[str, ...], overrides: tuple[tuple[str, Any], ...]
) -> tuple[list[_Job], list[Problem]]:
    """The specs that compile, and the problems and warnings of all."""
    jobs: list[_Job] = []
    problems: dict[
        Problem, Problem
    ] = {}  # each once, whoever extends the file that has it

    def add(found: Sequence[Problem]) -> None:
        for problem in found:
            problems.setdefault(problem._replace(note=""), problem)

    for spec in spec_files(list(paths)):
        try:
            compiled = load(spec.file, dict(overrides))
        except SpecError as error:
            add(error.problems)
            continue
        add(compiled.warnings)
        changed = ", ".join(f"{key}={flow(value)}" for key, value in overrides)
        line = origin(__version__, spec.shown, changed, digest(compiled.spec))
        source = stamped(render(compiled.network, line))
        jobs.append(_Job(spec, compiled.network, source))
    return jobs, list(problems.values())


def _fails(problems: Sequence[Problem], strict: bool) -> bool:
    return any(strict or not problem.warning for problem in problems)


def _line(name: object, network: Network) -> str:
    return f"{name}  {network.params:,} parameters  {counted(network.macs)}MACs"


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88}
)
@click.version_option(__version__, prog_name="resnet-spec")
def main() -> None:
    """Compile a page of YAML into a checked residual network and readable PyTorch.

    A SPEC is a YAML file, or a folder, which means all *.yaml in and below it.

    \b
    resnet-spec build specs/resnet50.yaml               write generated/resnet50.py
    resnet-spec build specs -o models                   all of them, below models/
    resnet-spec build specs/resnet50.yaml -o - --set head.classes=10
    resnet-spec summary specs/resnet50.yaml             shapes and costs by stage
    resnet-spec check specs                             only look for mistakes
    """


@main.command()
@SPECS
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
@click.option(
    "--force", is_flag=True, help="Overwrite files that were edited by hand, too."
)
@STRICT
@SET
@_reported
def build(
    specs: tuple[str, ...],
    output: str,
    check: bool,
    diff: bool,
    verify: bool,
    force: bool,
    strict: bool,
    overrides: tuple[tuple[str, Any], ...],
) -> None:
    """Write each SPEC's source as DIR/<its path below specs>.py.

    Nothing is written where a SPEC has a mistake, or a file to be overwritten is not one
    that was generated from the same SPEC.

    \b
    resnet-spec build specs/resnet101.yaml
    resnet-spec build specs --check --diff
    resnet-spec build specs/resnet18.yaml --set head.classes=10 --verify
    """
    if output == "-" and (check or diff):
        raise click.UsageError("-o - prints the source, so there is nothing to compare")
    jobs, problems = _compiled(specs, overrides)
    _print(problems)
    if _fails(problems, strict):
        sys.exit(1)
    if output == "-" and len(jobs) > 1:
        raise click.UsageError("-o - prints one SPEC, and there are several")
    if verify:
        _verify(jobs)
    files = {Path(output, job.spec.module): job for job in jobs}
    if output == "-":
        click.echo(jobs[0].source, nl=False)
    elif check or diff:
        _compare(files, diff, check)
    else:
        _write(files, force)


def _verify(jobs: list[_Job]) -> None:
    from resnet_spec.build import verify

    failures = []
    for job in jobs:
        found = verify(job.network, job.source)
        failures += [
            f"{job.spec.file}: built and generated differ, {line}" for line in found
        ]
    if failures:
        _fail(*failures)
    click.echo(f"built and generated are equal: {len(jobs)}", err=True)


def _compare(files: dict[Path, _Job], diff: bool, check: bool) -> None:
    """Say which files would change, and how."""
    changed = []
    for file, job in files.items():
        try:
            old = file.read_text(encoding="utf-8") if file.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            _fail(f"{file}: cannot be read, {error}")
        if old != job.source:
            changed.append(f"would change {file}")
            if diff:
                click.echo("".join(_diff(str(file), old, job.source)), nl=False)
    if check and changed:
        _fail(*changed)


def _diff(name: str, old: str, new: str) -> Iterator[str]:
    import difflib

    lines = (old.splitlines(keepends=True), new.splitlines(keepends=True))
    return difflib.unified_diff(*lines, fromfile=name, tofile=f"{name} (from its spec)")


def _write(files: dict[Path, _Job], force: bool) -> None:
    blocked = {file: obstacle(file, job.spec.shown) for file, job in files.items()}
    refused = [
        f"{file}: {why}, so it is not overwritten; --force does"
        for file, why in blocked.items()
        if why and not force
    ]
    if refused:
        _fail(*refused)
    for file, job in files.items():
        try:
            write(file, job.source)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            _fail(f"{file}: cannot be written, {reason}")
        click.echo(_line(file, job.network))


@main.command()
@SPECS
@click.option(
    "--format",
    "form",
    type=click.Choice(list(report.FORMATS)),
    default="text",
    show_default=True,
    help="For people, for programs, for GitHub's annotations, for code scanning.",
)
@STRICT
@SET
@_reported
def check(
    specs: tuple[str, ...],
    form: str,
    strict: bool,
    overrides: tuple[tuple[str, Any], ...],
) -> None:
    """Look for mistakes in each SPEC; print all of them, with their places.

    \b
    resnet-spec check specs
    resnet-spec check specs --strict --format sarif > resnet-spec.sarif
    """
    jobs, problems = _compiled(specs, overrides)
    if form == "text":
        _print(problems)
        for job in jobs:
            click.echo(_line(job.spec.file, job.network))
    else:
        click.echo(report.FORMATS[form](problems), nl=False)
    if _fails(problems, strict):
        sys.exit(1)


@main.command()
@click.argument("spec", type=click.Path())
@SET
@_reported
def summary(spec: str, overrides: tuple[tuple[str, Any], ...]) -> None:
    """Print SPEC as a table, one row a stage, for one image of the stated input.

    \b
    resnet-spec summary specs/resnet50.yaml
    resnet-spec summary specs/resnet50.yaml --set input=[3,64,64]
    """
    from resnet_spec import tables

    compiled = load(spec, dict(overrides))
    _print(compiled.warnings)
    click.echo(tables.summary(compiled.network), nl=False)


@main.command()
@click.argument("spec", type=click.Path())
@click.option("--plain", is_flag=True, help="Leave out where each value comes from.")
@SET
@_reported
def explain(spec: str, plain: bool, overrides: tuple[tuple[str, Any], ...]) -> None:
    """Print SPEC whole: all that it extends and all defaults, and whence each value comes.

    \b
    resnet-spec explain specs/wide_resnet50_2.yaml
    resnet-spec explain specs/resnet101.yaml --plain > whole.yaml
    """
    from resnet_spec import explain as explanation

    compiled = load(spec, dict(overrides))
    text = explanation.explain(compiled.source, compiled.spec, plain)
    click.echo(text, nl=False)


@main.command()
@click.option("--markdown", is_flag=True, help="Print the reference, docs/language.md.")
@_reported
def schema(markdown: bool) -> None:
    """Print the JSON Schema of a spec, for editors.

    \b
    resnet-spec schema > resnet-spec.schema.json
    """
    import json

    from resnet_spec import reference
    from resnet_spec.schema import json_schema

    if markdown:
        click.echo(reference.markdown(), nl=False)
    else:
        click.echo(json.dumps(json_schema(), indent=2))


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the SHELL script that completes commands, options and files.

    \b
    eval "$(resnet-spec completion bash)"
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(main, {}, "resnet-spec", "_RESNET_SPEC_COMPLETE").source())
