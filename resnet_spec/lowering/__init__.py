"""Plan -> Network: the only place that knows what a residual network is.

A new block, stem or shortcut is one small function here that returns ops, and one entry in the
catalog that says what it is called and which fields it reads. It then has a module, source,
cost and a proof of its shapes for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_spec.language.plan import Plan
from resnet_spec.lowering.blocks import stage
from resnet_spec.lowering.checks import wrong
from resnet_spec.lowering.heads import head
from resnet_spec.lowering.initialization import SCHEMES
from resnet_spec.lowering.kinds import kinds_of
from resnet_spec.lowering.notes import sentences
from resnet_spec.lowering.parts import apart
from resnet_spec.lowering.stems import stem
from resnet_spec.network import Network, Rate, Shape, Stage
from resnet_spec.problems import SpecError


def lower(plan: Plan) -> Network:
    """The network that a spec says, of known shapes, proved addable for every image size.

    Raises SpecError for an image that a pool does not fit, a shortcut of zeros that would
    have to drop channels or halve an odd number of them, groups that do not divide channels,
    a name that a class of the network's own has, and a block whose body and shortcut cannot
    be added.
    """
    spec = plan.spec
    first, pool = stem(plan)
    entry = (*first, *pool)
    stages = tuple(_stages(plan, entry[-1].output if entry else Shape(*spec.input)))
    first, pool, last = apart(first, pool, head(plan, stages[-1].blocks[-1]))
    network = Network(
        name=spec.name,
        title=spec.title,
        paper=(spec.paper.title, spec.paper.url) if spec.paper else None,
        notes=(),
        image=Shape(*spec.input),
        stem=first,
        pool=pool,
        stages=stages,
        head=last,
        init=SCHEMES[spec.init.scheme],
    )
    if problems := wrong(plan, network):
        raise SpecError(*problems)
    return noted(plan, network)


def noted(plan: Plan, network: Network) -> Network:
    """The network, or what a pass has left of it, with what people are told about it."""
    return network.noted(sentences(plan, network))


def _stages(plan: Plan, x: Shape) -> Iterator[Stage]:
    """Each stage, on what the one before it gives; the first reads `x`."""
    rates, kinds = _rates(plan), iter(kinds_of(plan))
    for planned in plan.stages:
        each = [(block, next(kinds)) for block in planned.blocks]
        made = stage(each, x, rates[: planned.depth])
        yield made
        x, rates = made.output, rates[planned.depth :]


def _rates(plan: Plan) -> list[Rate]:
    """The probability of dropping each block's body: 0 in the first, all of it in the last.

    timm 1.0's rule. https://arxiv.org/abs/1603.09382 gives block l of L the share l / L.
    """
    spec = plan.spec
    blocks = sum(spec.depths)
    if not spec.drop_path:
        return []
    return [Rate(spec.drop_path, i, max(blocks - 1, 1)) for i in range(blocks)]
