"""The command that says what changes from one spec or file of weights to another: diff."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import click

from resnet_spec.cli.common import (
    FEATURES,
    SET,
    Features,
    Overrides,
    complete_spec,
    read_as,
    refuse_given,
)
from resnet_spec.cli.failures import put, report_problems
from resnet_spec.compiler import Compiled, load
from resnet_spec.network import Network
from resnet_spec.problems import SpecError
from resnet_spec.problems.texts import STDIN

if TYPE_CHECKING:
    from resnet_spec.compare.pages import Page

FORMATS = ("text", "json", "markdown")
CANNOT = 2  # the status where nothing is compared; 1 says that specs differ


class Side(NamedTuple):
    """One of the two: what it is called, and what it is."""

    name: str
    compiled: Compiled


@click.command()
@click.argument(
    "specs",
    nargs=-1,
    required=True,
    metavar="A [B]",
    type=click.Path(),
    shell_complete=complete_spec,
)
@click.option(
    "--rev",
    metavar="REV",
    help="Compare the one SPEC as it is in this commit with itself now.",
)
@click.option(
    "--source", is_flag=True, help="Print a unified diff of the generated sources."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="For people, for programs, for a pull request.",
)
@SET
@FEATURES
@read_as
def diff(  # a choice each
    specs: tuple[str, ...],
    rev: str | None,
    source: bool,
    form: str,
    overrides: Overrides,
    features: Features,
    **read_as: str | None,
) -> None:
    """Say what changes from spec A to spec B: fields, parts, ops, and what weights do.

    Of two files of weights, it says which tensors differ and by how much, whoever named them;
    of a file and a spec, whether the weights are that network's.

    Status 0 where they are equal, 1 where they differ, 2 where they cannot be compared.
    With --rev, what SPEC extends is of that commit too, but for specs that ship.

    \b
    resnet-spec diff resnet50 v1/resnet50_v1
    resnet-spec diff resnet50 resnetaa50 --source
    resnet-spec diff --rev HEAD~1 specs/resnet50.yaml --format markdown
    resnet-spec diff before.safetensors after.pth
    resnet-spec diff model.safetensors resnet50
    """
    _lawful(specs, rev)
    if source and form != "text":
        raise click.UsageError("--source prints a diff, and takes no --format")
    files = [spec for spec in specs if _is_of_weights(spec)]
    how = {name: value for name, value in read_as.items() if value is not None}
    if files:
        why = f"is of specs, and {files[0]} has weights"
        refuse_given({"rev": rev, "source": source}, why)
        if len(files) == 2:
            naming = how.pop("naming", None)
            given = {"set": overrides, "features": features, "naming": naming}
            refuse_given(given, why)
            _conclude(lambda: _checkpoints(*files, **how), form)
        (spec,) = (each for each in specs if each not in files)
        with _refusing():
            network = load(spec, dict(overrides), features).network
        _conclude(lambda: _fitting(specs, files[0], network, how), form)
    if how:
        raise click.UsageError(
            f"--{next(iter(how))} is that of weights, and there are none"
        )
    with _refusing():
        before = None
        if rev is not None:
            before = _before(specs[0], rev, overrides, features)
        now = [Side(spec, load(spec, dict(overrides), features)) for spec in specs]
    a, b = (before, *now) if before else now
    differ = _sources(a, b) if source else _compared(a, b, form)
    sys.exit(int(differ))


def _is_of_weights(path: str) -> bool:
    from resnet_spec.output import SUFFIXES

    if path.endswith(SUFFIXES) or path == STDIN:
        return False
    from resnet_spec.weights.files import is_of_weights

    return is_of_weights(path)


def _checkpoints(a: str, b: str, **how: str) -> Page:
    from resnet_spec.compare.checkpoint_page import page_of
    from resnet_spec.compare.checkpoints import checkpoints

    return page_of(checkpoints(a, b, **how))


def _fitting(
    sides: Sequence[str], file: str, network: Network, how: Mapping[str, str]
) -> Page:
    from resnet_spec.compare.fitting import fitting

    return fitting(file, network, **how).page(*sides)


def _conclude(compare: Callable[[], Page], form: str) -> NoReturn:
    """Print what a comparison of weights gives, and end with its status."""
    from resnet_spec.weights.files import WeightsError

    try:
        page = compare()
    except (WeightsError, ImportError) as error:
        _refuse(str(error))
    _print(page, form)
    sys.exit(int(not page.equal))


def _lawful(specs: tuple[str, ...], rev: str | None) -> None:
    """Refuse what is no pair of specs."""
    if rev is None and len(specs) != 2:
        raise click.UsageError(f"takes two specs, or one with --rev, got {len(specs)}")
    if rev is not None and len(specs) != 1:
        raise click.UsageError(f"--rev takes one spec, got {len(specs)}")
    if rev is not None and specs[0] == STDIN:
        raise click.UsageError("--rev takes a file, and standard input is none")


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except SpecError as error:
        report_problems(error.problems)
        sys.exit(CANNOT)


def _refuse(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(CANNOT)


def _before(spec: str, rev: str, overrides: Overrides, features: Features) -> Side:
    """The spec as it is in a commit."""
    from resnet_spec.cli.revision import RevisionError, checked_out
    from resnet_spec.language.shipped import spec_path

    try:
        with checked_out(spec_path(spec), rev) as (file, folder):
            compiled = load(file, dict(overrides), features)
    except RevisionError as error:
        _refuse(str(error))
    except SpecError as error:
        said = (f"{rev}: {problem} [{problem.rule}]" for problem in error.problems)
        _refuse("\n".join(line.replace(f"{folder}/", "") for line in said))
    return Side(f"{spec} at {rev}", compiled)


def _compared(a: Side, b: Side, form: str) -> bool:
    """Print what differs; whether anything does."""
    from resnet_spec.compare.difference import difference
    from resnet_spec.compare.fields import changed_fields
    from resnet_spec.compare.networks import Comparison

    fields = changed_fields(a.compiled.plan, b.compiled.plan)
    networks = (a.compiled.network, b.compiled.network)
    page = Comparison(a.name, b.name, fields, difference(*networks)).page
    _print(page, form)
    return not page.equal


def _print(page: Page, form: str) -> None:
    from shutil import get_terminal_size

    from resnet_spec.compare import pages

    if form == "text":
        width = get_terminal_size((0, 0)).columns  # 0 where it goes to a file
        click.echo(pages.text(page, width), nl=False)
    else:
        put(pages.FORMATS[form](page))


def _sources(a: Side, b: Side) -> bool:
    """Print how the generated sources differ; whether they do.

    Without the line that names the spec and has its digests, which is another in any case.
    """
    from difflib import unified_diff

    from resnet_spec.emit.source import render

    old, new = (
        render(side.compiled.network).splitlines(keepends=True) for side in (a, b)
    )
    put("".join(unified_diff(old, new, fromfile=a.name, tofile=b.name)))
    return old != new
