"""Which parts of a network an axis of a space has a say in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any

from resnet_spec.language.plan import PER_STAGE
from resnet_spec.language.yaml_nodes import Node
from resnet_spec.search.choices import Axis
from resnet_spec.search.space import Digits

Getter = Callable[[Digits], Any]

CHANNELS = frozenset(
    ("widths", "expansion", "groups", "width_per_group", "group_width", "stem.width")
)
"""The fields whose numbers matter to the stage that has them and the one behind it alone."""


def have_same_stages(axes: Sequence[Axis]) -> bool:
    """Whether all points have as many stages."""
    for axis in axes:
        if any(field.split(".")[0] == "stages" for field in axis.fields):
            return False
        if "depths" in axis.fields and axis.stage is None:
            at = axis.fields.index("depths")
            if len({len(values[at].value) for values in axis.alternatives}) > 1:
                return False
    return True


def room(field: str) -> str:
    """The part that alone reads a field, `all` where others do; nothing of what stages have."""
    if field in PER_STAGE:
        return ""
    name = field.split(".")[0]
    return name if name in ("stem", "head") else "all"


def is_entry(field: str) -> bool:
    return field in PER_STAGE and field != "depths"


def touching(
    axes: Sequence[Axis], asked: Callable[[str], bool], stage: int | None = None
) -> set[int]:
    """The axes of such a field; of a stage, those that are not another one's."""
    return {
        i
        for i, axis in enumerate(axes)
        if any(map(asked, axis.fields))
        and (stage is None or axis.stage in (None, stage))
    }


def counts(axis: Axis) -> bool:
    """Whether its alternatives differ in numbers of blocks and channels alone."""
    if not CHANNELS.union(("depths",)).issuperset(axis.fields):
        return False
    return all(
        len({*map(_form, nodes)}) == 1 for nodes in zip(*axis.alternatives, strict=True)
    )


def _form(node: Node) -> str:
    """A value without its numbers."""
    if isinstance(node.value, list):
        return f"[{', '.join(map(_form, node.value))}]"
    return "" if type(node.value) is int else repr(node.data)


def depths_of(
    axes: Sequence[Axis], depths: Sequence[int], stage: int
) -> tuple[int, int, tuple[int, ...]]:
    """The depth of the stage where none is chosen; the axis that chooses it, and of what."""
    for i, axis in enumerate(axes):
        if "depths" in axis.fields and axis.stage in (None, stage):
            at = axis.fields.index("depths")
            each = [values[at].data for values in axis.alternatives]
            if axis.stage is None:
                each = [depths[stage] for depths in each if stage < len(depths)]
            return 0, i, tuple(each)
    return depths[stage], 0, ()


def getter(axes: Iterable[int]) -> Getter:
    """What takes the digits of those axes."""
    found = sorted(axes)
    return itemgetter(*found) if found else lambda _: None
