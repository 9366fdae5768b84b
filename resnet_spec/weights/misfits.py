"""What is wrong with tensors that are not a network's, and what would help. Knows no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from resnet_spec.weights import reading
from resnet_spec.weights.differences import STATISTICS
from resnet_spec.weights.naming.rules import COUNT
from resnet_spec.weights.reading import size

Table = Mapping[str, str]
"""Their name for each of ours."""
NAMES_SHOWN = 5  # of each kind, in a message


class Typed(Protocol):
    """A tensor, or what a file tells of one."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> object: ...


Tensors = Mapping[str, Typed]


def wrong(ours: Tensors, theirs: Tensors, table: Table) -> list[str]:
    """What is missing, left over, and of another shape, by their names; a line for each."""
    known = {their: our for our, their in table.items()}
    shapes = [
        f"{name} is {size(theirs[name].shape)}, and the network's {size(ours[our].shape)}"
        for name, our in known.items()
        if name in theirs and tuple(theirs[name].shape) != tuple(ours[our].shape)
    ]
    found = {
        "missing": [name for name in known if name not in theirs],
        "left over": [name for name in theirs if name not in known],
        "of another shape": shapes,
    }
    return [
        f"  {len(items)} {kind}: {listed(items)}"
        for kind, items in found.items()
        if items
    ]


def of_other_numbers(ours: Tensors, theirs: Tensors, table: Table) -> str | None:
    """The line that refuses integers, truth values and complex numbers for real weights."""
    other = [
        f"{their} is {dtype(theirs[their])}"
        for our, their in table.items()
        if their in theirs
        and is_real(ours[our])
        and not is_real(theirs[their])
        and not their.endswith(COUNT)
    ]
    if not other:
        return None
    ends = ("scale", "zero_point", "_packed_params")
    quantized = dtype_of_quantized(other) or any(name.endswith(ends) for name in theirs)
    said = (
        "the weights are quantized" if quantized else "the weights are no real numbers"
    )
    remedy = "; load those of the float network" if quantized else ""
    return f"{said}: {listed(other)}{remedy}"


def dtype_of_quantized(said: Sequence[str]) -> bool:
    """Whether numbers are of a byte or four bits, as only quantized weights are."""
    return any(" is q" in each or each.endswith("int8") for each in said)


def is_real(tensor: Typed) -> bool:
    return "float" in dtype(tensor)


def dtype(tensor: Typed) -> str:
    """`float32`, of torch's tensor or of one in a file."""
    return str(tensor.dtype).removeprefix("torch.")


def hints(ours: Tensors, theirs: Tensors, table: Table) -> list[str]:
    """What explains that tensors do not fit, or would leave out those, a line for each."""
    owners = owners_of_misfits(ours, theirs, table)
    found = [*_other_axes(ours, theirs, table)]
    if not found and len(owners) <= 2:
        for owner in owners:
            found += _explained(owner, ours, theirs, table)
    if not 0 < len(owners) <= 2:
        return found
    them = "it" if len(owners) == 1 else "them"
    return [*found, f"  ignore={owners!r} leaves {them} out"]


def owners_of_misfits(ours: Tensors, theirs: Tensors, table: Table) -> list[str]:
    """The modules of the tensors that do not fit, or the last words that tell those."""
    fits = {
        their
        for our, their in table.items()
        if their in theirs and tuple(theirs[their].shape) == tuple(ours[our].shape)
    }
    names = [name for name in (*table.values(), *theirs) if name not in fits]
    if all(name.endswith(STATISTICS) for name in names):
        return [last for last in STATISTICS if any(n.endswith(last) for n in names)]
    owners = dict.fromkeys(name.rpartition(".")[0] or name for name in names)
    return [o for o in owners if not any(o.startswith(f"{p}.") for p in owners)]


def _explained(owner: str, ours: Tensors, theirs: Tensors, table: Table) -> list[str]:
    """What is another in a module of which both have the weight."""
    names = {their: our for our, their in table.items()}
    weight = f"{owner}.weight"
    if weight not in names or weight not in theirs:
        return []
    mine, other = tuple(ours[names[weight]].shape), tuple(theirs[weight].shape)
    if len(mine) == 2 and other == mine[::-1]:
        return [f"  {weight} is transposed in the file, as Keras keeps it"]
    if len(mine) == 2 and other[1:] == mine[1:]:
        return [f"  {owner} is of {other[0]} classes there"]
    if len(mine) == len(other) == 4 and other[0] == mine[0] and other[2:] == mine[2:]:
        return [
            f"  channels_by='sum' or another rule makes {owner} read {mine[1]} channels"
        ]
    if len(mine) == len(other) == 4 and other[2:] != mine[2:]:
        return [f"  {owner} is {other[2]} x {other[3]} there, another stem or block"]
    return []


def _other_axes(ours: Tensors, theirs: Tensors, table: Table) -> list[str]:
    """What is said of networks for sounds or for videos."""
    for our, their in table.items():
        axes = len(theirs[their].shape) if their in theirs else 0
        if len(ours[our].shape) == 4 and axes in (3, 5):
            return [f"  its convolutions are {axes - 2}-D, and the network's 2-D"]
    return []


def listed(items: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    return reading.listed(items, NAMES_SHOWN)
