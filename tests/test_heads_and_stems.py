"""Heads, stems, pools and blurs, held to plain torch that was written from their sources."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resnet_spec import SpecError, load, render
from resnet_spec.compare.equality import verify
from resnet_spec.emit.module import build
from resnet_spec.network import Network, Sizes
from resnet_spec.passes.cut import cut
from tests.models import seeded

Fields = dict[str, Any]
State = dict[str, Tensor]
SMALL: Fields = {"input": [3, 40, 24], "widths": [8, 8, 16, 16], "stem.width": 8}
SMALL |= {"depths": [1, 1, 1, 1], "head.classes": 7, "stem.pool": "none"}


def small(fields: Fields, base: str = "resnet18") -> Network:
    network: Network = load(base, SMALL | fields).network
    return network


def assert_equal_to(
    network: Network, reference: Callable[[State, Tensor], Tensor]
) -> None:
    """Training outputs and gradients of the module; the generated source is its equal."""
    assert verify(network, render(network)) == []
    model = seeded(lambda: build(network))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    state = {name: p.detach().requires_grad_() for name, p in model.named_parameters()}
    images = torch.randn(4, *network.image)
    outputs = [model.train()(images), reference(state, images)]
    torch.testing.assert_close(*outputs)
    weights = torch.randn_like(outputs[0])
    for output in outputs:
        (output * weights).sum().backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, state[name].grad, msg=name)


# --- heads --------------------------------------------------------------------------------


def norm(state: State, name: str, x: Tensor) -> Tensor:
    weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
    return F.batch_norm(x, None, None, weight, bias, training=True)


def linear(state: State, name: str, x: Tensor) -> Tensor:
    return F.linear(x, state[f"{name}.weight"], state.get(f"{name}.bias"))


def average(x: Tensor) -> Tensor:
    return x.mean((2, 3))


def fc512(state: State, x: Tensor) -> Tensor:
    """torchreid's `_construct_fc_layer` (KaiyangZhou/deep-person-reid models/resnet.py)."""
    x = norm(state, "hidden.1", linear(state, "hidden.0", average(x)))
    return linear(state, "fc", x.relu())


def moco_v2(state: State, x: Tensor) -> Tensor:
    """https://arxiv.org/abs/2003.04297 (facebookresearch/moco moco/builder.py)"""
    return linear(state, "hidden.2", linear(state, "hidden.0", average(x)).relu())


def insightface(state: State, x: Tensor) -> Tensor:
    """deepinsight/insightface arcface_torch/backbones/iresnet.py"""
    x = norm(state, "hidden.0", x).flatten(1)
    return norm(state, "hidden.3", linear(state, "hidden.2", x))


def bnneck(state: State, x: Tensor) -> Tensor:
    """https://arxiv.org/abs/1903.07071"""
    return linear(state, "fc", norm(state, "hidden.0", average(x)))


def tstp(state: State, x: Tensor) -> Tensor:
    """Mean and deviation over time (wenet-e2e/wespeaker models/pooling_layers.py)."""
    count = x.shape[3]
    mean = x.sum(3) / count
    variance = (x - mean[..., None]).square().sum(3) / (count - 1)
    found = [mean.flatten(1), (variance + 1e-7).sqrt().flatten(1)]
    return linear(state, "hidden.0", torch.cat(found, 1))


def normed_tstp(state: State, x: Tensor) -> Tensor:
    """With the norm behind them of https://arxiv.org/abs/2005.07143 (ECAPA-TDNN)."""
    found = [x.mean(3).flatten(1), (x.var(3) + 1e-7).sqrt().flatten(1)]
    return linear(state, "hidden.1", norm(state, "hidden.0", torch.cat(found, 1)))


def avgmax(state: State, x: Tensor) -> Tensor:
    """timm 1.0's SelectAdaptivePool2d("avgmax")"""
    return linear(state, "fc", 0.5 * (average(x) + x.amax((2, 3))))


def largest(state: State, x: Tensor) -> Tensor:
    return linear(state, "fc", x.amax((2, 3)))


NO_CLASSES: Fields = {"head.classes": "none"}


def convolved(state: State, x: Tensor) -> Tensor:
    """timm 1.0's `num_features` (byobnet.py)"""
    x = F.conv2d(x, state["final.0.weight"])
    return linear(state, "fc", average(norm(state, "final.1", x).relu()))


