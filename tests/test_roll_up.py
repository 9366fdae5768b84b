"""The renderer refuses to say in one class or call what is not the same."""

import re

import pytest

from resnet_spec import load, render
from resnet_spec.network import Block, Network, Number, named_numbers


def changed(network: Network, at: int, block: Block) -> Network:
    """The network with another block in its first stage."""
    first, *rest = network.stages
    blocks = (*first.blocks[:at], block, *first.blocks[at + 1 :])
    return network.replace(stages=(first.replace(blocks=blocks), *rest))


def test_one_name_has_one_value() -> None:
    with pytest.raises(AssertionError, match="width is both 64 and 65"):
        named_numbers((Number(64, "width"), Number(65, "width")))


def test_blocks_of_one_kind_must_read_alike() -> None:
    network = load("specs/resnet18.yaml").network
    block = network.stages[0].blocks[1]
    conv, *others = block.body
    odd = block.replace(body=(conv.replace(kernel=5, padding=2), *others))
    with pytest.raises(AssertionError, match="BasicBlock is not one class"):
        render(changed(network, 1, odd))


def test_a_stage_must_give_back_its_blocks() -> None:
    network = load("specs/resnet18.yaml").network
    other = network.stages[1].repeat
    with pytest.raises(AssertionError, match="in_channels"):
        render(changed(network, 1, other))


@pytest.mark.parametrize("start", [1, 0, -2])
def test_a_number_that_the_renderer_does_not_know_is_printed_too(start: int) -> None:
    """A new block may name what it likes, of any value: a parameter where blocks differ."""
    network = load("specs/resnet18.yaml").network

    def named(block: Block, value: int) -> Block:
        conv, *others = block.body
        return block.replace(
            body=(conv.replace(padding=Number(value, "margin")), *others)
        )

    stages = []
    for i, stage in enumerate(network.stages):
        first, repeat = (
            named(block, i + start) for block in (stage.blocks[0], stage.repeat)
        )
        blocks = (first, *[repeat] * (len(stage.blocks) - 1))
        stages.append(stage.replace(blocks=blocks, repeat=repeat))
    source = render(network.replace(stages=tuple(stages)))
    assert "padding=margin" in source
    assert f"stage(64, width=64, blocks=2, stride=1, margin={start})" in source


def test_what_a_stage_function_says_is_true() -> None:
    narrowing = load("specs/resnet18.yaml", {"widths": [64, 128, 64, 512]}).network
    source = " ".join(render(narrowing).split())
    assert "only the first one may change the shape." in source
    even = load("specs/resnet18.yaml", {"widths": 64, "strides": 1}).network
    assert 'Stack `blocks` basic blocks."""' in render(even)
    assert "relu(body(x) + x)" in render(even)


def test_a_function_says_no_number_that_it_is_given() -> None:
    """Also where one stage alone calls it, and others list their blocks."""
    block = {"name": "Own", "body": [{"conv": 3, "stride": "block"}, "norm"]}
    fields = {"block": block, "strides": [[1, 2], 2, [1, 2], [1, 2]]}
    source = render(load("resnet18", fields).network)
    assert "*(Own(out_channels, out_channels, stride=1) for _ in" in source


def test_a_choice_without_a_difference_makes_no_class() -> None:
    """And one that makes one does, in a stage of a single block too."""
    once = {"depths": [1] * 4}
    always = {"shortcut": ["projection_always", *["projection"] * 3]}
    names = [name for name, _ in load("resnet18", once | always).network.tensors()]
    assert "layer1.0.downsample.0.weight" in names
    preact = {"shortcut": "activated", "stem_norm": False, "final_norm": True}
    shared = {"preact": preact | {"first": "shared"}, "shortcut": "avg_projection"}
    network = load("resnet18", once | shared).network
    kinds = [stage.blocks[0].kind for stage in network.stages]
    assert kinds == ["PreactBlockShared", *["PreactBlockAveraged"] * 3]
    where = {"strides": [1, 1, 2, 2], "shortcut": ["projection", "avg_projection"] * 2}
    network = load("resnet18", once | where).network
    kinds = [stage.blocks[0].kind for stage in network.stages]
    strided = ["BasicBlock", "BasicBlockAveraged"]
    assert kinds == ["BasicBlockAveraged"] * 2 + strided


@pytest.mark.parametrize(
    "fields", [{"anti_alias": "avg"}, {"shortcut": "projection3x3"}]
)
def test_what_every_block_does_is_said_without_a_condition(
    fields: dict[str, str],
) -> None:
    always = {**fields, "depths": [1] * 4, "strides": 2}
    some, every = (render(load("resnet18", each).network) for each in (fields, always))
    assert "if stride != 1" in some
    conditions = re.findall(r"\bif (\w+)", every)
    assert conditions == ["isinstance", "__name__"]
