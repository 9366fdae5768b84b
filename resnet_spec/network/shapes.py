"""Shapes, and the arithmetic that proves a statement for every image size."""

from __future__ import annotations

import math
from typing import NamedTuple


class Shape(NamedTuple):
    """One image's map: channels, height, width."""

    channels: int
    height: int
    width: int

    def __str__(self) -> str:
        return " x ".join(str(int(size)) for size in self)


class Sizes(NamedTuple):
    """The lengths of a side that are taken; `largest` None is no limit."""

    smallest: int
    largest: int | None = None

    def __contains__(self, length: object) -> bool:
        if not isinstance(length, int) or length < self.smallest:
            return False
        return self.largest is None or length <= self.largest


NO_SIZES = Sizes(1, 0)

SIDES = (0, 1)  # height and width, where something has one value for each


class Lengths(NamedTuple):
    """The map of a height (or width) h to (h + offset) // stride, for every h at once.

    Every convolution and pool is such a map, and so is any chain of them, because
    ((h + a) // s + b) // t = (h + a + s * b) // (s * t). Two chains therefore agree for
    all sizes if and only if their two numbers are equal. Stride 0 is the constant `offset`.

    >>> conv, pool = Lengths(1, 2), Lengths(1, 2)
    >>> conv.then(pool), conv.then(pool)(224)
    (Lengths(offset=3, stride=4), 56)
    """

    offset: int = 0
    stride: int = 1

    def __call__(self, length: int) -> int:
        return (length + self.offset) // self.stride if self.stride else self.offset

    def then(self, after: Lengths) -> Lengths:
        """The map that applies this one and then `after`."""
        if not self.stride:
            return Lengths(after(self.offset), 0)
        if not after.stride:
            return after
        offset = self.offset + self.stride * after.offset
        return Lengths(offset, self.stride * after.stride)

    def smallest(self, length: float) -> float:
        """The smallest h >= 1 that maps to `length` or more; infinite where none does."""
        if not self.stride:
            return 1 if self.offset >= length else math.inf
        return max(1, length * self.stride - self.offset)

    def first_difference(self, other: Lengths, start: int = 1) -> int | None:
        """The smallest h >= start at which the two maps differ, None where none is.

        From one common period to the next, the difference of the two stays (equal
        strides) or moves by a fixed amount, so it shows within a period and one step.
        """
        if self == other:
            return None
        period = math.lcm(self.stride or 1, other.stride or 1)
        lengths = range(start, start + period + 1)
        return next(h for h in lengths if self(h) != other(h))


class Maps(NamedTuple):
    """What becomes of heights, and what of widths; most often the same.

    >>> Maps(Lengths(1, 2), Lengths()).then(Maps.alike(Lengths(1, 2))).stride
    (4, 2)
    """

    heights: Lengths = Lengths()
    widths: Lengths = Lengths()

    @classmethod
    def alike(cls, lengths: Lengths) -> Maps:
        """The same of both."""
        return cls(lengths, lengths)

    def then(self, after: Maps) -> Maps:
        """The maps that apply these and then `after`."""
        heights = self.heights.then(after.heights)
        if self.are_alike and after.are_alike:
            return Maps(heights, heights)
        return Maps(heights, self.widths.then(after.widths))

    @property
    def are_alike(self) -> bool:
        """Whether both are one map, so that nothing has to be asked twice."""
        return self.heights == self.widths

    @property
    def strides(self) -> tuple[int, int]:
        """Pixels read per pixel given, along height and width."""
        return self.heights.stride, self.widths.stride

    @property
    def stride(self) -> int | tuple[int, int]:
        """The same, as one number where both have it."""
        height, width = self.strides
        return height if height == width else (height, width)
