"""A network, its stages and its blocks as calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from weakref import WeakKeyDictionary

from resnet_spec.expansion.calls import Call, Frame, Step, call_of, sizes
from resnet_spec.expansion.layers import layer
from resnet_spec.network import (
    Activation,
    Block,
    Flatten,
    Layer,
    Network,
    Norm,
    Op,
    Shape,
    alike,
    called,
)

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
    made = {key: expand_block(block) for key, block in alike(network).items()}
    x = _chain(run, network.entry, 0)
    for stage in network.stages:
        calls = [made[id(block)] for block in stage.blocks]
        steps = tuple(Step(str(i), (i,), call) for i, call in enumerate(calls))
        lasts = (len(calls), *range(1, len(calls) + 1))
        call = Call(
            calls[-1].output, run.shapes[x], "Sequential", steps=steps, lasts=lasts
        )
        x = run.bind("x", run.add(stage.name, call, x))
    _chain(run, network.head, x)
    return run.call(network.name)


def expand_block(block: Block) -> Call:
    """post(body(pre(x)) + shortcut), as its source has it."""
    run = Frame(sizes(block.input))
    before = _chain(run, block.pre, 0)
    read = before if block.reads_pre else 0
    early = block.reads_pre and bool(block.branch)
    shortcut = run.bind("shortcut", read)
    if early:
        shortcut = run.bind("shortcut", _chain(run, block.branch, read, ""))
    x = _chain(run, block.body, before)
    if block.adds:
        if not early:
            shortcut = run.bind("shortcut", _chain(run, block.branch, read, ""))
        x = run.function("add", x, shortcut)
    x = _chain(run, block.post, x)
    return run.call(block.kind)


def expand_chain(ops: Sequence[Op], x: Shape) -> Call:
    """The call of ops in a row, of which the first reads `x`."""
    run = Frame(sizes(x))
    _chain(run, ops, 0)
    return run.call("Sequential")


def _chain(run: Frame, ops: Iterable[Op], x: int, variable: str = "x") -> int:
    """The ops one after the other, each line's result in the variable.

    A norm, an activation and a flatten stand on the line of what they read. Ops of one
    Sequential are steps inside of it.
    """
    for name, members in called(ops):
        alone = members[0].path == name
        if variable and not (
            alone and isinstance(members[0], (Norm, Activation, Flatten))
        ):
            run.bind(variable, x)
        if alone:
            x = _one(run, members[0], name, x)
            continue
        inner = Frame(run.shapes[x])
        at = 0
        for op in members:
            at = _one(inner, op, op.path.removeprefix(f"{name}."), at)
        x = run.add(name, inner.call("Sequential"), x)
    return run.bind(variable, x) if variable else x


def _one(run: Frame, op: Op, name: str, x: int) -> int:
    if not op.active:
        return run.module(name, "Identity", x, run.shapes[x])
    if isinstance(op, Layer):
        return run.add(name, layer(op, run.shapes[x]), x)
    call = call_of(op, run.shapes[x])
    if not call.module:
        call = call._replace(function="flatten")
    return run.add(name, call, x)
