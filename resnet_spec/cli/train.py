"""The command that trains: train."""

from __future__ import annotations

from typing import Any

import click

from resnet_spec.cli.common import SET, Overrides, complete_folder, complete_spec
from resnet_spec.cli.failures import reported
from resnet_spec.cli.settings import setting_options, settings_of
from resnet_spec.train import resume as go_on
from resnet_spec.train import train as start
from resnet_spec.train.settings import Settings


@click.command()
@click.argument("spec", required=False, type=click.Path(), shell_complete=complete_spec)
@setting_options(Settings.model_fields)
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
    start(spec, settings_of(said), output, dict(overrides))
