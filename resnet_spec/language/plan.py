"""Spec -> the plan of its stages, so that nobody else asks whether a field has one value or
many, or whether a stage has a use for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, TypeGuard, cast

from resnet_spec.catalog import (
    ACTIVATED,
    ADDS,
    ATTENDS,
    CATALOG,
    COUNTED,
    LAYERED,
    NUMBER,
    OPTIONS,
    SQUEEZES,
    STRIDES,
    BlockEntry,
    Entry,
    Read,
)
from resnet_spec.language.chains import OwnBlock, Steps, entry_of, is_chain
from resnet_spec.language.fields import Spec
from resnet_spec.language.values import Function, LeakyReLU, function_of
from resnet_spec.problems import FieldPath

PER_STAGE = (
    "block",
    "depths",
    "widths",
    "strides",
    "dilations",
    "groups",
    "width_per_group",
    "group_width",
    "expansion",
    "stride_on",
    "shortcut",
    "attention",
    "activation",
    "norm.type",
    "se.ratio",
)
"""The fields that take one value, or a list with an entry for each stage.

An entry may be a list itself, with a value for each block of the stage; not of `depths`.
"""
ANYWAY = (
    "name",
    "title",
    "paper.*",
    "input",
    "stem.type",
    "block",
    "depths",
    "widths",
    "strides",
    "shortcut",
    "preact",
    "preact.*",
    "standardization",
    "standardization.*",
    "conv_bias",
    "norm.type",
    "init.scheme",
    "head.pre",
    "head.pool",
    "head.hidden",
    "head.classes",
    "expect.*",
    "stages",
    "stages.*",
    "dilation_from",
)
"""The fields that every network reads; of those in `rules.conventions`, that says which."""


ANY = "<any>"  # the word of a field that is not valid, which could be any
KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    STRIDES: ("strides", lambda stride: stride != 1),
    ATTENDS: ("attention", lambda attention: attention != "none"),
    SQUEEZES: ("attention", lambda attention: attention == "se"),
    COUNTED: ("norm.channels_per_group", lambda _: False),
    LAYERED: ("head.hidden", lambda hidden: any(isinstance(n, int) for n in hidden)),
    ACTIVATED: ("head.hidden", lambda hidden: "activation" in hidden),
    ADDS: ("shortcut", lambda shortcut: shortcut != "none"),
}
"""Which stages an entry may read a field in, by the value of another field."""


class UnknownError(Exception):
    """A field was asked for that is not valid."""


def written(spec: Spec, field: str) -> Any:
    """The value of a field, as `norm.eps`, for all stages; None where its mapping is not there.

    Raises UnknownError where it is not valid.
    """
    name, *inner = field.split(".")
    value = getattr(spec, name)
    for key in inner:
        value = getattr(value, key, None)
    return value


@dataclass(frozen=True, eq=False, repr=False)
class StagePlan:
    """What a spec says of one stage: its entry, or the one value for all stages.

    Where a list in that entry says a field block by block, each of `blocks` is the plan of one
    of them, and the stage's own is that of the first.
    """

    spec: Spec
    index: int
    previous: StagePlan | None  # of the block before
    nth: int = 0  # block of the stage

    def value(self, field: str) -> Any:
        """The value of a field, as `norm.eps`, in this block; for null, its default.

        None where its mapping is not there. Raises UnknownError where it is not valid.
        """
        said = self.said(field)
        if said is None and field in PER_STAGE:
            return _default(field)
        return said

    def said(self, field: str) -> Any:
        """The same as it is written, with null for its default."""
        if field == "strides":  # one for the stage is that of its first block
            return self.stride
        value = written(self.spec, field)
        return self._mine(value) if field in PER_STAGE else value

    def _mine(self, value: Any) -> Any:
        mine = self._entry_of(value)
        return mine[self.nth] if by_stage(mine) else mine

    def _entry_of(self, value: Any) -> Any:
        """The stage's entry of a field's value, or the one value."""
        return value[self.index] if by_stage(value) else value

    def path(self, field: str) -> FieldPath:
        """Where a field's value is written: in its list, in the stage's entry, or for all."""
        keys = tuple(field.split("."))
        each = written(self.spec, field) if field in PER_STAGE else None
        if not by_stage(each):
            return keys
        lists = by_stage(each[self.index])
        return (*keys, self.index, *[self.nth] * lists)

    @cached_property
    def blocks(self) -> tuple[StagePlan, ...]:
        """The plan of each block, where a field says more than one; else this one alone."""
        if self.nth or not self.by_block:
            return (self,)
        found = [self]
        for nth in range(1, self.depth):
            found.append(StagePlan(self.spec, self.index, found[-1], nth))
        return tuple(found)

    @cached_property
    def by_block(self) -> bool:
        """Whether a list says what one value for the stage does not; dilations aside."""
        return any(self._differs(field) for field in PER_STAGE if field != "dilations")

    @property
    def repeats(self) -> bool:
        """Whether blocks follow of which no more is said than of the first."""
        return self.depth > 1 and not self.by_block

    def _differs(self, field: str) -> bool:
        """Whether the blocks have other values than one for the stage would give them."""
        try:
            mine = self._entry_of(written(self.spec, field))
        except UnknownError:
            return False
        if not by_stage(mine):
            return False
        values = [v for nth, v in enumerate(mine) if self._counts(field, nth, v)]
        usual = 1 if field == "strides" else values[0] if values else None
        return any(value != usual for value in values[1:])

    def _counts(self, field: str, nth: int, value: Any) -> bool:
        """Whether a block's value is one: null is none where the block does not read it."""
        block = StagePlan(self.spec, self.index, None, nth)
        return value is not None or covers(block.reads, field)

    # what it reads

    @cached_property
    def reads(self) -> Mapping[str, Read]:
        """The fields that are read in this stage, each as the first entry reads it."""
        kinds = [self._holds(field, holds) for field, holds in KINDS.values()]
        return _reads(self._asked, self.preact, tuple(kinds))

    def entries(self) -> Iterator[tuple[str, str, Entry]]:
        """The entries in use in this stage: the field that asks for it, its word, itself.

        Options that are on have no word. Fields that are not valid are left out.
        """
        for field, entry in zip(CATALOG, self._asked, strict=True):
            if isinstance(entry, Entry) and covers(self.reads, field):
                yield field, self._called(field), entry
        for field, entry in OPTIONS.items():
            on = self.preact if field == "preact" else self.known(field)
            if on and covers(self.reads, field):
                yield field, "", entry

    def known(self, field: str) -> Any:
        """The value of a field in this stage; None where it is not valid."""
        try:
            return self.value(field)
        except UnknownError:
            return None

    @cached_property
    def _asked(self) -> tuple[Entry | str | None, ...]:
        """What each field of the catalog asks for; ANY where its value is not valid."""
        return tuple(self._entry(field) for field in CATALOG)

    def _entry(self, field: str) -> Entry | str | None:
        try:
            return entry_of(field, self.value(field))
        except UnknownError:
            return ANY

    def _called(self, field: str) -> str:
        """The word that a field has, or what is called so in its place."""
        value = self.value(field)
        if isinstance(value, tuple):
            return "a chain"
        if isinstance(value, OwnBlock):
            return value.name
        if isinstance(value, LeakyReLU):
            return "leaky_relu"
        return NUMBER if isinstance(value, int) else str(value)

    def _holds(self, field: str, holds: Callable[[Any], bool]) -> bool:
        """Whether the stage is of a kind; so it is where that is not known."""
        value = self.known(field)
        return value is None or holds(value)

    # what several rooms ask for

    @property
    def preact(self) -> bool:
        """Whether its blocks have a pre-activation form; those of one's own have but one."""
        return self.spec.preact is not None and not isinstance(
            self.known("block"), OwnBlock
        )

    @property
    def activates(self) -> bool:
        """Whether shortcuts read what norm and activation before the body give."""
        preact = self.spec.preact
        return preact is not None and preact.shortcut in (
            "activated",
            "always_activated",
        )

    @property
    def adds_pre(self) -> bool:
        """Whether the identity does so, too."""
        preact = self.spec.preact
        always = preact is not None and preact.shortcut == "always_activated"
        return always and self.preact and self.shortcut != "none"

    @property
    def projects(self) -> bool:
        """Whether the shortcut of the block, of a stage's first one, is not the identity."""
        always = self.shortcut == "projection_always"
        same = self.shortcut in ("none", "identity", "identity_or_none")
        return always or (not same and self.changes)

    @property
    def adds(self) -> bool:
        """Whether the block, of a stage's first one, adds anything to its body."""
        absent = self.shortcut == "identity_or_none" and self.changes
        return self.shortcut != "none" and not absent

    @property
    def keeps(self) -> bool:
        """Whether the stage's first block adds what it reads, as those that follow it may."""
        return not self.nth and self.adds and not self.projects

    @property
    def shares(self) -> bool:
        """Whether the first block adds what its norm and activation make of what it reads."""
        preact = self.spec.preact
        shared = preact is not None and preact.first == "shared"
        return shared and self.preact and self.keeps

    @property
    def block(self) -> str | OwnBlock:
        block: str | OwnBlock = self._mine(self.spec.block)
        return block

    @property
    def block_entry(self) -> BlockEntry:
        return cast(BlockEntry, entry_of("block", self.block))

    @property
    def depth(self) -> int:
        return self.spec.depths[self.index]

    @property
    def width(self) -> int:
        width: int = self._mine(self.spec.widths)
        return width

    @property
    def stride(self) -> int | str:
        """That of this block, as written; one for the whole stage is that of its first."""
        said = self._entry_of(self.spec.strides)
        stride: int | str = (
            said[self.nth] if by_stage(said) else 1 if self.nth else said
        )
        return stride

    @property
    def strides(self) -> bool:
        """Whether some block strides."""
        return any(block.stride != 1 for block in self.blocks)

    @property
    def dilations(self) -> tuple[int, ...]:
        """The spacing that each block's 3x3 convolutions are said to have."""
        said = self.said_dilations
        each = said if isinstance(said, tuple) else (said,) * self.depth
        return tuple(one or 1 for one in each)

    @property
    def dilation_before(self) -> int:
        """That of the block before the stage's first."""
        return self.previous.dilations[-1] if self.previous else 1

    @property
    def dilates_anew(self) -> bool:
        """Whether published code disagrees on the spacing of the stage's first 3x3.

        A list says that of each block, so of the first one as well.
        """
        said = self.said_dilations
        anew = not isinstance(said, tuple) and said != self.dilation_before
        return anew and covers(self.reads, "dilations")

    @property
    def first_dilation(self) -> int:
        """The spacing of the stage's first 3x3."""
        kept = self.dilates_anew and self.spec.dilation_from == "previous"
        return self.dilation_before if kept else self.dilations[0]

    @property
    def said_dilations(self) -> int | tuple[int | None, ...]:
        """As they are written, one for the stage or one for each block."""
        said: int | tuple[int | None, ...] | None = self._entry_of(self.spec.dilations)
        return said or 1

    @property
    def shortcut(self) -> str | Steps:
        shortcut: str | Steps = self._mine(self.spec.shortcut)
        return shortcut

    @property
    def attention(self) -> str:
        attention: str = self._mine(self.spec.attention)
        return attention

    @property
    def activation(self) -> Function:
        value: str | LeakyReLU = self.value("activation")
        return function_of(value)

    @property
    def norm(self) -> str:
        norm: str = self._mine(self.spec.norm.type)
        return norm

    @property
    def stride_on(self) -> str | None:
        """As written, in a stage that has a use for it."""
        on: str | None = self._if_read("stride_on")
        return on

    def _if_read(self, field: str) -> Any:
        """A field as it is written; None in a stage that has no use for it."""
        return self.said(field) if field in self.reads else None

    @property
    def groups(self) -> int:
        groups: int = self.value("groups") if "groups" in self.reads else 1
        return groups

    @property
    def group_width(self) -> int | None:
        width: int | None = self._if_read("group_width")
        return width

    @property
    def width_per_group(self) -> int | None:
        width: int | None = self._if_read("width_per_group")
        return width

    @property
    def expansion(self) -> int | None:
        expansion: int | None = self._if_read("expansion")
        return expansion

    @property
    def inner_width(self) -> int:
        """Channels of a 3x3, by torchvision 0.29's rule for width_per_group."""
        if self.width_per_group is None:
            return self.width
        return self.width * self.width_per_group // 64 * self.groups

    @property
    def unpruned(self) -> int:
        """Channels that the stage's blocks give where nothing is pruned."""
        return self.width * (self.expansion or 1)

    @cached_property
    def out_channels(self) -> int:
        """Channels that the block gives."""
        pruned = self.spec.pruned.out if self.spec.pruned else ()
        return pruned[self.index] if self.index < len(pruned) else self.unpruned

    @cached_property
    def in_channels(self) -> int:
        """Channels that the block, or the stage, reads."""
        if self.previous:
            return self.previous.out_channels
        return self.spec.stem.width or self.spec.input[0]

    @cached_property
    def changes(self) -> bool:
        """Whether the block, or a stage's first, changes the shape, so its shortcut must."""
        return self.stride != 1 or self.in_channels != self.out_channels


