"""Tensors as a file tells of them, and why a file is refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from mmap import mmap
from operator import mul
from typing import Literal

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


def laid_out(tensor: Stored) -> memoryview:
    """The bytes of a tensor's numbers, the last axis being the nearest.

    Where they lie so in the file, they are not copied.
    """
    size, numbers = size_of(tensor.dtype), math.prod(tensor.shape)
    if not numbers:
        return memoryview(b"")
    held = memoryview(tensor.buffer()).cast("B")
    apart = zip(tensor.shape, tensor.stride, contiguous(tensor.shape), strict=True)
    if all(length == 1 or own == usual for length, own, usual in apart):
        start = tensor.offset * size
        return held[start : start + numbers * size]
    return _gathered(tensor, held, size)


def _gathered(tensor: Stored, held: memoryview, size: int) -> memoryview:
    """Line by line along the longest axis, whose numbers Python copies by itself."""
    unit = min(size, 8)
    parts = size // unit  # of which complex128 has two
    shape = (*tensor.shape, parts)
    stride = (*(step * parts for step in tensor.stride), 1)
    usual = contiguous(shape)
    longest = max(range(len(shape)), key=lambda axis: shape[axis])
    made = _numbers(memoryview(bytearray(math.prod(shape) * unit)), unit)
    given = _numbers(held[: len(held) // unit * unit], unit)
    length = shape[longest]
    others = (range(n) if axis != longest else (0,) for axis, n in enumerate(shape))
    for at in product(*others):
        start = tensor.offset * parts + sum(map(mul, at, stride))
        to = sum(map(mul, at, usual))
        step, steps = stride[longest], usual[longest]
        line = (
            given[start : start + (length - 1) * step + 1 : step]
            if step
            else _numbers(memoryview(bytes(given[start : start + 1]) * length), unit)
        )
        made[to : to + (length - 1) * steps + 1 : steps] = line
    return made.cast("B")


def _numbers(held: memoryview, size: int) -> memoryview:
    """Bytes as whole numbers of so many each."""
    kinds: dict[int, Literal["B", "H", "I", "Q"]] = {1: "B", 2: "H", 4: "I", 8: "Q"}
    return held.cast(kinds[size])


def size_of(dtype: str) -> int:
    if dtype not in SIZES:
        raise Refusal(f"has numbers of the type {dtype}, which is not read")
    return SIZES[dtype]


def cut_short(told: int, there: int) -> Refusal:
    return Refusal(f"is cut short: it tells of {told:,} bytes, and has {there:,}")
