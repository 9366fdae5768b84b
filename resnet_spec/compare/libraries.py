"""A network beside another library's of the same weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import NamedTuple

import torch
from torch import Tensor, nn

from resnet_spec.compare.equality import evaluated, outputs, step
from resnet_spec.weights.loading import Choices, WeightsError, load
from resnet_spec.weights.naming import fitting, names


class Difference(NamedTuple):
    """The largest difference in one result, over the largest number in it, or for a gradient
    in those of its module."""

    result: str  # "evaluation output"
    size: tuple[int, int]  # height, width
    relative: float


LIBRARIES = ("torchvision", "timm")


def has(library: str, name: str) -> bool:
    """Whether timm or torchvision has a classifier of that name; ImportError without it."""
    if library == "timm":
        import timm

        return name in timm.list_models()
    import torchvision

    return name in torchvision.models.list_models(module=torchvision.models)


def reference(which: str, classes: int | None) -> nn.Module:
    """`timm:resnet50d` or `torchvision:resnet50`, without weights of its own.

    Raises ValueError for a name that is not there, ImportError without the library.
    """
    library, _, name = which.partition(":")
    if library not in LIBRARIES or not name:
        raise ValueError(f"{which} is neither timm:NAME nor torchvision:NAME")
    if not has(library, name):
        raise ValueError(f"{library} {version(library)} has no {name}")
    if library == "timm":
        import timm

        model: nn.Module = timm.create_model(name, num_classes=classes or 0)
        return model
    import torchvision

    made: nn.Module = torchvision.models.get_model(name, num_classes=classes or 1000)
    return made


def takes(model: nn.Module, image: tuple[int, int, int]) -> bool:
    """Whether the model runs on images of that shape at all."""
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(1, *image))
    except (RuntimeError, AssertionError, ValueError):
        return False
    return True


def naming_of(ours: nn.Module, theirs: nn.Module) -> str:
    """The naming by which our tensors are theirs; WeightsError where there is none."""
    if naming := fitting(ours.state_dict(), theirs.state_dict()):
        return naming
    load(ours, theirs.state_dict(), Choices("timm"))  # says what is wrong
    raise WeightsError("no naming fits")


def compare(
    ours: nn.Module,
    theirs: nn.Module,
    sizes: Iterable[tuple[int, int]],
    channels: int = 3,
    weights: Mapping[str, Tensor] | None = None,
) -> Iterator[Difference]:
    """How far outputs and gradients of both are apart, for pairs of random images.

    Their weights, drawn so that nothing hides behind a zero or a one, are moved to ours
    first; or both have `weights`, by our names. Compared are training output, every gradient,
    and the evaluation output, with the statistics that were given, or with statistics of the
    images. Of a module that gives several maps, each is compared.
    """
    naming = naming_of(ours, theirs)
    table = names(ours.state_dict(), naming)
    for size in sizes:
        if weights is None:
            draw_weights(theirs)
            load(ours, theirs.state_dict(), Choices(naming))
        else:
            theirs.load_state_dict({table[our]: t for our, t in weights.items()})
            ours.load_state_dict(weights)
        images = torch.randn(2, channels, *size)
        own = weights is not None
        mine, other = (dict(results(model, images, own)) for model in (ours, theirs))
        yield from differences(mine, other, table, size)


def differences(
    mine: dict[str, Tensor],
    other: dict[str, Tensor],
    table: Mapping[str, str],
    size: tuple[int, int],
) -> Iterator[Difference]:
    """How far apart the results of two modules are; the table has their names for ours.

    A gradient is measured by the largest in its module: that of a bias can be nothing but
    rounding, as before a batch norm.
    """
    theirs = {name: other[table.get(name, name)] for name in mine}
    modules = {name: name.rpartition(".")[0] or name for name in mine}
    largest = dict.fromkeys(modules.values(), 0.0)
    for name, module in modules.items():
        largest[module] = max(largest[module], theirs[name].abs().max().item())
    for name, module in modules.items():
        apart = _apart(mine[name], theirs[name], largest[module])
        yield Difference(name, size, apart)


def draw_weights(model: nn.Module) -> None:
    """Norms that scale and shift, so that no zero hides a branch, and fresh statistics."""
    generator = torch.Generator().manual_seed(0)
    for name, tensor in model.state_dict().items():
        if not tensor.is_floating_point():
            tensor.zero_()
        elif "running_mean" in name:
            tensor.normal_(0, 0.1, generator=generator)
        elif tensor.ndim == 1:
            tensor.uniform_(0.5, 1.5, generator=generator)


def results(
    model: nn.Module, images: Tensor, own: bool = False
) -> Iterator[tuple[str, Tensor]]:
    """Training outputs, every gradient, and evaluation outputs on the batch's statistics, or
    on the model's own."""
    found = {}
    if own:
        with torch.no_grad():
            found = outputs(model.eval()(images))
    given, gradients = step(model, images)
    for i, output in enumerate(given.values()):
        yield f"training output {i}", output.detach()
    yield from gradients.items()
    for i, output in enumerate((found or evaluated(model, images)).values()):
        yield f"evaluation output {i}", output


def _apart(mine: Tensor, other: Tensor, largest: float) -> float:
    """The largest difference over that number; infinite where one is not finite."""
    if mine.shape != other.shape or not (
        mine.isfinite().all() and other.isfinite().all()
    ):
        return float("inf")
    return (mine - other).abs().max().item() / largest if largest else 0.0
