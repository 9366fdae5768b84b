"""Nothing that a spec may say is without effect."""

import json
import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel

from resnet_spec import SpecError, load, render
from resnet_spec.language.canonical import canonical
from resnet_spec.language.fields import Preact, RegNet, Spec
from resnet_spec.lowering import lower
from resnet_spec.network import Digests, digests
from tests.strategies import Pool, parsed


@pytest.mark.slow
@given(st.data())
def test_one_form_is_one_source_and_one_source_one_network(
    drawn: Pool, draw: st.DataObject
) -> None:
    """Of a spec and the same with another field: what is equal, and what follows from it."""
    data, other = (draw.draw(st.sampled_from(drawn)).data for _ in range(2))
    field = draw.draw(st.sampled_from(sorted({*data, *other} - {"name", "title"})))
    changed = {**data, field: other.get(field)}
    changed = {k: v for k, v in changed.items() if v is not None}
    try:
        plans = parsed(data), parsed(changed)
        networks = [lower(plan) for plan in plans]
    except SpecError:
        assume(False)
    forms, sources = map(canonical, plans), list(map(render, networks))
    known = [digests(network) for network in networks]
    if len({json.dumps(form, sort_keys=True) for form in forms}) == 1:
        assert sources[0] == sources[1]
    if sources[0] == sources[1]:
        assert known[0] == known[1]


SPEC = "specs/resnet50.yaml"
LIVE: dict[str, Any] = {
    "name": "Other",
    "title": "Other",
    "paper.title": "Other",
    "paper.url": "https://example.org",
    "input": [4, 64, 64],
    "stem.type": "conv3x3",
    "stem.width": 32,
    "stem.stride": 1,
    "stem.pool": "none",
    "block": "basic",
    "stride_on": "conv1",
    "expansion": 2,
    "depths": [1, 1, 1, 1],
    "widths": 64,
    "strides": [1, 2, 2, 1],
    "dilations": [1, 1, 1, [1, 2, 1]],
    "dilation_from": "own",
    "groups": 32,
    "width_per_group": 128,
    "group_width": 16,
    "stages.regnet.w_0": 32,
    "stages.regnet.w_a": 40,
    "stages.regnet.w_m": 2.2,
    "stages.regnet.d": 14,
    "stages.regnet.group_width": 4,
    "stages.regnet.rounding": "torchvision",
    "shortcut": "zero_pad_after",
    "preact.shortcut": "raw",
    "preact.first": "shared",
    "preact.stem_norm": True,
    "preact.final_norm": False,
    "reduce_first": 2,
    "anti_alias": "blur",
    "blur_taps": 4,
    "attention": "se",
    "attention_after": "conv2",
    "se.ratio": 0.25,
    "se.ratio_of": "input",
    "se.divisor": 3,
    "se.least": 256,
    "se.activation": "silu",
    "se.activated": True,
    "se.bias": False,
    "spatial.type": "split_attention",
    "spatial.scale": 8,
    "spatial.radix": 4,
    "spatial.pool": "before",
    "spatial.ratio": 0.25,
    "spatial.divisor": 128,
    "spatial.split": False,
    "dropout": 0.3,
    "drop_path": 0.2,
    "standardization.eps": 1e-8,
    "pruned.conv1": [[8] * 3, [8] * 4, [8] * 6, [9] * 3],
    "pruned.conv2": [[8] * 3, [8] * 4, [8] * 6, [9] * 3],
    "pruned.out": [8, 8, 8, 9],
    "conv_bias": "projection",
    "norm.type": "frozen",
    "norm.groups": 16,
    "norm.channels_per_group": 16,
    "norm.eps": 1e-3,
    "norm.momentum": 0.01,
    "activation": "silu",
    "init.scheme": "bit",
    "init.zero_last_norm": True,
    "head.pre": [{"conv": 1, "to": 64}],
    "head.pool": 7,
    "head.classifier": "conv",
    "head.hidden": [512, "norm", "activation"],
    "head.bias": False,
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


WHERE = {
    "blur_taps": "resnetblur50",
    "attention_after": "seresnet50",
    "norm.groups": "resnet50_gn",
    "norm.channels_per_group": "resnet50_gn",
    "pruned.conv1": "ecaresnet50d_pruned",
    "pruned.conv2": "ecaresnet50d_pruned",
    "pruned.out": "ecaresnet50d_pruned",
    "se.ratio": "seresnet50",
    "se.ratio_of": "seresnet50",
    "se.divisor": "seresnet50",
    "se.least": "seresnet50",
    "se.activation": "seresnet50",
    "se.activated": "seresnet18",
    "se.bias": "seresnet50",
    "spatial.type": "res2net50_26w_4s",
    "spatial.scale": "res2net50_26w_4s",
    "spatial.radix": "resnest50d",
    "spatial.pool": "resnest50d",
    "spatial.ratio": "skresnet50",
    "spatial.divisor": "skresnet50",
    "spatial.split": "skresnet50",
    "dropout": "resnet18",
    "dilation_from": "fcn_resnet50_backbone",
    **{f"preact.{key}": "resnetv2_18" for key in Preact.model_fields},
    **{f"stages.regnet.{key}": "regnetx_004" for key in RegNet.model_fields},
}
"""For fields without a place in ResNet-50, a network that has them."""
WITH: dict[str, dict[str, Any]] = {
    "block": {"strides": 1, "stride_on": None, "expansion": None},
    "norm.channels_per_group": {"norm.groups": None},
    "spatial.type": {
        "spatial.scale": None,
        "spatial.radix": 2,
        "spatial.pool": "after",
    },
}
"""What a field takes with it."""


DIGESTS = {
    **dict.fromkeys(("name", "title", "paper.title", "paper.url"), ""),
    **dict.fromkeys(("dropout", "drop_path", "head.dropout"), "training"),
    "norm.momentum": "training",
    "norm.type": "layout training",  # a frozen norm counts no batches
    **dict.fromkeys(("init.scheme", "init.zero_last_norm"), "init"),
    "head.pool": "image",  # over the whole of the last map, of one size alone
    "head.classifier": "layout",  # the weights of a linear layer in another shape
}
"""The digests that a field changes, where it changes nothing that evaluation computes."""


@pytest.mark.parametrize("field", LIVE)
def test_every_field_changes_a_network(field: str) -> None:
    spec = WHERE.get(field, SPEC)
    same = {"strides": 1, "stride_on": None} if field == "block" else {}
    before = load(spec, same).network
    after = load(spec, {**WITH.get(field, {}), field: LIVE[field]}).network
    assert render(before) != render(after)
    pairs = zip(Digests._fields, before.digests, after.digests, strict=True)
    changed = {name for name, was, now in pairs if was != now}
    if field in DIGESTS:
        assert changed == {*DIGESTS[field].split()}
    else:
        assert "function" in changed


@pytest.mark.parametrize("claim", ["params", "macs", "output_stride"])
def test_every_claim_is_held(claim: str) -> None:
    with pytest.raises(SpecError, match=re.escape(f"expect.{claim}: claims 1,")):
        load(SPEC, {f"expect.{claim}": 1})
    with pytest.raises(SpecError, match="claims"):
        load(SPEC, {"expect.features": [[1, 1, 1]] * 4})
