"""Attention to channels by a weighed mean of all pixels."""

from torch import Tensor, nn


class GlobalContext(nn.Module):
    """x + fc2(relu(norm(fc1(context)))): adds one value for each image and channel.

    The context is a weighted mean over pixels; the weights are a softmax over one score
    for each. At first zero is added. (N, C, H, W) -> the same;
    https://arxiv.org/abs/1904.11492
    """

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.attn = nn.Conv2d(channels, 1, 1)
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.norm = nn.LayerNorm(squeezed, eps=1e-6)
        self.relu = nn.ReLU(inplace=True)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.kaiming_normal_(self.attn.weight, nonlinearity="relu")
        for parameter in self.fc2.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.attn(x).flatten(1).softmax(dim=1)  # (N, H * W)
        context = x.flatten(2) @ weight[..., None]  # (N, C, 1)
        hidden = self.fc1(context[..., None])  # (N, squeezed, 1, 1)
        hidden = self.norm(hidden.flatten(1))[..., None, None]  # (N, squeezed, 1, 1)
        added: Tensor = self.fc2(self.relu(hidden))  # (N, C, 1, 1)
        return x + added
