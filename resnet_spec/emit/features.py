"""Network -> what a decoder needs to know of the maps of its stem and stages."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from resnet_spec.expansion import Call, Window, expand
from resnet_spec.network import Network, Sizes, called
from resnet_spec.passes.cut import cut
from resnet_spec.problems.tables import ruled
from resnet_spec.problems.words import by_sides


class Field(NamedTuple):
    """The pixels of the image, along one side, that the first pixel of a map depends on.

    From `left` to `right`, which may lie outside of the image; the next pixel of the map has
    those `jump` pixels further on. With `whole`, every pixel of the image has some influence
    as well: by attention, or a norm that measures the map. What depends on all pixels alike
    is nowhere in particular, and `local` is false.

    Arithmetic and names are those of https://distill.pub/2019/computing-receptive-fields
    """

    left: int = 0
    right: int = 0
    jump: int = 1
    whole: bool = False
    local: bool = True

    @property
    def size(self) -> int:
        return self.right - self.left + 1

    @property
    def start(self) -> float:
        """The center of the first pixel's field, where the image's first pixel is 0."""
        return (self.left + self.right) / 2

    def then(self, after: Field) -> Field:
        """The field of what reads this with that one."""
        return Field(
            self.left + after.left * self.jump,
            self.right + after.right * self.jump,
            self.jump * after.jump,
            self.whole or after.whole,
            self.local and after.local,
        )


class Feature(NamedTuple):
    """A map that the network can give, for one image of the network's size."""

    name: str
    channels: int
    stride: tuple[int, int]
    size: tuple[int, int]
    fields: tuple[Field, Field]  # along height and width
    images: tuple[Sizes, Sizes]  # the heights and widths of images that reach it

    def facts(self) -> dict[str, object]:
        """The same as plain data."""
        field, other = self.fields
        return {
            "name": self.name,
            "channels": self.channels,
            "stride": _pair(self.stride),
            "size": list(self.size),
            "receptive_field": _pair((field.size, other.size)),
            "jump": _pair((field.jump, other.jump)),
            "start": _pair((field.start, other.start)),
            "whole_image": field.whole,
            "smallest_image": [taken.smallest for taken in self.images],
        }


def features(network: Network) -> list[Feature]:
    """The maps of the stem, of its pool, and of each stage, in order."""
    fields = list(zip(*(_fields(network, side) for side in (0, 1)), strict=True))
    found = []
    for name, pair in zip(network.parts, fields, strict=True):
        channels, *size = map(int, network.shapes[name])
        part = cut(network, (name,))
        stride = pair[0].jump, pair[1].jump
        found.append(
            Feature(name, channels, stride, (size[0], size[1]), pair, part.sides)
        )
    return found


def table(network: Network) -> str:
    """The maps for people, a line each."""
    head = (
        "map",
        "channels",
        "stride",
        "size",
        "receptive field",
        "center",
        "image",
    )
    rows = [head, *map(_cells, features(network))]
    title = f"{network.title}, input {network.image}"
    return "\n".join([title, "", *ruled(rows)]) + "\n"


def _cells(feature: Feature) -> tuple[str, ...]:
    field, other = feature.fields
    reads = f"{by_sides((field.size, other.size))}{', whole image' * field.whole}"
    start = ", ".join(f"{at:g}" for at in dict.fromkeys((field.start, other.start)))
    heights, widths = feature.images
    least = f"from {heights.smallest} x {widths.smallest}"
    return (
        feature.name,
        f"{feature.channels}",
        f"{by_sides(feature.stride)}",
        f"{feature.size[0]} x {feature.size[1]}",
        reads,
        start,
        least,
    )


def _pair(values: tuple[float, float]) -> float | list[float]:
    return values[0] if values[0] == values[1] else list(values)


# --- fields -------------------------------------------------------------------------------

EVERYWHERE = Field(whole=True, local=False)
MEASURING = ("group_norm", "instance_norm")  # each pixel, by all of the map
POOLING = ("adaptive_avg_pool2d", "adaptive_max_pool2d", "matmul", "var")


def _fields(network: Network, side: int) -> Iterator[Field]:
    """That of each of the parts, in order."""
    known: dict[int, Field] = {}
    steps = iter(expand(network).steps)
    field = Field()
    for count in _steps(network):
        for step in islice(steps, count):
            field = _reached(step.call, [field], side, known)
        yield field


def _steps(network: Network) -> list[int]:
    """How many calls of the network's own make each of the parts."""
    ends = [len([*called(ops)]) for ops in (network.stem, network.pool) if ops]
    return [*ends, *(1 for _ in network.stages)]


def _reached(
    call: Call, reads: list[Field], side: int, known: dict[int, Field]
) -> Field:
    """The field of what the call gives, by those of what it reads."""
    if call.steps:
        return reads[0].then(_inner(call, side, known))
    if call.once:
        return Field(local=False)
    found = _hull(reads)
    if call.window:
        return found.then(_window(call.window, side))
    if call.function in POOLING or _averages(call):
        return found.then(EVERYWHERE)
    return found._replace(whole=found.whole or call.function in MEASURING)


def _averages(call: Call) -> bool:
    """Whether it averages or compares pixels, and not the channels of each."""
    by_pixel = call.output == call.input[1:] and len(call.output) == 2
    return call.function in ("amax", "mean") and not by_pixel


def _inner(call: Call, side: int, known: dict[int, Field]) -> Field:
    """The field of a call's output in what it reads."""
    if id(call) not in known:
        values = [Field()]
        for step in call.steps:
            reads = [values[i] for i in step.reads]
            values.append(_reached(step.call, reads, side, known))
        known[id(call)] = values[-1]
    return known[id(call)]


def _window(window: Window, side: int) -> Field:
    before = window.before[side]
    span = window.dilation[side] * (window.kernel[side] - 1)
    return Field(-before, span - before, window.stride[side])


def _hull(reads: list[Field]) -> Field:
    """All that any of them depends on; their jumps are one."""
    whole = any(field.whole for field in reads)
    local = [field for field in reads if field.local]
    if not local:
        return reads[0]._replace(whole=whole)
    left = min(field.left for field in local)
    right = max(field.right for field in local)
    return Field(left, right, local[0].jump, whole)
