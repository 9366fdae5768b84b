"""Whole specs, drawn field by field, and the networks that they say.

What a field may say is read off the language's JSON Schema, each field is drawn alone, and
the language's own rules judge: what a problem names is drawn again or taken away. So a
word, a field or a rule that is new is drawn and held from its first day; but for `stages`,
which stands in place of others, and is drawn in tests/test_generators.py.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import given, reject, seed, settings
from hypothesis import strategies as st

from resnet_spec.language.parsing import parse
from resnet_spec.language.plan import Plan
from resnet_spec.language.schema import json_schema
from resnet_spec.language.source import Source
from resnet_spec.language.yaml_nodes import Node
from resnet_spec.lowering import lower, noted
from resnet_spec.network import Network
from resnet_spec.passes.cut import cut
from resnet_spec.problems import Place, Problem, SpecError

Data = dict[str, Any]
Schema = dict[str, Any]

ROUNDS = 16  # of mending, before a draw is given up
SIZES = st.integers(1, 40)
NAMES = ["Drawn", "BasicBlock", "Bottleneck", "DropPath", "Tensor", "Stage"]

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from(NAMES),
    "title": st.sampled_from(["A drawn network", "W" * 75]),
    "url": st.just("https://example.org/drawn"),
    "input": SIZES,
    "depths": st.integers(1, 3),
    "strides": st.integers(1, 3) | st.sampled_from(["2x1", "1x2", "3x2"]),
    "stride": st.integers(1, 4) | st.sampled_from(["2x1", "1x3"]),
    "dilations": st.integers(1, 3),
    "width": st.sampled_from([8, 16, 1, 17]),
    "widths": st.integers(1, 24),
    "width_per_group": st.sampled_from([8, 16, 64, 72]),
    "groups": st.sampled_from([1, 2, 4, 8]),
    "conv1": st.integers(1, 24),
    "conv2": st.integers(1, 24),
    "out": st.integers(1, 24),
    "ratio": st.sampled_from([0.0625, 0.25, 1.0]),
    "divisor": st.sampled_from([1, 3, 8]),
    "eps": st.sampled_from([1e-3, 1e-6]),
    "momentum": st.sampled_from([0.01, 1.0]),
    "classes": st.integers(1, 12),
    "channels_per_group": st.sampled_from([1, 2, 4, 8]),
    "hidden": st.integers(1, 12),
}
"""Text and numbers by the name of their field, where those of their type will not do."""


@st.composite
def chains(draw: st.DrawFn, role: str) -> list[Any]:
    """A chain of ops, of which one strides where that is lawful, and most fit."""
    words = st.sampled_from(["norm", "activation", "attention", "dropout"])
    ops = draw(st.lists(st.one_of(words, OPS), min_size=role in NOT_EMPTY, max_size=5))
    if role in NOT_EMPTY:
        ops.append({"conv": draw(st.sampled_from([1, 3]))})
        strides = [i for i, op in enumerate(ops) if {"conv", "pool"} & {*op}]
        at = draw(st.sampled_from(strides))
        ops[at] = {**ops[at], "stride": "block"}
    return ops


@st.composite
def stems(draw: st.DrawFn) -> list[Any]:
    """A chain of ops for a stem, most of which fit."""
    words = st.sampled_from(["norm", "activation"])
    ops = draw(st.lists(st.one_of(words, STEM_OPS), max_size=6))
    return [
        *ops,
        {"conv": draw(st.sampled_from([1, 3]))},
        *draw(st.lists(words, max_size=3)),
    ]


@st.composite
def heads(draw: st.DrawFn) -> list[Any]:
    """A chain of ops before the head's pool."""
    conv = {"conv": draw(st.sampled_from([1, 3])), "to": draw(st.sampled_from([8, 64]))}
    words = st.sampled_from(["norm", "activation"])
    return [*[conv] * draw(st.integers(0, 1)), *draw(st.lists(words, max_size=2))]


