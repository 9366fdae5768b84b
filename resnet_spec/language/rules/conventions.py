"""Choices that published code makes in two ways without a word: said where they matter.

A default would be a guess at whose code is meant, and weights of the other kind would load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from resnet_spec.catalog import CATALOG, STEMS
from resnet_spec.language.plan import Plan, StagePlan
from resnet_spec.language.rules.choices import unused
from resnet_spec.problems import FieldPath, Problem, write


class Convention(NamedTuple):
    """In which stages it matters, in words too, who has which, and the fields to look at."""

    matters: Callable[[StagePlan], bool]
    where: str
    who: str
    others: tuple[FieldPath, ...]


STEM_WORDS = tuple(word for word in STEMS if word != "none")
CONVENTIONS: dict[str, Convention] = {
    "dilation_from": Convention(
        lambda stage: stage.dilates_anew,
        "a stage with one dilation, and another than the stage before,",
        "previous in torchvision and timm, own in detectron2, PSPNet, "
        "segmentation_models_pytorch and OpenMMLab's bottlenecks",
        (("dilations",),),
    ),
    "preact.shortcut": Convention(
        lambda stage: stage.preact and (stage.projects or stage.adds_pre),
        "a pre-activation block whose shortcut is more than the identity",
        "activated in timm, hysts' and kuangliu's code, raw in bearpaw's and weiaicunzai's",
        (("shortcut",), ("strides",), ("widths",), ("preact",)),
    ),
    "preact.first": Convention(
        lambda stage: stage.preact and stage.keeps and not stage.adds_pre,
        "a pre-activation stage whose first shortcut is the identity",
        "own in timm and kuangliu's code, shared in hysts'",
        (("shortcut",), ("strides",), ("widths",), ("preact",)),
    ),
    "preact.stem_norm": Convention(
        lambda stage: bool(stage.spec.preact) and stage.spec.stem.type in STEM_WORDS,
        "a stem that is a word, before pre-activation blocks,",
        "false in timm and bearpaw's code, true in those of pytorchcv and "
        "fb.resnet.torch for ImageNet",
        (("stem",), ("preact",)),
    ),
    "preact.final_norm": Convention(
        lambda stage: bool(stage.spec.preact),
        "a pre-activation network",
        "true in timm, false in kuangliu's code",
        (("preact",),),
    ),
}


def matter(plan: Plan) -> set[str]:
    """The conventions that a network has to be asked for."""
    return {
        field
        for field, convention in CONVENTIONS.items()
        if any(map(convention.matters, plan.blocks))
    }


def are_said_where_they_matter(plan: Plan) -> Iterator[Problem]:
    """Missing where published code disagrees, and unused where it could not."""
    asked = matter(plan)
    for field, convention in CONVENTIONS.items():
        path, others = tuple(field.split(".")), convention.others
        written = plan.stages[0].value(field) is not None
        if field in asked and not written:
            why = f"is missing; published code disagrees: {convention.who}"
            words = write(path, *CATALOG.get(field, (False, True)))
            yield Problem("missing", why, path, others=others, proposals=words)
        elif written and field not in asked:
            why = f"changes nothing here; only {convention.where} reads it"
            yield unused(why, field, others)
