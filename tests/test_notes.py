"""Sentences about a network are true of it, and only of it."""

from copy import deepcopy
from functools import cache, partial
from itertools import product
from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from resnet_spec import SpecError, load
from resnet_spec.emit.module import build
from resnet_spec.network import Conv
from tests import alike
from tests.models import seeded

SENTENCES = {
    "conv1": "The stride sits on the first 1x1 convolution (v1, as in the paper).",
    "conv2": "The stride sits on the 3x3 convolution (v1.5).",
}


@pytest.mark.parametrize("strided", [*product(("conv1", "conv2"), repeat=3)])
def test_where_the_stride_sits(strided: tuple[str, ...]) -> None:
    network = load("resnet50", {"stride_on": [None, *strided]}).network
    found = [
        op.path.rpartition(".")[2]
        for stage in network.stages[1:]
        for op in stage.blocks[0].body
        if isinstance(op, Conv) and op.stride == 2
    ]
    assert found == list(strided)
    first = [str(i) for i, at in enumerate(strided, 2) if at == "conv1"]
    mixed = (
        f"The stride sits on the first 1x1 convolution (v1) in stage {', '.join(first)} "
        "and on the 3x3 (v1.5) elsewhere."
    )
    said = [note for note in network.notes if note.startswith("The stride")]
    assert said == [SENTENCES[found[0]] if len(set(strided)) == 1 else mixed]


def test_where_it_sits_in_one_block_of_a_stage() -> None:
    fields = {
        "depths": [2, 1],
        "widths": [8, 16],
        "strides": [[1, 2], 2],
        "stride_on": [[None, "conv1"], "conv2"],
    }
    assert load("resnet50", fields).network.notes == (
        "The stride sits on the first 1x1 convolution (v1) in stage 1 (block 2) and on the "
        "3x3 (v1.5) elsewhere.",
    )


@pytest.mark.parametrize("name", ["F", "Tensor", "Bottleneck", "SqueezeExcite"])
def test_a_network_is_called_as_nothing_in_its_source(name: str) -> None:
    with pytest.raises(
        SpecError, match=f"{name} is a class that the network itself uses"
    ):
        load("seresnet50", {"name": name})
    if name == "SqueezeExcite":
        load("resnet50", {"name": name})


ENDS = {"stem_norm": False, "final_norm": True}
PREACT = {"shortcut": "activated", "first": "own", **ENDS}
VARIED: list[dict[str, Any]] = [
    {"activation": "silu"},
    {"activation": ["relu", "relu", "relu", "silu"]},
    {"anti_alias": "avg"},
    {"anti_alias": "blur"},
    {"attention": "eca"},
    {"attention": ["none", "none", "none", "se"]},
    {"depths": [2, 2, 2, 3]},
    {"dilations": [1, 1, 1, 2], "dilation_from": "previous"},
    {"dilations": [1, 1, 1, 2], "dilation_from": "own"},
    {"dilations": [1, 1, 1, [1, 2]]},
    {"drop_path": 0.5},
    {"head.classes": 10},
    {"head.classes": "none"},
    {"head.classifier": "conv"},
    {"head.dropout": 0.5},
    {"head.pool": 7},
    {"init.zero_last_norm": True},
    {"input": [1, 224, 224]},
    {"norm.eps": 1e-3},
    {"norm.momentum": 0.5},
    {"norm.type": "frozen"},
    {"norm": {"type": "group", "groups": 32}},
    {"preact": PREACT},
    {"preact": PREACT | {"shortcut": "raw", "stem_norm": True}},
    {"preact": PREACT | {"first": "shared", "final_norm": False}},
    {"shortcut": "avg_projection"},
    {"shortcut": "none"},
    {"shortcut": "projection3x3"},
    {"shortcut": "projection_always"},
    {"shortcut": "zero_pad_after"},
    {"shortcut": "zero_pad_around"},
    {"standardization": {"eps": 1e-6}},
    {"stem.pool": "avg"},
    {"stem.pool": "conv"},
    {"stem.pool": "max_blur"},
    {"stem.pool": "max_ceil"},
    {"stem.pool": "max_zero"},
    {"stem.pool": "none"},
    {"stem.type": "conv3x3"},
    {"stem.type": "deep"},
    {"stem.width": 32},
    {"strides": [1, 2, 2, 1]},
    {"strides": [2, 2, 2, 1]},
    {"widths": [64, 128, 256, 511]},
    {},
]
BOTTLENECKS: list[dict[str, Any]] = [
    {"attention": "se", "attention_after": "conv2"},
    {"block": ["bottleneck", "bottleneck", "bottleneck", "basic"]}
    | {"expansion": [4, 4, 4, None], "stride_on": [None, "conv2", "conv2", None]},
    {"expansion": 2},
    {"groups": 32, "width_per_group": 4},
    {"groups": 2},
    {"groups": [1, 1, 1, 2]},
    {"reduce_first": 2},
    {"spatial": {"type": "res2net", "scale": 4}},
    {"stride_on": "conv1"},
    {"stride_on": [None, "conv2", "conv2", "conv1"]},
    {"width_per_group": 128},
    {"width_per_group": [64, 64, 64, 128]},
    {},
]
CASES = [("resnet18", each) for each in VARIED] + [
    ("resnet50", each) for each in BOTTLENECKS
]


