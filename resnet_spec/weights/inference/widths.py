"""Widths, and what is said of the channels beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import gcd
from typing import Any, NamedTuple

from resnet_spec.weights.inference.blocks import Data, UnreadableError, by_block

USUAL = (4, 2, 8, 1)
"""Expansions, the likeliest first."""
WHOLE = 64  # the width of which `width_per_group` says what channels a group has


class Channels(NamedTuple):
    """What a block gives, what its 3x3 has, and into how many groups that is divided."""

    out: int
    inner: int
    groups: int

    @property
    def group(self) -> int:
        return self.inner // self.groups

    def share(self, width: int) -> Fraction:
        """What width_per_group has to be beside such a width."""
        return Fraction(self.group * WHOLE, width)


Width = Callable[[Channels], int]


def widths(rows: Sequence[Sequence[Channels]]) -> Data:
    """What a spec says of them: by one rule where one holds for all blocks, else of each."""
    try:
        return ruled(rows)
    except UnreadableError:
        return _in_groups(rows, lambda block: gcd(block.out, block.group * WHOLE))


def ruled(rows: Sequence[Sequence[Channels]]) -> Data:
    """What is said where all blocks have widths by one rule.

    Raises UnreadableError where they have not.
    """
    flat = [block for row in rows for block in row]
    if all(block.out % block.inner == 0 for block in flat):
        each = {block.group for block in flat}
        alike = len({block.groups for block in flat}) == 1 or len(each) > 1
        groups = _groups(rows) if alike else {"group_width": each.pop()}
        return _said(rows, lambda block: block.inner) | groups
    for over in USUAL:
        shares = {block.share(max(block.out // over, 1)) for block in flat}
        whole = all(block.out % over == 0 for block in flat)
        if whole and len(shares) == 1 and shares.pop().denominator == 1:
            return _in_groups(rows, _divided(over))
    raise UnreadableError("the widths of its blocks follow no rule")


def _divided(expansion: int) -> Width:
    return lambda block: block.out // expansion


def _in_groups(rows: Sequence[Sequence[Channels]], width: Width) -> Data:
    """Such widths, of which groups have a share."""
    shares = _of(rows, lambda block: int(block.share(width(block))))
    return _said(rows, width) | {"width_per_group": shares} | _groups(rows)


def _said(rows: Sequence[Sequence[Channels]], width: Width) -> Data:
    """Such widths, and the expansions to what blocks give."""
    expansions = _of(rows, lambda block: block.out // width(block))
    return {"widths": _of(rows, width), "expansion": expansions}


def _groups(rows: Sequence[Sequence[Channels]]) -> Data:
    several = any(block.groups > 1 for row in rows for block in row)
    return {"groups": _of(rows, lambda block: block.groups)} if several else {}


def _of(rows: Sequence[Sequence[Channels]], value: Width) -> Any:
    return by_block([[value(block) for block in row] for row in rows])
