"""The command that gives weights the names of another library: convert."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from resnet_spec.cli.common import (
    FEATURES,
    RULES_FOR_CHANNELS,
    STRICT,
    complete_spec,
    read_as,
)
from resnet_spec.cli.failures import fail, put, reported, write_or_fail


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--to",
    required=True,
    metavar="LIBRARY",
    help="transformers, timm, torchvision, detectron2, mmpretrain, mmdet, pycls, resnet-spec "
    "for our own names, or another naming of `load_weights`.",
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="A file: .safetensors, .pth, .pt, .pyth or .npz; or a folder, which gets "
    "model.safetensors, and for transformers config.json.",
)
@click.option(
    "--spec",
    default="",
    metavar="SPEC",
    shell_complete=complete_spec,
    help="The network that FILE is of.",
)
@click.option(
    "--assume",
    default="",
    metavar="NAME",
    help="What weights cannot tell is as in torchvision, in timm, or in this spec.",
)
@click.option(
    "--channels",
    type=click.IntRange(1),
    help="Make the first convolution read so many (needs torch).",
)
@click.option(
    "--channels-by",
    type=RULES_FOR_CHANNELS,
    help="How; left out, sum for one channel, and repeat for more.",
)
@click.option(
    "--classes",
    type=click.IntRange(1),
    help="A new classifier of so many, which nothing has trained (needs torch).",
)
@click.option("--seed", type=click.IntRange(0), help="What that is drawn from. [0]")
@FEATURES
@read_as
@STRICT
@click.option("--force", is_flag=True, help="Replace files that are there.")
@reported
def convert(  # noqa: PLR0913  # an option each
    file: Path,
    to: str,
    output: Path,
    spec: str,
    assume: str,
    naming: str | None,
    prefix: str | None,
    key: str | None,
    strict: bool,
    force: bool,
    **surgery: Any,
) -> None:
    """Write the weights in FILE by the names that a library has for them.

    No number changes, nor its type: bytes get other names, and torch is not needed; but where
    --channels, --classes and --features ask for another network, with what there is. How the
    library is asked for the network is printed, as Python or as lines of its config; where it
    builds another one than these weights are of, a warning says in what.

    \b
    resnet-spec convert resnet50.pth --to transformers --assume torchvision -o resnet50
    resnet-spec convert model.safetensors --to detectron2 --spec model.yaml -o model.pth
    resnet-spec convert resnet18.pth --to timm --assume timm --channels 1 --classes 10 -o r.pth
    """
    from resnet_spec.compare.rebuilt import warnings
    from resnet_spec.problems.words import nearest
    from resnet_spec.weights.operation import Operation
    from resnet_spec.weights.renaming import (
        TARGETS,
        AmbiguousError,
        Source,
        conversion,
        files,
    )
    from resnet_spec.weights.stored import WeightsError

    if to not in TARGETS:
        known = f"{', '.join(TARGETS)}, got {to}{nearest(to, TARGETS)}"
        raise click.UsageError(f"--to must be one of {known}")
    operation = Operation(**surgery)
    try:
        operation.refuse_idle()
    except WeightsError as error:
        raise click.UsageError(str(error)) from None
    if spec and assume:
        raise click.UsageError("--spec says all that --assume could; give one of them")
    try:
        source = Source(file, key, prefix, naming)
        made = conversion(source, to, spec, assume, operation)
        written = files(made, output, force)
    except AmbiguousError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    except WeightsError as error:
        fail(str(error))
    said = warnings(made)
    if said and strict:
        fail(*said)
    for each, content in written:
        write_or_fail(each, content)
    for text in said:
        click.echo(f"warning: {text}", err=True)
    click.echo(f"{written[0][0]}: {made}", err=True)
    if made.asked:
        put(made.asked.text)
