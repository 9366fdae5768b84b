"""Stochastic depth."""

from torch import Tensor, nn


class DropPath(nn.Module):
    """In training, x / (1 - rate), or zero for an image with probability `rate`.

    (N, C, H, W) -> the same; https://arxiv.org/abs/1603.09382
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if self.rate == 0.0 or not self.training:
            return x
        kept = x.new_empty(x.shape[0], 1, 1, 1).bernoulli_(1 - self.rate)
        return x * (kept / (1 - self.rate))
