"""Plan -> the spec in the one form that the docs and a digest show, defaults filled in."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import BaseModel

from resnet_spec.language.plan import PER_STAGE, Plan, covers

LISTS = ("depths", "widths", "strides")  # always written stage by stage


def canonical(plan: Plan) -> dict[str, Any]:
    """The spec as plain data, with all that this network reads and nothing else.

    It is a spec again, of the same network. A field has one value where all stages that
    read it agree, and claims are left out.
    """
    spec = plan.spec
    return {
        name: found
        for name in type(spec).model_fields
        if name != "expect" and (found := _said(plan, name)) not in (None, {})
    }


def digest(plan: Plan) -> str:
    """Twelve hexadecimal digits of the SHA-256 of the canonical form."""
    text = json.dumps(canonical(plan), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _said(plan: Plan, name: str) -> Any:
    """The value of a field as the form has it; None or {} for nothing."""
    if name in PER_STAGE:
        return _by_stage(plan, name)
    value = getattr(plan.spec, name)
    if isinstance(value, BaseModel):
        items = value.model_dump(mode="json").items()
        return {k: v for k, v in items if v is not None and _reads(plan, f"{name}.{k}")}
    plain = plan.spec.model_dump(mode="json", include={name})[name]
    return plain if _reads(plan, name) else None


def _by_stage(plan: Plan, name: str) -> Any:
    """One value where the stages agree, else a list; None where no stage reads the field."""
    reading = [stage for stage in plan.stages if covers(stage.reads, name)]
    values = [stage.value(name) for stage in reading]
    if all(value is None for value in values):
        return None
    if name not in LISTS and all(value == values[0] for value in values):
        return values[0]
    return [stage.value(name) if stage in reading else None for stage in plan.stages]


def _reads(plan: Plan, field: str) -> bool:
    return any(covers(stage.reads, field) for stage in plan.stages)
