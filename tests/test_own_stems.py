"""Stems of one's own: what ships, said as chains, is the same network, and those of others are
what their code says they are."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from timm.models.nfnet import create_stem
from torch import Tensor, nn
from torch.nn import functional as F

from resnet_spec import SpecError, build, digests, load, render
from resnet_spec.compare.equality import verify
from resnet_spec.network import Network, Sizes
from tests.models import rendered, seeded

Fields = dict[str, Any]
Chain = list[Any]
NORM_ACT = ["norm", "activation"]
MAX: Chain = [{"pool": "max", "kernel": 3, "stride": 2}]
BLURRED: Chain = [{"pool": "max", "kernel": 3}, {"blur": 3, "stride": 2}]


def convs(*said: Fields) -> Chain:
    """3x3 convolutions, each with norm and activation behind it."""
    return [op for conv in said for op in ({"conv": 3, **conv}, *NORM_ACT)]


def three(first: str, second: str) -> Chain:
    return convs({"stride": 2, "to": first}, {"to": second}, {})


DEEP = three("width / 2", "width / 2")
SEVEN: Chain = [{"conv": 7, "stride": 2}, *NORM_ACT]
SHIPPED: dict[str, tuple[Chain, str | None]] = {
    "resnet50": ([*SEVEN, *MAX], None),
    "resnet18": (SEVEN, "max"),
    "cifar/resnet20": (convs({}), None),
    "resnetd/resnet50d": ([*DEEP, *MAX], None),
    "resnetd/resnet50t": ([*three("width * 3 / 8", "width / 2"), *MAX], None),
    "resnetrs/resnetrs50": ([*DEEP, *convs({"stride": 2})], None),
    "resnetblur/resnetblur50": ([*SEVEN, *BLURRED], None),
    "resnetv2/resnetv2_50": ([SEVEN[0], *MAX], None),
    "field/clip/rn50_clip": (DEEP, "avg"),
    "field/pytorchcv/preresnet10_pytorchcv": ([*SEVEN, *MAX], None),
    "field/kuangliu/preactresnet18_kuangliu": ([{"conv": 3}], None),
}
"""Networks that ship, and their stems by chains and the pools behind those."""


def said(spec: str) -> Network:
    chain, pool = SHIPPED[spec]
    fields: Fields = {"stem.type": chain, "stem.pool": pool}
    if load(spec).plan.spec.preact:
        fields["preact.stem_norm"] = None
    network: Network = load(spec, fields).network
    return network


@pytest.mark.parametrize("spec", SHIPPED)
def test_what_ships_is_such_chains(spec: str) -> None:
    assert digests(said(spec)).function == digests(load(spec).network).function


@pytest.mark.parametrize(
    "spec", ["resnet50", "resnet18", "cifar/resnet20", "resnetv2/resnetv2_50"]
)
def test_with_the_names_of_what_ships(spec: str) -> None:
    shipped = [name for name, _ in load(spec).network.tensors()]
    assert [name for name, _ in said(spec).tensors()] == shipped


# --- by others' code ----------------------------------------------------------------------


def early(width: int) -> nn.Module:
    """https://arxiv.org/abs/2106.14881, table 1 (pycls models/vit.py, ViTStemConv): four 3x3
    of stride 2 that double, and a 1x1 with a bias, behind which nothing is."""
    widths = (3, width // 8, width // 4, width // 2, width)
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Conv2d(before, after, 3, 2, 1, bias=False)]
        layers += [nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(width, width, 1))


def clip(width: int) -> nn.Module:
    """openai/CLIP clip/model.py, ModifiedResNet"""
    half = width // 2
    layers: list[nn.Module] = []
    for before, after, stride in ((3, half, 2), (half, half, 1), (half, width, 1)):
        layers += [nn.Conv2d(before, after, 3, stride, padding=1, bias=False)]
        layers += [nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.AvgPool2d(2))


def quad(width: int) -> nn.Module:
    """timm's stem of NFNets (https://arxiv.org/abs/2102.06171), with plain convolutions."""

    def conv(before: int, after: int, kernel_size: int, **more: Any) -> nn.Conv2d:
        return nn.Conv2d(before, after, kernel_size, padding=1, **more)

    stem: nn.Module
    stem, stride, _ = create_stem(
        3,
        width,
        "deep_quad",
        conv_layer=conv,
        act_layer=lambda inplace: nn.GELU(),  # which has no such form
    )
    assert stride == 4
    return stem


