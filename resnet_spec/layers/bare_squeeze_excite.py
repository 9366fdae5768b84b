"""Squeeze-and-excitation without biases."""

from torch import Tensor, nn


class BareSqueezeExcite(nn.Module):
    """x * sigmoid(fc2(relu(fc1(mean(x))))): a weight for each image and channel.

    (N, C, H, W) -> the same; https://arxiv.org/abs/1709.01507, without biases.
    """

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, squeezed, 1, bias=False)
        self.relu = nn.ReLU(inplace=True)
        self.fc2 = nn.Conv2d(squeezed, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((2, 3), keepdim=True)  # (N, C, 1, 1)
        weight: Tensor = self.fc2(self.relu(self.fc1(mean)))  # (N, C, 1, 1)
        return x * weight.sigmoid()
