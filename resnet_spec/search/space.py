"""A space: a spec with choices in it, and the points that those make."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import product
from math import prod
from pathlib import Path

from pydantic import ValidationError

from resnet_spec.language.fields import Spec
from resnet_spec.language.parsing import generated, parse
from resnet_spec.language.reading import changed, read
from resnet_spec.language.rules.stages import MOST_BLOCKS
from resnet_spec.language.shipped import spec_path
from resnet_spec.language.source import Source
from resnet_spec.language.yaml_nodes import Node
from resnet_spec.problems import Place, Problem, SpecError
from resnet_spec.search.choices import Axis, Choice, choices_of
from resnet_spec.search.ranges import Range, ranges_of

Digits = tuple[int, ...]
"""A point: which alternative is taken of each axis, the last of which turns fastest."""

MOST_POINTS = 10**8  # that are walked: a quarter of an hour
LISTS = ("depths", "widths", "strides")  # whose lists are always of stages


class Space:
    """What all its networks are, what is chosen, and what is expected of each."""

    def __init__(
        self,
        file: Path,
        base: Source,
        choices: Sequence[Choice],
        expect: Sequence[Range] = (),
    ) -> None:
        self.file = file
        self.base, self.choices, self.expect = base, tuple(choices), tuple(expect)
        self.axes: tuple[Axis, ...] = tuple(a for c in choices for a in c.axes)
        self.sizes = tuple(len(axis.alternatives) for axis in self.axes)
        self.count = prod(self.sizes)

    @property
    def place(self) -> Place:
        return self.choices[0].place

    def points(self) -> Iterator[tuple[int, Digits]]:
        """All points by number, from 0 on. Raises SpecError where those are too many."""
        if self.count > MOST_POINTS:
            message = (
                f"makes {self.count:,} points, and at most {MOST_POINTS:,} are walked; "
                "`--sample N` takes some of them"
            )
            raise SpecError(Problem("choices", message, ("choices",), self.place))
        return enumerate(product(*map(range, self.sizes)))

    def sample(self, count: int, seed: int) -> Iterator[tuple[int, Digits]]:
        """So many of the points, each once, in order; all where there are no more."""
        if count >= self.count:
            yield from self.points()
            return
        draw = random.Random(seed)
        found: set[int] = set()
        while len(found) < count:
            found.add(draw.randrange(self.count))
        yield from ((number, self.digits(number)) for number in sorted(found))

    def digits(self, number: int) -> Digits:
        """The point of that number."""
        found = []
        for size in reversed(self.sizes):
            number, digit = divmod(number, size)
            found.append(digit)
        return tuple(reversed(found))

    def values(self, digits: Digits) -> dict[str, Node]:
        """What a point has in each field that is chosen; null for what it lacks."""
        found: dict[str, Node] = {}
        at = 0
        for choice in self.choices:
            found |= choice.values(digits[at : at + len(choice.axes)])
            at += len(choice.axes)
        return found

    def source(self, digits: Digits) -> Source:
        """The spec of a point, with its lists."""
        root = changed(self.base.root, self.values(digits))
        return generated(self.base._replace(root=root))

    @cached_property
    def depths(self) -> tuple[int, ...]:
        """Those of the first point."""
        node: Node = self.source((0,) * len(self.sizes)).root.value["depths"]
        return tuple(node.data)


def space_of(file: str | os.PathLike[str]) -> Space:
    """The space that a file says. Raises SpecError with what is wrong with it, placed."""
    path = spec_path(file)
    source = read(path)
    root, inner = source.root, dict(source.root.value)
    chosen, expect = inner.pop("choices", None), inner.pop("expect", None)
    if source.problems:
        raise source.refuse()
    if chosen is None:
        message = (
            "has no choices, so it is one network and no space; write choices, as "
            "{widths: {each: [16, 32]}}"
        )
        raise SpecError(Problem("choices", message, place=root.place))
    base = source._replace(root=root._replace(value=inner))
    choices = choices_of(chosen, _stages(generated(base).root, chosen))
    _said_once(base.root, choices)
    space = Space(path, base, choices, ranges_of(expect) if expect else ())
    _check(space)
    return space


def _stages(root: Node, chosen: Node) -> int | None:
    """How many stages the networks have: the entries of a list that is chosen or written."""
    said = chosen.value if isinstance(chosen.value, dict) else {}
    for field in LISTS:
        lists = _lists(said[field]) if field in said else []
        written = root.value.get(field)
        if not lists and written and isinstance(written.value, list):
            lists = [written]
        if len(counts := {len(each.value) for each in lists}) == 1:
            return counts.pop()
    return None


def _lists(chosen: Node) -> list[Node]:
    """The lists of stages in what stands under a field that is chosen."""
    inner = chosen.value if isinstance(chosen.value, list) else []
    if isinstance(chosen.value, dict):
        inner = [chosen.value[k] for k in ("stages", "times") if k in chosen.value]
    return [node for node in inner if isinstance(node.value, list)]


def _said_once(root: Node, choices: Sequence[Choice]) -> None:
    """Refuses a field that the same file chooses and says."""
    nodes = dict(root.walk())
    for choice in choices:
        for field in choice.fields:
            node = nodes.get(tuple(field.split(".")))
            if node and node.place.file == choice.place.file:
                message = "is chosen under `choices`, so remove it here"
                path = tuple(field.split("."))
                problem = Problem("said-twice", message, path, node.key)
                raise SpecError(problem)


def _check(space: Space) -> None:
    """Refuses what is wrong whatever is chosen, and more blocks than can be built."""
    source = space.source((0,) * len(space.sizes))
    if source.problems:
        raise source.refuse()
    try:
        Spec.model_validate(source.root.data)
    except ValidationError:
        parse(source)
    if (most := _most_blocks(space)) > MOST_BLOCKS:
        message = (
            f"depths add up to {most:,} blocks; at most {MOST_BLOCKS:,} can be built"
        )
        raise SpecError(Problem("choices", message, ("choices",), space.place))


def _most_blocks(space: Space) -> int:
    """Blocks of the deepest point."""
    found = 0
    for choice in space.choices:
        if "depths" in choice.fields:
            at = choice.fields.index("depths")
            each = [[values[at].data for values in a.alternatives] for a in choice.axes]
            found = sum(
                max(sum(d) if isinstance(d, list) else d for d in one) for one in each
            )
    return found
