"""Norms, shortcuts and biases, read off the shapes of all blocks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from resnet_spec.weights.inference.blocks import Block, Data, alike
from resnet_spec.weights.naming.rules import COUNT, Shapes


def norms(shapes: Shapes, stages: Sequence[Sequence[Block]]) -> Iterator[Data]:
    """What norms may be, by their tensors."""
    lasts: dict[str, set[str]] = {}
    sizes = []
    for name, shape in shapes.items():
        module, _, last = name.rpartition(".")
        if len(shape) == 1 and last == "weight":
            sizes.append(shape[0])
        lasts.setdefault(module, set()).add(last)
    every = set().union(*lasts.values())
    inner = {
        last
        for module, found in lasts.items()
        if module.endswith(("norm1", "bn1", "norm2", "bn2"))
        for last in found
    }
    if any(module.endswith(".BN") for module in lasts):
        kinds_ = [
            "ibn_a" if any(b.has("bn1.BN") for b in stage) else "batch"
            for stage in stages
        ]
        yield {"type": alike(kinds_)}
    elif any(module.endswith(".IN") for module in lasts):
        yield {
            "type": alike(
                ["ibn_b" if any(b.has("IN") for b in s) else "batch" for s in stages]
            )
        }
    elif "running_mean" in every:
        counted = [
            any(
                m.startswith(f"{b.at}.") and COUNT in f
                for m, f in lasts.items()
                for b in s[:1]
            )
            for s in stages
        ]
        kinds_ = ["batch" if each else "frozen" for each in counted]
        yield {"type": alike(kinds_)}
        if not any(counted):
            yield {"type": "batch"}
    elif "v" in every or "tau" in every:
        for kind in ("evonorm_s0", "evonorm_s0a") if "v" in every else ("frn",):
            groups = {"groups": dividing(sizes)} if "v" in every else {}
            yield {"type": kind} | groups
    elif inner:
        yield {"type": "group", "groups": dividing(sizes)}
    else:
        yield {"type": "none"}
        yield {"type": "instance"}


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


def _branch(block: Block) -> tuple[int, int, bool] | None:
    """The place in the shortcut's chain of its convolution, its kernel, and whether a norm
    follows; None without one."""
    for module, each in block.modules.items():
        top, _, step = module.partition(".")
        weight = each.get("weight", ())
        if top == "downsample" and len(weight) == 4 and (step or "0").isdigit():
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
