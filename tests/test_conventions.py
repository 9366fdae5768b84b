"""What published code does in two ways without a word, held to each in plain torch.

The references are written from what the named code computes, on the weights alone.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resnet_spec import SpecError, build, load, render
from resnet_spec.network import Network
from resnet_spec.problems.words import flow
from tests.models import rendered

Fields = dict[str, Any]
Lowered = Callable[..., Network]
Spacing = Sequence[Sequence[tuple[int, int]]]
Reference = Callable[["Weights", Tensor], Tensor]


class Weights:
    """A model's tensors by name, and what plain torch computes with them."""

    def __init__(self, model: nn.Module, training: bool) -> None:
        self.tensors = dict(model.named_parameters())
        self.buffers = {name: b.clone() for name, b in model.named_buffers()}
        self.training = training

    def __contains__(self, name: str) -> bool:
        return f"{name}.weight" in self.tensors

    def conv(self, x: Tensor, name: str, stride: Any = 1, dilation: int = 1) -> Tensor:
        weight = self.tensors[f"{name}.weight"]
        pad = weight.shape[-1] // 2 * dilation
        return F.conv2d(x, weight, None, stride, pad, dilation)

    def norm(self, x: Tensor, name: str) -> Tensor:
        mean, var = (self.buffers[f"{name}.running_{of}"] for of in ("mean", "var"))
        weight, bias = (self.tensors[f"{name}.{of}"] for of in ("weight", "bias"))
        return F.batch_norm(x, mean, var, weight, bias, self.training)

    def act(self, x: Tensor, name: str) -> Tensor:
        return self.norm(x, name).relu()

    def squeezed(self, x: Tensor, name: str) -> Tensor:
        x = x.mean((2, 3), keepdim=True)
        for fc, function in (("fc1", torch.relu), ("fc2", torch.sigmoid)):
            weight, bias = (
                self.tensors[f"{name}.{fc}.{of}"] for of in ("weight", "bias")
            )
            x = function(F.conv2d(x, weight, bias))
        return x

    def blocks(self) -> list[tuple[int, int]]:
        """The stage, from 1, and the place in it of every block."""
        names = (name.split(".") for name in self.tensors if name.startswith("layer"))
        return sorted({(int(stage[5:]), int(place)) for stage, place, *_ in names})

    def classified(self, x: Tensor) -> Tensor:
        weight, bias = self.tensors["fc.weight"], self.tensors["fc.bias"]
        return F.linear(x.mean((2, 3)), weight, bias)


def networks(network: Network) -> list[nn.Module]:
    """Built and generated, of the same weights, none of them as they start."""
    generated = rendered(network)
    torch.manual_seed(0)
    for name, tensor in generated.state_dict().items():
        if tensor.is_floating_point():
            fan = tensor[0].numel() if tensor.ndim > 1 else 9
            tensor.normal_(0, fan**-0.5)
            if name.endswith("running_var") or ("weight" in name and tensor.ndim == 1):
                tensor.abs_().add_(0.5)
    built = build(network)
    built.load_state_dict(generated.state_dict())
    return [built.double(), generated.double()]


def assert_is(network: Network, reference: Reference) -> None:
    """Equal outputs and gradients, at an odd size as well."""
    for model in networks(network):
        for size in ((32, 32), (33, 17)):
            images = torch.randn(2, network.image.channels, *size).double()
            for training in (True, False):
                expected = reference(Weights(model, training), images)
                found = model.train(training)(images)
                torch.testing.assert_close(found, expected)
                parameters = list(model.parameters())
                pair = (
                    torch.autograd.grad(out.square().mean(), parameters)
                    for out in (found, expected)
                )
                # Norms of two pixels, in the deepest stage, lose nine digits of a gradient.
                torch.testing.assert_close(*pair, rtol=1e-6, atol=1e-6)


@pytest.fixture
def lowered(tmp_path: Path) -> Lowered:
    """The network of a few lines."""

    def made(text: str, **fields: Any) -> Network:
        file = tmp_path / "own.yaml"
        file.write_text(f"name: Own\ntitle: Own\n{text}")
        return load(file, fields).network

    return made


# --- where dilation starts ----------------------------------------------------------------

