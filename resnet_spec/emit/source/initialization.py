"""First weights as source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resnet_spec.emit.source.layout import indented
from resnet_spec.network import Draw, Start

DRAWS: dict[Draw, str] = {
    "kaiming_fan_out": 'nn.init.kaiming_normal_({}, mode="fan_out")',
    "kaiming_fan_out_grouped": (
        "fan_out = {0}[:, 0].numel() // module.groups\n"
        "nn.init.normal_({0}, std=(2 / fan_out) ** 0.5)"
    ),
    "normal_0.01": "nn.init.normal_({}, std=0.01)",
    "zeros": "nn.init.zeros_({})",
}


def started(
    start: Start, biased: Sequence[bool], linear: bool = False
) -> Iterator[str]:
    """The lines that start `module`; `biased` says which of such modules have a bias.

    To a type checker, a convolution's bias may be None and that of a linear layer may not.
    """
    yield DRAWS[start.weight].format("module.weight")
    if start.bias and any(biased):
        line = DRAWS[start.bias].format("module.bias")
        if not all(biased):
            line = f"if module.bias is not None:\n{indented(line)}"
        elif not linear:
            yield "assert module.bias is not None"
        yield line
