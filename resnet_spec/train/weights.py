"""Weights of another run, or another library, to start from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from resnet_spec.network.tree import CLASSIFIER
from resnet_spec.problems import RunError
from resnet_spec.weights.loading import Choices, WeightsError, load_file


def start_from(
    net: nn.Module, file: Path, choices: Mapping[str, Any] | None = None
) -> str:
    """Load the tensors of a file into the network; returns what was loaded, as a line.

    `choices` are a naming, key, prefix and rule for channels, where they are told.

    If the file's classifier is for other classes, or missing, or its first convolution reads
    other channels and no rule says what becomes of those, the network keeps its own. Raises
    RunError if other tensors are missing, left over, or of another shape.
    """
    first = next(name for name, tensor in net.state_dict().items() if tensor.ndim == 4)
    optional = (first.removesuffix(".weight"), CLASSIFIER)
    try:
        done = load_file(net, file, Choices(**(choices or {}), optional=optional))
    except WeightsError as error:
        raise RunError(str(error)) from None
    return "; ".join([str(done), *done.warnings])
