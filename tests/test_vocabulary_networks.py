"""Activations, norms, biases and attention, beside the formulas in plain torch.

The reference takes weights by their names, so what is held is that they are where, and of
what shape, the formula has them.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resnet_spec import load, render
from resnet_spec.compare.equality import verify
from resnet_spec.emit.module import build
from resnet_spec.network import Network

BARE = {"shortcut": "activated", "stem_norm": False, "final_norm": True}
Fields = dict[str, Any]
Weights = dict[str, Tensor]
Step = Callable[[Tensor], Tensor]
Named = Callable[[Weights, str, Tensor], Tensor]  # weights, path, map

SMALL: Fields = {"input": [3, 32, 32], "depths": [2, 2], "strides": [1, 2]}
SMALL |= {"widths": [16, 32], "stem": {"width": 16}, "head": {"classes": 5}}
BASIC, BOTTLENECK = "resnet18", "resnet50"


def small(base: str, fields: Fields) -> Network:
    """The network, of which built and generated are equal."""
    network = load(base, {**SMALL, **fields}).network
    assert verify(network, render(network)) == []
    return network


def batch(w: Weights, path: str, x: Tensor) -> Tensor:
    """Batch norm, in training as long as the running statistics are those of the start."""
    return F.batch_norm(
        x, None, None, w[f"{path}.weight"], w[f"{path}.bias"], training=True
    )


def conv(w: Weights, path: str, x: Tensor, stride: int = 1) -> Tensor:
    weight, bias = w[f"{path}.weight"], w.get(f"{path}.bias")
    return F.conv2d(x, weight, bias, stride, weight.shape[-1] // 2)


def same(_w: Weights, _path: str, x: Tensor) -> Tensor:
    return x


class Reference:
    """A small ResNet: its activation by stage, its norms by place, what ends a body."""

    def __init__(
        self,
        *,
        acts: list[Step] | Step = F.relu,
        norm: Named = batch,
        first: Named | None = None,
        attention: Named = same,
        summed: Named = same,
        name: str = "bn",
    ) -> None:
        self.acts = acts if isinstance(acts, list) else [acts, acts]
        self.norm, self.first, self.attention = norm, first or norm, attention
        self.summed, self.name = summed, name

    def __call__(self, w: Weights, x: Tensor) -> Tensor:
        x = self.acts[0](self.norm(w, f"{self.name}1", conv(w, "conv1", x, stride=2)))
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        for stage in (1, 2):
            for i in range(2):
                stride = 2 if stage == 2 and i == 0 else 1
                x = self.block(w, f"layer{stage}.{i}", x, stride, self.acts[stage - 1])
        return F.linear(x.mean((2, 3)), w["fc.weight"], w["fc.bias"])

    def block(self, w: Weights, at: str, x: Tensor, stride: int, act: Step) -> Tensor:
        """Of two convolutions or of three, the first 3x3 of which strides."""
        last = 3 if f"{at}.conv3.weight" in w else 2
        y = x
        for n in range(1, last + 1):
            strides = stride if n == last - 1 else 1
            norm = self.first if n == 1 else self.norm
            y = norm(w, f"{at}.{self.name}{n}", conv(w, f"{at}.conv{n}", y, strides))
            y = act(y) if n < last else self.attention(w, at, y)
        if f"{at}.downsample.0.weight" in w:
            x = conv(w, f"{at}.downsample.0", x, stride)
            x = self.norm(w, f"{at}.downsample.1", x)
        elif f"{at}.downsample.weight" in w:
            x = conv(w, f"{at}.downsample", x, stride)
        return act(self.summed(w, at, y + x))


def assert_equal(
    network: Network, reference: Callable[[Weights, Tensor], Tensor]
) -> None:
    """The same outputs in training, and the same gradients, of weights drawn at random."""
    torch.manual_seed(0)
    model = build(network).double().train()
    for name, parameter in model.named_parameters():
        with torch.no_grad():
            parameter.normal_(std=0.2).add_(
                1 if "weight" in name and parameter.ndim == 1 else 0
            )
    images = torch.randn(3, 3, 48, 40, dtype=torch.double)
    weights = dict(model.named_parameters())
    ours, theirs = model(images), reference(weights, images)
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)
    kept = list(weights.values())
    mine = torch.autograd.grad(ours.square().mean(), kept)
    other = torch.autograd.grad(theirs.square().mean(), kept)
    for name, a, b in zip(weights, mine, other, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-7, atol=1e-9, msg=name)


# --- activations --------------------------------------------------------------------------

ACTIVATIONS: dict[str, Step] = {
    "gelu": lambda x: x * (1 + torch.erf(x / 2**0.5)) / 2,
    "relu6": lambda x: x.clamp(0, 6),
    "elu": lambda x: torch.where(x > 0, x, x.clamp(max=0).exp() - 1),
    "mish": lambda x: x * (1 + x.exp()).log().tanh(),
    "hardswish": lambda x: x * (x + 3).clamp(0, 6) / 6,
}


@pytest.mark.parametrize("base", [BASIC, BOTTLENECK])
@pytest.mark.parametrize("word", ACTIVATIONS)
def test_activations_are_their_formulas(word: str, base: str) -> None:
    network = small(base, {"activation": word})
    assert_equal(network, Reference(acts=ACTIVATIONS[word]))


def test_a_leaky_relu_has_the_slope_of_its_stage() -> None:
    """FixMatch's, and TResNet's."""
    slopes = [{"leaky_relu": 0.1}, {"leaky_relu": 0.001}]
    network = small(BASIC, {"activation": slopes})
    acts = [lambda x, s=s: torch.where(x > 0, x, s * x) for s in (0.1, 0.001)]
    assert_equal(network, Reference(acts=acts))
    kinds = [stage.blocks[0].kind for stage in network.stages]
    assert kinds == ["BasicBlockLeakyRelu01", "BasicBlockLeakyRelu0001"]


# --- biases -------------------------------------------------------------------------------

CONVOLUTIONS = {
    f"layer{s}.{i}.conv{n}" for s in (1, 2) for i in (0, 1) for n in (1, 2, 3)
}
PROJECTIONS = {f"layer{s}.0.downsample" for s in (1, 2)}
BIASED: list[tuple[Fields, set[str]]] = [
    ({"conv_bias": "none"}, set()),
    (
        {"conv_bias": "all"},
        {"conv1", *CONVOLUTIONS, *(f"{name}.0" for name in PROJECTIONS)},
    ),
    ({"conv_bias": "projection"}, {f"{name}.0" for name in PROJECTIONS}),
    (
        {"conv_bias": "unnormalized", "preact": BARE},
        {"conv1", *(c for c in CONVOLUTIONS if c.endswith("conv3")), *PROJECTIONS},
    ),
]


@pytest.mark.parametrize(("fields", "expected"), BIASED)
def test_those_convolutions_have_biases_that_the_spec_names(
    fields: Fields, expected: set[str]
) -> None:
    model = build(small(BOTTLENECK, fields))
    modules = model.named_modules()
    found = {n for n, m in modules if isinstance(m, nn.Conv2d) and m.bias is not None}
    assert found == expected


@pytest.mark.parametrize("base", [BASIC, BOTTLENECK])
@pytest.mark.parametrize("word", ["all", "projection"])
def test_a_bias_is_added_where_its_convolution_is(word: str, base: str) -> None:
    assert_equal(small(base, {"conv_bias": word}), Reference())


def test_every_convolution_with_a_bias_makes_as_many_parameters_as_keras_has() -> None:
    """keras.applications 3.15's ResNet50."""
    assert load("resnet50", {"conv_bias": "all"}).network.params == 25_583_592


