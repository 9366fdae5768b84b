"""Norms that see a single value, which has no variance."""

from __future__ import annotations

from resnet_spec.network import (
    BatchNorm,
    Conv3x3,
    ConvBlockAttention,
    Network,
    Op,
)


def norm_of_one_value(network: Network) -> str | None:
    """The path of the first batch norm that sees one value per channel of a picture.

    A batch of one picture gives it no variance, and torch refuses to train on it. None
    where all norms see more.
    """
    return next((path for path, op in network.ops() if _sees_one_value(op)), None)


def _sees_one_value(op: Op) -> bool:
    norm = op.inside.norm if isinstance(op, Conv3x3) else op
    if not isinstance(norm, (BatchNorm, ConvBlockAttention)):
        return False
    if isinstance(op, Conv3x3) and len(op.normed) > 1:
        return True  # the second norm sees the mean of each channel
    return op.output[1:] == (1, 1)
