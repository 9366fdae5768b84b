"""Attention of rows to rows, and of columns to columns, in 8 parts each."""

import torch
from torch import Tensor, nn


class BilinearAttention(nn.Module):
    """x + conv(P y Q) with y = conv(x): P mixes rows, and Q columns.

    Each starts as an 8 x 8 matrix for each half of the channels, made of the maxima
    of 8 strips of the map; rows of P and columns of Q sum to 1. Enlarged to H x H and
    W x W, they mix each row or column with those at its place in the other strips. H
    and W must be multiples of 8.
    (N, C, H, W) -> the same; https://github.com/BA-Transform/BAT-Image-Classification
    """

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, squeezed, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(squeezed)
        self.conv2 = nn.Conv2d(squeezed, 2, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(2)
        self.rows = nn.AdaptiveMaxPool2d((8, 1))
        self.columns = nn.AdaptiveMaxPool2d((1, 8))
        self.conv_p = nn.Conv2d(2, 2 * 8 * 8, (8, 1))
        self.conv_q = nn.Conv2d(2, 2 * 8 * 8, (1, 8))
        self.conv3 = nn.Conv2d(squeezed, squeezed, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(squeezed)
        self.conv4 = nn.Conv2d(squeezed, channels, 1, bias=False)
        self.bn4 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout2d(0.2)

    def forward(self, x: Tensor) -> Tensor:
        n, _, h, w = x.shape
        y = self.relu(self.bn1(self.conv1(x)))  # (N, squeezed, H, W)
        maps = self.relu(self.bn2(self.conv2(y)))  # (N, 2, H, W)
        p = self.conv_p(self.rows(maps)).view(n, 2, 8, 8).sigmoid()  # (N, 2, 8, 8)
        q = self.conv_q(self.columns(maps)).view(n, 2, 8, 8).sigmoid()  # (N, 2, 8, 8)
        p = self.spread(p / p.sum(3, keepdim=True), y.shape[1], h // 8)
        q = self.spread(q / q.sum(2, keepdim=True), y.shape[1], w // 8)
        y = p @ y @ q  # (N, squeezed, H, W)
        y = self.relu(self.bn3(self.conv3(y)))  # (N, squeezed, H, W)
        added: Tensor = self.dropout(self.relu(self.bn4(self.conv4(y))))  # (N, C, H, W)
        return x + added

    def spread(self, matrix: Tensor, channels: int, times: int) -> Tensor:
        """(N, 2, 8, 8) -> (N, channels, 8 * times, 8 * times).

        The Kronecker product with the identity.
        """
        n = matrix.shape[0]
        each = matrix[:, :, None].expand(n, 2, channels // 2, 8, 8)
        each = each.reshape(n, channels, 8, 8, 1, 1)
        each = each * torch.eye(times, dtype=matrix.dtype, device=matrix.device)
        rows = torch.cat(each.unbind(2), dim=3)  # (N, channels, 8, 8 * times, times)
        return torch.cat(rows.unbind(2), dim=3)
