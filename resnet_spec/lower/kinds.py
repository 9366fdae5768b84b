"""What the classes of a network's blocks are called, in source and in prose."""

from __future__ import annotations

from typing import NamedTuple

from resnet_spec.rows import Row


class Kind(NamedTuple):
    """The name of a class of blocks, and what people call one of them."""

    name: str
    noun: str


RESIDUAL = {
    "basic": Kind("BasicBlock", "basic block"),
    "bottleneck": Kind("Bottleneck", "bottleneck"),
}
PLAIN = {
    "basic": Kind("PlainBlock", "plain block"),
    "bottleneck": Kind("PlainBottleneck", "plain bottleneck"),
}
WORDS: dict[str, dict[str | None, str]] = {
    "shortcut": {
        "projection": "",
        "projection_always": "projected",
        "avg_projection": "averaged",
        "zero_pad": "padded",
        "none": "",
    },
    "stride_on": {"conv1": "v1", "conv2": "", None: ""},
    "activation": {"relu": "", "silu": "silu"},
}
"""What tells a class from its sisters, where stages of one network differ in a field."""


def kinds(rows: tuple[Row, ...]) -> tuple[Kind, ...]:
    """The kind of each stage's blocks: one name, one structure."""
    return tuple(
        _kind(row, [r for r in rows if _base(r) == _base(row)]) for row in rows
    )


def _base(row: Row) -> Kind:
    return (PLAIN if row.shortcut == "none" else RESIDUAL)[row.block]


def _kind(row: Row, sisters: list[Row]) -> Kind:
    base = _base(row)
    values = {f: {getattr(sister, f) for sister in sisters} for f in WORDS}
    differing = [WORDS[f][getattr(row, f)] for f in WORDS if len(values[f]) > 1]
    words = [word for word in differing if word]
    name = base.name + "".join(word.capitalize() for word in words)
    return Kind(name, " ".join([*words, base.noun]))
