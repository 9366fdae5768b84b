"""Tensors as a file tells of them, and why a file is refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from mmap import mmap

from resnet_spec.problems.words import printable

Bytes = bytearray | memoryview | mmap
"""Bytes that may be written, as torch wants them of what it shares."""

SIZES = {
    "bool": 1,
    "uint8": 1,
    "int8": 1,
    "float8_e4m3fn": 1,
    "float8_e5m2": 1,
    "qint8": 1,
    "quint8": 1,
    "uint16": 2,
    "int16": 2,
    "float16": 2,
    "bfloat16": 2,
    "uint32": 4,
    "int32": 4,
    "float32": 4,
    "qint32": 4,
    "uint64": 8,
    "int64": 8,
    "float64": 8,
    "complex64": 8,
    "complex128": 16,
}
"""The bytes of a number of each dtype, by torch's name for it."""


class WeightsError(ValueError):
    """Weights that are not those of the model, with what is wrong in a line.

    Names in it are those of a file, which may have anything in them.
    """

    def __init__(self, said: str) -> None:
        super().__init__(printable(said))


class Refusal(Exception):  # noqa: N818  # it is why, and becomes a WeightsError
    """Why a file is not read, as what follows its name."""


@dataclass(frozen=True)
class Stored:
    """A tensor in a file. Its values stay there until `buffer` is called."""

    dtype: str  # as torch calls it, `float32`
    shape: tuple[int, ...]
    buffer: Callable[[], Bytes] = field(repr=False)
    offset: int = 0  # of its first number among those of the buffer
    stride: tuple[int, ...] = ()  # of each axis, in numbers
    stays: bool = False  # a model may keep it where it lies, as safetensors itself does


def stored(
    dtype: str,
    shape: Sequence[int],
    buffer: Callable[[], Bytes],
    held: int,
    order: str = "C",
    stays: bool = False,
) -> Stored:
    """The tensor of which `buffer` gives all numbers, and nothing else, in that order.

    Refused where those are not as many bytes as are `held`.
    """
    sizes = checked(shape)
    wanted = math.prod(sizes) * size_of(dtype)
    if wanted != held:
        raise Refusal(
            f"is damaged: an array of {wanted:,} bytes is said to have {held:,}"
        )
    return Stored(dtype, sizes, buffer, 0, contiguous(sizes, order), stays)


def checked(shape: Sequence[int]) -> tuple[int, ...]:
    """The shape, of numbers that a computer can count to."""
    if len(shape) > 32 or not all(type(n) is int and 0 <= n < 2**48 for n in shape):
        raise Refusal("is damaged: it has a tensor of an impossible shape")
    return tuple(shape)


def contiguous(shape: tuple[int, ...], order: str = "C") -> tuple[int, ...]:
    """The stride of each axis, the last being the nearest, or in order F the first.

    >>> contiguous((2, 3, 4)), contiguous((2, 3, 4), "F")
    ((12, 4, 1), (1, 2, 6))
    """
    if order == "F":
        return contiguous(shape[::-1])[::-1]
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def size_of(dtype: str) -> int:
    if dtype not in SIZES:
        raise Refusal(f"has numbers of the type {dtype}, which is not read")
    return SIZES[dtype]


def cut_short(told: int, there: int) -> Refusal:
    return Refusal(f"is cut short: it tells of {told:,} bytes, and has {there:,}")
