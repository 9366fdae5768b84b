"""Receptive fields by gradient, smallest images by trying, and decoders of others."""

import pytest
import torch
from segmentation_models_pytorch.decoders.deeplabv3.decoder import DeepLabV3PlusDecoder
from segmentation_models_pytorch.decoders.unet.decoder import UnetDecoder
from torch import Tensor, nn
from torchvision.ops import FeaturePyramidNetwork

from resnet_spec import build_model, load
from resnet_spec.emit.features import Feature, features
from resnet_spec.emit.module import build
from resnet_spec.passes.cut import cut

LOCAL = {
    "resnet18": 2,
    "v1/resnet50_v1": 2,
    "cifar/resnet20": 2,
    "resnetd/resnet10t": 4,
    "resnetblur18": 2,
    "resnetaa/resnetaa34d": 1,
    "fcn_resnet50_backbone": 3,
    "res2net/res2net50_26w_4s": 1,
    "res2net/res2net50_14w_8s": 1,
    "own/inverted_residual": 3,
    "field/openmmlab/resnet18_os16_openmmlab": 3,
    "resnetv2/resnetv2_18d": 2,
}
GATED = {
    "seresnet18": 2,
    "sknet/skresnet18": 2,
    "resnest/resnest14d": 3,
    "legacy_senet/legacy_seresnet18": 1,
}
"""Specs and how many of their stages."""

LONG, SHORT = 288, 48  # sides of images, so that the longer holds each of these fields
NAMES = [*LOCAL, *GATED]
SIDES = [(LONG, SHORT) if i % 2 else (SHORT, LONG) for i in range(len(NAMES))]


def positive(model: nn.Module) -> nn.Module:
    """With positive weights and averages for maxima, so that no path from a pixel is lost."""
    for module in [*model.modules()]:
        for name, child in module.named_children():
            if isinstance(child, nn.MaxPool2d):
                kernel, stride = child.kernel_size, child.stride
                pool = nn.AvgPool2d(kernel, stride, child.padding, child.ceil_mode)
                setattr(module, name, pool)
    torch.manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                parameter.uniform_(0.5, 1.5).div_(parameter[0].numel())
            elif name.endswith("weight"):  # of norms, the last of which start from zero
                parameter.fill_(1)
    return model.eval()


def detach_gates(model: nn.Module) -> None:
    """Gates start with `fc1` in all attentions here; what they say is taken for constant."""
    for name, module in model.named_modules():
        if name.endswith(".fc1"):
            module.register_forward_pre_hook(lambda _, inputs: inputs[0].detach())


def reached(images: Tensor, feature: Tensor, at: tuple[int, int]) -> Tensor:
    """Which pixels (H, W) of the image that pixel of the map depends on."""
    (gradient,) = torch.autograd.grad(
        feature[0, :, at[0], at[1]].sum(), images, retain_graph=True
    )
    return gradient[0].abs().sum(0) > 0


def ends(line: Tensor) -> tuple[int, int]:
    """The first and the last that is true."""
    (at,) = line.nonzero(as_tuple=True)
    return int(at[0]), int(at[-1])


def expected(feature: Feature, side: int, at: int, length: int) -> tuple[int, int]:
    field = feature.fields[side]
    left, right = field.left + at * field.jump, field.right + at * field.jump
    return max(left, 0), min(right, length - 1)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "sides"), [*zip(NAMES, SIDES, strict=True)])
