"""How other libraries are asked for a network, and what they then build.

What a library builds is said as a network of ours, so that digests tell whether it is the one
that was meant. Nothing of the libraries is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from resnet_spec.network import Network
from resnet_spec.weights.builders import (
    detectron2,
    openmmlab,
    pycls,
    timm,
    torchvision,
    transformers,
)
from resnet_spec.weights.builders.forms import Asked, UnsayableError
from resnet_spec.weights.naming.rules import COUNT
from resnet_spec.weights.reading import size

__all__ = ["BUILDERS", "Asked", "Builder", "UnsayableError", "asked"]


class Builder(NamedTuple):
    """A library that builds networks: how it is asked, and what of it builds them."""

    ask: Callable[[Network], Asked]
    what: str
    namings: tuple[str, ...]  # the others that its files may have


BUILDERS = {
    "transformers": Builder(transformers.ask, "transformers' ResNetConfig", ()),
    "timm": Builder(
        timm.ask,
        "timm",
        ("timm-senet", "timm-regnet", "timm-byobnet", "timm-tresnet"),
    ),
    "detectron2": Builder(detectron2.ask, "detectron2's build_resnet_backbone", ()),
    "mmpretrain": Builder(openmmlab.ask_mmpretrain, "mmpretrain's ResNet", ()),
    "mmdet": Builder(openmmlab.ask_mmdet, "mmdet's ResNet", ()),
    "pycls": Builder(pycls.ask, "pycls", ()),
    "torchvision": Builder(torchvision.ask, "torchvision", ("torchvision-regnet",)),
}
"""By naming."""


def asked(network: Network, library: str) -> Asked:
    """How the library is asked for the network, or for one with its tensors at least.

    Raises UnsayableError where it has none with its tensors, counts of batches aside.
    """
    found = BUILDERS[library].ask(network)
    mine, theirs = (
        {name: t.shape for name, t in each.tensors() if not name.endswith(COUNT)}
        for each in (network, found.network)
    )
    for name in [*mine, *(name for name in theirs if name not in mine)]:
        if mine.get(name) != theirs.get(name):
            here, there = (
                size(shapes[name]) if name in shapes else "not there"
                for shapes in (mine, theirs)
            )
            raise UnsayableError(
                f"in what it builds {name} is {there}, and here {here}"
            )
    return found
