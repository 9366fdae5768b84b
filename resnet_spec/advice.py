"""What is lawful and almost certainly a mistake, for the image that a spec states."""

from __future__ import annotations

from collections.abc import Iterator

from resnet_spec.language.fields import Spec
from resnet_spec.language.plan import Plan
from resnet_spec.network import Network
from resnet_spec.problems import Problem

SMALL = 32  # pixels, CIFAR's


def advice(plan: Plan, network: Network) -> Iterator[Problem]:
    """A warning for each thing that wastes the network on its own image size."""
    yield from _strides_of_one_pixel(plan, network)
    yield from _large_stem_on_a_small_image(plan.spec, network)
    yield from _image_with_channels_last(plan.spec, network)


def _strides_of_one_pixel(plan: Plan, network: Network) -> Iterator[Problem]:
    _, *sides = network.image
    for planned, stage in zip(plan.stages, network.stages, strict=False):
        if planned.stride > 1 and stage.input.height == stage.input.width == 1:
            message = (
                f"stage {planned.index + 1} strides a map that is 1 x 1 already, for an image "
                f"of {sides[0]} x {sides[1]}; a larger input or fewer strides leave it more"
            )
            yield Problem(
                "strides-one-pixel", message, planned.path("strides"), warning=True
            )


def _large_stem_on_a_small_image(spec: Spec, network: Network) -> Iterator[Problem]:
    _, height, width = network.image
    if spec.stem.type == "conv7x7" and max(height, width) <= SMALL:
        message = (
            f"conv7x7 is made for 224 x 224, and the image is {height} x {width}; "
            "conv3x3 without a pool is what ResNet-20 for CIFAR-10 has"
        )
        yield Problem("large-stem", message, ("stem", "type"), warning=True)


def _image_with_channels_last(spec: Spec, network: Network) -> Iterator[Problem]:
    channels, height, width = network.image
    if spec.stem.type != "none" and channels > 4 >= width:
        message = (
            f"is read as {channels} channels of {height} x {width} pixels; "
            "channels come first, as in [3, 224, 224]"
        )
        yield Problem("channels-last", message, ("input",), warning=True)
