"""Options together, published or not, beside timm's own layers in plain torch.

Modules of the reference have the names of ours, so that weights load strictly.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
import timm
import torch
from timm.layers import (
    BlurPool2d,
    EvoNorm2dS0,
    FilterResponseNormTlu2d,
    GroupNorm,
    SelectiveKernel,
    SEModule,
    SplitAttn,
    StdConv2d,
)
from timm.layers.selective_kernel import SelectiveKernelAttn
from timm.models.res2net import Bottle2neck
from timm.models.resnest import ResNestBottleneck
from timm.models.sknet import SelectiveKernelBasic, SelectiveKernelBottleneck
from torch import Tensor, nn

from resnet_spec import load, render
from resnet_spec.compare.equality import verify
from resnet_spec.emit.module import build
from resnet_spec.layers import GlobalContext
from resnet_spec.network import Network, SqueezeExcite

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


def assert_equal(
    ours: nn.Module, theirs: nn.Module, images: Tensor, names: str = ""
) -> None:
    """The same outputs and gradients, of weights drawn at random.

    timm computes statistics in single precision. `names` has ours and theirs, where those
    differ: "bn1: conv1.bn", one a line.
    """
    pairs = [line.split(": ") for line in map(str.strip, names.splitlines()) if line]

    def renamed(name: str) -> str:
        found = (re.sub(f"^{a}\\.", f"{b}.", name) for a, b in pairs)
        return next((new for new in found if new != name), name)

    torch.manual_seed(0)
    ours, theirs = ours.double().train(), theirs.double().train()
    for parameter in ours.parameters():
        nn.init.normal_(parameter, 0.3, 0.3)
    state = ours.state_dict().items()
    theirs.load_state_dict({renamed(name): tensor for name, tensor in state})
    mine, other = ours(images), theirs(images)
    torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)
    mine.square().mean().backward()
    other.square().mean().backward()
    found = {renamed(name): p for name, p in ours.named_parameters()}
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
def test_a_preact_bottleneck_attends_behind_its_3x3_and_smooths_what_is_activated(
    word: str,
) -> None:
    smooth, fields = SMOOTH[word], {**PRE, "anti_alias": word, "attention": "se"}
    network = small("resnet50", {**fields, "attention_after": "conv2"})
    body: Chain = {"conv1": conv(64, 32, 1), "norm2": nn.BatchNorm2d(32)}
    body |= {"relu2": nn.ReLU(), "conv2": conv(32, 32, 3, 2 if word == "none" else 1)}
    body |= {"se": SEModule(32), "norm3": nn.BatchNorm2d(32), "relu3": nn.ReLU()}
    body |= {**smooth(32), "conv3": conv(32, 128, 1)}
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


def test_every_shortcut_of_a_block_may_read_what_is_activated() -> None:
    """timm 1.0's RegNetV (regnet.py), where the shape changes and where it stays."""
    preact = {**PRE["preact"], "shortcut": "always_activated"}
    network = small("resnet18", {**PRE, "preact": preact})
    body: Chain = {"conv1": conv(32, 32, 3), "norm2": nn.BatchNorm2d(32)}
    body |= {"relu2": nn.ReLU(), "conv2": conv(32, 32, 3)}
    theirs = Block({"pre": pre(32), "body": body}, [nn.Identity()], activated=True)
    ours = build(network).get_submodule("layer2.1")
    assert_equal(ours, theirs, images(32))


@pytest.mark.parametrize("nth", [0, 1])
def test_a_block_that_changes_the_shape_may_add_nothing(nth: int) -> None:
    """timm 1.0's RegNetZ (byobnet.py), whose last norm starts at zero where something is
    added."""
    fields = {"shortcut": "identity_or_none", "init": {"zero_last_norm": True}}
    network = small("resnet18", fields)
    ours = build(network).get_submodule(f"layer2.{nth}")
    assert ours.get_parameter("bn2.weight").any().item() == (nth == 0)
    read, stride = (32, 1) if nth else (16, 2)
    body: Chain = {"conv1": conv(read, 32, 3, stride), "bn1": nn.BatchNorm2d(32)}
    body |= {"relu1": nn.ReLU(), "conv2": conv(32, 32, 3), "bn2": nn.BatchNorm2d(32)}
    chains = {"body": body, "post": {"relu": nn.ReLU()}}
    theirs = Block(chains, [nn.Identity() if nth else Nothing()])
    assert_equal(ours, theirs, images(read))


