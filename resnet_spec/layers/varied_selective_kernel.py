"""A choice between two dilations, of convolutions and norms by choice."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class VariedSelectiveKernel(nn.Module):
    """A mix, by channel, of activation(norm(conv3x3(x))) and that twice as dilated.

    The shares are a softmax over the two, computed from the mean of their sum. With
    `split`, each convolution reads half of the channels. (N, in_channels, H, W) ->
    (N, out_channels, h, w), where h and w are H / stride and W / stride, rounded up;
    https://arxiv.org/abs/1903.06586
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        reduced: int,
        stride: int | tuple[int, int],
        groups: int,
        split: bool,
        dilation: int = 1,
        bias: bool = False,
        convolution: Callable[..., nn.Module] = nn.Conv2d,
        norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
        activation: Callable[[], nn.Module] = nn.ReLU,
    ) -> None:
        super().__init__()
        self.split = split
        path_channels = in_channels // 2 if split else in_channels
        self.paths = nn.ModuleList(
            nn.Sequential(
                convolution(
                    path_channels,
                    out_channels,
                    3,
                    stride,
                    padding=spacing,
                    dilation=spacing,
                    groups=groups,
                    bias=bias,
                ),
                norm(out_channels),
                activation(),
            )
            for spacing in (dilation, 2 * dilation)
        )
        self.fc1 = nn.Conv2d(out_channels, reduced, 1, bias=bias)
        self.bn = norm(reduced)
        self.act = activation()
        self.fc2 = nn.Conv2d(reduced, 2 * out_channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        near, far = x, x
        if self.split:
            near, far = x.chunk(2, dim=1)
        done = [self.paths[0](near), self.paths[1](far)]
        paths = torch.stack(done, dim=1)  # (N, 2, out_channels, h, w)
        mean = paths.sum(1).mean((2, 3), keepdim=True)  # (N, out_channels, 1, 1)
        hidden = self.act(self.bn(self.fc1(mean)))  # (N, reduced, 1, 1)
        share: Tensor = self.fc2(hidden)  # (N, 2 * out_channels, 1, 1)
        share = torch.unflatten(share, 1, (2, -1))  # (N, 2, out_channels, 1, 1)
        return (paths * share.softmax(dim=1)).sum(dim=1)  # (N, out_channels, h, w)