def test_fields_are_those_of_gradients(name: str, sides: tuple[int, int]) -> None:
    """Of the first, a middle and the last pixel, along both sides."""
    last = {**LOCAL, **GATED}[name]
    network = load(name, {"input": [3, *sides]}).network
    parts = [part for part in ("stem", f"layer{last}") if part in network.parts]
    model = positive(build(cut(network, parts)).double())
    images = torch.full((1, 3, *sides), 0.01, dtype=torch.double, requires_grad=True)
    if name in GATED:
        maps = model(images)
        gated = maps[parts[-1]]
        middle = (gated.shape[2] // 2, gated.shape[3] // 2)
        assert reached(images, gated, middle).all()
    detach_gates(model)
    maps = model(images)
    found = {feature.name: feature for feature in features(network)}
    assert found[parts[-1]].fields[0].whole == (name in GATED)
    for part in parts:
        assert found[part].size == maps[part].shape[2:]
        height, width = maps[part].shape[2:]
        for at in ((0, 0), (height // 2, width // 2), (height - 1, width - 1)):
            pixels = reached(images, maps[part], at)
            for side in (0, 1):
                assert ends(pixels.any(1 - side)) == expected(
                    found[part], side, at[side], sides[side]
                )
    field = found[parts[-1]].fields[sides.index(LONG)]
    assert field.size < LONG


SMALLEST = {
    "resnet18": "height width",
    "resnetblur18": "height width",
    "legacy_senet/legacy_seresnet18": "height width",
    "resnetaa/resnetaa34d": "height width",
    "byobnet/resnet50_clip_gap": "height width",
    "byobnet/bat_resnext26ts": "height width",
    "tresnet/tresnet_m": "height width",
    "field/ibn_net/resnet18_ibn_a": "both",  # two pixels in any shape are enough for its norms
}
"""Specs, and the sides of which one pixel less is too little."""


@pytest.mark.parametrize(("name", "sides"), [*SMALLEST.items()])
def test_smallest_images_are_those_that_run(name: str, sides: str) -> None:
    """For each part: that size runs, and one less of a side does not."""
    network = load(name).network
    for feature in features(network):
        model = build(cut(network, (feature.name,)), device="meta", init=False).eval()
        size = [images.smallest for images in feature.images]
        assert runs(model, size)
        for side in sides.split():
            less = [size[0] - (side != "width"), size[1] - (side != "height")]
            assert not runs(model, less), (feature.name, less)


def runs(model: nn.Module, size: list[int]) -> bool:
    """Whether torch takes an image of that height and width."""
    try:
        maps = model(torch.empty(1, 3, *size, device="meta"))
    except (RuntimeError, ValueError):
        return False
    return all(feature.numel() for feature in maps.values())


# --- decoders of others -------------------------------------------------------------------

BODIES = ["resnet18", "resnetd/resnet10t", "seresnet18"]
IMAGES = (2, 3, 64, 96)


def stem_learns(model: nn.Module, output: Tensor) -> bool:
    """Whether the gradient of what a decoder gives reaches the first convolution."""
    output.square().mean().backward()
    first = next(model.parameters()).grad
    return first is not None and bool(first.abs().sum() > 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", BODIES)
def test_unet_and_pyramid_on_what_channels_and_strides_say(name: str) -> None:
    body = build_model(name, features=["stem", 1, 2, 3, 4])
    channels, strides = [*body.channels.values()], [*body.strides.values()]
    assert strides == [2, 4, 8, 16, 32]
    images = torch.randn(IMAGES)
    unet = UnetDecoder([3, *channels], [32, 16, 16, 8, 8])
    output = unet([images, *body(images).values()])
    assert output.shape == (2, 8, 64, 96)
    assert stem_learns(body, output)
    body.zero_grad()
    pyramid = FeaturePyramidNetwork(channels, 16)
    levels = pyramid(body(images))
    assert [tuple(level.shape) for level in levels.values()] == [
        (2, 16, 64 // stride, 96 // stride) for stride in strides
    ]
    assert stem_learns(body, levels["stem"])


@pytest.mark.slow
def test_deeplab_on_what_channels_and_strides_say() -> None:
    name = "field/openmmlab/resnet18_os16_openmmlab"
    body = build_model(name, features=["stem", 1, 2, 3, 4])
    channels, strides = [*body.channels.values()], [*body.strides.values()]
    decoder = DeepLabV3PlusDecoder(
        [3, *channels],
        encoder_depth=5,
        out_channels=32,
        atrous_rates=(2, 4, 6),
        output_stride=strides[-1],
        aspp_separable=True,
        aspp_dropout=0.5,
    )
    images = torch.randn(IMAGES)
    output = decoder([images, *body(images).values()])
    assert output.shape == (2, 32, 64 // strides[1], 96 // strides[1])
    assert stem_learns(body, output)