class Nothing(nn.Module):
    """Zeros of any shape."""

    def forward(self, x: Tensor) -> Tensor:
        return x.new_zeros(1)


def test_squeezed_channels_are_a_share_of_each_stage_and_so_many_at_least() -> None:
    """Alibaba-MIIL/TResNet has a quarter, of wider stages a half, and at least 64."""
    se = {"ratio": [0.25, 0.5], "divisor": 1, "least": 10, "activation": "silu"}
    network = small("resnet18", {"attention": "se", "se": se})
    squeezed = [op.squeezed for _, op in network.ops() if isinstance(op, SqueezeExcite)]
    assert squeezed == [10, 10, 16, 16]
    ours = build(network).get_submodule("layer2.1.se")
    theirs = SEModule(32, rd_channels=16, act_layer=nn.SiLU)
    assert_equal(ours, theirs, images(32))


def test_global_context_adds_nothing_at_first() -> None:
    model = build(small("resnet18", {"attention": "gca"}))
    found: list[Any] = [m for m in model.modules() if isinstance(m, GlobalContext)]
    assert len(found) == 4
    assert not any(layer.fc2.weight.any() for layer in found)
    theirs = timm.layers.GlobalContext(32, fuse_add=True, fuse_scale=False)
    renamed = "attn: conv_attn\nfc1: mlp_add.fc1\nnorm: mlp_add.norm\nfc2: mlp_add.fc2"
    assert_equal(found[-1], theirs, images(32), renamed)


def test_a_norm_of_weight_zero_before_a_relu_never_learns() -> None:
    """So `init.zero_last_norm` is refused with `preact`."""
    body = nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 1, bias=False))
    norm: Any = body[0]
    nn.init.zeros_(norm.weight)
    x = torch.randn(3, 4, 5, 5)
    (body(x) + x).square().mean().backward()
    assert all(not p.grad.any() for p in body.parameters() if p.grad is not None)


# --- layers in place of a 3x3 -------------------------------------------------------------

RES2: Fields = {"type": "res2net", "scale": 4}
SK: Fields = {"type": "selective_kernel", "ratio": 0.25, "divisor": 8, "split": True}
SPLIT: Fields = {"type": "split_attention", "radix": 2, "pool": "after"}
BANDS = """
    conv2.bands.(.).0: convs.\\1
    conv2.bands.(.).1: bns.\\1
    norm1: bn1
    norm3: bn3
"""
PATHS = """
    {n}.paths.(.).0: {n}.paths.\\1.conv
    {n}.paths.(.).1: {n}.paths.\\1.bn
    {n}.fc1: {n}.attn.fc_reduce
    {n}.fc2: {n}.attn.fc_select
    {n}.bn: {n}.attn.bn
"""
BOTTLENECK = """
    conv1: conv1.conv
    (bn|norm)1: conv1.bn
    conv3: conv3.conv
    (bn|norm)3: conv3.bn
"""
BASIC = """
    conv2: conv2.conv
    (bn|norm)2: conv2.bn
"""
GROUPED: Fields = {"norm.type": "group", "norm.groups": 4}
GROUP = partial(GroupNorm, num_groups=4)
CHOICES: dict[str, tuple[Fields, Fields]] = {
    "dilated": (
        {"dilations": [1, [2, 2]]},
        {"dilation": 2},
    ),
    "silu": ({"activation": "silu"}, {"act_layer": nn.SiLU}),
    "group": (GROUPED, {"norm_layer": GROUP}),
}
EACH = pytest.mark.parametrize("choice", CHOICES)


def projected(norm: Make = nn.BatchNorm2d, read: int = 64, out: int = 128) -> nn.Module:
    return nn.Sequential(conv(read, out, 1, 2), norm(out))


