"""The 3x3 convolution of Res2Net, of convolutions and norms by choice."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class VariedRes2Conv2d(nn.Module):
    """`scale` bands of `width` channels; each also reads the previous band's output.

    The last band has no convolution. Where the block changes the shape (`apart`), no
    band reads another, and the last one is averaged. (N, scale * width, H, W) ->
    (N, scale * width, h, w), where h and w are H / stride and W / stride, rounded up;
    https://arxiv.org/abs/1904.01169
    """

    def __init__(
        self,
        width: int,
        scale: int,
        stride: int | tuple[int, int],
        groups: int,
        apart: bool,
        dilation: int = 1,
        bias: bool = False,
        convolution: Callable[..., nn.Module] = nn.Conv2d,
        norm: Callable[[int], nn.Module] = nn.BatchNorm2d,
        activation: Callable[[], nn.Module] = nn.ReLU,
    ) -> None:
        super().__init__()
        self.scale = scale
        self.apart = apart
        self.bands = nn.ModuleList(
            nn.Sequential(
                convolution(
                    width,
                    width,
                    3,
                    stride,
                    padding=dilation,
                    dilation=dilation,
                    groups=groups,
                    bias=bias,
                ),
                norm(width),
                activation(),
            )
            for _ in range(scale - 1)
        )
        self.pool = nn.AvgPool2d(3, stride, padding=1) if apart else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        inputs = x.chunk(self.scale, dim=1)  # each (N, width, H, W)
        outputs: list[Tensor] = []
        for i, band in enumerate(self.bands):
            x = inputs[i]
            if i > 0 and not self.apart:
                x = x + outputs[-1]
            outputs.append(band(x))
        outputs.append(self.pool(inputs[-1]))
        return torch.cat(outputs, dim=1)  # (N, scale * width, h, w)
