"""Strides of a height and a width: what torch's own modules compute with such a stride."""

from typing import Any

import pytest
import torch
from torch import nn

from resnet_spec import SpecError, build, load, render
from resnet_spec.compare.equality import verify
from resnet_spec.emit.table import summary
from resnet_spec.language.canonical import canonical
from resnet_spec.language.explanation import explain
from resnet_spec.network import Network
from resnet_spec.passes.cut import cut
from tests.models import rendered

Fields = dict[str, Any]
SMALL: Fields = {
    "input": [3, 40, 36],
    "stem": {"type": "conv3x3", "width": 16, "pool": "none"},
    "depths": [1, 2],
    "widths": [16, 32],
    "head.classes": 3,
}
BOTTLENECK = {"block": "bottleneck", "expansion": 2, "stride_on": "conv2"}
SPLIT = {"type": "split_attention", "radix": 2}
OWN = [
    {"conv": 3},
    "norm",
    "activation",
    {"pool": "max", "kernel": 3, "stride": "block"},
]
EACH: dict[str, Fields] = {
    "projection": {},
    "projection3x3": {"shortcut": "projection3x3"},
    "always": {"shortcut": "projection_always"},
    "averaged": {"shortcut": "avg_projection", "anti_alias": "avg"},
    "rounded down": {"shortcut": "avg_floor_projection", "anti_alias": "avg_floor"},
    "plain": {"shortcut": "none"},
    "preact": {
        "preact": {
            "shortcut": "activated",
            "first": "own",
            "stem_norm": False,
            "final_norm": True,
        }
    },
    "first 1x1": {**BOTTLENECK, "stride_on": "conv1"},
    "res2net": {**BOTTLENECK, "spatial": {"type": "res2net", "scale": 4}},
    "selective kernel": {
        "spatial": {
            "type": "selective_kernel",
            "ratio": 0.25,
            "divisor": 8,
            "split": True,
        }
    },
    "pool after": {**BOTTLENECK, "spatial": {**SPLIT, "pool": "after"}},
    "pool before": {**BOTTLENECK, "spatial": {**SPLIT, "pool": "before"}},
    "own": {
        "block": {"name": "OwnBlock", "body": [*OWN, {"conv": 1}, "norm"]},
        "shortcut": [{"pool": "avg", "stride": "block"}, {"conv": 1}, "norm"],
    },
    "kept width": {"stem.width": 32, "shortcut": "avg_projection"},
}


def small(fields: Fields, strides: Any, **more: Any) -> Network:
    return load("resnet18", {**SMALL, **fields, "strides": strides, **more}).network


def set_to(model: nn.Module, stride: tuple[int, int]) -> int:
    """torch's modules that stride by 2, given that stride; how many there are."""
    count = 0
    for module in model.modules():
        if getattr(module, "stride", 1) in (2, (2, 2)):
            if getattr(module, "kernel_size", 1) in (2, (2, 2)):
                module.kernel_size = stride  # windows side by side
            module.stride, count = stride, count + 1
    return count


@pytest.mark.parametrize("stride", [(2, 1), (1, 2)])
@pytest.mark.parametrize("fields", EACH.values(), ids=EACH)
def test_it_is_the_network_whose_modules_torch_strides_so(
    fields: Fields, stride: tuple[int, int]
) -> None:
    network = small(fields, [1, f"{stride[0]}x{stride[1]}"])
    assert network.disagreement() is None
    assert verify(network, render(network)) == []
    expected = build(small(fields, [1, 2]))
    assert set_to(expected, stride)
    model = build(network)
    model.load_state_dict(expected.state_dict())
    for size in ((40, 36), (19, 23)):
        images = torch.randn(2, 3, *size)
        assert torch.equal(model.eval()(images), expected.eval()(images))


def test_a_stem_strides_so_too() -> None:
    network = small({"stem.stride": "2x1"}, 1)
    expected = build(small({"stem.stride": 2}, 1))
    assert set_to(expected, (2, 1)) == 1
    model, images = build(network), torch.randn(2, 3, 33, 20)
    model.load_state_dict(expected.state_dict())
    assert torch.equal(model.eval()(images), expected.eval()(images))
    assert "stride: int" not in render(network)  # no block has a stride
    assert "nn.Conv2d(3, 16, 3, stride=(2, 1), padding=1" in render(network)


