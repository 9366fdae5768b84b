"""Network -> the rows of a table, one for each part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from resnet_spec.ir import Chain, Lengths, Network, Shape


class Row(NamedTuple):
    """A stem, stage or head: what it gives, and what it costs for one image."""

    part: str
    blocks: str  # "3 x Bottleneck"; empty where there are none
    output: Shape
    stride: int | None  # pixels of the image per pixel of the output; None for the head
    params: int
    macs: int


def summarize(network: Network) -> list[Row]:
    """The rows of stem, stages and head, in that order; parameters and MACs add up."""
    return list(_rows(network))


def _rows(network: Network) -> Iterator[Row]:
    at = Lengths()
    if network.stem:
        for op in network.stem:
            at = at.then(op.lengths)
        yield _ends("stem", network.stem, at.stride)
    for stage in network.stages:
        at = at.then(stage.lengths)
        blocks = f"{len(stage.blocks)} x {stage.blocks[0].kind}"
        params = sum(block.params for block in stage.blocks)
        macs = sum(block.macs for block in stage.blocks)
        yield Row(stage.name, blocks, stage.output, at.stride, params, macs)
    yield _ends("head", network.head, None)


def _ends(part: str, ops: Chain, stride: int | None) -> Row:
    params, macs = sum(op.params for op in ops), sum(op.macs for op in ops)
    return Row(part, "", ops[-1].output, stride, params, macs)
