"""Sentences about a network are true of it, and only of it."""

from itertools import product

import pytest

from resnet_spec import SpecError, load
from resnet_spec.ir import Conv

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


@pytest.mark.parametrize("name", ["F", "Tensor", "Bottleneck", "SqueezeExcite"])
def test_a_network_is_called_as_nothing_in_its_source(name: str) -> None:
    with pytest.raises(
        SpecError, match=f"{name} is a class that the network itself uses"
    ):
        load("seresnet50", {"name": name})
    if name == "SqueezeExcite":
        load("resnet50", {"name": name})
