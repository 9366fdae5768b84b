"""Squeeze-and-excitation, of biases and an activation by choice."""

from collections.abc import Callable

from torch import Tensor, nn


class VariedSqueezeExcite(nn.Module):
    """x * sigmoid(fc2(act(fc1(mean(x))))): a weight for each image and channel.

    (N, C, H, W) -> the same; https://arxiv.org/abs/1709.01507
    """

    def __init__(
        self,
        channels: int,
        squeezed: int,
        bias: bool = True,
        activation: Callable[[], nn.Module] = nn.ReLU,
    ) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, squeezed, 1, bias=bias)
        self.act = activation()
        self.fc2 = nn.Conv2d(squeezed, channels, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((2, 3), keepdim=True)  # (N, C, 1, 1)
        weight: Tensor = self.fc2(self.act(self.fc1(mean)))  # (N, C, 1, 1)
        return x * weight.sigmoid()
