"""Blocks, shortcuts, stems and heads op by op, as the papers have them.

A stage's first 3x3 keeps the dilation of the stage before, as timm 1.0 and torchvision 0.29
have it; tests/test_conventions.py has the others.
"""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resnet_spec import SpecError, load, render
from resnet_spec.lowering import shortcuts
from resnet_spec.network import (
    AvgPool,
    Chain,
    Conv,
    DropPath,
    EfficientChannelAttention,
    MaxPool,
    Network,
    Norm,
    Op,
    Shortcut,
    SqueezeExcite,
)
from tests.models import module_of

SPEC = """\
name: Drawn
title: Drawn
input: [3, 64, 64]
stem: {type: conv3x3, width: 16, pool: none}
depths: [2, 2]
widths: [16, 32]
strides: [1, 2]
dilations: [2, 4]
dilation_from: previous
shortcut: projection
attention: se
se: {ratio: 0.25, divisor: 1}
head: {classes: 10}
"""
Fields = dict[str, Any]
BASIC: Fields = {"block": "basic"}
BOTTLENECK: Fields = {"block": "bottleneck", "expansion": 4, "stride_on": "conv2"}
MIXED: Fields = {"block": ["basic", "bottleneck"], "expansion": [None, 4]} | {
    "stride_on": [None, "conv2"]
}
PRE: Fields = {
    "preact.shortcut": "activated",
    "preact.stem_norm": False,
    "preact.final_norm": True,
}
KEPT: Fields = PRE | {"preact.first": "own"}  # where a first shortcut is the identity
EVEN: Fields = {"dilations": 1, "dilation_from": None}
BIAS: Fields = {"scalar_bias": 0}
SCALED: Fields = {
    "name": "Scaled",
    "body": [
        *({"conv": 3, "stride": "block"}, BIAS, "activation", BIAS),
        *({"conv": 3}, {"scalar_multiplier": 0}, {"scale": 0.1}),
    ],
}
KERNEL: Fields = {"type": "selective_kernel", "ratio": 0.25, "divisor": 3}
KERNEL |= {"split": False}


Lowered = Callable[[Fields], Network]


@pytest.fixture
def lowered(tmp_path: Path) -> Lowered:
    """The network of SPEC with some fields changed."""
    file = tmp_path / "drawn.yaml"
    file.write_text(SPEC)
    return lambda fields: load(file, fields).network


def said(ops: Chain) -> str:
    """`conv1 3x3/2x4` is a convolution of stride 2 and dilation 4; ! a norm that is zero."""
    return " ".join(map(_said, ops))


def _said(op: Op) -> str:
    text = op.path or type(op).__name__.lower()
    if isinstance(op, (Conv, AvgPool, MaxPool)):
        text += f" {op.kernel}x{op.kernel}/{op.stride}"
        text += f"x{op.dilation}" * (op.dilation > 1) + "^" * op.ceil
    if isinstance(op, Conv):
        text += f"g{op.groups}" * (op.groups > 1) + f":{op.out_channels}"
    if isinstance(op, SqueezeExcite):
        text += f":{op.squeezed}"
    if isinstance(op, EfficientChannelAttention):
        text += f":{op.kernel}"
    if isinstance(op, Norm):
        text += "!" * op.zero
    return text if op.active else f"({text})"


