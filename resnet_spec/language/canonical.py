"""Spec -> the form that all specs of the same network have in common, and its digest."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from resnet_spec.language.fields import Spec
from resnet_spec.language.plan import OF_TYPE, PER_STAGE, Row, rows

LISTS = ("depths", "widths", "strides")  # always written stage by stage
BOTTLENECK = ("expansion", "groups", "width_per_group")


def canonical(spec: Spec) -> dict[str, Any]:
    """The spec as plain data, defaults filled in, each thing said in one way.

    It is a spec again, of the same network. Two specs of one network have the same, since a
    field has one value where all stages that use it agree, and claims are left out.
    """
    plain = spec.model_dump(mode="json", exclude={"expect"})
    stages = rows(spec)
    for name, field in PER_STAGE.items():
        plain[field] = _said(
            field, [(_uses(row, field), getattr(row, name)) for row in stages]
        )
    for (name, field), (types, _) in OF_TYPE.items():
        if plain[name] and plain[name]["type"] not in types:
            del plain[name][field]
    return {key: value for key, value in plain.items() if value is not None}


def digest(spec: Spec) -> str:
    """Twelve hexadecimal digits of the SHA-256 of the canonical form."""
    text = json.dumps(canonical(spec), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _uses(row: Row, field: str) -> bool:
    if field == "stride_on":
        return row.needs_stride_on
    return row.is_bottleneck or field not in BOTTLENECK


def _said(field: str, entries: list[tuple[bool, Any]]) -> Any:
    """One value where the stages agree, else a list; None where no stage uses the field."""
    values = [value for used, value in entries if used]
    if not values:
        return None
    if field in LISTS or any(value != values[0] for value in values):
        return [value if used else None for used, value in entries]
    return values[0]
