"""Networks of other people's code, under specs/field.

Those whose blocks are chains are held to plain torch here, written from what the named code
computes. What the others are made of is held in test_conventions.py, test_heads_and_stems.py
and test_vocabulary_networks.py; docs/field.md says which original each was held to.
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from resnet_spec import load, render
from resnet_spec.compare.equality import verify
from tests.test_conventions import Weights, assert_is

FILES = sorted(Path("specs/field").rglob("*.yaml"))
Stride = int | tuple[int, int]
Block = Callable[["Parts", Tensor, str, Any, int], Tensor]


class Parts(Weights):
    """Weights with biases, other activations, and what most of the networks share."""

    def conv(
        self, x: Tensor, name: str, stride: Stride = 1, dilation: int = 1
    ) -> Tensor:
        y = super().conv(x, name, stride, dilation)
        bias = self.tensors.get(f"{name}.bias")
        return y if bias is None else y + bias[:, None, None]

    def prelu(self, x: Tensor, name: str) -> Tensor:
        return F.prelu(x, self.tensors[f"{name}.weight"])

    def projected(self, x: Tensor, name: str, stride: int) -> Tensor:
        if f"{name}.downsample.0" in self:
            y = self.conv(x, f"{name}.downsample.0", stride)
            return self.norm(y, f"{name}.downsample.1")
        if f"{name}.downsample" in self:
            return self.conv(x, f"{name}.downsample", stride)
        return x


def openmmlab(of: Parts, x: Tensor, name: str, stride: int, stage: int) -> Tensor:
    """Of a basic block the first 3x3 alone dilates."""
    dilation = 2 if stage == 4 else 1
    y = of.act(of.conv(x, f"{name}.conv1", stride, dilation), f"{name}.bn1")
    y = of.norm(of.conv(y, f"{name}.conv2"), f"{name}.bn2")
    return (y + of.projected(x, name, stride)).relu()


def transformers(of: Parts, x: Tensor, name: str, stride: int, _: int) -> Tensor:
    """`hidden_act` comes after the sum, and relu between the convolutions."""
    y = of.act(of.conv(x, f"{name}.conv1"), f"{name}.bn1")
    y = of.act(of.conv(y, f"{name}.conv2", stride), f"{name}.bn2")
    y = of.norm(of.conv(y, f"{name}.conv3"), f"{name}.bn3")
    return F.gelu(y + of.projected(x, name, stride))


def fastai(of: Parts, x: Tensor, name: str, stride: int, _: int) -> Tensor:
    """SEBlock's 3x3 gives as many channels as its last 1x1; the shortcut averages."""
    y = of.act(of.conv(x, f"{name}.conv1"), f"{name}.bn1")
    y = of.act(of.conv(y, f"{name}.conv2", stride), f"{name}.bn2")
    y = of.norm(of.conv(y, f"{name}.conv3"), f"{name}.bn3")
    y = y * of.squeezed(y, f"{name}.se")
    if f"{name}.downsample.1" in of:
        x = F.avg_pool2d(x, stride, ceil_mode=True)
        x = of.norm(of.conv(x, f"{name}.downsample.1"), f"{name}.downsample.2")
    return (y + x).relu()


def d2l(of: Parts, x: Tensor, name: str, stride: int, _: int) -> Tensor:
    """Every convolution has biases, and the projection no norm."""
    y = of.act(of.conv(x, f"{name}.conv1", stride), f"{name}.bn1")
    y = of.norm(of.conv(y, f"{name}.conv2"), f"{name}.bn2")
    return (y + of.projected(x, name, stride)).relu()


def hysts(of: Parts, x: Tensor, name: str, stride: int, _: int) -> Tensor:
    """Dropout stands before the second norm; a projection reads what the body reads."""
    y = of.act(x, f"{name}.norm1")
    shortcut = of.projected(y, name, stride) if f"{name}.downsample" in of else x
    y = F.dropout(of.conv(y, f"{name}.conv1", stride), 0.3, of.training)
    return shortcut + of.conv(of.act(y, f"{name}.norm2"), f"{name}.conv2")


