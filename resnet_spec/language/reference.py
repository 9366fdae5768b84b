"""The reference of the language, `docs/language.md`, from its JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from resnet_spec.language.expected import OR_A_LIST, model_at
from resnet_spec.language.rules.conventions import CONVENTIONS
from resnet_spec.language.schema import json_schema
from resnet_spec.language.shipped import spec_path
from resnet_spec.language.values import PAIR
from resnet_spec.problems.words import flow

INTRODUCTION = """\
# The language, field by field

A spec is one YAML mapping, read by the core schema of YAML 1.2. What is not listed here is
refused, and so is a field that nothing in the network reads.

`extends: other.yaml` starts from another spec, found from the folder of this one, and
`extends: resnet50d` from one that ships with the package: mappings
merge, anything else replaces, and `null` takes an inherited value away. `name`, `title` and
`expect` are never inherited.

Where a field takes *a list with one per stage*, one value holds for all stages, and an entry of
the list may itself be a list, with a value for each block of the stage: with `depths: [3, 4]`,
`strides: [[1, 1, 2], [1, 1, 1, 2]]` stride in the last block of each stage. In `stride_on`,
`expansion`, `dilations` and those of groups, `null` stands for a stage or a block that has no
use for it.

A stride of another number along the height than along the width is one word: `2x1` halves the
height and keeps the width, as in networks for speech and for lines of text.

This page is the output of `resnet-spec schema --markdown`. ResNet-50, whole:
"""

CHAINS = """\
## A block of one's own

A block of one's own is `post(body(pre(x)) + shortcut)`. The ops of the shortcut read `pre(x)`;
where the shape stays, the input itself is added. An inverted bottleneck, for example:

```yaml
block:
  name: InvertedBlock
  body: [{conv: 1, to: in * 6}, norm, activation,
         {conv: 3, groups: each, stride: block}, norm, activation,
         {conv: 1}, norm]
  post: []
shortcut: projection
```

`shortcut` is a word, or a chain of ops for where the shape changes, as
`[{pool: avg, stride: block}, {conv: 1}, norm]`.

In a chain `norm`, `activation`, `attention`, `dropout` and `spatial` stand for what the fields
of those names say; any other op is a mapping, as below. One op of the body has `stride: block`.
Channels are `in`, those that the block reads; `width`, what `widths` says; `out`, `expansion`
times as many, which every block gives; or part of one of them, as `width * 3 / 8`. Kernels are
padded to keep the size at stride 1. A convolution has a bias where `bias: true` or `conv_bias`
says so.

`{scale: 0.1}` multiplies by a number that is fixed. `{scalar_multiplier: 0}` and
`{scalar_bias: 0}` are one number each for the whole map, which learns from the one that is said
on; they count as parameters, and not as multiply-adds, as in torch's own counter. Fixup's basic
block:

```yaml
block:
  name: FixupBlock
  pre: [{scalar_bias: 0}]
  body: [{conv: 3, stride: block}, {scalar_bias: 0}, activation, {scalar_bias: 0},
         {conv: 3}, {scalar_multiplier: 1}, {scalar_bias: 0}]
norm: {type: none}
```

Modules are numbered by what they are in the order of `pre`, `body` and `post`: `conv1`, `bn1`
(`norm1` where it is no batch norm), `pool1`, `scale1`, `multiplier1`, `bias1`. Activations are
called by their function, and the ops of the shortcut are `downsample.0`, `downsample.1` and so
on.

A body and a shortcut that cannot be added for every image are refused, with the smallest image
for which they differ.
"""

STEMS = """\
## A stem of one's own

A stem of one's own is a chain of ops, as those of [blocks](#an-op):

```yaml
stem:
  width: 64
  type: [{conv: 3, stride: 2, to: width / 2}, norm, activation,
         {conv: 3, to: width / 2}, norm, activation,
         {conv: 3}, norm, activation, {pool: max, kernel: 3, stride: 2}]
```

