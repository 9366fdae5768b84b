"""The 3x3 convolution of Res2Net."""

import torch
from torch import Tensor, nn


class Res2Conv2d(nn.Module):
    """`scale` bands of `width` channels; each band's 3x3 also reads the band before.

    The last band has no convolution. In the first block of a stage (`apart`) no band
    reads another, and the last one is averaged. (N, scale * width, H, W) -> the same
    channels, H and W over the stride, rounded up; https://arxiv.org/abs/1904.01169
    """

    def __init__(
        self, width: int, scale: int, stride: int, groups: int, apart: bool
    ) -> None:
        super().__init__()
        self.scale = scale
        self.apart = apart
        self.bands = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(
                    width, width, 3, stride, padding=1, groups=groups, bias=False
                ),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
            )
            for _ in range(scale - 1)
        )
        self.pool = nn.AvgPool2d(3, stride, padding=1) if apart else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        read = x.chunk(self.scale, dim=1)
        done: list[Tensor] = []
        for i, band in enumerate(self.bands):
            apart = i == 0 or self.apart
            done.append(band(read[i] if apart else done[-1] + read[i]))
        done.append(self.pool(read[-1]))
        return torch.cat(done, dim=1)
