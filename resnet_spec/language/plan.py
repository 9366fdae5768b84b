"""Spec -> the plan of its stages, so that nobody else asks whether a field has one value or
many, or whether a stage has a use for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from resnet_spec.catalog import (
    ATTENDS,
    CATALOG,
    NUMBER,
    OPTIONS,
    SQUEEZES,
    STRIDES,
    Entry,
    Read,
)
from resnet_spec.language.fields import Spec
from resnet_spec.problems import FieldPath

T = TypeVar("T")
PerBottleneckCount = int | tuple[int | None, ...] | None

PER_STAGE = (
    "block",
    "depths",
    "widths",
    "strides",
    "dilations",
    "groups",
    "width_per_group",
    "expansion",
    "stride_on",
    "shortcut",
    "attention",
    "activation",
)
"""The fields that take one value, or a list with an entry for each stage."""
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
    "pre_activation",
    "standardization",
    "standardization.*",
    "norm.type",
    "init.scheme",
    "head.pool",
    "head.classes",
    "expect.*",
)
"""The fields that every network reads."""


ANY = "<any>"  # the word of a field that is not valid, which could be any
KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    STRIDES: ("strides", lambda stride: stride > 1),
    ATTENDS: ("attention", lambda attention: attention != "none"),
    SQUEEZES: ("attention", lambda attention: attention == "se"),
}
"""Which stages an entry may read a field in, by the value of another field."""


class UnknownError(Exception):
    """A field was asked for that is not valid."""


@dataclass(frozen=True, eq=False, repr=False)
class StagePlan:
    """What a spec says of one stage: its entry, or the one value for all stages."""

    spec: Spec
    index: int
    previous: StagePlan | None

    def value(self, field: str) -> Any:
        """The value of a field, as `norm.eps`, in this stage; for null, its default.

        None where its mapping is not there. Raises UnknownError where it is not valid.
        """
        name, *inner = field.split(".")
        value = getattr(self.spec, name)
        if name in PER_STAGE:
            mine = self._mine(value)
            return Spec.model_fields[name].default if mine is None else mine
        for key in inner:
            value = getattr(value, key, None)
        return value

    def _mine(self, value: T | tuple[T, ...]) -> T:
        return value[self.index] if isinstance(value, tuple) else value

    def path(self, field: str) -> FieldPath:
        """Where a field's value for this stage is written: its entry, or the one value."""
        keys = tuple(field.split("."))
        each = field in PER_STAGE and isinstance(getattr(self.spec, field), tuple)
        return (*keys, self.index) if each else keys

    # what it reads

    @cached_property
    def reads(self) -> Mapping[str, Read]:
        """The fields that are read in this stage, each as the first entry reads it."""
        kinds = [self._holds(field, holds) for field, holds in KINDS.values()]
        return _reads(self._words, self.preact, tuple(kinds))

    def entries(self) -> Iterator[tuple[str, str, Entry]]:
        """The entries in use in this stage: the field that asks for it, its word, itself.

        Options that are on have no word. Fields that are not valid are left out.
        """
        for (field, known), word in zip(CATALOG.items(), self._words, strict=True):
            if word and word is not ANY and covers(self.reads, field):
                yield field, word, known[word]
        for field, entry in OPTIONS.items():
            if covers(self.reads, field) and self.known(field):
                yield field, "", entry

    def known(self, field: str) -> Any:
        """The value of a field in this stage; None where it is not valid."""
        try:
            return self.value(field)
        except UnknownError:
            return None

    @cached_property
    def _words(self) -> tuple[str | None, ...]:
        """What each field of the catalog asks for; ANY where its value is not valid."""
        return tuple(self._word(field) for field in CATALOG)

    def _word(self, field: str) -> str | None:
        try:
            value = self.value(field)
        except UnknownError:
            return ANY
        word = NUMBER if isinstance(value, int) else value
        return word if word in CATALOG[field] else None

    def _holds(self, field: str, holds: Callable[[Any], bool]) -> bool:
        """Whether the stage is of a kind; so it is where that is not known."""
        value = self.known(field)
        return value is None or holds(value)

    # what several rooms ask for

    @property
    def preact(self) -> bool:
        return self.spec.pre_activation

    @property
    def block(self) -> str:
        return self._mine(self.spec.block)

    @property
    def depth(self) -> int:
        return self.spec.depths[self.index]

    @property
    def width(self) -> int:
        return self._mine(self.spec.widths)

    @property
    def stride(self) -> int:
        return self._mine(self.spec.strides)

    @property
    def dilation(self) -> int:
        return self._mine(self.spec.dilations)

    @property
    def shortcut(self) -> str:
        return self._mine(self.spec.shortcut)

    @property
    def attention(self) -> str:
        return self._mine(self.spec.attention)

    @property
    def activation(self) -> str:
        return self._mine(self.spec.activation)

    @property
    def stride_on(self) -> str | None:
        """As written, in a stage that has a use for it."""
        on: str | tuple[str | None, ...] | None = self.spec.stride_on
        return self._mine(on) if "stride_on" in self.reads else None

    @property
    def groups(self) -> int:
        groups: int = self.value("groups") if "groups" in self.reads else 1
        return groups

    @property
    def width_per_group(self) -> int | None:
        each: PerBottleneckCount = self.spec.width_per_group
        return self._mine(each) if "width_per_group" in self.reads else None

    @property
    def expansion(self) -> int | None:
        expansion: PerBottleneckCount = self.spec.expansion
        return self._mine(expansion) if "expansion" in self.reads else None

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
        """Channels that the stage's blocks give."""
        pruned = self.spec.pruned.out if self.spec.pruned else ()
        return pruned[self.index] if self.index < len(pruned) else self.unpruned

    @cached_property
    def in_channels(self) -> int:
        """Channels that the stage reads."""
        if self.previous:
            return self.previous.out_channels
        return self.spec.stem.width or self.spec.input[0]

    @cached_property
    def changes(self) -> bool:
        """Whether the first block changes the shape, so that its shortcut must."""
        return self.stride != 1 or self.in_channels != self.out_channels


@lru_cache(maxsize=256)
def _reads(
    words: tuple[str | None, ...], preact: bool, kinds: tuple[bool, ...]
) -> Mapping[str, Read]:
    """What the entries of those words read, in stages of those kinds."""
    found = dict.fromkeys(ANYWAY, Read())
    holds = {"": True, **dict(zip(KINDS, kinds, strict=True))}
    for (field, known), word in zip(CATALOG.items(), words, strict=True):
        if word is None or not covers(found, field):
            continue
        for entry in known.values() if word is ANY else [known[word]]:
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
            return getattr(self.spec, field)
        except UnknownError:
            return None

    def reads(self, field: str) -> bool:
        """Whether any stage reads the field."""
        return any(covers(stage.reads, field) for stage in self.stages)

    @cached_property
    def stages(self) -> tuple[StagePlan, ...]:
        found: list[StagePlan] = []
        for index in range(len(self.spec.depths)):
            found.append(StagePlan(self.spec, index, found[-1] if found else None))
        return tuple(found)


def covers(reads: Mapping[str, Read], field: str) -> bool:
    """Whether a field is read, by itself or as one of all that its mapping has.

    >>> covers({"pruned.*": Read(), "se.ratio": Read()}, "pruned.out")
    True
    """
    return field in reads or f"{field.split('.')[0]}.*" in reads
