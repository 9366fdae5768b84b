"""Downsampling that hardly changes when the image shifts."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class BlurPool2d(nn.Module):
    """Every second pixel of the map, after a blur by 1 2 1 along each side.

    (N, C, H, W) -> (N, C, H / 2, W / 2), rounded up. Refuses a side of one pixel, which
    has nothing to mirror at its edges. https://arxiv.org/abs/1904.11486
    """

    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        row = torch.tensor([0.25, 0.5, 0.25], dtype=x.dtype, device=x.device)  # (3,)
        blur = (row[:, None] * row).expand(channels, 1, 3, 3)  # (C, 1, 3, 3)
        x = F.pad(x, (1, 1, 1, 1), mode="reflect")
        return F.conv2d(x, blur, stride=2, groups=channels)
