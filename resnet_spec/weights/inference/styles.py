"""The norm and the activation that words stand for, block by block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from resnet_spec.weights.inference.blocks import Block
from resnet_spec.weights.naming.rules import COUNT, Shapes

Modules = Mapping[str, Shapes]
KINDS = ("ibn_a", "evonorm_s0", "frn", "batch", "frozen", "group")
"""What a norm may be, those first that have norms of the later kinds beside them."""


class Style(NamedTuple):
    """Those of a block, or of stem or head; empty where it has none."""

    norm: str = ""
    activation: str = ""


Styles = Sequence[Sequence[Style]]


def kind_of(own: Shapes) -> str:
    """The kind of a norm that has such tensors; `group` of all that have no others."""
    if "running_mean" in own:
        return "batch" if COUNT in own else "frozen"
    return "evonorm_s0" if "v" in own else "frn" if "tau" in own else "group"


def norms_in(modules: Modules) -> set[str]:
    """The kinds of those modules that are norms."""
    return {
        "ibn_a" if name.endswith(".BN") else kind_of(own)
        for name, own in modules.items()
        if len(own.get("weight", ())) == 1 and "bias" in own
    }


def norm_of(modules: Modules) -> str:
    """The kind of norm that the most telling module has; empty where there is none."""
    found = norms_in(modules)
    return next((kind for kind in KINDS if kind in found), "")


def own_norm(block: Block) -> str:
    """The norm of a block that is a word."""
    return norm_of(_below(block, "bn", "norm", "conv"))


def stem_norm(stage: Sequence[Block]) -> str:
    """The norm of a stem before such a first stage, as its tensors tell."""
    if any(block.has("IN") for block in stage):
        return "group"  # with a weight and a bias alone
    kind = own_norm(stage[0])
    return "batch" if kind == "ibn_a" else kind


def layers_norm(block: Block) -> str:
    """The norm inside of a layer in place of a 3x3, which has no other than the block's."""
    return norm_of(_below(block, "conv"))


def own_activation(block: Block) -> str:
    """`prelu` where that has weights in the block, else one that has none."""
    return "prelu" if _below(block, "prelu") else "relu"


def _below(block: Block, *tops: str) -> Modules:
    """The modules of a block whose outermost is called so, with a number or without one."""
    return {
        name: own
        for name, own in block.modules.items()
        if name.partition(".")[0].rstrip("0123456789") in tops
    }
