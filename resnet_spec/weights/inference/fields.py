"""Norms, shortcuts and biases, read off the shapes of all blocks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from resnet_spec.weights.inference.blocks import Block, Data, by_block
from resnet_spec.weights.inference.pieces import below
from resnet_spec.weights.inference.styles import norms_in, own_norm
from resnet_spec.weights.naming.rules import COUNT, Shapes

GROUPED = ("group", "evonorm_s0")
"""Norms that divide channels into groups."""
OTHERS = {"evonorm_s0": "evonorm_s0a", "frozen": "batch", "none": "instance"}
"""What a norm may be as well: batch in a file that leaves out counts of batches."""


def norms(
    shapes: Shapes, stages: Sequence[Sequence[Block]], outside: Mapping[str, Shapes]
) -> Iterator[Data]:
    """What norms of blocks that are words may be, by their tensors."""
    rows = [[_named(own_norm(block), stage) for block in stage] for stage in stages]
    found = {kind for row in rows for kind in row}
    said: Data = {}
    if (found | norms_in(outside)) & {*GROUPED}:
        sizes = [(n, s) for n, s in shapes.items() if n.endswith(".weight")]
        said["groups"] = dividing({s[0] for _, s in sizes if len(s) == 1})
    yield {"type": by_block(rows), **said}
    counted = any(name.endswith(COUNT) for name in shapes)
    if found & {*OTHERS} - ({"frozen"} if counted else set()):
        others = [[OTHERS.get(kind, kind) for kind in row] for row in rows]
        yield {"type": by_block(others), **said}


def _named(kind: str, stage: Sequence[Block]) -> str:
    """The kind as a spec says it: of a whole stage where one of its blocks ends in a norm."""
    return "ibn_b" if any(block.has("IN") for block in stage) else kind or "none"


def dividing(sizes: Collection[int]) -> int:
    """The groups into which all of so many channels can be divided."""
    return next(n for n in (32, 16, 8, 4, 2, 1) if all(size % n == 0 for size in sizes))


def biases(stages: Sequence[Sequence[Block]], outside: Mapping[str, Shapes]) -> str:
    """Which convolutions have biases."""
    first = stages[-1][-1]
    body = [("bias" in first.modules.get(f"conv{n}", {})) for n in first.numbers]
    if all(body) and "bias" in outside.get("conv1", {}):
        return "all"
    if body[-1]:
        return "unnormalized"
    branch = any(
        len(each.get("weight", ())) == 4 and "bias" in each
        for stage in stages
        for module, each in stage[0].modules.items()
        if module.startswith("downsample")
    )
    return "projection" if branch else "none"


def shortcuts(
    stages: Sequence[Sequence[Block]],
) -> Iterator[tuple[Any, list[int]]]:
    """What shortcuts may be, and the strides of stages with them."""
    convs = [[_branch(block) for block in stage] for stage in stages]
    firsts = [each[0] for each in convs]
    flat = [each for stage in convs for each in stage if each]
    strides = [
        _stride(i, stage, branch)
        for i, (stage, branch) in enumerate(zip(stages, firsts, strict=True))
    ]
    if not flat:
        grows = any(_changes(block) for stage in stages for block in stage)
        words = (
            ["zero_pad_after", "identity_or_none", "none"]
            if grows
            else ["identity", "projection"]
        )
        kept = strides if grows else [1] * len(stages)
        yield from ((word, kept) for word in words)
        return
    kernel = max(kernel for _, kernel, _ in flat)
    always = any(each for stage in convs for each in stage[1:]) or all(
        each for stage in convs for each in stage
    )
    averaged = any(step == 1 for step, _, _ in flat)
    words = []
    if always:
        words.append("projection_always")
    words.append(
        "avg_projection"
        if averaged
        else "projection3x3"
        if kernel == 3
        else "projection"
    )
    if any(
        _changes(stage[0]) and not branch
        for stage, branch in zip(stages, firsts, strict=True)
    ):
        listed = [words[-1] if branch else "zero_pad_after" for branch in firsts]
        yield listed, strides
        yield [words[-1] if branch else "none" for branch in firsts], strides
    for word in words:
        yield word, strides
    normed = any(norm for *_, norm in flat)
    steps: list[Any] = [{"conv": kernel, "stride": "block"}] + ["norm"] * normed
    if averaged and firsts[0] and firsts[0][0] == 1:
        yield "avg_floor_projection", [1, *strides[1:]]
        yield "avg_projection", [1, *strides[1:]]
    if averaged:
        steps = [{"pool": "avg", "stride": "block"}, {"conv": kernel}] + [
            "norm"
        ] * normed
    yield steps, strides
    if any(_convolves_twice(_chain(stage[0])) for stage in stages):
        yield [_by_stage(stage) for stage in stages], strides


def _by_stage(stage: Sequence[Block]) -> Any:
    """The shortcut of one stage, whose sisters have others."""
    if _convolves_twice(chain := _chain(stage[0])):
        return chain
    return "projection_always" if any(map(_chain, stage[1:])) else "projection"


def _convolves_twice(chain: Sequence[Any]) -> bool:
    return len(chain) - chain.count("norm") > 1


def _chain(block: Block) -> list[Any]:
    """What has tensors in its shortcut, as ops, convolutions and norms; a convolution that is
    the first one strides."""
    found: list[Any] = []
    for each in below(block.modules, "downsample").values():
        weight = each.get("weight", ())
        found.append({"conv": weight[2]} if len(weight) == 4 else "norm")
    if found and isinstance(found[0], dict):
        found[0] |= {"stride": "block"}
    return found


def _branch(block: Block) -> tuple[int, int, bool] | None:
    """The place in the shortcut's chain of its convolution, its kernel, and whether a norm
    follows; None without one."""
    for step, each in below(block.modules, "downsample").items():
        weight = each.get("weight", ())
        if len(weight) == 4 and (step or "0").isdigit():
            place = int(step or 0)
            return place, weight[2], block.has(f"downsample.{place + 1}")
    return None


def _changes(block: Block) -> bool:
    return block.reads != block.convolution(block.numbers[-1]).out


def _stride(
    stage: int,
    found: Sequence[Block],
    branch: tuple[int, int, bool] | None,
) -> int:
    """2 where the stage has to stride, or most do."""
    if branch and branch[0] == 1:
        return 2
    if not branch and not _changes(found[0]):
        return 1
    if stage:
        return 2
    return 2 if branch and not _changes(found[0]) else 1
