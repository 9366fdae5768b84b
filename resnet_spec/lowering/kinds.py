"""Which classes the blocks of a network are of, and what those are called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, cast

from resnet_spec.catalog import (
    ACTIVATIONS,
    ATTENTIONS,
    NORMS,
    STRIDE_ON,
    ShortcutEntry,
)
from resnet_spec.language.chains import OwnBlock, Steps, entry_of
from resnet_spec.language.plan import Plan, StagePlan
from resnet_spec.language.values import Function


class Kind(NamedTuple):
    """The name of a class of blocks, what people call one of them, and how it is made.

    In a stage where a choice makes no difference, `shortcut` and `stride_on` are those of
    another stage, so that the blocks of both are of one class.
    """

    name: str
    noun: str
    shortcut: str | Steps
    stride_on: str | None
    pairs: bool = False  # whether strides of its blocks are of a height and a width


class _Settled(NamedTuple):
    """What tells the classes of one kind of block apart."""

    shortcut: str | Steps
    stride_on: str | None
    attention: str
    activation: Function
    norm: str
    grouped: bool  # by channels of a group
    shares: bool

    @property
    def words(self) -> tuple[str, ...]:
        return (
            _entry(self.shortcut).word,
            STRIDE_ON[self.stride_on].word if self.stride_on else "",
            ATTENTIONS[self.attention].word,
            _function(self.activation),
            NORMS[self.norm].word,
            "grouped" if self.grouped else "",
            "shared" if self.shares else "",
        )


def kinds_of(plan: Plan) -> tuple[Kind, ...]:
    """The kind of each of the plan's blocks: one name, one structure."""
    stages = plan.blocks
    settled = [_settled(stage, stages) for stage in stages]
    bases = [_base(*pair) for pair in zip(stages, settled, strict=True)]
    found = []
    for stage, base, mine in zip(stages, bases, settled, strict=True):
        sisters = [s for b, s in zip(bases, settled, strict=True) if b == base]
        differs = [len(set(values)) > 1 for values in zip(*sisters, strict=True)]
        words = [w for w, told in zip(mine.words, differs, strict=True) if told and w]
        found.append(_kind(stage, base, words, mine))
    return _paired(_apart(found, settled), stages)


def _paired(kinds: Sequence[Kind], stages: Sequence[StagePlan]) -> tuple[Kind, ...]:
    """The kinds, in which one stride of a height and a width makes all of a name pairs."""
    each = zip(kinds, stages, strict=True)
    pairs = {kind.name for kind, stage in each if isinstance(stage.stride, str)}
    return tuple(kind._replace(pairs=kind.name in pairs) for kind in kinds)


def _apart(kinds: list[Kind], settled: list[_Settled]) -> tuple[Kind, ...]:
    """The kinds with a number behind a name that another one has, as chains may make it."""
    numbers: dict[str, list[_Settled]] = {}
    made = []
    for kind, mine in zip(kinds, settled, strict=True):
        alike = numbers.setdefault(kind.name, [])
        if mine not in alike:
            alike.append(mine)
        nth = alike.index(mine) + 1
        made.append(kind._replace(name=f"{kind.name}{nth}") if nth > 1 else kind)
    return tuple(made)


def _settled(stage: StagePlan, stages: tuple[StagePlan, ...]) -> _Settled:
    return _Settled(
        "projection" if stage.shares else _shortcut(stage, stages),
        _stride_on(stage, stages),
        stage.attention,
        stage.activation,
        stage.norm,
        stage.group_width is not None,
        stage.shares,
    )


def _kind(
    stage: StagePlan, base: tuple[str, ...], words: list[str], settled: _Settled
) -> Kind:
    *before, _ = base
    entry = stage.block_entry
    name = entry.name_tail if before else entry.name
    noun = entry.noun_tail if before else entry.noun
    return Kind(
        name="".join([*map(_cap, before), name, *map(_cap, words)]),
        noun=" ".join([*words, *before, noun]).replace("_", " "),
        shortcut=settled.shortcut,
        stride_on=settled.stride_on,
    )


def _cap(word: str) -> str:
    """The word as in the name of a class: `leaky_relu_0.1` gives `LeakyRelu01`."""
    return "".join(map(str.capitalize, re.findall("[a-z0-9]+", word)))


def _function(activation: Function) -> str:
    """The word of an activation, with its number."""
    word, number = activation
    told = ACTIVATIONS[word].word
    return told if number is None else f"{told}_{number}"


def _base(stage: StagePlan, settled: _Settled) -> tuple[str, ...]:
    """The words for what a block is in any network, before that of its type."""
    if isinstance(stage.block, OwnBlock):
        return (stage.block.name,)
    plain = ["plain"] * (settled.shortcut == "none")
    return (*plain, *["preact"] * stage.preact, stage.block)


# --- where a choice makes no difference ---------------------------------------------------


def _shortcut(stage: StagePlan, stages: tuple[StagePlan, ...]) -> str | Steps:
    """The stage's shortcut; where a plain projection is the same, a sister's may be, too."""
    if _differs(stage.shortcut, stage):
        return stage.shortcut
    others = (other for other in stages if other.block == stage.block)
    special = (o.shortcut for o in others if _differs(o.shortcut, o))
    return next((name for name in special if not _differs(name, stage)), "projection")


def _differs(shortcut: str | Steps, stage: StagePlan) -> bool:
    """Whether the stage is another one with that shortcut than with a plain projection."""
    return {
        "never": False,
        "always": True,
        "changing": stage.changes,
        "striding": stage.stride != 1,
        "repeating": stage.repeats or not stage.changes,
    }[_entry(shortcut).differs]


def _entry(shortcut: str | Steps) -> ShortcutEntry:
    return cast(ShortcutEntry, entry_of("shortcut", shortcut))


def _stride_on(stage: StagePlan, stages: tuple[StagePlan, ...]) -> str | None:
    """As written where the stage has a use for it, else as in the first that does."""
    return stage.stride_on or next((s.stride_on for s in stages if s.stride_on), None)
