"""What quantizers make of a generated file and of its graph, by the code of docs/ship.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resnet_spec import build, fold, load, render
from resnet_spec.emit.onnx import onnx_model
from resnet_spec.network import Network
from tests.models import scope_of, trained
from tests.test_readme import blocks

pytestmark = pytest.mark.filterwarnings("ignore")  # torchao's, of its own parts

SMALL: dict[str, Any] = {"input": [3, 32, 32], "stem.width": 8, "head.classes": 10}
NETWORKS = {
    "resnet18": {"depths": [1, 2], "widths": [8, 16], "strides": [1, 2]},
    "resnet50": {"depths": [2, 1], "widths": [4, 8], "strides": [1, 2]},
    "resnetv2_50": {"depths": [2, 1], "widths": [4, 8], "strides": [1, 2]},
    "cifar/resnet20": {"depths": [2, 2], "widths": [8, 16], "strides": [1, 2]},
}
"""Small ones of basic blocks, of bottlenecks, pre-activated, and with shortcuts that pad."""


MARKED = [
    pytest.param(name, marks=pytest.mark.long if i else ())
    for i, name in enumerate(NETWORKS)
]
"""One with every change: torchao takes seconds for each, most for one whose norms stay."""


def small(name: str) -> Network:
    return load(name, SMALL | NETWORKS[name]).network


def code(word: str) -> str:
    (found,) = [b for b in blocks("python", Path("docs/ship.md")) if word in b]
    return found


def deployed(network: Network, state: dict[str, Tensor]) -> nn.Module:
    """The module of the deployed file, with weights by the file's own function."""
    made = fold(network)
    scope = scope_of(render(made), made.name)
    model: nn.Module = scope[made.name]().eval()
    model.load_state_dict(scope["folded"](state))
    return model


def by_torchao(model: nn.Module, pictures: Tensor) -> dict[str, Any]:
    """What is left after the code of the docs: prepared, quantized."""
    scope = {"model": model, "pictures": pictures}
    exec(code("prepare_pt2e"), scope)
    return scope


def by_onnx_runtime(network: Network, model: nn.Module, pictures: Tensor) -> Path:
    """The file that the code of the docs writes, here."""
    arrays = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    onnx.save(onnx_model(fold(network), arrays), "net.onnx")
    exec(code("quantize_static"), {"pictures": pictures})
    return Path("net.int8.onnx")


@pytest.mark.parametrize("name", MARKED)
def test_torchao_annotates_every_convolution_and_sum(name: str) -> None:
    network = small(name)
    model = deployed(network, trained(network).state_dict())
    pictures = torch.randn(2, 3, 32, 32)
    scope = by_torchao(model, pictures)
    kinds = (torch.ops.aten.conv2d.default, torch.ops.aten.add.Tensor)
    nodes = [n for n in scope["prepared"].graph.nodes if n.target in kinds]
    blocks = sum(1 for _ in network.blocks())
    assert sum(n.target is kinds[1] for n in nodes) == blocks
    for node in nodes:
        assert node.meta["quantization_annotation"]._annotated, node
    assert scope["quantized"](pictures).shape == (2, 10)


@pytest.mark.parametrize("name", NETWORKS)
def test_onnx_runtime_quantizes_every_convolution_and_sum(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    network = small(name)
    model = deployed(network, trained(network).state_dict())
    file = by_onnx_runtime(network, model, torch.randn(2, 3, 32, 32))
    graph = onnx.load(file).graph
    makers = {output: node.op_type for node in graph.node for output in node.output}
    nodes = [node for node in graph.node if node.op_type in ("Conv", "Add")]
    blocks = sum(1 for _ in network.blocks())
    assert sum(node.op_type == "Add" for node in nodes) == blocks
    for node in nodes:
        for name in node.input:
            assert makers[name] == "DequantizeLinear", (node.name, name)


DIGITS = {
    "input": [1, 8, 8],
    "depths": [1, 1, 1],
    "widths": [16, 32, 64],
    "stem.width": 16,
}


def digits() -> list[Tensor]:
    """Pictures (N, 1, 8, 8) and labels to train on, and others to be judged by."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pictures, labels = load_digits(return_X_y=True)
    found = train_test_split(pictures / 16, labels, test_size=400, random_state=0)
    x, x_test, y, y_test = map(torch.as_tensor, found)
    return [x.view(-1, 1, 8, 8).float(), y, x_test.view(-1, 1, 8, 8).float(), y_test]


def learned(network: Network, pictures: Tensor, labels: Tensor) -> nn.Module:
    torch.manual_seed(0)
    model = build(network).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(15):
        for part in torch.randperm(len(pictures)).split(64):
            optimizer.zero_grad()
            F.cross_entropy(model(pictures[part]), labels[part]).backward()
            optimizer.step()
    return model.eval()


@pytest.mark.long
def test_eight_bits_read_digits_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    network = load("cifar/resnet20", DIGITS).network
    x, y, x_test, y_test = digits()
    trained = learned(network, x, y)
    model = deployed(network, trained.state_dict())
    quantized = by_torchao(model, x[:300])["quantized"]
    monkeypatch.chdir(tmp_path)
    session = onnxruntime.InferenceSession(by_onnx_runtime(network, model, x[:300]))
    with torch.no_grad():
        found = {
            "trained": trained(x_test),
            "folded": model(x_test),
            "torchao": quantized(x_test),
            "onnxruntime": session.run(None, {"images": x_test.numpy()})[0],
        }
    right = {
        k: int((torch.as_tensor(v).argmax(1) == y_test).sum()) for k, v in found.items()
    }
    assert not torch.allclose(found["torchao"], found["folded"], rtol=1e-3, atol=1e-3)
    assert right["trained"] == right["folded"] > 0.96 * len(y_test)
    assert min(right.values()) > right["trained"] - 0.01 * len(y_test)
