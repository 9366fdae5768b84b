"""What each tool counts for one call, by the function that runs or by the class of the module.

Read from the sources of the versions in `VERSIONS` and held to what they return. Most count
multiply-adds of convolutions and linear layers alike, and differ in everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from resnet_spec.expansion import Call

Rule = Callable[[Call], int]
Table = Mapping[str, Rule]

VERSIONS = {
    "calflops": "0.3.2",
    "fvcore": "0.1.5.post20221221",
    "mmengine": "0.10.7",
    "ptflops": "0.7.5",
    "pycls": "5719de6",
    "thop": "0.1.1.post2209072238",
    "timm": "1.0",
    "torch": "2.14.1",
    "torchinfo": "1.8.0",
    "torchprofile": "0.1.0",
    "torchsummary": "1.5.1",
}
"""The version of each tool whose figures these are."""


def _macs(call: Call) -> int:
    return call.macs


def _with_bias(call: Call) -> int:
    return call.macs + call.bias * call.gives


def _reads(call: Call) -> int:
    return call.reads


def _gives(call: Call) -> int:
    return call.gives


def _affine(with_weights: int, without: int) -> Rule:
    """So many for each number that a norm reads, with weights and without."""
    return lambda call: (with_weights if call.bias else without) * call.reads


def _weights(times: int) -> Rule:
    """So many for each weight that is standardized."""
    return lambda call: times * call.gives


def names(text: str) -> frozenset[str]:
    """The words of a text: names of functions, or of classes."""
    return frozenset(text.split())


def _all(text: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(sorted(names(text)), rule)


POOLS = "adaptive_avg_pool2d adaptive_max_pool2d avg_pool2d max_pool2d"
POOL_MODULES = "AdaptiveAvgPool2d AdaptiveMaxPool2d AvgPool2d MaxPool2d"
CONVOLUTIONS = "conv1d conv2d"

PLAIN: Table = _all(f"{CONVOLUTIONS} linear matmul", _macs)
"""Multiply-adds as the papers count, and as this project does."""

FVCORE: Table = {
    **PLAIN,
    **_all("group_norm layer_norm instance_norm", _affine(5, 4)),
    "adaptive_avg_pool2d": _reads,
    "batch_norm": _affine(2, 1),
    "standardize": _weights(4),
}
FVCORE_TRAINING: Table = {**FVCORE, "batch_norm": _affine(5, 4)}
FVCORE_ACTIVATIONS: Table = _all(f"{CONVOLUTIONS} linear matmul", _gives)

PTFLOPS_ATEN: Table = {
    **_all(f"{CONVOLUTIONS} linear", _with_bias),
    "matmul": _macs,
}
PTFLOPS_MODULES: Table = {
    **_all("Conv1d Conv2d Linear", _with_bias),
    **_all("ELU GELU LeakyReLU PReLU ReLU ReLU6", _reads),
    **_all(POOL_MODULES, _reads),
    **_all("BatchNorm1d BatchNorm2d GroupNorm InstanceNorm2d", _affine(2, 1)),
    "LayerNorm": _reads,
}
PTFLOPS_FUNCTIONS: Table = _all(f"elu gelu prelu relu silu {POOLS}", _reads)
"""What it counts again, or alone, by functions that it replaces while it counts."""

TORCHPROFILE: Table = {
    **PLAIN,
    **_all("batch_norm group_norm instance_norm layer_norm", _affine(1, 0)),
    **_all("adaptive_avg_pool2d avg_pool2d mean mul", _gives),
    "leaky_relu": lambda call: 0 if call.inplace else call.gives,
}

CALFLOPS: Table = {
    **_all(CONVOLUTIONS, lambda call: 2 * call.macs + call.bias * call.gives),
    "linear": lambda call: 2 * call.macs,
    **_all(f"elu gelu leaky_relu prelu relu silu {POOLS}", _reads),
    **_all("group_norm layer_norm instance_norm", _affine(5, 4)),
    "batch_norm": _affine(2, 1),
    "standardize": _weights(4),
}
CALFLOPS_MACS: Table = _all(f"{CONVOLUTIONS} linear", _macs)

THOP: Table = {
    **_all("Conv1d Conv2d Linear", _macs),
    **_all("BatchNorm1d BatchNorm2d InstanceNorm2d LayerNorm", _affine(4, 2)),
    "AdaptiveAvgPool2d": lambda call: call.reads + call.gives,
    "AvgPool2d": _gives,
    "PReLU": _reads,
}
THOP_PARAMS = names("AdaptiveMaxPool2d MaxPool2d") | {*THOP}
"""The classes whose parameters it counts: of others it has no rule."""

TORCH: Table = _all(f"{CONVOLUTIONS} linear matmul", lambda call: 2 * call.macs)

PYCLS: Table = {**_all(f"{CONVOLUTIONS} linear", _with_bias), "matmul": _macs}
PYCLS_ACTIVATIONS: Table = _all(f"{CONVOLUTIONS} linear max_pool2d", _gives)


def torchinfo(call: Call) -> int:
    """Weights and biases of a leaf, at each place of the output where its class says Conv."""
    if not call.is_leaf:
        return 0
    places = call.gives // call.output[0] if "Conv" in call.module else 1
    learned = (t for t in call.tensors if t.learns and t.name in ("weight", "bias"))
    return sum(tensor.size for tensor in learned) * places


def by_function(table: Table) -> Rule:
    """The rule of a tool that sees functions, inside of modules too."""

    def counted(call: Call) -> int:
        rule = table.get(call.function)
        return rule(call) if rule else 0

    return counted


def by_module(table: Table) -> Rule:
    """The rule of a tool that sees modules alone."""

    def counted(call: Call) -> int:
        rule = table.get(call.module)
        return rule(call) if rule else 0

    return counted
