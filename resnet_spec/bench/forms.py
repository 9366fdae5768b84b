"""A network with weights -> what evaluates images once, in each form."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor, nn

from resnet_spec.bench.timing import Call
from resnet_spec.compare.libraries import draw_weights, naming_of, reference
from resnet_spec.emit.module import NETWORKS, build
from resnet_spec.network import Network
from resnet_spec.weights.deploying import deployed
from resnet_spec.weights.naming import names

AVX_512 = "AVX512" in torch.backends.cpu.get_cpu_capability()


class Case:
    """A network with random weights, and random images (N, C, H, W) that it is given."""

    def __init__(self, network: Network, batch: int, threads: int, device: str) -> None:
        self.network, self.threads, self.device = network, threads, device
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = build(network, device="cpu").eval()
            images = torch.randn(batch, *network.image)
        draw_weights(model)
        self.model, self.images = model.to(device), images.to(device)

    @cached_property
    def folded(self) -> nn.Module:
        return deployed(self.network, self.model)


def _call(model: nn.Module, images: Tensor) -> Call:
    return partial(_evaluated, model, images)


@torch.inference_mode()
def _evaluated(model: nn.Module, images: Tensor) -> Tensor:
    """What the model gives, when a device that works by itself has it."""
    output: Tensor = model(images)
    if output.is_cuda:
        torch.cuda.synchronize()
    return output


def _channels_last(case: Case) -> Call:
    last = torch.channels_last
    model = deepcopy(case.model).to(memory_format=last)
    return _call(model, case.images.contiguous(memory_format=last))


def _compiled(case: Case) -> Call:
    torch.compiler.reset()  # so many networks of one class would not be compiled
    compiled: Any = torch.compile(case.model, dynamic=False)
    return _call(compiled, case.images)


def _runtime(name: str, case: Case) -> Call:
    """By a runtime for ONNX, of the folded network."""
    if case.device != "cpu":
        raise ValueError("it is measured on the CPU alone")
    from resnet_spec.bench import runtimes
    from resnet_spec.emit.onnx import onnx_model

    state = case.folded.state_dict()
    arrays = {name: tensor.numpy() for name, tensor in state.items()}
    width = 16 if name == "onnxruntime" and AVX_512 else 1
    made = onnx_model(NETWORKS[case.folded], arrays, group_width=width)
    graph = made.SerializeToString()
    return runtimes.RUNTIMES[name](graph, case.images.numpy(), case.threads)


def _library(which: str, case: Case) -> Call:
    """By another library's network of the same weights."""
    theirs, ours = reference(which, case.network.classes), case.model.state_dict()
    table = names(ours, naming_of(case.model, theirs))
    theirs.load_state_dict({table.get(name, name): ours[name] for name in ours})
    return _call(theirs.eval().to(case.device), case.images)


MAKERS: dict[str, Callable[[Case], Call]] = {
    "eager": lambda case: _call(case.model, case.images),
    "channels_last": _channels_last,
    "folded": lambda case: _call(case.folded, case.images),
    "compile": _compiled,
    "onnxruntime": partial(_runtime, "onnxruntime"),
    "openvino": partial(_runtime, "openvino"),
}


def made(form: str, case: Case) -> Call:
    """What evaluates the images once, and gives (N, classes).

    `form` is one of FORMS, or another library's network, `timm:resnet50d`. Raises what torch,
    the library or the runtime does where it cannot be made.
    """
    if form in MAKERS:
        return MAKERS[form](case)
    return _library(form, case)


def numbers(output: Any) -> Tensor:
    """What a call gave, of torch or numpy, as a tensor of its own."""
    return torch.as_tensor(output).detach().cpu().clone()
