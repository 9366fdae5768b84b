"""Batch normalization that no longer learns."""

import torch
from torch import Tensor, nn


class FrozenBatchNorm2d(nn.Module):
    """(x - mean) / sqrt(var + eps) * weight + bias, all four of them fixed.

    (N, C, H, W) -> the same; detectors have it in their backbones.
    """

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.register_buffer("weight", torch.ones(channels))
        self.register_buffer("bias", torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        scale = self.weight * (self.running_var + self.eps).rsqrt()  # (C,)
        shift = self.bias - self.running_mean * scale  # (C,)
        return x * scale[:, None, None] + shift[:, None, None]
