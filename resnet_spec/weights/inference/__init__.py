"""The spec of a checkpoint, of the names and shapes of its tensors alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby, islice
from typing import NamedTuple, TypeVar

from resnet_spec.weights.inference.candidate import (
    Candidate,
    Choice,
    OtherSpecError,
    candidates,
    choice,
)
from resnet_spec.weights.inference.likeness import likely
from resnet_spec.weights.inference.pages import asked, page
from resnet_spec.weights.inference.trunk import Trunk, trunks
from resnet_spec.weights.naming.rules import Shaped

__all__ = ["InferenceError", "Inferred", "infer"]


Made = TypeVar("Made")
OURS = "torchvision"
MOST = 6  # readings of a file of which it is asked what structure they have


class InferenceError(ValueError):
    """Why no spec is said, in a line."""


class Inferred(NamedTuple):
    """A spec as YAML, and what was asked of names and shapes in vain.

    `asked` is a line that says what they cannot tell and how to answer; empty where nothing is
    open, and then the text is a whole spec, whose network has the file's names and shapes.
    `specs` are those that ship that it may be: one of each that computes something else.
    """

    text: str
    asked: str
    trunk: Trunk
    specs: tuple[str, ...] = ()


def infer(
    shapes: Mapping[str, Shaped | tuple[int, ...]],
    assume: str = "",
    naming: str | None = None,
    prefix: str | None = None,
) -> Inferred:
    """The spec of a state dict, of tensors or shapes by name; of the values nothing is read.

    `assume` answers what names and shapes cannot tell: `torchvision` or `timm` for what that
    library builds, or the name of a spec. Where several networks lie in one file, that which is
    mostly wanted is taken, or the one below `prefix`.

    Raises InferenceError where no network is found whose names and shapes are the file's, with
    the first that differs.
    """
    known, seen = looked_at(shapes, naming, prefix)
    try:
        if not known:
            return _read(seen, assume)
        found = choice(known, assume)
    except OtherSpecError as error:
        raise InferenceError(str(error)) from None
    return said_of(found)


def said_of(found: Choice) -> Inferred:
    """Its page, and what is asked."""
    specs = tuple(each.row.spec for each in found.candidates)
    return Inferred(page(found), asked(found), found.first.trunk, specs)


def looked_at(
    shapes: Mapping[str, Shaped | tuple[int, ...]],
    naming: str | None,
    prefix: str | None,
) -> tuple[list[Candidate], list[Trunk]]:
    """The specs that ship that it may be of, and the networks that may be in there.

    Our own names are asked first, then what ships with such filters, and then all namings are
    turned around, unless one of those was all of the file and a spec that ships.
    """
    sizes = {
        name: tuple(tensor if isinstance(tensor, tuple) else tensor.shape)
        for name, tensor in shapes.items()
    }
    seen: list[Trunk] = []
    found: list[list[Candidate]] = []
    for readings in (
        trunks(sizes, OURS, prefix) if naming in (None, OURS) else (),
        likely(sizes, naming, prefix),
        trunks(sizes, naming, prefix),
    ):
        found.append(_known(readings, seen))
        if found[-1] and not found[-1][0].trunk.beside:
            return found[-1], seen
    return max(reversed(found), key=_taken), seen


def _taken(known: list[Candidate]) -> int:
    """How much of the file they take."""
    return len(known[0].trunk.shapes) if known else 0


def _known(readings: Iterable[Trunk], seen: list[Trunk]) -> list[Candidate]:
    """The specs that ship that a file may be of, by the readings that leave least of it out.

    Of one place all namings are asked, but where one takes all that there is; what was looked
    at is added to `seen`.
    """
    best: list[Candidate] = []
    for place, each in groupby(readings, key=Trunk.place):
        if best and place.prefix != best[0].trunk.prefix:
            break
        known: list[Candidate] = []
        for trunk in each:
            seen.append(trunk)
            known += candidates(trunk)
            if known and trunk.naming == OURS:  # of which there is one reading
                break
        most = max((len(c.trunk.shapes) for c in [*best, *known]), default=0)
        best = [c for c in best or known if len(c.trunk.shapes) == most] or [
            c for c in known if len(c.trunk.shapes) == most
        ]
        if best and not best[0].trunk.beside:
            break
    return best


def _read(found: list[Trunk], assume: str) -> Inferred:
    """The first whose structure can be read off its shapes, of those that have most of them."""
    from resnet_spec.weights.inference.structure import read

    (text, asked), trunk = first_read(found, lambda trunk: read(trunk, assume))
    return Inferred(text, asked, trunk)


def first_read(
    seen: list[Trunk], reading: Callable[[Trunk], Made]
) -> tuple[Made, Trunk]:
    """What is read off the first that can be, of those that have most tensors.

    Raises InferenceError where there is none.
    """
    from resnet_spec.weights.inference.structure import UnreadableError

    said = ""
    for trunk in islice(_distinct(seen), MOST):
        try:
            return reading(trunk), trunk
        except UnreadableError as error:
            said = said or f"{trunk}: {error}"
    raise InferenceError(
        said or "no network of stages and blocks has such names; is it a ResNet?"
    )


def _distinct(found: list[Trunk]) -> Iterator[Trunk]:
    """One of each that has the same tensors, those with most first."""
    seen: list[Mapping[str, tuple[int, ...]]] = []
    for trunk in sorted(found, key=lambda trunk: -len(trunk.shapes)):
        if trunk.shapes not in seen:
            seen.append(trunk.shapes)
            yield trunk
