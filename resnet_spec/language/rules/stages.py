"""Rules of stages: how many there are, and what their blocks can be asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from resnet_spec.language.plan import PER_STAGE, Plan, by_stage, covers
from resnet_spec.problems import FieldPath, Problem, Proposal, leave_out, write
from resnet_spec.problems.words import by_sides, together

MOST_BLOCKS = 20_000


def one_entry_per_stage(plan: Plan) -> Iterator[Problem]:
    """Where all other lists are of another length, `depths` is the one that differs."""
    depths = plan.spec.depths
    lists = {field: plan.known(field) for field in PER_STAGE if field != "depths"}
    lists = {field: value for field, value in lists.items() if by_stage(value)}
    lengths = {*map(len, lists.values())}
    if len(lists) > 1 and len(lengths) == 1 and len(depths) not in lengths:
        (length,) = lengths
        why = f"has {len(depths)} entries, one for each stage; {together(lists)} have {length}"
        yield Problem(
            "stage-count",
            why,
            ("depths",),
            others=tuple(tuple(field.split(".")) for field in lists),
            inherited=f"{why}, so write depths with {length} here",
        )
        return
    for field, value in lists.items():
        if len(value) != len(depths):
            why = (
                f"needs one entry per stage, got {len(value)}; "
                f"depths has {len(depths)}: {list(depths)}{_as_sides(field, value)}"
            )
            yield Problem(
                "stage-count",
                why,
                tuple(field.split(".")),
                others=(("depths",),),
                inherited=f"{why}, so write {field} with {len(depths)} here",
                proposals=_sides(tuple(field.split(".")), value),
            )


def one_entry_per_block(plan: Plan) -> Iterator[Problem]:
    """A list in a field's list has an entry for each block of its stage."""
    depths = plan.spec.depths
    for field in PER_STAGE:
        each = plan.known(field)
        pairs = zip(each, depths, strict=False) if by_stage(each) else ()
        for index, (said, depth) in enumerate(pairs):
            if by_stage(said) and len(said) != depth:
                yield Problem(
                    "stage-count",
                    f"needs one entry per block of stage {index + 1}, got {len(said)}; "
                    f"depths has {depth} there: {list(depths)}{_as_sides(field, said)}",
                    (*field.split("."), index),
                    others=(("depths",),),
                    proposals=_sides((*field.split("."), index), said),
                )


def _as_sides(field: str, said: tuple[Any, ...]) -> str:
    """What to write where a height and a width were meant, and not two entries."""
    meant = _sides((field,), said)
    return f"; for a height and a width write {by_sides(said)}" if meant else ""


def _sides(path: FieldPath, said: tuple[Any, ...]) -> tuple[Proposal, ...]:
    """A height and a width in place of two entries, where those were likely meant."""
    meant = path[0] == "strides" and [*map(type, said)] == [int, int]
    return write(path, by_sides(said)) if meant else ()


def not_too_many_blocks(plan: Plan) -> Iterator[Problem]:
    if (total := sum(plan.spec.depths)) > MOST_BLOCKS:
        message = f"must add up to at most {MOST_BLOCKS:,} blocks, got {total:,}"
        yield Problem("block-count", message, ("depths",))


def dilation_is_used(plan: Plan) -> Iterator[Problem]:
    """A stage that dilates in one such block, its first, has the dilation before it; the last
    hands none on."""
    last = plan.stages[-1]
    said, kept = last.dilations[-1], last.first_dilation
    others = any(covers(block.reads, "dilations") for block in last.blocks[1:])
    if last.block_entry.one_3x3 and not (last.repeats or others) and said != kept:
        yield Problem(
            "dilation-unused",
            f"the last stage's {said} changes nothing: its one 3x3 is the first of the stage, "
            f"which keeps the dilation of the stage before, {kept}, with "
            "`dilation_from: previous`",
            last.path("dilations"),
            proposals=write(last.path("dilations"), kept),
            others=(("dilation_from",), ("depths",), ("block",)),
        )


def ibn_b_ends_a_stage(plan: Plan) -> Iterator[Problem]:
    """It normalizes the sum of a stage's last block; of another one, a list says nothing.

    That of the first block is the stem's, too.
    """
    each = plan.known("norm.type")
    for stage in plan.stages if by_stage(each) else ():
        said = each[stage.index]
        listed = by_stage(said) and len({*said}) > 1
        for nth, norm in enumerate(said[:-1] if listed else ()):
            if norm == "ibn_b" and (stage.index or nth):
                yield Problem(
                    "unused-entry",
                    "is batch in all but a stage's last block, whose sum it normalizes, so "
                    f"write batch for block {nth + 1} of stage {stage.index + 1}",
                    ("norm", "type", stage.index, nth),
                    proposals=write(("norm", "type", stage.index, nth), "batch"),
                )


def a_path_can_be_dropped(plan: Plan) -> Iterator[Problem]:
    if plan.spec.drop_path and sum(plan.spec.depths) == 1:
        message = "is 0 in the first block, and there is no other; remove it"
        yield Problem(
            "unused",
            message,
            ("drop_path",),
            about_key=True,
            others=(("depths",),),
            inherited="is 0 in the first block, and there is no other; write drop_path: null",
            proposals=leave_out(("drop_path",)),
        )
