"""Downsampling that hardly changes when the image shifts."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class BlurPool2d(nn.Module):
    """Every `stride`-th pixel, after a blur by a row of Pascal's triangle: 1 2 1 for 3.

    (N, C, H, W) -> (N, C, H / stride, W / stride), rounded up. With stride 1 nothing is
    blurred. Edges are padded by reflection, which needs sides longer than the padding.
    https://arxiv.org/abs/1904.11486
    """

    def __init__(self, taps: int = 3, stride: int = 2) -> None:
        super().__init__()
        self.stride = stride
        self.row = [1.0]  # its sum stays 1
        for _ in range(taps - 1):
            pairs = zip([0.0, *self.row], [*self.row, 0.0], strict=True)
            self.row = [(a + b) / 2 for a, b in pairs]

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == 1:
            return x
        channels, taps = x.shape[1], len(self.row)
        row = torch.tensor(self.row, dtype=x.dtype, device=x.device)  # (taps,)
        blur = row[:, None] * row  # (taps, taps)
        blur = blur.expand(channels, 1, taps, taps)  # (C, 1, taps, taps)
        before, after = (taps - 1) // 2, taps // 2
        x = F.pad(x, (before, after, before, after), mode="reflect")
        return F.conv2d(x, blur, stride=self.stride, groups=channels)
