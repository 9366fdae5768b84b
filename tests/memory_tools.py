"""Bytes of maps that torch itself keeps and holds, of a module on any device."""

import weakref
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter


def _own(model: nn.Module) -> set[int]:
    """The storages of its parameters and buffers."""
    tensors = [*model.parameters(), *model.buffers()]
    return {tensor.untyped_storage()._cdata for tensor in tensors}


def saved(model: nn.Module, images: Tensor) -> int:
    """Bytes of all storages that the forward pass of a training step keeps."""
    own = _own(model)
    kept: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            kept[storage._cdata] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = model.train()(images)
    del output
    return sum(storage.nbytes() for storage in kept.values())


class Live(TorchDispatchMode):
    """The most bytes of storages alive at once, without those given."""

    def __init__(self, without: set[int], images: Tensor) -> None:
        super().__init__()
        self.without = without
        self.live: dict[int, int] = {}
        self.peak = 0
        self._see(images)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        for each in tree_iter(made):
            if isinstance(each, Tensor):
                self._see(each)
        return made

    def _see(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key not in self.without | {*self.live}:
            self.live[key] = storage.nbytes()
            weakref.finalize(storage, self.live.pop, key)
            self.peak = max(self.peak, sum(self.live.values()))


def evaluation_peak(model: nn.Module, images: Tensor) -> int:
    """Bytes of the image and the maps, in evaluation."""
    with torch.no_grad(), Live(_own(model), images) as live:
        model.eval()(images)
    return live.peak


def training_peak(model: nn.Module, images: Tensor) -> int:
    """Those of a training step, with all gradients."""
    with Live(_own(model), images) as live:
        output = model.train()(images)
        loss = output.sum()
        del output
        loss.backward()
    return live.peak
