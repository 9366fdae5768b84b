"""Spec -> one row a stage, so that nobody else asks whether a field has one value or many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from resnet_spec.spec import ActivationKind, BlockKind, ShortcutKind, Spec, StrideOn

T = TypeVar("T")

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
    "activation": "activation",
}
"""The field of `Spec` behind each property of `Row`."""


@dataclass(frozen=True)
class Row:
    """What a spec says of one stage: its entry, or the one value for all stages."""

    spec: Spec
    index: int

    def _mine(self, value: T | tuple[T, ...]) -> T:
        return value[self.index] if isinstance(value, tuple) else value

    @property
    def block(self) -> BlockKind:
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
    def groups(self) -> int:
        return self._mine(self.spec.groups)

    @property
    def width_per_group(self) -> int | None:
        return self._mine(self.spec.width_per_group)

    @property
    def expansion(self) -> int | None:
        return self._mine(self.spec.expansion)

    @property
    def stride_on(self) -> StrideOn | None:
        return self._mine(self.spec.stride_on)

    @property
    def shortcut(self) -> ShortcutKind:
        return self._mine(self.spec.shortcut)

    @property
    def activation(self) -> ActivationKind:
        return self._mine(self.spec.activation)


def rows(spec: Spec) -> tuple[Row, ...]:
    """The stages, one row each."""
    return tuple(Row(spec, i) for i in range(len(spec.depths)))
