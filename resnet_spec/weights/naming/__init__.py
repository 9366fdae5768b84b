"""What other libraries call the tensors of a network, by what each tensor is: its stage, its
block, and the op in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from resnet_spec.weights.naming import caffe2, libraries, timm
from resnet_spec.weights.naming.rules import (
    Calling,
    Library,
    Parts,
    Shaped,
    Shapes,
    parts,
)

__all__ = [
    "NAMINGS",
    "NamingError",
    "called",
    "fitting",
    "names",
    "possessive",
    "unsaid",
]

NAMINGS: dict[str, Library | Callable[[Shapes], Library]] = {
    "torchvision": libraries.TORCHVISION,
    "timm": timm.timm,
    "timm-senet": timm.timm_senet,
    "timm-regnet": timm.timm_regnet,
    "timm-byobnet": timm.timm_byobnet,
    "timm-tresnet": timm.timm_tresnet,
    "torchvision-regnet": libraries.torchvision_regnet,
    "tutorial": libraries.tutorial,
    "kuangliu": libraries.KUANGLIU,
    "transformers": libraries.TRANSFORMERS,
    "mmpretrain": libraries.MMPRETRAIN,
    "mmdet": libraries.MMDET,
    "detectron2": libraries.DETECTRON2,
    "caffe2": caffe2.CAFFE2,
    "caffe2-spelt-out": caffe2.CAFFE2_SPELT_OUT,
    "pycls": libraries.PYCLS,
    "clip": libraries.CLIP,
    "fastai": libraries.FASTAI,
    "children": libraries.CHILDREN,
    "children-without-pool": libraries.CHILDREN_WITHOUT_POOL,
}
"""Each library's names, or what gives them for the tensors that there are."""


def possessive(naming: str) -> str:
    """
    >>> possessive("timm"), possessive("transformers"), possessive("children")
    ("timm's", "transformers'", "Sequential's")
    """
    said = SAID.get(naming, naming)
    return f"{said}'" if said.endswith("s") else f"{said}'s"


SAID = {
    "children": "Sequential",
    "children-without-pool": "Sequential",
    "caffe2": "Caffe2",
    "caffe2-spelt-out": "Caffe2",
    "clip": "CLIP",
    "tutorial": "a tutorial",
    "kuangliu": "pytorch-cifar",
}
"""Whose names they are, where it is not the naming's own word."""


class NamingError(ValueError):
    """Two tensors that a library would call the same."""


def names(ours: Mapping[str, Shaped], naming: str) -> dict[str, str]:
    """Their name for each of our tensors' names, all different, in our order.

    Which tensors there are and their shapes tell what kind of network it is, so their order
    does not matter. What the library has no name for is called as we call it, in the block
    where the library has it; see `unsaid`. Raises KeyError for a naming that is not in
    NAMINGS, NamingError where two names would be one.

    >>> from resnet_spec import load
    >>> resnet18 = dict(load("resnet18").network.tensors())
    >>> names(resnet18, "transformers")["layer2.0.downsample.1.bias"]
    'resnet.encoder.stages.1.layers.0.shortcut.normalization.bias'
    """
    made = called(parts(ours), naming)
    theirs = made.theirs(made.trunk)
    if len({*theirs.values()}) < len(theirs):
        counts = Counter(theirs.values())
        one, other = [name for name, their in theirs.items() if counts[their] > 1][:2]
        raise NamingError(f"{naming} has one name for both {one} and {other}")
    return theirs


def unsaid(ours: Mapping[str, Shaped], naming: str) -> list[str]:
    """Those of our tensors for which the library has no name, so that it cannot read them.

    None for namings whose tables have only what differs from ours: timm's, torchvision's
    RegNets' and the tutorials'.

    >>> from resnet_spec import load
    >>> seresnet18 = dict(load("seresnet18").network.tensors())
    >>> unsaid(seresnet18, "detectron2")[0]
    'layer1.0.se.fc1.weight'
    """
    made = called(parts(ours), naming)
    return made.own if made.library.whole else []


def called(found: Parts, naming: str) -> Calling:
    """What the library calls tensors that were taken apart before."""
    return Calling(found, _library(found, naming))


def _library(found: Parts, naming: str) -> Library:
    library = NAMINGS[naming]
    if isinstance(library, Library):
        return library
    return library(found.shapes)


def fitting(
    ours: Mapping[str, Shaped],
    theirs: Iterable[str],
    asked: Callable[[str, str], bool] = lambda our, their: True,
) -> str | None:
    """The naming that maps those of our tensors that are asked for onto exactly theirs.

    None where there is none; `asked` takes our name and theirs.
    """
    wanted = set(theirs)
    for naming in NAMINGS:
        try:
            pairs = names(ours, naming).items()
        except NamingError:
            continue
        if {their for our, their in pairs if asked(our, their)} == wanted:
            return naming
    return None