It reads `in` channels, those of the image, and gives `width`. A stride is a number, and nothing
is a block's: there is no `stride: block`, no `attention`, `dropout` or `spatial`. `norm` and
`activation` are those of the first block, and `preact` changes nothing. Behind a chain without
a pool or a blur, `pool` may say one. A kernel is odd; what a 4x4 of stride 4 makes of patches,
`{space_to_depth: 4}, {conv: 1}` makes, too, by weights of another shape.

Modules are numbered as in a block: `conv1`, `bn1`, `conv2`, `bn2`, `pool1`. All of them are the
feature `stem`.
"""


HEAD = """\
## Before the pool

`head.pre` is a chain of such ops between the last stage and the pool, as
`[{conv: 1, to: 1280}, norm, activation]`, behind the norm that `preact.final_norm` asks for.
`norm` and `activation` are those of the last block. Several are the Sequential `final`, one
alone is that itself.
"""


GROUPS: dict[str, tuple[str, ...]] = {
    "What every spec says": (
        "name",
        "title",
        "paper",
        "input",
        "stem",
        "block",
        "expansion",
        "stride_on",
        "depths",
        "widths",
        "stages",
        "strides",
        "shortcut",
        "head",
    ),
    "What varies the blocks": (
        "activation",
        "norm",
        "groups",
        "width_per_group",
        "group_width",
        "attention",
        "se",
        "attention_after",
        "preact",
        "dilations",
        "dilation_from",
        "anti_alias",
        "blur_taps",
        "spatial",
        "conv_bias",
        "standardization",
        "reduce_first",
        "pruned",
    ),
    "Training, and what is claimed": ("dropout", "drop_path", "init", "expect"),
}
"""The fields of a spec, what most people need first."""


def markdown() -> str:
    """The page: tables of a spec's fields, a row for each, then one for each mapping."""
    models = json_schema()["$defs"]
    whole = models["Whole"]
    every, varied, training = (_table(title, whole, GROUPS[title]) for title in GROUPS)
    chains = [CHAINS, *_table("An op", models["Step"])]
    stems = [STEMS, *_table("An op of a stem", _more(models, "StemStep", "Step"))]
    heads = [HEAD, *_table("An op of a head", _more(models, "HeadStep", "StemStep"))]
    example = f"```yaml\n{spec_path('resnet50').read_text(encoding='utf-8')}```\n"
    parts = [
        INTRODUCTION,
        example,
        *every,
        *_which(),
        *varied,
        *chains,
        *stems,
        *heads,
        *training,
    ]
    for field in (field for fields in GROUPS.values() for field in fields):
        parts += _mappings(field, whole["properties"][field], models)
    return "\n".join(parts).rstrip("\n")


def _mappings(
    name: str, schema: dict[str, Any], models: dict[str, Any]
) -> Iterator[str]:
    """The table of a field that is a mapping, and of those in it."""
    if model := _reference(schema):
        yield from _table(f"`{name}`", models[model])
        for field, inner in models[model]["properties"].items():
            yield from _mappings(f"{name}.{field}", inner, models)


def _more(models: dict[str, Any], model: str, before: str) -> dict[str, Any]:
    """What an op has there and not in the other place."""
    ours, others = (models[name]["properties"] for name in (model, before))
    return {"properties": {k: v for k, v in ours.items() if v != others.get(k)}}


WHICH = """\
## Which ResNet is this?

Published code disagrees on these, mostly without a word, and weights of one network often load
into another. So none has a default: each is written where it makes a difference, and refused
elsewhere.

| field | makes a difference in | who has which |
| --- | --- | --- |
| `stride_on` | a bottleneck that strides | conv1 in the paper, Caffe and Keras, conv2 in \
torchvision and timm |
| `shortcut` | option A, where channels are added | zero_pad_after in fb.resnet.torch, \
zero_pad_around in akamaster's pytorch_resnet_cifar10 |
| `stages.regnet.rounding` | widths that groups do not divide; every rule says it | pycls in \
pycls and timm, torchvision in torchvision and timm's models with `_tv` |
"""


