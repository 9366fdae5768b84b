"""Downsampling that a shift of the image does not disturb."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class BlurPool2d(nn.Module):
    """Every second pixel of the map blurred by 1 2 1 along each side.

    (N, C, H, W) -> (N, C, H / 2, W / 2), rounded up; a side of one pixel is refused,
    for its edge has nothing to mirror. https://arxiv.org/abs/1904.11486
    """

    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        row = torch.tensor([0.25, 0.5, 0.25], dtype=x.dtype, device=x.device)
        blur = (row[:, None] * row).expand(channels, 1, 3, 3)
        x = F.pad(x, (1, 1, 1, 1), mode="reflect")
        return F.conv2d(x, blur, stride=2, groups=channels)
