"""The 3x3 convolution of ResNeSt, of convolutions and norms by choice."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class VariedSplitAttention(nn.Module):
    """`radix` 3x3 convolutions, summed by shares that depend on their means.

    The shares are a softmax over the radix, or a sigmoid where that is 1.
    (N, C, H, W) -> the same; https://arxiv.org/abs/2004.08955
    """

    def __init__(
        self,
        channels: int,
        reduced: int,
        groups: int,
        radix: int,
        dilation: int = 1,
        bias: bool = False,
        convolution: Callable[..., nn.Module] = nn.Conv2d,
        norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
        activation: Callable[[], nn.Module] = nn.ReLU,
    ) -> None:
        super().__init__()
        self.groups = groups
        self.radix = radix
        inner = channels * radix
        self.conv = convolution(
            channels,
            inner,
            3,
            padding=dilation,
            dilation=dilation,
            groups=groups * radix,
            bias=bias,
        )
        self.bn0 = norm(inner)
        self.act = activation()
        self.fc1 = nn.Conv2d(channels, reduced, 1, groups=groups)
        self.bn1 = norm(reduced)
        self.fc2 = nn.Conv2d(reduced, inner, 1, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        n, groups, radix = x.shape[0], self.groups, self.radix
        x = self.act(self.bn0(self.conv(x)))  # (N, radix * C, H, W)
        paths = torch.unflatten(x, 1, (radix, -1))  # (N, radix, C, H, W)
        mean = paths.sum(1).mean((2, 3), keepdim=True)  # (N, C, 1, 1)
        hidden = self.act(self.bn1(self.fc1(mean)))  # (N, reduced, 1, 1)
        share: Tensor = self.fc2(hidden)  # (N, radix * C, 1, 1)
        share = share.reshape(n, groups, radix, -1)  # (N, groups, radix, C // groups)
        share = share.transpose(1, 2).flatten(2)  # (N, radix, C)
        share = share.softmax(dim=1) if radix > 1 else share.sigmoid()
        return (paths * share[..., None, None]).sum(dim=1)  # (N, C, H, W)
