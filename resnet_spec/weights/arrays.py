"""The numbers of a file's tensors as arrays of numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_spec.weights.identity import Opened
from resnet_spec.weights.stored import Stored, WeightsError, laid_out

BRAIN = "bfloat16"  # the upper half of a float32


def arrays(read: Opened) -> dict[str, NDArray[Any]]:
    """The tensors of the network that a file was read as, by our names.

    They stay where they lie in the file; numbers of bfloat16 are float32 then. Raises
    WeightsError for those that numpy has no type for.
    """
    table = read.reading.table.items()
    return {our: _array(their, read.tensors[their]) for our, their in table}


def _array(name: str, tensor: Stored) -> NDArray[Any]:
    held = laid_out(tensor)
    if tensor.dtype == BRAIN:
        wide = np.frombuffer(held, np.uint16).astype(np.uint32) << 16
        return wide.view(np.float32).reshape(tensor.shape)
    try:
        return np.frombuffer(held, np.dtype(tensor.dtype)).reshape(tensor.shape)
    except TypeError:
        raise WeightsError(f"{name} is {tensor.dtype}, which numpy has not") from None
