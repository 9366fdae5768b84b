"""Networks from specs, built and generated, and how two models are held together."""

import importlib.util
import linecache
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from resnet_spec import build_model

Make = Callable[[], nn.Module]


def generated(name: str) -> type[nn.Module]:
    """The network class of `generated/<name>.py`: the one that has a classifier."""
    path = Path("generated", f"{name}.py")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    classes = [v for v in vars(module).values() if isinstance(v, type)]
    own = [c for c in classes if issubclass(c, nn.Module) and c.__module__ == path.stem]
    network: type[nn.Module] = own[-1]
    return network


def module_of(source: str, name: str) -> type[nn.Module]:
    """The class of that name in a generated source, whose lines torch's compilers find."""
    scope: dict[str, object] = {"__name__": name}
    file = f"<{name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    exec(compile(source, file, "exec"), scope)
    made = scope[name]
    assert isinstance(made, type)
    return made


def both(name: str) -> dict[str, Make]:
    """The ways to have the network of `specs/<name>.yaml`."""
    return {
        "built": lambda: build_model(f"specs/{name}.yaml"),
        "generated": generated(name),
    }


def seeded(make: Make, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return make()


def assert_same_state(ours: nn.Module, theirs: nn.Module) -> None:
    """The same names in the same order, the same shapes, the same values."""
    mine, other = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(other)
    for name, tensor in mine.items():
        assert torch.equal(tensor, other[name]), name


def results(model: nn.Module, images: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Training output, every gradient, the state after the step, evaluation output."""
    model.zero_grad()
    output = model.train()(images)
    yield "training output", output
    output.square().mean().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None
        yield f"gradient of {name}", parameter.grad
    for name, buffer in model.named_buffers():
        yield name, buffer
    with torch.no_grad():
        output = model.eval()(images)
    yield "evaluation output", output


def assert_same_results(models: Sequence[nn.Module], images: Tensor) -> None:
    """All that comes out of them is finite and equal bit for bit."""
    for found in zip(*(results(model, images) for model in models), strict=True):
        (name, first), *others = found
        assert first.isfinite().all(), name
        for other_name, other in others:
            assert name == other_name
            assert torch.equal(first, other), name
