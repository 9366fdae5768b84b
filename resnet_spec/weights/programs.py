"""A network with its weights as a program of torch, and weights that nothing has trained."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import torch
from numpy.typing import NDArray
from torch.export import Dim

from resnet_spec.emit.module import build
from resnet_spec.network import Network

Arrays = Mapping[str, NDArray[Any]]


def started(network: Network, seed: int) -> dict[str, NDArray[Any]]:
    """What training starts from, drawn from that seed."""
    torch.manual_seed(seed)
    return {name: t.numpy() for name, t in build(network).state_dict().items()}


def program(
    network: Network, tensors: Arrays, told: Mapping[str, str], *, half: bool
) -> bytes:
    """The network in evaluation as a file of `torch.export.save`, with texts beside it.

    It takes any number of images (N, C, H, W). https://docs.pytorch.org/docs/stable/export.html
    """
    model = build(network, init=False).eval()
    state = {name: torch.tensor(array) for name, array in tensors.items()}
    done = model.load_state_dict(state, strict=False)
    assert not done.unexpected_keys, done
    dtype = torch.float16 if half else torch.float32
    images = torch.zeros(2, *map(int, network.image), dtype=dtype)
    free = {0: Dim.DYNAMIC, 2: Dim.AUTO, 3: Dim.AUTO}
    made = torch.export.export(model.to(dtype), (images,), dynamic_shapes=(free,))
    written = BytesIO()
    torch.export.save(made, written, extra_files=dict(told))
    return written.getvalue()
