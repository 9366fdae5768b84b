"""The command that asks a trained run, or a spec and a file of weights: predict."""

from __future__ import annotations

import click

from resnet_spec.cli.common import (
    CHANNELS_BY,
    SET,
    Overrides,
    complete_folder,
    read_as,
    refuse_without_weights,
)
from resnet_spec.cli.failures import reported
from resnet_spec.train import predict as predicted
from resnet_spec.train import predict_with


@click.command()
@click.argument("run", type=click.Path(), shell_complete=complete_folder)
@click.argument(
    "images", nargs=-1, required=True, metavar="IMAGE...", type=click.Path()
)
@click.option(
    "--top",
    default=5,
    show_default=True,
    metavar="N",
    type=click.IntRange(1),
    help="Classes to print of each.",
)
@click.option(
    "--weights",
    metavar="FILE",
    type=click.Path(),
    help="By the network of a SPEC, in place of RUN, with these weights.",
)
@read_as
@CHANNELS_BY
@SET
@reported
def predict(  # a choice each
    run: str,
    images: tuple[str, ...],
    top: int,
    weights: str | None,
    overrides: Overrides,
    **choices: str | None,
) -> None:
    """Print the likeliest classes of each IMAGE, with their probabilities, by a trained RUN.

    With --weights, by a SPEC: anyone's file is read, and says what its classes are called,
    else they are numbers from 0. Pictures are prepared as RUN's are, at SPEC's size.

    \b
    resnet-spec predict runs/resnet34 dinner.jpg
    resnet-spec predict resnet50 dinner.jpg --weights model.safetensors
    """
    if weights is None:
        refuse_without_weights({"set": overrides, **choices})
        found = predicted(run, images)
    else:
        found, lines = predict_with(run, weights, images, dict(overrides), **choices)
        click.echo("\n".join(lines), err=True)
    for image, classes in zip(images, found, strict=True):
        click.echo(image)
        for name, probability in sorted(classes.items(), key=lambda item: -item[1])[
            :top
        ]:
            click.echo(f"  {probability:.3f}  {name}")
