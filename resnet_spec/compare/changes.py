"""What the ops of one network are that another's are not, in words.

Of ops it knows path, class and fields, never what a network is for. A sentence is said of the
second network, beside the first: "conv1 strides, not conv2".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from resnet_spec.compare.alignment import (
    Chains,
    Module,
    doing,
    kind_of,
    module_of,
    name_of,
)
from resnet_spec.network import (
    AvgPool,
    Block,
    BlurPool2d,
    Condition,
    Conv,
    Init,
    Maker,
    Network,
    Op,
    Pair,
    Rate,
    Start,
    Windowed,
    plain,
    sides,
)
from resnet_spec.problems.words import by_sides, together

ROLES = ("pre", "body", "shortcut", "post")  # of a block's chains, in order
SMOOTHING = (AvgPool, BlurPool2d)
UNSAID = {"path", "input", "when", "ceil", "varies"}
"""Fields of ops that say where they are, or what an argument or a class says as well."""
NEW = (("now runs", "now run"), ("is new", "are new"))
GONE = (("no longer runs", "no longer run"), ("is gone from", "are gone from"))
"""What is said of one op and of several, if the other network has the modules, and if not."""
SPELLED = {"zero": {True: "starts at weight 0", False: "starts at weight 1"}}


class Change(NamedTuple):
    """What differs in the same way in some places: `stem`, `layer2.0`, and in which words."""

    places: tuple[str, ...]
    said: str


def changes(a: Network, b: Network) -> list[Change]:
    """What differs in the ops that both have a place for: in the ends, and block by block.

    Blocks and stages that one of them has alone are not among that; nor are numbers that
    follow from the channels or the kernel of the same op, as the padding that keeps a size.
    """
    found: dict[str, list[str]] = {}
    for place, said in _found(a, b):
        found.setdefault(said, []).append(place)
    return [Change(tuple(places), said) for said, places in found.items()]


def _found(a: Network, b: Network) -> Iterator[tuple[str, str]]:
    ends = {
        part: Chains("", doing(getattr(a, part)), doing(getattr(b, part)))
        for part in ("stem", "pool", "head")
    }
    for part in ("stem", "pool"):
        yield from ((part, said) for said in _remarks([ends[part]], [*ends.values()]))
    known: dict[tuple[int, int], list[str]] = {}
    theirs = {stage.name: stage for stage in b.stages}
    for stage in a.stages:
        others = theirs[stage.name].blocks if stage.name in theirs else ()
        for i, pair in enumerate(zip(stage.blocks, others, strict=False)):
            key = (id(pair[0]), id(pair[1]))
            if key not in known:
                known[key] = [*_of_blocks(*pair)]
            yield from ((f"{stage.name}.{i}", said) for said in known[key])
    yield from (("head", said) for said in _remarks([ends["head"]], [*ends.values()]))
    if a.features != b.features:
        given = (", ".join(n.features) or "what the head gives" for n in (b, a))
        yield "output", "it is {}, not {}".format(*given)
    if a.digests.init != b.digests.init:
        yield from (("init", said) for said in _starts(a.init, b.init))


def _of_blocks(a: Block, b: Block) -> Iterator[str]:
    if a.adds != b.adds:
        yield f"{'a shortcut' if b.adds else 'nothing'} is added to the body"
    elif a.adds and a.reads_pre != b.reads_pre:
        source = ["the block's input", "what the ops before the body give"]
        yield "the shortcut reads {}, not {}".format(
            *source[:: -1 if b.reads_pre else 1]
        )
    each = zip(ROLES, a.chains, b.chains, strict=True)
    blocks = [Chains(role, *map(doing, pair)) for role, *pair in each]
    yield from _remarks(blocks, blocks)


def _starts(a: Init, b: Init) -> Iterator[str]:
    verbs = {
        "convolutions": "convolutions start",
        "classifier": "the classifier starts",
    }
    for name, verb in verbs.items():
        old, new = getattr(a, name), getattr(b, name)
        if old != new:
            yield f"{verb} {_start(new)}, not {_start(old)}"


def _start(start: Start | None) -> str:
    """`by kaiming_fan_out with biases by zeros`"""
    if start is None:
        return "as torch has it"
    biases = f" with biases by {start.bias}" if start.bias else ""
    return f"by {start.weight}{biases}"


# --- what is said of it -------------------------------------------------------------------


def _remarks(blocks: Sequence[Chains], every: Sequence[Chains]) -> Iterator[str]:
    """What differs in the chains of one block, or in one chain of the ends.

    `every` has all chains that hold their modules side by side.
    """
    moved = _moved(blocks)
    for chains in blocks:
        yield from _stride(chains)
    yield from _pairs(blocks)
    yield from moved.values()
    yield from _runs(blocks, every, {*moved})


def _stride(chains: Chains) -> Iterator[str]:
    """Which op strides in place of which."""
    if chains.moved_stride is None:
        return
    i, j = chains.moved_stride
    old, new = chains.a[i], chains.b[j]
    at = dict(chains.pairs)  # where the ops of the first are in the second
    stays, was_there = i in at, j in at.values()
    said, before = name_of(new), name_of(old)
    if before == said:
        before = f"the {kind_of(old)}"
    if not was_there:
        smooths = isinstance(old, Conv) and isinstance(new, SMOOTHING) and at[i] < j
        label = "anti-aliasing: " * (smooths and chains.role != "shortcut")
        said = f"{label}{said} ({_described(new)}) {chains.where(chains.b, j)}"
    gone = "" if stays else f" ({_described(old)}), which is gone"
    yield f"{said} strides, not {before}{gone}"


def _pairs(blocks: Sequence[Chains]) -> Iterator[str]:
    """What differs between ops of one path, said once of all that differ so."""
    found: dict[str, list[str]] = {}
    for chains in blocks:
        striding = chains.moved_stride or (None, None)
        for i, j in chains.pairs:
            unsaid = "stride" if i == striding[0] or j == striding[1] else ""
            old, new = chains.a[i], chains.b[j]
            if words := "; ".join(_differing(old, new, unsaid)):
                was = f" (was {name_of(old)})" * (name_of(old) != name_of(new))
                found.setdefault(words, []).append(f"{name_of(new)}{was}")
    for words, names in found.items():
        yield f"{together(dict.fromkeys(names))}: {words}"


def _differing(a: Op, b: Op, unsaid: str = "") -> Iterator[str]:
    if type(a) is type(b) and a.values() == b.values():
        return
    if kind_of(a) != kind_of(b):
        yield f"{kind_of(b)}, not {kind_of(a)}"
    mine, other = _facts(a), _facts(b)
    defaults = {arg.keyword: plain(arg.default) for op in (a, b) for arg in op.args}
    names = mine.keys() & other.keys() if kind_of(a) != kind_of(b) else mine | other
    for name in (name for name in {**mine, **other} if name in names):
        old, new = (facts.get(name, defaults.get(name)) for facts in (mine, other))
        if old != new and name != unsaid and not _follows(name, a, b):
            yield _said(name, old, new)


def _facts(op: Op) -> dict[str, Any]:
    """What it does, by the names of its fields and of its module's arguments."""
    found: dict[str, Any] = {}
    for name, value in op.values().items():
        if isinstance(value, Rate):
            found[name] = f"up to {value.total}"
        elif name not in UNSAID and isinstance(value, (int, float, Condition, Pair)):
            found[name] = plain(value)
    for arg in op.args:
        if arg.keyword and arg.changes != "nothing" and arg.keyword not in found:
            found[arg.keyword] = plain(arg.value)
    return found