@cache
def torchvisions(name: str) -> nn.Module:
    return seeded(getattr(torchvision.models, name))


def shapes(model: nn.Module) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in model.state_dict().items()}


def relation(ours: nn.Module, name: str, side: int) -> str:
    """What becomes of torchvision's weights in a model, by running both."""
    theirs = torchvisions(name)
    if shapes(ours) != shapes(theirs):
        return "do not load"
    ours.load_state_dict(theirs.state_dict())
    theirs = deepcopy(theirs)  # for training changes its statistics
    images = torch.randn(2, 3, side, side)
    with torch.no_grad():
        if not torch.allclose(ours.eval()(images), theirs.eval()(images), 1e-4, 1e-4):
            return "give other outputs"
        outputs = ours.train()(images), theirs.train()(images)
    statistics = zip(ours.buffers(), theirs.buffers(), strict=True)
    near = all(torch.allclose(*pair, 1e-4, 1e-4) for pair in (outputs, *statistics))
    return "load unchanged" if near else "load and train otherwise"


@pytest.mark.parametrize(("name", "fields"), CASES)
def test_what_is_said_of_torchvisions_weights(
    name: str, fields: dict[str, Any]
) -> None:
    torch.manual_seed(1)
    network = load(name, fields).network
    sentences = [note for note in network.notes if "torchvision's" in note]
    side = 33 if 33 in network.sizes else 224
    found = relation(build(network, init=False), name, side)
    if found in ("load unchanged", "give other outputs"):
        (sentence,) = sentences
        assert name in sentence
        assert found in sentence
    else:
        assert not [note for note in sentences if f" {name}" in note]


@pytest.mark.slow
def test_the_table_of_those_that_are_alike_is_of_what_ships() -> None:
    hint = "run `python -m tests.alike > resnet_spec/lowering/alike.txt`"
    assert alike.TABLE.read_text(encoding="utf-8") == alike.table(), hint


def test_weights_of_another_network_that_ships_load_and_compute_something_else() -> (
    None
):
    """Of ResNetAA-50, whose file says so, and the other way round, and not of itself."""
    networks = {name: load(name).network for name in ("resnetblur50", "resnetaa50")}
    ours, theirs = (seeded(lambda n=n: build(n)) for n in networks.values())
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert not torch.allclose(
            ours.eval()(images), theirs.eval()(images), 1e-3, 1e-3
        )
    for name, other in (networks, reversed(networks)):
        (said,) = (
            note for note in networks[name].notes if "give other outputs" in note
        )
        assert said.startswith("Weights of torchvision's resnet50, ")
        assert other in said
        assert name not in said


@pytest.mark.parametrize("activation", ["relu", "relu6", "silu", "elu", "hardswish"])
def test_zeros_around_a_max_pool_are_its_padding_where_no_number_is_negative(
    activation: str,
) -> None:
    """Equal digests of what is computed, and the same outputs."""
    fields = {"activation": activation, "input": [3, 33, 33]}
    networks = [
        load("resnet18", {**fields, "stem.pool": pool}).network
        for pool in ("max", "max_zero")
    ]
    alike = len({network.digests.function for network in networks}) == 1
    images = torch.randn(1, 3, 33, 33)
    with torch.no_grad():
        outputs = [seeded(partial(build, n)).eval()(images) for n in networks]
    assert torch.equal(*outputs) is alike is ("relu" in activation)


