"""Which fields of two specs differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from resnet_spec.language.canonical import canonical
from resnet_spec.language.plan import Plan
from resnet_spec.problems.words import flow


class FieldChange(NamedTuple):
    """A field, as `stem.pool`, and its two values; None where nothing reads it."""

    field: str
    a: Any
    b: Any

    @property
    def said(self) -> tuple[str, str]:
        """Both values as a spec has them."""
        old, new = ("unset" if v is None else flow(v) for v in (self.a, self.b))
        return old, new


def changed_fields(a: Plan, b: Plan) -> list[FieldChange]:
    """The fields of the whole specs that differ, with all that they extend and all defaults.

    Empty for two specs that `resnet-spec explain --plain` prints alike.
    """
    return list(_changed(canonical(a), canonical(b), ""))


def _changed(
    a: Mapping[str, Any], b: Mapping[str, Any], above: str
) -> Iterator[FieldChange]:
    for name in {**a, **b}:
        old, new = a.get(name), b.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _changed(old, new, f"{above}{name}.")
        elif old != new:
            yield FieldChange(f"{above}{name}", old, new)
