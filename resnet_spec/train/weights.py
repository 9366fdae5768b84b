"""Weights of another run, or another library, to start from."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from resnet_spec.problems import RunError
from resnet_spec.weights.loading import WeightsError, closest, load_weights, unwrapped
from resnet_spec.weights.naming import names

FC = "fc.weight"


def start_from(net: nn.Module, file: Path, naming: str | None = None) -> str:
    """Load the tensors of a file into the network; returns what to say about it.

    If the file's classifier is for other classes, or missing, or its first convolution reads
    other channels, the network keeps its own. Raises RunError if other tensors are missing,
    left over, or of another shape.
    """
    ours, theirs = net.state_dict(), _read(file)
    naming, theirs = closest(ours, theirs, naming)
    known, left = names(ours, naming), dict[str, str]()
    for our, part in ((next(iter(ours)), "first convolution"), (FC, "classifier")):
        their = known[our]
        if their not in theirs or theirs[their].shape != ours[our].shape:
            left |= {name.removesuffix(".weight"): part for name in (our, their)}
    try:
        load_weights(net, theirs, naming, list(left))
    except WeightsError as error:
        raise RunError(f"{file}: {error}") from None
    parts = " and the ".join(dict.fromkeys(left.values()))
    return f"weights: {file}" + f", all but the {parts}" * bool(parts)


def _read(file: Path) -> dict[str, Tensor]:
    try:
        return unwrapped(file)[0]
    except WeightsError as error:  # which names the file
        raise RunError(str(error)) from None
