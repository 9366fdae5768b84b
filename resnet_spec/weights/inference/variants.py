"""Networks that a file may be of, to be tried on what is known of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

from resnet_spec.network import Network
from resnet_spec.problems import SpecError, merge, nested
from resnet_spec.problems.words import flow
from resnet_spec.weights.inference import Inferred, first_read, looked_at, said_of
from resnet_spec.weights.inference.blocks import Data
from resnet_spec.weights.inference.candidate import Candidate, choice, short, unlike
from resnet_spec.weights.inference.changed import changed
from resnet_spec.weights.inference.index import Row
from resnet_spec.weights.inference.structure import compiled, guessed, page
from resnet_spec.weights.inference.trunk import Trunk
from resnet_spec.weights.naming.rules import Shaped

CHANGES: tuple[dict[str, Any], ...] = (
    {"stride_on": "conv1"},
    {"stride_on": "conv2"},
    *({"stem.pool": pool} for pool in ("max", "max_ceil", "max_zero", "avg", "none")),
    {"anti_alias": "none"},
    {"anti_alias": "avg", "stem.pool": "avg"},
    {"anti_alias": "blur", "stem.pool": "max_blur"},
    {"anti_alias": "blur", "stem.pool": "max2_blur", "blur_taps": 4},
    *({"norm.eps": eps} for eps in (1e-3, 1e-5, 1e-6)),
    *({"activation": word} for word in ("relu", "silu", "gelu", "mish", "hardswish")),
    *({"activation": {"leaky_relu": slope}} for slope in (0.01, 0.1)),
    *({"shortcut": word} for word in ("zero_pad_after", "zero_pad_around", "none")),
    *({"preact.shortcut": word} for word in ("activated", "raw", "always_activated")),
    *({"preact.first": word} for word in ("own", "shared")),
    {"standardization.eps": 1e-8},
    {"standardization.eps": 1e-5},
    {"standardization": None},
    *({"se.activation": word} for word in ("relu", "silu")),
    *({"se.activated": told} for told in (True, False)),
)
"""What names and shapes leave open and published networks have, with what goes with it."""


class Variant(NamedTuple):
    """A spec that ships, `row`, or one that was read off, with some fields changed.

    `data` is the whole of one that was read off, else what the file asks to set in the row's.
    """

    network: Network
    trunk: Trunk
    row: Row | None
    data: Data
    changes: Mapping[str, Any]

    def __str__(self) -> str:
        """`resnet50 with norm.eps: 0.001`"""
        base = short(self.row) if self.row else "what was read off"
        told = ", ".join(f"{key}: {flow(value)}" for key, value in self.changes.items())
        return f"{base} with {told}" if told else base


def starts(shapes: Mapping[str, Shaped], prefix: str | None = None) -> list[Variant]:
    """The specs that ship with such names and shapes, one for each function.

    Where there are none, the one that is read off them. Raises InferenceError.
    """
    known, seen = looked_at(shapes, None, prefix)
    if known:
        each = (
            _variant(one.trunk, one.row, one.fields, {})
            for one in choice(known, "").candidates
        )
        return [one for one in each if one]
    data, trunk = first_read(seen, guessed)
    one = _variant(trunk, None, data, {})
    return [one] if one else []


def others(of: Variant) -> Iterator[Variant]:
    """Those with one more field changed that have the same names and shapes."""
    for change in (*CHANGES, *_dilated(len(of.network.stages))):
        changes = {**of.changes, **change}
        if found := _variant(of.trunk, of.row, of.data, changes):
            yield found


def inferred(found: Sequence[Variant], comments: Sequence[str]) -> Inferred:
    """The page of one, or of several that ship, which then asks."""
    first = found[0]
    if first.row is None:
        made = _set(first.data, first.changes)
        return Inferred(page(made, first.trunk, comments), "", first.trunk)
    candidates = [
        Candidate(each.row, each.trunk, {**each.data, **each.changes})
        for each in found
        if each.row
    ]
    return said_of(choice(candidates, "")._replace(witnessed=(*comments,)))


def _variant(
    trunk: Trunk, row: Row | None, data: Data, changes: Mapping[str, Any]
) -> Variant | None:
    """None where it is no network, or not one of these names and shapes."""
    try:
        if row:
            network = changed(row.spec, {**data, **changes})[1].network
        else:
            network = compiled(_set(data, changes))
    except SpecError:
        return None
    if unlike({n: t.shape for n, t in network.tensors()}, trunk.shapes):
        return None
    return Variant(network, trunk, row, data, changes)


def _set(data: Data, changes: Mapping[str, Any]) -> Data:
    made = deepcopy(data)
    for path, value in changes.items():
        merge(made, nested(path.split("."), value))
    return made


def _dilated(stages: int) -> Iterator[dict[str, Any]]:
    """Strides that most have, and those of segmentation, of which stages dilate instead."""
    usual = [1] + [2] * (stages - 1)
    yield {"strides": usual, "dilations": 1}
    for last in range(1, min(3, stages)):
        kept = stages - last
        for which in ("previous", "own"):
            yield {
                "strides": usual[:kept] + [1] * last,
                "dilations": [1] * kept + [2 ** (i + 1) for i in range(last)],
                "dilation_from": which,
            }
