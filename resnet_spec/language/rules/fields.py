"""What must hold between the fields of a spec. One rule, one function."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from math import gcd

from resnet_spec.language.fields import Spec
from resnet_spec.language.plan import OF_TYPE, PER_STAGE, Row, rows
from resnet_spec.language.rules.options import OPTIONS, Rule
from resnet_spec.problems import Path, Problem

MOST_BLOCKS = 20_000


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
    for row in _bottlenecks(spec):
        if row.expansion is None:
            message = "is missing; a bottleneck needs it, 4 in every published ResNet"
            yield Problem("expansion-missing", message, row.path("expansion"))
            return


def bottleneck_says_where_it_strides(spec: Spec) -> Iterator[Problem]:
    for row in rows(spec):
        if row.needs_stride_on and row.stride_on is None:
            yield Problem(
                "stride-on-missing",
                "is missing; a bottleneck that strides needs it: conv1 for v1 (the "
                "paper), conv2 for v1.5 (torchvision)",
                row.path("stride_on"),
            )
            return


def only_striding_bottlenecks_have_stride_on(spec: Spec) -> Iterator[Problem]:
    strides = [row.needs_stride_on for row in rows(spec)]
    yield from _unused(spec, "stride_on", strides, "where no bottleneck strides")


def only_bottlenecks_have_their_fields(spec: Spec) -> Iterator[Problem]:
    used = [row.is_bottleneck for row in rows(spec)]
    for field in ("expansion", "groups", "width_per_group"):
        yield from _unused(spec, field, used, "in basic blocks, only in bottlenecks")


def _unused(spec: Spec, field: str, used: list[bool], where: str) -> Iterator[Problem]:
    """The field where no stage uses it, else its entries for stages that do not."""
    value = getattr(spec, field)
    if field not in spec.model_fields_set or value is None:
        return
    if not any(used):
        message = f"changes nothing {where}; remove it"
        yield Problem("unused", message, (field,), about_key=True)
    elif isinstance(value, tuple):
        for i, (entry, needed) in enumerate(zip(value, used, strict=True)):
            if entry is not None and not needed:
                message = f"changes nothing {where}; write null for stage {i + 1}"
                yield Problem("unused-entry", message, (field, i))


def groups_divide_the_width(spec: Spec) -> Iterator[Problem]:
    said: dict[Path, list[Row]] = {}
    for row in _bottlenecks(spec):
        if row.width_per_group is None:
            said.setdefault(row.path("groups"), []).append(row)
    for path, stages in said.items():
        odd = [row for row in stages if row.width % row.groups]
        if odd:
            asked, common = odd[0].groups, gcd(*(row.width for row in stages))
            legal = [groups for groups in range(1, common + 1) if common % groups == 0]
            near = min(legal, key=lambda groups: abs(groups - asked))
            widths = ", ".join(str(row.width) for row in odd)
            numbers = ", ".join(str(row.index + 1) for row in odd)
            message = f"{asked} does not divide the width {widths} of stage {numbers}"
            yield Problem("groups-divide", f"{message}; {near} does", path)


def groups_have_whole_widths(spec: Spec) -> Iterator[Problem]:
    for row in _bottlenecks(spec):
        if row.width_per_group and row.width * row.width_per_group % 64:
            each = row.width * row.width_per_group / 64
            yield Problem(
                "whole-groups",
                f"stage {row.index + 1} of width {row.width} would have groups of "
                f"{row.width} x {row.width_per_group} / 64 = {each:g} channels; "
                "that must be a whole number",
                row.path("width_per_group"),
            )


def dilation_is_used(spec: Spec) -> Iterator[Problem]:
    """A stage of one bottleneck has the dilation before it; the last hands none on."""
    *before, last = rows(spec)
    previous = before[-1].dilation if before else 1
    if last.is_bottleneck and last.depth == 1 and last.dilation != previous:
        yield Problem(
            "dilation-unused",
            f"the last stage's {last.dilation} changes nothing: its one 3x3 is the first of "
            f"the stage, which keeps the dilation of the stage before, {previous}",
            last.path("dilations"),
        )


def types_say_what_they_need(spec: Spec) -> Iterator[Problem]:
    for (name, field), (types, example) in OF_TYPE.items():
        model = getattr(spec, name)
        if model is None:
            continue
        written = field in model.model_fields_set and getattr(model, field) is not None
        if model.type not in types and written:
            message = f"changes nothing under the {name} {model.type}; remove it"
            yield Problem("unused", message, (name, field), about_key=True)
        elif model.type in types and example and getattr(model, field) is None:
            message = f"is missing; the {name} {model.type} needs it, as {example}"
            yield Problem(f"{name}-missing", message, (name, field))


def stem_width_divides(spec: Spec) -> Iterator[Problem]:
    by = {"deep": 2, "tiered": 8}.get(spec.stem.type, 1)
    if spec.stem.width and spec.stem.width % by:
        message = f"must be a multiple of {by} in the stem {spec.stem.type}"
        yield Problem(
            "stem-width", f"{message}, got {spec.stem.width}", ("stem", "width")
        )


def dropout_has_a_classifier(spec: Spec) -> Iterator[Problem]:
    if spec.head.classes == "none" and spec.head.dropout:
        message = "stands before the classifier, and classes is none; remove it"
        yield Problem("unused", message, ("head", "dropout"), about_key=True)


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


def _bottlenecks(spec: Spec) -> list[Row]:
    return [row for row in rows(spec) if row.is_bottleneck]


LENGTH_RULES: tuple[Rule, ...] = tuple(
    partial(one_entry_per_stage, field) for field in PER_STAGE.values()
)
RULES: tuple[Rule, ...] = (
    not_too_many_blocks,
    bottleneck_has_expansion,
    bottleneck_says_where_it_strides,
    only_striding_bottlenecks_have_stride_on,
    only_bottlenecks_have_their_fields,
    groups_divide_the_width,
    groups_have_whole_widths,
    dilation_is_used,
    types_say_what_they_need,
    stem_width_divides,
    *OPTIONS,
    dropout_has_a_classifier,
    zeroed_block_has_a_shortcut,
)
