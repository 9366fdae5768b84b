"""From plain multiply-adds to the figure of each tool, term by term."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

from resnet_spec.emit.cost import tables
from resnet_spec.emit.cost.tables import Rule, by_function, by_module, names
from resnet_spec.emit.cost.training import Passes, passes
from resnet_spec.expansion import Call, counted, expand, summed
from resnet_spec.network import Network


class Term(NamedTuple):
    """A part of a figure, and what it is."""

    number: int
    what: str


class Counting(NamedTuple):
    """How a tool counts: its rules, what it has for a multiply-add, and its own words."""

    rules: tuple[Rule, ...]
    each: int = 1
    words: dict[str, str] = {}  # noqa: RUF012  # no list of them changes


PTFLOPS = (by_module(tables.PTFLOPS_MODULES), by_function(tables.PTFLOPS_FUNCTIONS))
TWICE = "twice: when the module runs, and when its function does"
COUNTINGS = {
    "torchinfo": Counting(
        (tables.torchinfo,), words={"norms": "weights and biases of norms, once each"}
    ),
    "fvcore": Counting((by_function(tables.FVCORE),)),
    "ptflops": Counting(PTFLOPS),
    "ptflops-aten": Counting((by_function(tables.PTFLOPS_ATEN),)),
    "thop": Counting((by_module(tables.THOP),)),
    "torchprofile": Counting((by_function(tables.TORCHPROFILE),)),
    "calflops": Counting((by_function(tables.CALFLOPS),), each=2),
    "pycls": Counting((by_function(tables.PYCLS),)),
    "torch": Counting((by_function(tables.TORCH),), each=2),
}
SAME = {"mmengine": "fvcore", "timm": "fvcore"}  # whose rules they have

PRODUCTS = "multiply-adds"
KINDS = {
    PRODUCTS: names("conv1d conv2d linear matmul StdConv2d"),
    "norms": names(
        "batch_norm group_norm instance_norm layer_norm BareEvoNormS0a "
        "BareFilterResponseNorm ChannelAffine EvoNormS0 EvoNormS0a FilterResponseNorm "
        "LayerNorm2d"
    ),
    "standardized weights": names("standardize"),
    "activations": names(
        "elu gelu hardswish hardtanh leaky_relu mish prelu relu sigmoid silu"
    ),
    "pools": names(tables.POOLS),
    "means and products": names("mean mul"),
}


def reconciled(network: Network, tool: str, batch: int = 1) -> list[Term]:
    """The terms of the tool's figure, plain multiply-adds first; they add up to it."""
    if tool == "torch-train":
        return list(_training(passes(network), batch))
    counting = COUNTINGS[SAME.get(tool, tool)]
    sums = summed(expand(network), partial(_own, counting=counting), {})
    plain = batch * counting.each * network.macs
    what = "multiply-adds of convolutions and linear layers"
    terms = [Term(plain, what if counting.each == 1 else f"twice the {what}")]
    for kind in {**sums.image, **sums.once}:
        count = sums.of(kind, batch)
        if kind == PRODUCTS:
            terms.append(Term(count - plain, "of those, not seen"))
        else:
            terms.append(Term(count, counting.words.get(kind, kind)))
    return [term for term in terms if term.number]


def _own(call: Call, counting: Counting) -> dict[str, int]:
    """What the tool counts for the call itself, by kind."""
    counts = [count for rule in counting.rules if (count := rule(call))]
    count = sum(counts)
    kind = _kind(call) if len(counts) < 2 else f"{_kind(call)}, {TWICE}"
    if kind != PRODUCTS:
        return {kind: count} if count else {}
    product = min(count, counting.each * call.macs)
    return {kind: product, "biases": count - product}


def _kind(call: Call) -> str:
    name = call.function or call.module
    return next((kind for kind, members in KINDS.items() if name in members), "others")


def _training(found: Passes, batch: int) -> Iterator[Term]:
    yield Term(batch * found.forward, "twice the multiply-adds, forward")
    yield Term(batch * found.inputs, "the same for the gradients of what they read")
    yield Term(batch * found.weights, "the same for the gradients of weights")
    if found.dense:
        what = "more: gradients of grouped weights, counted as dense"
        yield Term(batch * found.dense, what)


def faults(network: Network, tool: str) -> list[str]:
    """Sentences on what the tool plainly gets wrong in this network."""
    calls = list(_distinct(expand(network)))
    modules = {call.module for call in calls}
    found = []
    if tool == "ptflops" and (twice := _modules(calls, _is_twice)):
        found.append(f"it counts twice each {', '.join(twice)}")
    if tool == "ptflops" and "StdConv2d" in modules:
        found.append("it does not see convolutions by standardized weights")
    if tool == "thop" and (missed := _modules(calls, _is_missed)):
        found.append(
            f"it has no rule for {', '.join(missed)}, and counts neither what they do nor "
            "their parameters"
        )
    blurs = any(call.function == "reflection_pad" for call in calls)
    if tool in ("ptflops", "thop", "torchinfo") and blurs:
        found.append("it does not see the convolutions of blurs, which are no modules")
    if tool == "torch-train" and passes(network).dense:
        found.append(
            "torch takes the gradient of a grouped weight for that of a dense one"
        )
    return found


def _is_twice(call: Call) -> bool:
    seen = call.module in tables.PTFLOPS_MODULES
    return seen and call.function in tables.PTFLOPS_FUNCTIONS


def _is_missed(call: Call) -> bool:
    return call.params > 0 and call.module not in tables.THOP_PARAMS


def _modules(calls: Iterable[Call], chosen: Callable[[Call], bool]) -> list[str]:
    """The classes of those chosen, sorted."""
    return sorted({call.module for call in calls if chosen(call)})


def _distinct(call: Call) -> Iterator[Call]:
    yield call
    for step, _ in counted(call.steps):
        yield from _distinct(step.call)
