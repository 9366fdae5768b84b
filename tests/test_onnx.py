"""What ONNX Runtime computes of a graph is what torch computes of the module."""

from __future__ import annotations

import time
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from resnet_spec import build, fold, load
from resnet_spec.emit.onnx import onnx_model
from resnet_spec.emit.onnx.bands import NODES
from resnet_spec.emit.onnx.beside import Beside
from resnet_spec.language.shipped import shortest
from resnet_spec.network import Network, Op
from tests.families import NETWORKS, covering, shallow, shipped_networks, subclasses
from tests.models import deployed, images, steady, trained
from tests.strategies import Pool

BOUND = 1e-5  # of the largest output
STEEP = (
    2e-5  # where a softmax is of large numbers, as no weights that were trained give
)
SIDES = (33, 64, 97)
BATCHES = (1, 2)
onnxruntime.set_default_logger_severity(3)


def graph_of(network: Network, model: nn.Module, **settings: Any) -> onnx.ModelProto:
    arrays = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    return onnx_model(network, arrays, **settings)


def session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    data = model.SerializeToString()
    return onnxruntime.InferenceSession(data, options, ["CPUExecutionProvider"])


def given(model: nn.Module, x: Tensor) -> list[np.ndarray[Any, Any]]:
    with torch.no_grad():
        outputs = model(x)
    found = outputs.values() if isinstance(outputs, dict) else [outputs]
    return [each.numpy() for each in found]


def hold(
    network: Network,
    sides: tuple[int, ...],
    batches: tuple[int, ...],
    bound: float = BOUND,
) -> None:
    """The graph passes the checker, and its outputs are the module's."""
    model = trained(network)
    made = graph_of(network, model)
    onnx.checker.check_model(made, full_check=True)
    runs = session(made)
    for side in sides:
        for batch in batches:
            x = images(network, side)[:batch]
            theirs = runs.run(None, {"images": x.numpy()})
            for ours, other in zip(given(model, x), theirs, strict=True):
                assert ours.shape == other.shape
                largest = float(np.abs(ours).max())
                assert np.abs(ours - other).max() <= bound * largest, network


@pytest.mark.parametrize("name", NETWORKS)
def test_it_computes_what_the_module_does(name: str) -> None:
    hold(shallow(name), SIDES[:2], BATCHES, STEEP if name == "squares" else BOUND)


def test_every_op_has_its_nodes() -> None:
    kinds = {op for op in subclasses(Op) if not op.__subclasses__()}
    tried = {type(op) for name in NETWORKS for _, op in shallow(name).ops()}
    for kind in kinds & tried:
        assert any(base in NODES for base in kind.__mro__), kind


def test_drawn_networks(drawn: Pool) -> None:
    for network in covering(network for _, network in drawn):
        hold(network, SIDES[:1], BATCHES[1:])


@pytest.mark.long
def test_all_drawn_networks(drawn: Pool) -> None:
    """As near to 64 bits as torch, four times: some have no norm, and outputs of 1e8."""
    for _, network in drawn:
        x = images(network)
        exact = given(trained(network, torch.float64), x.double())
        model = trained(network)
        theirs = session(graph_of(network, model)).run(None, {"images": x.numpy()})
        for true, ours, other in zip(exact, given(model, x), theirs, strict=True):
            bound = max(BOUND * np.abs(true).max(), 4 * np.abs(ours - true).max())
            np.testing.assert_allclose(other, true, rtol=0, atol=float(bound))


