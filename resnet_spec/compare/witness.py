"""Which of several networks computes what a file's own code computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from resnet_spec.emit.module import build
from resnet_spec.network import Network
from resnet_spec.weights.inference.variants import Variant, others
from resnet_spec.weights.loading import Choices, load
from resnet_spec.weights.stored import Stored

ROUNDING = 1e-4  # float32 of another machine, over the largest number
HALF = 1e-2  # the same of half precision
IMAGES = 4  # axes, (N, C, H, W)
MOST = 100  # networks that are tried


class WitnessError(ValueError):
    """Why an array says nothing, in a line."""


class Witness(NamedTuple):
    """Images (N, C, H, W), and what the file's own code gave of them in evaluation."""

    images: Tensor
    given: Tensor
    within: float

    @classmethod
    def of(cls, images: Tensor, given: np.ndarray) -> Witness:
        """Raises WitnessError where one cannot be of the other."""
        if given.ndim < 2 or len(given) != len(images):
            raise WitnessError(
                f"the output is {_size(given)}, of {len(images)} images; it must have their "
                "number in front"
            )
        if not given.any():
            raise WitnessError("the output is zeros, which tell nothing")
        within = HALF if given.dtype.itemsize < 4 else ROUNDING
        return cls(images, torch.from_numpy(given.astype(np.float32)), within)


class Tried(NamedTuple):
    """A variant, and the largest difference over the largest number that was given.

    It is infinite where the variant gives nothing of that shape.
    """

    variant: Variant
    apart: float


class Found(NamedTuple):
    """All that were tried, nearest first, and those of them that compute what was given."""

    tried: list[Tried]
    matches: list[Tried]


def array(file: Path) -> np.ndarray:
    """The array of floating-point numbers in an .npy file. Raises WitnessError."""
    try:
        found = np.load(file, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        said = error.strerror or "it is no .npy file"
        raise WitnessError(f"{file} cannot be read, {said}") from None
    except (ValueError, EOFError):
        raise WitnessError(f"{file} is no whole .npy file of numbers") from None
    if not isinstance(found, np.ndarray):
        raise WitnessError(f"{file} has several arrays; give one as .npy")
    if found.dtype.kind != "f":
        raise WitnessError(
            f"{file} has numbers of {found.dtype}, not floating-point ones"
        )
    if not found.size or not np.isfinite(found).all():
        what = "numbers that are not finite" if found.size else "no numbers"
        raise WitnessError(f"{file} has {what}")
    return np.array(found)


def images(file: Path) -> Tensor:
    """The images (N, C, H, W) in an .npy file, of float32. Raises WitnessError."""
    found = array(file)
    if found.ndim != IMAGES:
        raise WitnessError(f"{file} is {_size(found)}, not images (N, C, H, W)")
    return torch.from_numpy(found.astype(np.float32))


def search(
    first: Sequence[Variant], apart: Callable[[Variant], float], within: float
) -> Found:
    """Tries those, and while none is within, the nearest with one more field changed."""
    found: list[Tried] = []
    functions: set[str] = set()
    opened: set[int] = set()
    waiting: Iterable[Variant] = first
    while waiting and len(found) < MOST:
        for variant in waiting:
            function = variant.network.digests.function
            if function not in functions and len(found) < MOST:
                functions.add(function)
                found.append(Tried(variant, apart(variant)))
        found.sort(key=lambda tried: tried.apart)
        if found[0].apart <= within:
            break
        nearest = next((t.variant for t in found if id(t.variant) not in opened), None)
        opened.add(id(nearest))
        waiting = others(nearest) if nearest else ()
    return Found(found, [tried for tried in found if tried.apart <= within])


def apart(variant: Variant, file: Mapping[str, Stored], witness: Witness) -> float:
    """How far the variant with the file's weights is from what was given."""
    maps = outputs(variant, file, witness.images)
    given = witness.given
    alike = [each for each in maps if each.shape == given.shape]
    largest = given.abs().max()
    found = [((each - given).abs().max() / largest).item() for each in alike]
    return min((each for each in found if each == each), default=float("inf"))


@torch.inference_mode()
def outputs(
    variant: Variant, file: Mapping[str, Stored], images: Tensor
) -> list[Tensor]:
    """What each module of the network gives, and in the end itself; nothing where it takes no
    such images.

    Raises WeightsError for weights that are no numbers of a network.
    """
    if not variant.network.takes(images.shape[2:]):
        return []
    model = build(variant.network, device="meta", init=False)
    names = variant.trunk.names
    held = {our: file[names[our]] for our in variant.trunk.shapes}
    load(model, held, Choices("torchvision", prefix=""))
    model.eval().float()
    found: list[Tensor] = []

    def keep(_: nn.Module, __: object, given: Tensor) -> None:
        found.append(given.clone())  # before another writes into it
        if given.shape[2:] == (1, 1):
            found.append(given.flatten(1).clone())

    for module in model.children():
        module.register_forward_hook(keep)
    output = model(images)
    return [*found, output]


def probability(
    variant: Variant, file: Mapping[str, Stored], images: Tensor, number: int
) -> float:
    """The mean probability of a class. Raises WitnessError where there is no such class."""
    classes = variant.network.classes or 0
    if number >= classes:
        raise WitnessError(f"there is no class {number} of {classes}, from 0")
    logits = outputs(variant, file, images)[-1]
    return logits.softmax(1)[:, number].mean().item()


def check(images: Tensor, network: Network) -> None:
    """Raises WitnessError for images that the network does not take."""
    channels, *sides = images.shape[1:]
    if channels != network.image.channels:
        raise WitnessError(
            f"has {channels} channels, and the network reads {network.image.channels}"
        )
    if not network.takes(sides):
        size = " x ".join(map(str, sides))
        raise WitnessError(f"{network.name} takes no images of {size}")


def _size(found: np.ndarray) -> str:
    return " x ".join(map(str, found.shape)) or "one number"
