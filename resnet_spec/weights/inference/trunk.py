"""Where in a file a network may be, and what its tensors are called here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from resnet_spec.weights.naming import NAMINGS, possessive
from resnet_spec.weights.naming.back import back
from resnet_spec.weights.naming.rules import Library, Shapes
from resnet_spec.weights.wrappers import WANTED

SHARE = 0.2  # of a file's tensors, that a network has at least
TOPS = re.compile(
    r"layer\d+$|(conv|bn|norm|prelu|bias|multiplier)\d*$|(final|hidden|pool|attnpool|IN|fc)$"
)
"""What the modules of our networks are called."""
INSIDE = re.compile(r"(^|\.)(layers?\d*|stages?|blocks?|res\d|s\d|\d+)$")
"""Modules that are parts of a network, and none whole."""
UNCOUNTED = "caffe2"
HEADS = ("attnpool", "fc")


class Place(NamedTuple):
    """How a network is called, where it is, and whether a head was left out."""

    naming: str
    prefix: str
    headless: bool


class Trunk(NamedTuple):
    """A network in a file, as one naming has it: its tensors' shapes, by our names.

    `names` are the file's for those, `beside` the modules of the file that are no part of it.
    """

    naming: str
    prefix: str
    shapes: Shapes
    names: Mapping[str, str] = {}
    beside: tuple[str, ...] = ()
    headless: bool = False  # a head that is called as ours may be was left out

    @property
    def counted(self) -> bool:
        """Whether its names could tell that there are counts of batches."""
        return not self.naming.startswith(UNCOUNTED)

    def place(self) -> Place:
        return Place(self.naming, self.prefix, self.headless)

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
        headless: list[Trunk] = []
        for each in [naming] if naming else ORDER:
            for trunk in _of(theirs, each, top):
                yield trunk
                headless += _without_head(trunk)
        yield from headless


def _of(theirs: Shapes, naming: str, top: str) -> Iterator[Trunk]:
    """The readings of what is below there by one naming."""
    below = {n.removeprefix(top): s for n, s in theirs.items() if n.startswith(top)}
    for names in back(below, naming):
        shapes = {our: below[their] for their, our in names.items()}
        kept = _kept(shapes)
        if any(name.startswith("layer") for name in kept):
            taken = {our: top + their for their, our in names.items() if our in kept}
            known = {*taken.values()}
            beside = [name for name in theirs if name not in known]
            yield Trunk(naming, top, kept, taken, _modules(beside, top))


def _modules(names: list[str], top: str) -> tuple[str, ...]:
    """The outermost modules of names, below what stands in front of the network's."""
    short = (
        name.removeprefix(top).partition(".")[0]
        if top and name.startswith(top)
        else name.partition(".")[0]
        for name in names
    )
    return (*dict.fromkeys(short),)


# What is a table answers at once whether it has such names.
ORDER = sorted(NAMINGS, key=lambda each: not isinstance(NAMINGS[each], Library))


def _kept(shapes: Shapes) -> Shapes:
    """The network without what none of ours has."""
    classifier = "fc.weight" in shapes

    def stays(name: str) -> bool:
        first = name.partition(".")[0]
        named = name in ("fc.weight", "fc.bias")
        return bool(TOPS.match(first)) and (first != "fc" or (named and classifier))

    return {name: shape for name, shape in shapes.items() if stays(name)}


def _without_head(trunk: Trunk) -> Iterator[Trunk]:
    """The same where what is called as a head of ours may be another."""
    bare = {n: s for n, s in trunk.shapes.items() if n.partition(".")[0] not in HEADS}
    beside = (*trunk.beside, HEADS[0])
    if any(name.startswith(HEADS[0]) for name in trunk.shapes):
        yield trunk._replace(shapes=bare, beside=beside, headless=True)


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
    return WANTED.isdisjoint(top.split("."))
