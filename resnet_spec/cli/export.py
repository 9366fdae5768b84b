"""The command that writes a network for other runtimes: export."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from resnet_spec import __version__
from resnet_spec.cli.common import FEATURES, SET, SPEC, Features, Overrides, read_as
from resnet_spec.cli.failures import fail, reported, write_or_fail
from resnet_spec.network import Network
from resnet_spec.problems.extras import needs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ONNX, TORCH = ".onnx", ".pt2"
LARGEST = 2**31 - 2**24  # bytes of weights in a file of ONNX, one message of protobuf
LARGEST_HALF = 65504  # the largest number of 16 bits

Contents = dict[Path, Iterable[bytes | memoryview]]


class Trained(NamedTuple):
    """A network with its weights as arrays, and what is told of those."""

    network: Network
    tensors: Mapping[str, NDArray[np.generic]]
    told: Mapping[str, str]


@click.command()
@SPEC
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What to write: .onnx, without torch; or .pt2, a program of torch.export.",
)
@click.option("--weights", type=click.Path(path_type=Path), help="Weights of SPEC.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    help="Without weights: those that training starts from (needs torch).",
)
@click.option(
    "--deploy",
    is_flag=True,
    help="With norms folded into the convolutions before them.",
)
@click.option("--half", is_flag=True, help="Compute in 16 bits.")
@click.option(
    "--group-width",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="Put groups of convolutions together up to so many channels, with zeros: with 16 "
    "faster in ONNX Runtime on AVX-512.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@FEATURES
@SET
@read_as
@reported
def export(  # noqa: PLR0913  # an option each
    spec: str,
    output: Path,
    weights: Path | None,
    seed: int | None,
    features: Features,
    overrides: Overrides,
    *,
    deploy: bool,
    half: bool,
    group_width: int | None,
    force: bool,
    **read: str | None,
) -> None:
    """Write SPEC's network with its weights, for runtimes without its source.

    The number of images is free, and so are their height and width where the network takes
    several. Classes and channels are those of the weights. Nodes of ONNX are called by the
    paths of modules, and the file says in its metadata what it was made from.

    \b
    resnet-spec export resnet50 --weights resnet50.safetensors -o resnet50.onnx
    resnet-spec export resnet50 --weights resnet50.safetensors --deploy --half -o half.onnx
    """
    from resnet_spec.weights.stored import WeightsError

    if output.suffix not in (ONNX, TORCH):
        raise click.UsageError(f"-o must end in {ONNX} or {TORCH}, got {output}")
    if weights is None and seed is None:
        message = (
            "give --weights FILE; or --seed 0 for weights that nothing has trained"
        )
        raise click.UsageError(message)
    if weights is not None and seed is not None:
        raise click.UsageError("--seed draws weights, and --weights has them; give one")
    if group_width and output.suffix != ONNX:
        raise click.UsageError(f"--group-width is that of {ONNX}")
    _refuse_to_overwrite(output, force)
    needs(*(("onnx", "onnx") if output.suffix == ONNX else ("torch", "torch")))
    try:
        if weights is None:
            made = _started(spec, dict(overrides), seed or 0)
        else:
            made = _read(spec, dict(overrides), weights, read)
        made = _changed(made, features, deploy)
        if half:
            _refuse_too_large(made)
        if output.suffix == ONNX:
            contents = _onnx(made, output, half=half, group_width=group_width or 1)
        else:
            contents = _program(made, output, half=half)
    except (WeightsError, NotImplementedError) as error:
        fail(str(error))
    for file in contents:
        _refuse_to_overwrite(file, force)
    for file, content in contents.items():
        write_or_fail(file, content)
    files = " and ".join(map(str, reversed(contents)))
    click.echo(f"{files}: {made.network!r}", err=True)


def _refuse_to_overwrite(file: Path, force: bool) -> None:
    if file.exists() and not force:
        fail(f"{file}: is there, so it is not overwritten; --force overwrites it")


def _refuse_too_large(made: Trained) -> None:
    """Refuses numbers that 16 bits make infinite."""
    import numpy as np

    for name, _ in made.network.tensors():
        values = made.tensors[name]
        if np.issubdtype(values.dtype, np.floating):
            largest = float(np.abs(values).max(initial=0))
            if LARGEST_HALF < largest < np.inf:
                message = (
                    f"{name} has {largest:.6g}, and 16 bits end at {LARGEST_HALF:,}"
                )
                fail(f"{message}, so leave --half out")


def _read(
    spec: str, overrides: Mapping[str, Any], file: Path, read: Mapping[str, str | None]
) -> Trained:
    """The network of a spec with the weights of a file, under our names."""
    needs("onnx", "numpy")
    from resnet_spec.weights.arrays import arrays
    from resnet_spec.weights.classes import class_names
    from resnet_spec.weights.identity import Source, opened

    found = opened(Source(file, **read), spec, overrides=overrides)
    told = {f"weights.{name}": text for name, text in found.said.items()}
    told["weights"] = f"{file.name}, {found.reading}"
    if names := class_names(file):
        told["classes"] = "\n".join(names)
    return Trained(found.network, arrays(found), told)


def _started(spec: str, overrides: Mapping[str, Any], seed: int) -> Trained:
    """The network with the weights that its module starts from."""
    needs("torch", "torch")
    from resnet_spec.compiler import load
    from resnet_spec.weights.programs import started

    network = load(spec, overrides).network
    told = {"weights": f"not trained, from seed {seed}"}
    return Trained(network, started(network, seed), told)


def _changed(made: Trained, features: Features, deploy: bool) -> Trained:
    """What passes make of the network, and of its weights."""
    network, tensors = made.network, made.tensors
    if features:
        from resnet_spec.passes.cut import cut

        network = cut(network, features)
        kept = dict(network.tensors())
        tensors = {name: value for name, value in tensors.items() if name in kept}
    if deploy:
        import numpy as np

        from resnet_spec.passes.fold import fold
        from resnet_spec.passes.folding import folded

        network = fold(network)
        tensors = folded(network, tensors, np.float64)
    return made._replace(network=network, tensors=tensors)


def _onnx(made: Trained, output: Path, *, half: bool, group_width: int) -> Contents:
    """The file, and before it the one that has its weights, where those are too many."""
    from resnet_spec.emit.onnx import onnx_model
    from resnet_spec.emit.onnx.beside import Beside

    network, digests = made.network, made.network.digests
    heights, widths = network.sides
    told = {
        "producer": f"resnet-spec {__version__}",
        "network": network.name,
        "title": network.title,
        "fingerprint": digests.fingerprint,
        "layout": digests.layout,
        "function": digests.function,
        "image": " x ".join(map(str, map(int, network.image))),
        "heights": str(heights),
        "widths": str(widths),
        **made.told,
    }
    make = partial(
        onnx_model,
        network,
        made.tensors,
        half=half,
        metadata=told,
        group_width=group_width,
    )
    model, beside = make(), None
    if sum(len(each.raw_data) for each in model.graph.initializer) > LARGEST:
        beside = Beside(f"{output.name}.data")
        model = make(beside=beside)
    weights = {output.with_name(beside.name): beside.parts()} if beside else {}
    return {**weights, output: [model.SerializeToString(deterministic=True)]}


def _program(made: Trained, output: Path, *, half: bool) -> Contents:
    from resnet_spec.weights.programs import program

    return {output: [program(made.network, made.tensors, made.told, half=half)]}