DILATED = """\
input: [3, 32, 32]
stem: {type: conv3x3, width: 8, pool: none}
depths: [2, 2, 3]
widths: [8, 12, 16]
strides: [1, 2, 1]
shortcut: projection
head: {classes: 5}
"""
BASIC = DILATED + "block: basic\n"
BOTTLENECK = DILATED + "block: bottleneck\nexpansion: 2\nstride_on: conv2\n"
STRIDES = {1: 1, 2: 2, 3: 1}


def dilated(spacing: Spacing) -> Reference:
    """A network whose blocks have these dilations, in a basic block's two convolutions."""

    def reference(of: Weights, x: Tensor) -> Tensor:
        x = of.act(of.conv(x, "conv1"), "bn1")
        for stage, place in of.blocks():
            name, stride = f"layer{stage}.{place}", 1 if place else STRIDES[stage]
            first, second = spacing[stage - 1][place]
            if f"{name}.conv3" in of:
                y = of.act(of.conv(x, f"{name}.conv1"), f"{name}.bn1")
                y = of.act(of.conv(y, f"{name}.conv2", stride, first), f"{name}.bn2")
                y = of.norm(of.conv(y, f"{name}.conv3"), f"{name}.bn3")
            else:
                y = of.conv(x, f"{name}.conv1", stride, first)
                y = of.act(y, f"{name}.bn1")
                y = of.norm(of.conv(y, f"{name}.conv2", 1, second), f"{name}.bn2")
            if f"{name}.downsample.0" in of:
                x = of.conv(x, f"{name}.downsample.0", stride)
                x = of.norm(x, f"{name}.downsample.1")
            x = (x + y).relu()
        return of.classified(x)

    return reference


ONES = [(1, 1)] * 2
TWOS = [(2, 2)] * 3
DILATIONS: list[tuple[Fields, Spacing]] = [
    # timm and torchvision
    (
        {"dilations": [1, 1, 2], "dilation_from": "previous"},
        [ONES, ONES, [(1, 2), *TWOS[1:]]],
    ),
    # segmentation_models_pytorch, detectron2's RES5_DILATION, OpenMMLab's bottlenecks
    ({"dilations": [1, 1, 2], "dilation_from": "own"}, [ONES, ONES, TWOS]),
    ({"dilations": [1, 2, 4], "dilation_from": "own"}, [ONES, TWOS[1:], [(4, 4)] * 3]),
    ({"dilations": 2, "dilation_from": "own"}, [TWOS[1:], TWOS[1:], TWOS]),
    # DeepLab's multi-grid, as in detectron2's projects/DeepLab
    ({"dilations": [1, 1, [2, 4, 8]]}, [ONES, ONES, [(2, 2), (4, 4), (8, 8)]]),
    (
        {"dilations": [1, [1, 2], [2, 4, 4]]},
        [ONES, [(1, 1), (2, 2)], [(2, 2), (4, 4), (4, 4)]],
    ),
    (
        {"dilations": [1, 2, [4, 8, 16]], "dilation_from": "previous"},
        [ONES, [(1, 2), (2, 2)], [(4, 4), (8, 8), (16, 16)]],
    ),
]


@pytest.mark.parametrize("block", [BASIC, BOTTLENECK])
@pytest.mark.parametrize(("fields", "spacing"), DILATIONS)
def test_dilation_starts_where_it_is_said(
    block: str,
    fields: Fields,
    spacing: list[list[tuple[int, int]]],
    lowered: Lowered,
) -> None:
    assert_is(lowered(block, **fields), dilated(spacing))


def test_dilations_of_blocks_are_listed_where_they_repeat_in_no_way(
    lowered: Lowered,
) -> None:
    source = render(lowered(BASIC, dilations=[1, 1, [2, 4, 8]]))
    assert source.count("dilation=4") == 1
    assert "self.layer2 = stage(" in source
    dropped = render(lowered(BASIC, dilations=[1, 1, [2, 4, 8]], drop_path=0.5))
    assert "drop_rate=drop_rates[6]" in dropped


