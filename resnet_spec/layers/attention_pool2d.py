"""A pool by attention."""

import torch
from torch import Tensor, nn


class AttentionPool2d(nn.Module):
    """Pools a map by attention of the mean of all pixels to itself and to each pixel.

    Heads have 64 channels. (N, C, H, W) -> (N, C), for maps of that height and width;
    https://arxiv.org/abs/2103.00020
    """

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.size = (height, width)
        self.heads = channels // 64
        self.pos_embed = nn.Parameter(torch.empty(height * width + 1, channels))
        self.q = nn.Linear(channels, channels)
        self.k = nn.Linear(channels, channels)
        self.v = nn.Linear(channels, channels)
        std = channels**-0.5
        for weight in (self.q.weight, self.k.weight, self.v.weight, self.pos_embed):
            nn.init.trunc_normal_(weight, std=std)
        for linear in (self.q, self.k, self.v):
            nn.init.zeros_(linear.bias)

    def forward(self, x: Tensor) -> Tensor:
        torch._assert(x.shape[2:] == self.size, "the map has another size")
        pixels = x.flatten(2).transpose(1, 2)  # (N, H * W, C)
        mean = pixels.mean(1, keepdim=True)  # (N, 1, C)
        x = torch.cat([mean, pixels], dim=1) + self.pos_embed  # (N, H * W + 1, C)
        n, tokens, c = x.shape
        split = (n, tokens, self.heads, 64)
        query = self.q(x[:, 0]).view(n, self.heads, 1, 64)
        key = self.k(x).view(split).permute(0, 2, 3, 1)  # (N, heads, 64, H * W + 1)
        value = self.v(x).view(split).transpose(1, 2)  # (N, heads, H * W + 1, 64)
        weights = (query @ key / 8).softmax(3)  # 8 is the root of 64
        pooled: Tensor = weights @ value  # (N, heads, 1, 64)
        return pooled.view(n, c)  # (N, C)
