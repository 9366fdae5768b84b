"""What must hold of options: each has blocks that it changes, and goes with the others.

What no published network combines is refused rather than guessed at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from resnet_spec.language.fields import Norm, Spec
from resnet_spec.language.plan import rows
from resnet_spec.problems import Path, Problem

Rule = Callable[[Spec], Iterator[Problem]]
Refusal = tuple[bool, Path, str]  # whether it holds, where, and why

NO_SE = "without `attention: se`"
NOT_PRE = "goes with post-activation blocks only"


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


def pre_activation_goes_with(spec: Spec) -> Iterator[Problem]:
    if not spec.pre_activation:
        return
    conv = spec.stem.pool == "conv"
    yield from _refused(
        (spec.spatial is not None, ("spatial",), NOT_PRE),
        (spec.anti_alias != "none", ("anti_alias",), NOT_PRE),
        (spec.attention_after != "last", ("attention_after",), NOT_PRE),
        (spec.se.activated, ("se", "activated"), NOT_PRE),
        (spec.init.zero_last_norm, ("init", "zero_last_norm"), NOT_PRE),
        (conv, ("stem", "pool"), f"conv, which ends in a norm, {NOT_PRE}"),
    )


def norms_go_with(spec: Spec) -> Iterator[Problem]:
    kind, pre = spec.norm.type, spec.pre_activation
    fused = kind in ("evonorm_s0", "frn")
    frozen = spec.init.zero_last_norm and kind == "frozen"
    bare = "is its own activation, and a block ends without one before its sum"
    zero = "would keep the norm at zero, for a frozen one does not learn"
    yield from _refused(
        (
            fused and not pre,
            ("norm", "type"),
            f"{kind} {bare}; it needs pre_activation: true",
        ),
        (fused and _not_relu(spec), ("activation",), f"changes nothing: {kind} is one"),
        (frozen, ("init", "zero_last_norm"), zero),
    )


def standardization_goes_with(spec: Spec) -> Iterator[Problem]:
    if spec.standardization is None:
        return
    special = spec.spatial is not None or _dilated(spec) or _grouped(spec)
    message = "goes with plain convolutions only, of one group and dilation 1"
    yield from _refused((special, ("standardization",), message))


def spatial_goes_with(spec: Spec) -> Iterator[Problem]:
    if spec.spatial is None:
        return
    basic = [row.index + 1 for row in rows(spec) if not row.is_bottleneck]
    kind, first = spec.spatial.type, basic[0] if basic else 0
    where = f"{kind} stands in bottlenecks only, and stage {first} has basic blocks"
    narrow = spec.reduce_first > 1
    yield from _refused(
        (kind != "selective_kernel" and bool(basic), ("spatial", "type"), where),
        (spec.anti_alias != "none", ("anti_alias",), "must be none with spatial"),
        (_strides_on_conv1(spec), ("stride_on",), "must be conv2 with spatial"),
        (_dilated(spec), ("dilations",), "must be 1 with spatial"),
        (spec.norm != Norm(), ("norm",), "must be batch, as by default, with spatial"),
        (_not_relu(spec), ("activation",), "must be relu with spatial"),
        (narrow, ("reduce_first",), "must be 1 with spatial"),
    )


def pools_stride_on_conv2(spec: Spec) -> Iterator[Problem]:
    wrong = spec.anti_alias != "none" and _strides_on_conv1(spec)
    yield from _refused((wrong, ("stride_on",), "must be conv2 with anti_alias"))


def dropped_blocks_have_shortcuts(spec: Spec) -> Iterator[Problem]:
    plain = any(row.shortcut == "none" for row in rows(spec))
    message = "would leave nothing of a block without a shortcut"
    yield from _refused((spec.drop_path > 0 and plain, ("drop_path",), message))


def pruned_goes_with(spec: Spec) -> Iterator[Problem]:
    if spec.pruned is None:
        return
    stages = rows(spec)
    eca = all(row.attention == "eca" for row in stages)
    bottlenecks = all(row.is_bottleneck for row in stages)
    padded = any(row.shortcut in ("zero_pad", "none") for row in stages)
    special = (
        spec.pre_activation
        or spec.spatial is not None
        or spec.reduce_first > 1
        or _grouped(spec)
        or any(row.width_per_group for row in stages)
        or padded
    )
    kernels = "needs `attention: eca`, of which `widths` still says the kernels"
    plain = "goes with plain bottlenecks of one group and a projection only"
    yield from _refused(
        (not eca, ("pruned",), kernels),
        (not bottlenecks, ("pruned",), "has the widths of bottlenecks only"),
        (special, ("pruned",), plain),
    )


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
    for row in rows(spec):
        if row.is_bottleneck and (width := row.inner_width) % spec.reduce_first:
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


def _refused(*refusals: Refusal) -> Iterator[Problem]:
    for wrong, path, message in refusals:
        if wrong:
            yield Problem("not-together", message, path)


def _not_relu(spec: Spec) -> bool:
    return any(row.activation != "relu" for row in rows(spec))


def _dilated(spec: Spec) -> bool:
    return any(row.dilation > 1 for row in rows(spec))


def _grouped(spec: Spec) -> bool:
    return any(row.groups > 1 for row in rows(spec))


def _strides_on_conv1(spec: Spec) -> bool:
    return any(row.needs_stride_on and row.stride_on == "conv1" for row in rows(spec))


OPTIONS: tuple[Rule, ...] = (
    options_have_their_blocks,
    pre_activation_goes_with,
    norms_go_with,
    standardization_goes_with,
    spatial_goes_with,
    pools_stride_on_conv2,
    dropped_blocks_have_shortcuts,
    pruned_goes_with,
    smoothing_halves,
    projection_halves,
    first_width_is_whole,
    pruned_says_every_block,
)
