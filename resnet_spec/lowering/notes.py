"""What a reader must know of a network and the code does not say aloud."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from resnet_spec.language.chains import OwnBlock
from resnet_spec.language.fields import Spec
from resnet_spec.language.plan import Plan, StagePlan
from resnet_spec.network import Block, Network
from resnet_spec.problems.words import together

Stages = Sequence[StagePlan]
ZEROS = {  # https://github.com/akamaster/pytorch_resnet_cifar10, resnet.py
    "zero_pad_after": ("after the input's own", "puts half of them first"),
    "zero_pad_around": (
        "half before and half after the input's own",
        "puts all of them after",
    ),
}
AVERAGING = ("avg_projection", "avg_floor_projection")
TORCHVISION = Path(__file__).parent / "torchvision.txt"
ALIKE = Path(__file__).parent / "alike.txt"  # made by `python -m tests.alike`


def sentences(plan: Plan, network: Network) -> Iterator[str]:
    """Sentences, each true of this network, or of the stages that a pass has left of it."""
    spec, known = plan.spec, plan.stages[: len(network.stages)]
    stages = [block for stage in known for block in stage.blocks]
    yield from _stem(spec, network)
    if network.folds:
        yield from _folded(network)
    else:
        yield from _order(spec, network, any(stage.preact for stage in stages))
    yield from _shortcuts(stages)
    yield from _preact_shortcuts(spec, stages)
    yield from _strides(spec, network, stages)
    yield from _smoothing(spec, stages)
    yield from _dilations(spec, stages)
    yield from _weights(network)


def _stem(spec: Spec, network: Network) -> Iterator[str]:
    if spec.stem.type in ("deep", "tiered"):
        yield "The stem is three 3x3 convolutions in place of one 7x7."
    if spec.stem.pool == "conv" and network.pool:
        yield "A strided 3x3 convolution replaces the stem's pool."


def _folded(network: Network) -> Iterator[str]:
    """What became of norms, in a network that `fold` gave."""
    norms = any(fold.norm for fold in network.folds)
    filters = any(not fold.norm for fold in network.folds)
    done = ["norms are part of the convolutions before them"] * norms
    done += ["filters are standardized already"] * filters
    yield (
        f"For evaluation alone: {together(done)}, and what only training needs is gone; "
        "`folded` makes its tensors of those that were trained."
    )
    if network.norms:
        kept = together(dict.fromkeys(op.path for op in network.norms))
        yield f"What stands behind no convolution, or is not linear, stays: {kept}."


def _order(spec: Spec, network: Network, shipped: bool) -> Iterator[str]:
    """Where norms are; a block of one's own says so itself."""
    if not (spec.preact and network.stages):
        return
    ends = bool(spec.preact.final_norm and network.head)
    if shipped:
        last = ", and once more after the last stage" * ends
        yield f"Norm and activation come before each convolution of a block (v2){last}."
    elif ends:
        yield "A norm and an activation follow the last stage."
    if spec.preact.stem_norm:
        yield "The stem ends in a norm and an activation as well."
    if network.head and not ends and not spec.head.pre:
        yield "What the last stage gives is pooled as it is."
    elif network.head and not ends and "norm" not in spec.head.pre:
        yield "No norm follows the last stage."


def _preact_shortcuts(spec: Spec, stages: Stages) -> Iterator[str]:
    """What they read; published code disagrees on it, and its weights load."""
    other = "weights from code without that also load, and give other outputs."
    raw = spec.preact and spec.preact.shortcut == "raw"
    if raw and any(stage.projects for stage in stages):
        yield (
            "Where the shape changes, shortcuts read a block's input itself, without norm and "
            f"activation; {other}"
        )
    if any(stage.adds_pre for stage in stages):
        yield (
            "Every shortcut, the identity too, begins behind the block's first norm and "
            f"activation; {other}"
        )
    if shared := [stage for stage in stages if stage.shares]:
        yield (
            f"The first block of stage {_numbers(shared)} adds what norm and activation "
            f"make of its input; {other}"
        )


def _shortcuts(stages: Stages) -> Iterator[str]:
    if stages and all(stage.shortcut == "none" for stage in stages):
        yield "No block has a shortcut: this is a plain network, to compare residual ones with."
    if any(s.shortcut == "identity_or_none" and not s.adds for s in stages):
        yield "Blocks that change the shape have no shortcut."
    averages = (stage.shortcut in AVERAGING for stage in stages)
    if all(averages) and any(stage.stride != 1 for stage in stages):
        yield "Where the resolution drops, the shortcut averages before it projects."
    wider = [s for s in stages if s.in_channels != s.out_channels]
    words = [word for word in ZEROS if any(s.shortcut == word for s in wider)]
    for word in words:
        where, other = ZEROS[word]
        of = f" of stage {_places(s for s in wider if s.shortcut == word)}"
        of *= len(words) > 1
        yield (
            f"Shortcuts{of} add their zero channels {where}; weights from code that {other} "
            "also load, and give other outputs."
        )


