"""What is left of a normalization without its statistics."""

import torch
from torch import Tensor, nn


class ChannelAffine(nn.Module):
    """x * weight + bias, for each channel.

    (N, C, H, W) -> the same; EvoNorm-S0 where no activation follows, by timm 1.0
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight[:, None, None] + self.bias[:, None, None]
