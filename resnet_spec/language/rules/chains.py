"""Rules of chains: what an op takes, where a block strides, and which channels it gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from resnet_spec.catalog import NORMS, STEPS, Read
from resnet_spec.language.chains import Formula, OwnBlock, StemStep, Step, Steps
from resnet_spec.language.plan import Plan, StagePlan
from resnet_spec.language.values import LARGEST, function_of
from resnet_spec.problems import FieldPath, Problem, Proposal, leave_out, write
from resnet_spec.problems.words import either

EXAMPLES = {
    "attention": "attention: se",
    "dropout": "dropout: 0.1",
    "spatial": "spatial: {type: res2net, scale: 4}",
}
"""What to write where a word of a chain has nothing to stand for."""


class Placed(NamedTuple):
    """A chain, what it is, where it is written, and the stage that has it.

    That of a stem is the first, that of a head the last.
    """

    role: str  # pre, body, post, shortcut, stem or head
    steps: Steps
    path: FieldPath
    stage: StagePlan

    def at(self, *inner: str | int) -> FieldPath:
        return (*self.path, *inner)

    @property
    def said(self) -> Iterator[tuple[int, Step]]:
        """The ops of which something is said, each with its place in the chain."""
        return ((i, s) for i, s in enumerate(self.steps) if isinstance(s, Step))

    @property
    def gives(self) -> str:
        """The channels that it must give: those of the block's input, or of its output."""
        return {"pre": "in", "stem": "width"}.get(self.role, "out")

    @property
    def where(self) -> str:
        """The stage, where it may be one of several."""
        return f"in stage {self.stage.index + 1}" if self.in_block else ""

    @property
    def in_block(self) -> bool:
        return self.role not in ("stem", "head")

    def bases(self, before: int) -> dict[str, int]:
        """The channels that formulas begin with, where it reads so many."""
        stage = self.stage
        if self.role == "head":
            return {"in": before, "": 1}
        if self.role == "stem":
            return {"in": before, "width": stage.spec.stem.width or before}
        return {"in": before, "width": stage.inner_width, "out": stage.out_channels}

    @property
    def reads(self) -> tuple[int, ...]:
        """The channels that it may have before it: of a first block, and of others."""
        stage = self.stage
        if self.role == "stem":
            return (stage.spec.input[0],)
        if self.role == "head":
            return (stage.out_channels,)
        alone = self.role == "shortcut" or stage.by_block
        return (stage.in_channels, *[stage.out_channels][alone:])


def chains(plan: Plan) -> Iterator[Placed]:
    """The chains of the stem and of each stage or block; one that is shared, for each."""
    if isinstance(steps := plan.known("stem.type"), tuple):
        yield Placed("stem", steps, ("stem", "type"), plan.stages[0])
    for stage in plan.blocks:
        if isinstance(block := stage.block, OwnBlock):
            of = {"pre": block.pre, "body": block.body, "post": block.post}
            path = stage.path("block")
            yield from (Placed(k, v, (*path, k), stage) for k, v in of.items())
        if isinstance(steps := stage.shortcut, tuple):
            yield Placed("shortcut", steps, stage.path("shortcut"), stage)
    if steps := plan.known("head.pre"):
        yield Placed("head", steps, ("head", "pre"), plan.blocks[-1])


def _once(problems: Iterable[Problem]) -> Iterator[Problem]:
    """The first problem at each place."""
    found: dict[FieldPath, Problem] = {}
    for problem in problems:
        found.setdefault(problem.path, problem)
    yield from found.values()


# --- ops ----------------------------------------------------------------------------------


def every_op_takes_what_is_said(plan: Plan) -> Iterator[Problem]:
    yield from _once(p for placed in chains(plan) for p in _odd_ops(placed))


def _odd_ops(placed: Placed) -> Iterator[Problem]:
    for i, step in placed.said:
        known = [op for op in STEPS if op in type(step).model_fields]
        ops = [op for op in known if getattr(step, op) is not None]
        if len(ops) != 1:
            message = (
                f"is {' and '.join(ops)} at once; write an entry for each"
                if ops
                else f"says no op; write one of {', '.join(known)}"
            )
            yield Problem("one-op", message, placed.at(i))
            continue
        takes = STEPS[ops[0]].takes
        for key in type(step).model_fields:
            if key not in step.model_fields_set or key in (*takes, *ops):
                continue
            all_of_it = (
                f"takes {either(takes)}" if takes else "takes nothing beside itself"
            )
            message = f"is not for {ops[0]}, which {all_of_it}"
            path, proposals = placed.at(i, key), leave_out(placed.at(i, key))
            yield Problem(
                "op-takes", message, path, about_key=True, proposals=proposals
            )
        yield from _idle(placed, i, step)