def keras(of: Parts, x: Tensor, name: str, stride: int, _: int) -> Tensor:
    """The last block of a stage strides, and adds the pixels of its raw input."""
    y = of.act(x, f"{name}.norm1")
    pixels = x[:, :, ::stride, ::stride]
    shortcut = of.projected(y, name, 1) if f"{name}.downsample" in of else pixels
    y = of.act(of.conv(y, f"{name}.conv1"), f"{name}.norm2")
    y = of.act(of.conv(y, f"{name}.conv2", stride), f"{name}.norm3")
    return shortcut + of.conv(y, f"{name}.conv3")


def fixmatch(of: Parts, x: Tensor, name: str, stride: int, stage: int) -> Tensor:
    """A block that projects reads its raw input in all stages but the first."""

    def leaky(x: Tensor, norm: str) -> Tensor:
        return F.leaky_relu(of.norm(x, f"{name}.{norm}"), 0.1)

    if stage > 1 and f"{name}.downsample" in of:
        y = leaky(of.conv(x, f"{name}.conv1", stride), "norm1")
        return of.conv(y, f"{name}.conv2") + of.conv(x, f"{name}.downsample", stride)
    y = leaky(x, "norm1")
    shortcut = of.projected(y, name, stride) if f"{name}.downsample" in of else x
    y = leaky(of.conv(y, f"{name}.conv1", stride), "norm2")
    return shortcut + of.conv(y, f"{name}.conv2")


def pyramidnet(of: Parts, x: Tensor, name: str, stride: int, _: int) -> Tensor:
    """A norm before, between and after; the shortcut averages and has zeros behind."""
    y = of.norm(
        of.conv(of.norm(x, f"{name}.norm1"), f"{name}.conv1", stride), f"{name}.norm2"
    )
    y = of.norm(of.conv(y.relu(), f"{name}.conv2"), f"{name}.norm3")
    x = F.avg_pool2d(x, stride, ceil_mode=True) if stride > 1 else x
    return y + F.pad(x, (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))


def insightface(of: Parts, x: Tensor, name: str, stride: int, _: int) -> Tensor:
    """The second 3x3 strides, and nothing follows the sum."""
    y = of.norm(of.conv(of.norm(x, f"{name}.bn1"), f"{name}.conv1"), f"{name}.bn2")
    y = of.conv(of.prelu(y, f"{name}.prelu"), f"{name}.conv2", stride)
    return of.norm(y, f"{name}.bn3") + of.projected(x, name, stride)


def basicsr(of: Parts, x: Tensor, name: str, _: int, _stage: int) -> Tensor:
    """EDSR's block has no norm, and its stem no activation."""
    return x + of.conv(of.conv(x, f"{name}.conv1").relu(), f"{name}.conv2")


def scaled(of: Parts, x: Tensor, name: str, _: int, _stage: int) -> Tensor:
    """The same with `res_scale`."""
    return x + of.conv(of.conv(x, f"{name}.conv1").relu(), f"{name}.conv2") * 0.1


def fixup(of: Parts, x: Tensor, name: str, stride: int, _: int) -> Tensor:
    """The last block ends in the classifier's bias."""

    def plus(x: Tensor, number: int) -> Tensor:
        return x + of.tensors[f"{name}.bias{number}.bias"]

    y = plus(x, 1)
    if stride == 2:
        x = F.avg_pool2d(y, 1, 2)
        x = torch.cat((x, torch.zeros_like(x)), 1)
    y = plus(of.conv(y, f"{name}.conv1", stride), 2).relu()
    y = of.conv(plus(y, 3), f"{name}.conv2")
    y = (x + plus(y * of.tensors[f"{name}.multiplier1.weight"], 4)).relu()
    return plus(y, 5) if f"{name}.bias5.bias" in of.tensors else y


def skipinit(of: Parts, x: Tensor, name: str, stride: int, _: int) -> Tensor:
    """A multiplier of each body, and no norm; the last map is activated."""
    y = x.relu()
    shortcut = of.projected(y, name, stride) if f"{name}.downsample" in of else x
    y = of.conv(of.conv(y, f"{name}.conv1", stride).relu(), f"{name}.conv2")
    return shortcut + y * of.tensors[f"{name}.multiplier1.weight"]


def aster(of: Parts, x: Tensor, name: str, stride: Stride, _: int) -> Tensor:
    """The 1x1 strides, by height alone from the third stage on."""
    y = of.act(of.conv(x, f"{name}.conv1", stride), f"{name}.bn1")
    y = of.norm(of.conv(y, f"{name}.conv2"), f"{name}.bn2")
    return (y + of.projected(x, name, stride)).relu()


