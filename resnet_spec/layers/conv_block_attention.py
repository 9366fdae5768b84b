"""Attention to channels, then to places."""

import torch
from torch import Tensor, nn


class ConvBlockAttention(nn.Module):
    """y * sigmoid(norm(conv(max, mean))) with y = x * sigmoid(mlp(mean) + mlp(max)).

    Means and maxima are those of each channel in y, and of each pixel in the result.
    (N, C, H, W) -> the same; CBAM of https://arxiv.org/abs/1807.06521
    """

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, squeezed)
        self.relu = nn.ReLU(inplace=True)
        self.fc2 = nn.Linear(squeezed, channels)
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)
        self.bn = nn.BatchNorm2d(1, momentum=0.01)

    def forward(self, x: Tensor) -> Tensor:
        pixels = x.flatten(2)  # (N, C, H * W)
        both = torch.stack((pixels.mean(2), pixels.amax(2)), 1)  # (N, 2, C)
        weight: Tensor = self.fc2(self.relu(self.fc1(both))).sum(1)  # (N, C)
        y = x * weight.sigmoid()[:, :, None, None]
        both = torch.stack((y.amax(1), y.mean(1)), 1)  # (N, 2, H, W)
        weight = self.bn(self.conv(both))  # (N, 1, H, W)
        return y * weight.sigmoid()