def _idle(placed: Placed, i: int, step: Step) -> Iterator[Problem]:
    if step.depthwise and step.to:
        message = "changes nothing where each channel is its own group; take it away"
        path = placed.at(i, "to")
        proposals = leave_out(path)
        yield Problem("op-takes", message, path, about_key=True, proposals=proposals)
    if step.pool and not (step.kernel or step.strides):
        stride = "stride: block" if placed.in_block else "stride"
        message = f"does nothing without `kernel` or `{stride}`"
        strides = write(placed.at(i, "stride"), "block" if placed.in_block else 2)
        proposals = (*strides, *write(placed.at(i, "kernel"), 3))
        yield Problem("op-takes", message, placed.at(i), proposals=proposals)
    if step.scale == 1:
        message, proposals = "changes nothing; take it away", leave_out(placed.at(i))
        yield Problem("op-takes", message, placed.at(i), proposals=proposals)


def every_word_has_a_meaning(plan: Plan) -> Iterator[Problem]:
    """A word in a chain is what the field of its name says, which must say something; of a
    stage alone it may say that there is nothing."""
    said = {word: {block.value(word) for block in plan.blocks} for word in EXAMPLES}
    idle = [word for word, values in said.items() if values <= {"none", 0.0, None}]
    for placed in chains(plan):
        for i, step in enumerate(placed.steps):
            if step in idle:
                example = EXAMPLES[str(step)]
                message = (
                    f"is nothing here; write {example} in the spec, or take it away"
                )
                field = (str(step),)
                value = Proposal(((field, example.partition(": ")[2]),))
                yield Problem(
                    "word-idle",
                    message,
                    placed.at(i),
                    others=(field,),
                    proposals=(value, *leave_out(placed.at(i))),
                )
                return


# --- first weights ------------------------------------------------------------------------


def every_multiplier_learns(plan: Plan) -> Iterator[Problem]:
    """One that starts at 0 learns where a gradient comes by, past no other zero."""
    yield from _once(p for placed in chains(plan) for p in _odd_zeros(placed))


def _odd_zeros(placed: Placed) -> Iterator[Problem]:
    zeros = [i for i, step in placed.said if step.scalar_multiplier == 0]
    stage, start = placed.stage, "another start, as scalar_multiplier: 1"
    for i in zeros:
        others: tuple[FieldPath, ...] = ()
        if not placed.in_block:
            why = f"makes all that the {placed.role} gives zero; write {start}"
        elif placed.role != "body":
            why = f"makes all that {placed.role} gives zero; write it in body"
        elif not stage.adds:
            why = f"makes a block without a shortcut give zero; write {start}"
            others = (stage.path("shortcut"),)
        elif i != zeros[0]:
            why = f"has another zero before it, and neither would learn; write {start}"
        elif stage.spec.init.zero_last_norm and "init.zero_last_norm" in stage.reads:
            why = "so does the last norm, and neither would learn; take one of the two away"
            others = (("init", "zero_last_norm"),)
        elif any(_is_relu(*pair, stage) for pair in pairwise(placed.steps[i:])):
            why = (
                "is read by a relu, which passes no gradient at zero; write it behind the last "
                "activation"
            )
        else:
            continue
        path = placed.at(i, "scalar_multiplier")
        yield Problem(
            "never-learns",
            f"starts at 0 and {why}",
            path,
            others=others,
            proposals=write(path, 1) if why.endswith(start) else (),
        )


def _is_relu(before: str | Step, step: str | Step, stage: StagePlan) -> bool:
    """Whether an op, behind another one, has an activation without a gradient at zero."""
    word = ""
    if isinstance(step, Step) and step.activation:
        word = function_of(step.activation).word
    elif step == "spatial" or (step == "activation" and before != "norm"):
        word = stage.activation.word
    elif step == "activation" and NORMS[stage.norm].reads["activation"] == Read():
        word = stage.activation.word  # where the norm is no activation itself
    return word in ("relu", "relu6")


# --- sizes --------------------------------------------------------------------------------


def one_op_strides(plan: Plan) -> Iterator[Problem]:
    yield from _once(p for placed in chains(plan) for p in _odd_strides(placed))


def _odd_strides(placed: Placed) -> Iterator[Problem]:
    if not placed.in_block:
        return
    strides = [
        i
        for i, step in enumerate(placed.steps)
        if step == "spatial" or (isinstance(step, Step) and step.stride)
    ]
    if placed.role in ("pre", "post"):
        for i in strides:
            why = {
                "pre": "the body and the shortcut read it",
                "post": "it is after the sum",
            }
            message = f"cannot be in {placed.role}, since {why[placed.role]}; write it in body"
            yield Problem("chain-stride", message, placed.at(i))
    elif len(strides) > 1:
        message = "strides a second time; one op of a chain has the stride of the block"
        yield Problem("chain-stride", message, placed.at(strides[1]))
    elif not strides and placed.role == "body" and placed.stage.stride != 1:
        message = (
            f"has nothing that strides, and stage {placed.stage.index + 1} has a stride of "
            f"{placed.stage.stride}; write stride: block in one op"
        )
        yield Problem(
            "chain-stride",
            message,
            placed.path,
            others=(placed.stage.path("strides"),),
            proposals=tuple(
                each
                for i, step in placed.said
                if step.op in ("conv", "pool", "blur", "pad")
                for each in write(placed.at(i, "stride"), "block")
            ),
        )


