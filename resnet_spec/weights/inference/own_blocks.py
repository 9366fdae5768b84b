"""What a spec says of blocks of one's own, of what was read of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from resnet_spec.problems.words import flow
from resnet_spec.weights.inference.blocks import (
    Block,
    Data,
    alike,
    by_block,
    spatial,
)
from resnet_spec.weights.inference.chained import Read
from resnet_spec.weights.inference.orders import Placed, Voice, steps
from resnet_spec.weights.inference.squeezes import squeezes
from resnet_spec.weights.inference.styles import Style, Styles
from resnet_spec.weights.inference.widths import Channels, widths

BASES = ("out", "in")
"""What channels may be shares of; the first that needs fewest kinds of blocks is taken."""


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
        **_widths(reads),
        "strides": _by_stage(strides),
        "shortcut": _shortcuts(reads, strides, styles),
    }
    layers = [b.layer for row in reads for b in row if b.layer]
    data |= spatial([(layer.width, layer.said) for layer in layers])
    kinds = {b.attention for row in reads for b in row} - {"none"}
    if kinds:
        each = [[b.attention for b in row] for row in reads]
        data["attention"] = kinds.pop() if len(kinds) == 1 else by_block(each)
    if "se" in str(data.get("attention")):
        data["se"] = squeezes(stages)
    return data


def _bodies(
    reads: Sequence[Sequence[Read]], styles: Styles, base: str
) -> list[list[Data]]:
    return [
        [_body(b, styles[i][j], base) for j, b in enumerate(row)]
        for i, row in enumerate(reads)
    ]


def _kinds(bodies: Sequence[Sequence[Data]]) -> int:
    """How many blocks there are of which no two are the same."""
    return len({flow(body) for row in bodies for body in row})


def _stride(stage: int, nth: int, block: Read) -> int:
    """2 where it has to stride so that it has a shortcut, or where most do."""
    if block.branch and not block.changes:
        return 2
    return 2 if stage and not nth and block.changes else 1


def _body(block: Read, style: Style, base: str) -> Data:
    """A block's chains, by shares of what it gives or reads."""
    of = {"out": block.gives, "in": block.reads}[base]
    voice = Voice(style.norm, _activation(style), base, of)
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


def _activation(style: Style) -> Any:
    """The word where it has no weights, else another that has none."""
    return {"activation": "relu"} if style.activation == "prelu" else "activation"


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
    return by_block([[made[flow(body)] for body in row] for row in bodies])


def _by_stage(strides: Sequence[Sequence[int]]) -> list[Any]:
    """Strides, those of the first blocks where the others have none."""
    return [row[0] if {*row[1:]} <= {1} else [*row] for row in strides]


def _shortcuts(
    reads: Sequence[Sequence[Read]], strides: Sequence[Sequence[int]], styles: Styles
) -> Any:
    each = [
        [_shortcut(b, strides[i][j], styles[i][j]) for j, b in enumerate(row)]
        for i, row in enumerate(reads)
    ]
    rows: list[Any] = []
    for row in each:
        chains = [value for value in row if value != "identity"]
        one = chains[0] if chains else "identity"
        same = isinstance(one, list) and all(value == one for value in chains)
        rows.append(one if same else alike(row))
    listed = isinstance(rows[0], list) and any(
        isinstance(value, list) or value in ("none", "identity") for value in rows[0]
    )
    return rows if listed or len(rows) == 1 else alike(rows)


def _shortcut(block: Read, stride: int, style: Style) -> Any:
    if not block.branch:
        return "none" if block.changes or stride > 1 else "identity"
    out = block.summed
    voice = Voice(style.norm, _activation(style), "out", out, out)
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


def _widths(reads: Sequence[Sequence[Read]]) -> Data:
    """Widths, and channels beside them where layers in place of a 3x3 have others."""
    each = [[Channels(b.gives, b.width, b.groups) for b in row] for row in reads]
    if any(b.layer for row in reads for b in row):
        return widths(each)
    return {"widths": by_block([[block.out for block in row] for row in each])}
