"""Networks from specs, built and generated, and how two models are held together."""

import importlib.util
import linecache
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from resnet_spec import build, build_model, fold, render
from resnet_spec.network import Network, Norm
from resnet_spec.passes.folding import folded

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


def scope_of(source: str, name: str) -> dict[str, Any]:
    """What a generated source defines; torch's compilers find its lines."""
    scope: dict[str, Any] = {"__name__": name}
    file = f"<{name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    exec(compile(source, file, "exec"), scope)
    return scope


def module_of(source: str, name: str) -> type[nn.Module]:
    """The class of that name in a generated source."""
    made = scope_of(source, name)[name]
    assert isinstance(made, type)
    return made


def rendered(network: Network) -> nn.Module:
    """The module of its generated source."""
    return module_of(render(network), network.name)()


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


# --- trained, and deployed ---------------------------------------------------------------


@torch.no_grad()
def trained(network: Network, dtype: torch.dtype = torch.float32) -> nn.Module:
    """Its module, with norms that have learned something and seen something."""
    torch.manual_seed(0)
    model = build(network)
    for name, tensor in model.state_dict().items():
        if tensor.ndim == 1 and name.endswith(("weight", "running_var")):
            tensor.uniform_(0.5, 1.5)
        elif tensor.ndim == 1 and tensor.is_floating_point():
            tensor.normal_(std=0.1)
    return model.to(dtype).eval()


@torch.no_grad()
def steady(network: Network) -> nn.Module:
    """The same, with activations that do not grow from block to block, however many there are.

    Norms have seen about what they read, and a branch is small beside its shortcut, as in
    networks that were trained; where nothing is added, most of it is above zero. Else deep
    ones lose all digits of 32 bits, in torch as well.
    """
    model = trained(network)
    state = model.state_dict()
    for path, block in network.blocks():
        norms = [op.path for op in block.body if isinstance(op, Norm)]
        if block.adds:
            for name in norms[-1:]:
                state.get(f"{path}.{name}.weight", torch.empty(0)).mul_(0.1)
        else:
            for name in norms:
                state.get(f"{path}.{name}.bias", torch.empty(0)).add_(1)
    hooks = [
        module.register_forward_pre_hook(_see)
        for module in model.modules()
        if getattr(module, "running_var", None) is not None
    ]
    model(torch.cat([images(network, 64) for _ in range(4)]))
    for hook in hooks:
        hook.remove()
    return model


def _see(norm: nn.Module, read: tuple[Tensor]) -> None:
    """The statistics of what the norm reads, (N, C, ...), up to a factor; no variance tiny."""
    pixels = read[0].transpose(0, 1).flatten(1)
    variance = pixels.var(1, correction=0)
    drawn = torch.empty_like(variance).uniform_(0.5, 1.5)
    norm.running_mean.copy_(pixels.mean(1))
    least = float(pixels.square().mean()) / 10
    norm.running_var.copy_(variance.clamp(min=least) * drawn)


def deployed(network: Network, model: nn.Module) -> nn.Module:
    made = fold(network)
    here = build(made).to(next(model.parameters()).dtype).eval()
    here.load_state_dict(folded(made, model.state_dict(), torch.float64))
    return here


def images(network: Network, side: int = 33) -> Tensor:
    """Two images, as small as the network takes them from 33 pixels on."""
    sizes = [
        next((n for n in range(side, 400) if n in lengths), int(own))
        for lengths, own in zip(network.sides, network.image[1:], strict=True)
    ]
    return torch.randn(2, int(network.image.channels), *sizes)