def test_convolutions_of_every_stem_have_biases() -> None:
    changes = {
        "stem": {"type": "deep", "pool": "conv", "width": 16},
        "conv_bias": "all",
    }
    model = build(small(BASIC, changes))
    paths = ("conv1.0", "conv1.3", "conv1.6", "pool.0")
    assert all(model.get_submodule(path).bias is not None for path in paths)


# --- norms --------------------------------------------------------------------------------


def frozen(w: Weights, path: str, x: Tensor) -> Tensor:
    """As a network has it at its start: its statistics 0 and 1, its weights 1 and 0."""
    assert f"{path}.weight" not in w
    return x / (1 + 1e-5) ** 0.5


def first_stage(norm: Named, rest: Named = batch) -> Named:
    """A norm in stem and first stage, and another one elsewhere."""
    return lambda w, path, x: (rest if path.startswith("layer2") else norm)(w, path, x)


@pytest.mark.parametrize("base", [BASIC, BOTTLENECK])
def test_stem_and_first_stage_can_be_frozen_alone(base: str) -> None:
    """As detectron2's FREEZE_AT: 2 has it."""
    network = small(base, {"norm.type": ["frozen", "batch"]})
    assert_equal(network, Reference(norm=first_stage(frozen)))


def test_the_last_norm_is_of_the_kind_of_the_last_stage() -> None:
    changes = {"norm.type": ["batch", "frozen"], "preact": BARE | {"first": "own"}}
    assert type(small(BASIC, changes).head[0]).__name__ == "FrozenBatchNorm2d"


