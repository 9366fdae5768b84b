"""Norms that see a single value, which has no variance."""

from __future__ import annotations

from resnet_spec.network import (
    BatchNorm,
    ConvBlockAttention,
    Network,
    Op,
    Res2Conv2d,
    SelectiveKernel,
    SplitAttention,
)


def norm_of_one_value(network: Network) -> str | None:
    """The path of the first batch norm that sees one value per channel of a picture.

    A batch of one picture gives it no variance, and torch refuses to train on it. None
    where all norms see more.
    """
    return next((path for path, op in network.ops() if _sees_one_value(op)), None)


def _sees_one_value(op: Op) -> bool:
    if isinstance(op, (SelectiveKernel, SplitAttention)):
        return True  # their second norm sees the mean of each channel
    seen = (BatchNorm, ConvBlockAttention, Res2Conv2d)
    return isinstance(op, seen) and op.output[1:] == (1, 1)
