"""The command that draws a network: diagram."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from resnet_spec.cli.common import FEATURES, SET, SPEC, Features
from resnet_spec.cli.failures import (
    fail,
    put,
    report_problems,
    reported,
    write_or_fail,
)
from resnet_spec.compiler import load
from resnet_spec.problems.words import either

SUFFIXES = {".svg": "svg", ".md": "mermaid", ".dot": "dot", ".txt": "text"}
DRAWN = "drawn by resnet-spec diagram"
MARKS = {"svg": "<!-- {} -->", "mermaid": "<!-- {} -->", "dot": "// {}", "text": "{}"}
"""The last line of a file: how it is told from one that must not be replaced."""


@click.command()
@SPEC
@click.option(
    "-o",
    "--output",
    default="-",
    metavar="FILE",
    type=click.Path(),
    help="Draw to FILE.svg, .md (Mermaid), .dot (Graphviz) or .txt; - prints.",
)
@click.option(
    "--format",
    "chosen",
    type=click.Choice(list(SUFFIXES.values())),
    help="What to print, or to write whatever FILE's suffix is.  [default: text]",
)
@FEATURES
@SET
@click.option("--force", is_flag=True, help="Replace a FILE of another origin, too.")
@reported
def diagram(
    spec: str,
    output: str,
    chosen: str | None,
    features: Features,
    overrides: tuple[tuple[str, Any], ...],
    force: bool,
) -> None:
    """Draw SPEC: its parts in a row, and one block of each form in detail.

    The picture is no larger for a deeper network. SVG is light or dark as the reader's
    system is; Markdown is drawn by GitHub and GitLab.

    \b
    resnet-spec diagram resnet50
    resnet-spec diagram resnet50 -o resnet50.svg
    resnet-spec diagram resnet50 -o resnet50.md
    resnet-spec diagram resnet50 --format dot | dot -Tpdf -o resnet50.pdf
    """
    file = None if output == "-" else Path(output)
    kind = chosen or _kind(file)
    from resnet_spec.emit import diagram

    compiled = load(spec, dict(overrides), features)
    report_problems(compiled.warnings)
    drawn = diagram.diagram(compiled.network, kind)
    if kind == "mermaid":
        drawn = f"```mermaid\n{drawn}```\n"
    if file:
        _write(file, f"{drawn}{MARKS[kind].format(DRAWN)}\n", force)
    elif kind == "text":
        click.echo(drawn, nl=False)
    else:
        put(drawn)


def _kind(file: Path | None) -> str:
    """The format that the suffix says, text without a file."""
    if file is None:
        return "text"
    if file.suffix.lower() not in SUFFIXES:
        known = either(SUFFIXES)
        message = (
            f"-o ends in {known}, not {file.name}; give --format for another suffix"
        )
        raise click.UsageError(message)
    return SUFFIXES[file.suffix.lower()]


def _write(file: Path, content: str, force: bool) -> None:
    if why := _obstacle(file, force):
        fail(f"{file}: {why}, so it is not overwritten")
    write_or_fail(file, content)
    click.echo(file)


def _obstacle(file: Path, force: bool) -> str:
    """Why a picture must not replace the file; empty where it may."""
    if file.is_dir():
        return "is a folder"
    if force or not (file.exists() or file.is_symlink()):
        return ""
    if file.is_symlink():
        return "is a symbolic link (--force replaces it)"
    try:
        drawn = DRAWN in file.read_text(encoding="utf-8")[-80:]
    except (OSError, UnicodeDecodeError):
        drawn = False
    return "" if drawn else "was not drawn by resnet-spec (--force replaces it)"
