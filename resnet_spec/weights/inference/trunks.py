"""Where in a file a network may be, and what its tensors are called here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from resnet_spec.weights.naming import NAMINGS, possessive
from resnet_spec.weights.naming.back import back
from resnet_spec.weights.naming.rules import Library, Shapes
from resnet_spec.weights.recognition import FIRST, WANTED

SHARE = 0.2  # of a file's tensors, that a network has at least
TOPS = re.compile(
    r"layer\d+$|(conv|bn|norm|bias|multiplier)\d*$|(final|hidden|pool|attnpool|prelu|IN|fc)$"
)
"""What the modules of our networks are called."""
INSIDE = re.compile(r"(^|\.)(layers?\d*|stages?|blocks?|res\d|s\d|\d+)$")
"""Modules that are parts of a network, and none whole."""
HEADS = ("attnpool", "hidden")


class Trunk(NamedTuple):
    """A network in a file, as one naming has it: its tensors' shapes, by our names."""

    naming: str
    prefix: str
    shapes: Shapes

    def __str__(self) -> str:
        """`transformers' names below model`"""
        below = f" below {self.prefix.rstrip('.')}" * bool(self.prefix)
        return f"{possessive(self.naming)} names{below}"


def trunks(
    theirs: Shapes, naming: str | None = None, prefix: str | None = None
) -> Iterator[Trunk]:
    """All that might be one, those below the least first, and of one place the usual first.

    What no network of ours has is left out of it, as heads of another kind.
    """
    tops = [f"{prefix.rstrip('.')}." if prefix else ""] if prefix is not None else []
    for top in tops or prefixes(theirs):
        below = {
            name.removeprefix(top): tuple(shape)
            for name, shape in theirs.items()
            if name.startswith(top)
        }
        for each in [naming] if naming else ORDER:
            for names in back(below, each):
                yield from _kept(each, top, {n: below[t] for t, n in names.items()})


# What is a table answers at once whether it has such names.
ORDER = sorted(NAMINGS, key=lambda each: not isinstance(NAMINGS[each], Library))


def _kept(naming: str, top: str, shapes: Shapes) -> Iterator[Trunk]:
    """The network without what is beside it, and then without what may be a head besides."""
    classifier = "fc.weight" in shapes

    def stays(name: str) -> bool:
        first = name.partition(".")[0]
        named = name in ("fc.weight", "fc.bias")
        return bool(TOPS.match(first)) and (first != "fc" or (named and classifier))

    kept = {name: shape for name, shape in shapes.items() if stays(name)}
    if any(name.startswith("layer") for name in kept):
        yield Trunk(naming, top, kept)
        bare = {n: s for n, s in kept.items() if n.partition(".")[0] not in HEADS}
        if len(bare) < len(kept):
            yield Trunk(naming, top, bare)


def prefixes(theirs: Shapes) -> list[str]:
    """What may stand in front of a network's names, the shortest first.

    Of several networks, the one that people mostly want is first.
    """
    counts: Counter[str] = Counter()
    for name in theirs:
        words = name.split(".")
        for end in range(1, len(words) - 2):
            counts[".".join(words[:end])] += 1
    least = SHARE * len(theirs)
    found = [top for top, count in counts.items() if count >= least]
    found = [top for top in found if not INSIDE.search(top) or _is_alone(top, counts)]
    ordered = sorted(found, key=lambda top: (top.count("."), _wanted(top), top))
    return ["", *(f"{top}." for top in ordered)]


def _is_alone(top: str, counts: Counter[str]) -> bool:
    """Whether a numbered module has blocks in it, as `encoder.0` of a Sequential may."""
    return top[-1].isdigit() and any(
        re.match(rf"{re.escape(top)}\.(layer\d|stages|res\d|s\d)", each)
        for each in counts
    )


def _wanted(top: str) -> bool:
    return all(WANTED.get(word) != FIRST for word in top.split("."))
