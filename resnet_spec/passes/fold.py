"""The network of evaluation alone: norms in the convolutions before them."""

from __future__ import annotations

from resnet_spec.network import (
    BatchNorm,
    Block,
    Chain,
    Conv,
    Conv3x3,
    Dropout,
    DropPath,
    Folded,
    FrozenBatchNorm2d,
    Identity,
    Inside,
    InstanceBatchNorm2d,
    Linear,
    Network,
    Op,
    StdConv2d,
)

TRAINING = (Dropout, DropPath)
"""What evaluation does not run."""


def fold(network: Network) -> Network:
    """The same function in evaluation, without what only training needs.

    A batch norm behind a convolution or a linear layer becomes part of it, which has a bias
    then; weights that are standardized each time are so once and for all; dropout and drop path
    are gone. Every tensor that is left has the name that it has in the network. What cannot be
    folded stays as it is, and is in `Network.norms`. The notes are gone, for they were of the
    network as it is trained.
    """
    blocks = {
        id(block): block
        for stage in network.stages
        for block in (*stage.blocks, stage.repeat)
        if block
    }
    made = {key: _block(block) for key, block in blocks.items()}
    return network.replace(
        notes=(),
        stem=_chain(network.stem),
        pool=_chain(network.pool),
        stages=tuple(
            stage.replace(
                blocks=tuple(made[id(block)] for block in stage.blocks),
                repeat=made[id(stage.repeat)] if stage.repeat else None,
            )
            for stage in network.stages
        ),
        head=_chain(network.head),
    )


def _block(block: Block) -> Block:
    shortcut = block.shortcut
    return block.replace(
        pre=_chain(block.pre),
        body=_chain(block.body),
        shortcut=shortcut and shortcut._replace(ops=_chain(shortcut.ops)),
        post=_chain(block.post),
    )


def _chain(ops: Chain) -> Chain:
    """The ops with norms folded. In a Sequential an identity keeps a place before others."""
    made: list[Op] = []
    last = -1  # the place of the last op that does something
    for op in ops:
        taken = last >= 0 and _taken(made[last], op)
        if taken:
            made[last] = taken
        if taken or isinstance(op, TRAINING):
            if op.path != op.attribute:
                made.append(Identity(path=op.path, input=op.input, when=op.when))
            continue
        made.append(_alone(op))
        last = len(made) - 1
    return tuple(
        op
        for i, op in enumerate(made)
        if not isinstance(op, Identity)
        or op in ops
        or any(_works(later, op) for later in made[i + 1 :])
    )


def _works(later: Op, place: Op) -> bool:
    """Whether it is another member of that Sequential, and does something."""
    return later.attribute == place.attribute and not isinstance(later, Identity)


def _linear(op: Op | None) -> BatchNorm | FrozenBatchNorm2d | None:
    """The norm, where it is linear in evaluation, by numbers that weights tell."""
    if isinstance(op, InstanceBatchNorm2d):
        return None
    return op if isinstance(op, (BatchNorm, FrozenBatchNorm2d)) else None


def _taken(op: Op, after: Op) -> Op | None:
    """The convolution or linear layer with that norm in it; None where that cannot be."""
    norm = _linear(after)
    if not (norm and isinstance(op, (Conv, Linear)) and op.when is norm.when):
        return None
    folded = Folded(op.path, norm.path, norm.eps)
    return op.replace(bias=True, folds=(*op.folds, folded))


def _alone(op: Op) -> Op:
    """An op with what is inside it folded."""
    if isinstance(op, Conv3x3):
        return _inside(op)
    if not isinstance(op, StdConv2d):
        return op
    values = {name: getattr(op, name) for name in Conv.fields}
    return Conv(**values | {"folds": (Folded(op.path, "", op.eps),)})


def _inside(op: Conv3x3) -> Conv3x3:
    """A layer whose convolutions have their norms, and standardized filters, in them."""
    inside, norm = op.inside, _linear(op.inside.norm)
    if not (norm or inside.eps):
        return op
    kernels = {tensor.name: tensor.shape[-1:] for tensor in op.tensors}
    folds = []
    for convolution, after in op.pairs:
        path = f"{op.path}.{convolution}"
        if inside.eps and kernels[f"{convolution}.weight"] == (3,):
            folds.append(Folded(path, "", inside.eps))
        if norm:
            folds.append(Folded(path, f"{op.path}.{after}", norm.eps))
    return op.replace(
        varies=True,
        folds=tuple(folds),
        inside=Inside(
            None if norm else inside.norm, inside.activation, bias=bool(norm)
        ),
    )
