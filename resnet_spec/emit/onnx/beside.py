"""The file beside an ONNX model that has the numbers of its large tensors.

https://onnx.ai/onnx/repo-docs/ExternalData.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper
from onnx.external_data_helper import set_external_data

SMALL = 1024  # bytes, up to which a tensor stays in the model
PAGE = 4096  # bytes, to a multiple of which tensors begin, so that they can be mapped


class Beside:
    """A file of that name, in the folder of the model, while the model is made."""

    def __init__(self, name: str) -> None:
        self.name, self.size = name, 0
        self.arrays: list[NDArray[Any]] = []

    def tensor(self, values: NDArray[Any], name: str) -> TensorProto:
        """A tensor of the model whose numbers are in this file."""
        kind = helper.np_dtype_to_tensor_dtype(values.dtype)
        made = TensorProto(name=name, data_type=kind, dims=values.shape)
        # The helper wants numbers to replace, and what is there is not written.
        made.raw_data = b""
        set_external_data(made, self.name, self.size, values.nbytes)
        made.ClearField("raw_data")
        self.arrays.append(values)
        self.size += values.nbytes + _gap(values)
        return made

    def parts(self) -> Iterator[bytes | memoryview]:
        """What is in the file, piece by piece."""
        for values in self.arrays:
            little = values.astype(values.dtype.newbyteorder("<"), copy=False)
            yield np.ascontiguousarray(little).data.cast("B")
            yield bytes(_gap(values))


def _gap(values: NDArray[Any]) -> int:
    return -values.nbytes % PAGE
