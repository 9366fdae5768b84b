"""A normalization of each channel alone, with a learned threshold."""

import torch
from torch import Tensor, nn


class FilterResponseNorm(nn.Module):
    """max(x / sqrt(mean(x^2) + eps) * weight + bias, tau), the mean over the map.

    (N, C, H, W) -> the same; https://arxiv.org/abs/1911.09737
    """

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.tau = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        square = x.square().mean((2, 3), keepdim=True)  # (N, C, 1, 1)
        x = x * (square + self.eps).rsqrt()
        x = x * self.weight[:, None, None] + self.bias[:, None, None]
        return torch.maximum(x, self.tau[:, None, None])
