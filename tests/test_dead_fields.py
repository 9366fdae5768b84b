"""Nothing that a spec may say is without effect."""

import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel

from resnet_spec import SpecError, load, render
from resnet_spec.canonical import canonical
from resnet_spec.lower import lower
from resnet_spec.spec import Spec
from tests.strategies import parsed, spec_data


@pytest.mark.slow
@given(spec_data(), spec_data(), st.data())
def test_a_change_is_refused_or_changes_the_source(
    data: dict[str, Any], other: dict[str, Any], draw: st.DataObject
) -> None:
    field = draw.draw(st.sampled_from(sorted({*data, *other} - {"name", "title"})))
    changed = {**data, field: other.get(field)}
    changed = {k: v for k, v in changed.items() if v is not None}
    try:
        first, second = parsed(data), parsed(changed)
        networks = lower(first), lower(second)
    except SpecError:
        assume(False)
    same = canonical(first) == canonical(second)
    sources = [render(network) for network in networks]
    assert (sources[0] == sources[1]) is same


SPEC = "specs/resnet50.yaml"
LIVE: dict[str, Any] = {
    "name": "Other",
    "title": "Other",
    "paper.title": "Other",
    "paper.url": "https://example.org",
    "input": [4, 64, 64],
    "stem.type": "conv3x3",
    "stem.width": 32,
    "stem.pool": "none",
    "block": "basic",
    "stride_on": "conv1",
    "expansion": 2,
    "depths": [1, 1, 1, 1],
    "widths": 64,
    "strides": [1, 2, 2, 1],
    "dilations": 2,
    "groups": 32,
    "width_per_group": 128,
    "shortcut": "zero_pad",
    "norm.eps": 1e-3,
    "norm.momentum": 0.01,
    "activation": "silu",
    "init.zero_last_norm": True,
    "head.pool": 7,
    "head.dropout": 0.2,
    "head.classes": 10,
}
"""For each field, a value that changes ResNet-50."""


def leaves(model: type[BaseModel], path: str = "") -> list[str]:
    """The fields that hold no mapping, as dotted paths."""
    found = []
    for name, field in model.model_fields.items():
        options = getattr(field.annotation, "__args__", (field.annotation,))
        inner = [o for o in options if isinstance(o, type) and issubclass(o, BaseModel)]
        found += leaves(inner[0], f"{path}{name}.") if inner else [f"{path}{name}"]
    return found


def test_every_field_is_listed() -> None:
    claims = {path for path in leaves(Spec) if path.startswith("expect.")}
    assert set(LIVE) == set(leaves(Spec)) - claims


@pytest.mark.parametrize("field", LIVE)
def test_every_field_changes_a_network(field: str) -> None:
    same, more = {}, {}
    if field == "block":  # which takes the fields of bottlenecks with it
        same, more = {"strides": 1, "stride_on": None}, {"expansion": None}
    before = load(SPEC, same).network
    after = load(SPEC, {**same, **more, field: LIVE[field]}).network
    assert render(before) != render(after)


@pytest.mark.parametrize("claim", ["params", "macs", "output_stride"])
def test_every_claim_is_held(claim: str) -> None:
    with pytest.raises(SpecError, match=re.escape(f"expect.{claim}: claims 1,")):
        load(SPEC, {f"expect.{claim}": 1})
    with pytest.raises(SpecError, match="claims"):
        load(SPEC, {"expect.features": [[1, 1, 1]] * 4})