@EACH
def test_bands_are_those_of_timm(choice: str) -> None:
    fields, given = CHOICES[choice]
    network = small("resnet50", {"spatial": RES2, "width_per_group": 32, **fields})
    made = {"norm_layer": nn.BatchNorm2d, **given}
    shortcut = projected(made["norm_layer"])
    theirs = Bottle2neck(64, 32, 2, shortcut, base_width=32, scale=4, **made)
    assert_equal(striding(network), theirs, images(64), BANDS)


@pytest.mark.parametrize("word", FUSED)
def test_bands_have_norms_that_are_their_own_activation(word: str) -> None:
    fields, norm = FUSED[word]
    fields = {"norm.type": word, "spatial": RES2, "width_per_group": 32, **fields}
    theirs = Bottle2neck(
        64,
        32,
        2,
        projected(partial(norm, apply_act=False)),
        base_width=32,
        norm_layer=norm,
    )
    theirs.bn3, theirs.relu = norm(128, apply_act=False), nn.Identity()
    ours: Any = striding(small("resnet50", fields))
    ours.relu = nn.Identity()  # theirs is one for all places
    assert_equal(ours, theirs, images(64), BANDS)


def test_bands_behind_a_striding_1x1_and_before_a_pool() -> None:
    """timm's block where it strides elsewhere: its bands keep the size and are apart."""
    fields = {"spatial": RES2, "width_per_group": 32}
    theirs = Bottle2neck(
        64, 32, 1, projected(), base_width=32, norm_layer=nn.BatchNorm2d
    )
    theirs.conv1 = conv(64, 64, 1, 2)
    network = small("resnet50", {**fields, "stride_on": "conv1"})
    assert_equal(striding(network), theirs, images(64), BANDS)
    for word in ("avg", "blur"):
        theirs = Bottle2neck(
            64, 32, 1, projected(), base_width=32, norm_layer=nn.BatchNorm2d
        )
        (smooth,) = SMOOTH[word](64).values()
        theirs.conv3 = nn.Sequential(smooth, theirs.conv3)
        network = small("resnet50", {**fields, "anti_alias": word})
        names = BANDS + "    conv3: conv3.1"
        assert_equal(striding(network), theirs, images(64), names)


def chosen(kernel: Any, given: Fields) -> None:
    """timm passes norm and activation to its paths alone, here to its choice as well."""
    kernel.attn = SelectiveKernelAttn(
        kernel.out_channels, attn_channels=8, **{k: given[k] for k in given if "_" in k}
    )


@EACH
def test_selective_kernels_are_those_of_timm(choice: str) -> None:
    fields, given = CHOICES[choice]
    fields = {"spatial": SK, **fields}
    shortcut = projected(given.get("norm_layer", nn.BatchNorm2d))
    kwargs = {"rd_ratio": 0.25}
    theirs = SelectiveKernelBottleneck(64, 32, 2, shortcut, sk_kwargs=kwargs, **given)
    if choice != "dilated":
        chosen(theirs.conv2, given)
    names = PATHS.format(n="conv2") + BOTTLENECK
    fields["spatial"] = {**SK, "divisor": 8}
    assert_equal(striding(small("resnet50", fields)), theirs, images(64), names)


@EACH
def test_selective_kernels_in_basic_blocks_are_those_of_timm(choice: str) -> None:
    fields, given = CHOICES[choice]
    shortcut = projected(given.get("norm_layer", nn.BatchNorm2d), 16, 32)
    kwargs = {"rd_ratio": 0.25}
    theirs = SelectiveKernelBasic(16, 32, 2, shortcut, sk_kwargs=kwargs, **given)
    if choice != "dilated":
        chosen(theirs.conv1, given)
    names = PATHS.format(n="conv1") + BASIC
    network = small("resnet18", {"spatial": SK, **fields})
    assert_equal(striding(network), theirs, images(16), names)


def test_selective_kernels_behind_a_striding_1x1() -> None:
    kwargs = {"rd_ratio": 0.25}
    theirs = SelectiveKernelBottleneck(64, 32, 1, projected(), sk_kwargs=kwargs)
    theirs.conv1.conv = conv(64, 32, 1, 2)
    network = small("resnet50", {"spatial": SK, "stride_on": "conv1"})
    names = PATHS.format(n="conv2") + BOTTLENECK
    assert_equal(striding(network), theirs, images(64), names)


