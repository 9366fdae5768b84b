"""Network -> an ONNX model, by the package `onnx` and without torch.

Nodes are called by the paths of modules, as `layer1.0.conv1`. https://onnx.ai/onnx/operators/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, ValueInfoProto, helper

from resnet_spec.emit.onnx.bands import NODES, nodes_of
from resnet_spec.emit.onnx.beside import Beside
from resnet_spec.emit.onnx.graph import At, Graph
from resnet_spec.network import Block, Network, Op, Shape, Sizes

OPSET = 21  # the first whose GroupNormalization has a weight for each channel
IR_VERSION = 10  # which came with it
IMAGES = "images"


def onnx_model(
    network: Network,
    tensors: Mapping[str, NDArray[Any]],
    *,
    half: bool = False,
    metadata: Mapping[str, str] | None = None,
    beside: Beside | None = None,
    group_width: int = 1,
) -> ModelProto:
    """The network in evaluation as a model of ONNX, from `images` (N, C, H, W).

    It gives `logits` (N, classes), `features` (N, C), or each of the network's features, by
    name. `tensors` are all of the network's, by their names. The number of images is free, and
    so are heights and widths where the network takes several. With `half` it computes in 16
    bits, and reads and gives those. A model of more than 2 GB cannot be written, unless the
    numbers of its large tensors are in a file `beside` it.

    Groups of convolutions that have fewer channels than `group_width`, and more than one, are
    put together up to that, with zeros in between. It is more to multiply, and faster where a
    runtime takes so many channels at once, as ONNX Runtime takes 16 on AVX-512.

    Raises KeyError for a missing tensor, and NotImplementedError for an op without nodes.
    """
    graph = Graph(tensors, np.float16 if half else np.float32, beside, group_width)
    found: dict[str, str] = {}
    x = _chain(graph, "", network.stem, IMAGES)
    found["stem"] = x
    x = found["pool"] = _chain(graph, "", network.pool, x)
    for stage in network.stages:
        for i, block in enumerate(stage.blocks):
            x = _block(graph, f"{stage.name}.{i}", block, x)
        found[stage.name] = x
    x = _chain(graph, "", network.head, x)
    last = "logits" if network.classes else "features"
    given = {name: found[name] for name in network.features} or {last: x}
    for name, value in given.items():
        graph.node(name, "Identity", value)
    made = helper.make_graph(
        graph.nodes,
        network.name,
        [helper.make_tensor_value_info(IMAGES, graph.float, _image(network))],
        [*_outputs(graph, network, given)],
        [*graph.initializers.values()],
    )
    model = helper.make_model(
        made,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="resnet-spec",
    )
    helper.set_model_props(model, dict(metadata or {}))
    return model


def _chain(graph: Graph, start: str, ops: Iterable[Op], x: str) -> str:
    for op in ops:
        if op.active:
            path = ".".join(filter(None, (start, op.path)))
            x = nodes_of(op, NODES)(op, At(graph, path), x)
    return x


def _block(graph: Graph, path: str, block: Block, x: str) -> str:
    """post(body(pre(x)) + shortcut)"""
    y = _chain(graph, path, block.pre, x)
    shortcut = _chain(graph, path, block.branch, y if block.reads_pre else x)
    y = _chain(graph, path, block.body, y)
    if block.adds:
        y = graph.node(f"{path}.add", "Add", y, shortcut)
    return _chain(graph, path, block.post, y)


def _image(network: Network) -> list[str | int]:
    """The shape of the images: a name where a length is free."""
    free = (
        own if _one(lengths) else name
        for lengths, name, own in zip(
            network.sides, ("height", "width"), map(int, network.image[1:]), strict=True
        )
    )
    return ["batch", int(network.image.channels), *free]


def _one(lengths: Sizes) -> bool:
    return lengths.smallest == lengths.largest


def _outputs(
    graph: Graph, network: Network, given: Iterable[str]
) -> Iterable[ValueInfoProto]:
    for name in given:
        if network.features:
            shape: Shape = network.shapes[name]
            sizes = [f"{name}_height", f"{name}_width"]
            lengths: list[str | int] = ["batch", int(shape.channels), *sizes]
        else:
            lengths = ["batch", int(network.output.channels)]
        yield helper.make_tensor_value_info(name, graph.float, lengths)
