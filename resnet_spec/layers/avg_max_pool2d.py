"""A pool that sees both the average and the largest."""

from torch import Tensor, nn
from torch.nn import functional as F


class AvgMaxPool2d(nn.Module):
    """Half of the mean and half of the largest value of each channel.

    (N, C, H, W) -> (N, C, 1, 1); timm's `avgmax`
    """

    def forward(self, x: Tensor) -> Tensor:
        mean, largest = F.adaptive_avg_pool2d(x, 1), F.adaptive_max_pool2d(x, 1)
        return 0.5 * (mean + largest)  # (N, C, 1, 1)