BODIES: list[tuple[Fields, str, str]] = [
    (
        BASIC | {"dropout": 0.1, "drop_path": 0.5},
        "conv1 3x3/2x2:32 bn1 relu dropout conv2 3x3/1x4:32 bn2 se:8 drop_path",
        "conv1 3x3/1x4:32 bn1 relu dropout conv2 3x3/1x4:32 bn2 se:8 drop_path",
    ),
    (
        BASIC | {"se.activated": True, "init.zero_last_norm": True},
        "conv1 3x3/2x2:32 bn1 relu conv2 3x3/1x4:32 bn2! relu se:8",
        "conv1 3x3/1x4:32 bn1 relu conv2 3x3/1x4:32 bn2! relu se:8",
    ),
    (
        BASIC | {"attention": "eca", "se": None},
        "conv1 3x3/2x2:32 bn1 relu conv2 3x3/1x4:32 bn2 eca:3",
        "conv1 3x3/1x4:32 bn1 relu conv2 3x3/1x4:32 bn2 eca:3",
    ),
    (
        BASIC | KEPT | {"dropout": 0.1},
        "conv1 3x3/2x2:32 norm2 relu dropout conv2 3x3/1x4:32 se:8",
        "conv1 3x3/1x4:32 norm2 relu dropout conv2 3x3/1x4:32 se:8",
    ),
    (
        BOTTLENECK | {"groups": 2, "init.zero_last_norm": True},
        "conv1 1x1/1:32 bn1 relu conv2 3x3/2x2g2:32 bn2 relu conv3 1x1/1:128 bn3! se:32",
        "conv1 1x1/1:32 bn1 relu conv2 3x3/1x4g2:32 bn2 relu conv3 1x1/1:128 bn3! se:32",
    ),
    (
        BOTTLENECK | {"stride_on": "conv1", "reduce_first": 2},
        "conv1 1x1/2:16 bn1 relu conv2 3x3/1x2:32 bn2 relu conv3 1x1/1:128 bn3 se:32",
        "conv1 1x1/1:16 bn1 relu conv2 3x3/1x4:32 bn2 relu conv3 1x1/1:128 bn3 se:32",
    ),
    (
        BOTTLENECK | {"attention_after": "conv2", "anti_alias": "blur"},
        "conv1 1x1/1:32 bn1 relu conv2 3x3/1x2:32 bn2 relu blur se:8 conv3 1x1/1:128 bn3",
        "conv1 1x1/1:32 bn1 relu conv2 3x3/1x4:32 bn2 relu (blur) se:8 conv3 1x1/1:128 bn3",
    ),
    (
        BOTTLENECK | {"attention_after": "conv2", "reduce_first": 2},
        "conv1 1x1/1:16 bn1 relu conv2 3x3/2x2:32 bn2 relu se:8 conv3 1x1/1:128 bn3",
        "conv1 1x1/1:16 bn1 relu conv2 3x3/1x4:32 bn2 relu se:8 conv3 1x1/1:128 bn3",
    ),
    (
        BOTTLENECK
        | {"attention_after": "conv2", **EVEN}
        | {"spatial": {"type": "res2net", "scale": 4}},
        "conv1 1x1/1:128 bn1 relu conv2 se:32 conv3 1x1/1:128 bn3",
        "conv1 1x1/1:128 bn1 relu conv2 se:32 conv3 1x1/1:128 bn3",
    ),
    (
        BOTTLENECK | {"attention": "none", "se": None, "anti_alias": "avg"},
        "conv1 1x1/1:32 bn1 relu conv2 3x3/1x2:32 bn2 relu avgpool 2x2/2^ "
        "conv3 1x1/1:128 bn3",
        "conv1 1x1/1:32 bn1 relu conv2 3x3/1x4:32 bn2 relu (avgpool 1x1/1^) "
        "conv3 1x1/1:128 bn3",
    ),
    (
        BOTTLENECK | PRE | {"groups": 2},
        "conv1 1x1/1:32 norm2 relu conv2 3x3/2x2g2:32 norm3 relu conv3 1x1/1:128 se:32",
        "conv1 1x1/1:32 norm2 relu conv2 3x3/1x4g2:32 norm3 relu conv3 1x1/1:128 se:32",
    ),
    (
        {"block": SCALED, "attention": None, "se": None}
        | {"dilations": None, "dilation_from": None},
        "conv1 3x3/2:32 bias1 relu bias2 conv2 3x3/1:32 multiplier1 scale1",
        "conv1 3x3/1:32 bias1 relu bias2 conv2 3x3/1:32 multiplier1 scale1",
    ),
    (
        BOTTLENECK | PRE | {"stride_on": "conv1", "reduce_first": 2},
        "conv1 1x1/2:16 norm2 relu conv2 3x3/1x2:32 norm3 relu conv3 1x1/1:128 se:32",
        "conv1 1x1/1:16 norm2 relu conv2 3x3/1x4:32 norm3 relu conv3 1x1/1:128 se:32",
    ),
]


def test_an_activation_that_learns_has_a_module_in_each_place(lowered: Lowered) -> None:
    network = lowered(BASIC | {"activation": "prelu", "se.activated": True})
    block = network.stages[0].blocks[0]
    assert said(block.body) == (
        "conv1 3x3/1:16 bn1 prelu1 conv2 3x3/1x2:16 bn2 prelu2 se:4"
    )
    assert said(block.post) == "prelu3"