def activated(state: State, x: Tensor) -> Tensor:
    """timm 1.0's RegNetV (regnet.py), here behind an activation, which changes nothing"""
    return linear(state, "fc", average(x.relu()))


def clip(state: State, x: Tensor) -> Tensor:
    """The first token of torch's own attention (openai/CLIP clip/model.py)."""
    x = x.flatten(2).permute(2, 0, 1)
    x = torch.cat([x.mean(0, keepdim=True), x]) + state["attnpool.pos_embed"][:, None]
    weights, biases = (
        [state[f"attnpool.{name}.{kind}"] for name in "qkv"]
        for kind in ("weight", "bias")
    )
    channels = x.shape[2]
    found, _ = F.multi_head_attention_forward(
        *(x[:1], x, x, channels, channels // 64, None, torch.cat(biases)),
        *(None, None, False, 0.0, torch.eye(channels), None),
        use_separate_proj_weight=True,
        q_proj_weight=weights[0],
        k_proj_weight=weights[1],
        v_proj_weight=weights[2],
    )
    return linear(state, "fc", found[0])


HEADS: list[tuple[Fields, Callable[[State, Tensor], Tensor]]] = [
    ({"head.hidden": [512, "norm", "activation"]}, fc512),
    ({"head.hidden": [32, "activation", 12], **NO_CLASSES}, moco_v2),
    (
        {"head.pool": "none", "head.hidden": ["norm", 12, "norm"], **NO_CLASSES},
        insightface,
    ),
    ({"head.hidden": ["norm"], "head.bias": False}, bnneck),
    ({"head.pool": "statistics", "head.hidden": [12], **NO_CLASSES}, tstp),
    (
        {"head.pool": "statistics", "head.hidden": ["norm", 12], **NO_CLASSES},
        normed_tstp,
    ),
    ({"head.pool": "avg_max"}, avgmax),
    ({"head.pool": "max"}, largest),
    ({"head.pre": [{"conv": 1, "to": 20}, "norm", "activation"]}, convolved),
    ({"head.pre": ["activation"]}, activated),
    ({"head.pool": "attention", "widths": [8, 8, 16, 128]}, clip),
]


ENDS = ("fc", "hidden", "final", "attnpool")


@pytest.mark.parametrize(
    ("fields", "head"), HEADS, ids=lambda v: getattr(v, "__name__", "")
)
def test_a_head_is_that_of_its_source(
    fields: Fields, head: Callable[[State, Tensor], Tensor]
) -> None:
    """Behind the same trunk, which other tests hold to torchvision's."""
    network = small({"strides": [1, 2, 2, 1], **fields})
    trunk = build(cut(network, ["layer4"])).train()

    def reference(state: State, images: Tensor) -> Tensor:
        inside = {k: v for k, v in state.items() if not k.startswith(ENDS)}
        maps = torch.func.functional_call(trunk, inside, (images,))
        return head(state, maps["layer4"])

    assert_equal_to(network, reference)


@pytest.mark.parametrize(
    ("fields", "heights", "widths"),
    [
        ({"head.pool": "none"}, (33, 48), (17, 32)),
        ({"head.pool": "none", "input": [3, 24, 24]}, (17, 32), (17, 32)),
        ({"head.pool": "statistics"}, (33, 48), (17, None)),
        ({"head.pool": "attention", "widths": [8, 8, 16, 64]}, (33, 48), (17, 32)),
    ],
)
def test_a_head_that_keeps_pixels_takes_images_of_just_those_sizes(
    fields: Fields, heights: tuple[int, int], widths: tuple[int, int | None]
) -> None:
    """As many as torch takes: one pixel more or less is refused by the linear layer."""
    network = small(fields)
    assert network.sides == (Sizes(*heights), Sizes(*widths))
    model = build(network, init=False).eval()

    def takes(height: int, width: int) -> bool:
        try:
            model(torch.zeros(1, 3, height, width))
        except (RuntimeError, AssertionError):
            return False
        return True

    (_, height, width) = network.image
    tried = [h for h in range(heights[0] - 2, heights[1] + 3) if takes(h, width)]
    assert tried == [*range(heights[0], heights[1] + 1)]
    if widths[1] is None:
        assert takes(height, 200)
    elif fields["head.pool"] == "attention":  # which as many pixels would do for
        assert not takes(width, height)
    else:
        tried = [w for w in range(widths[0] - 2, widths[1] + 3) if takes(height, w)]
        assert tried == [*range(widths[0], widths[1] + 1)]


def test_dropout_stands_before_the_last_linear_layer() -> None:
    hidden: Fields = {"head.hidden": [32, "norm", 12], "head.dropout": 0.5}
    layers = ["Linear", "BatchNorm1d", "Linear"]
    assert ends(small(hidden)) == [*layers, "Dropout", "Linear"]
    assert ends(small(hidden | NO_CLASSES)) == [*layers[:2], "Dropout", "Linear"]


def ends(network: Network) -> list[str]:
    """The classes of the modules behind the pool."""
    _, *modules = (op.module for op in network.head if op.module)
    return modules


def test_an_activation_behind_an_activation_can_be_trained() -> None:
    """In place, it would change what the one before it needs for its gradient."""
    hidden = {
        "head.hidden": ["activation", "activation", 12, "activation", "activation"]
    }
    network = small(hidden | {"head.pool": "none"})
    assert verify(network, render(network)) == []


def test_only_a_classifier_is_one() -> None:
    network = small({"head.hidden": [12], **NO_CLASSES})
    assert network.classifier is None
    assert network.output.channels == 12
    assert "12 features" in repr(network)


def test_a_head_without_a_bias_draws_none() -> None:
    network = small({"head.bias": False, "init.scheme": "bit"})
    model = seeded(lambda: build(network))
    assert isinstance(model.fc, nn.Linear)
    assert model.fc.bias is None
    assert verify(network, render(network)) == []


def test_statistics_of_one_column_are_refused() -> None:
    with pytest.raises(SpecError, match="widths from 17 on do not"):
        small({"head.pool": "statistics", "input": [3, 40, 16]})


# --- stems and pools ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"stem.type": "conv1x1"}, nn.Conv2d(3, 8, 1)),
        ({"stem.type": "conv1x1", "stem.stride": 2}, nn.Conv2d(3, 8, 1, 2)),
        ({"stem.type": "conv7x7", "stem.stride": 1}, nn.Conv2d(3, 8, 7, 1, 3)),
        ({"stem.type": "conv3x3", "stem.stride": 2}, nn.Conv2d(3, 8, 3, 2, 1)),
    ],
)
def test_a_stem_is_that_convolution(fields: Fields, expected: nn.Conv2d) -> None:
    """kuangliu/pytorch-cifar resnext.py, MONAI 1.6 resnet.py, timm 1.0 regnet.py"""
    network = small(fields)
    assert verify(network, render(network)) == []
    model, images = build(cut(network, ["stem"])).eval(), torch.randn(2, 3, 33, 20)
    assert isinstance(model.conv1, nn.Conv2d)
    assert model.conv1.kernel_size == expected.kernel_size
    given = F.conv2d(
        images, model.conv1.weight, None, expected.stride, expected.padding
    )
    torch.testing.assert_close(model(images)["stem"], given.div(1.00001**0.5).relu())


