"""A normalization of each channel alone, without a threshold."""

import torch
from torch import Tensor, nn


class BareFilterResponseNorm(nn.Module):
    """x / sqrt(mean(x^2) + eps) * weight + bias, the mean over the map.

    FilterResponseNorm where no activation follows. (N, C, H, W) -> the same;
    https://arxiv.org/abs/1911.09737
    """

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        square = x.square().mean((2, 3), keepdim=True)  # (N, C, 1, 1)
        x = x * (square + self.eps).rsqrt()
        return x * self.weight[:, None, None] + self.bias[:, None, None]
