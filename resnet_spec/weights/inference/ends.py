"""Stem and head, read off the shapes of the tensors that lie outside of blocks."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_spec.weights.inference.blocks import Block, UnreadableError
from resnet_spec.weights.inference.heads import Head, head
from resnet_spec.weights.inference.pieces import bounded
from resnet_spec.weights.inference.stems import Stem, stem
from resnet_spec.weights.inference.styles import Modules

Ends = tuple[Stem, Head]


def ends(outside: Modules, stages: Sequence[Sequence[Block]]) -> list[Ends]:
    """Stem and head around such stages, the likeliest first.

    Slopes of a head's activation are called as those of a stem. Raises UnreadableError where
    the ops before the first block have no order, or features are no pixels.
    """
    slopes = [name for name in outside if name.rstrip("0123456789") == "prelu"]
    last = max(slopes, key=lambda name: bounded(name[5:] or "1"), default="")
    found: list[Ends] = []
    refused: list[UnreadableError] = []
    for left in ("", last) if last and "norm" in outside else ("",):
        own = {name: tensors for name, tensors in outside.items() if name != left}
        try:
            before = stem(own, stages[0])
            found.append((before, head(outside, stages[-1][-1], bool(left))))
        except UnreadableError as error:
            refused.append(error)
    if not found:
        raise refused[0]
    return found
