"""How the names of a library are made of ours: by stage, block, op, and what is beside them.

Names here are torchvision's wherever torchvision has the thing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import NamedTuple, Protocol

Table = Mapping[str, str]
"""Their path for ours, or for its beginning: the longest that fits is replaced.

`*` in ours stands for its first number, which theirs has in the same place.
"""
Shapes = Mapping[str, tuple[int, ...]]
"""Shapes of tensors by name, or by path outside of blocks or in one of them."""
Inside = Callable[[Shapes, int], Table]
"""The table of a block, of its tensors and the number of its stage, from 0."""
Outside = Callable[[Shapes, int], Table]
"""The table of what is outside of blocks, of that and how many stages there are."""

CLASSIFIER = "fc"
COUNT = "num_batches_tracked"
LONGEST = 40  # modules of one kind in a chain


class Shaped(Protocol):
    """A tensor, or what knows its shape."""

    @property
    def shape(self) -> tuple[int, ...]: ...


class Library(NamedTuple):
    """What a library calls things, which may depend on what there is beside them.

    `block` gives what the names of a block's tensors begin with, of stage and block from 0.
    `trunk` stands in front of all but the classifier, in networks that have one. `classifiers`
    are the names of the classifier in its files, where it has several. Where `whole`, the
    tables have all that the library has, so that what is in none of them keeps our name.
    """

    block: Callable[[int, int], str] = lambda stage, block: f"layer{stage + 1}.{block}."
    inside: Inside = lambda paths, stage: {}
    outside: Outside = lambda paths, stages: {}
    trunk: str = ""
    classifiers: tuple[str, ...] = ()
    whole: bool = False

    @property
    def block_pattern(self) -> re.Pattern[str]:
        """What the names of any block's tensors begin with."""
        return _pattern(self.block(*ANY))

    def place(self, name: str) -> tuple[int, int, str] | None:
        """The stage and the block that a name lies in, from 0, and the rest of it.

        >>> Library(lambda stage, block: f"res{stage + 2}_{block}_").place("res4_22_branch1_w")
        (2, 22, 'branch1_w')
        """
        top = self.block_pattern.match(name)
        if not top:
            return None
        supposed = map(int, NUMBER.findall(self.block(*ANY)))
        stage, block = 0, 0
        for number, one in zip(NUMBER.findall(top.group()), supposed, strict=True):
            if one < ANY[1]:
                stage = int(number) - one + ANY[0]
            else:
                block = int(number) - one + ANY[1]
        if min(stage, block) < 0 or self.block(stage, block) != top.group():
            return None
        return stage, block, name[top.end() :]


ANY = (1000, 5000)  # a stage and a block, in place of which any numbers may stand
NUMBER = re.compile("[0-9]+")


@cache
def _pattern(one: str) -> re.Pattern[str]:
    """
    >>> _pattern("res1002_5000_").match("res4_22_branch2a_w").group()
    'res4_22_'
    """
    return re.compile(re.sub("[15]00[0-9]", "[0-9]+", re.escape(one)))


class Place(NamedTuple):
    """Where a tensor is: in which block of which stage, both from 0, or outside of those."""

    block: tuple[int, int] | None
    path: str


class Parts(NamedTuple):
    """Our tensors by place; blocks of one stage with the same tensors share a kind."""

    shapes: Shapes  # by name
    places: Mapping[str, Place]
    outside: Shapes
    kinds: tuple[tuple[int, Shapes], ...]  # each with its stage
    kind: Mapping[tuple[int, int], int]  # of each block

    @property
    def stages(self) -> int:
        return max((stage + 1 for stage, _ in self.kind), default=0)


def parts(ours: Mapping[str, Shaped]) -> Parts:
    """Our tensors, taken apart; their order does not matter to what is made of them."""
    shapes = {name: tuple(tensor.shape) for name, tensor in ours.items()}
    places = {name: _place(name) for name in ours}
    outside: dict[str, tuple[int, ...]] = {}
    blocks: dict[tuple[int, int], dict[str, tuple[int, ...]]] = {}
    for name, (at, path) in places.items():
        paths = outside if at is None else blocks.setdefault(at, {})
        paths[path] = shapes[name]
    kinds: list[tuple[int, Shapes]] = []
    numbers: dict[tuple[object, ...], int] = {}
    kind = {}
    for (stage, block), found in blocks.items():
        key = (stage, *found.items())
        if key not in numbers:
            numbers[key] = len(kinds)
            kinds.append((stage, found))
        kind[stage, block] = numbers[key]
    return Parts(shapes, places, outside, tuple(kinds), kind)