def test_blocks_beside_such_a_block_have_pairs_as_well() -> None:
    source = render(small({"depths": [2, 2, 2], "widths": 16}, [1, 2, [1, "1x2"]]))
    assert "stride: tuple[int, int]) -> None:" in source
    assert "if stride != (1, 1):" in source
    assert "stage(16, width=16, blocks=2, stride=(2, 2))" in source
    assert "BasicBlock(16, width=16, stride=(1, 2))" in source


def test_blocks_of_another_class_have_no_pairs() -> None:
    """Which zeros for channels could not stride by."""
    fields = {"shortcut": ["zero_pad_after", "projection"], "strides": [2, "2x1"]}
    network = load("resnet18", SMALL | fields | {"widths": [32, 32]}).network
    assert verify(network, render(network)) == []
    assert [str(stage.output) for stage in network.stages] == [
        "32 x 20 x 18",
        "32 x 10 x 18",
    ]


def test_one_stride_of_all_blocks_is_no_parameter() -> None:
    source = render(small({"depths": [1, 1]}, "2x1"))
    assert "nn.Conv2d(in_channels, width, 1, stride=(2, 1), bias=False)" in source
    assert "stride: " not in source


def test_alike_sides_are_the_same_network_as_one_number() -> None:
    """The digests of a stage do not tell by whom it stands: (2, 2) is 2."""
    apart, alike = small({}, [2, "2x1"]), small({}, [2, 2])
    first, other = (
        cut(network, ["layer1"]).digests.function for network in (apart, alike)
    )
    assert first == other
    assert apart.digests.layout == alike.digests.layout
    assert apart.digests.function != alike.digests.function


def test_features_and_tables_tell_both_strides() -> None:
    fields = {"depths": [1, 1, 1], "widths": 16}
    network = small(fields, [2, "2x1", "1x2"])
    parts = cut(network, ["layer1", "layer2", "layer3"])
    strides = {"layer1": (2, 2), "layer2": (4, 2), "layer3": (4, 4)}
    for model in (build(parts), rendered(parts)):
        assert model.strides == strides
        given = model(torch.zeros(1, 3, 40, 36))
        for name, (height, width) in strides.items():
            assert given[name].shape[2:] == (40 // height, 36 // width)
    assert cut(network, ["layer1"]).strides == {"layer1": 2}
    assert " 16 x 10 x 18      4x2 " in summary(network)
    assert network.output_stride == 4
    assert small(fields, [1, "2x1", 1]).output_stride == (2, 1)


@pytest.mark.parametrize(
    "fields",
    [
        {"strides": [1, ["2x1", "1x2"]], "stem.stride": "3x1"},
        {"strides": "1x3", "expect.output_stride": "1x9"},
    ],
)
def test_explained_it_is_the_same_spec(fields: Fields, tmp_path: Any) -> None:
    compiled = load("resnet18", {**SMALL, **fields})
    text = explain(compiled.source, compiled.plan, plain=True)
    assert '"' not in text.replace('"https://arxiv.org/abs/1512.03385"', "")
    (tmp_path / "again.yaml").write_text(text)
    again = load(tmp_path / "again.yaml")
    assert canonical(again.plan) == canonical(compiled.plan)
    assert render(again.network) == render(compiled.network)


def test_a_claim_of_both_strides_is_held() -> None:
    load("resnet18", {**SMALL, "strides": [2, "2x1"], "expect.output_stride": "4x2"})
    with pytest.raises(SpecError, match="claims 4, and the network has 4x2"):
        load("resnet18", {**SMALL, "strides": [2, "2x1"], "expect.output_stride": 4})


def test_the_smallest_height_and_width_are_each_its_own() -> None:
    network = small({"head.pool": 5, "input": [3, 20, 10]}, [2, "2x1"])
    heights, widths = network.sides
    model = build(load("resnet18", {**SMALL, "strides": [2, "2x1"]}).network)
    assert (heights.smallest, widths.smallest) == (17, 9)
    assert (heights.largest, widths.largest) == (20, 10)
    last = nn.Sequential(*[*model.children()][:-2])
    for size in ((17, 9), (20, 10)):
        assert last(torch.zeros(1, 3, *size)).shape[2:] == (5, 5)
