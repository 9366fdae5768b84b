"""Spec -> one row a stage, so that nobody else asks whether a field has one value or many."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeVar

from resnet_spec.language.fields import (
    ActivationKind,
    AttentionKind,
    BlockKind,
    ShortcutKind,
    Spec,
    StrideOn,
)
from resnet_spec.problems import Path

T = TypeVar("T")
PerBottleneckCount = int | tuple[int | None, ...] | None

PER_STAGE = {
    "block": "block",
    "depth": "depths",
    "width": "widths",
    "stride": "strides",
    "dilation": "dilations",
    "groups": "groups",
    "width_per_group": "width_per_group",
    "expansion": "expansion",
    "stride_on": "stride_on",
    "shortcut": "shortcut",
    "attention": "attention",
    "activation": "activation",
}
"""The field of `Spec` behind each property of `Row`."""


STEMS = ("conv7x7", "conv3x3", "deep", "tiered")
OF_TYPE: dict[tuple[str, str], tuple[tuple[str, ...], str]] = {
    ("stem", "width"): (STEMS, "64"),
    ("stem", "pool"): (STEMS, "max"),
    ("norm", "groups"): (("group", "evonorm_s0"), "32"),
    ("norm", "momentum"): (("batch",), ""),
    ("spatial", "scale"): (("res2net",), "4"),
    ("spatial", "radix"): (("split_attention",), "2"),
    ("spatial", "pool"): (("split_attention",), "after"),
    ("spatial", "ratio"): (("selective_kernel",), "0.0625"),
    ("spatial", "divisor"): (("selective_kernel",), "8"),
    ("spatial", "split"): (("selective_kernel",), "true"),
}
"""Fields that only some types of their model use, and an example where those need it."""


@dataclass(frozen=True, eq=False)
class Row:
    """What a spec says of one stage: its entry, or the one value for all stages.

    What only bottlenecks have is left out of other blocks, so that two specs of one network
    have the same rows.
    """

    spec: Spec
    index: int

    def _mine(self, value: T | tuple[T, ...]) -> T:
        return value[self.index] if isinstance(value, tuple) else value

    def path(self, field: str) -> Path:
        """Where a field's value for this stage stands: its entry, or the one value."""
        each = isinstance(getattr(self.spec, field), tuple)
        return (field, self.index) if each else (field,)

    @property
    def block(self) -> BlockKind:
        return self._mine(self.spec.block)

    @property
    def is_bottleneck(self) -> bool:
        return self.block == "bottleneck"

    @property
    def needs_stride_on(self) -> bool:
        return self.is_bottleneck and self.stride > 1

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
    def groups(self) -> int:
        groups: PerBottleneckCount = self.spec.groups
        return self._mine(groups) or 1 if self.is_bottleneck else 1

    @property
    def width_per_group(self) -> int | None:
        each: PerBottleneckCount = self.spec.width_per_group
        return self._mine(each) if self.is_bottleneck else None

    @property
    def inner_width(self) -> int:
        """Channels of a 3x3, by torchvision 0.29's rule for width_per_group."""
        if self.width_per_group is None:
            return self.width
        return self.width * self.width_per_group // 64 * self.groups

    @property
    def expansion(self) -> int | None:
        expansion: PerBottleneckCount = self.spec.expansion
        return self._mine(expansion) if self.is_bottleneck else None

    @cached_property
    def stride_on(self) -> StrideOn | None:
        """As written where the stage strides, else as in the first that does."""
        if self.needs_stride_on:
            on: StrideOn | tuple[StrideOn | None, ...] | None = self.spec.stride_on
            return self._mine(on)
        striding = (row for row in rows(self.spec) if row.needs_stride_on)
        return next((row.stride_on for row in striding), None)

    @cached_property
    def shortcut(self) -> ShortcutKind:
        """As written, where that makes a difference to a projection.

        Elsewhere it is that of another stage of such blocks, which it might as well be, so
        that both are of one class.
        """
        said = self._shortcut
        if said == "none" or self._is_special:
            return said
        if self._changes and self.stride != 1:
            return "projection"
        others = (row for row in rows(self.spec) if row.block == self.block)
        special = [row._shortcut for row in others if row._is_special]
        if self._changes:
            special = [kind for kind in special if kind == "projection3x3"]
        if not special or special[0] == "projection_always":
            return "projection"
        return special[0]

    @property
    def _shortcut(self) -> ShortcutKind:
        return self._mine(self.spec.shortcut)

    @cached_property
    def _is_special(self) -> bool:
        """Whether the stage would be another one with a plain projection."""
        if self._shortcut == "projection_always":
            return not (self._changes and self.depth == 1)
        if self._shortcut == "projection3x3":
            return self.stride != 1
        return self._shortcut in ("avg_projection", "zero_pad") and self._changes

    @property
    def _changes(self) -> bool:
        """Whether the first block changes the shape, so that its shortcut must."""
        return self.stride != 1 or self._before != self.out_channels

    @property
    def unpruned(self) -> int:
        """Channels that the stage's blocks give where nothing is pruned."""
        return self.width * (self.expansion or 1)

    @property
    def out_channels(self) -> int:
        """Channels that the stage's blocks give."""
        pruned = self.spec.pruned.out if self.spec.pruned else ()
        return pruned[self.index] if self.index < len(pruned) else self.unpruned

    @property
    def _before(self) -> int:
        """Channels that the stage reads."""
        if self.index:
            return rows(self.spec)[self.index - 1].out_channels
        return self.spec.stem.width or self.spec.input[0]

    @property
    def attention(self) -> AttentionKind:
        return self._mine(self.spec.attention)

    @property
    def activation(self) -> ActivationKind:
        return self._mine(self.spec.activation)


def rows(spec: Spec) -> tuple[Row, ...]:
    """The stages, one row each."""
    return _rows(_Same(spec))


class _Same:
    """A spec that equals itself alone, so that what is known of it is found at once."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec

    def __hash__(self) -> int:
        return id(self.spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.spec is other.spec


@lru_cache(maxsize=4)
def _rows(same: _Same) -> tuple[Row, ...]:
    return tuple(Row(same.spec, i) for i in range(len(same.spec.depths)))
