"""EvoNorm-S0 as timm 1.0's S0a has it: gradients are summed in another order."""

import torch
from torch import Tensor, nn


class EvoNormS0a(nn.Module):
    """x * sigmoid(v * x) / std(x) * weight + bias, the std over groups of channels.

    (N, C, H, W) -> the same; https://arxiv.org/abs/2004.02967
    """

    def __init__(self, groups: int, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.groups = groups
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.v = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        n, _, h, w = x.shape
        groups = x.view(n, self.groups, -1, h, w)  # (N, groups, C // groups, H, W)
        var = groups.var((2, 3, 4), correction=0, keepdim=True)  # (N, groups, 1, 1, 1)
        std = (var + self.eps).sqrt().expand_as(groups).reshape_as(x)  # (N, C, H, W)
        gated = x * (x * self.v[:, None, None]).sigmoid()
        return gated / std * self.weight[:, None, None] + self.bias[:, None, None]
