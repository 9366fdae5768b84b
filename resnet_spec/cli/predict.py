"""The command that asks a trained run: predict."""

from __future__ import annotations

import click

from resnet_spec.cli.common import complete_folder
from resnet_spec.cli.failures import reported
from resnet_spec.train import predict as predicted


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
@reported
def predict(run: str, images: tuple[str, ...], top: int) -> None:
    """Print the likeliest classes of each IMAGE, with their probabilities, by a trained RUN.

    \b
    resnet-spec predict runs/resnet34 dinner.jpg
    """
    for image, found in zip(images, predicted(run, images), strict=True):
        click.echo(image)
        for name, probability in sorted(found.items(), key=lambda item: -item[1])[:top]:
            click.echo(f"  {probability:.3f}  {name}")
