"""torchvision's ten ResNets: the same network, bit for bit, built and generated."""

from typing import Any

import pytest
import torch
import torchvision
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

from resnet_spec import build_model, load
from resnet_spec.emit.module import build
from tests.models import assert_same_results, assert_same_state, both, seeded

NAMES = [
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "wide_resnet50_2",
    "wide_resnet101_2",
]


OWN, ODD = (224, 224), [(97, 61), (33, 1)]
LIGHT = ["resnet34", "resnext50_32x4d"]  # depth and width add no code


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_it_is_torchvisions(name: str) -> None:
    are_equal(name, [OWN, *ODD])


@pytest.mark.slow
@pytest.mark.parametrize("name", LIGHT)
def test_it_is_torchvisions_at_odd_sizes(name: str) -> None:
    are_equal(name, ODD)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_all_ten_are_torchvisions_at_every_size(name: str) -> None:
    are_equal(name, [OWN, *ODD])


def are_equal(name: str, sizes: list[tuple[int, int]]) -> None:
    """Built and generated, beside one of torchvision's."""
    ours = [seeded(make) for make in both(name).values()]
    theirs = seeded(getattr(torchvision.models, name))
    for model in ours:
        assert_same_state(model, theirs)
    for size in sizes:
        assert_same_results([*ours, theirs], torch.randn(2, 3, *size))


@pytest.mark.slow
@pytest.mark.parametrize("replace", [(False, True, True), (False, False, True)])
def test_dilation_is_torchvisions(replace: tuple[bool, ...]) -> None:
    """Strides traded for dilation, as in FCN and DeepLabV3."""
    strides, dilations, dilation = [1], [1], 1
    for traded in replace:
        dilation *= 2 if traded else 1
        strides.append(1 if traded else 2)
        dilations.append(dilation)
    overrides = {"strides": strides, "dilations": dilations}
    overrides |= {"dilation_from": "previous"}
    network = load("specs/resnet50.yaml", overrides).network
    ours = seeded(lambda: build(network))
    theirs = seeded(
        lambda: torchvision.models.resnet50(replace_stride_with_dilation=list(replace))
    )
    assert_same_state(ours, theirs)
    assert_same_results([ours, theirs], torch.randn(2, 3, 65, 41))


@pytest.mark.slow
def test_zeroed_norms_are_torchvisions() -> None:
    network = load("specs/resnet50.yaml", {"init.zero_last_norm": True}).network
    ours = seeded(lambda: build(network))
    theirs = seeded(lambda: torchvision.models.resnet50(zero_init_residual=True))
    assert_same_state(ours, theirs)


@pytest.mark.slow
def test_another_number_of_classes() -> None:
    ours = seeded(lambda: build_model("specs/resnet50.yaml", num_classes=7))
    theirs = seeded(lambda: torchvision.models.resnet50(num_classes=7))
    assert_same_state(ours, theirs)
    assert ours(torch.zeros(1, 3, 40, 40)).shape == (1, 7)


class Always(ResNet):
    """torchvision's network with a projection in every block."""

    def _make_layer(
        self,
        block: Any,
        planes: int,
        blocks: int,
        stride: int = 1,
        dilate: bool = False,
    ) -> nn.Sequential:
        assert not dilate
        made = []
        for i in range(blocks):
            step = stride if i == 0 else 1
            projection = nn.Sequential(
                nn.Conv2d(self.inplanes, planes, 1, step, bias=False),
                nn.BatchNorm2d(planes),
            )
            made.append(block(self.inplanes, planes, step, projection))
            self.inplanes = planes
        return nn.Sequential(*made)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["built", "generated"])
def test_option_c_is_torchvisions_blocks_all_projected(way: str) -> None:
    ours = seeded(both("shortcuts/resnet34_always")[way])
    theirs = seeded(lambda: Always(BasicBlock, [3, 4, 6, 3]))
    assert_same_state(ours, theirs)
    assert_same_results([ours, theirs], torch.randn(2, 3, 97, 61))


class V1(Bottleneck):
    """torchvision's bottleneck with the stride moved to the first 1x1."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.conv1.stride, self.conv2.stride = self.conv2.stride, self.conv1.stride


@pytest.mark.slow
@pytest.mark.parametrize("way", ["built", "generated"])
def test_v1_is_torchvisions_with_the_stride_moved(way: str) -> None:
    ours = seeded(both("v1/resnet50_v1")[way])
    theirs = seeded(lambda: ResNet(V1, [3, 4, 6, 3]))
    assert_same_state(ours, theirs)
    images = torch.randn(2, 3, 97, 61)
    assert_same_results([ours, theirs], images)
    v1_5 = torchvision.models.resnet50()
    v1_5.load_state_dict(ours.state_dict())
    assert not torch.equal(v1_5.eval()(images), ours.eval()(images))


def test_v1_costs_what_the_paper_says() -> None:
    """Table 1 of https://arxiv.org/abs/1512.03385 counts 3.8, 7.6 and 11.3 x 1e9."""
    costs = [
        load(f"specs/v1/resnet{depth}_v1.yaml").network.macs for depth in (50, 101, 152)
    ]
    assert [round(cost / 1e9, 3) for cost in costs] == [3.858, 7.570, 11.282]


def test_meta_and_uninitialised_models_load_weights() -> None:
    weights = torchvision.models.resnet18().eval().state_dict()
    images = torch.randn(1, 3, 40, 40)
    expected = torchvision.models.resnet18().eval()
    expected.load_state_dict(weights)
    for settings in ({"device": "meta"}, {"init": False}):
        model = build_model("specs/resnet18.yaml", **settings).eval()
        model.load_state_dict(weights, assign="device" in settings)
        assert torch.equal(model(images), expected(images))


def test_meta_and_uninitialised_together() -> None:
    model = build_model("specs/resnet18.yaml", device="meta", init=False)
    assert {tensor.device.type for tensor in model.state_dict().values()} == {"meta"}


CLAIM = "so checkpoints of its resnet50 load unchanged"


@pytest.mark.parametrize(
    "override",
    [
        {"norm.eps": 1e-3},
        {"norm.momentum": 0.2},
        {"dilations": [1, 1, 1, 2], "dilation_from": "previous"},
        {"input": [4, 224, 224]},
        {"head.classes": 10},
        {"widths": [64, 128, 256, 511]},
        {"strides": [1, 2, 2, 1]},
        {"expansion": 2},
        {"stem.width": 32},
        {"stem.pool": "none"},
        {"shortcut": "avg_projection"},
        {"activation": "silu"},
        {"groups": [1, 1, 1, 2]},
        {"depths": [3, 4, 6, 4]},
        {"stride_on": "conv1"},
        {"stride_on": [None, "conv2", "conv2", "conv1"]},
    ],
)
def test_a_header_claims_no_checkpoint_that_is_another_networks(override: Any) -> None:
    assert CLAIM in " ".join(load("specs/resnet50.yaml").network.notes)
    network = load("specs/resnet50.yaml", override).network
    assert CLAIM not in " ".join(network.notes)


@pytest.mark.parametrize("name", NAMES)
def test_each_header_names_its_own_checkpoint(name: str) -> None:
    notes = " ".join(load(f"specs/{name}.yaml").network.notes)
    assert f"so checkpoints of its {name} load unchanged" in notes
