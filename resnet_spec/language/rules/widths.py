"""Rules of widths: what must divide what, and what must be given for every block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import gcd

from resnet_spec.language.chains import OwnBlock
from resnet_spec.language.plan import Plan, StagePlan
from resnet_spec.problems import FieldPath, Problem, write
from resnet_spec.problems.words import either, together

STEM_MULTIPLES = {"deep": 2, "tiered": 8}


def groups_divide(plan: Plan) -> Iterator[Problem]:
    said: dict[FieldPath, list[StagePlan]] = {}
    for stage in _grouped(plan):
        chain = isinstance(stage.block, OwnBlock) and "spatial" not in stage.reads
        if stage.width_per_group is None and not chain:  # of which each op is asked
            field = "group_width" if stage.group_width else "groups"
            said.setdefault(stage.path(field), []).append(stage)
    for path, stages in said.items():
        odd = [stage for stage in stages if stage.width % _divisor(stage)]
        if odd:
            asked, common = _divisor(odd[0]), gcd(*(stage.width for stage in stages))
            near = nearest_divisor(common, asked)
            others = tuple(stage.path("widths") for stage in odd)
            message = f"{asked} does not divide {_widths(odd)}; {near} does"
            yield Problem(
                "groups-divide",
                message,
                path,
                others=others,
                proposals=write(path, near),
            )


def _widths(stages: Iterable[StagePlan]) -> str:
    """`the width 64 of stage 1`, or `64 and 128, the widths of stages 1 and 2`."""
    widths = dict.fromkeys(str(stage.width) for stage in stages)
    numbers = dict.fromkeys(str(stage.index + 1) for stage in stages)
    if len(numbers) == 1:
        return f"the width {either(widths)} of stage {either(numbers)}"
    return f"{either(widths)}, the widths of stages {together(numbers)}"


def _divisor(stage: StagePlan) -> int:
    """What the width is to be a multiple of."""
    return stage.group_width or stage.groups


def nearest_divisor(number: int, asked: int) -> int:
    """The divisor that is nearest to the one asked for, the smaller of two.

    >>> nearest_divisor(64, 48)
    32
    """
    divisors = [each for each in range(1, number + 1) if number % each == 0]
    return min(divisors, key=lambda each: abs(each - asked))


def groups_are_whole(plan: Plan) -> Iterator[Problem]:
    for stage in _grouped(plan):
        if stage.group_width:  # beside which the other one is refused
            continue
        if stage.width_per_group and stage.width * stage.width_per_group % 64:
            each = stage.width * stage.width_per_group / 64
            yield Problem(
                "whole-groups",
                f"stage {stage.index + 1} of width {stage.width} would have groups of "
                f"{stage.width} x {stage.width_per_group} / 64 = {each:g} channels; "
                "that must be a whole number",
                stage.path("width_per_group"),
                others=(stage.path("widths"),),
            )


def stem_divides(plan: Plan) -> Iterator[Problem]:
    stem = plan.spec.stem
    by = STEM_MULTIPLES.get(stem.type, 1) if isinstance(stem.type, str) else 1
    if stem.width and stem.width % by:
        message = (
            f"must be a multiple of {by} in the stem {stem.type}, got {stem.width}"
        )
        others = (("stem", "type"),)
        yield Problem("stem-width", message, ("stem", "width"), others=others)


def reduced_is_whole(plan: Plan) -> Iterator[Problem]:
    by = plan.spec.reduce_first
    for stage in plan.blocks:
        if "reduce_first" in stage.reads and (width := stage.inner_width) % by:
            message = (
                f"{by} does not divide the width {width} of stage {stage.index + 1}"
            )
            others = (stage.path("widths"), ("width_per_group",), ("groups",))
            yield Problem("reduce-first", message, ("reduce_first",), others=others)
            return


def every_block_is_pruned(plan: Plan) -> Iterator[Problem]:
    pruned, depths = plan.spec.pruned, list(plan.spec.depths)
    if pruned is None:
        return
    for field in ("conv1", "conv2"):
        given = [len(stage) for stage in getattr(pruned, field)]
        if given != depths:
            message = f"needs a width for each block, {depths} of them, got {given}"
            path, others = ("pruned", field), (("depths",),)
            yield Problem("pruned-blocks", message, path, others=others)
    if len(pruned.out) != len(depths):
        message = (
            f"needs a width for each of {len(depths)} stages, got {len(pruned.out)}"
        )
        path, others = ("pruned", "out"), (("depths",),)
        yield Problem("pruned-blocks", message, path, others=others)


def _grouped(plan: Plan) -> list[StagePlan]:
    return [block for block in plan.blocks if "groups" in block.reads]
