"""What the points of a space cost: sums over the parts of each, every part lowered once.

What a stage costs depends on what it reads and on its own entries. What is lawful depends on
numbers of channels from one stage to the next alone, and on all else as a whole. So a point of
which every part has been seen in some network, and whose words have been seen together, is
not lowered again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from resnet_spec.expansion import Known, Total, expand, total, total_of
from resnet_spec.language.parsing import parse
from resnet_spec.language.plan import PER_STAGE, Plan, StagePlan, by_stage, written
from resnet_spec.language.rules.conventions import CONVENTIONS
from resnet_spec.language.source import Source
from resnet_spec.language.yaml_nodes import Node
from resnet_spec.lowering import lower
from resnet_spec.network import Network, Shape, Stage
from resnet_spec.problems import Problem, SpecError
from resnet_spec.search.choices import Axis
from resnet_spec.search.space import Digits, Space

Getter = Callable[[Digits], Any]


class Part(NamedTuple):
    """What a part gives, a number for what others may ask of it, its costs, and those of a
    block more."""

    output: tuple[int, ...]
    mark: int
    costs: Total
    more: Total = Total()


CHANNELS = frozenset(
    ("widths", "expansion", "groups", "width_per_group", "group_width", "stem.width")
)
"""The fields whose numbers matter to the stage that has them and the one behind it alone."""
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
        self.by_stage = _same_stages(axes)
        count = len(space.depths)
        whole = _touching(axes, lambda field: _room(field) == "all")
        own = [_touching(axes, _entry, i) for i in range(count)]
        stem = _touching(axes, lambda field: _room(field) == "stem")
        head = _touching(axes, lambda field: _room(field) == "head")
        spaced = _touching(axes, lambda field: field == "dilations")
        self.of_stem = _getter(whole | stem | own[0])
        self.of_head = _getter(whole | head | own[-1])
        self.of_words = _getter(i for i, axis in enumerate(axes) if not _counts(axis))
        self.but_depths = _getter(
            i for i, a in enumerate(axes) if a.fields != ("depths",)
        )
        self.stages = tuple(
            _Stage(
                *_depths(axes, space.depths, i),
                _getter(whole | own[i] | (own[i - 1] & spaced if i else set())),
                _getter(whole | own[i] | (own[i - 1] if i else stem)),
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
            plan, network = _compiled(source)
        except SpecError as error:
            first, *_ = error.problems
            if not any(problem.rule in BY_DEPTH for problem in error.problems):
                self.refused[rough] = first
            self._blame(digits, error.problems)
            if words:
                self.verdicts[words] = first
            return first
        return self._keep(digits, plan, network)

    def _lowered(self, digits: Digits) -> Total | Problem:
        """The same by itself."""
        self.lowered += 1
        try:
            _, network = _compiled(self.space.source(digits))
        except SpecError as error:
            return error.problems[0]
        return total(expand(network), {})

    def _blame(self, digits: Digits, problems: Iterable[Problem]) -> None:
        """Keep which stages have broken a rule by themselves."""
        for problem in problems:
            if problem.rule in LOCAL:
                paths = (problem.path, *problem.others)
                for i in {k for path in paths for k in path if isinstance(k, int)}:
                    stage = self.stages[i]
                    stage.broken[stage.sees(digits)] = problem

    def _keep(self, digits: Digits, plan: Plan, network: Network) -> Total:
        """What the network costs, its parts kept."""
        known: Known = {}
        call = expand(network)
        names = [stage.name for stage in network.stages]
        at = [i for i, step in enumerate(call.steps) if step.name in names]
        x = _sizes(network.stages[0].input)
        ends = (call.steps[: at[0]], call.steps[at[-1] + 1 :])
        before, after = (total_of(steps, known) for steps in ends)
        self.stem[self.of_stem(digits)] = Part(x, 0, before)
        marks = []
        for i, stage in enumerate(self.stages):
            made, said = network.stages[i], plan.stages[i]
            blocks = [total(step.call, known) for step in call.steps[at[i]].call.steps]
            mark = self._mark(said)
            marks.append(mark)
            if not stage.exact and _is_listed(said, made):
                stage.exact = True
                stage.known.clear()
            deep = len(blocks) if stage.exact else len(blocks) > 1
            key = (x, deep, stage.reads(digits))
            x = _sizes(made.output)
            if stage.exact:
                part = Part(x, mark, Total(*map(sum, zip(*blocks, strict=True))))
            else:
                part = Part(x, mark, *blocks[:2])
            stage.known[key] = part
        self.head[x, self.of_head(digits)] = Part(x, 0, after)
        self.verdicts[(self.of_words(digits), *marks)] = None
        return total(call, known)

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
        self.depth, self.axis, self.depths, self.listed = (
            depth,
            axis,
            depths,
            bool(depths),
        )
        self.reads, self.sees = reads, sees
        self.exact = False  # whether each depth is another stage
        self.known: dict[Any, Part] = {}
        self.broken: dict[Any, Problem] = {}

    def depth_of(self, digits: Digits) -> int:
        return self.depths[digits[self.axis]] if self.listed else self.depth


def _compiled(source: Source) -> tuple[Plan, Network]:
    plan = parse(source)
    try:
        return plan, lower(plan)
    except SpecError as error:
        raise source.refuse(*error.problems) from None


def _sizes(x: Shape) -> tuple[int, ...]:
    return tuple(map(int, x))


def _is_listed(stage: StagePlan, made: Stage) -> bool:
    """Whether the blocks behind the first are not all one, or are said one by one."""
    if made.repeat is None:
        return True
    each = (written(stage.spec, field) for field in PER_STAGE)
    return any(by_stage(value) and by_stage(value[stage.index]) for value in each)


# --- axes -----------------------------------------------------------------------------------


def _same_stages(axes: Sequence[Axis]) -> bool:
    """Whether all points have as many stages."""
    for axis in axes:
        if any(field.split(".")[0] == "stages" for field in axis.fields):
            return False
        if "depths" in axis.fields and axis.stage is None:
            at = axis.fields.index("depths")
            if len({len(values[at].value) for values in axis.alternatives}) > 1:
                return False
    return True


def _room(field: str) -> str:
    """The part that alone reads a field, `all` where others do; nothing of what stages have."""
    if _entry(field) or field == "depths":
        return ""
    name = field.split(".")[0]
    return name if name in ("stem", "head") else "all"


def _entry(field: str) -> bool:
    return field in PER_STAGE and field != "depths"


def _touching(
    axes: Sequence[Axis], asked: Callable[[str], bool], stage: int | None = None
) -> set[int]:
    """The axes of such a field; of a stage, those that are not another one's."""
    return {
        i
        for i, axis in enumerate(axes)
        if any(map(asked, axis.fields))
        and (stage is None or axis.stage in (None, stage))
    }