# --- channels -----------------------------------------------------------------------------


def channels_fit(plan: Plan) -> Iterator[Problem]:
    """What a chain makes of the channels, in the first block of a stage and in the others."""
    for placed in chains(plan):
        for before in dict.fromkeys(placed.reads):
            if problem := _odd_channels(placed, before):
                yield problem
                return


def _odd_channels(placed: Placed, before: int) -> Problem | None:
    """What is wrong where the block reads so many channels."""
    stage = placed.stage
    bases = placed.bases(before)
    if not all(bases.values()):  # which is refused by another rule
        return None
    x = bases["out"] if placed.role == "post" else before
    said = "conv and pad change them"
    proposals: tuple[Proposal, ...] = ()
    for i, step in enumerate(placed.steps):
        if isinstance(step, Step) and step.channels:
            key, last = ("pad", "pad") if step.pad else ("to", "convolution")
            said = f"write `{key}: {placed.gives}` in its last {last}"
            proposals = write(placed.at(i, key), placed.gives)
        given = _given(step, x, bases, stage)
        if isinstance(given, Wrong):
            message = f"{placed.where} {given.message}".strip()
            return _problem(placed, message, i, *given.key)
        x = given
    if placed.role == "head" or x == bases[placed.gives]:
        return None
    asked = f"`{placed.gives}`, {bases[placed.gives]}"
    message = f"gives {x} channels {placed.where}".strip() + f", and must give {asked}"
    problem = _problem(placed, f"{message}; {said}")
    return problem._replace(proposals=proposals)


class Wrong(NamedTuple):
    """What is wrong with the channels of an op, and the key that says it."""

    message: str
    key: tuple[str, ...] = ()


def _given(
    step: str | Step, x: int, bases: dict[str, int], stage: StagePlan
) -> int | Wrong:
    """The channels that an op gives where it reads `x`, or what is wrong with them."""
    if step == "spatial":
        return _given_by_layer(x, bases["width"], stage)
    if isinstance(step, StemStep) and step.space_to_depth:
        squares = x * step.space_to_depth**2
        return _too_many(squares, "space_to_depth") if squares > LARGEST else squares
    if not isinstance(step, Step) or step.op not in ("conv", "pad"):
        return x
    made = _made(step.channels, bases) if step.channels else x
    groups = {"each": x, "block": stage.groups}.get(str(step.groups), step.groups)
    if step.groups == "block" and stage.group_width:
        if x % stage.group_width:
            each = f"its groups of {stage.group_width} channels"
            return Wrong(f"{each} do not divide the {x} that it reads", ("groups",))
        groups = x // stage.group_width
    if made is None:
        base = str(step.to or step.pad).split()[0]
        key = "to" if step.to else "pad"
        return Wrong(f"is not a whole number where {base} is {bases[base]}", (key,))
    if made > LARGEST:
        return _too_many(made, "to")
    if step.pad and made < x:
        return Wrong(
            f"cannot drop channels, and it reads {x} and gives {made}", ("pad",)
        )
    if isinstance(groups, int) and (x % groups or made % groups):
        return Wrong(
            f"its {groups} groups do not divide the channels {x} and {made}",
            ("groups",),
        )
    return made


def _too_many(made: int, key: str) -> Wrong:
    return Wrong(f"gives {made:,} channels, of at most {LARGEST:,}", (key,))


def _given_by_layer(x: int, width: int, stage: StagePlan) -> int | Wrong:
    """The same for the layer of `spatial`."""
    spatial = stage.spec.spatial
    if spatial is None:  # which is refused by another rule
        return x
    if spatial.type == "selective_kernel":
        return width
    bands = spatial.scale or 1
    if x != width * bands:
        said = f"to: width * {bands}" if bands > 1 else "to: width"
        return Wrong(
            f"reads {width * bands} channels and not {x}; write {said} before it"
        )
    return x


def _made(formula: Formula, bases: dict[str, int]) -> int | None:
    """The channels that a formula gives; None where they are not whole."""
    made = bases[formula.base] * formula.times
    return made // formula.over if made % formula.over == 0 else None


def _problem(placed: Placed, message: str, *inner: str | int) -> Problem:
    fields = (placed.stage.path("widths"), placed.stage.path("expansion"))
    if placed.role == "stem":
        fields = (("stem", "width"), ("input",))
    return Problem("chain-channels", message, placed.at(*inner), others=fields)
