"""Our names for those of a file, where no network is known that it is of.

The tables go from our names to theirs, and may depend on what there is. So they are asked
about blocks as there may be, turned around, and what comes of it is held to them again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import NamedTuple

from resnet_spec.weights.naming import NAMINGS, called
from resnet_spec.weights.naming.rules import (
    Calling,
    Library,
    Parts,
    Shapes,
    Table,
    parts,
)

Places = Mapping[str, tuple[int, int, str]]
"""Stage, block and path in it, of theirs."""

CONV, WIDE, NORM = (1, 1, 1, 1), (1, 1, 3, 3), (1,)
STATISTICS = ("running_mean", "_rm")


class Sized(NamedTuple):
    shape: tuple[int, ...]


class Guess(NamedTuple):
    """What a file does not tell of the names that we would have: how norms are called, in
    blocks and before them, how many convolutions a block has, and where in its chain a
    shortcut, or a stem, has its convolutions."""

    norms: tuple[str, str]
    convolutions: int
    shortcut: tuple[int, ...] | None
    stem: tuple[int, ...] | None


NORMS = (("bn", "bn"), ("norm", "norm"), ("norm", "bn"), ("norm", ""))
DEPTHS = (3, 2)
SHORTCUTS = ((0, 1), (1, 2), None)
STEMS = (None, (0, 3, 6), (0, 2, 4))


def back(theirs: Shapes, naming: str) -> Iterator[dict[str, str]]:
    """Our name for each of a file's, in each of the ways in which it may be meant, those of
    post-activation and of plain shortcuts and stems first.

    The names are those of a network alone, with nothing in front of them and nothing beside.
    Each way is such that `names` gives back the file's names; what the tables do not have
    keeps theirs. Raises KeyError for a naming that is not in NAMINGS.

    >>> from resnet_spec import load
    >>> from resnet_spec.weights.naming import names
    >>> resnet18 = dict(load("resnet18").network.tensors())
    >>> file = {their: resnet18[our].shape for our, their in names(resnet18, "pycls").items()}
    >>> next(back(file, "pycls"))["s2.b1.proj.weight"]
    'layer2.0.downsample.0.weight'
    """
    seen: list[dict[str, str]] = []
    known: dict[str, Places] = {}
    for each in product(NORMS, DEPTHS, SHORTCUTS, STEMS):
        calls = called(_supposed(Guess(*each), theirs), naming)
        library = calls.library
        one = library.block(0, 0)
        if one not in known:
            known[one] = _places(theirs, library)
        if not known[one] and isinstance(NAMINGS[naming], Library):
            return
        ours = _by(theirs, known[one], calls, Guess(*each)) if known[one] else {}
        if ours and ours not in seen:
            seen.append(ours)
            if _gives_back(ours, theirs, naming):
                yield ours


def _gives_back(ours: Mapping[str, str], theirs: Shapes, naming: str) -> bool:
    sized = {our: Sized(theirs[their]) for their, our in ours.items()}
    if len(sized) < len(ours):
        return False
    calls = called(parts(sized), naming)
    again = calls.theirs(calls.trunk)
    return all(again[our] == their for their, our in ours.items())


def _by(theirs: Shapes, places: Places, calls: Calling, guess: Guess) -> dict[str, str]:
    """Our names by one guess."""
    library = calls.library
    stages = len({stage for stage, _, _ in places.values()})
    table = library.outside(calls.of.outside, stages)
    outside = _turned(table, guess.norms[1], calls.of.outside)
    inside = [
        _turned(library.inside(paths, stage), guess.norms[0], paths)
        for stage, paths in calls.of.kinds
    ]
    found = {}
    for their in theirs:
        if their in places:
            stage, block, path = places[their]
            path = _path(path, inside[min(stage, 1)])
            found[their] = f"layer{stage + 1}.{block}.{path}"
        else:
            found[their] = _path(their.removeprefix(calls.trunk), outside)
    return found


def _places(theirs: Shapes, library: Library) -> dict[str, tuple[int, int, str]]:
    """The stage, the block and their path in it, of each of theirs that is in one."""
    found = {
        their: library.place(their.removeprefix(library.trunk)) for their in theirs
    }
    return {their: place for their, place in found.items() if place}


def _supposed(guess: Guess, theirs: Shapes) -> Parts:
    """A network of two stages with all that its blocks may have."""
    statistics = any(name.endswith(STATISTICS) for name in theirs)
    norm, first = guess.norms

    def normed(path: str) -> dict[str, tuple[int, ...]]:
        lasts = ["weight", "bias", *["running_mean"] * statistics]
        return {f"{path}.{last}": NORM for last in lasts}

    inside: dict[str, tuple[int, ...]] = {"se.fc1.weight": CONV, "se.fc2.weight": CONV}
    for n in range(1, guess.convolutions + 1):
        wide = guess.convolutions == 2 or n == 2  # a kernel of 3, as timm's names tell
        inside |= {f"conv{n}.weight": WIDE if wide else CONV} | normed(f"{norm}{n}")
    if guess.shortcut:
        conv, after = guess.shortcut
        inside |= {f"downsample.{conv}.weight": CONV} | normed(f"downsample.{after}")
    else:
        inside |= {"downsample.weight": CONV}
    outside: dict[str, tuple[int, ...]] = {"fc.weight": (1, 1)}
    outside |= normed(f"{first}1") if first else {}
    for step in guess.stem or ():
        outside |= {f"conv1.{step}.weight": CONV}
        outside |= normed(f"conv1.{step + 1}") if step < max(guess.stem or ()) else {}
    outside |= {} if guess.stem else {"conv1.weight": CONV}
    if any("attnpool." in name for name in theirs):
        outside |= {f"attnpool.{each}.weight": (1, 1) for each in "qkv"}
    whole = outside | {
        f"layer{stage}.0.{path}": shape
        for stage in (1, 2)
        for path, shape in inside.items()
    }
    return parts({name: Sized(shape) for name, shape in whole.items()})


def _turned(table: Table, norm: str, paths: Shapes) -> dict[str, str]:
    """Ours by theirs; of several of ours, one that is there, and of norms what is so called."""
    there = {path.rpartition(".")[0] for path in paths}
    turned: dict[str, str] = {}
    for ours, theirs in sorted(table.items(), key=lambda pair: pair[0] not in there):
        kind = ours.partition(".")[0].rstrip("0123456789")
        if kind not in ("bn", "norm") or kind == norm:
            turned.setdefault(theirs, ours)
    return turned


def _path(path: str, table: Table) -> str:
    """Our path for theirs: the longest beginning that is in the table, else as it is."""
    words = path.split(".")
    number = next((word for word in words if word.isdigit()), "")
    starred = [*words]
    if number:
        starred[words.index(number)] = "*"
    for end in range(len(words), 0, -1):
        for begin in (words, starred):
            ours = table.get(".".join(begin[:end]))
            if ours is not None:
                return ".".join([ours.replace("*", number), *words[end:]])
    return path
