"""Rules of the head: what its hidden layers can read, and what only a linear one refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from resnet_spec.catalog import WHOLE_POOLS
from resnet_spec.language.plan import Plan
from resnet_spec.problems import Problem, write
from resnet_spec.problems.words import either

REFUSING = (*WHOLE_POOLS, "attention")  # a map of another size, or reading any


def other_maps_are_refused(plan: Plan) -> Iterator[Problem]:
    """Where each pixel counts, a map of another size must not pass in silence."""
    pool, classes = _known(plan, "pool"), _known(plan, "classes")
    if pool is None or classes != "none" or _layers(plan) or pool in REFUSING:
        return
    message = (
        f"must be {either(REFUSING)} with `head.classes: none`; only a linear layer, in "
        "head.hidden or as classifier, refuses a map of another size"
    )
    path, others = ("head", "pool"), (("head", "classes"),)
    proposals = write(path, *REFUSING)
    yield Problem("not-together", message, path, others=others, proposals=proposals)


def a_convolution_reads_a_map(plan: Plan) -> Iterator[Problem]:
    convolves = plan.reads("head.classifier") and _known(plan, "classifier") == "conv"
    if convolves and _layers(plan):
        message = (
            "must have no linear layer with `head.classifier: conv`, which reads a map; "
            "linear reads what a linear layer gives"
        )
        others = (("head", "classifier"),)
        yield Problem(
            "not-together",
            message,
            ("head", "hidden"),
            others=others,
            proposals=write(others[0], "linear"),
        )


def _layers(plan: Plan) -> bool:
    """Whether linear layers are hidden in the head."""
    return any(isinstance(item, int) for item in _known(plan, "hidden") or ())


def _known(plan: Plan, key: str) -> Any:
    return plan.blocks[-1].known(f"head.{key}")
