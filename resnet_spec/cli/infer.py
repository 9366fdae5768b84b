"""The command that says of what network a checkpoint is: infer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from resnet_spec.cli.failures import fail, put, reported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from resnet_spec.compare.witness import Found
    from resnet_spec.weights.inference import Inferred
    from resnet_spec.weights.inference.variants import Variant
    from resnet_spec.weights.stored import Stored

ARRAY = ".npy"
SHOWN = 3  # networks beside the one that it is, which are said to be the next


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--assume",
    default="",
    metavar="NAME",
    help="What weights cannot tell is as in torchvision, in timm, or in this spec.",
)
@click.option(
    "--witness",
    nargs=2,
    type=click.Path(path_type=Path),
    metavar="X Y",
    help="Try candidates: X.npy or a picture went in, Y.npy came out, or class Y.",
)
@click.option("--prefix", metavar="NAME", help="The network below this, of several.")
@click.option("--key", metavar="KEY", help="The state dict under this key, of several.")
@reported
def infer(
    file: Path,
    assume: str,
    witness: tuple[Path, Path] | None,
    prefix: str | None,
    key: str | None,
) -> None:
    """Print the spec of the network that FILE has the weights of.

    It is read off the names and shapes of tensors alone, in any library's names; FILE is
    safetensors, a file of torch.save, .npz or Caffe2's .pkl. What names and shapes cannot
    tell, as where a bottleneck strides, is listed, and asked for with status 2. A witness
    answers it: images (N, C, H, W), and logits or a map of your own code with these weights.

    \b
    resnet-spec infer model.safetensors --assume torchvision > model.yaml
    resnet-spec infer model.safetensors --assume resnet50_v1
    resnet-spec infer model.safetensors --witness x.npy y.npy
    """
    from resnet_spec.weights.files import WeightsError, names_and_shapes
    from resnet_spec.weights.inference import InferenceError
    from resnet_spec.weights.inference import infer as inferred

    if assume and witness:
        raise click.UsageError("--witness answers what --assume would: give one")
    try:
        tensors = names_and_shapes(file, key)
        if witness:
            found = _witnessed(tensors, witness, prefix)
        else:
            found = inferred(tensors, assume, None, prefix)
    except WeightsError as error:
        fail(str(error))
    except InferenceError as error:
        fail(f"{file}: {error}")
    put(found.text)
    if found.asked:
        click.echo(f"{file}: {found.asked}", err=True)
        sys.exit(2)


# --- a witness ----------------------------------------------------------------------------


def _witnessed(
    tensors: Mapping[str, Stored], witness: tuple[Path, Path], prefix: str | None
) -> Inferred:
    """What is inferred where candidates are tried on an input and its output."""
    from resnet_spec.problems.extras import needs

    needs("torch", "torch", "numpy")
    from resnet_spec.compare.witness import (
        Witness,
        WitnessError,
        apart,
        array,
        search,
    )
    from resnet_spec.weights.inference.variants import starts

    x, y = witness
    candidates = starts(tensors, prefix)
    try:
        images = _images(x, candidates[0])
        if y.name.isdecimal() and not y.exists():
            return _classified(tensors, candidates, images, int(y.name))
        known = Witness.of(images, array(y))
    except WitnessError as error:
        fail(str(error))
    found = search(candidates, lambda tried: apart(tried, tensors, known), known.within)
    return _judged(found, known.within, y)


def _images(x: Path, candidate: Variant) -> Tensor:
    """The array, or the picture as `predict` prepares it, in a batch of one."""
    from resnet_spec.compare.witness import WitnessError, check, images

    if x.suffix == ARRAY:
        found = images(x)
    else:
        from resnet_spec.problems.extras import needs

        needs("train", "torchvision", "PIL", "tqdm")
        from resnet_spec.train.folders import mode
        from resnet_spec.train.pictures import prepare, read

        size = candidate.network.image
        found = prepare(size)(read(x, mode(size.channels)))[None]
    try:
        check(found, candidate.network)
    except WitnessError as error:
        fail(f"{x}: {error}")
    return found


def _judged(found: Found, within: float, y: Path) -> Inferred:
    """The one that computes it, with the next; a line and status 1 where none does."""
    from resnet_spec.weights.inference.variants import inferred

    said = [f"{each.variant}, {each.apart:.1e}" for each in found.tried]
    count = f"{len(said)} network{'s' * (len(said) > 1)} tried"
    if not found.matches:
        none = "no network tried gives an array of its shape"
        nearest = "; ".join(said[:SHOWN])
        far = found.tried[0].apart == float("inf")
        fail(
            f"{y}: none of {count} computes it within {within:g} of its largest number; "
            + (none if far else f"the nearest are {nearest}")
        )
    comments = [
        f"# {count} on {y.name}: the differences, over its largest number, are",
        *(f"#   {line}" for line in said[: len(found.matches) + SHOWN]),
    ]
    variants = [tried.variant for tried in found.matches]
    if len(variants) == 1 or not any(each.changes for each in variants):
        return inferred(variants, comments)
    alike = "; ".join(map(str, variants))
    told = inferred(variants[:1], comments)
    return told._replace(
        asked=f"{y} does not tell apart {alike}: the nearest is printed"
    )


def _classified(
    tensors: Mapping[str, Stored],
    candidates: list[Variant],
    images: Tensor,
    number: int,
) -> Inferred:
    """What each candidate makes of a class, which is no proof, and is asked as before."""
    from resnet_spec.compare.witness import probability
    from resnet_spec.weights.inference.variants import inferred

    each = [(probability(it, tensors, images, number), it) for it in candidates]
    each.sort(key=lambda pair: -pair[0])
    comments = [
        f"# The probability of class {number}, which is no proof, is",
        *(f"#   {found:.4f} by {variant}" for found, variant in each),
    ]
    return inferred([variant for _, variant in each], comments)
