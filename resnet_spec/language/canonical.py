"""Plan -> the spec in the one form that the docs and a digest show, defaults filled in."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from resnet_spec.language.chains import OwnBlock, Step
from resnet_spec.language.fields import Spec
from resnet_spec.language.plan import PER_STAGE, Plan, StagePlan, covers, written
from resnet_spec.language.values import LeakyReLU

LISTS = ("depths", "widths", "strides")  # always written stage by stage


def canonical(plan: Plan) -> dict[str, Any]:
    """The spec as plain data, with all that this network reads and nothing else.

    It is a spec again, of the same network. A field has one value where all stages that
    read it agree, and claims are left out.
    """
    plain = plan.spec.model_dump(mode="json", exclude={"expect", "stages"})
    said = {name: _said(plan, name, value) for name, value in plain.items()}
    return {name: value for name, value in said.items() if value not in (None, {})}


def digest(plan: Plan) -> str:
    """Twelve hexadecimal digits of the SHA-256 of the canonical form without its defaults.

    So a field that the language gains, with a default, moves no digest.
    """
    text = json.dumps(_beyond_defaults(plan), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _beyond_defaults(plan: Plan) -> dict[str, Any]:
    """The canonical form without what the language has where nothing is said."""
    plain = plan.spec.model_dump(mode="json", exclude_defaults=True)
    said = {}
    for name, value in canonical(plan).items():
        default = Spec.model_fields[name].default
        if name not in plain or value == default:
            continue
        said[name] = value
        if isinstance(value, dict) and name not in PER_STAGE:
            said[name] = {
                key: inner
                for key, inner in value.items()
                if key in plain[name] and inner != getattr(default, key, ...)
            }
    return {name: value for name, value in said.items() if value != {}}


def _said(plan: Plan, name: str, value: Any) -> Any:
    """The value of a field as the form has it; None or {} for nothing."""
    if name in PER_STAGE:
        return _by_stage(plan, name)
    if isinstance(value, dict):
        fields = {key: f"{name}.{key}" for key in value}
        read = {
            key: (_by_stage if field in PER_STAGE else _whole)(plan, field)
            for key, field in fields.items()
            if plan.reads(field)
        }
        return {key: inner for key, inner in read.items() if inner is not None}
    return value if plan.reads(name) else None


def _whole(plan: Plan, name: str) -> Any:
    return _plain(written(plan.spec, name))


def _by_stage(plan: Plan, name: str) -> Any:
    """One value where all that read the field agree, else a list; None where nothing does."""
    each = [_by_block(stage, name) for stage in plan.stages]
    read = [value for values in each for value in values if value is not UNREAD]
    if all(value is None for value in read):
        return None
    listed = name == "dilations" and any(isinstance(value, list) for value in read)
    alike = all(value == read[0] for value in read) and {*map(len, each)} == {1}
    if name not in LISTS and alike and not listed:
        return read[0]
    plain = [[None if v is UNREAD else v for v in values] for values in each]
    return [values[0] if len(values) == 1 else values for values in plain]


UNREAD: Any = object()  # what a field has where nothing reads it


def _by_block(stage: StagePlan, name: str) -> list[Any]:
    """What each block has, or in a list of one what all have that read the field.

    A list of dilations stays one, for it says that of the first block, too.
    """
    reading = [block for block in stage.blocks if covers(block.reads, name)]
    if not reading:
        return [UNREAD]
    if name == "dilations":
        return [_plain(stage.said_dilations)]
    if name == "strides":
        first, *others = (block.stride for block in stage.blocks)
        return [first, *others] if {*others} - {1} else [first]
    values = [_plain(block.value(name)) for block in reading]
    if all(value == values[0] for value in values):
        return values[:1]
    known = iter(values)
    return [next(known) if block in reading else UNREAD for block in stage.blocks]


def _plain(value: Any) -> Any:
    """A value as plain data: of a block of one's own all that it has, of an op what is said."""
    if isinstance(value, tuple):
        return [*map(_plain, value)]
    if isinstance(value, Step):
        return value.model_dump(exclude_defaults=True)
    if isinstance(value, OwnBlock):
        chains = {"pre": value.pre, "body": value.body, "post": value.post}
        return {"name": value.name, **{k: _plain(v) for k, v in chains.items()}}
    return value.model_dump() if isinstance(value, LeakyReLU) else value
