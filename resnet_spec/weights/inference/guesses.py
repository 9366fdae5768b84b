"""Whole specs, as guesses by the shapes of a network's tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod
from typing import Any

from resnet_spec.weights.inference.blocks import Block, Data, UnreadableError, blocks
from resnet_spec.weights.inference.bodies import body_of
from resnet_spec.weights.inference.ends import head, stem, stride
from resnet_spec.weights.inference.fields import biases, norms, shortcuts
from resnet_spec.weights.naming.rules import Shapes


def guesses(shapes: Shapes, refused: list[str]) -> Iterator[Data]:
    """Whole specs, the likeliest first; why there are no others is added to `refused`."""
    outside = _modules({n: s for n, s in shapes.items() if not n.startswith("layer")})
    first = shapes.get("layer1.0.conv1.weight", (0, 0))
    entry, width, channels = stem(outside, first[1])
    stages = blocks(shapes, width)
    before = [
        *dict.fromkeys((_is_before(stages, outside), not _is_before(stages, outside)))
    ]
    for pre, own, after in product(before, (False, True), (False, True)):
        try:
            body = body_of(stages, pre, own)
        except UnreadableError as error:
            refused.append(str(error))
            continue
        if after and "attention" not in body:
            continue
        body |= {"attention_after": "conv2"} if after else {}
        for shortcut, strides in shortcuts(stages):
            for norm in norms(shapes, stages):
                end, size = head(outside, stages[-1][-1], stride(entry) * prod(strides))
                usual = 32 if len(stages) <= 3 and entry.get("pool") == "none" else 224
                data: Data = {
                    "name": "Inferred",
                    "title": "Inferred from a checkpoint",
                    "input": [channels, size or usual, size or usual],
                    "stem": entry,
                    **body,
                    "strides": strides,
                    "shortcut": shortcut,
                    "activation": "prelu" if "prelu" in str(shapes.keys()) else "relu",
                    "norm": norm,
                    "conv_bias": biases(stages, outside, "stride_on" not in body),
                    "head": end,
                }
                if pre and stages[0][0].norm != "bn":
                    data["preact"] = {
                        "shortcut": "activated",
                        "first": "own",
                        "stem_norm": "bn1" in outside or "norm1" in outside,
                        "final_norm": "norm" in outside or "bn" in outside,
                    }
                yield _copied(data)


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
