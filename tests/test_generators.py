"""Depths and widths by rule: held to timm's rule, and to lists that say the same."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from timm.models.regnet import adjust_widths_groups_comp, generate_regnet, model_cfgs

from resnet_spec import load, read, render
from resnet_spec.language.canonical import digest
from resnet_spec.language.generators import ROUNDINGS, Lists, regnet
from resnet_spec.language.parsing import generated
from resnet_spec.language.shipped import spec_path


def _timm(
    w_0: int, w_a: float, w_m: float, d: int, group_width: int, least: float
) -> Lists:
    """The same by timm's functions."""
    each, _, groups = generate_regnet(w_a, w_0, w_m, d, group_width)
    widths, depths = torch.unique(torch.tensor(each), return_counts=True)
    ratios = [1.0] * len(widths)
    adjusted = adjust_widths_groups_comp(widths.tolist(), ratios, groups, least)
    return Lists(depths.tolist(), *adjusted)


LEAST = {"pycls": 0.0, "torchvision": 0.9}
"""Timm's name of each rounding: the least part of a width that may be left."""


@given(
    st.integers(1, 64).map(lambda eights: 8 * eights),
    st.integers(0, 25_600).map(lambda cents: cents / 100),
    st.integers(15, 40).map(lambda tenths: tenths / 10),
    st.integers(1, 40),
    st.integers(1, 400),
    st.sampled_from(sorted(ROUNDINGS)),
)
def test_the_rule_is_timms(
    w_0: int, w_a: float, w_m: float, d: int, group_width: int, rounding: str
) -> None:
    expected = _timm(w_0, w_a, w_m, d, group_width, LEAST[rounding])
    assert regnet(w_0, w_a, w_m, d, group_width, rounding) == expected


def test_the_roundings_differ_for_ten_of_timms() -> None:
    assert LEAST.keys() == ROUNDINGS.keys()
    assert len(model_cfgs) == 36
    differing = []
    for name, cfg in model_cfgs.items():
        rule = (cfg.w0, cfg.wa, cfg.wm, cfg.depth, cfg.group_size)
        pycls, torchvision = (regnet(*rule, rounding) for rounding in LEAST)
        assert pycls == _timm(*rule, 0.0)
        assert torchvision == _timm(*rule, 0.9)
        if pycls != torchvision:
            differing.append(name)
    assert len(differing) == 10


def test_lists_that_say_the_same_are_the_same_network(tmp_path: Path) -> None:
    ruled = load("regnetx_080")
    file = tmp_path / "regnetx_080.yaml"
    file.write_text(
        "extends: regnetx_002\n"
        "name: RegNetX080\n"
        "title: RegNetX-8.0GF\n"
        "stages: null\n"
        "depths: [2, 5, 15, 1]\n"
        "widths: [80, 240, 720, 1920]\n"
        "group_width: [80, 120, 120, 120]\n"
    )
    listed = load(file)
    assert digest(listed.plan) == digest(ruled.plan)
    assert render(listed.network) == render(ruled.network)


def test_without_groups_a_width_is_a_multiple_of_8_alone() -> None:
    rule = {"stages": {"regnet": {"group_width": None}}}
    plain = {"block": "basic", "stride_on": None, "expansion": None}
    lists = regnet(24, 36.44, 2.49, 13, None, "pycls")
    assert lists.group_width is None
    network = load("regnetx_002", {**rule, **plain}).network
    assert [stage.output.channels for stage in network.stages] == lists.widths


@pytest.mark.parametrize("field", ["depths", "widths", "group_width"])
def test_each_value_is_at_the_rule(field: str) -> None:
    nodes = dict(load("regnetx_002").source.root.walk())
    assert nodes[field,].place == nodes["stages",].place
    assert nodes[field, 0].place == nodes["stages",].place


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        ({"w_0": 65536, "w_a": 0}, True),
        ({"w_0": 65528, "w_a": 8, "w_m": 1.0001, "d": 2}, True),
        ({"w_0": 65528, "w_a": 16, "w_m": 1.0001, "d": 2}, False),
        ({"w_0": 8000, "w_a": 80, "w_m": 1.01, "d": 170}, True),
        ({"w_0": 8000, "w_a": 80, "w_m": 1.01, "d": 171}, False),
    ],
)
def test_a_rule_gives_as_much_as_a_list_may_have(
    rule: dict[str, float], fits: bool
) -> None:
    """Channels up to 65,536, and a hundred stages."""
    said = {f"stages.regnet.{key}": value for key, value in rule.items()}
    source = generated(read(spec_path("regnetx_002"), said))
    assert ("widths" in source.root.value) is fits
    rules = [problem.rule for problem in source.problems]
    assert rules == ([] if fits else ["rule-of-stages"])