def _place(name: str) -> Place:
    """
    >>> _place("layer2.0.conv1.weight"), _place("fc.bias")
    (Place(block=(1, 0), path='conv1.weight'), Place(block=None, path='fc.bias'))
    """
    stage, _, inside = name.partition(".")
    block, _, path = inside.partition(".")
    number = stage.removeprefix("layer")
    if number != stage and number.isdigit() and block.isdigit():
        return Place((int(number) - 1, int(block)), path)
    return Place(None, name)


class Calling:
    """What a library calls our tensors, each kind of block looked at when it is asked for."""

    def __init__(self, of: Parts, library: Library) -> None:
        self.of, self.library = of, library
        table = library.outside(of.outside, of.stages)
        self.outside = renamed(of.outside, table)
        """Their path for ours outside of blocks, None for want of a name."""
        self._inside: dict[int, dict[str, str | None]] = {}

    @property
    def trunk(self) -> str:
        """What stands in front of all but the classifier."""
        return self.library.trunk if any(map(classifies, self.outside)) else ""

    @property
    def own(self) -> list[str]:
        """Our tensors that keep our names, for want of theirs."""
        return [name for name in self.of.places if self._path(name) is None]

    def theirs(self, trunk: str) -> dict[str, str]:
        """Their names for our tensors, in our order, with that in front of the trunk's."""
        tops = {block: trunk + self.library.block(*block) for block in self.of.kind}
        inside = {block: self._paths(kind) for block, kind in self.of.kind.items()}
        outside = self.outside
        found = {}
        for name, (block, path) in self.of.places.items():
            if block is None:
                top = "" if classifies(path) else trunk
                found[name] = top + (outside[path] or path)
            else:
                found[name] = tops[block] + (inside[block][path] or path)
        return found

    def name(self, ours: str) -> str:
        """Their name for one of our tensors, without what stands in front of the trunk."""
        block, path = self.of.places[ours]
        top = "" if block is None else self.library.block(*block)
        return top + (self._path(ours) or path)

    def _path(self, name: str) -> str | None:
        block, path = self.of.places[name]
        if block is None:
            return self.outside[path]
        return self._paths(self.of.kind[block])[path]

    def _paths(self, kind: int) -> dict[str, str | None]:
        """Their path for ours in a kind of block."""
        if kind not in self._inside:
            stage, paths = self.of.kinds[kind]
            table = self.library.inside(paths, stage)
            self._inside[kind] = renamed(paths, table)
        return self._inside[kind]


def classifies(name: str) -> bool:
    """Whether a tensor is the classifier's."""
    return name.partition(".")[0] == CLASSIFIER


def renamed(paths: Iterable[str], table: Table) -> dict[str, str | None]:
    """Their path for each of ours, those of tensors; None where the table has nothing for it.

    >>> table = {"bn1": "norm1", "bands.*.0": "convs.*"}
    >>> renamed(["bn1.weight", "bands.2.0.weight", "se.bias"], table)
    {'bn1.weight': 'norm1.weight', 'bands.2.0.weight': 'convs.2.weight', 'se.bias': None}
    """
    modules: dict[str, str | None] = {}
    found = {}
    for path in paths:
        theirs = table.get(path)
        if theirs is None:
            module, _, last = path.rpartition(".")
            if module not in modules:
                modules[module] = _renamed(module, table)
            top = modules[module]
            theirs = None if top is None else f"{top}.{last}"
        found[path] = theirs
    return found


def _renamed(module: str, table: Table) -> str | None:
    words = module.split(".")
    number = next((word for word in words if word.isdigit()), "")
    starred = [*words]
    if number:
        starred[words.index(number)] = "*"
    for end in range(len(words), 0, -1):
        theirs = table.get(".".join(words[:end]))
        if theirs is None and number:
            theirs = table.get(".".join(starred[:end]))
        if theirs is not None:
            return ".".join([theirs.replace("*", number), *words[end:]])
    return None
