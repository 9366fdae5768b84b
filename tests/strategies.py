"""Whole specs, drawn field by field, and the networks that they say."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from resnet_spec.language.document import Source
from resnet_spec.language.nodes import Node
from resnet_spec.language.parsing import parse
from resnet_spec.language.plan import Plan
from resnet_spec.lowering import lower
from resnet_spec.network import Network
from resnet_spec.problems import Place

SHORTCUTS = [
    "projection",
    "projection_always",
    "projection3x3",
    "avg_projection",
    "zero_pad",
    "none",
]


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
    _OPTIONS[draw(st.sampled_from(sorted(_OPTIONS)))](draw, data, stages)
    _attention(draw, data, stages)
    _regularisation(draw, data, stages)
    _repair(data, stages)
    batch = data.get("norm", {}).get("type", "batch") in ("batch", "group")
    zeroable = batch and not data.get("pre_activation")
    if (
        zeroable
        and "none" not in _column(data["shortcut"], stages)
        and draw(st.booleans())
    ):
        data["init"] = {"zero_last_norm": draw(st.booleans())}
    if draw(st.integers(0, 4)) == 0 and "anti_alias" not in data:
        last = lower(parsed(data)).stages[-1].output
        if last.height == last.width:
            data["head"]["pool"] = int(last.height)
    return data


def parsed(data: Any) -> Plan:
    """The plan of plain data, with all rules applied as to a file."""

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


POOLS = ["max", "max_ceil", "max_zero", "max_blur", "avg", "conv", "none"]


def _least(data: dict[str, Any]) -> int:
    """The smallest side that some pools need; 0 where any does."""
    pools = ("max_ceil", "max_blur", "avg")
    small = data["stem"].get("pool") in pools or "anti_alias" in data
    stages = len(data["depths"])
    return 4 * 2**stages + 4 if small else 0


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
            "pool": st.sampled_from(POOLS),
        }
    )
    deep = st.fixed_dictionaries(
        {
            "type": st.sampled_from(["deep", "tiered"]),
            "width": st.sampled_from([8, 16]),
            "pool": st.sampled_from(POOLS),
        }
    )
    return conv | deep | st.just({"type": "none"})


def _head() -> st.SearchStrategy[dict[str, Any]]:
    classifier = st.fixed_dictionaries(
        {"classes": st.integers(1, 12)},
        optional={
            "dropout": st.sampled_from([0.2, 0.5]),
            "pool": st.just("global"),
            "classifier": st.sampled_from(["linear", "conv"]),
        },
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


def _smooth(draw: st.DrawFn, data: dict[str, Any], stages: int) -> None:
    """Pools that stride in place of convolutions."""
    if any(stride > 1 for stride in _column(data["strides"], stages)):
        data["anti_alias"] = draw(st.sampled_from(["avg", "blur"]))
        data["strides"] = _mapped(data["strides"], lambda stride: min(stride, 2))
        _stride_on_conv2(data)


def _spatial(draw: st.DrawFn, data: dict[str, Any], stages: int) -> None:
    """Something in place of 3x3 convolutions, which is made for batch norm and relu."""
    kinds = ["selective_kernel"]
    if set(_column(data["block"], stages)) == {"bottleneck"}:
        kinds += ["res2net", "split_attention"]
    kind = draw(st.sampled_from(kinds))
    data["spatial"] = {"type": kind} | draw(_SPATIAL[kind])
    if kind == "split_attention":
        data.pop("width_per_group", None)
        data["widths"] = _mapped(data["widths"], lambda width: (width + 31) // 32 * 32)
    for key in ("dilations", "norm", "activation"):
        data.pop(key, None)
    _stride_on_conv2(data)


def _stride_on_conv2(data: dict[str, Any]) -> None:
    if "stride_on" in data:
        data["stride_on"] = _mapped(data["stride_on"], lambda on: on and "conv2")


def _preact(draw: st.DrawFn, data: dict[str, Any], _: int) -> None:
    """Norm and activation before convolutions, and norms that are both."""
    data["pre_activation"] = True
    kinds = ["batch", "frozen", "group", "evonorm_s0", "frn"]
    norm = draw(st.sampled_from(kinds))
    if norm != "batch":
        data["norm"] = {"type": norm} | _groups(norm)
    if norm == "group":
        _wide(data)
    if norm in ("evonorm_s0", "frn"):
        data.pop("activation", None)
    if data["stem"].get("pool") == "conv":
        data["stem"]["pool"] = "max"


def _normed(draw: st.DrawFn, data: dict[str, Any], _: int) -> None:
    """Other norms behind convolutions, and convolutions with norms of their own."""
    norm = draw(st.sampled_from(["frozen", "group"]))
    data["norm"] = {"type": norm, "eps": 1e-4} | _groups(norm)
    if norm == "group":
        _wide(data)
    if draw(st.booleans()):  # which a filter of one weight does not stand
        data["standardization"] = {"eps": 1e-6}
        for key in ("width_per_group", "groups", "dilations"):
            data.pop(key, None)
        data["widths"] = _mapped(data["widths"], lambda width: width + width % 2)
        data["input"] = [3, *data["input"][1:]]
        if "width" in data["stem"]:
            data["stem"]["width"] = 8


def _wide(data: dict[str, Any]) -> None:
    """Two channels at least, for a group of one value cannot be normalized."""
    data.pop("width_per_group", None)
    data["widths"] = _mapped(data["widths"], lambda width: max(width, 2))
    if data["stem"].get("width") == 1:
        data["stem"]["width"] = 8
    data["input"] = [max(data["input"][0], 2), *data["input"][1:]]


def _groups(norm: str) -> dict[str, int]:
    """One group divides any number of channels."""
    return {"groups": 1} if norm in ("group", "evonorm_s0") else {}


def _reduced(_: st.DrawFn, data: dict[str, Any], stages: int) -> None:
    """A narrower first 1x1."""
    if "bottleneck" in _column(data["block"], stages):
        data["reduce_first"] = 2
        for key in ("width_per_group", "groups"):
            data.pop(key, None)
        data["widths"] = _mapped(data["widths"], lambda width: (width + 7) // 8 * 8)


def _plain(*_: Any) -> None:
    """None of them."""


def _attention(draw: st.DrawFn, data: dict[str, Any], stages: int) -> None:
    if draw(st.booleans()):
        return
    data["attention"] = draw(_some(st.sampled_from(["none", "se", "eca"]), stages))
    kinds = _column(data["attention"], stages)
    pairs = list(zip(_column(data["block"], stages), kinds, strict=True))
    if "se" in kinds:
        data["se"] = {"ratio": draw(st.sampled_from([0.0625, 0.25]))}
        data["se"]["divisor"] = draw(st.sampled_from([1, 3, 8]))
    if data.get("pre_activation"):
        return
    if ("basic", "se") in pairs and draw(st.booleans()):
        data["se"]["activated"] = True
    if ("bottleneck", "se") in pairs or ("bottleneck", "eca") in pairs:
        data["attention_after"] = draw(st.sampled_from(["last", "conv2"]))


def _regularisation(draw: st.DrawFn, data: dict[str, Any], stages: int) -> None:
    plain = "none" in _column(data["shortcut"], stages)
    if sum(data["depths"]) > 1 and not plain and draw(st.booleans()):
        data["drop_path"] = draw(st.sampled_from([0.1, 0.5]))
    if "basic" in _column(data["block"], stages) and draw(st.booleans()):
        data["dropout"] = 0.3


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """One value, or each entry of a list, changed."""
    return [change(v) for v in value] if isinstance(value, list) else change(value)


_OPTIONS = {
    "plain": _plain,
    "smooth": _smooth,
    "spatial": _spatial,
    "preact": _preact,
    "normed": _normed,
    "reduced": _reduced,
}
_SPATIAL: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "selective_kernel": st.fixed_dictionaries(
        {
            "ratio": st.sampled_from([0.125, 0.25]),
            "divisor": st.sampled_from([1, 4]),
            "split": st.just(False),
        }
    ),
    "res2net": st.fixed_dictionaries({"scale": st.integers(2, 4)}),
    "split_attention": st.fixed_dictionaries(
        {
            "radix": st.sampled_from([1, 2, 4]),
            "pool": st.sampled_from(["before", "after"]),
        }
    ),
}


def _repair(data: dict[str, Any], stages: int) -> None:
    """Undo what no network can have: channels dropped by padding, a dead dilation."""
    blocks = _column(data["block"], stages)
    expansions = _column(data.get("expansion", 1), stages)
    shortcuts = list(_column(data["shortcut"], stages))
    strides = _column(data["strides"], stages)
    before = data["stem"].get("width", data["input"][0])
    for i, width in enumerate(_column(data["widths"], stages)):
        after = width * (expansions[i] if blocks[i] == "bottleneck" else 1)
        if shortcuts[i] == "zero_pad" and after < before:
            shortcuts[i] = "projection"
        if shortcuts[i] == "projection3x3" and strides[i] > 2:
            shortcuts[i] = "projection"
        before = after
    if shortcuts != _column(data["shortcut"], stages):
        data["shortcut"] = shortcuts
    if least := _least(data):
        channels, *sides = data["input"]
        data["input"] = [channels, *(max(side, least) for side in sides)]
    dilations = list(_column(data.get("dilations", 1), stages))
    previous = dilations[-2] if stages > 1 else 1
    if (
        blocks[-1] == "bottleneck"
        and data["depths"][-1] == 1
        and previous != dilations[-1]
    ):
        data["dilations"] = [*dilations[:-1], previous]
