"""The shortcut without parameters."""

from torch import Tensor, nn
from torch.nn import functional as F


class PadChannels(nn.Module):
    """Every `stride`-th pixel, with channels of zeros after the input's own.

    (N, in_channels, H, W) -> (N, out_channels, H / stride, W / stride), rounded up.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.new_channels = out_channels - in_channels
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, 0, self.new_channels))
