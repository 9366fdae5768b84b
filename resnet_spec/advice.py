"""What is legal in a network and surely not meant, for the image that its spec states."""

from __future__ import annotations

from collections.abc import Iterator

from resnet_spec.errors import Problem
from resnet_spec.ir import Network
from resnet_spec.spec import Spec

SMALL = 32  # pixels, CIFAR's


def advice(spec: Spec, network: Network) -> Iterator[Problem]:
    """A warning for each thing that wastes the network on its own image size."""
    yield from _strides_of_one_pixel(spec, network)
    yield from _large_stem_on_a_small_image(spec, network)


def _strides_of_one_pixel(spec: Spec, network: Network) -> Iterator[Problem]:
    for i, stage in enumerate(network.stages):
        _, height, width = stage.input
        stride = spec.strides[i] if isinstance(spec.strides, tuple) else spec.strides
        if stride > 1 and height == width == 1:
            path = ("strides", i) if isinstance(spec.strides, tuple) else ("strides",)
            _, *sides = network.image
            message = (
                f"stage {i + 1} strides a map that is 1 x 1 already, for an image of "
                f"{sides[0]} x {sides[1]}; a larger input or fewer strides leave it more"
            )
            yield Problem("strides-one-pixel", message, path, warning=True)


def _large_stem_on_a_small_image(spec: Spec, network: Network) -> Iterator[Problem]:
    _, height, width = network.image
    if spec.stem.type == "conv7x7" and max(height, width) <= SMALL:
        message = (
            f"conv7x7 is made for 224 x 224, and the image is {height} x {width}; "
            "conv3x3 without a pool is what ResNet-20 for CIFAR-10 has"
        )
        yield Problem("large-stem", message, ("stem", "type"), warning=True)
