"""A model made into that of evaluation alone."""

from __future__ import annotations

import torch
from torch import nn

from resnet_spec.emit.module import WITHOUT_VALUES, build
from resnet_spec.network import Network
from resnet_spec.passes.fold import fold
from resnet_spec.passes.folding import folded


def deployed(network: Network, model: nn.Module) -> nn.Module:
    """The model of `fold(network)`, with the weights of the network's own model, folded."""
    made = fold(network)
    there = build(made, device="meta")
    state = folded(made, model.state_dict(), torch.float64)
    there.load_state_dict(state, assign=True)
    if model not in WITHOUT_VALUES:
        WITHOUT_VALUES.discard(there)
    return there.eval()
