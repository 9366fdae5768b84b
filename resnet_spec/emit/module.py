"""Network -> nn.Module. Knows ops, not blocks.

Blocks and stages are modules with a forward of their own, so that `model.layer2(x)`,
hooks, tracing and summaries work as on a network written by hand.
"""

# No deferred annotations here: TorchScript reads those of `forward` when it traces.
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import torch
from torch import Tensor, fx, nn

from resnet_spec import layers
from resnet_spec.network import (
    Block,
    Draw,
    Layer,
    Maker,
    Network,
    Norm,
    Op,
    Start,
    alike,
    called,
    held,
    plain,
)


def build(
    network: Network, *, device: torch.device | str | None = None, init: bool = True
) -> nn.Module:
    """The network as a module, from images (N, C, H, W) to (N, classes) or (N, features).

    With features, it gives a dict of maps (N, C, H, W) by the names of those, and has its
    `channels` and `strides` as dicts.

    `device="meta"` gives shapes without storage. `init=False` leaves all tensors as they
    lie in memory, for whoever loads them next.
    """
    device = torch.device(device or torch.get_default_device())
    with device if init else torch.device("meta"):
        model = _named(_Network, network.name)(network)
        if init:
            _initialize(model, network)
    made: nn.Module = model if init else model.to_empty(device=device)
    NETWORKS[made] = network
    if not init or device.type == "meta":
        WITHOUT_VALUES.add(made)
    return made


NETWORKS: WeakKeyDictionary[nn.Module, Network] = WeakKeyDictionary()
"""The networks of the models that were built."""
WITHOUT_VALUES: WeakSet[nn.Module] = WeakSet()
"""The models that were built without values, until `load_weights` gives them some."""


def _initialize(model: nn.Module, network: Network) -> None:
    """The network's own first weights, drawn in the order of the modules."""
    init, classifier = network.init, None
    if init.classifier and network.classifier:
        classifier = model.get_submodule(network.classifier.path)
    for module in model.modules():
        if init.classifier and module is classifier:
            _start(module, init.classifier)
        elif isinstance(module, nn.Conv2d):
            _start(module, init.convolutions)
    for path, op in network.ops():
        if isinstance(op, Norm) and op.zero:
            nn.init.zeros_(model.get_parameter(f"{path}.weight"))
    for name in network.restarted:
        for module in model.modules():
            if isinstance(module, getattr(layers, name)):
                module.reset_parameters()


def _start(module: Any, start: Start) -> None:
    DRAWS[start.weight](module.weight, module)
    if start.bias and module.bias is not None:
        DRAWS[start.bias](module.bias, module)


def _kaiming_grouped(weight: Tensor, convolution: Any) -> Tensor:
    fan_out = weight[:, 0].numel() // convolution.groups
    return nn.init.normal_(weight, std=(2 / fan_out) ** 0.5)


DRAWS: dict[Draw, Callable[[Tensor, Any], Tensor]] = {
    "kaiming_fan_out": lambda t, _: nn.init.kaiming_normal_(t, mode="fan_out"),
    "kaiming_fan_out_grouped": _kaiming_grouped,
    "normal_0.01": lambda t, _: nn.init.normal_(t, std=0.01),
    "zeros": lambda t, _: nn.init.zeros_(t),
}


def _module(op: Op) -> nn.Module:
    """The op's module; the identity where the op does not take part."""
    if not op.active:
        return nn.Identity()
    made: Callable[..., nn.Module] = getattr(
        layers if isinstance(op, Layer) else nn, op.module
    )
    args = [_value(arg.value) for arg in op.args if not arg.keyword]
    return made(
        *args, **{arg.keyword: _value(arg.value) for arg in op.args if arg.keyword}
    )


def _value(value: Any) -> Any:
    """A value as plain data, or what makes modules."""
    if not isinstance(value, Maker):
        return plain(value)
    name = value.module.removeprefix("nn.")
    made = getattr(layers if name == value.module else nn, name)
    return partial(made, *value.positional, **dict(value.keywords))


# --- modules of several -------------------------------------------------------------------


class _Composite(nn.Module):
    """Modules by name, to be run in sequences of names."""

    def __reduce__(self) -> tuple[Any, ...]:
        """How it is pickled and copied: its class is made again, not looked up."""
        base, name = type(self).__bases__[0], type(self).__name__
        return _bare, (base, name), self.__dict__

    def add(self, ops: Iterable[Op]) -> None:
        """A module for each op; those of numbered paths, `downsample.0`, in a Sequential."""
        for name, group in held(ops):
            members = [(op.path, _module(op)) for op in group]
            alone = members[0][0] == name
            module = members[0][1] if alone else nn.Sequential(*(m for _, m in members))
            self.add_module(name, module)

    def run(self, names: Iterable[str], x: Tensor) -> Tensor:
        """The named modules one after the other; the name of a flatten is empty."""
        for name in names:
            x = getattr(self, name)(x) if name else x.flatten(1)
        return x

    def __prepare_scriptable__(self) -> nn.Module:
        """The same with every call written out: TorchScript cannot look names up."""
        return fx.GraphModule(self, _Tracer().trace(self))


@cache
def _named(base: type, name: str) -> Callable[..., nn.Module]:
    """The class as the generated file calls it, since summaries print that."""
    return type(name, (base,), {})


def _bare(base: type, name: str) -> nn.Module:
    """An object of that class that has nothing yet."""
    made: Any = _named(base, name)
    module: nn.Module = made.__new__(made)
    return module


class _Block(_Composite):
    """post(body(pre(x)) + shortcut)"""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.add(block.registered)
        self.adds = block.adds
        self.pre, self.body = _names(block.pre), _names(block.body)
        self.branch, self.post = _names(block.branch), _names(block.post)
        self.reads_pre = block.reads_pre

    def forward(self, x: Tensor) -> Tensor:
        y = self.run(self.pre, x)
        shortcut = self.run(self.branch, y) if self.reads_pre else x
        y = self.run(self.body, y)
        if self.adds:
            y = y + (shortcut if self.reads_pre else self.run(self.branch, shortcut))
        return self.run(self.post, y)


class _Network(_Composite):
    """head(stages(stem(x))), or what each of some stages gives, by its name."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.add(network.entry)
        made = alike(network)
        for stage in network.stages:
            blocks = (_named(_Block, b.kind)(made[id(b)]) for b in stage.blocks)
            self.add_module(stage.name, nn.Sequential(*blocks))
        self.add(network.head)
        stages = {stage.name: (stage.name,) for stage in network.stages}
        ends = {"stem": _names(network.stem), "pool": _names(network.pool)}
        self.steps = ends | stages | {"head": _names(network.head)}
        self.channels, self.strides = network.channels, network.strides

    def forward(self, x: Tensor) -> Tensor | dict[str, Tensor]:
        found = {}
        for part, names in self.steps.items():
            x = self.run(names, x)
            if part in self.channels:
                found[part] = x
        return found or x


class _Tracer(fx.Tracer):
    """Follows our own composites down to torch's modules and our layers."""

    def is_leaf_module(self, m: nn.Module, _: str) -> bool:
        return not isinstance(m, (_Composite, nn.Sequential))


def _names(ops: Iterable[Op]) -> tuple[str, ...]:
    """The attributes to call, a Sequential once."""
    return tuple(name for name, _ in called(ops))
