"""Rules of chains: what an op takes, where a block strides, and which channels it gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from resnet_spec.catalog import STEPS
from resnet_spec.language.chains import Formula, OwnBlock, Step, Steps
from resnet_spec.language.plan import Plan, StagePlan
from resnet_spec.problems import FieldPath, Problem
from resnet_spec.problems.words import either

OPS = [op for op in STEPS if op in Step.model_fields]  # the keys that say what an op is

EXAMPLES = {"attention": "attention: se", "dropout": "dropout: 0.1"}


class Placed(NamedTuple):
    """A chain, what it is in its block, where it is written, and the stage that has it."""

    role: str  # pre, body, post or shortcut
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
        return "in" if self.role == "pre" else "out"


def chains(plan: Plan) -> Iterator[Placed]:
    """The chains of each stage; what stages share comes once for each."""
    for stage in plan.stages:
        if isinstance(block := stage.block, OwnBlock):
            of = {"pre": block.pre, "body": block.body, "post": block.post}
            path = stage.path("block")
            yield from (Placed(k, v, (*path, k), stage) for k, v in of.items())
        if isinstance(steps := stage.shortcut, tuple):
            yield Placed("shortcut", steps, stage.path("shortcut"), stage)


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
        ops = [op for op in OPS if getattr(step, op) is not None]
        if len(ops) != 1:
            message = (
                f"is {' and '.join(ops)} at once; write an entry for each"
                if ops
                else f"says no op; write one of {', '.join(OPS)}"
            )
            yield Problem("one-op", message, placed.at(i))
            continue
        takes = STEPS[ops[0]].takes
        for key in [key for key in step.model_fields_set if key not in (*takes, *ops)]:
            known = f"takes {either(takes)}" if takes else "takes nothing beside itself"
            message = f"is not for {ops[0]}, which {known}"
            yield Problem("op-takes", message, placed.at(i, key), about_key=True)
        yield from _idle(placed, i, step)


def _idle(placed: Placed, i: int, step: Step) -> Iterator[Problem]:
    if step.depthwise and step.to:
        message = "changes nothing where each channel is its own group; take it away"
        yield Problem("op-takes", message, placed.at(i, "to"), about_key=True)
    if step.pool and not (step.kernel or step.stride):
        message = "does nothing without `kernel` or `stride: block`"
        yield Problem("op-takes", message, placed.at(i))


def every_word_has_a_meaning(plan: Plan) -> Iterator[Problem]:
    """`attention` and `dropout` in a chain are what fields of those names say."""
    for placed in chains(plan):
        values = {
            "attention": placed.stage.known("attention"),
            "dropout": plan.known("dropout"),
        }
        for i, step in enumerate(placed.steps):
            if isinstance(step, str) and values.get(step, 1) in ("none", 0.0):
                example = {"attention": "attention: se", "dropout": "dropout: 0.1"}[
                    step
                ]
                message = (
                    f"is nothing here; write {example} beside block, or take it away"
                )
                yield Problem("word-idle", message, placed.at(i), others=((step,),))
                return


# --- sizes --------------------------------------------------------------------------------


def one_op_strides(plan: Plan) -> Iterator[Problem]:
    yield from _once(p for placed in chains(plan) for p in _odd_strides(placed))


def _odd_strides(placed: Placed) -> Iterator[Problem]:
    strides = [i for i, step in placed.said if step.stride]
    if placed.role in ("pre", "post"):
        for i in strides:
            why = {
                "pre": "the body and the shortcut read it",
                "post": "it is after the sum",
            }
            message = f"cannot be in {placed.role}, since {why[placed.role]}; write it in body"
            yield Problem(
                "chain-stride", message, placed.at(i, "stride"), about_key=True
            )
    elif len(strides) > 1:
        message = "strides a second time; one op of a chain has the stride of the block"
        yield Problem("chain-stride", message, placed.at(strides[1], "stride"))
    elif not strides and placed.role == "body" and placed.stage.stride > 1:
        message = (
            f"has nothing that strides, and stage {placed.stage.index + 1} has a stride of "
            f"{placed.stage.stride}; write stride: block in one op"
        )
        others = (placed.stage.path("strides"),)
        yield Problem("chain-stride", message, placed.path, others=others)


# --- channels -----------------------------------------------------------------------------


def channels_fit(plan: Plan) -> Iterator[Problem]:
    """What a chain makes of the channels, in the first block of a stage and in the others."""
    for placed in chains(plan):
        out = placed.stage.out_channels
        for before in dict.fromkeys((placed.stage.in_channels, out)):
            if problem := _odd_channels(placed, before):
                yield problem
                return


def _odd_channels(placed: Placed, before: int) -> Problem | None:
    """What is wrong where the block reads so many channels."""
    stage = placed.stage
    bases = {"in": before, "width": stage.inner_width, "out": stage.out_channels}
    x = before if placed.role != "post" else bases["out"]
    where, last = f"in stage {stage.index + 1}", None
    for i, step in placed.said:
        if step.op not in ("conv", "pad"):
            continue
        made = _made(step.channels, bases) if step.channels else x
        groups = {"each": x, "block": stage.groups}.get(str(step.groups), step.groups)
        said = step.to or step.pad or ""
        if made is None:
            base = said.split()[0]
            message = f"is not a whole number {where}, where {base} is {bases[base]}"
            return _problem(placed, "chain-channels", message, i, "to")
        if step.pad and made < x:
            message = f"cannot drop channels, and {where} it reads {x} and gives {made}"
            return _problem(placed, "chain-channels", message, i, "pad")
        if isinstance(groups, int) and (x % groups or made % groups):
            message = f"{groups} does not divide the channels {x} and {made} {where}"
            return _problem(placed, "chain-channels", message, i, "groups")
        x, last = made, i
    if x == bases[placed.gives]:
        return None
    asked = f"`{placed.gives}`, {bases[placed.gives]}"
    message = f"gives {x} channels {where}, and must give {asked}"
    message += (
        "; conv and pad change them"
        if last is None
        else f"; write `to: {placed.gives}` in its last convolution"
    )
    return _problem(placed, "chain-channels", message)


def _made(formula: Formula, bases: dict[str, int]) -> int | None:
    """The channels that a formula gives; None where they are not whole."""
    base = bases[formula.base]
    if formula.operator == "*":
        return base * formula.by
    return base // formula.by if base % formula.by == 0 else None


def _problem(placed: Placed, rule: str, message: str, *inner: str | int) -> Problem:
    fields = (placed.stage.path("widths"), placed.stage.path("expansion"))
    return Problem(rule, message, placed.at(*inner), others=fields)