@pytest.mark.long
@pytest.mark.parametrize("name", shortest())
def test_all_that_ship(name: str, tmp_path: Path) -> None:
    """Within the bound, or as near to 64 bits as torch, four times: some lose more digits."""
    network = shipped_networks()[name]
    model, beside = steady(network), Beside("a.data")
    file = tmp_path / "a.onnx"
    file.write_bytes(graph_of(network, model, beside=beside).SerializeToString())
    with (tmp_path / "a.data").open("wb") as out:
        out.writelines(beside.parts())
    runs = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    for side in SIDES:
        every = images(network, side)
        for x in (every[:batch] for batch in BATCHES):
            theirs = runs.run(None, {"images": x.numpy()})
            for i, (ours, other) in enumerate(
                zip(given(model, x), theirs, strict=True)
            ):
                apart, bound = np.abs(ours - other).max(), BOUND * np.abs(ours).max()
                if apart > bound:
                    true = given(deepcopy(model).double(), x.double())[i]
                    bound, apart = np.abs(ours - true).max(), np.abs(other - true).max()
                    assert apart <= 4 * bound, network


def test_folded_graphs_have_no_norm() -> None:
    network = load("resnet18").network
    model = trained(network)
    made, there = fold(network), deployed(network, model)
    graph = graph_of(made, there)
    kinds = [node.op_type for node in graph.graph.node]
    assert kinds.count("Conv") == 20
    assert "BatchNormalization" not in kinds
    x = images(network)
    (theirs,) = session(graph).run(None, {"images": x.numpy()})
    (ours,) = given(model, x)
    assert np.abs(ours - theirs).max() < BOUND * np.abs(ours).max()


@pytest.mark.parametrize(("name", "least"), [("resnext50_32x4d", 16), ("own", 1)])
def test_groups_are_put_together(name: str, least: int) -> None:
    """Up to 16 channels, and nothing else is computed; depthwise ones stay as they are."""
    spec = {"own": "own/inverted_residual"}.get(name, name)
    network = load(spec, {"depths": [1] * len(load(spec).network.stages)}).network
    model = trained(network)
    made, wide = (graph_of(network, model, group_width=width) for width in (1, 16))

    def widths(graph: onnx.ModelProto) -> set[int]:
        """Of the convolutions that have groups."""
        dims = {tensor.name: tensor.dims for tensor in graph.graph.initializer}
        found = set()
        for node in graph.graph.node:
            groups = {each.i for each in node.attribute if each.name == "group"}
            if groups - {1}:
                found.add(dims[node.input[1]][1])
        return found

    assert min(widths(made)) == least // 4 or least == 1
    assert min(widths(wide)) == least
    onnx.checker.check_model(wide, full_check=True)
    x = images(network, 64)
    (ours,), (theirs,) = (
        session(graph).run(None, {"images": x.numpy()}) for graph in (made, wide)
    )
    assert np.abs(ours - theirs).max() <= BOUND * np.abs(ours).max()


def test_half_precision() -> None:
    network = load("resnet18").network
    model = trained(network)
    graph = graph_of(network, model, half=True)
    onnx.checker.check_model(graph, full_check=True)
    x = images(network, 64)
    (theirs,) = session(graph).run(None, {"images": x.numpy().astype(np.float16)})
    (ours,) = given(model, x)
    assert theirs.dtype == np.float16
    assert np.abs(ours - theirs).max() < 0.02 * np.abs(ours).max()


def test_nodes_are_called_by_their_paths() -> None:
    network = load("resnet50").network
    names = [node.name for node in _graph(network).graph.node]
    assert len(names) == len(set(names))
    modules = {name for name, _ in build(network, device="meta").named_modules()}
    assert {"conv1", "layer1.0.conv1", "layer4.2.bn3", "fc"} <= {*names} & modules


def test_the_same_network_is_the_same_bytes() -> None:
    network = load("resnet18").network
    once, again = (_graph(network).SerializeToString(deterministic=True) for _ in "ab")
    assert once == again


def test_deep_networks_take_little_time() -> None:
    network = load("resnet152").network
    arrays = {k: np.zeros(t.shape, np.float32) for k, t in network.tensors()}

    def taken() -> float:
        start = time.process_time()
        onnx_model(network, arrays)
        return time.process_time() - start

    assert min(taken() for _ in range(2)) < 2


def _graph(network: Network) -> onnx.ModelProto:
    return graph_of(network, trained(network))
