"""Two convolutions of different reach, and a choice between them."""

import torch
from torch import Tensor, nn


class SelectiveKernel(nn.Module):
    """A mix, by channel, of relu(bn(conv3x3(x))) and the same with dilation 2.

    The shares are a softmax over the two, from the mean of their sum. With `split`,
    each path reads half of the channels. (N, in_channels, H, W) -> (N, out_channels,
    H / stride, W / stride), rounded up; https://arxiv.org/abs/1903.06586
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        squeezed: int,
        stride: int,
        groups: int,
        split: bool,
    ) -> None:
        super().__init__()
        self.split = split
        path_channels = in_channels // 2 if split else in_channels
        self.paths = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(
                    path_channels,
                    out_channels,
                    3,
                    stride,
                    padding=dilation,
                    dilation=dilation,
                    groups=groups,
                    bias=False,
                ),
                nn.BatchNorm2d(out_channels),
                nn.ReLU(inplace=True),
            )
            for dilation in (1, 2)
        )
        self.fc1 = nn.Conv2d(out_channels, squeezed, 1, bias=False)
        self.bn = nn.BatchNorm2d(squeezed)
        self.relu = nn.ReLU(inplace=True)
        self.fc2 = nn.Conv2d(squeezed, 2 * out_channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        halves = x.chunk(2, dim=1)
        read = [halves[0], halves[1]] if self.split else [x, x]
        done = [path(read[i]) for i, path in enumerate(self.paths)]
        paths = torch.stack(done, dim=1)
        mean = paths.sum(1).mean((2, 3), keepdim=True)
        share: Tensor = self.fc2(self.relu(self.bn(self.fc1(mean))))
        share = share.reshape(x.shape[0], 2, -1, 1, 1).softmax(dim=1)
        return (paths * share).sum(dim=1)
