"""What torchvision cannot say, judged by timm."""

import pytest
import timm
import torch
from timm.models.resnet import BasicBlock, Bottleneck, ResNet
from torch import nn

from resnet_spec import load
from resnet_spec.emit.module import build
from tests.models import assert_same_results, both


def _hold(ours: nn.Module, theirs: nn.Module) -> None:
    """Strictly load ours into timm's and compare all results, also at odd sizes."""
    assert list(ours.state_dict()) == list(theirs.state_dict())
    theirs.load_state_dict(ours.state_dict(), strict=True)
    for size in ((64, 64), (97, 61)):
        assert_same_results([ours, theirs], torch.randn(2, 3, *size))


@pytest.mark.slow
@pytest.mark.parametrize("way", ["built", "generated"])
def test_averaged_shortcuts(way: str) -> None:
    theirs = ResNet(Bottleneck, (3, 4, 6, 3), avg_down=True)
    _hold(both("shortcuts/resnet50_avg")[way](), theirs)


@pytest.mark.slow
@pytest.mark.parametrize("stride", [8, 16])
def test_dilated_basic_blocks(stride: int) -> None:
    traded = {8: ([1, 2, 1, 1], [1, 1, 2, 4]), 16: ([1, 2, 2, 1], [1, 1, 1, 2])}
    strides, dilations = traded[stride]
    overrides = {"strides": strides, "dilations": dilations}
    overrides |= {"dilation_from": "previous"}
    network = load("specs/resnet34.yaml", overrides).network
    assert network.output_stride == stride
    theirs = ResNet(BasicBlock, (3, 4, 6, 3), output_stride=stride)
    _hold(build(network), theirs)


@pytest.mark.slow
def test_silu() -> None:
    network = load("specs/resnet18.yaml", {"activation": "silu"}).network
    theirs = ResNet(BasicBlock, (2, 2, 2, 2), act_layer=nn.SiLU)
    _hold(build(network), theirs)


@pytest.mark.slow
def test_features_without_a_classifier() -> None:
    network = load("specs/resnet18.yaml", {"head.classes": "none"}).network
    theirs = timm.create_model("resnet18", num_classes=0)
    ours = build(network)
    theirs.load_state_dict(ours.state_dict())
    _hold(ours, theirs)
    assert ours(torch.zeros(1, 3, 40, 40)).shape == (1, network.output.channels)
