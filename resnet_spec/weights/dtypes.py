"""Of what kind the numbers of tensors are. Knows no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from resnet_spec.weights.naming.rules import COUNT
from resnet_spec.weights.reading import listed


class Kind(NamedTuple):
    """What is known of a tensor of which only the dtype is asked."""

    dtype: str


class Typed(Protocol):
    """A tensor, or what a file tells of one."""

    @property
    def dtype(self) -> object: ...


Tensors = Mapping[str, Typed]


def of_other_numbers(
    ours: Tensors, theirs: Tensors, table: Mapping[str, str]
) -> str | None:
    """The line that refuses integers, truth values and complex numbers for real weights.

    The table has their name for each of ours.
    """
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
    quantized = _are_quantized(other) or any(name.endswith(ends) for name in theirs)
    said = (
        "the weights are quantized" if quantized else "the weights are no real numbers"
    )
    remedy = "; load those of the float network" if quantized else ""
    return f"{said}: {listed(other)}{remedy}"


def _are_quantized(said: Sequence[str]) -> bool:
    """Whether numbers are of a byte or four bits, as only quantized weights are."""
    return any(" is q" in each or each.endswith("int8") for each in said)


def is_real(tensor: Typed) -> bool:
    return "float" in dtype(tensor)


def dtype(tensor: Typed) -> str:
    """`float32`, of torch's tensor or of one in a file."""
    return str(tensor.dtype).removeprefix("torch.")
