"""What a picture shows of a chain of ops: steps, and graphs inside of one op."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from resnet_spec.network import Shape


class Step(NamedTuple):
    """One op: what it does, the channels that it gives where it sets them, and the rest."""

    word: str  # "3×3 conv"
    size: str = ""  # "128"
    more: tuple[str, ...] = ()  # "stride 2", "32 groups"
    begins: bool = False  # whether a norm and an activation belong to it

    @property
    def title(self) -> str:
        return ", ".join(filter(None, (self.word, self.size)))

    def __str__(self) -> str:
        return ", ".join((self.title, *self.more))


class Weighed(NamedTuple):
    """Paths that a side path weighs, made of their sum, and then their sum.

    With one path, `joins` says what is done to it: "×" or "+". `parts` says that paths are
    shares of the channels, not copies of the whole.
    """

    paths: tuple[tuple[Step, ...], ...]
    side: tuple[Step, ...]
    joins: str = "×"
    parts: bool = False


class Bands(NamedTuple):
    """Shares of the channels, each through steps of its own but for the last, then together.

    `apart`, none reads what the one before it gives, and the last goes through `last`.
    """

    scale: int
    steps: tuple[Step, ...]
    apart: bool
    last: tuple[Step, ...] = ()


class Frame(NamedTuple):
    """An op that has a graph inside, by its name."""

    title: str
    parts: tuple[Step | Weighed | Bands, ...]


Part = Step | Weighed | Bands | Frame
Series = tuple[Part, ...]
Stack = (
    tuple[Step, ...] | Weighed | Bands | Frame
)  # steps that belong together, or a graph


class Form(NamedTuple):
    """A chain of ops as it is drawn in detail, with what is added to it.

    `input` goes through `before`; then `body` and `added` both read that, and `after` reads
    their sum. Where nothing is added, `added` is None, and empty where it is the input
    itself.
    """

    title: str
    note: str  # where it is in the network
    input: Shape
    before: Series
    body: Series
    added: Series | None
    after: Series
    output: Shape
    flat: bool = False  # whether it gives features without height and width


def stacks(series: Series) -> Iterator[Stack]:
    """Steps in a row that belong together, as a convolution with its norm, and the others."""
    steps: list[Step] = []
    for part in series:
        if isinstance(part, Step):
            steps.append(part)
        else:
            yield from together(steps)
            steps = []
            yield part
    yield from together(steps)


def together(steps: Sequence[Step]) -> Iterator[tuple[Step, ...]]:
    """Each step that begins, with those that belong to it."""
    starts = [i for i, step in enumerate(steps) if step.begins or not i]
    yield from (tuple(steps[i:j]) for i, j in pairwise([*starts, len(steps)]))


def words(series: Series | None) -> tuple[object, ...] | None:
    """What the series does, whatever its sizes: equal where two are drawn as one."""
    return None if series is None else tuple(map(_words, series))


def _words(part: Part) -> object:
    match part:
        case Step():
            return part.word
        case Frame():
            return (part.title, words(part.parts))
        case Weighed():
            return (tuple(map(words, part.paths)), words(part.side), part.joins)
        case Bands():
            return (part.scale, words(part.steps), words(part.last))