AVERAGED = "Where the resolution drops, the shortcut averages before it projects."
DILATED = "The first 3x3 convolution of a stage keeps the dilation of the stage before."
DILATED_ITSELF = (
    "Every 3x3 convolution of a stage has the dilation of that stage; weights from code "
    "whose first one keeps that of the stage before also load, and give other outputs."
)
DILATED_EACH = "The blocks of stage 4 have dilations of 2 and 4."
BEFORE = "Norm and activation come before each convolution of a block (v2)"
LAST = f"{BEFORE}, and once more after the last stage."
RAW = (
    "Where the shape changes, shortcuts read a block's input itself, without norm and "
    "activation; weights from code without that also load, and give other outputs."
)
SHARED = (
    "The first block of stage 1 adds what norm and activation make of its input; weights "
    "from code without that also load, and give other outputs."
)
STEM_NORM = "The stem ends in a norm and an activation as well."
POOLED = "What the last stage gives is pooled as it is."
UNNORMED = "No norm follows the last stage."
ALWAYS = (
    "Every shortcut, the identity too, begins behind the block's first norm and activation; "
    "weights from code without that also load, and give other outputs."
)
ABSENT = "Blocks that change the shape have no shortcut."
PREACT_NOTES = {f"{BEFORE}.", LAST, RAW, SHARED, STEM_NORM, POOLED, UNNORMED, ALWAYS}
LOAD = "also load, and give other outputs."
AFTER = (
    "Shortcuts add their zero channels after the input's own; weights from code that puts "
    f"half of them first {LOAD}"
)
AROUND = (
    "Shortcuts add their zero channels half before and half after the input's own; weights "
    f"from code that puts all of them after {LOAD}"
)
PREVIOUS = {"dilation_from": "previous"}
PLAIN = (
    "No block has a shortcut: this is a plain network, to compare residual ones with."
)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, set()),
        ({"shortcut": "avg_projection"}, {AVERAGED}),
        ({"shortcut": [*["avg_projection"] * 3, "projection"]}, set()),
        ({"shortcut": "avg_projection", "strides": 1}, set()),
        ({"dilations": [1, 1, 1, 2], **PREVIOUS}, {DILATED}),
        ({"dilations": 2, **PREVIOUS}, {DILATED}),
        ({"dilations": 2, "dilation_from": "own"}, {DILATED_ITSELF}),
        ({"dilations": [1, 1, 1, [2, 4]]}, {DILATED_EACH}),
        (
            {"dilations": [1, 1, 2, [2, 4]], **PREVIOUS},
            {DILATED.replace("a stage", "stage 3"), DILATED_EACH},
        ),
        ({"dilations": [1, 1, 1, [1, 1]]}, set()),
        ({"shortcut": "none"}, {PLAIN}),
        ({"preact": PREACT}, {LAST}),
        ({"preact": PREACT | {"shortcut": "raw"}}, {LAST, RAW}),
        ({"preact": PREACT | {"first": "shared"}}, {LAST, SHARED}),
        ({"preact": PREACT | {"stem_norm": True}}, {LAST, STEM_NORM}),
        ({"preact": PREACT | {"final_norm": False}}, {f"{BEFORE}.", POOLED}),
        (
            {"preact": PREACT | {"final_norm": False}, "head.pre": ["activation"]},
            {f"{BEFORE}.", UNNORMED},
        ),
        (
            {"preact": {**ENDS, "shortcut": "always_activated"}},
            {LAST, ALWAYS},
        ),
        ({"shortcut": "identity_or_none"}, {ABSENT}),
        ({"shortcut": "identity_or_none", "widths": 64, "strides": 1}, set()),
        ({"shortcut": "zero_pad_after"}, {AFTER}),
        ({"shortcut": "zero_pad_around"}, {AROUND}),
        ({"shortcut": "zero_pad_around", "widths": 64}, set()),
        ({"shortcut": ["none", *["projection"] * 3]}, set()),
    ],
)
def test_a_sentence_is_said_where_it_is_true(
    fields: dict[str, Any], said: set[str]
) -> None:
    notes = load("resnet18", fields).network.notes
    others = [n for n in notes if "dilation" in n or "zero channels" in n]
    assert {AVERAGED, PLAIN, ABSENT, *PREACT_NOTES} & set(notes) | {*others} == said


def test_the_stride_is_said_of_the_stages_that_have_one() -> None:
    """The last stage is of other blocks here, whose second part is a 3x3."""
    kernels = {"type": "selective_kernel", "ratio": 0.25, "divisor": 8, "split": False}
    mixed = {"block": ["bottleneck"] * 3 + ["basic"], "expansion": [4, 4, 4, None]}
    mixed |= {"stride_on": [None, "conv2", "conv2", None]}
    notes = load("resnet50", {**mixed, "spatial": kernels}).network.notes
    assert "The stride sits on the selective kernel (v1.5)." in notes


def test_shortcuts_of_zeros_are_told_apart_by_block() -> None:
    fields = {
        "widths": [[64, 128], 256, 512, 512],
        "shortcut": [
            ["projection", "zero_pad_after"],
            "zero_pad_around",
            "zero_pad_after",
            "projection",
        ],
    }
    network = load("resnet18", fields).network
    said = [note for note in network.notes if "zero channels" in note]
    assert said == [
        f"Shortcuts of stage {where} {note.removeprefix('Shortcuts ')}"
        for where, note in (("1 (block 2) and 3", AFTER), ("2", AROUND))
    ]


def test_where_a_pool_does_the_striding() -> None:
    own = {"name": "Own", "body": [{"conv": 3, "stride": "block"}]}
    fields = {"block": ["basic", "basic", own, "basic"], "anti_alias": "avg"}
    assert load("resnet18", {**fields, "depths": [1] * 4}).network.notes == (
        "The 3x3 convolution itself keeps the size, and an average pool after it strides, in "
        "stage 2, 4.",
    )
