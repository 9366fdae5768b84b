"""The 3x3 convolution of ResNeSt."""

from torch import Tensor, nn


class SplitAttention(nn.Module):
    """`radix` convolutions 3x3, summed by shares that their own means decide.

    The shares are a softmax over the radix, or a sigmoid where that is 1.
    (N, C, H, W) -> the same; https://arxiv.org/abs/2004.08955
    """

    def __init__(self, channels: int, squeezed: int, groups: int, radix: int) -> None:
        super().__init__()
        self.groups = groups
        self.radix = radix
        inner = channels * radix
        self.conv = nn.Conv2d(
            channels, inner, 3, padding=1, groups=groups * radix, bias=False
        )
        self.bn0 = nn.BatchNorm2d(inner)
        self.relu = nn.ReLU(inplace=True)
        self.fc1 = nn.Conv2d(channels, squeezed, 1, groups=groups)
        self.bn1 = nn.BatchNorm2d(squeezed)
        self.fc2 = nn.Conv2d(squeezed, inner, 1, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.bn0(self.conv(x)))
        n, inner, height, width = x.shape
        paths = x.reshape(n, self.radix, inner // self.radix, height, width)
        mean = paths.sum(1).mean((2, 3), keepdim=True)
        share: Tensor = self.fc2(self.relu(self.bn1(self.fc1(mean))))
        if self.radix > 1:
            share = share.reshape(n, self.groups, self.radix, -1)
            share = share.transpose(1, 2).softmax(dim=1)
        else:
            share = share.sigmoid()
        share = share.reshape(n, self.radix, inner // self.radix, 1, 1)
        return (paths * share).sum(dim=1)
