"""Feature maps, as detectors and segmentation models want them."""

import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import nn
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.ops import FeaturePyramidNetwork

from resnet_spec import SpecError, build_model, load, render
from resnet_spec.emit.module import build
from resnet_spec.passes.cut import cut
from tests.models import module_of, rendered, seeded

SPECS = ["resnet18", "resnetd/resnet50d", "resnetv2_18", "detection/resnet50_frozen"]


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("features", [(1, 2, 3, 4), (2, 4), (3,)])
def test_maps_are_those_of_the_stages(spec: str, features: tuple[int, ...]) -> None:
    network = load(spec, features=features).network
    source = render(network)
    made = [seeded(lambda: build(network)), seeded(module_of(source, network.name))]
    images = torch.randn(2, 3, 64, 96)
    maps = [model.eval()(images) for model in made]
    names = [f"layer{number}" for number in features]
    for model, found in zip(made, maps, strict=True):
        assert list(found) == list(model.channels) == list(model.strides) == names
        for name, feature in found.items():
            height, width = 64 // model.strides[name], 96 // model.strides[name]
            assert feature.shape == (2, model.channels[name], height, width)
            assert torch.equal(feature, maps[0][name])
    x = images
    for name, child in made[0].named_children():
        x = child(x)
        if name in maps[0]:
            assert torch.equal(x, maps[0][name])


@pytest.mark.parametrize("way", ["built", "generated"])
def test_it_works_inside_torchvisions_pyramid(way: str) -> None:
    network = load("resnet18", features=(1, 2, 3, 4)).network
    ours = build(network) if way == "built" else rendered(network)
    layers = {name: str(i) for i, name in enumerate(ours.channels)}
    pyramid = BackboneWithFPN(ours, layers, list(ours.channels.values()), 32)
    maps = pyramid(torch.randn(1, 3, 64, 64))
    assert [tuple(m.shape[1:]) for m in maps.values()] == [
        (32, 16, 16),
        (32, 8, 8),
        (32, 4, 4),
        (32, 2, 2),
        (32, 1, 1),
    ]
    direct = FeaturePyramidNetwork(list(ours.channels.values()), 32)
    assert len(direct(ours(torch.randn(1, 3, 64, 64)))) == 4


def test_what_is_given_is_part_of_what_is_computed() -> None:
    """Of networks with the same ops as well."""
    asked: list[tuple[str | int, ...]] = [("pool",), ("stem", "pool"), (2,), (1, 2)]
    asked += [("pool", 2), ("stem", 2)]
    made = [load("resnet18", features=features).network.digests for features in asked]
    assert len({digests.function for digests in made}) == len(asked)
    assert len({digests.layout for digests in made}) == 2


def test_a_body_drops_its_blocks_as_the_whole_network_does() -> None:
    """The rates grow over all blocks, also those that the body has no longer."""
    whole = build_model_with({"drop_path": 0.3})
    body = build_model_with({"drop_path": 0.3}, features=(2,))
    rates = [module.rate for module in whole.modules() if hasattr(module, "rate")]
    assert rates == [0.3 * i / 7 for i in range(8)]
    kept = [module.rate for module in body.modules() if hasattr(module, "rate")]
    assert kept == rates[:4]


@pytest.mark.parametrize("count", [4, 5, 6])
def test_a_formatter_leaves_many_maps_as_they_are(count: int) -> None:
    network = load("resnet18").network
    source = render(cut(network, network.parts[:count]))
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "-"]
    done = subprocess.run(
        command, input=source, capture_output=True, text=True, check=True
    )
    assert done.stdout == source


def build_model_with(
    overrides: dict[str, Any], features: tuple[int, ...] = ()
) -> nn.Module:
    return build(load("resnet18", overrides, features).network)


def test_what_stands_behind_the_last_feature_is_left_out() -> None:
    model = build_model("resnet50", features=[2])
    assert not hasattr(model, "layer3")
    assert not hasattr(model, "fc")
    text = render(load("resnet50", features=[2]).network)
    assert "output   layer2 512 x 28 x 28" in text
    assert "load unchanged" not in text
    assert "load unchanged" not in render(load("resnet50", features=[4]).network)
    assert "MACs (convolutions, one image)" in text


@pytest.mark.parametrize(
    "features",
    [
        [0],
        [5],
        [1, 1],
        [-1, 2],
        [1, "layer1"],
        [True],
        [1.0],
        ["layer5"],
        ["1"],
        "stem",
    ],
)
def test_features_are_different_parts_that_are_there(features: Any) -> None:
    network = load("resnet18").network
    with pytest.raises(SpecError) as caught:
        cut(network, features)
    (problem,) = caught.value.problems
    assert problem.rule == "features"
    assert problem.message == (
        "features must be different ones of stem, pool, layer1, layer2, layer3, layer4, got "
        + ", ".join(map(str, features))
    )


def test_what_is_not_there_is_no_mistake_of_the_specs() -> None:
    """It is not placed at a line, for nothing is wrong in any."""
    with pytest.raises(SpecError, match=r"^ResNet20: features must be different"):
        load("cifar/resnet20", features=["pool"])


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("head.classes", 3, "head.classes=3"),
        ("head", {"dropout": 0.5}, "head={dropout: 0.5}"),
    ],
)
def test_a_changed_head_is_refused_for_features_have_none(
    key: str, value: object, said: str
) -> None:
    with pytest.raises(SpecError) as caught:
        load("resnet18", {key: value, "input": [3, 64, 64]}, features=[1])
    expected = f"override {said}: changes nothing, features have no head; leave it out"
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    "spec", ["resnet18", "resnet50_gn", "resnetv2_18", "resnetrs50"]
)
@pytest.mark.parametrize("features", [("stem",), ("pool",), ("stem", "pool", 2)])
def test_the_stem_before_and_after_its_pool(
    spec: str, features: tuple[str | int, ...]
) -> None:
    """Built and generated give what the modules of the whole network give on their way."""
    whole = build(load(spec).network).eval()
    network = load(spec, features=features).network
    made = [build(network), rendered(network)]
    images = torch.randn(1, 3, 64, 96)
    x, expected = images, {}
    for name, child in whole.named_children():
        before, x = x, child(x)
        if name in ("pool", "maxpool"):
            expected |= {"stem": before, "pool": x}
        expected[name] = x
        if name == "layer2":
            break
    for model in made:
        model.load_state_dict(whole.state_dict(), strict=False)
        maps = model.eval()(images)
        assert list(maps) == list(network.channels)
        for name, feature in maps.items():
            assert torch.equal(feature, expected[name])
            stride = model.strides[name]
            assert feature.shape[1:] == (
                model.channels[name],
                64 // stride,
                96 // stride,
            )


def test_a_stem_alone_has_no_stages() -> None:
    network = load("resnet18", features=["stem"]).network
    assert (network.stages, network.pool, network.params) == ((), (), 64 * 3 * 49 + 128)


def test_a_long_line_of_maps_goes_on_below_its_first_word() -> None:
    """As the paper's title does: column 13, and no line of the header is too long."""
    network = load("resnetd/resnet50d", features=("stem", 1, 2, 3, 4)).network
    header = render(network).split("Generated by")[0].splitlines()
    start = next(i for i, line in enumerate(header) if line.startswith("    output"))
    assert header[start + 1].startswith(" " * 13 + "1024 x 14 x 14, layer4")
    assert max(map(len, header)) <= 88
