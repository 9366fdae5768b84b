"""What all blocks of a kind have in common: the ops that none of them runs are left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from resnet_spec.network.ops import Chain
from resnet_spec.network.symbols import (
    ALWAYS,
    NEVER,
    Condition,
    conditions,
    with_conditions,
)
from resnet_spec.network.tree import Block, Network, Shortcut


def alike(network: Network) -> dict[int, Block]:
    """Each block, by its id, with the ops that some block of its kind runs."""
    kinds: dict[str, list[Block]] = {}
    for stage in network.stages:
        for block in stage.distinct.values():
            kinds.setdefault(block.kind, []).append(block)
    return {
        id(block): made
        for blocks in kinds.values()
        for block, made in zip(blocks, settled(blocks), strict=True)
    }


def settled(blocks: Sequence[Block]) -> list[Block]:
    """The blocks of one kind with each condition as their class has it.

    It holds for all of them, or for none, whose ops then are in no block, or it stands on
    the numbers that differ.
    """
    found = [conditions(block) for block in blocks]
    changes = []
    for column in zip(*found, strict=True):
        pairs = zip(*(when.pairs for when in column), strict=True)
        alive = [any(a != b for a, b in pair) for pair in pairs]
        changes.append(_change([when.holds for when in column], alive))
    return [_with(block, iter(changes)) for block in blocks]


def _change(
    holds: Sequence[bool], alive: Sequence[bool]
) -> Callable[[Condition], Condition]:
    if all(holds):
        return lambda when: ALWAYS
    if not any(holds):
        return lambda when: NEVER
    return lambda when: Condition(
        tuple(
            pair for pair, is_alive in zip(when.pairs, alive, strict=True) if is_alive
        )
    )


def _with(block: Block, changes: Iterator[Callable[[Condition], Condition]]) -> Block:
    settled: Block = with_conditions(block, lambda when: next(changes)(when))
    shortcut = settled.shortcut
    if shortcut and shortcut.absent == ALWAYS:
        shortcut = None
    elif shortcut and shortcut.absent == NEVER:
        shortcut = Shortcut()
    elif shortcut and shortcut.when == NEVER:
        shortcut = Shortcut(adds_pre=shortcut.adds_pre)
    elif shortcut and shortcut.when == ALWAYS:
        shortcut = shortcut._replace(when=None)
    pre, body, post = map(_kept, (settled.pre, settled.body, settled.post))
    return settled.replace(shortcut=shortcut, pre=pre, body=body, post=post)


def _kept(ops: Chain) -> Chain:
    """The ops without those that never take part."""
    return tuple(
        op.replace(when=None) if op.when == ALWAYS else op
        for op in ops
        if op.when != NEVER
    )
