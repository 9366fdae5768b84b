"""Convolution with weight standardization."""

from torch import Tensor, nn
from torch.nn import functional as F


class StdConv2d(nn.Conv2d):
    """A convolution whose filters have mean 0 and variance 1.

    A filter has K = in_channels / groups * kernel_size**2 weights. Shapes are those of
    nn.Conv2d, (N, in_channels, H, W) -> (N, out_channels, h, w);
    https://arxiv.org/abs/1903.10520
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = False,
        eps: float = 1e-5,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
        )
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        # Batch norm takes the filters for the channels of a single image.
        filters = self.weight.flatten(1).unsqueeze(0)  # (1, out_channels, K)
        filters = F.batch_norm(filters, None, None, training=True, eps=self.eps)
        weight = filters.view_as(self.weight)
        return F.conv2d(
            x,
            weight,
            self.bias,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
        )