def _follows(name: str, a: Op, b: Op) -> bool:
    """Whether a number is, in both, what the channels that are read or the kernel make it."""
    if name in ("out_channels", "groups"):
        return all(getattr(op, name) == op.input.channels for op in (a, b))
    return name == "padding" and all(
        isinstance(op, Conv) and 2 * op.padding == op.dilation * (op.kernel - 1)
        for op in (a, b)
    )


def _said(name: str, old: Any, new: Any) -> str:
    if name in SPELLED:
        return SPELLED[name][new]
    if isinstance(new, bool) and isinstance(old, bool):
        return f"{'with' if new else 'without'} {name}"
    return f"{name} {_value(new)}, not {_value(old)}"


def _value(value: Any) -> str:
    if isinstance(value, Maker):
        return str(value).replace("nn.", "")
    return str(by_sides(value)) if isinstance(value, tuple) else str(value)


def _moved(blocks: Sequence[Chains]) -> dict[Module, str]:
    """What is said of modules that run once in both, and at another place than they did."""
    if not any(chains.runs for chains in blocks):
        return {}
    uses: list[dict[Module, list[tuple[Op, str]]]] = [{}, {}]
    for chains in blocks:
        for found, ops in zip(uses, chains.both, strict=True):
            for i, op in enumerate(ops):
                found.setdefault(module_of(op), []).append((op, chains.where(ops, i)))
    matched = {module_of(c.b[j]) for c in blocks for _, j in c.pairs}
    said = {}
    for module in [module for module in uses[1] if module not in matched]:
        old, new = (found.get(module, []) for found in uses)
        if len(old) == len(new) == 1 and old[0][1] != new[0][1]:
            place = f"runs {new[0][1]}, not {old[0][1]}"
            more = _differing(old[0][0], new[0][0])
            said[module] = "; ".join([f"{module[0]} {place}", *more])
    return said


