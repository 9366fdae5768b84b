"""How far the numbers of two tensors in files are apart."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isfinite
from typing import NamedTuple

import torch
from torch import Tensor

from resnet_spec.weights.stored import Stored
from resnet_spec.weights.values import read

INTEGERS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
UNQUANTIZED = {"qint8": "int8", "quint8": "uint8", "qint32": "int32"}


class Gap(NamedTuple):
    """The largest difference, that over the largest number of both, and whether the one
    rounded to the dtype of the other is the other. Infinite where one is not finite."""

    largest: float
    relative: float
    rounded: bool


def gap(a: Stored, b: Stored) -> Gap | None:
    """How far apart they are, of one shape; None where they are equal to the bit."""
    x, y = _values(a), _values(b)
    if x.dtype == y.dtype and torch.equal(_bits(x), _bits(y)):
        return None
    rounded = x.dtype != y.dtype and (
        torch.equal(x.to(y.dtype), y) or torch.equal(y.to(x.dtype), x)
    )
    if not x.dtype == y.dtype == torch.float32:
        x, y = x.double(), y.double()
    largest, scale = _largest(x - y), max(_largest(x), _largest(y))
    if not (isfinite(largest) and isfinite(scale)):
        alike = (x == y) | (x.isnan() & y.isnan())
        largest = _largest((x - y).masked_fill(alike, 0).nan_to_num(inf, inf, inf))
        known = torch.stack([x, y])
        scale = _largest(known.where(known.isfinite(), 0))
    return Gap(largest, largest / scale if scale else largest, rounded)


def _values(tensor: Stored) -> Tensor:
    dtype = UNQUANTIZED.get(tensor.dtype, tensor.dtype)
    found = read(replace(tensor, dtype=dtype))
    return torch.view_as_real(found) if found.is_complex() else found


def _bits(tensor: Tensor) -> Tensor:
    return tensor.view(INTEGERS[tensor.dtype.itemsize])


def _largest(tensor: Tensor) -> float:
    """The largest magnitude; of none, zero."""
    return torch.linalg.vector_norm(tensor, inf).item() if tensor.numel() else 0.0
