"""What must hold between the fields of a spec. One rule, one function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from resnet_spec.errors import Path, Problem
from resnet_spec.rows import PER_STAGE, Row, rows
from resnet_spec.spec import Spec

Rule = Callable[[Spec], Iterator[Problem]]

MOST_BLOCKS = 100_000


def one_entry_per_stage(field: str, spec: Spec) -> Iterator[Problem]:
    value, stages = getattr(spec, field), len(spec.depths)
    if isinstance(value, tuple) and len(value) != stages:
        yield Problem(
            "stage-count",
            f"needs one entry per stage, got {len(value)}; "
            f"depths has {stages}: {list(spec.depths)}",
            (field,),
        )


def not_too_many_blocks(spec: Spec) -> Iterator[Problem]:
    if (total := sum(spec.depths)) > MOST_BLOCKS:
        message = f"must add up to at most {MOST_BLOCKS:,} blocks, got {total:,}"
        yield Problem("block-count", message, ("depths",))


def bottleneck_has_expansion(spec: Spec) -> Iterator[Problem]:
    needed = any(row.block == "bottleneck" for row in rows(spec))
    if needed and spec.expansion is None:
        message = "is missing; a bottleneck needs it, 4 in every published ResNet"
        yield Problem("expansion-missing", message, ("expansion",))


def bottleneck_says_where_it_strides(spec: Spec) -> Iterator[Problem]:
    strides = any(row.block == "bottleneck" and row.stride > 1 for row in rows(spec))
    if strides and spec.stride_on is None:
        yield Problem(
            "stride-on-missing",
            "is missing; a bottleneck that strides needs it: conv1 for v1 (the paper), "
            "conv2 for v1.5 (torchvision)",
            ("stride_on",),
        )
    bottlenecks = any(map(_is_bottleneck, rows(spec)))
    if bottlenecks and not strides and spec.stride_on is not None:
        message = "changes nothing here, no stage of bottlenecks strides; remove it"
        yield Problem("stride-on-unused", message, ("stride_on",), about_key=True)


def basic_blocks_have_no_bottleneck_fields(spec: Spec) -> Iterator[Problem]:
    if any(map(_is_bottleneck, rows(spec))):
        return
    for field in ("stride_on", "expansion", "groups", "width_per_group"):
        if field in spec.model_fields_set and getattr(spec, field) is not None:
            message = "changes nothing in basic blocks, only in bottlenecks; remove it"
            yield Problem("bottleneck-only", message, (field,), about_key=True)


def width_divides_into_groups(spec: Spec) -> Iterator[Problem]:
    for i, row in enumerate(rows(spec)):
        if not _is_bottleneck(row):
            continue
        if row.width_per_group is None and row.width % row.groups:
            below = row.width // row.groups * row.groups
            near = (
                f"{below} and {below + row.groups} are" if below else f"{row.groups} is"
            )
            message = f"{row.width} is not divisible by groups {row.groups}; {near}"
            yield Problem("groups-divide", message, _entry(spec, "widths", i))
        elif row.width_per_group and row.width * row.width_per_group % 64:
            each = row.width * row.width_per_group / 64
            yield Problem(
                "whole-groups",
                f"stage {i + 1} of width {row.width} would have groups of {row.width} x "
                f"{row.width_per_group} / 64 = {each:g} channels; "
                "that must be a whole number",
                _entry(spec, "width_per_group", i),
            )


def dilation_is_used(spec: Spec) -> Iterator[Problem]:
    """A stage of one bottleneck has the dilation before it; the last hands none on."""
    *before, last = rows(spec)
    previous = before[-1].dilation if before else 1
    if _is_bottleneck(last) and last.depth == 1 and last.dilation != previous:
        yield Problem(
            "dilation-unused",
            f"the last stage's {last.dilation} changes nothing: its one block is a first "
            f"block, and those keep the dilation of the stage before, {previous}",
            _entry(spec, "dilations", len(before)),
        )


def stem_says_what_it_needs(spec: Spec) -> Iterator[Problem]:
    for field, example in (("width", "64"), ("pool", "max")):
        value = getattr(spec.stem, field)
        if spec.stem.type == "none" and value is not None:
            message = "changes nothing under the stem none; remove it"
            yield Problem("stem-unused", message, ("stem", field), about_key=True)
        elif spec.stem.type != "none" and value is None:
            message = f"is missing; the stem {spec.stem.type} needs it, as {example}"
            yield Problem("stem-missing", message, ("stem", field))


def dropout_has_a_classifier(spec: Spec) -> Iterator[Problem]:
    if spec.head.classes == "none" and spec.head.dropout:
        message = "stands before the classifier, and classes is none; remove it"
        yield Problem("dropout-unused", message, ("head", "dropout"), about_key=True)


def zeroed_block_has_a_shortcut(spec: Spec) -> Iterator[Problem]:
    plain = [i for i, row in enumerate(rows(spec)) if row.shortcut == "none"]
    if spec.init.zero_last_norm and plain:
        yield Problem(
            "zeroed-plain",
            f"stage {plain[0] + 1} has no shortcut, so its blocks would give zero and "
            "never learn; remove it or add a shortcut",
            ("init", "zero_last_norm"),
            about_key=True,
        )


def _is_bottleneck(row: Row) -> bool:
    return row.block == "bottleneck"


def _entry(spec: Spec, field: str, stage: int) -> Path:
    """The field's entry for a stage: the field itself where one value serves all."""
    return (field, stage) if isinstance(getattr(spec, field), tuple) else (field,)


LENGTH_RULES: tuple[Rule, ...] = tuple(
    partial(one_entry_per_stage, field) for field in PER_STAGE.values()
)
RULES: tuple[Rule, ...] = (
    not_too_many_blocks,
    bottleneck_has_expansion,
    bottleneck_says_where_it_strides,
    basic_blocks_have_no_bottleneck_fields,
    width_divides_into_groups,
    dilation_is_used,
    stem_says_what_it_needs,
    dropout_has_a_classifier,
    zeroed_block_has_a_shortcut,
)