def _runs(
    blocks: Sequence[Chains], every: Sequence[Chains], moved: set[Module]
) -> Iterator[str]:
    """Ops that are new, gone, or in place of others; one for one, said once of all alike."""
    swapped: dict[tuple[str, str], tuple[list[str], list[str]]] = {}
    said: list[str] = []
    for chains in blocks:
        for gone, new in chains.unpaired(moved):
            old, ops = [chains.a[i] for i in gone], [chains.b[j] for j in new]
            if len(old) == len(ops) == 1:
                kinds = (_described(old[0]), _described(ops[0]))
                names = swapped.setdefault(kinds, ([], []))
                names[0].append(name_of(old[0]))
                names[1].append(name_of(ops[0]))
            elif old and ops:
                verb = "replace" if len(ops) > 1 else "replaces"
                said.append(f"{_listed(ops)} {verb} {_listed(old)}")
            elif ops:
                held = {module_of(op) for each in every for op in each.a}
                said += _only(ops, held, chains.where(chains.b, new[0]), NEW)
            elif old:
                held = {module_of(op) for each in every for op in each.b}
                said += _only(old, held, chains.where(chains.a, gone[0]), GONE)
    for (before, after), (olds, news) in swapped.items():
        verb = "replace" if len({*news}) > 1 else "replaces"
        first, second = (together(dict.fromkeys(names)) for names in (olds, news))
        if olds == news:
            yield f"{second}: {after}, not {before}"
        else:
            yield f"{second} ({after}) {verb} {first} ({before})"
    yield from said


def _only(
    ops: Sequence[Op], held: set[Module], where: str, verbs: Sequence[tuple[str, str]]
) -> Iterator[str]:
    """Of ops on one side alone: those whose module the other has too, and the others."""
    for (one, many), kept in zip(verbs, (True, False), strict=True):
        found = [op for op in ops if (module_of(op) in held) is kept]
        if found:
            said = f"{many if len(found) > 1 else one} {where}"
            yield f"{_listed(found)} {said.replace('from at ', 'from ')}"


def _listed(ops: Sequence[Op]) -> str:
    return together(f"{name_of(op)} ({_described(op)})" for op in ops)


def _described(op: Op) -> str:
    """`3x3 Conv2d, stride 2`"""
    kernel = ""
    if isinstance(op, Windowed):
        kernel = f"{'x'.join(map(str, sides(op.kernel)))} "
    strides = getattr(op, "stride", 1)
    stride = by_sides(plain(strides))
    return f"{kernel}{kind_of(op)}{f', stride {stride}' if stride != 1 else ''}"