def normalized(x: Tensor, *dims: int) -> Tensor:
    """Of mean 0 and variance 1 over those dimensions."""
    variance, mean = torch.var_mean(x, dims, correction=0, keepdim=True)
    return (x - mean) / (variance + 1e-5).sqrt()


def affine(w: Weights, path: str, x: Tensor) -> Tensor:
    return x * w[f"{path}.weight"][:, None, None] + w[f"{path}.bias"][:, None, None]


def instance_affine(w: Weights, path: str, x: Tensor) -> Tensor:
    return affine(w, path, normalized(x, 2, 3))


def layer(w: Weights, path: str, x: Tensor) -> Tensor:
    return affine(w, path, normalized(x, 1))


def groups_of_8(w: Weights, path: str, x: Tensor) -> Tensor:
    grouped = x.unflatten(1, (-1, 8))
    return affine(w, path, normalized(grouped, 2, 3, 4).flatten(1, 2))


NORMS: list[tuple[Fields, Named]] = [
    ({"type": "instance"}, lambda w, path, x: normalized(x, 2, 3)),
    ({"type": "instance_affine"}, instance_affine),
    ({"type": "layer"}, layer),
    ({"type": "group", "channels_per_group": 8}, groups_of_8),
    ({"type": "none"}, same),
]


@pytest.mark.parametrize("base", [BASIC, BOTTLENECK])
@pytest.mark.parametrize(("norm", "formula"), NORMS)
def test_norms_are_their_formulas(norm: Fields, formula: Named, base: str) -> None:
    changes = {"norm": norm, "conv_bias": "all" if norm["type"] == "none" else "none"}
    assert_equal(small(base, changes), Reference(norm=formula, name="norm"))


@pytest.mark.parametrize("base", [BASIC, BOTTLENECK])
def test_ibn_a_halves_the_first_norm_of_each_block(base: str) -> None:
    """As https://github.com/XingangPan/IBN-Net has it, of an odd width too."""

    def halves(w: Weights, path: str, x: Tensor) -> Tensor:
        half = x.shape[1] // 2
        first, second = x[:, :half], x[:, half:]
        first = instance_affine(w, f"{path}.IN", first)
        return torch.cat((first, batch(w, f"{path}.BN", second)), 1)

    network = small(base, {"norm.type": ["ibn_a", "batch"], "widths": [17, 32]})
    first = first_stage(halves)
    assert_equal(network, Reference(first=lambda w, p, x: first(w, p, x)))


@pytest.mark.parametrize("base", [BASIC, BOTTLENECK])
def test_ibn_b_normalizes_the_sum_of_a_stages_last_block(base: str) -> None:
    """As https://github.com/XingangPan/IBN-Net has it, and its stem by instance."""

    def summed(w: Weights, at: str, x: Tensor) -> Tensor:
        assert (f"{at}.IN.weight" in w) == (at == "layer1.1")
        return instance_affine(w, f"{at}.IN", x) if at == "layer1.1" else x

    def norm(w: Weights, path: str, x: Tensor) -> Tensor:
        return (instance_affine if path == "bn1" else batch)(w, path, x)

    network = small(base, {"norm.type": ["ibn_b", "batch"]})
    assert_equal(network, Reference(norm=norm, summed=summed))


@pytest.mark.parametrize("norm", ["instance", "ibn_a", "ibn_b"])
def test_an_instance_norm_is_given_no_map_of_one_pixel(norm: str) -> None:
    """Of which torch raises; the smallest image that is taken is the smallest that runs."""
    network = small(BASIC, {"norm.type": norm})
    model, least = build(network), network.sizes.smallest
    model(torch.randn(2, 3, least, least))
    with pytest.raises(ValueError, match="more than 1 spatial element"):
        model(torch.randn(2, 3, least - 1, least - 1))


