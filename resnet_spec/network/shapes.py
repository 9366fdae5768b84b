"""Shapes, and the arithmetic that proves a statement for every image size."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import count, islice, takewhile
from typing import NamedTuple


class Shape(NamedTuple):
    """One image's map: channels, height, width."""

    channels: int
    height: int
    width: int

    def __str__(self) -> str:
        return " x ".join(str(int(size)) for size in self)


class Multiples(NamedTuple):
    """The lengths h of which (h + offset) % period < length: so many in each period.

    >>> [h for h in range(70) if h in Multiples(3, 32, 4)]  # 32 and its multiples, less 0 to 3
    [0, 29, 30, 31, 32, 61, 62, 63, 64]
    """

    offset: int
    period: int
    length: int

    def __contains__(self, length: object) -> bool:
        if not isinstance(length, int):
            return False
        return (length + self.offset) % self.period < self.length

    def __str__(self) -> str:
        """In words behind "heights" or "widths".

        >>> print(Multiples(0, 4, 1), Multiples(3, 256, 4), Multiples(4, 8, 2), sep="; ")
        that are multiples of 4; that are multiples of 256 or up to 3 less; from 4 to 5, and \
so on by steps of 8
        """
        if self.length == 1 and not self.offset:
            return f"that are multiples of {self.period}"
        if self.offset == self.length - 1:
            return f"that are multiples of {self.period} or up to {self.offset} less"
        first = -self.offset % self.period
        return f"from {first} to {first + self.length - 1}, and so on by steps of {self.period}"

    def next(self, length: int) -> int:
        """The least of those lengths that is no less."""
        past = (length + self.offset) % self.period
        return length if past < self.length else length + self.period - past

    def before(self, lengths: Lengths) -> Multiples:
        """The lengths that the map makes some of those."""
        stride = lengths.stride
        offset = lengths.offset + self.offset * stride
        return Multiples(offset, self.period * stride, self.length * stride)


UNTIL = 1 << 24  # no image has a longer side


class Sizes(NamedTuple):
    """The lengths of a side that are taken; `largest` None is no limit.

    Where not all between are, those in each of the `multiples`.
    """

    smallest: int
    largest: int | None = None
    multiples: tuple[Multiples, ...] = ()

    def __contains__(self, length: object) -> bool:
        if not isinstance(length, int) or length < self.smallest:
            return False
        if self.largest is not None and length > self.largest:
            return False
        return all(length in each for each in self.multiples)

    def __str__(self) -> str:
        """In words behind "heights" or "widths".

        >>> print(Sizes(1), Sizes(4, 4), Sizes(4, 7), sep="; ")
        from 1 on; of 4; from 4 to 7
        >>> fours = (Multiples(0, 4, 1),)
        >>> print(Sizes(4, None, fours), Sizes(20, None, fours), sep="; ")
        that are multiples of 4; from 20 on that are multiples of 4
        """
        if self.smallest == self.largest:
            return f"of {self.smallest}"
        most = "on" if self.largest is None else f"to {self.largest}"
        of_each = " and ".join(map(str, self.multiples))
        every = Sizes(1, None, self.multiples)
        if (
            self.multiples
            and next(every.lengths()) == self.smallest
            and not self.largest
        ):
            return of_each
        return f"from {self.smallest} {most} {of_each}".rstrip()

    def nearest(self, length: int) -> int:
        """The one that is nearest to a length, of two the smaller; itself where none is.

        >>> Sizes(193, 224).nearest(256), Sizes(20, None, (Multiples(0, 4, 1),)).nearest(226)
        (224, 224)
        """
        most = min(length, self.largest or length)
        shorter = (each for each in range(most, self.smallest - 1, -1) if each in self)
        found = [*islice(shorter, 1), *islice(self.lengths(length), 1)]
        return min(found, key=lambda each: abs(each - length), default=length)

    def lengths(self, start: int = 1, until: int = UNTIL) -> Iterator[int]:
        """Those from `start` on, in order, up to a limit."""
        length, most = max(start, self.smallest), min(self.largest or until, until)
        while length <= most:
            following = max((w.next(length) for w in self.multiples), default=length)
            if following == length:
                yield length
                length += 1
            else:
                length = following


NO_SIZES = Sizes(1, 0)


def sizes_of(
    smallest: float, largest: int | None, multiples: Iterable[Multiples]
) -> Sizes:
    """Those lengths, from the first that is in all of them to the last; several multiples as
    one where that says the same, and none where all lengths between are taken.

    >>> sizes_of(1, None, [Multiples(3, 32, 4), Multiples(7, 64, 8)])
    Sizes(smallest=61, largest=None, multiples=(Multiples(offset=3, period=64, length=4),))
    >>> sizes_of(1, 71, [Multiples(0, 64, 1)])
    Sizes(smallest=64, largest=64, multiples=())
    """
    if smallest > UNTIL:
        return NO_SIZES
    found = Sizes(int(smallest), largest, tuple(dict.fromkeys(multiples)))
    if not found.multiples:
        return found
    period = math.lcm(*(each.period for each in found.multiples))
    first = next(found.lengths(until=found.smallest + period), None)
    if first is None:
        return NO_SIZES
    every = Sizes(1, None, found.multiples)
    start = next(h for h in count(1) if h not in every)
    run = list(takewhile(lambda h: h < start + period, every.lengths(start)))
    if run[-1] - run[0] < len(run):
        found = found._replace(
            multiples=(Multiples(-run[0] % period, period, len(run)),)
        )
    if largest is not None:
        largest = next(h for h in range(largest, 0, -1) if h in found)
        if all(h in found for h in range(first, largest + 1)):
            return Sizes(first, largest)
    return found._replace(smallest=first, largest=largest)


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
