"""Does the generated source equal the built module, bit for bit?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import cast

import torch
from torch import Tensor, nn

from resnet_spec.emit.module import build
from resnet_spec.network import Network


def verify(network: Network, source: str, batch: int = 2) -> list[str]:
    """What differs between `build(network)` and the source's class; nothing if they are equal.

    The tensors that the network says it has, of which its counts are made, must be the
    module's. Compared are then the modules by name and class, names, order and shapes of the
    state dict, first weights from one seed, and for a random batch of the network's image
    size: training output, every gradient, the statistics after that step, the evaluation
    output, and the order in which the modules run.
    """
    scope: dict[str, object] = {"__name__": network.name}
    exec(compile(source, f"<{network.name}>", "exec"), scope)
    generated = cast("Callable[[], nn.Module]", scope[network.name])
    with torch.random.fork_rng():
        ours, theirs = (_seeded(make) for make in (lambda: build(network), generated))
        if untrue := list(_not_as_said(network, ours)):
            return untrue
        images = torch.randn(batch, *network.image)
        return list(_differences(ours, theirs, images))


def _not_as_said(network: Network, module: nn.Module) -> Iterator[str]:
    """What the module has and the network does not say that it has, or says otherwise."""
    learning = {name for name, _ in module.named_parameters()}
    state = module.state_dict().items()
    found = [(name, tuple(t.shape), name in learning) for name, t in state]
    said = [(name, tensor.shape, tensor.learns) for name, tensor in network.tensors()]
    for is_so, is_said in zip_longest(found, said):
        if is_so != is_said:
            yield f"tensors: {is_said} by the network, {is_so} built"
            return


def _seeded(make: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    return make()


def _differences(ours: nn.Module, theirs: nn.Module, images: Tensor) -> Iterator[str]:
    names = [[(k, v.shape) for k, v in m.state_dict().items()] for m in (ours, theirs)]
    for what, sides in (
        ("modules", map(_classes, (ours, theirs))),
        ("state dict", names),
    ):
        for mine, other in zip_longest(*sides):
            if mine != other:
                yield f"{what}: {mine} built, {other} generated"
                return
    yield from _unequal("first weights", ours.state_dict(), theirs.state_dict())
    runs = [(*step(m, images), m.state_dict()) for m in (ours, theirs)]
    for what, mine, other in zip(
        ("training", "gradient of", "after a step"), *runs, strict=True
    ):
        yield from _unequal(what, mine, other)
    orders = [_running(model) for model in (ours, theirs)]
    given = [evaluated(model, images) for model in (ours, theirs)]
    yield from _unequal("evaluation", *given)
    for mine, other in zip_longest(*orders):
        if mine != other:
            yield f"order: {mine} built, {other} generated"
            return


def _classes(model: nn.Module) -> list[tuple[str, str]]:
    """Each module and its class by name, as summaries print them."""
    return [(name, type(module).__name__) for name, module in model.named_modules()]


def _running(model: nn.Module) -> list[str]:
    """The modules' names, added as they finish."""
    order: list[str] = []
    for name, module in model.named_modules():
        module.register_forward_hook(lambda *_, name=name: order.append(name))
    return order


def step(
    model: nn.Module, images: Tensor
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Outputs and gradients of one training step, dropout from one seed."""
    model.zero_grad()
    torch.manual_seed(1)
    given = outputs(model.train()(images))
    loss = torch.stack([tensor.square().mean() for tensor in given.values()]).sum()
    torch.autograd.backward(loss)
    gradients = {k: p.grad for k, p in model.named_parameters() if p.grad is not None}
    return given, gradients


def outputs(given: Tensor | dict[str, Tensor]) -> dict[str, Tensor]:
    """What a network gives, by name: one output, or the maps of its stages."""
    return {"output": given} if isinstance(given, Tensor) else given


def evaluated(model: nn.Module, images: Tensor) -> dict[str, Tensor]:
    """The evaluation output, with the batch's own statistics so that numbers stay finite."""
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.reset_running_stats()
            module.momentum = None  # the plain mean over all batches, here the one
    torch.manual_seed(2)
    with torch.no_grad():
        model.train()(images)
        return outputs(model.eval()(images))


def _unequal(
    what: str, mine: dict[str, Tensor], other: dict[str, Tensor]
) -> Iterator[str]:
    if mine.keys() != other.keys():
        yield f"{what}: {sorted(mine.keys() ^ other.keys())} on one side only"
    for name, tensor in mine.items():
        if name in other and not _equal(tensor, other[name]):
            yield f"{what} {name}: not equal"


def _equal(mine: Tensor, other: Tensor) -> bool:
    """Bit for bit; what is no number on both sides, as where numbers overflow, is equal."""
    return torch.allclose(mine, other, rtol=0, atol=0, equal_nan=True)