def _which() -> Iterator[str]:
    """What a network has to be asked for, as the rule has it."""
    yield WHICH + "".join(
        f"| `{field}` | {convention.where.rstrip(',')} | {convention.who} |\n"
        for field, convention in CONVENTIONS.items()
    )


def _table(
    title: str, model: dict[str, Any], fields: Sequence[str] = ()
) -> Iterator[str]:
    """A row for each of the fields, or for all."""
    yield f"## {title}\n"
    yield "| field | value | default | what it says |"
    yield "| --- | --- | --- | --- |"
    required = model.get("required", [])
    either = model.get("else", {}).get("required", ())
    for name in fields or model["properties"]:
        schema = model["properties"][name]
        default = "must be written" if name in required else _default(schema)
        if name in either:
            default = "must be written, or `stages`"
        said = schema["description"].replace("|", "\\|")
        yield f"| `{name}` | {_value(schema)} | {default} | {said} |"
    yield ""


@cache
def _models() -> dict[str, Any]:
    models: dict[str, Any] = json_schema()["$defs"]
    return models


def row(path: tuple[str, ...]) -> tuple[str, str, str]:
    """What may be written in a field, its default where it has one, and what it says.

    >>> row(("stem", "width"))[:2]
    ('an integer from 1 to 65536', '')
    """
    model = model_at(path[:-1]).__name__
    fields = _models()["Whole" if model == "Spec" else model]["properties"]
    default = _default(fields[path[-1]])
    return (
        _value(fields[path[-1]]),
        f"{default} where nothing is said" if default else "",
        fields[path[-1]]["description"],
    )


def _reference(schema: dict[str, Any]) -> str | None:
    """The model that a field's value is, where it is a mapping."""
    found = (option["$ref"] for option in _options(schema) if "$ref" in option)
    return next((reference.rsplit("/", 1)[1] for reference in found), None)


def _default(schema: dict[str, Any]) -> str:
    default = schema.get("default")
    return "" if default is None or isinstance(default, dict) else f"`{flow(default)}`"


def _value(schema: dict[str, Any]) -> str:
    """What may be written, in words."""
    options = [o for o in _options(schema) if o.get("type") != "null"]
    *alone, last = options
    if alone and last.get("type") == "array" and not _is_chain(last):
        return f"{' or '.join(map(_value, alone))}{OR_A_LIST}"
    if len(options) > 1:
        return " or ".join(map(_value, options))
    (schema,) = options
    if "$ref" in schema:
        return "an op" if schema["$ref"].endswith("Step") else "a mapping"
    if words := schema.get("enum"):
        return ", ".join(f"`{word}`" for word in words)
    if schema["type"] == "array":
        return f"a list of {_value(schema['items'])}"
    if schema.get("pattern") == f"^{PAIR}$":
        return "two as `2x1`"
    kinds = {
        "integer": "an integer",
        "number": "a number",
        "boolean": "`true`, `false`",
    }
    return f"{kinds.get(schema['type'], 'text')}{_range(schema)}"


def _is_chain(schema: dict[str, Any]) -> bool:
    options = _options(schema["items"])
    return any(option.get("$ref", "").endswith("Step") for option in options)


def _options(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The alternatives, with those of alternatives in their place."""
    inner = schema.get("anyOf") or schema.get("oneOf")
    return [o for each in inner for o in _options(each)] if inner else [schema]


def _range(schema: dict[str, Any]) -> str:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if low is None:
        return (
            f" of at most {schema['maxLength']} characters"
            if "maxLength" in schema
            else ""
        )
    above = "above" if "exclusiveMinimum" in schema else "from"
    below = "below" if "exclusiveMaximum" in schema else "to"
    return f" {above} {low} {below} {high}"
