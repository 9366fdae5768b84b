"""Whole specs, as guesses by the shapes of a network's tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from resnet_spec.weights.inference.blocks import (
    Block,
    Data,
    UnreadableError,
    blocks,
    by_block,
)
from resnet_spec.weights.inference.bodies import body_of
from resnet_spec.weights.inference.ends import Ends, ends
from resnet_spec.weights.inference.fields import biases, norms, shortcuts
from resnet_spec.weights.inference.styles import own_activation
from resnet_spec.weights.inference.wholes import image, is_preact, preact, whole
from resnet_spec.weights.naming.rules import Shapes


class Guesses:
    """Whole specs that may be a file's, as its blocks are words or chains.

    `refused` says why blocks cannot be chains. Raises UnreadableError where stem, blocks or
    head are none that are known.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes, self.refused = shapes, list[str]()
        self.outside = _modules(
            {n: s for n, s in shapes.items() if not n.startswith("layer")}
        )
        self.stages = blocks(shapes)
        self.ends = ends(self.outside, self.stages)
        first = self.stages[0][0]
        self.stages[0][0] = first._replace(reads=self.ends[0][0].width)

    def words(self) -> Iterator[Data]:
        """Those whose blocks are words, the likeliest first."""
        for each in self.ends:
            found = _in_words(self.shapes, self.outside, self.stages, each)
            yield from map(_copied, found)

    def chains(self) -> Iterator[Data]:
        """Those of blocks of one's own."""
        pre = is_preact(self.outside, self.stages)
        for each, before in product(self.ends, (pre, not pre)):
            try:
                made = whole(self.outside, self.stages, each, before)
            except UnreadableError as error:
                self.refused.append(str(error))
            else:
                yield _copied(made)


def _in_words(
    shapes: Shapes,
    outside: Mapping[str, Shapes],
    stages: Sequence[Sequence[Block]],
    around: Ends,
) -> Iterator[Data]:
    """Specs whose blocks are words."""
    told = preact(outside, stages, around[0]) if stages[0][0].norm != "bn" else {}
    orders: list[Data] = [{}]
    if told:
        orders = [told, {}] if _is_before(stages, outside) else [{}, told]
    try:
        body = body_of(stages)
    except UnreadableError:
        return
    activations = [[own_activation(block) for block in stage] for stage in stages]
    for order, after in product(orders, (False, True)):
        if after and "attention" not in body:
            continue
        made = body | ({"attention_after": "conv2"} if after else {})
        for shortcut, strides in shortcuts(stages):
            for norm in norms(shapes, stages, outside):
                yield {
                    "name": "Inferred",
                    "title": "Inferred from a checkpoint",
                    "input": image(*around, strides),
                    "stem": around[0].said,
                    **made,
                    "strides": strides,
                    "shortcut": shortcut,
                    "activation": by_block(activations),
                    "norm": norm,
                    "conv_bias": biases(stages, outside),
                    "head": around[1].said,
                    **order,
                }


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    return [*map(_copied, value)] if isinstance(value, list) else value


def _is_before(
    stages: Sequence[Sequence[Block]], outside: Mapping[str, Shapes]
) -> bool:
    """Whether norms stand before convolutions: of the channels that those read."""
    if "norm" in outside:
        return True
    each = [block for stage in stages for block in stage if block.norm]
    sizes = [(b, b.weight(f"{b.norm}1")) for b in each]
    reads = all(size == (block.reads,) for block, size in sizes if size)
    gives = all(size == (block.convolution(1).out,) for block, size in sizes if size)
    return bool(sizes) and reads and not gives


def _modules(shapes: Shapes) -> dict[str, Shapes]:
    """Tensors by the module that has them."""
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, shape in shapes.items():
        module, _, last = name.rpartition(".")
        found.setdefault(module, {})[last] = shape
    return {**found}
