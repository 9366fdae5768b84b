"""Options together, published or not, beside timm's own layers in plain torch.

Modules of the reference have the names of ours, so that weights load strictly.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
import torch
from timm.layers import BlurPool2d, EvoNorm2dS0, FilterResponseNormTlu2d, SEModule
from torch import Tensor, nn

from resnet_spec import load, render
from resnet_spec.compare.equality import verify
from resnet_spec.emit.module import build
from resnet_spec.network import Network

Fields = dict[str, Any]
Make = Callable[..., nn.Module]
Chain = dict[str, nn.Module]
Chains = dict[str, Chain]

SMALL: Fields = {"input": [3, 32, 32], "depths": [2, 2], "strides": [1, 2]}
SMALL |= {"widths": [16, 32], "stem": {"width": 16}, "head": {"classes": 5}}


def small(base: str, fields: Fields) -> Network:
    """The network, of which built and generated are equal."""
    network = load(base, {**SMALL, **fields}).network
    assert verify(network, render(network)) == []
    return network


class Block(nn.Module):
    """post(body(pre(x)) + shortcut), of modules by name; `activated` shortcuts read pre(x)."""

    def __init__(
        self,
        chains: Chains,
        shortcut: Sequence[nn.Module] = (),
        activated: bool = False,
    ) -> None:
        super().__init__()
        for chain in chains.values():
            for name, module in chain.items():
                self.add_module(name, module)
        self.chains = {role: list(chain) for role, chain in chains.items()}
        self.adds, self.activated = bool(shortcut), activated
        if len(shortcut) > 1:
            self.downsample: nn.Module = nn.Sequential(*shortcut)
        elif shortcut:
            self.downsample = shortcut[0]

    def run(self, role: str, x: Tensor) -> Tensor:
        for name in self.chains.get(role, ()):
            x = getattr(self, name)(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        y = self.run("pre", x)
        if self.adds:
            x = self.downsample(y if self.activated else x)
        return self.run("post", self.run("body", y) + x)


def assert_equal(ours: nn.Module, theirs: nn.Module, images: Tensor) -> None:
    """The same outputs and gradients, of weights drawn at random.

    timm computes statistics in single precision.
    """
    torch.manual_seed(0)
    ours, theirs = ours.double().train(), theirs.double().train()
    for parameter in ours.parameters():
        nn.init.normal_(parameter, 0.3, 0.3)
    theirs.load_state_dict(ours.state_dict())
    mine, other = ours(images), theirs(images)
    torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)
    mine.square().mean().backward()
    other.square().mean().backward()
    found = dict(ours.named_parameters())
    for name, parameter in theirs.named_parameters():
        near = partial(torch.testing.assert_close, rtol=1e-3, atol=1e-5, msg=name)
        near(found[name].grad, parameter.grad)


def conv(read: int, out: int, kernel: int, stride: int = 1, **more: Any) -> nn.Conv2d:
    padding = more.pop("padding", kernel // 2)
    return nn.Conv2d(read, out, kernel, stride, padding, bias=False, **more)


def striding(network: Network) -> nn.Module:
    """The second stage's first block, which reads the first stage's channels."""
    block = build(network).get_submodule("layer2.0")
    return block


def images(channels: int) -> Tensor:
    return torch.randn(3, channels, 9, 12, dtype=torch.double)


# --- norms that are their own activation --------------------------------------------------

FUSED: dict[str, tuple[Fields, Make]] = {
    "evonorm_s0": ({"norm.groups": 4}, partial(EvoNorm2dS0, groups=4)),
    "frn": ({}, FilterResponseNormTlu2d),
}


@pytest.mark.parametrize("word", FUSED)
def test_a_bottleneck_ends_in_the_norm_without_its_activation(word: str) -> None:
    fields, norm = FUSED[word]
    network = small("resnet50", {"norm.type": word, "activation": "silu", **fields})
    body: Chain = {"conv1": conv(64, 32, 1), "norm1": norm(32)}
    body |= {"conv2": conv(32, 32, 3, 2), "norm2": norm(32)}
    body |= {"conv3": conv(32, 128, 1), "norm3": norm(128, apply_act=False)}
    chains: Chains = {"body": body, "post": {"silu": nn.SiLU()}}
    theirs = Block(chains, [conv(64, 128, 1, 2), norm(128, apply_act=False)])
    assert_equal(striding(network), theirs, images(64))


@pytest.mark.parametrize("word", FUSED)
def test_a_basic_block_ends_in_the_norm_without_its_activation(word: str) -> None:
    fields, norm = FUSED[word]
    network = small("resnet18", {"norm.type": word, **fields})
    body: Chain = {"conv1": conv(16, 32, 3, 2), "norm1": norm(32)}
    body |= {"conv2": conv(32, 32, 3), "norm2": norm(32, apply_act=False)}
    chains: Chains = {"body": body, "post": {"relu": nn.ReLU()}}
    theirs = Block(chains, [conv(16, 32, 1, 2), norm(32, apply_act=False)])
    assert_equal(striding(network), theirs, images(16))


@pytest.mark.parametrize("word", FUSED)
@pytest.mark.parametrize("base", ["resnet18", "resnet50"])
def test_without_a_sum_every_norm_is_its_own_activation(base: str, word: str) -> None:
    fields = {"norm.type": word, "shortcut": "none", **FUSED[word][0]}
    network = small(base, fields)
    names = {op.module for _, op in network.ops()}
    assert not names & {"ReLU", "ChannelAffine", "BareFilterResponseNorm"}


@pytest.mark.parametrize("word", FUSED)
def test_in_a_chain_it_is_so_where_an_activation_follows(word: str) -> None:
    fields, norm = FUSED[word]
    chain = [{"conv": 3, "stride": "block"}, "norm", "activation", {"conv": 1}, "norm"]
    block = {"name": "Own", "body": chain}
    network = small("resnet18", {"norm.type": word, "block": block, **fields})
    body: Chain = {"conv1": conv(16, 32, 3, 2), "norm1": norm(32)}
    body |= {"conv2": conv(32, 32, 1), "norm2": norm(32, apply_act=False)}
    chains: Chains = {"body": body, "post": {"relu": nn.ReLU()}}
    theirs = Block(chains, [conv(16, 32, 1, 2), norm(32, apply_act=False)])
    assert_equal(striding(network), theirs, images(16))


# --- pre-activation -----------------------------------------------------------------------

PRE: Fields = {"preact": {"stem_norm": False, "final_norm": True}}
PRE["preact"]["shortcut"] = "activated"
SMOOTH: dict[str, Callable[[int], Chain]] = {
    "none": lambda _: {},
    "avg": lambda _: {"avgpool": nn.AvgPool2d(2, 2, ceil_mode=True)},
    "blur": lambda c: {"blur": BlurPool2d(c)},
}


def pre(channels: int) -> Chain:
    return {"norm1": nn.BatchNorm2d(channels), "relu": nn.ReLU()}


@pytest.mark.parametrize("word", SMOOTH)
def test_a_preact_bottleneck_smooths_and_attends_behind_its_3x3(word: str) -> None:
    smooth, fields = SMOOTH[word], {**PRE, "anti_alias": word, "attention": "se"}
    network = small("resnet50", {**fields, "attention_after": "conv2"})
    body: Chain = {"conv1": conv(64, 32, 1), "norm2": nn.BatchNorm2d(32)}
    body |= {"relu2": nn.ReLU(), "conv2": conv(32, 32, 3, 2 if word == "none" else 1)}
    body |= {"norm3": nn.BatchNorm2d(32), "relu3": nn.ReLU(), **smooth(32)}
    body |= {"se": SEModule(32), "conv3": conv(32, 128, 1)}
    shortcut = [conv(64, 128, 1, 2)]
    theirs = Block({"pre": pre(64), "body": body}, shortcut, activated=True)
    assert_equal(striding(network), theirs, images(64))


@pytest.mark.parametrize("word", ["avg", "blur"])
def test_a_preact_basic_block_smooths_behind_its_first_3x3(word: str) -> None:
    smooth, changes = SMOOTH[word], {**PRE, "anti_alias": word}
    changes["preact"] = {**PRE["preact"], "first": "own"}
    network = small("resnet18", changes)
    body: Chain = {"conv1": conv(16, 32, 3), "norm2": nn.BatchNorm2d(32)}
    body |= {"relu2": nn.ReLU(), **smooth(32), "conv2": conv(32, 32, 3)}
    shortcut = [conv(16, 32, 1, 2)]
    theirs = Block({"pre": pre(16), "body": body}, shortcut, activated=True)
    assert_equal(striding(network), theirs, images(16))


def test_a_norm_of_weight_zero_before_a_relu_never_learns() -> None:
    """So `init.zero_last_norm` is refused with `preact`."""
    body = nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 1, bias=False))
    norm: Any = body[0]
    nn.init.zeros_(norm.weight)
    x = torch.randn(3, 4, 5, 5)
    (body(x) + x).square().mean().backward()
    assert all(not p.grad.any() for p in body.parameters() if p.grad is not None)
