"""A bias of all channels."""

import torch
from torch import Tensor, nn


class ScalarBias(nn.Module):
    """x + bias, one number for the whole map.

    (N, C, H, W) -> the same; https://arxiv.org/abs/1901.09321 (Fixup)
    """

    def __init__(self, start: float) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.full((1,), start))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.bias
