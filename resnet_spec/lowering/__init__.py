"""Spec -> Network: the only place that knows what a residual network is.

A new block, stem or shortcut is one small function here that returns ops. It then has a
module, source, cost and a proof of its shapes for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resnet_spec.language.fields import Spec
from resnet_spec.language.plan import PER_STAGE, rows
from resnet_spec.lowering.blocks import stage
from resnet_spec.lowering.heads import head
from resnet_spec.lowering.kinds import kinds
from resnet_spec.lowering.notes import notes
from resnet_spec.lowering.stems import stem
from resnet_spec.network import (
    Conv,
    EvoNormS0,
    GroupNorm,
    Init,
    Layer,
    Network,
    Op,
    Rate,
    SelectiveKernel,
    Shape,
    SplitAttention,
    Stage,
    Start,
    StdConv2d,
)
from resnet_spec.problems import Path, Problem, SpecError


def lower(spec: Spec, features: Sequence[int] = ()) -> Network:
    """The network that a spec says, of known shapes, proved addable for every image size.

    With `features`, numbers of stages from 1 on, it ends with the last of them, without a
    head, and gives what each of them gives.

    Refuses features of a stage that is not there, an image that a fixed pool does not fit,
    a zero_pad shortcut that would have to drop channels, groups that do not divide channels,
    and a name that a class of the network's own has.
    """
    _check_features(spec, features)
    rates = _rates(spec)
    spec = _first_stages(spec, max(features, default=len(spec.depths)))
    image = Shape(*spec.input)
    ops, pool = stem(spec)
    entry = (*ops, *pool)
    stages = tuple(_stages(spec, entry[-1].output if entry else image, rates))
    network = Network(
        name=spec.name,
        title=spec.title,
        paper=(spec.paper.title, spec.paper.url) if spec.paper else None,
        notes=notes(spec, whole=not features),
        image=image,
        stem=ops,
        pool=pool,
        stages=stages,
        head=() if features else head(spec, stages[-1].output),
        init=Init(Start("kaiming_fan_out")),
        features=tuple(f"layer{number}" for number in sorted(features)),
    )
    if problems := [
        *_wrong_sizes(spec, network),
        *_dropped(spec, network),
        *_clash(network),
        *_odd_groups(network),
        *_single_weights(network),
    ]:
        raise SpecError(*problems)
    wrong = network.disagreement()
    assert wrong is None, wrong  # every shortcut here is proved to fit
    return network


def _stages(spec: Spec, x: Shape, rates: Sequence[Rate]) -> Iterator[Stage]:
    """Each stage, on what the one before it gives; the first reads `x`."""
    dilation = 1
    for row, kind in zip(rows(spec), kinds(rows(spec)), strict=True):
        made = stage(row, kind, x, dilation, rates[: row.depth])
        yield made
        x, dilation, rates = made.output, row.dilation, rates[row.depth :]


def _first_stages(spec: Spec, count: int) -> Spec:
    """The spec without the stages behind the first `count`."""
    fields = {field: getattr(spec, field) for field in PER_STAGE.values()}
    lists = {k: v[:count] for k, v in fields.items() if isinstance(v, tuple)}
    return spec.model_copy(update=lists)


def _check_features(spec: Spec, features: Sequence[int]) -> None:
    stages = range(1, len(spec.depths) + 1)
    wrong = [number for number in features if number not in stages]
    if wrong or len(set(features)) < len(features):
        message = (
            f"features must be different stages from 1 to {len(stages)}, got "
            f"{list(features)}"
        )
        raise SpecError(Problem("features", message))


def _rates(spec: Spec) -> list[Rate]:
    """The probability of dropping each block's body: 0 in the first, all of it in the last.

    https://arxiv.org/abs/1603.09382, section 3.
    """
    blocks = sum(spec.depths)
    if not spec.drop_path:
        return []
    return [Rate(spec.drop_path, i, max(blocks - 1, 1)) for i in range(blocks)]


def _odd_groups(network: Network) -> Iterator[Problem]:
    """Channels that do not fall into the groups that something in the network makes."""
    for path, op in network.distinct_ops():
        for channels, groups, field in _groups(op):
            if channels % groups:
                message = (
                    f"{groups} groups do not divide {channels} channels, of {path}"
                )
                yield Problem("odd-groups", message, field)
                return


def _groups(op: Op) -> Iterator[tuple[int, int, Path]]:
    """Channels, the groups that they must fall into, and the field that says so."""
    channels = op.input.channels
    if isinstance(op, (GroupNorm, EvoNormS0)):
        yield channels, op.groups, ("norm", "groups")
    elif isinstance(op, SelectiveKernel):
        yield channels, op.groups * (2 if op.split else 1), ("spatial", "type")
    elif isinstance(op, SplitAttention):
        yield channels, op.groups * op.radix, ("spatial", "radix")
        yield op.squeezed, op.groups, ("groups",)
    elif isinstance(op, Conv):
        yield channels, op.groups, ("reduce_first",)


def _single_weights(network: Network) -> Iterator[Problem]:
    """A filter of a single weight, which weight standardisation would make zero."""
    for path, op in network.distinct_ops():
        if not isinstance(op, StdConv2d):
            continue
        if op.kernel == 1 and op.input.channels == op.groups:
            message = f"would make {path} zero, whose filters have one weight each"
            yield Problem("single-weight", message, ("standardization",))
            return


def _wrong_sizes(spec: Spec, network: Network) -> Iterator[Problem]:
    """An image that leaves a map without a pixel, or with more than a fixed pool covers."""
    _, *sides = network.image
    smallest, largest = network.sizes
    if all(side in network.sizes for side in sides):
        return
    last, pool = network.stages[-1].output, spec.head.pool
    if largest is None:
        message = f"{list(spec.input)} leaves a map too small for a pool that follows"
        more = f"heights and widths from {smallest} on do not"
        yield Problem("image-too-small", f"{message}; {more}", ("input",))
        return
    yield Problem(
        "pool-fits",
        f"{list(spec.input)} gives a last map of {last.height} x {last.width}, and "
        f"head.pool needs {pool} x {pool}; heights and widths from {smallest} to {largest} "
        "give it",
        ("input",),
    )


def _dropped(spec: Spec, network: Network) -> Iterator[Problem]:
    """A shortcut by zero_pad can add channels but not take any away."""
    for row, made in zip(rows(spec), network.stages, strict=True):
        before, after = made.input.channels, made.output.channels
        if row.shortcut == "zero_pad" and after < before:
            yield Problem(
                "channels-dropped",
                f"zero_pad cannot drop channels, and stage {row.index + 1} goes from "
                f"{before} to {after}; projection can",
                row.path("shortcut"),
            )


def _clash(network: Network) -> Iterator[Problem]:
    """A network that has the name of another thing in its own source."""
    layers = {op.module for _, op in network.distinct_ops() if isinstance(op, Layer)}
    taken = {block.kind for _, block in network.blocks()} | layers | {"F", "Tensor"}
    if network.name in taken:
        message = (
            f"{network.name} is a class that the network itself uses; choose another"
        )
        yield Problem("name-taken", message, ("name",))
