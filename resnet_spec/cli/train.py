"""The command that trains: train."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import click
from pydantic import ValidationError

from resnet_spec.cli.common import (
    READ_AS,
    SET,
    Overrides,
    complete_folder,
    complete_spec,
)
from resnet_spec.cli.failures import reported
from resnet_spec.train import resume as go_on
from resnet_spec.train import train as start
from resnet_spec.train.settings import Settings

METAVARS = {"data": "DIR", "weights": "FILE"}


def _option(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A field of Settings as an option; None where it is not given."""
    field = Settings.model_fields[name]
    flag, kind = f"--{name.replace('_', '-')}", field.annotation
    shown = isinstance(field.default, (str, int, float)) and kind is not bool
    default = f"  [default: {field.default}]" if shown else ""
    said = field.description or ""
    text = f"{said[:1].upper()}{said[1:]}.{default}"
    if kind is bool:
        return click.option(flag, is_flag=True, default=None, help=text)
    if type(None) in get_args(kind):
        kind = get_args(kind)[0]  # of `float | None`
    one = click.Choice(words) if (words := get_args(kind)) else kind
    return click.option(flag, type=one, metavar=METAVARS.get(name), help=text)


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for name in reversed(Settings.model_fields):
        option = READ_AS.get(name) or _option(name)
        command = option(command)
    return command


@click.command()
@click.argument("spec", required=False, type=click.Path(), shell_complete=complete_spec)
@_options
@click.option(
    "-o",
    "--output",
    metavar="RUN",
    shell_complete=complete_folder,
    help="Folder of the run.  [default: runs/<SPEC's name>]",
)
@click.option(
    "--resume",
    metavar="RUN",
    shell_complete=complete_folder,
    help="Go on with a run as it was begun; --epochs makes it longer.",
)
@SET
@reported
def train(
    spec: str | None,
    output: str | None,
    resume: str | None,
    overrides: Overrides,
    **given: Any,
) -> None:
    """Train SPEC's network on a folder of pictures, by PyTorch Lightning.

    DIR has train/<class>/* and test/<class>/*, or val; pictures are resized to SPEC's input.
    Its classes are those of the network's classifier. RUN gets the weights, the source that
    loads them, the figures of each epoch, and checkpoints to go on from.

    \b
    resnet-spec train resnet34 --data hotdog
    resnet-spec train resnet34 --data hotdog --weights resnet34.pth --lr 1e-4 -o runs/tuned
    resnet-spec train --resume runs/resnet34
    """
    said = {name: value for name, value in given.items() if value is not None}
    if resume is not None:
        epochs = said.pop("epochs", None)
        if spec or output or overrides or said:
            raise click.UsageError(
                "--resume RUN goes on as RUN was begun, and takes --epochs alone"
            )
        go_on(resume, epochs)
        return
    if spec is None or "data" not in said:
        raise click.UsageError("needs SPEC and --data DIR, or --resume RUN")
    try:
        settings = Settings(**said)
    except ValidationError as error:
        raise click.UsageError(_first(error)) from None
    start(spec, settings, output, dict(overrides))


def _first(error: ValidationError) -> str:
    """`--lr: input should be greater than 0, got -1.0`"""
    found = error.errors()[0]
    text = found["msg"].removeprefix("Value error, ")
    if not found["loc"]:
        return text
    flag = str(found["loc"][0]).replace("_", "-")
    return f"--{flag}: {text.lower()}, got {found['input']}"
