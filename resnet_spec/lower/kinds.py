"""What the classes of a network's blocks are called."""

from __future__ import annotations

from resnet_spec.rows import Row

CLASSES = {"basic": "BasicBlock", "bottleneck": "Bottleneck"}
PLAIN = {"basic": "PlainBlock", "bottleneck": "PlainBottleneck"}
SUFFIXES: dict[str, dict[str | None, str]] = {
    "shortcut": {
        "projection": "",
        "projection_always": "Projected",
        "avg_projection": "Averaged",
        "zero_pad": "Padded",
        "none": "",
    },
    "stride_on": {"conv1": "V1", "conv2": "", None: ""},
    "activation": {"relu": "", "silu": "Silu"},
}
"""What tells a class from its sisters, where stages of one network differ in a field."""


def kinds(rows: tuple[Row, ...]) -> tuple[str, ...]:
    """The class name of each stage's blocks: one name, one structure."""
    return tuple(_base(row) + _suffix(row, _sisters(row, rows)) for row in rows)


def _base(row: Row) -> str:
    return (PLAIN if row.shortcut == "none" else CLASSES)[row.block]


def _sisters(row: Row, rows: tuple[Row, ...]) -> list[Row]:
    return [other for other in rows if _base(other) == _base(row)]


def _suffix(row: Row, sisters: list[Row]) -> str:
    """The words for the fields in which the class's sisters differ."""
    differing = (
        field
        for field in SUFFIXES
        if len({getattr(sister, field) for sister in sisters}) > 1
    )
    return "".join(SUFFIXES[field][getattr(row, field)] for field in differing)
