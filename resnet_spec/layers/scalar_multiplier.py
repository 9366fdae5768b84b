"""A multiplier that learns."""

import torch
from torch import Tensor, nn


class ScalarMultiplier(nn.Module):
    """x * weight, one number for the whole map.

    (N, C, H, W) -> the same; https://arxiv.org/abs/1901.09321 (Fixup) starts it at 1,
    https://arxiv.org/abs/2002.10444 (SkipInit) at 0
    """

    def __init__(self, start: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((1,), start))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight
