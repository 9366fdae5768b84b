"""What the classes of a network's blocks are called, in source and in prose."""

from __future__ import annotations

from typing import NamedTuple

from resnet_spec.language.plan import Row


class Kind(NamedTuple):
    """The name of a class of blocks, and what people call one of them."""

    name: str
    noun: str


NAMES = {"basic": ("BasicBlock", "Block"), "bottleneck": ("Bottleneck", "Bottleneck")}
NOUNS = {"basic": ("basic block", "block"), "bottleneck": ("bottleneck", "bottleneck")}
"""What a block is called alone, and behind a word: `BasicBlock`, `PreactBlock`."""
WORDS: dict[str, dict[str | None, str]] = {
    "shortcut": {
        "projection": "",
        "projection_always": "projected",
        "avg_projection": "averaged",
        "projection3x3": "convolved",
        "zero_pad": "padded",
        "none": "",
    },
    "stride_on": {"conv1": "v1", "conv2": "", None: ""},
    "attention": {"none": "", "se": "se", "eca": "eca"},
    "activation": {"relu": "", "silu": "silu"},
}
"""What tells a class from its sisters, where stages of one network differ in a field."""


def kinds(rows: tuple[Row, ...]) -> tuple[Kind, ...]:
    """The kind of each stage's blocks: one name, one structure."""
    return tuple(
        _kind(row, [r for r in rows if _base(r) == _base(row)]) for row in rows
    )


def _base(row: Row) -> tuple[str, ...]:
    """The words for what a block is in any network, before that of its type."""
    plain = ["plain"] * (row.shortcut == "none")
    return (*plain, *["preact"] * row.spec.pre_activation, row.block)


def _kind(row: Row, sisters: list[Row]) -> Kind:
    values = {f: {getattr(sister, f) for sister in sisters} for f in WORDS}
    differing = [WORDS[f][getattr(row, f)] for f in WORDS if len(values[f]) > 1]
    *before, block = _base(row)
    behind = [word for word in differing if word]
    name = "".join(word.capitalize() for word in before) + NAMES[block][bool(before)]
    noun = " ".join([*behind, *before, NOUNS[block][bool(before)]])
    return Kind(name + "".join(word.capitalize() for word in behind), noun)