def mixed(width: int) -> nn.Module:
    """No network's: each op that a stem takes and those above leave out."""
    conv = nn.Conv2d(3, width, 1)
    return nn.Sequential(
        nn.SiLU(),
        nn.SiLU(),
        nn.AvgPool2d(2, ceil_mode=True),
        conv,
        nn.LeakyReLU(0.1),
        nn.Conv2d(width, width, 5, 1, padding=4, dilation=2, groups=width, bias=False),
        nn.LeakyReLU(0.5),
        nn.InstanceNorm2d(width),
        nn.Conv2d(width, 3 * width // 4, 3, 3, padding=1, groups=2, bias=False),
        nn.AvgPool2d(3, 2, padding=1),
        nn.PReLU(3 * width // 4),
        nn.Conv2d(3 * width // 4, 12, 3, 1, padding=1, bias=False),
        nn.PReLU(12),
        nn.Conv2d(12, width, 1, bias=False),
    )


BIASED = {"bias": True}
STEMS: list[tuple[Callable[[int], nn.Module], Chain, Fields]] = [
    (
        early,
        [
            *convs(*({"stride": 2, "to": f"width / {n}"} for n in (8, 4, 2))),
            *convs({"stride": 2}),
            {"conv": 1, "bias": True},
        ],
        {},
    ),
    (clip, DEEP, {"stem.pool": "avg"}),
    (
        quad,
        [
            *({"conv": 3, "stride": 2, "to": "width / 8", **BIASED}, "activation"),
            *({"conv": 3, "to": "width / 4", **BIASED}, "activation"),
            *({"conv": 3, "to": "width / 2", **BIASED}, "activation"),
            {"conv": 3, "stride": 2, **BIASED},
        ],
        {"activation": "gelu"},
    ),
    (
        mixed,
        [
            *("activation", "activation", {"pool": "avg", "stride": 2}),
            *({"conv": 1, "bias": True}, {"activation": {"leaky_relu": 0.1}}),
            {"conv": 5, "groups": "each", "dilation": 2},
            *({"activation": {"leaky_relu": 0.5}}, {"norm": "instance"}),
            {"conv": 3, "stride": 3, "groups": 2, "to": "width * 3 / 4"},
            *({"pool": "avg", "kernel": 3, "stride": 2}, {"activation": "prelu"}),
            *({"conv": 3, "to": "in * 4"}, {"activation": "prelu"}, {"conv": 1}),
        ],
        {"activation": "silu"},
    ),
]


@pytest.mark.parametrize(
    ("reference", "chain", "fields"), STEMS, ids=lambda v: getattr(v, "__name__", "")
)
@pytest.mark.parametrize("size", [(37, 50), (64, 31)])
def test_a_stem_is_that_of_its_source(
    reference: Callable[[int], nn.Module],
    chain: Chain,
    fields: Fields,
    size: tuple[int, int],
) -> None:
    """In training, with its gradients, built and generated; the image stays as it was."""
    stem: Fields = {"stem.type": chain, "stem.width": 16, "stem.pool": None}
    one: Fields = {"depths": [1], "widths": 16, "strides": 1, "input": [3, *size]}
    fields = {**stem, **one, **fields}
    features = ["pool" if fields["stem.pool"] else "stem"]
    network = load("resnet18", fields, features=features).network
    assert verify(network, render(network)) == []
    theirs = seeded(lambda: reference(16)).double()
    images = torch.randn(3, 3, *size, dtype=torch.float64)
    kept = images.clone()
    expected = theirs(images)
    for model in (build(network), rendered(network)):
        mine = model.double().train()
        parameters = list(zip(mine.parameters(), theirs.parameters(), strict=True))
        with torch.no_grad():
            for own, other in parameters:
                own.copy_(other)
        (given,) = mine(images).values()
        torch.testing.assert_close(given, expected)
        assert torch.equal(images, kept)
        weights = torch.randn_like(given)
        mine_of, theirs_of = ([pair[i] for pair in parameters] for i in (0, 1))
        found = torch.autograd.grad((given * weights).sum(), mine_of)
        asked = torch.autograd.grad(
            (expected * weights).sum(), theirs_of, retain_graph=True
        )
        torch.testing.assert_close(found, asked)


def test_a_chain_has_the_names_of_clip() -> None:
    """clip/model.py has three of each, of which `type: deep` makes one Sequential."""
    names = [name for name, _ in said("field/clip/rn50_clip").tensors()]
    stem = [name.split(".")[0] for name in names if not name.startswith("layer")]
    assert [*dict.fromkeys(stem)] == ["conv1", "bn1", "conv2", "bn2", "conv3", "bn3"]


# --- sizes, parts and numbers -------------------------------------------------------------


def test_the_smallest_image_is_that_of_torch() -> None:
    """A blur of seven weights reflects three pixels, and needs four."""
    chain = [{"conv": 3, "stride": 4}, {"blur": 7, "stride": 2}, *NORM_ACT]
    fields: Fields = {"stem.type": chain, "stem.pool": None}
    network = load("resnet18", fields, features=["stem"]).network
    model = build(network).eval()

    def takes(size: int) -> bool:
        try:
            model(torch.zeros(1, 3, size, size))
        except RuntimeError:
            return False
        return True

    smallest = next(filter(takes, range(1, 40)))
    assert load("resnet18", fields).network.sizes == Sizes(smallest)
    small = [3, smallest - 1, smallest - 1]
    with pytest.raises(
        SpecError, match=f"heights and widths from {smallest} on do not"
    ):
        load("resnet18", {**fields, "input": small})


def test_what_a_stem_of_ones_own_gives() -> None:
    """`stem` is all of the chain, `pool` the one that is said behind it, if any is."""
    whole = load("resnet18", {"stem.type": [*SEVEN, *MAX], "stem.pool": None}).network
    assert whole.parts == ("stem", "layer1", "layer2", "layer3", "layer4")
    assert whole.shapes["stem"] == (64, 56, 56)
    apart = load("resnet18", {"stem.type": SEVEN}, features=["stem", "pool"]).network
    assert apart.parts[:2] == ("stem", "pool")
    assert apart.strides == {"stem": 2, "pool": 4}
    images = torch.randn(2, 3, 40, 24)
    maps = build(apart).eval()(images)
    assert torch.equal(maps["pool"], F.max_pool2d(maps["stem"], 3, 2, 1))


def test_a_chain_may_have_no_convolution() -> None:
    """Its width is then that of the image."""
    fields: Fields = {"stem.type": [{"pool": "avg", "stride": 4}], "stem.pool": None}
    network = load("resnet18", {**fields, "stem.width": 3}, features=["stem"]).network
    images = torch.randn(1, 3, 8, 12)
    assert torch.equal(build(network)(images)["stem"], F.avg_pool2d(images, 4))
    with pytest.raises(SpecError, match=r"stem.type: gives 3 channels, and must give"):
        load("resnet18", fields)


def test_channels_are_a_part_of_the_width_whatever_that_is() -> None:
    """In a block as well, whose class computes them."""
    body = [{"conv": 1, "to": "width * 3 / 8"}, {"conv": 3, "stride": "block"}]
    network = load("resnet18", {"block": {"name": "Own", "body": body}}).network
    assert verify(network, render(network)) == []
    found = [int(stage.blocks[0].body[0].output.channels) for stage in network.stages]
    assert found == [24, 48, 96, 192]


def test_a_norm_that_is_its_own_activation_stands_for_both() -> None:
    fields: Fields = {"stem.type": SEVEN, "norm.type": "frn", "input": [3, 64, 64]}
    network = load("resnet18", fields, features=["stem"]).network
    model, images = build(network).eval(), torch.randn(2, 3, 20, 20)
    y = F.conv2d(images, model.get_parameter("conv1.weight"), None, 2, 3)
    y = y * (y.square().mean((2, 3), keepdim=True) + 1e-5).rsqrt()
    tau: Tensor = next(p for n, p in model.named_parameters() if n.endswith("tau"))
    torch.testing.assert_close(model(images)["stem"], y.maximum(tau.view(1, -1, 1, 1)))