def test_squares_of_pixels_are_channels() -> None:
    """Alibaba-MIIL/TResNet src/models/tresnet/layers/space_to_depth.py: by row, column and
    channel, where torch's own pixel_unshuffle goes by channel, row and column."""
    chain = [{"space_to_depth": 4}, {"conv": 3}, "norm", "activation"]
    network = small({"stem.type": chain, "stem.pool": None})
    assert str(network.sizes) == "that are multiples of 4"
    assert verify(network, render(network)) == []
    model, images = build(cut(network, ["stem"])).eval(), torch.randn(2, 3, 24, 20)
    squares = F.pixel_unshuffle(images, 4).unflatten(1, (3, 16)).transpose(1, 2)
    given = F.conv2d(squares.flatten(1, 2), model.conv1.weight, padding=1)
    torch.testing.assert_close(model(images)["stem"], given.div(1.00001**0.5).relu())
    with pytest.raises(SpecError, match="which it cannot divide; write heights"):
        small({"stem.type": chain, "stem.pool": None, "input": [3, 42, 24]})


@pytest.mark.parametrize(
    ("op", "channels"),
    [
        ({"conv": 1, "to": "in * 4"}, 64),
        ({"conv": 1, "to": "in * 3"}, 48),
        ({"pad": 128}, 128),
        ({"pad": 100}, 100),
        ({"space_to_depth": 2}, 64),
    ],
)
def test_attention_has_heads_of_64_of_what_any_op_before_it_gives(
    op: Fields, channels: int
) -> None:
    fields = {"head.pool": "attention", "head.pre": [op], "input": [3, 64, 64]}
    if channels % 64:
        with pytest.raises(SpecError, match=f"do not divide the {channels} that"):
            small(fields)
    else:
        network = small(fields)
        assert verify(network, render(network)) == []


