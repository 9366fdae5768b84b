"""Squares of pixels as channels."""

from torch import Tensor, nn


class SpaceToDepth(nn.Module):
    """Moves each square of pixels into channels, by row, then column, then channel.

    (N, C, H, W) -> (N, C * size**2, H / size, W / size); H and W must be multiples of
    `size`. https://arxiv.org/abs/2003.13630
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        n, c, height, width = x.shape
        size, h, w = self.size, height // self.size, width // self.size
        x = x.view(n, c, h, size, w, size)  # (N, C, H // size, size, W // size, size)
        return x.permute(0, 3, 5, 1, 2, 4).reshape(n, -1, h, w)
