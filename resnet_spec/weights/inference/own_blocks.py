"""What a spec says of blocks of one's own, of what was read of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from resnet_spec.problems.words import flow
from resnet_spec.weights.inference.blocks import (
    Block,
    Data,
    UnreadableError,
    alike,
    ratio,
    squeezes,
)
from resnet_spec.weights.inference.chained import Read
from resnet_spec.weights.inference.orders import Placed, Voice, steps

BASES = ("out", "in")
"""What channels may be shares of; the first that needs fewest kinds of blocks is taken."""


class Styles(NamedTuple):
    """The norm and the activation that words stand for, by stage."""

    norms: Sequence[str]
    activations: Sequence[str]


def said(
    stages: Sequence[Sequence[Block]],
    reads: Sequence[Sequence[Read]],
    styles: Styles,
) -> Data:
    """What a spec says of blocks, shortcuts, strides and widths."""
    strides = [
        [_stride(i, j, b) for j, b in enumerate(row)] for i, row in enumerate(reads)
    ]
    bodies = min((_bodies(reads, styles, base) for base in BASES), key=_kinds)
    data: Data = {
        "block": _named(bodies),
        "depths": [len(row) for row in reads],
        "widths": _each([[b.width for b in row] for row in reads]),
        "strides": _by_stage(strides),
        "shortcut": _shortcuts(reads, strides, styles),
    }
    data |= _layers(reads)
    kinds = {b.attention for row in reads for b in row} - {"none"}
    if kinds:
        each = [[b.attention for b in row] for row in reads]
        data["attention"] = kinds.pop() if len(kinds) == 1 else _each(each)
    if "se" in str(data.get("attention")):
        data["se"] = squeezes(stages)
    return data


def _bodies(
    reads: Sequence[Sequence[Read]], styles: Styles, base: str
) -> list[list[Data]]:
    return [[_body(b, styles, i, base) for b in row] for i, row in enumerate(reads)]


def _kinds(bodies: Sequence[Sequence[Data]]) -> int:
    """How many blocks there are of which no two are the same."""
    return len({flow(body) for row in bodies for body in row})


def _stride(stage: int, nth: int, block: Read) -> int:
    """2 where it has to stride so that it has a shortcut, or where most do."""
    if block.branch and not block.changes:
        return 2
    return 2 if stage and not nth and block.changes else 1


def _body(block: Read, styles: Styles, stage: int, base: str) -> Data:
    """A block's chains, by shares of what it gives or reads."""
    of = {"out": block.gives, "in": block.reads}[base]
    voice = Voice(styles.norms[stage], _activation(styles, stage), base, of)
    inside = voice._replace(last=block.gives, width=block.width)
    body = steps(block.body, inside, "block")
    pre = steps(block.pre, voice)
    post = steps(block.post, voice)
    if pre and pre[-1] == "norm":
        pre.append(voice.activation)
    if not post and not pre:
        post = [voice.activation]
    made: Data = {"pre": pre} if pre else {}
    made["body"] = body
    return made if post == ["activation"] else {**made, "post": post}


def _activation(styles: Styles, stage: int) -> Any:
    """The word where it has no weights, else another that has none."""
    prelu = styles.activations[stage] == "prelu"
    return {"activation": "relu"} if prelu else "activation"


def _named(bodies: Sequence[Sequence[Data]]) -> Any:
    """Blocks by stage or one by one, each kind under a name."""
    kinds: dict[str, Data] = {}
    for row in bodies:
        for body in row:
            kinds.setdefault(flow(body), body)
    names = [f"OwnBlock{i}" for i in range(1, len(kinds) + 1)]
    names = ["OwnBlock"] if len(kinds) == 1 else names
    made = {
        text: {"name": name, **body}
        for (text, body), name in zip(kinds.items(), names, strict=True)
    }
    return _each([[made[flow(body)] for body in row] for row in bodies])


def _each(values: Sequence[Sequence[Any]]) -> Any:
    """One value where all agree, else one for each stage, or for each block in it."""
    return _agreed([alike(row) for row in values])


def _agreed(rows: Sequence[Any]) -> Any:
    """One value for all stages, where they agree and no list is meant block by block."""
    return [*rows] if isinstance(rows[0], list) else alike(rows)


def _by_stage(strides: Sequence[Sequence[int]]) -> list[Any]:
    """Strides, those of the first blocks where the others have none."""
    return [row[0] if {*row[1:]} <= {1} else [*row] for row in strides]


def _shortcuts(
    reads: Sequence[Sequence[Read]], strides: Sequence[Sequence[int]], styles: Styles
) -> Any:
    each = [
        [_shortcut(b, s, styles, i) for b, s in zip(row, stride, strict=True)]
        for i, (row, stride) in enumerate(zip(reads, strides, strict=True))
    ]
    rows: list[Any] = []
    for row in each:
        chains = [value for value in row if value != "identity"]
        one = chains[0] if chains else "identity"
        same = isinstance(one, list) and all(value == one for value in chains)
        rows.append(one if same else alike(row))
    by_block = isinstance(rows[0], list) and any(
        isinstance(value, list) or value in ("none", "identity") for value in rows[0]
    )
    return rows if by_block or len(rows) == 1 else alike(rows)


def _shortcut(block: Read, stride: int, styles: Styles, stage: int) -> Any:
    if not block.branch:
        return "none" if block.changes or stride > 1 else "identity"
    out = block.summed
    voice = Voice(styles.norms[stage], _activation(styles, stage), "out", out, out)
    voice = voice._replace(width=block.width)
    made = [*_filled(block.branch, voice)]
    if stride > 1 and not any(isinstance(s, dict) and "stride" in s for s in made):
        made.insert(0, {"pool": "avg", "stride": "block"})
    return made


def _filled(branch: Sequence[Placed], voice: Voice) -> Iterator[Any]:
    """The chain, with what has no weights where a number is left out."""
    convs = [i for i, p in enumerate(branch) if p.piece.kind == "conv"]
    whole = [i for i in convs if not branch[i].is_depthwise] or [-1]
    free = (i for i, p in enumerate(branch) if p.piece.kind == "weightless")
    first = next(free, len(branch))
    at = min(first, *convs[:1]) if convs else first
    for i, each in enumerate(branch):
        if each.piece.kind == "weightless":
            yield {"pool": "avg", "stride": "block"} if i == at else voice.activation
        else:
            strides = "block" if i == at else None
            own = voice if i == whole[-1] else voice._replace(last=voice.width)
            (step,) = steps([each], own, strides)
            yield step


def _layers(reads: Sequence[Sequence[Read]]) -> Data:
    """What is said of layers in place of a 3x3, and of channels beside them."""
    found = [(b, b.layer) for row in reads for b in row if b.layer]
    if not found:
        return {}
    if any(b.gives % layer.width for b, layer in found):
        raise UnreadableError(
            "blocks give other channels than a multiple of their 3x3's"
        )
    said = {**found[0][1].said}
    if said.pop("chosen", None):
        said |= ratio([(layer.said["chosen"], layer.width) for _, layer in found])
    over = [[b.gives // b.layer.width if b.layer else 1 for b in row] for row in reads]
    groups = [[b.groups for b in row] for row in reads]
    return {"spatial": said, "expansion": _each(over), "groups": _each(groups)}
