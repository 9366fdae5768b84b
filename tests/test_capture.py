"""Both forms go through torch's own compilers and keep their outputs.

Depth adds nothing to what a compiler meets, so the networks of the gate are shallow and
have every op between them; those that are published, at full depth, are in `long`.
"""

import copy
import pickle
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from resnet_spec import build, load
from resnet_spec.network import Op
from tests.families import NETWORKS, shallow, subclasses
from tests.models import both, rendered
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


def captured(model: nn.Module, backend: str = "eager") -> Callable[[Tensor], Tensor]:
    """Once for any number of images but one, of which torch makes a graph of its own."""
    torch._dynamo.reset()
    graph = torch.compile(model, fullgraph=True, backend=backend)

    def call(images: Tensor) -> Tensor:
        torch._dynamo.mark_dynamic(images, 0)
        return graph(images)

    return call


Capture = Callable[[nn.Module], Callable[[Tensor], Tensor]]
CAPTURES: list[Capture] = [traced, scripted, symbolic, exported, captured]


@pytest.mark.slow
@pytest.mark.parametrize("capture", CAPTURES)
@pytest.mark.parametrize("name", NETWORKS)
def test_captured_sources_give_the_same(name: str, capture: Capture) -> None:
    network = shallow(name)
    hold(rendered(network), capture)


OF_ITS_OWN = ["basic", "mixed", "standardized", "squares"]
"""Between them, all that a built module does otherwise than a generated one: it looks up what
to call, in blocks with and without a shortcut, before and behind norms."""


@pytest.mark.slow
@pytest.mark.parametrize("capture", CAPTURES)
@pytest.mark.parametrize(
    "name",
    [
        name if name in OF_ITS_OWN else pytest.param(name, marks=pytest.mark.long)
        for name in NETWORKS
    ],
)
def test_captured_modules_give_the_same(name: str, capture: Capture) -> None:
    hold(build(shallow(name)), capture)


def test_every_op_is_captured() -> None:
    tried = {type(op) for name in NETWORKS for _, op in shallow(name).ops()}
    assert {op for op in subclasses(Op) if not op.__subclasses__()} <= tried


@pytest.mark.long
@pytest.mark.parametrize("capture", CAPTURES)
@pytest.mark.parametrize("way", ["built", "generated"])
@pytest.mark.parametrize("name", NAMES)
def test_captured_at_full_depth(name: str, way: str, capture: Capture) -> None:
    hold(both(name)[way](), capture)


@pytest.mark.long
@pytest.mark.parametrize("capture", CAPTURES[1:])
@pytest.mark.parametrize("name", LAYERS)
def test_captured_layers_at_full_depth(name: str, capture: Capture) -> None:
    hold(both(name)["generated"](), capture)


def hold(model: nn.Module, capture: Capture) -> None:
    """The captured model's outputs are the model's."""
    settle(model, 64)
    model.eval()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # torch deprecates TorchScript; users still have it
        made = capture(model)
    for batch in (2, 3) if capture in (captured, compiled) else (1, 3):
        images = torch.randn(batch, 3, 64, 64)
        with torch.no_grad():
            torch.testing.assert_close(made(images), model(images))


@pytest.mark.slow
def test_compiled_by_the_default_backend() -> None:
    one = {"depths": [1], "widths": [16], "strides": [1], "input": [3, 64, 64]}
    network = load("cifar/resnet20", one).network
    hold(rendered(network), compiled)


@pytest.mark.long
def test_compiled_by_the_default_backend_at_full_depth() -> None:
    hold(both("cifar/resnet20")["generated"](), compiled)


def compiled(model: nn.Module) -> Callable[[Tensor], Tensor]:
    return captured(model, "inductor")


def test_a_built_module_is_copied_and_pickled_whole() -> None:
    """Though its blocks' classes are made while it is built."""
    model = both("cifar/resnet20")["built"]().eval()
    images = torch.randn(2, 3, 32, 32)
    for same in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert repr(same) == repr(model)
        assert type(same.layer1[0]) is type(model.layer1[0])
        assert torch.equal(same(images), model(images))
