"""Weights of another run, or another library, to start from."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from resnet_spec.problems import RunError
from resnet_spec.weights.loading import WeightsError, load_weights, unwrapped
from resnet_spec.weights.naming import fitting, names


def start_from(net: nn.Module, file: Path) -> str:
    """Load the tensors of a file into the network; returns what to say about it.

    If the file's classifier is for other classes, or missing, the network keeps its own.
    Raises RunError if other tensors are missing, left over, or of another shape.
    """
    ours, theirs = net.state_dict(), _tensors(file)
    naming = fitting(ours, theirs) or "torchvision"
    head = names(ours, naming)["fc.weight"]
    fits = head in theirs and theirs[head].shape == ours["fc.weight"].shape
    ignored = () if fits else ("fc", head.removesuffix(".weight"))
    try:
        load_weights(net, theirs, naming, ignored)
    except WeightsError as error:
        raise RunError(f"{file}: {error}") from None
    return f"weights: {file}" + ("" if fits else ", all but the classifier")


def _tensors(file: Path) -> dict[str, Tensor]:
    try:
        return unwrapped(file)[0]
    except WeightsError as error:  # which names the file
        raise RunError(str(error)) from None
