"""The command that says of what network a checkpoint is: infer."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from resnet_spec.cli.failures import fail, put


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--assume",
    default="",
    metavar="NAME",
    help="What weights cannot tell is as in torchvision, in timm, or in this spec.",
)
@click.option("--prefix", metavar="NAME", help="The network below this, of several.")
@click.option("--key", metavar="KEY", help="The state dict under this key, of several.")
def infer(file: Path, assume: str, prefix: str | None, key: str | None) -> None:
    """Print the spec of the network that FILE has the weights of.

    It is read off the names and shapes of tensors alone, in any library's names; FILE is
    safetensors, a file of torch.save, .npz or Caffe2's .pkl. What names and shapes cannot
    tell, as where a bottleneck strides, is listed, and asked for with status 2.

    \b
    resnet-spec infer model.safetensors --assume torchvision > model.yaml
    resnet-spec infer model.safetensors --assume resnet50_v1
    """
    from resnet_spec.weights.files import WeightsError, names_and_shapes
    from resnet_spec.weights.inference import InferenceError
    from resnet_spec.weights.inference import infer as inferred

    try:
        found = inferred(names_and_shapes(file, key), assume, None, prefix)
    except WeightsError as error:
        fail(str(error))
    except InferenceError as error:
        fail(f"{file}: {error}")
    put(found.text)
    if found.asked:
        click.echo(f"{file}: {found.asked}", err=True)
        sys.exit(2)
