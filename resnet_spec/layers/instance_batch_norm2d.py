"""Two normalizations side by side."""

import torch
from torch import Tensor, nn


class InstanceBatchNorm2d(nn.Module):
    """The first half of the channels by instance, the others by batch normalization.

    (N, C, H, W) -> the same; IBN-a of https://arxiv.org/abs/1807.09441
    """

    def __init__(self, channels: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.first = channels // 2
        self.IN = nn.InstanceNorm2d(self.first, eps, affine=True)
        self.BN = nn.BatchNorm2d(channels - self.first, eps, momentum)

    def forward(self, x: Tensor) -> Tensor:
        first = self.IN(x[:, : self.first])  # (N, C // 2, H, W)
        others = self.BN(x[:, self.first :])  # (N, C - C // 2, H, W)
        return torch.cat((first, others), 1)
