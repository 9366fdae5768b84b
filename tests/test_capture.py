"""Both forms go through torch's own compilers and keep their outputs."""

import copy
import pickle
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from tests.models import both
from tests.test_papers import settle

NAMES = [
    "resnet18",
    "cifar/resnet20",
    "plain/plain20",
    "v1/resnet50_v1",
    "resnext50_32x4d",
    "shortcuts/resnet50_avg",
    "shortcuts/resnet34_always",
]
LAYERS = [
    "resnetd/test_resnet",
    "resnetblur/resnetblur18",
    "seresnet/seresnet18",
    "ecaresnet/ecaresnet26t",
    "resnetv2/resnetv2_50d_evos",
    "resnetv2/resnetv2_50d_frn",
    "bit/resnetv2_50x1_bit",
    "sknet/skresnet18",
    "resnest/resnest14d",
    "res2net/res2net50d",
    "detection/resnet50_frozen",
]
"""Networks with modules that torch.nn lacks."""


def traced(model: nn.Module) -> Callable[[Tensor], Tensor]:
    return torch.jit.trace(model, torch.randn(1, 3, 64, 64))


def scripted(model: nn.Module) -> Callable[[Tensor], Tensor]:
    return torch.jit.script(model)


def symbolic(model: nn.Module) -> Callable[[Tensor], Tensor]:
    return torch.fx.symbolic_trace(model)


def exported(model: nn.Module) -> Callable[[Tensor], Tensor]:
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(
        model, (torch.randn(2, 3, 64, 64),), dynamic_shapes=({0: batch},)
    )
    return program.module()


def captured(model: nn.Module) -> Callable[[Tensor], Tensor]:
    torch._dynamo.reset()
    return torch.compile(model, fullgraph=True, backend="eager")


Capture = Callable[[nn.Module], Callable[[Tensor], Tensor]]


@pytest.mark.slow
@pytest.mark.parametrize("capture", [traced, scripted, symbolic, exported, captured])
@pytest.mark.parametrize("way", ["built", "generated"])
@pytest.mark.parametrize("name", NAMES)
def test_captured_networks_give_the_same(name: str, way: str, capture: Capture) -> None:
    hold(both(name)[way](), capture)


@pytest.mark.slow
@pytest.mark.parametrize("capture", [scripted, symbolic, exported, captured])
@pytest.mark.parametrize("name", LAYERS)
def test_captured_layers_give_the_same(name: str, capture: Capture) -> None:
    hold(both(name)["generated"](), capture)


def hold(model: nn.Module, capture: Capture) -> None:
    """The captured model's outputs are the model's."""
    settle(model)
    model.eval()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # torch deprecates TorchScript; users still have it
        captured = capture(model)
    for batch in (1, 3):
        images = torch.randn(batch, 3, 64, 64)
        with torch.no_grad():
            torch.testing.assert_close(captured(images), model(images))


@pytest.mark.slow
def test_compiled_by_the_default_backend() -> None:
    model = both("cifar/resnet20")["generated"]()
    settle(model)
    model.eval()
    torch._dynamo.reset()
    compiled = torch.compile(model, fullgraph=True)
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(compiled(images), model(images))


def test_a_built_module_is_copied_and_pickled_whole() -> None:
    """Though its blocks' classes are made while it is built."""
    model = both("cifar/resnet20")["built"]().eval()
    images = torch.randn(2, 3, 32, 32)
    for same in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert repr(same) == repr(model)
        assert type(same.layer1[0]) is type(model.layer1[0])
        assert torch.equal(same(images), model(images))