def clovaai(of: Parts, x: Tensor, name: str, stride: int, _: int) -> Tensor:
    """The activation comes before the first norm."""
    y = of.norm(of.conv(x, f"{name}.conv1", stride).relu(), f"{name}.bn1")
    y = of.norm(of.conv(y, f"{name}.conv2"), f"{name}.bn2")
    y = y * of.squeezed(y, f"{name}.se")
    return (y + of.projected(x, name, stride)).relu()


# --- what is before and behind the blocks ---------------------------------------------------


def plain(of: Parts, x: Tensor) -> Tensor:
    return of.act(of.conv(x, "conv1"), "bn1")


def strided(of: Parts, x: Tensor) -> Tensor:
    return of.act(of.conv(x, "conv1", 2), "bn1")


def halving_frequencies(of: Parts, x: Tensor) -> Tensor:
    return of.act(of.conv(x, "conv1", (2, 1)), "bn1")


def gelu(of: Parts, x: Tensor) -> Tensor:
    return F.gelu(of.norm(of.conv(x, "conv1", 2), "bn1"))


def deep(of: Parts, x: Tensor) -> Tensor:
    x = of.act(of.conv(x, "conv1.0", 2), "conv1.1")
    return of.act(of.conv(of.act(of.conv(x, "conv1.3"), "conv1.4"), "conv1.6"), "bn1")


def bare(of: Parts, x: Tensor) -> Tensor:
    return of.conv(x, "conv1")


def biased(of: Parts, x: Tensor) -> Tensor:
    return (of.conv(x, "conv1") + of.tensors["bias1.bias"]).relu()


def normed(of: Parts, x: Tensor) -> Tensor:
    return of.norm(of.conv(x, "conv1"), "norm1")


def prelu(of: Parts, x: Tensor) -> Tensor:
    return of.prelu(of.norm(of.conv(x, "conv1"), "bn1"), "prelu")


def padded_by_zeros(of: Parts, x: Tensor) -> Tensor:
    return F.max_pool2d(F.pad(of.conv(x, "conv1", 2), (1, 1, 1, 1)), 3, 2)


Strides = Sequence[Stride | list[int]]
LAST: Strides = [[1, 1, 2], [1, 1, 1, 2], [1, 1, 1, 1, 1, 2], [1, 1, 1]]
CASES: list[tuple[str, Block, Callable[[Parts, Tensor], Tensor], Strides]] = [
    ("openmmlab/resnet18_os16_openmmlab", openmmlab, strided, [1, 2, 2, 1]),
    ("transformers/resnet50_gelu_transformers", transformers, gelu, [2, 2, 2, 2]),
    ("fastai/xse_resnet50_fastai", fastai, deep, [1, 2, 2, 2]),
    ("d2l/resnet18_d2l", d2l, plain, [1, 2, 2, 2]),
    ("hysts/wrn16_4_dropout_hysts", hysts, bare, [1, 2, 2]),
    ("keras/resnet50v2_keras", keras, padded_by_zeros, LAST),
    ("fixmatch/wrn28_2_fixmatch", fixmatch, bare, [1, 2, 2]),
    ("pyramidnet/pyramidnet110_a48", pyramidnet, normed, [1, 2, 2]),
    ("insightface/iresnet34", insightface, prelu, [2, 2, 2, 2]),
    ("own/edsr_trunk", basicsr, bare, [1]),
    ("own/edsr_l_trunk", scaled, bare, [1]),
    ("own/skipinit_wrn16_4", skipinit, bare, [1, 2, 2]),
    ("fixup/resnet20_fixup", fixup, biased, [1, 2, 2]),
    ("aster/resnet_aster", aster, plain, [2, 2, (2, 1), (2, 1), (2, 1)]),
    ("clovaai/resnetse34l_clovaai", clovaai, halving_frequencies, [1, 2, 2, 1]),
]
SMALLER: dict[str, dict[str, Any]] = {
    "own/edsr_trunk": {"depths": [2], "head.classes": 5},
    "own/edsr_l_trunk": {"depths": [2], "head.classes": 5},
    "fixup/resnet20_fixup": {
        "stem.width": 8,
        "depths": [3, 3, 3],
        "widths": [8, 16, 32],
        "head.classes": 5,
    },
    "aster/resnet_aster": {"depths": [1, 2, 1, 2, 1], "widths": [8, 12, 16, 16, 24]},
    "clovaai/resnetse34l_clovaai": {"input": [1, 32, 32]},
    "insightface/iresnet34": {"head": {"pool": "global", "hidden": [], "classes": 5}},
    "hysts/wrn16_4_dropout_hysts": {"stem.width": 8},
    "keras/resnet50v2_keras": {
        "norm": {"eps": 1e-5},
        "widths": [8, 16, 24, 32],
        "depths": [3, 4, 6, 3],
    },
    "fixmatch/wrn28_2_fixmatch": {"depths": [4, 4, 4], "widths": [8, 16, 32]},
    "pyramidnet/pyramidnet110_a48": {
        "stem.width": 8,
        "depths": [2, 2, 2],
        "widths": [[9, 9], [11, 12], [13, 15]],
    },
}
"""What is changed beside widths and depths, so that the tests are fast."""


