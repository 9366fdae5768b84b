"""A compiler for residual networks: a page of YAML in, a checked network and source out.

Importing this imports nothing else: each name is fetched when it is first asked for. torch is
imported when `build`, `build_model` or `load_weights` is called.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any
from warnings import warn

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    import torch

    from resnet_spec.compare.difference import Difference
    from resnet_spec.compiler import Compiled, load
    from resnet_spec.emit.source import render
    from resnet_spec.emit.table import summarize
    from resnet_spec.language.fields import Spec
    from resnet_spec.language.parsing import parse
    from resnet_spec.language.plan import Plan
    from resnet_spec.language.reading import read
    from resnet_spec.lowering import lower
    from resnet_spec.network import Network, digests
    from resnet_spec.passes.fold import fold
    from resnet_spec.problems import Problem, SpecError
    from resnet_spec.weights.loading import Loaded
    from resnet_spec.weights.renaming import Conversion

__version__ = "0.1.0"

__all__ = [
    "Compiled",
    "Network",
    "Plan",
    "Problem",
    "Spec",
    "SpecError",
    "build",
    "build_model",
    "convert_weights",
    "costs",
    "diagram",
    "difference",
    "digests",
    "fold",
    "load",
    "load_weights",
    "lower",
    "parse",
    "read",
    "render",
    "summarize",
]

HOMES = {
    "Compiled": "compiler",
    "Network": "network",
    "Plan": "language.plan",
    "Problem": "problems",
    "Spec": "language.fields",
    "SpecError": "problems",
    "digests": "network",
    "fold": "passes.fold",
    "load": "compiler",
    "lower": "lowering",
    "parse": "language.parsing",
    "read": "language.reading",
    "render": "emit.source",
    "summarize": "emit.table",
}
"""The module of each name that is not defined here."""
RENAMED = {"digest": "language.canonical.digest"}
"""What the last version had here, for one version more."""


def __getattr__(name: str) -> Any:
    if name in RENAMED:
        home, _, new = RENAMED[name].rpartition(".")
        message = f"resnet_spec.{name} is resnet_spec.{home}.{new} now"
        warn(message, DeprecationWarning, stacklevel=2)
        return getattr(import_module(f"{__name__}.{home}"), new)
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def build(
    network: Network, *, device: torch.device | str | None = None, init: bool = True
) -> torch.nn.Module:
    """The network as a module, from images (N, C, H, W) to (N, classes) or (N, channels).

    With features it gives a dict of maps (N, C, H, W) by their names, and has their
    `channels` and `strides`. `device="meta"` gives shapes without storage; `init=False`
    leaves all tensors as they lie in memory, for whoever loads them next.

    Raises ImportError where torch is missing.
    """
    from resnet_spec.problems.extras import needs

    needs("torch", "torch")
    from resnet_spec.emit.module import build

    return build(network, device=device, init=init)


def build_model(  # noqa: PLR0913  # a choice each
    spec: str | os.PathLike[str],
    *,
    num_classes: int | None = None,
    channels: int | None = None,
    features: Sequence[str | int] = (),
    device: torch.device | str | None = None,
    init: bool = True,
    weights: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    naming: str | None = None,
    ignore: Sequence[str] = (),
    key: str | None = None,
    prefix: str | None = None,
    folded: str | None = None,
    channels_by: str | None = None,
    strict: bool = False,
    deploy: bool = False,
) -> torch.nn.Module:
    """A spec's network as a module, from images (N, C, H, W) to (N, num_classes).

    `spec` is a file or the name of a spec that ships, `resnet50d`. `num_classes`, and
    `channels` of its images, take the place of the spec's own. With `features`, names of parts
    (`stem`, before its pool, `pool`, after it, `layer1` ...) or numbers of stages from 1 on,
    the module gives a dict of their maps (N, C, H, W) by name, and has their `channels` and
    `strides`. `device` and `init` are those of `build`.

    `weights` are those of the spec's network, loaded as by `load_weights`, with what else that
    takes; the model's `loaded` is then the line that says what was. With `num_classes`, a
    classifier of others is left out and the network has its own; with `features`, what lies
    behind them. With `channels`, the first convolution is made to read those, by the rule
    `channels_by`: one by the sum of the file's channels, others by their turns, as in timm.
    Where the library that wrote the names does by default what this network does not, and
    names cannot tell, as where a bottleneck strides, a warning says so; `strict` refuses.

    With `deploy` the module is that of evaluation alone: norms are part of the convolutions
    before them, as `fold` has it, and weights are those of the network itself, folded.

    Raises SpecError for a wrong spec, ValueError for features with num_classes and for weights
    that do not fit, and ImportError where torch is missing.
    """
    if features and num_classes is not None:
        raise ValueError("features have no classifier, so num_classes changes nothing")
    choices: dict[str, Any] = {
        "naming": naming,
        "ignore": ignore,
        "key": key,
        "prefix": prefix,
        "folded": folded,
        "channels_by": channels_by,
        "strict": strict,
    }
    for name, choice in choices.items():
        if choice and weights is None:
            raise ValueError(f"{name} is that of weights, and there are none")
    from resnet_spec.compiler import load

    overrides: dict[str, Any] = {}
    if num_classes is not None:
        overrides["head.classes"] = num_classes
    if channels is not None:
        image = load(spec).network.image
        overrides["input"] = [channels, image.height, image.width]
    network = load(spec, overrides, features).network
    model = build(network, device=device, init=init and weights is None)
    said = None
    if weights is not None:
        from resnet_spec.network.tree import CLASSIFIER
        from resnet_spec.weights.loading import Choices, load_with
        from resnet_spec.weights.operation import Operation

        if channels is not None:
            choices["channels_by"] = Operation(channels, channels_by).rule
        chosen = Choices(
            **choices,
            optional=(CLASSIFIER,) if num_classes is not None else (),
            whole=dict(load(spec, overrides).network.tensors()) if features else None,
        )
        said = str(load_with(model, weights, chosen))
    if deploy:
        from resnet_spec.weights.deploying import deployed

        model = deployed(network, model)
    if said is not None:
        model.loaded = said  # type: ignore[assignment]
    return model


def _network(spec: str | os.PathLike[str] | Network) -> Network:
    """A network, by itself, its file, or the name of a spec that ships."""
    from resnet_spec.compiler import load
    from resnet_spec.network import Network

    return spec if isinstance(spec, Network) else load(spec).network


def diagram(
    spec: str | os.PathLike[str] | Network,
    format: str = "svg",  # noqa: A002  # as in the command
) -> str:
    """A network as a picture: svg, mermaid, dot or text.

    `spec` is a file, the name of a spec that ships, or a Network. Its parts are in a row,
    blocks folded, and below them is one block of each form in detail, so that the picture does
    not grow with depth. The same network is the same text.

    Raises SpecError for a wrong spec, and ValueError for another format.
    """
    from resnet_spec.emit.diagram import diagram

    return diagram(_network(spec), format)


def difference(
    a: str | os.PathLike[str] | Network, b: str | os.PathLike[str] | Network
) -> Difference:
    """What changes from network `a` to network `b`: parts, ops, weights, and what that means.

    Each is a file, the name of a spec that ships, or a Network. Printed, it is a sentence on
    their weights. Raises SpecError for a wrong spec.
    """
    from resnet_spec.compare.difference import difference

    return difference(_network(a), _network(b))


def costs(
    spec: str | os.PathLike[str] | Network,
    image: tuple[int, int, int, int] | None = None,
) -> dict[str, float]:
    """What the tools of the field count for a network, without torch, by name.

    `spec` is a file, the name of a spec that ships, or a Network. `image` is the shape
    (N, C, H, W) of the images, one of the network's own size if it is left out. Names are
    `macs`, `params`, and `<tool>.<what>` as `torchinfo.mult_adds` or `fvcore.flops.eval`:
    what that tool returns for the module in evaluation. `torch.flop_counter.train_step` is
    missing where the network gives features.

    Raises SpecError for a wrong spec, and for images too small for it; ValueError for an
    `image` that is no such shape or has other channels, and for one of another size than a
    Network's, whose shapes are those of its own size.
    """
    from resnet_spec.compiler import load
    from resnet_spec.emit.cost import costs as counted
    from resnet_spec.network import Network

    network = _network(spec)
    if image is None:
        return counted(network)
    if len(image) != 4 or not all(type(n) is int and n > 0 for n in image):
        raise ValueError(f"image must be four whole numbers (N, C, H, W), got {image}")
    batch, *size = image
    channels, *own = map(int, network.image)
    if size[0] != channels:
        raise ValueError(f"{network.name} takes {channels} channels, got {size[0]}")
    if size[1:] != own:
        if isinstance(spec, Network):
            sides = " x ".join(map(str, own))
            raise ValueError(f"this {network.name} is for {sides} images; load it anew")
        network = load(spec, {"input": size}).network
    return counted(network, batch)


def load_weights(  # noqa: PLR0913  # a choice each
    model: torch.nn.Module,
    weights: str | os.PathLike[str] | Mapping[str, Any],
    naming: str | None = None,
    ignore: Sequence[str] = (),
    *,
    key: str | None = None,
    prefix: str | None = None,
    folded: str | None = None,
    channels_by: str | None = None,
    strict: bool = False,
) -> Loaded:
    """Load a state dict, or a file of one, into the model, all of it.

    Files are safetensors, alone or by the index of their shards, those of `torch.save`, pickles
    of numpy's arrays as Caffe2 and detectron2 have them, and `.npz`. Nothing in a file runs.
    The value that is returned reads as a line that says what was taken.

    `naming` says who named the tensors, torchvision (and this project), timm, timm-senet,
    tutorial, kuangliu ...; it is found by itself, as is the `prefix` of the network's names,
    `module` or `backbone`. The state dict may lie inside others, under `state_dict` or `model`;
    `key` is another key, `teacher`.

    `ignore` has names of tensors, ours or theirs, or of what they lie in, `["fc"]` for
    another classifier, or none; or their last words, `["running_mean"]`. What is ignored
    stays as it is; in a model without values (on the meta device, or built with
    `init=False`) it starts as the network says. Counts of batches may be missing, as in
    files from before torch 0.4.1. A model on the meta device takes the tensors themselves,
    with their dtype; any other keeps its own.

    `folded="identity"` takes weights whose norms were folded into convolutions: each norm then
    adds what was their bias, and evaluation is that of the file up to rounding.
    `channels_by` makes the first convolution read other channels than the file's: `sum`,
    `mean`, `repeat` or `first`, after `resnet_spec.weights.surgery.CHANNELS`.

    Raises ValueError, and leaves the model as it was, where a tensor is missing, left over,
    of another shape or no real numbers, or an entry of `ignore` is no tensor's name. Warns of
    numbers that are not finite, and where the library that wrote the names does by default
    what the network of a model of `build` does not, and names cannot tell, as where a
    bottleneck strides; `strict` refuses that.
    """
    from resnet_spec.problems.extras import needs

    needs("torch", "torch")
    from resnet_spec.weights.loading import Choices, load_with

    choices = Choices(naming, ignore, key, prefix, folded, channels_by, strict)
    return load_with(model, weights, choices)


def convert_weights(  # noqa: PLR0913  # a choice each
    file: str | os.PathLike[str],
    to: str,
    output: str | os.PathLike[str],
    *,
    spec: str | os.PathLike[str] = "",
    assume: str = "",
    naming: str | None = None,
    key: str | None = None,
    prefix: str | None = None,
    channels: int | None = None,
    channels_by: str | None = None,
    classes: int | None = None,
    seed: int | None = None,
    features: Sequence[str | int] = (),
    strict: bool = False,
    force: bool = False,
) -> Conversion:
    """Write the weights in a file by the names that a library has for them.

    Bytes get other names, and torch is not needed, but for what follows. `channels` are what
    the first convolution is made to read, by a rule of `load_weights`; `classes` take a new
    classifier, drawn from `seed` as training starts from it, 0 if that is left out; `features`
    are parts that are wanted, and what lies behind the last of them is left out.

    `to` is transformers, timm, torchvision, detectron2, mmpretrain, mmdet, pycls, resnet-spec
    for our own names, or another naming of `load_weights`. `output` is a .safetensors, .pth,
    .pt, .pyth or .npz, or a folder, which gets model.safetensors, and for transformers
    config.json. `spec` says what network it is, or `assume` what names and shapes cannot tell,
    `torchvision`, `timm` or a spec; classes and channels are the file's. `naming` and `key`
    are those of `load_weights`; the network is below `prefix`, be it deeper.

    Returns what was done, which reads as a line; its `asked.text` is how the library is asked
    for the network. Warns where that builds another one, which `strict` refuses. Raises
    SpecError for a wrong spec, and ValueError, with nothing written, where names and shapes
    leave several networks, the library lacks a name for a tensor, a choice would change
    nothing, or, without `force`, a file is there already.
    """
    from pathlib import Path

    from resnet_spec.compare.rebuilt import warnings
    from resnet_spec.output import write
    from resnet_spec.weights.operation import Operation
    from resnet_spec.weights.renaming import Source, conversion, files

    operation = Operation(channels, channels_by, classes, seed, features)
    source = Source(Path(file), key, prefix, naming)
    made = conversion(source, to, str(spec), assume, operation)
    written = files(made, Path(output), force)
    for said in warnings(made):
        if strict:
            raise ValueError(said)
        warn(said, stacklevel=2)
    for each, content in written:
        write(each, content)
    return made