@pytest.mark.parametrize(("fields", "first", "second"), BODIES)
def test_bodies(fields: Fields, first: str, second: str, lowered: Lowered) -> None:
    network = lowered(fields)
    blocks = network.stages[1].blocks
    assert [said(block.body) for block in blocks] == [first, second]
    pre, post = ("norm1 relu", "") if "preact.shortcut" in fields else ("", "relu")
    assert [said(block.pre) for block in blocks] == [pre, pre]
    assert [said(block.post) for block in blocks] == [post, post]


SHORTCUTS: list[tuple[Fields, tuple[str, str, str]]] = [
    ({"shortcut": "projection"}, ("", "downsample.0 1x1/2:32 downsample.1", "")),
    (
        {"shortcut": "projection_always"},
        (
            "downsample.0 1x1/1:16 downsample.1",
            "downsample.0 1x1/2:32 downsample.1",
            "downsample.0 1x1/1:32 downsample.1",
        ),
    ),
    ({"shortcut": "projection3x3"}, ("", "downsample.0 3x3/2:32 downsample.1", "")),
    (
        {"shortcut": "avg_projection"},
        ("", "downsample.0 2x2/2^ downsample.1 1x1/1:32 downsample.2", ""),
    ),
    ({"shortcut": "zero_pad_after"}, ("", "downsample", "")),
    (
        {"shortcut": "blur_projection"},
        ("", "downsample.0 downsample.1 1x1/1:32 downsample.2", ""),
    ),
    (
        {"shortcut": "avg_floor_projection", "anti_alias": "avg_floor"},
        ("", "downsample.0 2x2/2 downsample.1 1x1/1:32 downsample.2", ""),
    ),
    (KEPT, ("", "downsample 1x1/2:32", "")),
    (
        KEPT | {"shortcut": "avg_projection"},
        ("", "downsample.0 2x2/2^ downsample.1 1x1/1:32", ""),
    ),
]


@pytest.mark.parametrize(("fields", "expected"), SHORTCUTS)
def test_shortcuts(fields: Fields, expected: tuple[str, ...], lowered: Lowered) -> None:
    """Of a block that changes nothing, of one that changes its shape, and of the next."""
    network = lowered(BASIC | fields)
    blocks = [block for _, block in network.blocks()]
    assert [said(block.branch) for block in blocks[1:]] == list(expected)


THREE = (
    "conv1.0 3x3/2:{} conv1.1 conv1.2 conv1.3 3x3/1:{} conv1.4 conv1.5 conv1.6 3x3/1:64"
)
STEMS: list[tuple[Fields, str]] = [
    (
        {"stem.type": "conv7x7", "stem.pool": "max"},
        "conv1 7x7/2:64 bn1 relu maxpool 3x3/2",
    ),
    ({"stem.pool": "max_ceil"}, "conv1 3x3/1:64 bn1 relu maxpool 3x3/2^"),
    ({"stem.pool": "max_zero"}, "conv1 3x3/1:64 bn1 relu maxpool.0 maxpool.1 3x3/2"),
    ({"stem.pool": "max_blur"}, "conv1 3x3/1:64 bn1 relu maxpool.0 3x3/1 maxpool.1"),
    ({"stem.pool": "max2_blur"}, "conv1 3x3/1:64 bn1 relu maxpool.0 2x2/1 maxpool.1"),
    ({"stem.type": "conv1x1"}, "conv1 1x1/1:64 bn1 relu"),
    ({"stem.type": "conv7x7", "stem.stride": 1}, "conv1 7x7/1:64 bn1 relu"),
    ({"stem.stride": 2}, "conv1 3x3/2:64 bn1 relu"),
    ({"stem.pool": "avg"}, "conv1 3x3/1:64 bn1 relu pool 2x2/2"),
    ({"stem.pool": "conv"}, "conv1 3x3/1:64 bn1 relu pool.0 3x3/2:64 pool.1 pool.2"),
    ({"stem.type": "deep"}, f"{THREE.format(32, 32)} bn1 relu"),
    ({"stem.type": "tiered"}, f"{THREE.format(24, 32)} bn1 relu"),
    ({"stem.width": 33}, "conv1 3x3/1:33 bn1 relu"),
    (PRE, "conv1 3x3/1:64"),
    ({"stem": {"type": "none", "width": None, "pool": None}}, ""),
]


@pytest.mark.parametrize(("fields", "expected"), STEMS)
def test_stems(fields: Fields, expected: str, lowered: Lowered) -> None:
    width = {} if "stem" in fields else {"stem.width": 64}
    assert said(lowered(BASIC | width | fields).entry) == expected