@pytest.mark.parametrize(
    ("spec", "block", "stem", "strides"),
    CASES,
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_a_chain_is_the_block_of_its_source(
    spec: str,
    block: Block,
    stem: Callable[[Parts, Tensor], Tensor],
    strides: Strides,
) -> None:
    small = smaller(spec, len(strides))
    network = load(spec if "own/" in spec else f"field/{spec}", small).network
    pools = network.pool and stem is not padded_by_zeros

    def reference(weights: Weights, x: Tensor) -> Tensor:
        torch.manual_seed(0)
        of = Parts.__new__(Parts)
        vars(of).update(vars(weights))
        x = stem(of, x)
        x = F.max_pool2d(x, 3, 2, 1) if pools else x
        for stage, place in of.blocks():
            said = strides[stage - 1]
            first = 1 if place else said
            stride = said[place] if isinstance(said, list) else first
            x = block(of, x, f"layer{stage}.{place}", stride, stage)
        if "norm" in of:
            slope = 0.1 if block is fixmatch else 0.0
            x = F.leaky_relu(of.norm(x, "norm"), slope)
        x = x.relu() if block is skipinit else x
        torch.manual_seed(0)
        return of.classified(x)

    assert_is(network, reference)


def smaller(spec: str, stages: int) -> dict[str, Any]:
    """The fields of a network of few channels and two blocks a stage, with a classifier."""
    if "depths" in SMALLER.get(spec, {}) and "widths" not in SMALLER[spec]:
        return {"stem.width": 8, "widths": 8, **SMALLER[spec]}
    widths = [8 << i for i in range(stages)]
    own = SMALLER.get(spec, {})
    fields = {
        "input": [3, 32, 32],
        "stem.width": 16,
        "widths": widths,
        "depths": [2, 1, 2, 1][:stages],
        "head.classes": 5,
        **own,
    }
    return {field: value for field, value in fields.items() if value is not None}


# --- all of them ----------------------------------------------------------------------------


def test_each_names_its_source_in_few_lines() -> None:
    texts = [file.read_text() for file in FILES]
    assert len(FILES) >= 40
    assert all(text.startswith("# ") for text in texts)
    assert median(text.count("\n") for text in texts) <= 8
    assert all(load(file).spec.expect for file in FILES)


def test_the_table_names_them_all() -> None:
    table = Path("docs/field.md").read_text()
    assert [file.stem for file in FILES if f"`{file.stem}`" not in table] == []


HELD = {spec.split("/")[0] for spec, *_ in CASES}
FAMILIES = [
    [*files]
    for folder, files in groupby(FILES, key=lambda file: file.parent)
    if folder.name not in HELD  # above, both to one reference
]


@pytest.mark.parametrize("files", FAMILIES, ids=lambda files: files[0].parent.name)
def test_built_and_generated_are_equal(files: list[Path]) -> None:
    """Of a family the cheapest, of two blocks a stage, at a small size where it takes any."""
    network, file = min(
        ((load(file).network, file) for file in files), key=lambda pair: pair[0].macs
    )
    fields: dict[str, Any] = {"depths": [min(len(s.blocks), 2) for s in network.stages]}
    if all(low <= 40 and high is None for low, high, _ in network.sides):
        fields["input"] = [int(network.image.channels), 48, 40]
    small = load(file, fields).network
    assert verify(small, render(small)) == []
