"""A network, its stages and its blocks as calls."""

from __future__ import annotations

from collections.abc import Iterable
from weakref import WeakKeyDictionary

from resnet_spec.expansion.calls import Call, Frame, Step, called, sequential, sizes
from resnet_spec.expansion.layers import layer
from resnet_spec.network import Block, Layer, Network, Op, alike
from resnet_spec.network import called as attributes

KNOWN: WeakKeyDictionary[Network, Call] = WeakKeyDictionary()


def expand(network: Network) -> Call:
    """The call of the network, with all that runs inside, in the order of its source.

    Blocks that repeat are one and the same call.
    """
    if network not in KNOWN:
        KNOWN[network] = _expanded(network)
    return KNOWN[network]


def _expanded(network: Network) -> Call:
    run = Frame(sizes(network.image))
    made = {key: _block(block) for key, block in alike(network).items()}
    x = _chain(run, network.entry, 0)
    for stage in network.stages:
        calls = [made[id(block)] for block in stage.blocks]
        steps = tuple(Step(str(i), (i,), call) for i, call in enumerate(calls))
        call = Call(calls[-1].output, run.shapes[x], "Sequential", steps=steps)
        x = run.add(stage.name, call, x)
    _chain(run, network.head, x)
    return Call(run.shapes[-1], run.shapes[0], network.name, steps=(*run.steps,))


def _block(block: Block) -> Call:
    """post(body(pre(x)) + shortcut), as its source has it."""
    run = Frame(sizes(block.input))
    before = _chain(run, block.pre, 0)
    read = before if block.reads_pre else 0
    early = block.reads_pre and bool(block.branch)
    shortcut = _chain(run, block.branch, read) if early else read
    x = _chain(run, block.body, before)
    if block.adds:
        if not early:
            shortcut = _chain(run, block.branch, shortcut)
        x = run.function("add", x, shortcut)
    _chain(run, block.post, x)
    return Call(run.shapes[-1], run.shapes[0], block.kind, steps=(*run.steps,))


def _chain(run: Frame, ops: Iterable[Op], x: int) -> int:
    """The ops one after the other; those of one Sequential in it."""
    for name, members in attributes(ops):
        if members[0].path == name:
            x = _one(run, members[0], name, x)
            continue
        inner = Frame(run.shapes[x])
        at = 0
        for op in members:
            at = _one(inner, op, op.path.removeprefix(f"{name}."), at)
        x = run.add(name, sequential(inner), x)
    return x


def _one(run: Frame, op: Op, name: str, x: int) -> int:
    if not op.active:
        return run.module(name, "Identity", x, run.shapes[x])
    if isinstance(op, Layer):
        return run.add(name, layer(op, run.shapes[x]), x)
    call = called(op, run.shapes[x])
    if not call.module:
        call = call._replace(function="flatten")
    return run.add(name, call, x)
