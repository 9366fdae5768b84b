"""What differs between two files of weights: their names, their tensors, the numbers in those.

torch is asked only how far apart numbers are that are not equal byte by byte, as they lie.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import prod
from typing import Any, NamedTuple

from resnet_spec.compare.difference import Reshaped
from resnet_spec.problems.extras import needs
from resnet_spec.weights.files import opened
from resnet_spec.weights.inference import InferenceError, infer
from resnet_spec.weights.naming.back import Sized
from resnet_spec.weights.naming.rules import parts
from resnet_spec.weights.reading import Reading
from resnet_spec.weights.recognition import recognized
from resnet_spec.weights.stored import Stored, WeightsError, contiguous, laid_out
from resnet_spec.weights.wrappers import Unwrapped

CHUNK = 2**16  # bytes that are compared at once


class Apart(NamedTuple):
    """A tensor whose numbers differ: by how much at most, and that over its largest number."""

    name: str
    largest: float
    relative: float


class Retyped(NamedTuple):
    """A tensor of two dtypes, and whether it is the same but for rounding to one of them."""

    name: str
    a: str
    b: str
    rounded: bool


class Side(NamedTuple):
    """A file: its tensors by the names that are compared, and how those were found."""

    file: str
    inside: tuple[str, ...]
    reading: Reading | None
    tensors: Mapping[str, Stored]
    left_out: int = 0  # tensors beside the network, where the other file has none

    def __str__(self) -> str:
        """`122 tensors by transformers' names below resnet, from state_dict`"""
        said = f"{len(self.tensors)} tensors"
        said += f" by {self.reading.whose}" if self.reading else " by their own names"
        said += f", from {'.'.join(self.inside)}" * bool(self.inside)
        return said + f"; {self.left_out} elsewhere left out" * bool(self.left_out)


class Checkpoints(NamedTuple):
    """How the tensors of two files differ, by the names that both are known by."""

    a: Side
    b: Side
    stages: Mapping[
        str, int
    ]  # of the network, with their blocks; none where it is unknown
    equal: tuple[str, ...]
    apart: tuple[Apart, ...]
    retyped: tuple[Retyped, ...]
    reshaped: tuple[Reshaped, ...]
    gone: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def same(self) -> bool:
        found = (self.apart, self.retyped, self.reshaped, self.gone, self.new)
        return not any(found)


def checkpoints(
    a: str, b: str, key: str | None = None, prefix: str | None = None
) -> Checkpoints:
    """How the weights in file `b` differ from those in file `a`.

    Where both have a network of one kind, tensors are compared by our names for them, whoever
    named them in the files; else by their own. `key` and `prefix` are of the files that have
    them. Raises WeightsError for what is no file of weights, and for files that have no name
    in common; ImportError where bytes differ and torch is missing.
    """
    found = [(file, *_opened(file, key)) for file in (a, b)]
    if key and not any(key in (*into, ".".join(into)) for _, _, into, _ in found):
        raise WeightsError(f"neither file has a state dict under {key!r}")
    readings, stages = _common([tensors for _, tensors, _, _ in found], prefix)
    beside = [len(each.beside) if each else 0 for each in readings]
    sides = [
        Side(
            file,
            inside,
            reading,
            _named(tensors, reading, all(beside)),
            0 if all(beside) else lone,
        )
        for (file, tensors, inside, _), reading, lone in zip(
            found, readings, beside, strict=True
        )
    ]
    one, other = sides
    if not one.tensors.keys() & other.tensors.keys():
        raise WeightsError(f"{a} and {b} have no tensor of one name")
    return _compared(one, other, stages)


def _opened(file: str, key: str | None) -> Unwrapped:
    try:
        return opened(file, key)
    except WeightsError:
        if key is None:
            raise
        return opened(file)


def _common(
    files: list[Mapping[str, Stored]], prefix: str | None
) -> tuple[list[Reading | None], dict[str, int]]:
    """How both are read as one network, with the depths of its stages; else not at all."""
    shapes = [{n: t.shape for n, t in tensors.items()} for tensors in files]
    tops = [
        prefix
        if prefix and any(n.startswith(f"{prefix.rstrip('.')}.") for n in each)
        else None
        for each in shapes
    ]
    if prefix and not any(tops):
        raise WeightsError(f"in neither file a name begins with {prefix}")
    for first, top in zip(shapes, tops, strict=True):
        try:
            trunk = infer(first, prefix=top).trunk
        except InferenceError:
            continue
        ours = {name: Sized(shape) for name, shape in trunk.shapes.items()}
        readings = []
        for each, its in zip(shapes, tops, strict=True):
            found = recognized(each, ours, None, its)
            readings.append(found.readings[0] if found.readings else found.nearest)
        if all(each and 2 * len(each.table) > len(ours) for each in readings):
            depths = Counter(f"layer{stage + 1}" for stage, _ in parts(ours).kind)
            return readings, {**depths}
    return [None, None], {}


def _named(
    tensors: Mapping[str, Stored], reading: Reading | None, whole: bool
) -> dict[str, Stored]:
    """A file's tensors by our names, and those that we have none for by their own."""
    if reading is None:
        return {**tensors}
    table = {our: their for our, their, _ in reading.differing} | {**reading.table}
    found = {our: tensors[their] for our, their in table.items()}
    passed = {*table.values(), *(() if whole else reading.beside)}
    for name, tensor in tensors.items():
        if name not in passed:
            found[f"beside {name}" if name in found else name] = tensor
    return found


def _compared(a: Side, b: Side, stages: Mapping[str, int]) -> Checkpoints:
    equal, apart, retyped, reshaped = [], [], [], []
    for name, mine in a.tensors.items():
        other = b.tensors.get(name)
        if other is None:
            continue
        if mine.shape != other.shape:
            reshaped.append(Reshaped(name, mine.shape, other.shape))
            continue
        if 0 in (*mine.stride, *other.stride) and prod(mine.shape) > 1:
            raise WeightsError(f"{name} repeats its numbers, which is not compared")
        far = None if _same_bytes(mine, other) else _gap(mine, other)
        if far is None and mine.dtype == other.dtype:
            equal.append(name)
            continue
        rounded = far is None or far.rounded
        if mine.dtype != other.dtype:
            retyped.append(Retyped(name, mine.dtype, other.dtype, rounded))
        if far and not (rounded and mine.dtype != other.dtype):
            apart.append(Apart(name, far.largest, far.relative))
    gone = tuple(name for name in a.tensors if name not in b.tensors)
    new = tuple(name for name in b.tensors if name not in a.tensors)
    return Checkpoints(
        a, b, stages, (*equal,), (*apart,), (*retyped,), (*reshaped,), gone, new
    )


def _gap(a: Stored, b: Stored) -> Any:
    needs("torch", "torch")
    from resnet_spec.compare.numbers import gap

    return gap(a, b)


def _same_bytes(a: Stored, b: Stored) -> bool:
    """Whether they are equal to the bit, where it needs no torch to see that."""
    alike = a.dtype == b.dtype and all(t.stride == contiguous(t.shape) for t in (a, b))
    if not alike:
        return False
    x, y = laid_out(a), laid_out(b)
    return all(
        x[at : at + CHUNK].tobytes() == y[at : at + CHUNK].tobytes()
        for at in range(0, len(x), CHUNK)
    )