def _counts(axis: Axis) -> bool:
    """Whether its alternatives differ in numbers of blocks and channels alone."""
    if not CHANNELS.union(("depths",)).issuperset(axis.fields):
        return False
    return all(
        len({*map(_form, nodes)}) == 1 for nodes in zip(*axis.alternatives, strict=True)
    )


def _form(node: Node) -> str:
    """A value without its numbers."""
    if isinstance(node.value, list):
        return f"[{', '.join(map(_form, node.value))}]"
    return "" if type(node.value) is int else repr(node.data)


def _depths(
    axes: Sequence[Axis], depths: Sequence[int], stage: int
) -> tuple[int, int, tuple[int, ...]]:
    """The depth of the stage where none is chosen; the axis that chooses it, and of what."""
    for i, axis in enumerate(axes):
        if "depths" in axis.fields and axis.stage in (None, stage):
            at = axis.fields.index("depths")
            each = [values[at].data for values in axis.alternatives]
            if axis.stage is None:
                each = [depths[stage] for depths in each if stage < len(depths)]
            return 0, i, tuple(each)
    return depths[stage], 0, ()


def _getter(axes: Collection[int] | Iterable[int]) -> Getter:
    """What takes the digits of those axes."""
    found = sorted(axes)
    return itemgetter(*found) if found else lambda _: None