def _strides(spec: Spec, network: Network, stages: Stages) -> Iterator[str]:
    """Where bottlenecks stride; published code disagrees on it."""
    on = {stage: stage.stride_on for stage in stages if stage.stride_on}
    if set(on.values()) == {"conv1"}:
        yield "The stride sits on the first 1x1 convolution (v1, as in the paper)."
    elif set(on.values()) == {"conv2"} and spec.anti_alias == "none":
        if spec.spatial and spec.spatial.pool:
            yield (
                f"A 3x3 average pool {spec.spatial.pool} the split attention does the "
                "striding."
            )
        else:
            first = next(iter(on))
            where = _second(network.stages[first.index].blocks[first.nth])
            version = "" if spec.preact else " (v1.5)"  # for those are called v2
            yield f"The stride sits on the {where}{version}."
    elif "conv1" in on.values():
        places = _places((stage for stage, at in on.items() if at == "conv1"), ", ")
        yield (
            f"The stride sits on the first 1x1 convolution (v1) in stage {places} and on the "
            "3x3 (v1.5) elsewhere."
        )


def _numbers(stages: Iterable[StagePlan]) -> str:
    return " and ".join(dict.fromkeys(str(stage.index + 1) for stage in stages))


def _places(stages: Iterable[StagePlan], between: str = " and ") -> str:
    """The stages by number, each with its block where a list says them one by one."""
    return between.join(
        f"{stage.index + 1}" + f" (block {stage.nth + 1})" * stage.by_block
        for stage in stages
    )


def _second(block: Block) -> str:
    """What a bottleneck has after its first 1x1, as its docstring calls it."""
    nouns = [op.noun for op in block.body if op.noun]
    return f"{nouns[1]} convolution" if nouns[1] == "3x3" else nouns[1]


def _smoothing(spec: Spec, stages: Stages) -> Iterator[str]:
    how = {"avg": "an average pool", "blur": "a blur"}.get(
        spec.anti_alias.removesuffix("_floor")
    )
    striding = [stage for stage in stages if stage.stride != 1]
    smooth = [stage for stage in striding if "anti_alias" in stage.reads]
    if how and smooth:
        layer = "3x3 in bands" if spec.spatial else "3x3 convolution"
        said = f"The {layer} itself keeps the size, and {how} after it strides"
        where = f", in stage {_places(smooth, ', ')}" * (smooth != striding)
        yield f"{said}{where}."


def _dilations(spec: Spec, stages: Stages) -> Iterator[str]:
    """Where dilation starts; published code disagrees on it, and its weights load."""
    stages = [stage for stage in stages if not stage.nth]
    anew = [stage for stage in stages if stage.dilates_anew]
    own = any(isinstance(stage.block, OwnBlock) for stage in anew)
    what = "dilated" if own else "3x3"
    if anew and spec.dilation_from == "previous":
        lists = any(len({*s.dilations}) > 1 or s.by_block for s in stages)
        of = f"stage {_numbers(anew)}" if lists else "a stage"
        yield (
            f"The first {what} convolution of {of} keeps the dilation of the stage before."
        )
    elif anew:
        yield (
            f"Every {what} convolution of a stage has the dilation of that stage; weights from "
            "code whose first one keeps that of the stage before also load, and give other "
            "outputs."
        )
    for stage in stages:
        if len({*stage.dilations}) > 1:
            said = together(map(str, stage.dilations))
            yield f"The blocks of stage {stage.index + 1} have dilations of {said}."


# --- whose weights load ---------------------------------------------------------------------


class Known(NamedTuple):
    """A network of torchvision's, as `resnet-spec digest` prints it, or one that ships."""

    name: str
    params: str
    layout: str
    function: str
    training: str = ""


@cache
def _known(table: Path) -> list[Known]:
    lines = table.read_text(encoding="utf-8").splitlines()
    return [Known(*line.split()[: len(Known._fields)]) for line in lines[1:]]


def _weights(network: Network) -> Iterator[str]:
    """What becomes of the weights of others, where they load."""
    theirs = _alike(network, TORCHVISION)
    others = [f"torchvision's {known.name}" for known in theirs]
    for known in theirs:
        if known.function != network.digests.function:
            continue
        others.remove(f"torchvision's {known.name}")
        if known.training == network.digests.training:
            yield (
                "Parameters carry torchvision's names and order, so checkpoints of its "
                f"{known.name} load unchanged."
            )
    said = {known.name for known in theirs}
    for known in _alike(network, ALIKE):
        if known.function != network.digests.function and known.name not in said:
            others.append(known.name)
    if others:
        yield (
            f"Weights of {together(others)} have the same names and shapes: they load here "
            "without an error and give other outputs."
        )


def _alike(network: Network, table: Path) -> list[Known]:
    """Those of a table whose tensors have the names and shapes of the network's."""
    params = str(network.params)  # so that most networks need no digests
    found = [known for known in _known(table) if known.params == params]
    return [known for known in found if known.layout == network.digests.layout]
