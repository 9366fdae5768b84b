"""A way to read the tensors of a file as those of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from typing import NamedTuple

from resnet_spec.weights.naming import possessive
from resnet_spec.weights.naming.rules import classifies

SHOWN = 3  # of a kind, in a line
LONGEST = 200  # characters of a name there


class Reading(NamedTuple):
    """A way to read a file: a naming, and what stands in front of the trunk's names.

    `table` has their name for each of our tensors that is there in our shape. The others are
    `missing`, in our names, or `differing`: ours, theirs, their shape. Counts of batches may
    be absent, as in files from before torch 0.4.1 and beside frozen norms. `left` are names in
    the trunk that are none of ours, `beside` those elsewhere, as heads, or another network.
    Counts that norms here do not have, and Caffe2's momenta, are in none of these.
    """

    naming: str
    prefix: str
    table: Mapping[str, str]
    missing: tuple[str, ...]
    uncounted: int
    differing: tuple[tuple[str, str, tuple[int, ...]], ...]
    left: tuple[str, ...]
    beside: tuple[str, ...]

    @property
    def trunk(self) -> dict[str, str]:
        """The table without the classifier."""
        return {our: t for our, t in self.table.items() if not classifies(our)}

    @property
    def fits(self) -> bool:
        """Whether all of the network is there, but maybe its classifier, and no more of it."""
        headless = [*map(classifies, self.missing)]
        whole = any(map(classifies, self.table))
        return (
            not self.differing
            and not self.left
            and all(headless)
            and not (headless and whole)
        )

    def is_all(self, theirs: Sized) -> bool:
        """Whether it has every tensor of the network, and no other is in the file."""
        return len(self.table) == len(theirs) and not (self.missing or self.uncounted)

    def __str__(self) -> str:
        """`transformers' names below resnet, without the classifier`"""
        lacks = ["the classifier"] * any(map(classifies, self.missing))
        lacks += ["counts of batches"] * bool(self.uncounted)
        said = self.whose
        said += f", without {' and '.join(lacks)}" if lacks else ""
        return said + f"; {listed(self.elsewhere)} left out" * bool(self.beside)

    @property
    def whose(self) -> str:
        """`transformers' names below resnet`"""
        below = f" below {self.prefix.rstrip('.')}" * bool(self.prefix)
        return f"{possessive(self.naming)} names{below}"

    @property
    def elsewhere(self) -> list[str]:
        """The modules beside the trunk, as short as tells them from it."""
        return [*dict.fromkeys(_outside(name, self.prefix) for name in self.beside)]


def _outside(name: str, prefix: str) -> str:
    """
    >>> _outside("backbone.fpn.0.weight", "backbone.body.")
    'backbone.fpn'
    """
    words = name.split(".")
    tops = (".".join(words[:end]) for end in range(1, len(words)))
    return next((top for top in tops if not prefix.startswith(f"{top}.")), name)


def listed(words: Sequence[str], shown: int = SHOWN) -> str:
    """
    >>> listed(["a", "b", "c", "d", "e"])
    'a, b, c, 2 more'
    """
    more = [f"{len(words) - shown} more"] if len(words) > shown else []
    first = [w if len(w) <= LONGEST else f"{w[:LONGEST]}..." for w in words[:shown]]
    return ", ".join([*first, *more])


def size(shape: Sequence[int]) -> str:
    """
    >>> size((64, 3, 7, 7)), size(())
    ('64 x 3 x 7 x 7', 'a number')
    """
    return " x ".join(map(str, shape)) or "a number"