def _default(field: str) -> Any:
    name, *inner = field.split(".")
    value = Spec.model_fields[name].default
    for key in inner:
        value = getattr(value, key)
    return value


@lru_cache(maxsize=256)
def _reads(
    asked: tuple[Entry | str | None, ...], preact: bool, kinds: tuple[bool, ...]
) -> Mapping[str, Read]:
    """What those entries read, in stages of those kinds."""
    found = dict.fromkeys(ANYWAY, Read())
    holds = {"": True, **dict(zip(KINDS, kinds, strict=True))}
    for (field, known), entry_asked in zip(CATALOG.items(), asked, strict=True):
        if entry_asked is None or not covers(found, field):
            continue
        for entry in (
            [entry_asked] if isinstance(entry_asked, Entry) else known.values()
        ):
            for name, read in entry.reads_as(preact).items():
                if holds[read.where]:
                    found.setdefault(name, read)
    return found


@dataclass(frozen=True, eq=False, repr=False)
class Plan:
    """A spec, and what it says of each stage."""

    spec: Spec

    def known(self, field: str) -> Any:
        """A field as it is written; None where it is not valid."""
        try:
            return written(self.spec, field)
        except UnknownError:
            return None

    def reads(self, field: str) -> bool:
        """Whether any block reads the field."""
        return any(covers(block.reads, field) for block in self.blocks)

    @cached_property
    def stages(self) -> tuple[StagePlan, ...]:
        found: list[StagePlan] = []
        for index in range(len(self.spec.depths)):
            before = found[-1].blocks[-1] if found else None
            found.append(StagePlan(self.spec, index, before))
        return tuple(found)

    @cached_property
    def blocks(self) -> tuple[StagePlan, ...]:
        """What is said of each stage, or where a list says it, of each of its blocks."""
        return tuple(block for stage in self.stages for block in stage.blocks)


def by_stage(value: Any) -> TypeGuard[tuple[Any, ...]]:
    """Whether a value is a list with an entry for each stage, or for each of its blocks."""
    return isinstance(value, tuple) and not is_chain(value)


def covers(reads: Mapping[str, Read], field: str) -> bool:
    """Whether a field is read, by itself or as one of all that its mapping has.

    >>> covers({"pruned.*": Read(), "se.ratio": Read()}, "pruned.out")
    True
    """
    return field in reads or f"{field.split('.')[0]}.*" in reads
