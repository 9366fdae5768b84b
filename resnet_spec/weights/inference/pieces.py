"""What has tensors in a chain of ops, by the names and shapes of those."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, NamedTuple

from resnet_spec.weights.inference.blocks import READ_BY, UnreadableError
from resnet_spec.weights.inference.styles import Modules, Style, kind_of
from resnet_spec.weights.naming.rules import Shapes

LONGEST = 40  # ops in a chain
WEIGHTLESS = "instance"
SAME = ("conv", "norm", "prelu", "multiplier", "bias")
NUMBERED = {"bn": "norm", **dict(zip(SAME, SAME, strict=True))}
"""What modules are, by their names without numbers."""


class Piece(NamedTuple):
    """An op that has tensors: what it is, its number, and the channels that it reads.

    `reads` is 0 where any will do; of a convolution it is what a filter reads. `gives` is 0
    where an op keeps the channels; `said` is the rest of what a step says, or what kind it is.
    """

    kind: str  # conv, linear, norm, prelu, multiplier, bias, attention, spatial, weightless
    number: int
    reads: int
    gives: int = 0
    said: Any = None


def pieces(modules: Modules) -> dict[str, list[Piece]]:
    """Those of a block or a stem by kind, in the order of their numbers.

    Raises UnreadableError for a module that is none of these.
    """
    found: dict[str, list[Piece]] = {}
    for name, inner in _owners(modules).items():
        word = name.rstrip("0123456789")
        number = bounded(name[len(word) :] or "1")
        piece = piece_of(inner, number)
        if word == "prelu" and piece.kind == "multiplier":  # of one channel
            piece = Piece("prelu", number, 1)
        if piece.kind not in (NUMBERED.get(word), "attention", "spatial"):
            raise UnreadableError(f"{name} is no op that is known")
        kind = "conv" if piece.kind == "spatial" else piece.kind
        found.setdefault(kind, []).append(piece)
    for kind, each in found.items():
        found[kind] = [*_filled(sorted(each, key=lambda piece: piece.number))]
    return found


def _filled(each: Sequence[Piece]) -> Iterator[Piece]:
    """With norms that have no weights for the numbers that are left out."""
    known = {piece.number: piece for piece in each}
    for number in range(1, max(known) + 1):
        if number not in known and each[0].kind != "norm":
            raise UnreadableError(f"there is no {each[0].kind} of number {number}")
        yield known.get(number, Piece("norm", number, 0, 0, WEIGHTLESS))


def _owners(modules: Modules) -> dict[str, Modules]:
    """Modules by the outermost one, and by their path in that."""
    found: dict[str, dict[str, Shapes]] = {}
    for path, tensors in modules.items():
        name, _, rest = path.partition(".")
        found.setdefault(name, {})[rest] = tensors
    return {**found}


def bounded(text: str) -> int:
    """The number of a module, of which a chain has no more than so many."""
    if not text.isdecimal() or len(text) > 3 or int(text) > LONGEST:
        raise UnreadableError(f"no chain of ops has one of number {text}")
    return int(text)


def below(modules: Modules, top: str) -> Modules:
    """Those in the outermost module of that name, by their paths in it."""
    pairs = ((name.partition("."), tensors) for name, tensors in modules.items())
    return {rest: tensors for (first, _, rest), tensors in pairs if first == top}


def in_order(modules: Modules) -> list[Piece]:
    """Those of a Sequential, whose members are numbered; what has no tensors is weightless."""
    owners = _owners(modules)
    if not owners:
        return []
    if [*owners] == [""] or not all(name.isdecimal() for name in owners):
        return [piece_of(modules, 0)]
    found = {bounded(name): inner for name, inner in owners.items()}
    return [
        piece_of(found[i], i) if i in found else Piece("weightless", i, 0)
        for i in range(max(max(found), 1) + 1)
    ]


def piece_of(inner: Modules, number: int) -> Piece:
    """What has such tensors. Raises UnreadableError where nothing does."""
    own = inner.get("", {})
    weight = own.get("weight", ())
    if len(weight) == 4:
        out, each, kernel, _ = weight
        said = {"conv": kernel} | ({"bias": True} if "bias" in own else {})
        return Piece("conv", number, each, out, said)
    if len(weight) == 2:
        return Piece("linear", number, weight[1], weight[0])
    if {"BN", "IN"} <= {*inner}:
        size = sum(prod(inner[half].get("weight", ())) for half in ("BN", "IN"))
        return Piece("norm", number, size, 0, "ibn_a")
    if len(weight) == 1 and "bias" in own:
        return Piece("norm", number, weight[0], 0, kind_of(own))
    if len(weight) == 1 and own.keys() == {"weight"} and weight != (1,):
        return Piece("prelu", number, weight[0])
    if own.keys() in ({"weight"}, {"bias"}):
        return Piece("multiplier" if weight or "weight" in own else "bias", number, 0)
    tops = {path.partition(".")[0] for path in inner}
    if tops & {"paths", "bands", "bn0", "norm0"} or {"conv", "fc2", "bn1"} <= tops:
        return Piece("spatial", number, 0)
    if kind := _attention(inner):
        module = READ_BY.get(kind, "")
        weight = inner.get(module, {}).get("weight", ())
        if module and len(weight) < 2:
            raise UnreadableError(f"its {kind} has no {module}")
        reads = weight[1] if module else 0
        return Piece("attention", number, reads, 0, kind)
    raise UnreadableError(
        f"nothing known has the tensors {', '.join(own) or sorted(tops)}"
    )


def _attention(inner: Modules) -> str:
    if "conv_p" in inner:
        return "bat"
    if "attn" in inner:
        return "gca"
    if "fc1" in inner:
        return "cbam" if "conv" in inner else "se"
    return "eca" if [*inner] == ["conv"] else ""


def words_of(*found: Sequence[Piece]) -> Style:
    """What words stand for, of the ops of a stem or a head; empty for what it has none of."""
    every = [piece for each in found for piece in each]
    norms = [piece.said for piece in every if piece.kind == "norm"]
    prelu = any(piece.kind == "prelu" for piece in every)
    return Style(norms[0] if norms else "", "prelu" if prelu else "")
