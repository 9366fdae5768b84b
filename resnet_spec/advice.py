"""What is lawful and almost certainly a mistake."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, pairwise

from resnet_spec.language.fields import Spec
from resnet_spec.language.plan import Plan
from resnet_spec.language.values import both_of
from resnet_spec.network import Network
from resnet_spec.problems import FieldPath, Problem, Proposal, write
from resnet_spec.problems.words import as_yaml

SMALL = 32  # pixels, CIFAR's
NARROW = 32  # channels of a group where `widths` says 64
LARGE = 0.5  # of momentum, from where it is likely another library's


def advice(plan: Plan, network: Network) -> Iterator[Problem]:
    """A warning for each thing that hardly anybody means."""
    if network.stages:  # features may be the stem alone
        sizes = [
            *_strides_of_one_pixel(plan, network),
            *_large_stem_on_a_small_image(plan.spec, network),
        ]
        yield from sizes or _one_pixel(plan, network)
    yield from _image_with_channels_last(plan.spec, network)
    yield from _widths_that_are_outputs(plan)
    yield from _narrow_without_groups(plan)
    yield from _momentum_of_keras(plan.spec)
    yield from _dilation_that_strides(plan)
    yield from _blocks_that_are_sides(plan.spec)


def _warning(
    rule: str,
    message: str,
    path: FieldPath,
    *others: str | FieldPath,
    proposals: tuple[Proposal, ...] = (),
) -> Problem:
    """A warning, the other fields that it comes from, and what to write."""
    fields = tuple(o if isinstance(o, tuple) else tuple(o.split(".")) for o in others)
    return Problem(
        rule, message, path, warning=True, others=fields, proposals=proposals
    )


def _strides_of_one_pixel(plan: Plan, network: Network) -> Iterator[Problem]:
    _, *sides = network.image
    stages = zip(plan.stages, network.stages, strict=False)
    pairs = (zip(p.blocks, made.blocks, strict=False) for p, made in stages)
    for planned, block in chain.from_iterable(pairs):
        lengths = zip(both_of(planned.stride), block.input[1:], strict=True)
        strided = [length for stride, length in lengths if stride > 1]
        if strided and max(strided) == 1:
            _, height, width = block.input
            message = (
                f"stage {planned.index + 1} strides a map that is {height} x {width} already, "
                f"for an image of {sides[0]} x {sides[1]}; a larger input or fewer strides "
                "leave it more"
            )
            path = planned.path("strides")
            yield _warning("strides-one-pixel", message, path, "input", "stem")


def _one_pixel(plan: Plan, network: Network) -> Iterator[Problem]:
    _, *sides = network.image
    last = network.stages[-1].output
    if last.height == last.width == 1 < max(sides):
        message = (
            f"the last map is 1 x 1, for an image of {sides[0]} x {sides[1]}; a larger input "
            "or fewer strides leave it more"
        )
        path = plan.stages[len(network.stages) - 1].path("strides")
        yield _warning("one-pixel", message, path, "input", "stem", "depths")


def _large_stem_on_a_small_image(spec: Spec, network: Network) -> Iterator[Problem]:
    _, height, width = network.image
    first = network.stages[0].input
    if max(height, width) > SMALL or first.height * 2 > height:
        return
    left = f"leaves {first.height} x {first.width} of an image of {height} x {width}"
    field, others = ("stem", "type"), ("input", "stem.pool")
    if spec.stem.type == "conv3x3":
        field, others = ("stem", "pool"), ("input", "stem.type")
    strides = spec.stem.stride not in (None, 1)
    if strides:
        field, others = ("stem", "stride"), ("input", "stem.pool")
    stride = ", stride: 1" * strides
    stem = f"stem: {{type: conv3x3, width: {spec.stem.width}{stride}, pool: none}}"
    message = (
        f"{left} before the first block; {stem} keeps it, as in ResNet-20 for CIFAR-10"
    )
    stem_fields = {"type": "conv3x3", "width": spec.stem.width, "pool": "none"}
    stem_fields |= {"stride": 1} if strides else {}
    written = ((("stem", key), as_yaml(value)) for key, value in stem_fields.items())
    proposals = (Proposal(tuple(written)),)
    yield _warning("large-stem", message, field, *others, proposals=proposals)


def _image_with_channels_last(spec: Spec, network: Network) -> Iterator[Problem]:
    channels, height, width = network.image
    if spec.stem.type != "none" and channels > 4 >= width:
        meant = [width, channels, height]
        message = (
            f"is read as {channels} channels of {height} x {width} pixels; "
            f"channels come first, as in {meant}"
        )
        proposals = write(("input",), meant)
        yield _warning("channels-last", message, ("input",), proposals=proposals)


def _widths_that_are_outputs(plan: Plan) -> Iterator[Problem]:
    """Bottlenecks that are inside as wide as others of that stem give."""
    first = (plan.spec.stem.width or 0) * (plan.stages[0].expansion or 1)
    widths = [stage.width for stage in plan.blocks]
    if widths != [first * 2**i for i in range(len(plan.stages))]:
        return
    if all((stage.expansion or 1) > 1 for stage in plan.stages):
        inside = [stage.width // (stage.expansion or 1) for stage in plan.stages]
        message = (
            f"{widths} is inside the blocks, which give expansion times as many; where that is "
            f"what they are to give, write {inside}"
        )
        path, others = ("widths",), ("expansion", "block", "stem.width")
        proposals = write(path, inside)
        yield _warning("widths-outputs", message, path, *others, proposals=proposals)


def _narrow_without_groups(plan: Plan) -> Iterator[Problem]:
    """The width of one group of many, where nothing says that there are many."""
    if plan.spec.spatial:
        return
    for stage in plan.blocks:
        each = stage.width_per_group
        if each and each < NARROW and stage.groups == 1:
            message = (
                f"{each} without groups makes a 3x3 of {stage.inner_width} channels in stage "
                f"{stage.index + 1}; ResNeXt-50 32x4d has groups: 32 with width_per_group: 4"
            )
            path = stage.path("width_per_group")
            yield _warning("narrow-group", message, path, stage.path("groups"))
            return


def _dilation_that_strides(plan: Plan) -> Iterator[Problem]:
    """A stage that dilates in place of its stride, and still has the stride."""
    for before, stage in pairwise(plan.stages):
        dilation = max(stage.dilations)
        if stage.strides and dilation > max(before.dilations):
            message = (
                f"stage {stage.index + 1} dilates by {dilation} and strides as well; to "
                "dilate in place of striding, as DeepLabV3 does, write strides of 1 there"
            )
            path, said = stage.path("dilations"), stage.path("strides")
            proposals = write(said, 1)
            yield _warning("dilation-strides", message, path, said, proposals=proposals)
            return


def _blocks_that_are_sides(spec: Spec) -> Iterator[Problem]:
    """Two numbers of which the first alone would say the same."""
    stages = spec.strides if isinstance(spec.strides, tuple) else ()
    for index, said in enumerate(stages):
        first, *others = said if isinstance(said, tuple) else (said,)
        if others == [1] and isinstance(first, int) and first > 1:
            message = (
                f"[{first}, 1] is of two blocks, and the same as {first}; for a height and a "
                f"width write {first}x1"
            )
            path = ("strides", index)
            proposals = write(path, f"{first}x1", first)
            yield _warning(
                "block-strides", message, path, "depths", proposals=proposals
            )
            return


def _momentum_of_keras(spec: Spec) -> Iterator[Problem]:
    if spec.norm.momentum >= LARGE:
        message = (
            f"{spec.norm.momentum:g} is the weight of the newest batch here, as in torch; the "
            "0.99 of Keras and TensorFlow is 0.01 here, their 0.9 is 0.1"
        )
        yield _warning("keras-momentum", message, ("norm", "momentum"))
