"""The scale of a residual."""

from torch import Tensor, nn


class Scale(nn.Module):
    """x * factor, which is fixed.

    (N, C, H, W) -> the same; EDSR's residual scaling, https://arxiv.org/abs/1707.02921
    """

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor
