"""Network -> nn.Module. Knows ops, not blocks.

Blocks and stages are modules with a forward of their own, so that `model.layer2(x)`,
hooks, tracing and summaries work as on a network written by hand.
"""

# No deferred annotations here: TorchScript reads those of `forward` when it traces.
from collections.abc import Callable, Iterable
from functools import partial
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn.utils import skip_init

from resnet_spec import ir, layers


def build(
    network: ir.Network, *, device: torch.device | str | None = None, init: bool = True
) -> nn.Module:
    """The network as a module, from images (N, C, H, W) to (N, classes) or (N, features).

    `device="meta"` gives shapes without storage. `init=False` leaves the weights of
    convolutions and classifier as they lie in memory, for whoever loads them next.
    """
    device = torch.device(device or torch.get_default_device())
    weighted = _called if init else partial(skip_init, device=device)
    with device:
        model = _Network(network, partial(_module, weighted))
        if init:
            _initialise(model, network)
    return model


def _initialise(model: nn.Module, network: ir.Network) -> None:
    """Kaiming normal for convolutions, as in torchvision 0.29; zero for norms that ask."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
    for path, op in network.ops():
        if isinstance(op, ir.BatchNorm) and op.zero:
            nn.init.zeros_(model.get_parameter(f"{path}.weight"))


# --- one op, one module -------------------------------------------------------------------

Weighted = Callable[..., nn.Module]  # makes a module of the given class with weights
Make = Callable[[ir.Op], nn.Module]


def _called(kind: type[nn.Module], *args: Any, **settings: Any) -> nn.Module:
    return kind(*args, **settings)


def _module(weighted: Weighted, op: ir.Op) -> nn.Module:
    if isinstance(op, ir.Layer):
        layer: nn.Module = getattr(layers, type(op).__name__)(*map(int, op.args))
        return layer
    return MODULES[type(op)](op, weighted)


def _conv(op: ir.Conv, weighted: Weighted) -> nn.Module:
    return weighted(
        nn.Conv2d,
        int(op.input.channels),
        int(op.out_channels),
        op.kernel,
        stride=int(op.stride),
        padding=int(op.padding),
        dilation=int(op.dilation),
        groups=int(op.groups),
        bias=False,
    )


def _linear(op: ir.Linear, weighted: Weighted) -> nn.Module:
    return weighted(nn.Linear, int(op.input.channels), int(op.out_channels))


def _batch_norm(op: ir.BatchNorm, _: Weighted) -> nn.Module:
    return nn.BatchNorm2d(int(op.input.channels), op.eps, op.momentum)


def _activation(op: ir.Activation, _: Weighted) -> nn.Module:
    return {"relu": nn.ReLU, "silu": nn.SiLU}[op.function](inplace=True)


def _max_pool(op: ir.MaxPool, _: Weighted) -> nn.Module:
    return nn.MaxPool2d(op.kernel, op.stride, op.padding, ceil_mode=op.ceil)


def _avg_pool(op: ir.AvgPool, _: Weighted) -> nn.Module:
    kernel, stride = int(op.kernel), int(op.stride)
    return nn.AvgPool2d(kernel, stride, op.padding, ceil_mode=op.ceil)


MODULES: dict[type[ir.Op], Callable[[Any, Weighted], nn.Module]] = {
    ir.Conv: _conv,
    ir.Linear: _linear,
    ir.BatchNorm: _batch_norm,
    ir.Activation: _activation,
    ir.MaxPool: _max_pool,
    ir.AvgPool: _avg_pool,
    ir.GlobalAvgPool: lambda op, _: nn.AdaptiveAvgPool2d(1),
    ir.Dropout: lambda op, _: nn.Dropout(op.rate),
}


# --- modules of several -------------------------------------------------------------------


class _Composite(nn.Module):
    """Modules by name, to be run in sequences of names."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def add(self, ops: Iterable[ir.Op], make: Make) -> None:
        """A module for each op; those of numbered paths, `downsample.0`, in a Sequential."""
        for name, group in groupby((op for op in ops if op.path), key=_attribute):
            members = [(op.path, make(op)) for op in group]
            alone = members[0][0] == name
            module = members[0][1] if alone else nn.Sequential(*(m for _, m in members))
            self.add_module(name, module)

    def run(self, names: Iterable[str], x: Tensor) -> Tensor:
        """The named modules one after the other; the name of a flatten is empty."""
        for name in names:
            x = getattr(self, name)(x) if name else x.flatten(1)
        return x

    def _get_name(self) -> str:
        return self.kind

    def __prepare_scriptable__(self) -> nn.Module:
        """The same with every call written out: TorchScript cannot look names up."""
        return fx.GraphModule(self, _Tracer().trace(self))


class _Block(_Composite):
    """post(body(x) + shortcut(x))"""

    def __init__(self, block: ir.Block, make: Make) -> None:
        super().__init__(block.kind)
        self.add(block.registered, make)
        self.adds = block.shortcut is not None
        self.body = _names(block.body)
        self.branch = _names(block.branch)
        self.post = _names(block.post)

    def forward(self, x: Tensor) -> Tensor:
        y = self.run(self.body, x)
        if self.adds:
            y = y + self.run(self.branch, x)
        return self.run(self.post, y)


class _Network(_Composite):
    """head(stages(stem(x)))"""

    def __init__(self, network: ir.Network, make: Make) -> None:
        super().__init__(network.name)
        self.add(network.stem, make)
        for stage in network.stages:
            blocks = (_Block(block, make) for block in stage.blocks)
            self.add_module(stage.name, nn.Sequential(*blocks))
        self.add(network.head, make)
        stages = (stage.name for stage in network.stages)
        self.steps = (*_names(network.stem), *stages, *_names(network.head))

    def forward(self, x: Tensor) -> Tensor:
        return self.run(self.steps, x)


class _Tracer(fx.Tracer):
    """Follows our own composites down to torch's modules and our layers."""

    def is_leaf_module(self, m: nn.Module, _: str) -> bool:
        return not isinstance(m, (_Composite, nn.Sequential))


def _attribute(op: ir.Op) -> str:
    return op.path.split(".")[0]


def _names(ops: Iterable[ir.Op]) -> tuple[str, ...]:
    """The attributes to call, a Sequential once."""
    return tuple(name for name, _ in groupby(ops, key=_attribute))
