"""Whole specs, drawn field by field, and the networks that they say."""

from typing import Any

from hypothesis import strategies as st

from resnet_spec.errors import Place
from resnet_spec.ir import Network
from resnet_spec.lower import lower
from resnet_spec.nodes import Node
from resnet_spec.parse import parse
from resnet_spec.source import Source
from resnet_spec.spec import Spec

SHORTCUTS = ["projection", "projection_always", "avg_projection", "zero_pad", "none"]


@st.composite
def spec_data(draw: st.DrawFn) -> dict[str, Any]:
    """A valid spec as plain data: every field, odd sizes, one stage to five, depth 1."""
    stages = draw(st.integers(1, 5))
    data: dict[str, Any] = {
        "name": "Drawn",
        "title": "A drawn network",
        "input": [draw(st.integers(1, 4)), *draw(st.tuples(SIZES, SIZES))],
        "depths": draw(_each(st.integers(1, 3), stages)),
        "widths": draw(_some(st.integers(1, 24), stages)),
        "strides": draw(_some(st.integers(1, 3), stages)),
        "block": draw(_some(st.sampled_from(["basic", "bottleneck"]), stages)),
        "shortcut": draw(_some(st.sampled_from(SHORTCUTS), stages)),
        "stem": draw(_stem()),
        "head": draw(_head()),
    }
    optional = {
        "activation": _some(st.sampled_from(["relu", "silu"]), stages),
        "dilations": _some(st.integers(1, 3), stages),
        "norm": st.fixed_dictionaries(
            {}, optional={"eps": st.just(1e-3), "momentum": st.sampled_from([0.01, 1])}
        ),
    }
    data |= {key: draw(value) for key, value in optional.items() if draw(st.booleans())}
    _bottlenecks(draw, data, stages)
    _repair(data, stages)
    if "none" not in _column(data["shortcut"], stages) and draw(st.booleans()):
        data["init"] = {"zero_last_norm": draw(st.booleans())}
    if draw(st.integers(0, 4)) == 0:
        last = lower(parsed(data)).stages[-1].output
        if last.height == last.width:
            data["head"]["pool"] = int(last.height)
    return data


def parsed(data: Any) -> Spec:
    """The spec of plain data, with all rules applied as to a file."""

    def node(value: Any) -> Node:
        if isinstance(value, dict):
            return Node({k: node(v) for k, v in value.items()}, Place("x"))
        if isinstance(value, list):
            return Node([node(v) for v in value], Place("x"))
        return Node(value, Place("x"))

    return parse(Source(node(data)))


def networks() -> st.SearchStrategy[Network]:
    """The networks of drawn specs."""
    return spec_data().map(lambda data: lower(parsed(data)))


SIZES = st.integers(1, 40)


def _each(values: st.SearchStrategy[Any], stages: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=stages, max_size=stages)


def _some(
    values: st.SearchStrategy[Any], stages: int, used: list[bool] | None = None
) -> st.SearchStrategy[Any]:
    """One value for all stages, or a list with one for each that has a use for it."""
    entries = [values if use else st.none() for use in used or [True] * stages]
    return values | st.tuples(*entries).map(list)


def _column(value: Any, stages: int) -> list[Any]:
    return value if isinstance(value, list) else [value] * stages


def _stem() -> st.SearchStrategy[dict[str, Any]]:
    conv = st.fixed_dictionaries(
        {
            "type": st.sampled_from(["conv7x7", "conv3x3"]),
            "width": st.sampled_from([1, 8, 16, 17]),
            "pool": st.sampled_from(["max", "none"]),
        }
    )
    return conv | st.just({"type": "none"})


def _head() -> st.SearchStrategy[dict[str, Any]]:
    classifier = st.fixed_dictionaries(
        {"classes": st.integers(1, 12)},
        optional={"dropout": st.sampled_from([0.2, 0.5]), "pool": st.just("global")},
    )
    return classifier | st.just({"classes": "none"})


def _bottlenecks(draw: st.DrawFn, data: dict[str, Any], stages: int) -> None:
    """The fields that only bottlenecks have, null in the entries of other stages."""
    blocks, strides = (_column(data[key], stages) for key in ("block", "strides"))
    used = [block == "bottleneck" for block in blocks]
    if not any(used):
        return
    fields = {"expansion": st.integers(1, 4)}
    if draw(st.booleans()):
        fields["groups"] = st.sampled_from([1, 2, 4, 8])
    if draw(st.booleans()):
        fields["width_per_group"] = st.sampled_from([8, 16, 64, 72])
    if len(fields) > 1:  # whose widths must be multiples
        eights = st.integers(1, 4).map(lambda width: 8 * width)
        data["widths"] = draw(_some(eights, stages))
    for field, values in fields.items():
        data[field] = draw(_some(values, stages, used))
    striding = [a and stride > 1 for a, stride in zip(used, strides, strict=True)]
    if any(striding):
        data["stride_on"] = draw(
            _some(st.sampled_from(["conv1", "conv2"]), stages, striding)
        )


def _repair(data: dict[str, Any], stages: int) -> None:
    """Undo what no network can have: channels dropped by padding, a dead dilation."""
    blocks = _column(data["block"], stages)
    expansions = _column(data.get("expansion", 1), stages)
    shortcuts = list(_column(data["shortcut"], stages))
    before = data["stem"].get("width", data["input"][0])
    for i, width in enumerate(_column(data["widths"], stages)):
        after = width * (expansions[i] if blocks[i] == "bottleneck" else 1)
        if shortcuts[i] == "zero_pad" and after < before:
            shortcuts[i] = "projection"
        before = after
    if shortcuts != _column(data["shortcut"], stages):
        data["shortcut"] = shortcuts
    dilations = list(_column(data.get("dilations", 1), stages))
    previous = dilations[-2] if stages > 1 else 1
    if (
        blocks[-1] == "bottleneck"
        and data["depths"][-1] == 1
        and previous != dilations[-1]
    ):
        data["dilations"] = [*dilations[:-1], previous]
