"""What the points of a space cost: sums over the parts of each, every part lowered once.

What a stage costs depends on what it reads and on its own entries. What is lawful depends on
numbers of channels from one stage to the next alone, and on all else as a whole. So a point of
which every part has been seen in some network, and whose words have been seen together, is
not lowered again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from resnet_spec.compiler import lowered
from resnet_spec.expansion import (
    Total,
    expand,
    expand_block,
    expand_chain,
    total,
)
from resnet_spec.language.plan import PER_STAGE, Plan, StagePlan, by_stage, written
from resnet_spec.language.rules.conventions import CONVENTIONS
from resnet_spec.network import Block, Chain, Network, Shape, Stage
from resnet_spec.problems import Problem, SpecError
from resnet_spec.search.axes import (
    Getter,
    counts,
    depths_of,
    getter,
    have_same_stages,
    is_entry,
    room,
    touching,
)
from resnet_spec.search.space import Digits, Space


class Part(NamedTuple):
    """What a part gives, a number for what others may ask of it, its costs, and those of a
    block more."""

    output: tuple[int, ...]
    mark: int
    costs: Total
    more: Total = Total()


LOCAL = frozenset(
    ("groups-divide", "whole-groups", "reduce-first", "channels-dropped", "odd-zeros")
)
"""The rules that a stage breaks by itself, or beside the one before it."""
BY_DEPTH = frozenset(("stage-count", "pruned-blocks", "block-count"))
"""The rules that ask how deep a stage is, beyond whether a block follows its first."""


class Costs:
    """The costs of points of a space, and how many networks were lowered to know them."""

    def __init__(self, space: Space) -> None:
        self.space, self.lowered = space, 0
        self.refused: dict[Any, Problem] = {}
        self.verdicts: dict[Any, Problem | None] = {}
        self.marks: dict[Any, int] = {}
        self.stem: dict[Any, Part] = {}
        self.head: dict[Any, Part] = {}
        axes = space.axes
        self.by_stage = have_same_stages(axes)
        count = len(space.depths)
        whole = touching(axes, lambda field: room(field) == "all")
        own = [touching(axes, is_entry, i) for i in range(count)]
        stem = touching(axes, lambda field: room(field) == "stem")
        head = touching(axes, lambda field: room(field) == "head")
        spaced = touching(axes, lambda field: field == "dilations")
        self.of_stem = getter(whole | stem | own[0])
        self.of_head = getter(whole | head | own[-1])
        self.of_words = getter(i for i, axis in enumerate(axes) if not counts(axis))
        self.but_depths = getter(
            i for i, a in enumerate(axes) if a.fields != ("depths",)
        )
        self.stages = tuple(
            _Stage(
                *depths_of(axes, space.depths, i),
                getter(whole | own[i] | (own[i - 1] & spaced if i else set())),
                getter(whole | own[i] | (own[i - 1] if i else stem)),
            )
            for i in range(count)
        )

    def of(self, digits: Digits) -> Total | Problem:
        """What a point costs, or why it is no network."""
        if not self.by_stage:
            return self._lowered(digits)
        part = self.stem.get(self.of_stem(digits))
        if part is None:
            return self._learned(digits)
        x, _, (params, macs, activations), _ = part
        marks = []
        for stage in self.stages:
            depth = stage.depths[digits[stage.axis]] if stage.listed else stage.depth
            deep = depth if stage.exact else depth > 1
            part = stage.known.get((x, deep, stage.reads(digits)))
            if part is None:
                return self._learned(digits)
            x, mark, (p, m, a), (more_p, more_m, more_a) = part
            more = depth - 1
            params += p + more * more_p
            macs += m + more * more_m
            activations += a + more * more_a
            marks.append(mark)
        part = self.head.get((x, self.of_head(digits)))
        if part is None:
            return self._learned(digits)
        p, m, a = part.costs
        words = (self.of_words(digits), *marks)
        if words not in self.verdicts:
            return self._learned(digits, words)
        if problem := self.verdicts[words]:
            return problem
        return Total(params + p, macs + m, activations + a)

    def _learned(self, digits: Digits, words: Any = None) -> Total | Problem:
        """The same of a point with a part that was not seen, or with words that were not."""
        rough = (
            self.but_depths(digits),
            *(s.depth_of(digits) > 1 for s in self.stages),
        )
        if problem := self.refused.get(rough):
            return problem
        for stage in self.stages:
            if problem := stage.broken.get(stage.sees(digits)):
                return problem
        source = self.space.source(digits)
        self.lowered += 1
        try:
            plan, network = lowered(source)
        except SpecError as error:
            first, *_ = error.problems
            if not any(problem.rule in BY_DEPTH for problem in error.problems):
                self.refused[rough] = first
            self._blame(digits, error.problems)
            if words:
                self.verdicts[words] = first
            return first
        self._keep(digits, plan, network)
        return self.of(digits)

    def _lowered(self, digits: Digits) -> Total | Problem:
        """The same by itself."""
        self.lowered += 1
        try:
            _, network = lowered(self.space.source(digits))
        except SpecError as error:
            return error.problems[0]
        return total(expand(network), {})

    def _blame(self, digits: Digits, problems: Iterable[Problem]) -> None:
        """Keep which stages have broken a rule by themselves."""
        for problem in problems:
            if problem.rule in LOCAL:
                for path in (problem.path, *problem.others):
                    stages = [part for part in path if isinstance(part, int)]
                    for stage in [self.stages[i] for i in stages[:1]]:
                        stage.broken[stage.sees(digits)] = problem

    def _keep(self, digits: Digits, plan: Plan, network: Network) -> None:
        """Keep what the parts of the network cost."""
        x = _sizes(network.stages[0].input)
        self.stem[self.of_stem(digits)] = Part(x, 0, _of(network.entry, network.image))
        marks = []
        for stage, said, made in zip(
            self.stages, plan.stages, network.stages, strict=True
        ):
            if not stage.exact and _is_listed(said, made):
                stage.exact = True
                stage.known.clear()
            marks.append(self._mark(said))
            key = (x, stage.deep(digits), stage.reads(digits))
            x = _sizes(made.output)
            if key not in stage.known:
                costs = _of_blocks(made.blocks if stage.exact else made.blocks[:1])
                more = _of_blocks(() if stage.exact else made.blocks[1:2])
                stage.known[key] = Part(x, marks[-1], costs, more)
        last = network.stages[-1].output
        self.head[x, self.of_head(digits)] = Part(x, 0, _of(network.head, last))
        self.verdicts[(self.of_words(digits), *marks)] = None

    def _mark(self, stage: StagePlan) -> int:
        """A number for what others may ask of a stage, beside its words."""
        asked = CONVENTIONS.values()
        facts = [(b.changes, *(one.matters(b) for one in asked)) for b in stage.blocks]
        return self.marks.setdefault((stage.depth > 1, *facts), len(self.marks))


class _Stage:
    """What is known of a stage, by what it reads, and how deep each alternative makes it."""

    def __init__(
        self, depth: int, axis: int, depths: Sequence[int], reads: Getter, sees: Getter
    ) -> None:
        self.depth, self.axis, self.depths = depth, axis, depths
        self.listed = bool(depths)
        self.reads, self.sees = reads, sees
        self.exact = False  # whether each depth is another stage
        self.known: dict[Any, Part] = {}
        self.broken: dict[Any, Problem] = {}

    def depth_of(self, digits: Digits) -> int:
        return self.depths[digits[self.axis]] if self.listed else self.depth

    def deep(self, digits: Digits) -> int:
        """The depth as far as it makes another stage: whether a block follows the first."""
        depth = self.depth_of(digits)
        return depth if self.exact else depth > 1


def _of(ops: Chain, x: Shape) -> Total:
    """What ops in a row cost."""
    return total(expand_chain(ops, x), {}) if ops else Total()


def _of_blocks(blocks: Iterable[Block]) -> Total:
    return Total.added(total(expand_block(block), {}) for block in blocks)


def _sizes(x: Shape) -> tuple[int, ...]:
    return tuple(map(int, x))


def _is_listed(stage: StagePlan, made: Stage) -> bool:
    """Whether the blocks behind the first are not all one, or are said one by one."""
    if made.repeat is None:
        return True
    each = (written(stage.spec, field) for field in PER_STAGE)
    return any(by_stage(value) and by_stage(value[stage.index]) for value in each)