HEADS: list[tuple[Fields, str]] = [
    ({}, "avgpool flatten fc"),
    ({"head.dropout": 0.5}, "avgpool flatten dropout fc"),
    ({"head.classes": "none"}, "avgpool flatten"),
    ({"head.classifier": "conv"}, "avgpool fc 1x1/1:10 flatten"),
    ({"head.pool": 32}, "avgpool 32x32/1 flatten fc"),
    ({"head.pool": "none"}, "flatten fc"),
    ({"head.pool": "max", "head.classes": "none"}, "global_pool flatten"),
    ({"head.pool": "statistics", "head.dropout": 0.5}, "statistics dropout fc"),
    (
        {"head.hidden": [512, "norm", "activation"], "head.dropout": 0.5},
        "avgpool flatten hidden.0 hidden.1 hidden.2 dropout fc",
    ),
    (
        {"head.hidden": ["norm", 64, "norm"], "head.dropout": 0.5}
        | {"head.classes": "none", "head.pool": "none"},
        "hidden.0 hidden.1 hidden.2 hidden.3 hidden.4",
    ),
    ({"head.hidden": ["norm"]}, "avgpool hidden.0 flatten fc"),
    (
        {"head.hidden": ["norm"], "head.classifier": "conv"},
        "avgpool hidden.0 fc 1x1/1:10 flatten",
    ),
    (KEPT, "norm relu avgpool flatten fc"),
    (
        KEPT | {"head.classifier": "conv", "head.dropout": 0.5},
        "norm relu avgpool dropout fc 1x1/1:10 flatten",
    ),
]


@pytest.mark.parametrize(("fields", "expected"), HEADS)
def test_heads(fields: Fields, expected: str, lowered: Lowered) -> None:
    assert said(lowered(BASIC | fields).head) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (BASIC, "in_channels width stride previous_dilation dilation"),
        (BASIC | KEPT, "in_channels width stride previous_dilation dilation"),
        (BOTTLENECK | {"groups": [2, 4]}, "in_channels width stride dilation groups"),
        (
            BOTTLENECK | PRE | {"groups": [2, 4]},
            "in_channels width stride dilation groups",
        ),
        (
            BASIC | {**EVEN, "se.divisor": 5} | {"spatial": KERNEL},
            "in_channels width stride reduced squeezed",
        ),
    ],
)
def test_numbers_that_differ_are_parameters_of_their_block(
    fields: Fields, expected: str, lowered: Lowered
) -> None:
    network = lowered(fields)
    kind = network.stages[0].blocks[0].kind
    found = inspect.signature(module_of(render(network), kind)).parameters
    assert sorted(found) == sorted(expected.split())


def test_what_follows_the_first_block_of_a_stage_has_one_dilation(
    lowered: Lowered,
) -> None:
    for dilations in ([2, 4], [4, 2]):
        source = " ".join(render(lowered(BASIC | {"dilations": dilations})).split())
        assert (
            "BasicBlock(in_channels, width, stride, previous_dilation, dilation)"
            in source
        )
        assert "stride=1, previous_dilation=dilation, dilation=dilation" in source


KINDS: list[tuple[Fields, list[tuple[str, str]]]] = [
    (BASIC, [("BasicBlock", "basic block")] * 2),
    (BOTTLENECK, [("Bottleneck", "bottleneck")] * 2),
    (BASIC | KEPT, [("PreactBlock", "preact block")] * 2),
    (BOTTLENECK | PRE, [("PreactBottleneck", "preact bottleneck")] * 2),
    (
        BASIC | {"shortcut": ["projection", "none"]},
        [("BasicBlock", "basic block"), ("PlainBlock", "plain block")],
    ),
    (
        BASIC
        | {"preact": {"stem_norm": False, "final_norm": True}}
        | {"shortcut": "none", "attention": ["se", "eca"]},
        [
            ("PlainPreactBlockSe", "se plain preact block"),
            ("PlainPreactBlockEca", "eca plain preact block"),
        ],
    ),
    (
        BASIC | {"attention": ["se", "none"], "activation": ["silu", "relu"]},
        [("BasicBlockSeSilu", "se silu basic block"), ("BasicBlock", "basic block")],
    ),
    (
        MIXED | {"attention": ["se", "eca"]},
        [("BasicBlock", "basic block"), ("Bottleneck", "bottleneck")],
    ),
]


@pytest.mark.parametrize(("fields", "expected"), KINDS)
def test_blocks_are_called_by_what_tells_them_apart(
    fields: Fields, expected: list[tuple[str, str]], lowered: Lowered
) -> None:
    stages = lowered(fields).stages
    assert [(s.blocks[0].kind, s.blocks[0].noun) for s in stages] == expected


