"""The layers as readers of generated files have them: the shapes in comments are true."""

import inspect
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from resnet_spec import layers
from tests.helpers.shapes import COMMENT, Line, lines_run

N, H, W = 13, 17, 21
BANDS = {"width": 10, "scale": 4, "groups": 5}
KERNEL = {"in_channels": 20, "out_channels": 30, "reduced": 8}
KERNEL |= {"groups": 10, "stride": 2}
SPLIT = {"channels": 20, "reduced": 30, "groups": 5}


class Case(NamedTuple):
    """A layer, the channels of its input, and its arguments."""

    layer: type[nn.Module]
    channels: int
    arguments: dict[str, Any]
    height: int = H
    width: int = W

    @property
    def symbols(self) -> dict[str, int]:
        """What each name in a comment of the layer is here; K of filters of 3 x 3."""
        height, width = self.height, self.width
        sizes = {"N": N, "C": self.channels, "H": height, "W": width}
        sizes |= {"K": 9 * self.channels, "heads": self.channels // 64}
        sizes |= {k: v for k, v in self.arguments.items() if type(v) is int}
        if stride := sizes.get("stride"):
            sizes |= {"h": -(-height // stride), "w": -(-width // stride)}
        return sizes


CASES = [
    Case(layers.BareFilterResponseNorm, 5, {"channels": 5}),
    Case(
        layers.VariedSqueezeExcite,
        20,
        {"channels": 20, "squeezed": 5, "bias": False, "activation": nn.SiLU},
    ),
    Case(layers.AttentionPool2d, 320, {"channels": 320, "height": H, "width": W}),
    Case(layers.AvgMaxPool2d, 5, {}),
    Case(layers.BareEvoNormS0a, 30, {"groups": 5, "channels": 30}),
    Case(layers.BilinearAttention, 20, {"channels": 20, "squeezed": 10}, 16, 24),
    Case(layers.BlurPool2d, 5, {"taps": 4, "stride": 2}),
    Case(layers.ChannelAffine, 5, {"channels": 5}),
    Case(layers.ConvBlockAttention, 20, {"channels": 20, "squeezed": 5}),
    Case(layers.DropPath, 5, {"rate": 0.5}),
    Case(layers.EfficientChannelAttention, 5, {"kernel": 7}),
    Case(layers.EvoNormS0, 30, {"groups": 5, "channels": 30}),
    Case(layers.EvoNormS0a, 30, {"groups": 5, "channels": 30}),
    Case(layers.FilterResponseNorm, 5, {"channels": 5}),
    Case(layers.FrozenBatchNorm2d, 5, {"channels": 5}),
    Case(layers.GlobalContext, 20, {"channels": 20, "squeezed": 5}),
    Case(layers.InstanceBatchNorm2d, 7, {"channels": 7}),
    Case(layers.LayerNorm2d, 5, {"channels": 5}),
    Case(layers.PadChannels, 5, {"in_channels": 5, "out_channels": 8, "stride": 2}),
    Case(
        layers.PadChannelsAround, 5, {"in_channels": 5, "out_channels": 7, "stride": 2}
    ),
    Case(layers.Res2Conv2d, 40, {**BANDS, "stride": 2, "apart": True}),
    Case(layers.Res2Conv2d, 40, {**BANDS, "stride": 1, "apart": False}),
    Case(layers.ScalarBias, 5, {"start": 0.5}),
    Case(layers.ScalarMultiplier, 5, {"start": 0.5}),
    Case(layers.Scale, 5, {"factor": 0.1}),
    Case(layers.SelectiveKernel, 20, {**KERNEL, "split": True}),
    Case(layers.SelectiveKernel, 20, {**KERNEL, "split": False}),
    Case(layers.SpaceToDepth, 5, {"size": 3}, 18, 21),
    Case(layers.SplitAttention, 20, {**SPLIT, "radix": 2}),
    Case(layers.SplitAttention, 20, {**SPLIT, "radix": 1}),
    Case(layers.SqueezeExcite, 20, {"channels": 20, "squeezed": 5}),
    Case(layers.StatisticsPool, 5, {}),
    Case(layers.StdConv2d, 5, {"in_channels": 5, "out_channels": 8, "kernel_size": 3}),
    Case(layers.VariedRes2Conv2d, 40, {**BANDS, "stride": 2, "apart": True}),
    Case(layers.VariedRes2Conv2d, 40, {**BANDS, "stride": 1, "apart": False}),
    Case(layers.VariedSelectiveKernel, 20, {**KERNEL, "split": True, "dilation": 3}),
    Case(layers.VariedSelectiveKernel, 20, {**KERNEL, "split": False}),
    Case(layers.VariedSplitAttention, 20, {**SPLIT, "radix": 2, "dilation": 3}),
    Case(layers.VariedSplitAttention, 20, {**SPLIT, "radix": 1}),
]
EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: case.layer.__name__)


def text(layer: type[nn.Module]) -> list[str]:
    return inspect.getsourcelines(layer.forward)[0]


def lines(case: Case, source: list[str]) -> list[Line]:
    layer = case.layer(**case.arguments)
    images = torch.rand(N, case.channels, case.height, case.width)
    return lines_run(case.layer.forward, lambda: layer(images), source)


def untrue(case: Case, source: list[str]) -> set[str]:
    ran = lines(case, source)
    return {line.text for line in ran if not line.is_true(case.symbols)}


@EACH
def test_every_shape_comment_is_the_shape(case: Case) -> None:
    assert untrue(case, text(case.layer)) == set()


@EACH
def test_a_wrong_comment_is_seen(case: Case) -> None:
    """One too many in each dimension of each comment in turn."""
    source = text(case.layer)
    for number, line in enumerate(source):
        if not (found := COMMENT.search(line)):
            continue
        sizes = found[2].strip("(),").split(", ")
        for dim, size in enumerate(sizes):
            wrong = ", ".join([*sizes[:dim], f"{size} + 1", *sizes[dim + 1 :]])
            changed = line[: found.start(2)] + f"({wrong},)\n"
            edited = [*source[:number], changed, *source[number + 1 :]]
            assert untrue(case, edited) == {changed.strip()}


@EACH
def test_a_shape_of_another_rank_is_in_a_comment(case: Case) -> None:
    known = set()
    for line in lines(case, text(case.layer)):
        if not isinstance(line.value, Tensor):
            continue
        if line.comment:
            known.add(line.value.shape)
        assert line.value.ndim == 4 or line.value.shape in known, line.text


def test_no_size_is_mistaken_for_another() -> None:
    """No two names have the same value, unless they mean the same or a size is 1."""
    for case in CASES:
        sizes = case.symbols
        for same in {"channels", "in_channels"} & sizes.keys():
            assert sizes.pop(same) == sizes["C"]
        if "height" in sizes:
            assert (sizes.pop("height"), sizes.pop("width")) == (H, W)
        assert 1 in sizes.values() or len({*sizes.values()}) == len(sizes)


def test_every_layer_is_tried() -> None:
    assert {case.layer.__name__ for case in CASES} == {*layers.__all__}


def test_their_text_is_as_narrow_as_code_for_it_is_copied_into_files() -> None:
    for file in Path(layers.__file__).parent.glob("*.py"):
        assert max(map(len, file.read_text().splitlines())) <= 88, file.name