NOT_EMPTY = ("body", "shortcut")
STEM_OPS: st.SearchStrategy[Any] = st.one_of(
    st.fixed_dictionaries(
        {"conv": st.sampled_from([1, 3, 5, 7])},
        optional={
            "to": st.sampled_from(["width", "in", "in * 2", "width * 3 / 8"]),
            "stride": st.integers(1, 3),
            "groups": st.sampled_from([1, "each"]),
            "dilation": st.integers(1, 2),
            "bias": st.booleans(),
        },
    ),
    st.fixed_dictionaries(
        {"pool": st.sampled_from(["avg", "max"]), "kernel": st.sampled_from([3, 5])},
        optional={"stride": st.integers(1, 3)},
    ),
    st.fixed_dictionaries({"pool": st.just("avg"), "stride": st.just(2)}),
    st.fixed_dictionaries({"space_to_depth": st.integers(2, 3)}),
    st.fixed_dictionaries({"blur": st.integers(2, 5), "stride": st.integers(1, 2)}),
    st.fixed_dictionaries({"activation": st.sampled_from(["gelu", "silu", "prelu"])}),
    st.fixed_dictionaries({"norm": st.sampled_from(["batch", "instance", "layer"])}),
)
OPS: st.SearchStrategy[Any] = st.one_of(
    st.fixed_dictionaries(
        {"conv": st.sampled_from([1, 3, 5, 7])},
        optional={
            "to": st.sampled_from(["width", "out", "in", "width * 2", "out / 2"]),
            "groups": st.sampled_from([1, 2, "each", "block"]),
            "dilation": st.sampled_from([1, 2, "block"]),
            "bias": st.booleans(),
        },
    ),
    st.fixed_dictionaries({"conv": st.just(3), "groups": st.just("each")}),
    st.fixed_dictionaries(
        {"pool": st.sampled_from(["avg", "max"]), "kernel": st.sampled_from([3, 5])}
    ),
    st.fixed_dictionaries({"scale": st.sampled_from([0.1, 2])}),
    st.fixed_dictionaries({"scalar_multiplier": st.sampled_from([0, 1, -0.5])}),
    st.fixed_dictionaries({"scalar_bias": st.sampled_from([0, 0.5])}),
    st.fixed_dictionaries({"activation": st.sampled_from(["gelu", "silu", "prelu"])}),
)


@st.composite
def spec_data(draw: st.DrawFn) -> Data:
    """A valid spec as plain data: every field but claims, one stage to five."""
    depths = draw(st.lists(VALUES["depths"], min_size=1, max_size=5))
    data = _mapping(draw, _WHOLE, depths) | {"depths": depths}
    if draw(st.integers(0, 2)):  # so that groups divide them
        data["widths"] = _eights(data["widths"])
    for _ in range(ROUNDS):
        if not (found := problems(data)):
            return data
        _mend(draw, data, found)
    return reject()


def network_of(data: Data, parts: Sequence[str] = ()) -> Network:
    """The network of a spec, or what a cut leaves of it that gives the maps of those parts."""
    plan = parsed(data)
    network = lower(plan)
    return noted(plan, cut(network, list(parts))) if parts else network


@st.composite
def cuts(draw: st.DrawFn, data: Data) -> list[str]:
    """Of a quarter of the networks some parts, of which a cut gives the maps."""
    if draw(st.integers(0, 3)) < 3:
        return []
    parts = st.sampled_from(network_of(data).parts)
    return draw(st.lists(parts, min_size=1, unique=True))


class Drawn(NamedTuple):
    """A spec and its network."""

    data: Data
    network: Network


class Pool(tuple[Drawn, ...]):
    """Drawn specs, no two the same, the smallest first: what a test shrinks to."""

    def __repr__(self) -> str:  # of arguments, in what a test that fails prints
        return f"{len(self)} specs"


PARTS = 4  # of what is drawn, so that each process may draw some


def pool(folder: Path) -> Pool:
    """As many as the profile says: of 200 drawn for CI some 150 are left.

    Processes that share the folder share the work: what no other has begun, one draws.
    """
    waiting = dict.fromkeys(range(PARTS))
    found: dict[str, Drawn] = {}
    while waiting:
        for part in list(waiting):
            file = folder / f"drawn{part}.json"
            if _begun(file):
                _write(file, part)
            if file.exists():
                for data, parts in json.loads(file.read_text()):
                    text = json.dumps(data, sort_keys=True)
                    found[text] = Drawn(data, network_of(data, parts))
                del waiting[part]
        time.sleep(0.1 * bool(waiting))
    return Pool(
        found[text] for text in sorted(found, key=lambda text: (len(text), text))
    )


