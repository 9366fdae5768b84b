"""What `se` says of squeeze-and-excitation, read off its shapes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from resnet_spec.weights.inference.blocks import (
    DIVISORS,
    RATIOS,
    Block,
    Data,
    alike,
    rounded,
)


class Squeeze(NamedTuple):
    """Channels: those that it squeezes to, that it weighs, and that its block reads."""

    made: int
    attended: int
    input: int
    bias: bool

    def has(self, ratio: float, divisor: int, least: int) -> bool:
        """Whether it has those of this share of what it weighs."""
        return max(rounded(self.attended * ratio, divisor), least) == self.made

    def has_of_input(self, ratio: float, divisor: int) -> bool:
        """Whether it has those of this share of what its block reads."""
        return max(round(self.input * ratio / divisor), 1) * divisor == self.made


def squeezes(stages: Sequence[Sequence[Block]]) -> Data:
    """What `se` says of those of all blocks: one ratio, or else one for each stage."""
    each = [[s for block in stage for s in _of(block)] for stage in stages]
    flat = [squeeze for row in each for squeeze in row]
    said: Data = {} if any(s.bias for s in flat) else {"bias": False}
    for least, divisor, ratio in product((1, 64), DIVISORS, RATIOS):
        if all(s.has(ratio, divisor, least) for s in flat):
            said |= {"ratio": ratio, "divisor": divisor}
            return said | ({"least": least} if least > 1 else {})
        if all(s.has_of_input(ratio, 1) for s in flat):
            return said | {"ratio": ratio, "ratio_of": "input", "divisor": 1}
    return said | _by_stage(each)


def _by_stage(each: Sequence[Sequence[Squeeze]]) -> Data:
    """A ratio for each stage, null for one without any, of what blocks weigh or read."""
    for divisor, of in product(DIVISORS, ("attended", "input")):
        ratios = [_ratio(row, divisor, of) for row in each]
        if None not in (r for r, row in zip(ratios, each, strict=True) if row):
            told = {"ratio_of": of} if of == "input" else {}
            return {"ratio": alike(ratios), **told, "divisor": divisor}
    ratios = [row[0].made / row[0].attended if row else None for row in each]
    return {"ratio": ratios, "divisor": 1}


def _ratio(row: Sequence[Squeeze], divisor: int, of: str) -> float | None:
    """That of a stage; None where there is none."""
    for ratio in RATIOS:
        if row and all(
            s.has(ratio, divisor, 1)
            if of == "attended"
            else s.has_of_input(ratio, divisor)
            for s in row
        ):
            return ratio
    return None


def _of(block: Block) -> Iterator[Squeeze]:
    """Each one of a block, in its shortcut's chain as well."""
    for name, own in block.modules.items():
        owner, _, last = name.rpartition(".")
        top = owner.partition(".")[0].rstrip("0123456789")
        is_other = block.has(f"{owner}.attn") or block.has(f"{owner}.conv")
        weight = own.get("weight", ()) if last == "fc1" else ()
        if len(weight) > 1 and top in ("se", "downsample") and not is_other:
            yield Squeeze(weight[0], weight[1], block.reads, "bias" in own)