def test_chains_without_names_are_told_apart_by_numbers() -> None:
    one, other, third = (
        [{"conv": kernel, "stride": "block"}, "norm"] for kernel in (1, 3, 5)
    )
    fields = {"shortcut": [one, other, third, other], "strides": 2}
    stages = load("resnet18", fields).network.stages
    numbers = [stage.blocks[0].kind.removeprefix("BasicBlockOwn") for stage in stages]
    assert numbers == ["", "2", "3", "2"]


def test_only_bottlenecks_have_attention_inside(lowered: Lowered) -> None:
    network = lowered(MIXED | {"attention_after": "conv2"})
    basic, bottleneck = (stage.blocks[1].body for stage in network.stages)
    assert said(basic).endswith("bn2 se:4")
    assert said(bottleneck).endswith("relu se:8 conv3 1x1/1:128 bn3")


def test_each_end_has_the_activation_of_its_stage(lowered: Lowered) -> None:
    three = {"depths": [1] * 3, "widths": [16, 32, 64], "strides": 1, **EVEN}
    network = lowered(BASIC | KEPT | three | {"activation": ["relu", "relu", "silu"]})
    assert said(network.head) == "norm silu avgpool flatten fc"
    network = lowered(BASIC | {"activation": ["silu", "relu"]})
    assert said(network.entry) == "conv1 3x3/1:16 bn1 silu"


def test_paths_are_dropped_more_and_more_often(lowered: Lowered) -> None:
    """https://arxiv.org/abs/1603.09382, with nothing dropped of the first block."""
    pruned = load("ecaresnet50d_pruned", {"drop_path": 0.3}).network
    for network, expected in (
        (lowered(BASIC | {"drop_path": 0.3}), [0, 0.1, 0.2, 0.3]),
        (lowered(BASIC | {"drop_path": 0.3, "depths": [1, 1]}), [0, 0.3]),
        (pruned, [0.3 * i / 15 for i in range(16)]),
    ):
        rates = [
            op.rate
            for _, block in network.blocks()
            for op in block.body
            if isinstance(op, DropPath)
        ]
        assert rates == pytest.approx(expected)


def test_a_selective_kernel_that_does_not_split_takes_odd_widths(
    lowered: Lowered,
) -> None:
    fields = BASIC | {
        **EVEN,
        "attention": "none",
        "se": None,
        "widths": [16, 33],
    }
    network = lowered(fields | {"spatial": KERNEL})
    assert network.stages[1].output.channels == 33


def test_a_block_that_cannot_be_added_is_refused_with_the_smallest_image(
    lowered: Lowered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shortcut that a plug-in got wrong: it keeps the size where the body strides."""

    def kept(change: shortcuts.Change) -> Shortcut:
        return shortcuts.projection(change._replace(stride=1))._replace(
            when=change.condition
        )

    monkeypatch.setitem(shortcuts.SHORTCUTS, "projection", kept)
    with pytest.raises(SpecError) as caught:
        lowered(BASIC)
    (problem,) = caught.value.problems
    assert (problem.rule, problem.message) == (
        "unequal-shapes",
        "layer2.0 cannot be added: for an image of 2 x 2 its body gives 32 x 1 x 1 and its "
        "shortcut 32 x 2 x 2; write shortcut: projection, which changes as the body does",
    )


STRIDES: Fields = {"stride": "block"}
DOES: list[tuple[list[Fields | str], str]] = [
    ([{"pool": "max", "kernel": 3, **STRIDES}, {"conv": 3}], "pooled and convolved"),
    ([{"pool": "avg", **STRIDES}, {"conv": 1}, "norm"], "averaged and projected"),
    ([{"blur": 3, **STRIDES}, {"pad": "out"}], "blurred and zero-padded"),
    (
        [{"conv": 1, **STRIDES}, {"scale": 0.5}, {"scalar_bias": 0}],
        "projected, scaled and shifted",
    ),
    ([{"conv": 1, **STRIDES}, {"conv": 1}], "projected"),
]
"""Chains of shortcuts, and what the source says that they do to a block's input."""


@pytest.mark.parametrize(("chain", "does"), DOES)
def test_what_a_chain_does_is_said(chain: list[Fields | str], does: str) -> None:
    network = load("resnet18", {"shortcut": chain}).network
    assert f"the shortcut is {does} to match" in re.sub(r"\n *# ", " ", render(network))