def shortcut_of(model: nn.Module) -> nn.Module:
    return model.get_submodule("layer2.0.downsample")


@pytest.mark.parametrize("side", [16, 17, 18, 19])
def test_pools_that_round_down_are_clips(side: int) -> None:
    """openai/CLIP clip/model.py: 2x2 averages of stride 2, as torch has them by default."""
    fields = {"shortcut": "avg_floor_projection", "anti_alias": "avg_floor"}
    network = small(fields | {"stem.type": "conv3x3"}, "resnet50")
    assert network.disagreement() is None
    assert verify(network, render(network)) == []
    model, x = build(network).eval(), torch.randn(1, 32, side, side)
    block = model.get_submodule("layer2.0")
    assert block(x).shape[2:] == (side // 2, side // 2)
    pool, conv = shortcut_of(model)[0], shortcut_of(model)[1]
    assert torch.equal(pool(x), F.avg_pool2d(x, 2))
    assert conv.stride == (1, 1)


@pytest.mark.parametrize(
    "fields", [{"shortcut": "avg_floor_projection"}, {"anti_alias": "avg_floor"}]
)
def test_a_pool_that_rounds_down_alone_cannot_be_added(fields: Fields) -> None:
    with pytest.raises(SpecError, match="cannot be added: for an image of"):
        small(fields, "resnet50")


# --- blurs, as adobe/antialiased-cnns has them ----------------------------------------------

ROWS = {2: [1, 1], 3: [1, 2, 1], 4: [1, 3, 3, 1], 5: [1, 4, 6, 4, 1]}
ROWS |= {6: [1, 5, 10, 10, 5, 1], 7: [1, 6, 15, 20, 15, 6, 1]}


def blurred(x: Tensor, taps: int, stride: int = 2) -> Tensor:
    """BlurPool of antialiased_cnns 0.3: reflected by the larger half behind."""
    row = torch.tensor(ROWS[taps], dtype=x.dtype)
    kernel = torch.outer(row, row) / row.sum() ** 2
    half = (taps - 1) / 2
    before, after = int(half), -int(-half // 1)
    x = nn.ReflectionPad2d((before, after, before, after))(x)
    channels = x.shape[1]
    kernel = kernel.repeat(channels, 1, 1, 1)
    return F.conv2d(x, kernel, stride=stride, groups=channels)


@pytest.mark.parametrize("taps", ROWS)
def test_antialiased_networks_blur_where_adobe_has_it(taps: int) -> None:
    """In the stem behind a 2x2 max pool of stride 1, in bodies, and before projections."""
    fields = {"shortcut": "blur_projection", "anti_alias": "blur", "blur_taps": taps}
    network = small(fields | {"stem.pool": "max2_blur", "input": [3, 97, 65]})
    assert verify(network, render(network)) == []
    model = build(network).train()
    x = torch.randn(2, 3, 97, 65)
    y = model.relu(model.bn1(model.conv1(x)))
    y = model.layer1(blurred(F.max_pool2d(y, 2, 1), taps))
    for layer in (model.layer2, model.layer3, model.layer4):
        (block,) = layer
        z = blurred(block.relu(block.bn1(block.conv1(y))), taps)
        _, *projection = block.downsample
        shortcut = nn.Sequential(*projection)(blurred(y, taps))
        y = block.relu(block.bn2(block.conv2(z)) + shortcut)
    assert torch.equal(model(x), model.fc(y.mean((2, 3), keepdim=True).flatten(1)))


def test_a_projection_that_does_not_stride_is_not_blurred() -> None:
    network = small({"shortcut": "blur_projection", "strides": [1, 1, 1, 1]})
    x = torch.randn(2, 8, 5, 5)
    pool = build(network).get_submodule("layer3.0.downsample.0")
    assert torch.equal(pool(x), x)
    with pytest.raises(SpecError, match="changes nothing here"):
        small({"shortcut": "blur_projection", "strides": 1, "blur_taps": 4})
