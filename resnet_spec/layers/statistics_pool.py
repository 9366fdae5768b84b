"""A pool over time, for spectrograms."""

import torch
from torch import Tensor, nn


class StatisticsPool(nn.Module):
    """Mean and standard deviation over the width, of each channel and row.

    (N, C, H, W) -> (N, 2 * C * H), means first. Refuses nothing, but a width of one has
    no deviation. The variance is the unbiased one, and 1e-7 is added to it as in
    https://github.com/wenet-e2e/wespeaker (TSTP)
    """

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean(3)  # (N, C, H)
        deviation = (x.var(3) + 1e-7).sqrt()  # (N, C, H)
        return torch.cat([mean.flatten(1), deviation.flatten(1)], 1)  # (N, 2 * C * H)