def test_what_a_list_says_needs_no_convention(lowered: Lowered) -> None:
    lists = lowered(BASIC, dilations=[1, 1, [2, 2, 2]])
    own = lowered(BASIC, dilations=[1, 1, 2], dilation_from="own")
    assert lists.digests == own.digests
    for fields in ({"dilations": [1, 1, 2]}, {"dilation_from": "own"}):
        with pytest.raises(SpecError, match="dilation_from"):
            lowered(BASIC, **fields)


# --- where option A puts its zeros --------------------------------------------------------

CIFAR = """\
extends: cifar/resnet20
depths: [2, 1, 2]
"""


def option_a(of: Weights, x: Tensor, around: bool) -> Tensor:
    """akamaster's ResNet, option A, or the paper's."""
    x = of.act(of.conv(x, "conv1"), "bn1")
    for stage, place in of.blocks():
        name, stride = f"layer{stage}.{place}", 1 if place or stage == 1 else 2
        y = of.act(of.conv(x, f"{name}.conv1", stride), f"{name}.bn1")
        y = of.norm(of.conv(y, f"{name}.conv2"), f"{name}.bn2")
        if stride == 2:
            planes = y.shape[1]
            sides = (planes // 4, planes // 4) if around else (0, planes // 2)
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, *sides))
        x = (x + y).relu()
    return of.classified(x)


@pytest.mark.parametrize("word", ["zero_pad_after", "zero_pad_around"])
def test_zeros_are_where_the_word_says(word: str, lowered: Lowered) -> None:
    around = word == "zero_pad_around"
    assert_is(lowered(CIFAR, shortcut=word), lambda of, x: option_a(of, x, around))


def test_zeros_that_are_not_there_are_nowhere(lowered: Lowered) -> None:
    """Without new channels both words say one network, and there is one class of each."""
    after, around = (
        lowered(CIFAR, shortcut=word, widths=16)
        for word in ("zero_pad_after", "zero_pad_around")
    )
    assert after.digests == around.digests
    words = ["projection", "zero_pad_after", "zero_pad_around"]
    source = render(lowered(CIFAR, shortcut=words))
    assert "class BasicBlockPadded(" in source
    assert "class BasicBlockPaddedAround(" in source


# --- variants of pre-activation -----------------------------------------------------------

PREACT = """\
input: [3, 32, 32]
stem: {type: conv3x3, width: 16, pool: none}
depths: [2, 1, 2]
widths: [16, 32, 48]
strides: [1, 2, 2]
shortcut: projection
head: {classes: 5}
"""
PREACT_BASIC = PREACT + "block: basic\n"
PREACT_BOTTLENECK = PREACT + "block: bottleneck\nexpansion: 2\nstride_on: conv2\n"


def preactivated(
    raw: Sequence[int] = (),
    shared: bool = False,
    stem_norm: bool = False,
    final_norm: bool = True,
) -> Reference:
    """A network whose blocks begin with norm and relu, as the code below has the rest.

    In `raw` stages the projection reads the input; with `shared` a stage's first block adds
    what its norm and relu give.
    """

    def reference(of: Weights, x: Tensor) -> Tensor:
        x = of.conv(x, "conv1")
        x = of.act(x, "norm1") if stem_norm else x
        for stage, place in of.blocks():
            name, stride = f"layer{stage}.{place}", 1 if place or stage == 1 else 2
            y = of.act(x, f"{name}.norm1")
            x = y if shared and place == 0 and stage not in raw else x
            if f"{name}.downsample" in of:
                x = of.conv(x if stage in raw else y, f"{name}.downsample", stride)
            deep = f"{name}.conv3" in of
            y = of.conv(y, f"{name}.conv1", 1 if deep else stride)
            y = of.conv(
                of.act(y, f"{name}.norm2"), f"{name}.conv2", stride if deep else 1
            )
            if deep:
                y = of.conv(of.act(y, f"{name}.norm3"), f"{name}.conv3")
            if f"{name}.se.fc1" in of:  # kuangliu's SENet18
                y = y * of.squeezed(y, f"{name}.se")
            x = x + y
        return of.classified(of.act(x, "norm") if final_norm else x)

    return reference


def preact(**said: Any) -> Fields:
    plain = {"shortcut": "activated", "first": "own"}
    return {"preact": {**plain, "stem_norm": False, "final_norm": True, **said}}


