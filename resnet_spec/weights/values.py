"""The values of tensors in a file, as torch has them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from resnet_spec.weights.stored import Refusal, Stored, WeightsError


def read(value: Any, owned: bool = False) -> Tensor:
    """The values of a tensor in a file; `owned`, a copy, but where they may stay in the file.

    Of one that is a tensor already, itself.
    """
    if not isinstance(value, Stored):
        tensor: Tensor = value if isinstance(value, Tensor) else torch.as_tensor(value)
        return tensor
    kind = getattr(torch, value.dtype)
    if 0 in value.shape:
        return torch.empty(value.shape, dtype=kind)
    try:
        flat = torch.frombuffer(value.buffer(), dtype=kind)
    except Refusal as refusal:
        raise WeightsError(f"the file {refusal}") from None
    found = flat.as_strided(value.shape, value.stride, value.offset)
    return found.clone() if owned and not value.stays else found
