"""The command that holds a network beside another library's: verify."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from resnet_spec.cli.common import SET, SPEC, against, read_as, refuse_without_weights
from resnet_spec.cli.failures import fail, reported
from resnet_spec.compiler import load
from resnet_spec.network import Network
from resnet_spec.problems.extras import needs

if TYPE_CHECKING:
    from torch import Tensor

    from resnet_spec.compare.libraries import Difference


@click.command()
@SPEC
@against("The other network, as timm:resnet50d or torchvision:resnet50.", required=True)
@click.option(
    "--within",
    default=0.0,
    show_default=True,
    metavar="BOUND",
    help="The largest difference to pass, over the largest number of its tensor.",
)
@click.option(
    "--weights",
    metavar="FILE",
    type=click.Path(),
    help="Give both the weights in this file, in place of random ones.",
)
@read_as
@SET
@reported
def verify(  # a choice each
    spec: str,
    against: str,
    within: float,
    weights: str | None,
    overrides: tuple[tuple[str, Any], ...],
    **how: str | None,
) -> None:
    """Build SPEC and another library's network, and compare what they compute.

    Both have the same random weights, or those in FILE. Compared are training output, every
    gradient, and evaluation output, at 64 x 64, 97 x 65 and at SPEC's own size; status 1 where
    one of them is not within BOUND.

    \b
    resnet-spec verify resnet50d --against timm:resnet50d
    resnet-spec verify resnetv2_50x1_bit --against timm:resnetv2_50x1_bit
    resnet-spec verify resnet50 --against torchvision:resnet50 --weights model.safetensors
    """
    if weights is None:
        refuse_without_weights(how)
    network = load(spec, dict(overrides)).network
    needs("torch", "torch")
    from resnet_spec.weights.loading import WeightsError

    worst, compared = 0.0, 0
    known = _weights(network, weights, how) if weights else None
    try:
        for size, found in _compared(network, against, known):
            if not found:
                click.echo(f"{size[0]} x {size[1]}: {against} does not take it")
                continue
            compared += len(found)
            largest = max(found, key=lambda difference: difference.relative)
            worst = max(worst, largest.relative)
            click.echo(_line(size, found, largest))
    except WeightsError as error:
        fail(f"{against} has other tensors than {spec}; {error}")
    except ValueError as error:
        fail(str(error))
    if not compared:
        fail("nothing was compared")
    if worst > within:
        sys.exit(1)


def _weights(
    network: Network, file: str, how: Mapping[str, str | None]
) -> Mapping[str, Tensor]:
    """The weights in a file by our names; prints a line of what was taken."""
    from resnet_spec.emit.module import build
    from resnet_spec.weights.loading import Choices, WeightsError, load_file

    model = build(network, init=False)
    try:
        done = load_file(model, file, Choices(**how))  # type: ignore[arg-type]
    except WeightsError as error:
        fail(str(error))
    click.echo("\n".join([f"{file}: {done}", *done.warnings]))
    return model.state_dict()


def _compared(
    network: Network, against: str, weights: Mapping[str, Tensor] | None
) -> Iterator[tuple[tuple[int, int], list[Difference]]]:
    """Each size and what was compared at it; nothing where the other network fails."""
    from resnet_spec.compare.libraries import compare, naming_of, reference, takes
    from resnet_spec.emit.module import build

    theirs, ours = reference(against, network.classes), build(network)
    naming_of(ours, theirs)
    own = (network.image.height, network.image.width)
    for size in dict.fromkeys(((64, 64), (97, 65), own)):
        if network.takes(size):
            channels = network.image.channels
            fits = takes(theirs, (channels, *size))
            yield (
                size,
                list(compare(ours, theirs, [size], channels, weights)) if fits else [],
            )


def _line(size: tuple[int, int], found: list[Difference], largest: Difference) -> str:
    """`64 x 64: 163 results equal bit for bit`"""
    start = f"{size[0]} x {size[1]}: {len(found)} results"
    if largest.relative == 0:
        return f"{start} equal bit for bit"
    return f"{start}, largest difference {largest.relative:.1e} in {largest.result}"
