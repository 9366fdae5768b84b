"""The paper's CIFAR and plain networks: exact counts, and a reference by hand."""

from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F

from resnet_spec import load
from tests.models import both

# Option A and B counts of https://arxiv.org/abs/1512.03385.
CIFAR = {
    20: (269_722, 272_474),
    32: (464_154, 466_906),
    44: (658_586, 661_338),
    56: (853_018, 855_770),
    110: (1_727_962, 1_730_714),
    1202: (19_421_274, 19_424_026),
}


@pytest.mark.parametrize("depth", CIFAR)
def test_cifar_counts(depth: int) -> None:
    option_a, option_b = CIFAR[depth]
    path = f"specs/cifar/resnet{depth}.yaml"
    assert load(path).network.params == option_a
    assert load(path, {"shortcut": "projection"}).network.params == option_b
    if Path(f"specs/cifar/resnet{depth}_b.yaml").exists():
        assert load(f"specs/cifar/resnet{depth}_b.yaml").network.params == option_b


@pytest.mark.parametrize("depth", [18, 34])
def test_plain_networks_have_the_layers_of_the_residual_ones(depth: int) -> None:
    """As Table 1 has it: torchvision's network without the projections of its shortcuts."""
    with torch.device("meta"):
        residual = getattr(torchvision.models, f"resnet{depth}")()
        plain = both(f"plain/plain{depth}")["generated"]()
    expected = {k: v for k, v in residual.state_dict().items() if "downsample" not in k}
    assert list(plain.state_dict()) == list(expected)
    for name, tensor in plain.state_dict().items():
        assert tensor.shape == expected[name].shape


def reference(weights: dict[str, Tensor], x: Tensor, depth: int, plain: bool) -> Tensor:
    """A CIFAR network in evaluation, from its weights alone: option A, or no shortcuts."""

    def norm(x: Tensor, name: str) -> Tensor:
        keys = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(x, *(weights[f"{name}.{key}"] for key in keys))

    def conv(x: Tensor, name: str, stride: int = 1) -> Tensor:
        return F.conv2d(x, weights[f"{name}.weight"], stride=stride, padding=1)

    x = norm(conv(x, "conv1"), "bn1").relu()
    for stage in (1, 2, 3):
        for i in range((depth - 2) // 6):
            block, stride = f"layer{stage}.{i}", 2 if stage > 1 and i == 0 else 1
            y = norm(conv(x, f"{block}.conv1", stride), f"{block}.bn1").relu()
            y = norm(conv(y, f"{block}.conv2"), f"{block}.bn2")
            if not plain:
                kept = x[:, :, ::stride, ::stride]
                missing = y.shape[1] - kept.shape[1]
                zeros = kept.new_zeros(kept.shape[0], missing, *kept.shape[2:])
                y = y + torch.cat([kept, zeros], dim=1)
            x = y.relu()
    return F.linear(x.mean((2, 3)), weights["fc.weight"], weights["fc.bias"])


@pytest.mark.parametrize("way", ["built", "generated"])
@pytest.mark.parametrize("name", ["cifar/resnet20", "plain/plain20", "cifar/resnet56"])
def test_against_a_reference_by_hand(name: str, way: str) -> None:
    model = both(name)[way]()
    settle(model)
    for size in ((32, 32), (33, 17), (1, 5)):
        images = torch.randn(2, 3, *size)
        with torch.no_grad():
            expected = reference(
                model.state_dict(), images, int(name[-2:]), "plain" in name
            )
            torch.testing.assert_close(model.eval()(images), expected)


def settle(model: nn.Module, side: int = 32) -> None:
    """Give the norms statistics of their own inputs, so that outputs stay finite."""
    with torch.no_grad():
        for _ in range(3):
            model.train()(torch.randn(4, 3, side, side))


# CIFAR-10 counts.
PREACT = {
    "preact/preresnet110": 1_727_962,
    "preact/preresnet164": 1_703_258,
    "preact/preresnet164_fb": 1_703_258,
    "wide_resnet/wrn40_1": 563_930,
    "wide_resnet/wrn40_2": 2_243_546,
    "wide_resnet/wrn40_4": 8_949_210,
    "wide_resnet/wrn40_8": 35_748_314,
    "wide_resnet/wrn28_10": 36_479_194,
    "wide_resnet/wrn16_8": 10_961_370,
}


@pytest.mark.parametrize("name", PREACT)
def test_preactivation_counts(name: str) -> None:
    assert load(f"specs/{name}.yaml").network.params == PREACT[name]


def preact_reference(
    weights: dict[str, Tensor], x: Tensor, first: bool = False
) -> Tensor:
    """A pre-activation network for CIFAR in evaluation, from its weights alone.

    https://arxiv.org/abs/1603.05027 and https://arxiv.org/abs/1605.07146: the projection
    reads the activated input, or else the input itself is subsampled and padded with zeros.
    Bottlenecks stride on the 3x3, or on the first 1x1.
    """

    def act(x: Tensor, name: str) -> Tensor:
        keys = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(x, *(weights[f"{name}.{key}"] for key in keys)).relu()

    def conv(x: Tensor, name: str, stride: int = 1) -> Tensor:
        weight = weights[f"{name}.weight"]
        return F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)

    x = conv(x, "conv1")
    blocks = sorted(
        {
            tuple(map(int, name[5:].split(".")[:2]))
            for name in weights
            if "layer" in name
        }
    )
    for stage, i in blocks:
        block, stride = f"layer{stage}.{i}", 2 if stage > 1 and i == 0 else 1
        deep = f"{block}.conv3.weight" in weights
        activated = act(x, f"{block}.norm1")
        on1, on2 = (stride, 1) if first or not deep else (1, stride)
        y = conv(activated, f"{block}.conv1", on1)
        y = conv(act(y, f"{block}.norm2"), f"{block}.conv2", on2)
        if deep:
            y = conv(act(y, f"{block}.norm3"), f"{block}.conv3")
        if f"{block}.downsample.weight" in weights:
            x = conv(activated, f"{block}.downsample", stride)
        elif y.shape != x.shape:
            kept = activated[:, :, ::stride, ::stride]
            zeros = kept.new_zeros(
                kept.shape[0], y.shape[1] - kept.shape[1], *kept.shape[2:]
            )
            x = torch.cat([kept, zeros], dim=1)
        x = y + x
    x = act(x, "norm").mean((2, 3))
    return F.linear(x, weights["fc.weight"], weights["fc.bias"])


@pytest.mark.slow
@pytest.mark.parametrize("way", ["built", "generated"])
@pytest.mark.parametrize(
    "name",
    [
        "preact/preresnet110",
        "preact/preresnet164",
        "preact/preresnet164_fb",
        "wide_resnet/wrn16_8",
    ],
)
def test_preactivation_equals_the_reference(name: str, way: str) -> None:
    model = both(name)[way]()
    settle(model)
    for size in ((32, 32), (33, 17)):
        images = torch.randn(2, 3, *size)
        with torch.no_grad():
            first = name == "preact/preresnet164"
            expected = preact_reference(dict(model.state_dict()), images, first)
            torch.testing.assert_close(model.eval()(images), expected)