@EACH
def test_split_attention_is_that_of_timm(choice: str) -> None:
    """timm's block leaves its relus in whatever the activation is; its layer takes one."""
    fields, given = CHOICES[choice]
    shortcut = projected(given.get("norm_layer", nn.BatchNorm2d))
    theirs = ResNestBottleneck(
        64, 32, 2, shortcut, radix=2, avd=True, is_first=True, **given
    )
    if "act_layer" in given:
        theirs.conv2.act0 = theirs.conv2.act1 = nn.SiLU()
    names = "(bn|norm)1: bn1\n(bn|norm)3: bn3"
    network = small("resnet50", {"spatial": SPLIT, **fields})
    assert_equal(striding(network), theirs, images(64), names)


STANDARD: Fields = {"standardization.eps": 1e-6}


def standardized(module: Any) -> Any:
    """The module with each 3x3 of its own by standardized weights."""
    for name, inner in module.named_children():
        if isinstance(inner, nn.Conv2d) and inner.kernel_size == (3, 3):
            made = StdConv2d(
                inner.in_channels,
                inner.out_channels,
                3,
                inner.stride,
                inner.padding,
                inner.dilation,
                inner.groups,
                eps=1e-6,
            )
            setattr(module, name, made)
        else:
            standardized(inner)
    return module


LAYERS: dict[str, tuple[Fields, Callable[[], nn.Module], str]] = {
    "selective_kernel": (
        SK,
        lambda: SelectiveKernel(32, stride=2, rd_ratio=0.25),
        PATHS.format(n="conv2"),
    ),
    "split_attention": (
        SPLIT,
        lambda: SplitAttn(32, norm_layer=nn.BatchNorm2d),
        "",
    ),
}


@pytest.mark.parametrize("word", LAYERS)
@pytest.mark.parametrize("standard", [False, True])
def test_before_an_activation_and_of_standardized_weights(
    word: str, standard: bool
) -> None:
    """In a pre-activation bottleneck the layer stands with the norm behind it."""
    spatial, make, names = LAYERS[word]
    fields = {**PRE, "spatial": spatial, **(STANDARD if standard else {})}
    network = small("resnet50", fields)
    layer = standardized(make()) if standard else make()

    def conv1x1(read: int, out: int, stride: int = 1) -> nn.Module:
        made = (
            partial(StdConv2d, eps=1e-6) if standard else partial(nn.Conv2d, bias=False)
        )
        return made(read, out, 1, stride)

    body: Chain = {"conv1": conv1x1(64, 32), "norm2": nn.BatchNorm2d(32)}
    body |= {"relu2": nn.ReLU(), "conv2": layer}
    if word == "split_attention":
        body |= {"pool": nn.AvgPool2d(3, 2, padding=1)}
    body |= {"conv3": conv1x1(32, 128)}
    theirs = Block(
        {"pre": pre(64), "body": body}, [conv1x1(64, 128, 2)], activated=True
    )
    assert_equal(striding(network), theirs, images(64), names)


@pytest.mark.parametrize("base", ["skresnet18", "resnest14d"])
@pytest.mark.parametrize(
    "norm", [{"type": "none"}, {"type": "batch"}, {"type": "group", "groups": 8}]
)
def test_with_whatever_is_inside_an_image_of_one_pixel_is_large_enough(
    base: str, norm: Fields
) -> None:
    network = load(base, {"norm": norm, "init.zero_last_norm": False}).network
    assert network.sizes.smallest == 1
    assert build(network)(torch.randn(2, 3, 1, 1)).shape == (2, 1000)


@pytest.mark.parametrize("base", ["skresnet18", "resnest14d"])
def test_activations_inside_layers_have_their_number(base: str) -> None:
    network = load(base, {"activation": {"leaky_relu": 0.2}}).network
    found = (m for m in build(network).modules() if isinstance(m, nn.LeakyReLU))
    assert {activation.negative_slope for activation in found} == {0.2}