def _begun(file: Path) -> bool:
    """Whether this process is the first to begin it."""
    try:
        file.with_suffix(".begun").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _write(file: Path, part: int) -> None:
    """Draw that part; where it fails, another process may try and fail as well."""
    drawn: list[tuple[Data, list[str]]] = []

    @seed(part)
    @settings(max_examples=max(200, settings().max_examples) // PARTS)
    @given(spec_data(), st.data())
    def draw(data: Data, more: st.DataObject) -> None:
        drawn.append((data, more.draw(cuts(data))))

    try:
        draw()
    except BaseException:
        file.with_suffix(".begun").unlink()
        raise
    whole = file.with_suffix(".part")
    whole.write_text(json.dumps(drawn))
    whole.replace(file)


def parsed(data: Any) -> Plan:
    """The plan of plain data, with all rules applied as to a file."""

    def node(value: Any) -> Node:
        if isinstance(value, dict):
            return Node({k: node(v) for k, v in value.items()}, Place("x"))
        if isinstance(value, list):
            return Node([node(v) for v in value], Place("x"))
        return Node(value, Place("x"))

    return parse(Source(node(data)))


def _eights(width: Any) -> Any:
    """The next multiple of 8, of one width or of each."""
    return [*map(_eights, width)] if isinstance(width, list) else -(-width // 8) * 8


# --- values, as the schema has them -------------------------------------------------------

_MODELS: dict[str, Schema] = json_schema()["$defs"]
_WHOLE = {**_MODELS["Whole"]}
_WHOLE["required"] = [*_WHOLE["required"], "widths"]  # which `stages` might give
_NULL = {"type": "null"}


def _mapping(draw: st.DrawFn, schema: Schema, depths: Sequence[int]) -> Data:
    """What must be written, of the rest little or much, and most of what is inside that."""
    much = draw(st.integers(0, 2)) if schema is _WHOLE else 2
    return {
        field: _value(draw, inner, field, depths)
        for field, inner in schema["properties"].items()
        if field not in ("depths", "expect", "stages")
        and (field in schema.get("required", ()) or draw(st.integers(0, 3)) > 2 - much)
    }


def _value(draw: st.DrawFn, schema: Schema, field: str, shape: Sequence[int]) -> Any:
    """A value; a list has an entry for each of `shape`, with so many entries of its own."""
    schema = _plain(schema)
    if "properties" in schema:
        return _mapping(draw, schema, shape)
    if step := _step(schema):
        others = {"StemStep": stems(), "HeadStep": heads()}
        return draw(others.get(step, chains(field)))
    if "oneOf" in schema:
        return _value(draw, draw(st.sampled_from(schema["oneOf"])), field, shape)
    if schema["type"] == "array":
        shape = [1] * schema["minItems"] if "minItems" in schema else shape
        return [_entry(draw, schema["items"], field, [1] * count) for count in shape]
    if words := schema.get("enum", [schema[key] for key in schema if key == "const"]):
        return draw(st.sampled_from(words))
    return draw(VALUES[field] if field in VALUES else _of_type(schema))


def _step(schema: Schema) -> str:
    """The model of the ops in a chain; empty for other lists."""
    inner = schema.get("items", {}).get("oneOf", ())
    names = (Path(s["$ref"]).name for s in inner if "$ref" in s)
    return next((name for name in names if name.endswith("Step")), "")


def _entry(draw: st.DrawFn, schema: Schema, field: str, shape: Sequence[int]) -> Any:
    """A value in a list, or null where that is lawful; seldom one for each block."""
    options = [
        s for s in _plain(schema).get("oneOf", ()) if "items" not in s or _step(s)
    ]
    if options and draw(st.integers(0, 5)):
        schema = {**_plain(schema), "oneOf": options}
    null = _may_be_null(schema) and draw(st.integers(0, 3)) == 3
    return None if null else _value(draw, schema, field, shape)


def _of_type(schema: Schema) -> st.SearchStrategy[Any]:
    if schema["type"] == "integer":
        return st.integers(schema["minimum"], schema["minimum"] + 3)
    return st.booleans() if schema["type"] == "boolean" else st.sampled_from([0.1, 0.5])


def _may_be_null(schema: Schema) -> bool:
    return _NULL in schema.get("anyOf", ())


def _plain(schema: Schema) -> Schema:
    """The schema without null, and what it refers to."""
    (schema,) = [s for s in schema.get("anyOf", [schema]) if s != _NULL]
    return _MODELS[Path(schema["$ref"]).name] if "$ref" in schema else schema


def _inner(schema: Schema, part: str | int) -> Schema:
    """The schema of a mapping's key, or of a list's entries, of whichever list it is."""
    options = [*_alternatives(schema)]
    if isinstance(part, str):
        found = (
            s["properties"][part] for s in options if part in s.get("properties", ())
        )
        return next(found)
    first, *others = (s["items"] for s in options if "items" in s)
    return {"oneOf": [first, *others]} if others else first


def _alternatives(schema: Schema) -> Iterator[Schema]:
    schema = _plain(schema)
    if "oneOf" not in schema:
        yield schema
    for inner in schema.get("oneOf", ()):
        yield from _alternatives(inner)


# --- mending, as the rules ask for it -----------------------------------------------------


def problems(data: Data) -> Sequence[Problem]:
    """What is wrong with a spec."""
    try:
        lower(parsed(data))
    except SpecError as error:
        return error.problems
    return ()


def _mend(draw: st.DrawFn, data: Data, problems: Sequence[Problem]) -> None:
    """Change all that is idle or missing; without such, one thing, for that may be enough."""
    sure = [p for p in problems if _is_idle(p) or _at(data, p.path) is None]
    chosen = sure or [draw(st.sampled_from(problems))]
    for problem in sorted(chosen, key=lambda p: -len(p.path)):  # inner ones first
        HINTS.get(problem.rule, _change)(draw, data, problem)


def _is_idle(problem: Problem) -> bool:
    return problem.about_key or problem.rule == "unused-entry"


def _at(data: Any, path: Sequence[Any]) -> Any:
    """What stands there, None where nothing does."""
    for part in path:
        if not isinstance(data, (dict, list)):
            return data
        data = data.get(part) if isinstance(data, dict) else data[part]
    return data


def _change(draw: st.DrawFn, data: Data, problem: Problem) -> None:
    """Take away what a problem names, where it is there and may go, or draw it again."""
    places = [problem.path, *(problem.others if problem.rule == "not-together" else ())]
    path: Sequence[Any] = draw(st.sampled_from(places))
    *above, key = path
    if _at(data, above) is None:  # a mapping of which nothing has been said
        data[above[0]] = {}
    holder, there = _at(data, above), _at(data, path)
    schema = reduce(_inner, above, _WHOLE)
    goes = _is_idle(problem) or isinstance(there, dict) or draw(st.booleans())
    if there is None or not goes or not _may_go(schema, key):
        field = [part for part in path if isinstance(part, str)][-1]
        shape = data["depths"]
        if isinstance(key, int) and len(path) == 2:  # a stage's entry
            shape = [1] * shape[min(key, len(shape) - 1)]
        holder[key] = _value(draw, _inner(schema, key), field, shape)
    elif isinstance(holder, list):
        holder[key] = None
    else:
        del holder[key]


def _may_go(schema: Schema, key: str | int) -> bool:
    if isinstance(key, int):
        return _may_be_null(_inner(schema, key))
    return key not in _plain(schema).get("required", ())


def _enlarge(_draw: st.DrawFn, data: Data, _problem: Problem) -> None:
    data["input"][1:] = [3 * side + 8 for side in data["input"][1:]]


def _fit(_draw: st.DrawFn, data: Data, _problem: Problem) -> None:
    """A pool over the whole of the last map, which must be square."""
    data["input"][2] = data["input"][1]
    head = {**data["head"], "pool": "global"}
    if problems(pooled := {**data, "head": head}):
        del data["head"]["pool"]
    else:
        last = lower(parsed(pooled)).stages[-1].output
        data["head"]["pool"] = int(last.height)


def _divide(draw: st.DrawFn, data: Data, problem: Problem) -> None:
    """Sides that much divides, or nothing that has to divide them."""
    if draw(st.booleans()) and max(data["input"][1:]) < 48:
        data["input"][1:] = [48, 48]
        return
    _redraw(draw, data, problem._replace(path=("stem",)))
    data["attention"] = "none"


def _redraw(draw: st.DrawFn, data: Data, problem: Problem) -> None:
    """A block, a shortcut or a stem of one's own anew, or one that ships."""
    field = str(problem.path[0])
    schema = _WHOLE["properties"][field]
    data[field] = _value(draw, schema, field, data["depths"])


HINTS: dict[str, Callable[[st.DrawFn, Data, Problem], None]] = {
    "image-too-small": _enlarge,
    "image-divides": _divide,
    "pool-fits": _fit,
    **dict.fromkeys(
        (
            *("op-takes", "word-idle", "never-learns"),
            *("chain-stride", "chain-channels", "unequal-shapes"),
        ),
        _redraw,
    ),
}
"""What mends a problem that no new value of the field that it names would."""