SE = {"attention": "se", "se": {"ratio": 0.25, "divisor": 1}}
PREACTS: dict[str, tuple[Fields, Reference]] = {
    # bearpaw/pytorch-classification, models/cifar/preresnet.py
    "bearpaw": (preact(shortcut="raw"), preactivated(raw=(1, 2, 3))),
    # hysts/pytorch_image_classification, resnet_preact.py: preact_stage of all stages,
    # and [True, False, False]
    "hysts": (preact(first="shared"), preactivated(shared=True)),
    "hysts first": (
        preact(first="shared", shortcut="raw"),
        preactivated(raw=(2, 3), shared=True),
    ),
    # kuangliu/pytorch-cifar, preact_resnet.py and senet.py
    "kuangliu": (preact(final_norm=False), preactivated(final_norm=False)),
    "kuangliu SENet18": (
        preact(final_norm=False, stem_norm=True) | SE,
        preactivated(final_norm=False, stem_norm=True),
    ),
    # osmr/pytorchcv, preresnet.py, for ImageNet
    "pytorchcv": (preact(stem_norm=True), preactivated(stem_norm=True)),
}


@pytest.mark.parametrize("name", PREACTS)
def test_preactivation_is_as_the_code_has_it(name: str, lowered: Lowered) -> None:
    fields, reference = PREACTS[name]
    assert_is(lowered(PREACT_BASIC, **fields), reference)


@pytest.mark.parametrize("name", PREACTS)
def test_preactivated_bottlenecks_have_no_first_to_ask_of(
    name: str, lowered: Lowered
) -> None:
    """Each of their stages changes its channels, so no first shortcut is the identity."""
    fields, reference = PREACTS[name]
    said = {k: v for k, v in fields["preact"].items() if k != "first"}
    if name != "hysts first":  # whose first stage would project what it shares
        network = lowered(PREACT_BOTTLENECK, **fields | {"preact": said})
        assert_is(network, reference)


def test_a_stem_that_ends_in_a_pool_of_its_own_has_its_norm_there(
    lowered: Lowered,
) -> None:
    bare, normed = (
        lowered(PREACT_BASIC, **preact(stem_norm=norm), **{"stem.pool": "conv"})
        for norm in (False, True)
    )
    assert [op.path for op in bare.entry] == ["conv1", "norm1", "relu", "pool"]
    assert [op.path for op in normed.entry[3:]] == ["pool.0", "pool.1", "pool.2"]


def test_stem_and_head_have_an_activation_each_where_it_learns(
    lowered: Lowered,
) -> None:
    network = lowered(PREACT_BASIC, **preact(stem_norm=True), activation="prelu")
    names = [name for name, _ in network.tensors() if name.startswith("prelu")]
    assert names == ["prelu1.weight", "prelu2.weight"]
    images = torch.randn(2, 3, 32, 32).double()
    built, generated = networks(network)
    assert torch.equal(built(images), generated(images))


def test_what_the_first_block_shares_is_said_once_and_rolled_up(
    lowered: Lowered,
) -> None:
    source = render(lowered(PREACT_BASIC, **preact(first="shared")))
    assert "PreactBlockShared(in_channels, width, shares=1)," in source
    assert (
        "PreactBlockShared(width, width, shares=0) for _ in range(blocks - 1)" in source
    )
    assert "class PreactBlock(" in source
    even = {
        k: v for k, v in preact(first="shared")["preact"].items() if k != "shortcut"
    }
    source = render(lowered(PREACT_BASIC, preact=even, widths=16, strides=1))
    assert "PreactBlock(in_channels, width, shares=1)," in source


def test_pre_activation_is_answered_with_what_it_meant(lowered: Lowered) -> None:
    for text, fields in (
        (PREACT_BASIC, preact()),
        (PREACT_BOTTLENECK, preact(first=None)),
        (PREACT_BASIC + "dilations: [1, 1, [2, 2]]\n", preact()),
    ):
        said = {k: v for k, v in fields["preact"].items() if v is not None}
        with pytest.raises(SpecError) as caught:
            lowered(f"{text}pre_activation: true\n")
        (problem,) = caught.value.problems
        assert problem.message == f"unknown key; write preact: {flow(said)}"
        lowered(text, preact=said)
