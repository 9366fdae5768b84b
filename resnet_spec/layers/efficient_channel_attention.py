"""Channel attention without a bottleneck."""

from torch import Tensor, nn


class EfficientChannelAttention(nn.Module):
    """x * sigmoid(conv(mean(x))): each channel weighted by its neighbors' means.

    (N, C, H, W) -> the same; https://arxiv.org/abs/1910.03151
    """

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((2, 3)).unsqueeze(1)  # (N, 1, C)
        weight: Tensor = self.conv(mean).sigmoid()  # (N, 1, C)
        return x * weight.transpose(1, 2).unsqueeze(3)
