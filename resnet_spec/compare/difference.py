"""What changes from one network to another: in its parts, its ops, and for its weights.

Nothing is built or run: shapes, tensors and digests say it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from resnet_spec.compare.changes import Change, changes
from resnet_spec.network import Chain, Digests, Network, Shape
from resnet_spec.problems.words import together

COUNTER = "num_batches_tracked"  # of a batch norm; no output depends on it


class Part(NamedTuple):
    """A stem, pool, stage or head: its blocks, what it gives, and what that costs."""

    blocks: str  # "3 x Bottleneck"; empty where there are none
    output: Shape
    params: int
    macs: int


class PartChange(NamedTuple):
    """A part that differs in one of those; None where a network has no such part."""

    part: str
    a: Part | None
    b: Part | None


class Reshaped(NamedTuple):
    """A tensor that both have, of two shapes."""

    name: str
    a: tuple[int, ...]
    b: tuple[int, ...]


class Weights(NamedTuple):
    """What becomes of the tensors of one network in another, by names and shapes.

    `a_into_b` says whether `b.load_state_dict(a.state_dict())` passes, which is strict, and
    `b_into_a` the same of the other way. They are one where names and shapes are the same;
    else a batch norm takes the weights of a frozen one, which counts no batches, and starts
    that count at 0.
    """

    carried: tuple[str, ...]
    changed: tuple[Reshaped, ...]
    new: tuple[str, ...]
    gone: tuple[str, ...]
    a_into_b: bool
    b_into_a: bool


class Difference(NamedTuple):
    """What differs between networks `a` and `b`; printed, the sentence on their weights."""

    a: Network
    b: Network
    parts: tuple[PartChange, ...]
    changes: tuple[Change, ...]
    weights: Weights
    verdict: str

    @property
    def equal(self) -> bool:
        """Whether nothing that a digest is of differs."""
        return self.a.digests == self.b.digests

    @property
    def digests(self) -> list[str]:
        """Those that differ, by name."""
        pairs = zip(Digests._fields, self.a.digests, self.b.digests, strict=True)
        return [name for name, mine, other in pairs if mine != other]

    def __str__(self) -> str:
        return self.verdict

    def __repr__(self) -> str:
        return f"<Difference {self.a.name} -> {self.b.name}: {self.verdict}>"


def difference(a: Network, b: Network) -> Difference:
    """What changes from network `a` to network `b`: parts, ops, weights, and what that means.

    >>> from resnet_spec import load
    >>> print(difference(load("resnet50").network, load("v1/resnet50_v1").network))
    every weight loads, and the output differs
    """
    mine, other = dict(_parts(a)), dict(_parts(b))
    rows = (PartChange(name, mine.get(name), other.get(name)) for name in mine | other)
    parts = tuple(row for row in rows if row.a != row.b)
    weights = _weights(a, b)
    return Difference(
        a, b, parts, tuple(changes(a, b)), weights, _verdict(a, b, weights)
    )


def _parts(network: Network) -> Iterator[tuple[str, Part]]:
    ends = {"stem": network.stem, "pool": network.pool}
    yield from ((name, _of_ends(ops)) for name, ops in ends.items() if ops)
    for stage in network.stages:
        yield stage.name, Part(stage.contents, stage.output, stage.params, stage.macs)
    if network.head:
        yield "head", _of_ends(network.head)


def _of_ends(ops: Chain) -> Part:
    params, macs = sum(op.params for op in ops), sum(op.macs for op in ops)
    return Part("", ops[-1].output, params, macs)


# --- weights ------------------------------------------------------------------------------


def _weights(a: Network, b: Network) -> Weights:
    mine, other = (
        {name: tensor.shape for name, tensor in network.tensors()} for network in (a, b)
    )
    common = [name for name in other if name in mine]
    changed = tuple(
        Reshaped(name, mine[name], other[name])
        for name in common
        if mine[name] != other[name]
    )
    new = tuple(name for name in other if name not in mine)
    gone = tuple(name for name in mine if name not in other)
    return Weights(
        carried=tuple(name for name in common if mine[name] == other[name]),
        changed=changed,
        new=new,
        gone=gone,
        a_into_b=not changed and not gone and all(map(_counts, new)),
        b_into_a=not changed and not new and all(map(_counts, gone)),
    )


def _counts(name: str) -> bool:
    return name.endswith(f".{COUNTER}")


def _placed(network: Network) -> list[str]:
    """The names of its tensors in the order in which evaluation reads them."""
    names = (f"{path}.{t.name}" for path, op in network.ops() for t in op.tensors)
    return [name for name in names if not _counts(name)]


def _verdict(a: Network, b: Network, weights: Weights) -> str:
    """What weights of the one are in the other, and what they compute there."""
    if a.digests == b.digests and _placed(a) == _placed(b):
        return "the same network: every weight loads, and the output is the same"
    same = a.digests.function == b.digests.function
    named = same and _placed(a) == _placed(b)
    loads = _loads(weights)
    if named and loads:
        said = f"same function: {loads}, and the output is the same"
    elif loads:
        said = f"{loads}, and the output differs"
    elif same:
        said = (
            f"same function, of tensors by other names or shapes: {_unloaded(weights)}"
        )
    else:
        said = f"another network: {_unloaded(weights)}"
    return "; ".join([said, *_besides(a, b)])


def _loads(weights: Weights) -> str:
    """Which weights load without an error; empty where none do."""
    if weights.a_into_b and weights.b_into_a:
        return "every weight loads"
    ways = {"the first": weights.a_into_b, "the second": weights.b_into_a}
    for which, passes in ways.items():
        if passes:
            return f"weights of {which} alone load into the other, which counts batches from 0"
    return ""


def _unloaded(weights: Weights) -> str:
    counts = (
        (len(weights.carried), "carries over", "carry over"),
        (len(weights.changed), "changes shape", "change shape"),
        (len(weights.new), "is new", "are new"),
        (len(weights.gone), "is gone", "are gone"),
    )
    said = [f"{n} {one if n == 1 else many}" for n, one, many in counts if n]
    return f"of the tensors {together(said)}, so load_state_dict fails"


def _besides(a: Network, b: Network) -> Iterator[str]:
    """What differs that evaluation does not see."""
    if a.digests.training != b.digests.training:
        yield "they train differently"
    if a.digests.init != b.digests.init:
        yield "first weights differ"
    if a.image != b.image:
        yield f"the stated image is {b.image}, not {a.image}"
    if a.sides != b.sides:
        yield "they take images of other sizes"
