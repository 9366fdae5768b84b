"""`stages`: rules that give depths and widths in place of lists."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import groupby
from typing import NamedTuple

STEP = 8  # of which every width is a multiple, before groups round it


class Lists(NamedTuple):
    """What a rule gives, with an entry for each stage."""

    depths: list[int]
    widths: list[int]
    group_width: list[int] | None


def regnet(
    w_0: int, w_a: float, w_m: float, d: int, group_width: int | None, rounding: str
) -> Lists:
    """The stages of a RegNet, https://arxiv.org/abs/2003.13678, section 3.3.

    Block j of d would have w_0 + w_a * j channels. Each takes the nearest w_0 * w_m ** e of a
    whole e, by its logarithm, as a multiple of 8, and blocks of one width are a stage. Where
    groups do not divide that, `rounding` says whose multiple of them it is instead.
    """
    exponents = (
        round(math.log((w_0 + w_a * j) / w_0) / math.log(w_m)) for j in range(d)
    )
    each = [round(w_0 * w_m**exponent / STEP) * STEP for exponent in exponents]
    widths, depths = zip(
        *((width, len([*same])) for width, same in groupby(each)), strict=True
    )
    if group_width is None:
        return Lists([*depths], [*widths], None)
    groups = [min(group_width, width) for width in widths]
    rounded = ROUNDINGS[rounding]
    fitting = [rounded(*pair) for pair in zip(widths, groups, strict=True)]
    return Lists([*depths], fitting, groups)


def _nearest(width: int, group: int) -> int:
    """The nearest multiple, of two the even one."""
    return round(width / group) * group


def _not_much_less(width: int, group: int) -> int:
    """The nearest multiple, of two the larger; one more where that is below 0.9 of it."""
    nearest = (width + group // 2) // group * group
    return nearest + group if nearest < 0.9 * width else nearest


ROUNDINGS: dict[str, Callable[[int, int], int]] = {
    "pycls": _nearest,
    "torchvision": _not_much_less,
}
