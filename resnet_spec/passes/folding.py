"""The weights of a folded network from those of the network that was trained.

The arrays may be numpy's or torch's: no more is asked of them than both do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resnet_spec.network import Folded, Network

STATISTICS = ("weight", "bias", "running_mean", "running_var")


def folded(network: Network, trained: Mapping[str, Any], double: Any) -> dict[str, Any]:
    """The tensors of a network that `fold` gave, by its names.

    `trained` has those of the network before, all of them, and `double` is the type of 64 bits
    in which they are multiplied; what comes of that has the type of the filters.
    """
    state = dict(trained)
    for path, op in network.ops():
        start = path.removesuffix(op.path)
        for norm in op.folds:
            _fold(state, start, norm, double)
    return state


def _fold(state: dict[str, Any], start: str, into: Folded, double: Any) -> None:
    name = f"{start}{into.convolution}"
    given = state[f"{name}.weight"]
    filters = _to(given, double).reshape(given.shape[0], -1)
    if not into.norm:
        filters = standardized(filters, into.eps)
    else:
        norm = (state.pop(f"{start}{into.norm}.{each}") for each in STATISTICS)
        weight, shift, mean, variance = (_to(each, double) for each in norm)
        state.pop(f"{start}{into.norm}.num_batches_tracked", None)
        scale = weight / (variance + into.eps) ** 0.5
        filters = filters * scale[:, None]
        before = state.get(f"{name}.bias")
        bias = shift - mean * scale
        bias = bias if before is None else bias + _to(before, double) * scale
        state[f"{name}.bias"] = _to(bias, given.dtype)
    state[f"{name}.weight"] = _to(filters.reshape(given.shape), given.dtype)


def standardized(filters: Any, eps: float) -> Any:
    """Filters (out_channels, K), each with mean 0 and variance 1."""
    filters = filters - filters.mean(1)[:, None]
    variance = (filters * filters).mean(1)
    return filters / ((variance + eps) ** 0.5)[:, None]


def _to(array: Any, dtype: Any) -> Any:
    """The array in that type: numpy's way, or torch's."""
    return array.astype(dtype) if hasattr(array, "astype") else array.to(dtype)