def test_a_channel_count_per_group_holds_for_every_width() -> None:
    norm = {"type": "group", "channels_per_group": 16}
    modules = build(load("resnet50", {"norm": norm}).network).modules()
    groups = {
        (m.num_channels, m.num_groups) for m in modules if isinstance(m, nn.GroupNorm)
    }
    assert groups == {(c, c // 16) for c in (64, 128, 256, 512, 1024, 2048)}


def test_ibn_nets_parameters_are_counted_as_in_its_code() -> None:
    """resnet50_ibn_a of https://github.com/XingangPan/IBN-Net has those of ResNet-50."""
    a = load("resnet50", {"norm.type": ["ibn_a", "ibn_a", "ibn_a", "batch"]}).network
    b = load("resnet50", {"norm.type": ["ibn_b", "ibn_b", "batch", "batch"]}).network
    plain = load("resnet50").network
    assert a.params == plain.params
    assert b.params == plain.params + 2 * (256 + 512)


# --- attention ----------------------------------------------------------------------------


def squeeze_excite(w: Weights, at: str, x: Tensor) -> Tensor:
    """By matrices alone."""
    first, second = (w[f"{at}.se.fc{n}.weight"][:, :, 0, 0] for n in (1, 2))
    assert f"{at}.se.fc1.bias" not in w
    shares = torch.sigmoid(x.mean((2, 3)).matmul(first.T).relu().matmul(second.T))
    return x * shares[:, :, None, None]


@pytest.mark.parametrize("base", [BASIC, BOTTLENECK])
def test_squeeze_and_excitation_can_be_without_biases(base: str) -> None:
    se = {"ratio": 0.0625, "divisor": 1, "bias": False}
    network = small(base, {"attention": "se", "se": se})
    assert_equal(network, Reference(attention=squeeze_excite))


def cbam(w: Weights, at: str, x: Tensor) -> Tensor:
    """As https://github.com/Jongchan/attention-module has it, by two pools."""

    def mlp(y: Tensor) -> Tensor:
        y = F.linear(y.flatten(1), w[f"{at}.cbam.fc1.weight"], w[f"{at}.cbam.fc1.bias"])
        return F.linear(y.relu(), w[f"{at}.cbam.fc2.weight"], w[f"{at}.cbam.fc2.bias"])

    size = x.shape[2:]
    channels = mlp(F.avg_pool2d(x, size)) + mlp(F.max_pool2d(x, size))
    x = x * channels.sigmoid()[:, :, None, None]
    both = torch.stack((x.max(1).values, x.mean(1)), 1)
    return x * batch(w, f"{at}.cbam.bn", conv(w, f"{at}.cbam.conv", both)).sigmoid()


@pytest.mark.parametrize("base", [BASIC, BOTTLENECK])
def test_cbam_weighs_channels_and_then_pixels(base: str) -> None:
    network = small(base, {"attention": "cbam"})
    assert_equal(network, Reference(attention=cbam))


def test_cbam_squeezes_to_at_least_one_channel() -> None:
    source = render(small(BASIC, {"attention": "cbam", "widths": [8, 48]}))
    assert "stage(8, width=48, blocks=2, stride=2, squeezed=3)" in source
    source = render(small(BASIC, {"attention": "cbam", "widths": [24, 40]}))
    assert "ConvBlockAttention(width, width // 16)" in source


def test_cbams_own_norm_has_the_momentum_of_its_authors() -> None:
    model = build(small(BASIC, {"attention": "cbam"}))
    own = [m for n, m in model.named_modules() if n.endswith("cbam.bn")]
    assert {norm.momentum for norm in own} == {0.01}
    assert load("resnet50", {"attention": "cbam"}).network.params == 28_089_624


def test_ecas_kernel_in_a_pruned_block_is_that_of_a_whole_one() -> None:
    """Behind its 3x3 too: of (log2(channels) + 1) / 2, which is 3.5 for 64 and 4 for 128."""
    fields = {"attention_after": "conv2"}
    model = build(load("ecaresnet50d_pruned", fields).network, init=False)
    kernels = [
        m.kernel_size[0] for n, m in model.named_modules() if n.endswith("eca.conv")
    ]
    assert kernels == [3] * 3 + [5] * 13
