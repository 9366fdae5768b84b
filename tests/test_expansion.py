"""What runs, held to what torch's own hooks see, in the built module and in the generated."""

import torch
from torch import nn

from resnet_spec.compiler import load
from resnet_spec.emit.module import build
from resnet_spec.emit.source import render
from resnet_spec.expansion import Call, expand
from resnet_spec.expansion.layers import INSIDE
from resnet_spec.language.shipped import shortest
from resnet_spec.network import Layer, Network, Op
from tests.models import module_of
from tests.strategies import Pool

Row = tuple[str, str, tuple[int, ...]]


def rows(call: Call, path: str = "") -> list[Row]:
    """Path, class and output of each module that runs, when it has finished."""
    found = []
    for step in call.steps:
        if step.call.module:
            inner = f"{path}{step.name}"
            found += rows(step.call, f"{inner}.")
            found.append((inner, step.call.module, step.call.output))
    return found


def hooked(model: nn.Module, network: Network) -> list[Row]:
    """The same by torch's hooks."""
    found: list[Row] = []
    names = {module: name for name, module in model.named_modules()}

    def hook(module: nn.Module, _: object, output: torch.Tensor) -> None:
        shape = tuple(output.shape[1:])
        found.append((names[module], type(module).__name__, shape))

    for name, module in model.named_modules():
        if name:
            module.register_forward_hook(hook)
    with torch.device("meta"), torch.no_grad():
        model.eval()(torch.zeros(2, *map(int, network.image)))
    return found


def held(network: Network) -> None:
    """The expansion to what runs, built and generated, and its own count to the ops'."""
    expected = rows(expand(network))
    assert hooked(build(network, device="meta"), network) == expected
    with torch.device("meta"):
        made = module_of(render(network), network.name)()
    assert hooked(made, network) == expected


def test_modules_of_all_that_ship() -> None:
    for key in shortest():
        network = load(key).network
        model = build(network, device="meta", init=False)
        assert hooked(model, network) == rows(expand(network)), key


def test_modules_of_drawn_networks(drawn: Pool) -> None:
    for _, network in drawn:
        held(network)


def test_every_layer_says_what_runs_inside() -> None:
    def kinds(of: type[Op]) -> set[type[Op]]:
        return {of} | {kind for each in of.__subclasses__() for kind in kinds(each)}

    bases = {"Layer", "Conv3x3", "Scalar"}
    assert {k for k in kinds(Layer) if k.__name__ not in bases} == {*INSIDE}


def test_blocks_that_repeat_are_one_call() -> None:
    stage = expand(load("resnet152").network).steps[6].call
    assert len(stage.steps) == 36
    assert len({id(step.call) for step in stage.steps}) == 2
