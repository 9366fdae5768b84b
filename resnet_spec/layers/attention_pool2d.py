"""A pool by attention."""

import torch
from torch import Tensor, nn


class AttentionPool2d(nn.Module):
    """What the mean of all pixels finds by attention in itself and in them.

    Heads have 64 channels. (N, C, H, W) -> (N, C), for maps of one height and width;
    https://arxiv.org/abs/2103.00020
    """

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.heads = channels // 64
        self.pos_embed = nn.Parameter(torch.empty(height * width + 1, channels))
        self.q = nn.Linear(channels, channels)
        self.k = nn.Linear(channels, channels)
        self.v = nn.Linear(channels, channels)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        std = self.q.in_features**-0.5
        for weight in (self.q.weight, self.k.weight, self.v.weight, self.pos_embed):
            nn.init.trunc_normal_(weight, std=std)
        for linear in (self.q, self.k, self.v):
            nn.init.zeros_(linear.bias)

    def forward(self, x: Tensor) -> Tensor:
        pixels = x.flatten(2).transpose(1, 2)  # (N, H * W, C)
        mean = pixels.mean(1, keepdim=True)  # (N, 1, C)
        x = torch.cat([mean, pixels], dim=1) + self.pos_embed  # (N, H * W + 1, C)
        n, tokens, c = x.shape
        heads = (n, tokens, self.heads, 64)
        query = self.q(x[:, 0]).view(n, self.heads, 1, 64)
        key = self.k(x).view(heads).permute(0, 2, 3, 1)  # (N, heads, 64, H * W + 1)
        value = self.v(x).view(heads).transpose(1, 2)  # (N, heads, H * W + 1, 64)
        share = (query @ key / 8).softmax(3)  # (N, heads, 1, H * W + 1)
        found: Tensor = share @ value  # (N, heads, 1, 64)
        return found.view(n, c)  # (N, C)
