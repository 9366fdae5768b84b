"""What must hold between the fields of a spec. One rule, one function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import gcd

from resnet_spec.errors import Path, Problem
from resnet_spec.rows import OF_TYPE, PER_STAGE, Row, rows
from resnet_spec.spec import Spec

Rule = Callable[[Spec], Iterator[Problem]]

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


def options_have_their_blocks(spec: Spec) -> Iterator[Problem]:
    """What only some blocks have, where none of them is."""
    stages = rows(spec)
    basic = any(not row.is_bottleneck for row in stages)
    bottleneck = any(row.is_bottleneck for row in stages)
    attention = {row.attention for row in stages}
    asked = [
        (spec.dropout > 0, ("dropout",), basic, "without a basic block"),
        (spec.reduce_first > 1, ("reduce_first",), bottleneck, "without a bottleneck"),
        (spec.drop_path > 0, ("drop_path",), sum(spec.depths) > 1, "in a single block"),
        (
            spec.attention_after != "last",
            ("attention_after",),
            any(row.is_bottleneck and row.attention != "none" for row in stages),
            "without attention in a bottleneck",
        ),
        (spec.se.ratio != 0.0625, ("se", "ratio"), "se" in attention, NO_SE),
        (spec.se.divisor != 8, ("se", "divisor"), "se" in attention, NO_SE),
        (
            spec.se.activated,
            ("se", "activated"),
            any(not row.is_bottleneck and row.attention == "se" for row in stages),
            "without `attention: se` in a basic block",
        ),
        (
            spec.anti_alias != "none",
            ("anti_alias",),
            any(row.stride > 1 for row in stages),
            "where no stage strides",
        ),
        (
            spec.head.classifier != "linear",
            ("head", "classifier"),
            spec.head.classes != "none",
            "where classes is none",
        ),
    ]
    for said, path, used, where in asked:
        if said and not used:
            message = f"changes nothing {where}; remove it"
            yield Problem("unused", message, path, about_key=True)


NO_SE = "without `attention: se`"


def options_go_together(spec: Spec) -> Iterator[Problem]:
    """What no published network combines, and nothing here builds."""
    stages = rows(spec)
    pre, spatial = spec.pre_activation, spec.spatial is not None
    smooth, pruned = spec.anti_alias != "none", spec.pruned is not None
    fused = spec.norm.type in ("evonorm_s0", "frn")
    conv1 = any(row.needs_stride_on and row.stride_on == "conv1" for row in stages)
    dilated = any(row.dilation > 1 for row in stages)
    bottlenecks = all(row.is_bottleneck for row in stages)
    batch = spec.norm.type == "batch" and (spec.norm.eps, spec.norm.momentum) == (
        1e-5,
        0.1,
    )
    relu = all(row.activation == "relu" for row in stages)
    grouped = any(row.groups > 1 or row.width_per_group for row in stages)
    plain = any(row.shortcut in ("zero_pad", "none") for row in stages)
    eca = all(row.attention == "eca" for row in stages)
    after = spec.attention_after != "last"
    zeroed = spec.init.zero_last_norm
    refused = [
        (pre and spatial, ("spatial",), "stands in post-activation blocks only"),
        (pre and smooth, ("anti_alias",), "stands in post-activation blocks only"),
        (pre and after, ("attention_after",), "must be last with pre_activation"),
        (pre and spec.se.activated, ("se", "activated"), NOT_PRE),
        (pre and zeroed, ("init", "zero_last_norm"), NOT_PRE),
        (
            pre and spec.stem.pool == "conv",
            ("stem", "pool"),
            "conv, which ends in a norm, " + NOT_PRE,
        ),
        (
            fused and not pre,
            ("norm", "type"),
            f"{spec.norm.type} is its own activation, "
            "and a block ends without one before its sum; it needs pre_activation: true",
        ),
        (
            fused and not relu,
            ("activation",),
            f"changes nothing: {spec.norm.type} is one",
        ),
        (spatial and smooth, ("anti_alias",), "goes with plain 3x3 convolutions only"),
        (spatial and conv1, ("stride_on",), "must be conv2 with spatial"),
        (smooth and conv1, ("stride_on",), "must be conv2 with anti_alias"),
        (spatial and dilated, ("dilations",), "must be 1 with spatial"),
        (
            spatial and not batch,
            ("norm",),
            "must be batch as it is by default with spatial",
        ),
        (spatial and not relu, ("activation",), "must be relu with spatial"),
        (
            spatial and spec.standardization is not None,
            ("standardization",),
            "goes with plain convolutions only, not with spatial",
        ),
        (
            spatial and spec.reduce_first > 1,
            ("reduce_first",),
            "must be 1 with spatial",
        ),
        (
            zeroed and spec.norm.type == "frozen",
            ("init", "zero_last_norm"),
            "would stay zero, for a frozen norm does not learn",
        ),
        (
            pruned and not eca,
            ("pruned",),
            "needs `attention: eca`, of which `widths` still says the kernels",
        ),
        (pruned and not bottlenecks, ("pruned",), "has the widths of bottlenecks only"),
        (
            pruned and (pre or spatial or grouped or plain or spec.reduce_first > 1),
            ("pruned",),
            "goes with plain bottlenecks of one group and a projection only",
        ),
    ]
    for wrong, path, message in refused:
        if wrong:
            yield Problem("not-together", message, path)


NOT_PRE = "goes with post-activation blocks only"


def spatial_has_its_blocks(spec: Spec) -> Iterator[Problem]:
    basic = [row for row in rows(spec) if not row.is_bottleneck]
    if spec.spatial and spec.spatial.type != "selective_kernel" and basic:
        where = f"and stage {basic[0].index + 1} has basic blocks"
        message = f"{spec.spatial.type} stands in bottlenecks only, {where}"
        yield Problem("spatial-blocks", message, ("spatial", "type"))


def smoothing_halves(spec: Spec) -> Iterator[Problem]:
    for row in rows(spec):
        if spec.anti_alias == "blur" and row.stride > 2:
            message = f"must be 1 or 2 with `anti_alias: blur`, got {row.stride}"
            yield Problem("blur-halves", message, row.path("strides"))


def projection_halves(spec: Spec) -> Iterator[Problem]:
    for row in rows(spec):
        if row.shortcut == "projection3x3" and row.stride > 2:
            message = f"must be 1 or 2 with `shortcut: projection3x3`, got {row.stride}"
            yield Problem("projection-halves", message, row.path("strides"))


def first_width_is_whole(spec: Spec) -> Iterator[Problem]:
    for row in _bottlenecks(spec):
        if (width := row.inner_width) % spec.reduce_first:
            message = f"{spec.reduce_first} does not divide the width {width} of stage"
            yield Problem(
                "reduce-first", f"{message} {row.index + 1}", ("reduce_first",)
            )
            return


def pruned_says_every_block(spec: Spec) -> Iterator[Problem]:
    if spec.pruned is None:
        return
    for field in ("conv1", "conv2"):
        given = [len(stage) for stage in getattr(spec.pruned, field)]
        if given != list(spec.depths):
            message = f"needs a width for each block, {list(spec.depths)} of them"
            yield Problem("pruned-blocks", f"{message}, got {given}", ("pruned", field))
    if len(spec.pruned.out) != len(spec.depths):
        message = f"needs a width for each of {len(spec.depths)} stages"
        yield Problem(
            "pruned-blocks", f"{message}, got {len(spec.pruned.out)}", ("pruned", "out")
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
    options_have_their_blocks,
    options_go_together,
    spatial_has_its_blocks,
    smoothing_halves,
    projection_halves,
    first_width_is_whole,
    pruned_says_every_block,
    dropout_has_a_classifier,
    zeroed_block_has_a_shortcut,
)
