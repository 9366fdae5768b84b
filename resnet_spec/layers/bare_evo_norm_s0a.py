"""The normalization of EvoNorm-S0 without its activation."""

import torch
from torch import Tensor, nn


class BareEvoNormS0a(nn.Module):
    """x / std(x) * weight + bias, the std over groups of channels.

    (N, C, H, W) -> the same; EvoNorm-S0 where no activation follows, by timm 1.0's S0a
    """

    def __init__(self, groups: int, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.groups = groups
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        n, _, h, w = x.shape
        groups = x.view(n, self.groups, -1, h, w)  # (N, groups, C // groups, H, W)
        var = groups.var((2, 3, 4), correction=0, keepdim=True)  # (N, groups, 1, 1, 1)
        std = (var + self.eps).sqrt().expand_as(groups).reshape_as(x)  # (N, C, H, W)
        return x / std * self.weight[:, None, None] + self.bias[:, None, None]
