"""Which op of one chain is which of another's."""

from __future__ import annotations

from collections.abc import Iterator

from resnet_spec.network import Chain, Op

STARTS = {
    "pre": "before the body",
    "shortcut": "at the start of the shortcut",
    "post": "at the end",
}
"""Where the first op of a chain is, if not at the start."""


def doing(ops: Chain) -> Chain:
    """Those that do something, in evaluation or in training."""
    return tuple(op for op in ops if op.active and (op.meaning or op.training))


Token = tuple[str, str]


class Chains:
    """Two chains of one role, and which op of one is which of the other.

    `pairs` are indices of ops that are at one path, in order, `runs` of the others, each
    with those that are at the same place in the other chain.
    """

    def __init__(self, role: str, a: Chain, b: Chain) -> None:
        self.role, self.a, self.b = role, a, b
        self.pairs: list[tuple[int, int]] = []
        self.runs: list[tuple[list[int], list[int]]] = []
        for alike, mine, other in _aligned([*map(_token, a)], [*map(_token, b)]):
            if alike:
                self.pairs += zip(mine, other, strict=True)
            else:
                self.runs.append((mine, other))
        self.moved_stride = self._moved_stride()

    @property
    def both(self) -> tuple[Chain, Chain]:
        return (self.a, self.b)

    def _moved_stride(self) -> tuple[int, int] | None:
        """The ops that stride, where those are one on each side, and not each other's."""
        found = [
            [i for i, op in enumerate(ops) if max(op.lengths.strides) > 1]
            for ops in (self.a, self.b)
        ]
        if [len(each) for each in found] != [1, 1]:
            return None
        i, j = found[0][0], found[1][0]
        if self.a[i].lengths.strides != self.b[j].lengths.strides:
            return None
        paired = i in dict(self.pairs), j in {j for _, j in self.pairs}
        return None if (i, j) in self.pairs or not any(paired) else (i, j)

    def unpaired(self, moved: set[Module]) -> Iterator[tuple[list[int], list[int]]]:
        """The runs without modules that moved, and without ops that stride for others."""
        striding = self.moved_stride or (None, None)
        for run in self.runs:
            mine, other = (
                [i for i in each if i != strides and module_of(ops[i]) not in moved]
                for each, strides, ops in zip(run, striding, self.both, strict=True)
            )
            yield mine, other

    def where(self, ops: Chain, i: int) -> str:
        """Behind which op that one runs: a convolution or another main one, if there is."""
        main = [op for op in ops[:i] if op.noun]
        before = main or ops[:i]
        start = STARTS.get(self.role, "at the start")
        return f"behind {name_of(before[-1])}" if before else start


def _aligned(
    a: list[Token], b: list[Token]
) -> Iterator[tuple[bool, list[int], list[int]]]:
    """Indices of what is alike in both, and of what is not, in order."""
    if a == b:
        yield True, [*range(len(a))], [*range(len(b))]
        return
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(None, a, b, autojunk=False)
    for kind, i, i_end, j, j_end in matcher.get_opcodes():
        yield kind == "equal", [*range(i, i_end)], [*range(j, j_end)]


def _token(op: Op) -> Token:
    """What ops that are one another's have in common; members of a Sequential are numbered
    anew where one is added, so those are told by their class."""
    return (op.path, "") if op.attribute == op.path else (op.attribute, kind_of(op))


Module = tuple[str, str]  # its path and its class


def module_of(op: Op) -> Module:
    return (name_of(op), kind_of(op))


def name_of(op: Op) -> str:
    return op.path or kind_of(op).lower()


def kind_of(op: Op) -> str:
    """The class of its module; one that varies does what that one does which does not."""
    return op.module.removeprefix("Varied") or type(op).__name__
