"""Every entry of the catalog with every option: refused with a reason, or another network."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from resnet_spec import Network, SpecError, digests, load, lower, render
from resnet_spec.catalog import ACTIVATIONS, CATALOG, OPTIONS, words
from resnet_spec.language.canonical import canonical
from resnet_spec.language.plan import ANYWAY, PER_STAGE
from resnet_spec.lowering.attention import ATTENTION
from resnet_spec.lowering.blocks import BLOCKS
from resnet_spec.lowering.conv3x3 import ANTI_ALIAS, SPATIAL
from resnet_spec.lowering.initialization import SCHEMES
from resnet_spec.lowering.parts import LEARNED, NORMS
from resnet_spec.lowering.shortcuts import SHORTCUTS
from resnet_spec.lowering.stems import CONVOLUTIONS, POOLS
from resnet_spec.network import Digests, Op
from tests.strategies import parsed

Fields = dict[str, Any]

SHARED: Fields = {
    "name": "Net",
    "title": "Net",
    "input": [8, 64, 64],
    "stem.type": "conv3x3",
    "stem.width": 16,
    "stem.pool": "max",
    "depths": [2, 2],
    "widths": [32, 64],
    "strides": [1, 2],
    "shortcut": "projection",
    "head.classes": 8,
}
BASIC: Fields = SHARED | {"block": "basic"}
BOTTLENECK: Fields = SHARED | {
    "block": "bottleneck",
    "expansion": 2,
    "stride_on": "conv2",
}
PRE: Fields = {
    "preact.shortcut": "activated",
    "preact.stem_norm": False,
    "preact.final_norm": True,
}
SQUEEZED: Fields = {"attention": "se", "se.ratio": 0.25}  # to more than the least
BASES = [BASIC, BOTTLENECK, BASIC | PRE, BOTTLENECK | PRE]
NEEDS: dict[tuple[str, str], Fields] = {
    ("spatial.type", "res2net"): {"spatial.scale": 4},
    ("spatial.type", "selective_kernel"): {
        "spatial.ratio": 0.25,
        "spatial.divisor": 8,
        "spatial.split": True,
    },
    ("spatial.type", "split_attention"): {"spatial.radix": 2, "spatial.pool": "after"},
    ("spatial.pool", "after"): {"spatial.type": "split_attention", "spatial.radix": 2},
    ("spatial.pool", "before"): {"spatial.type": "split_attention", "spatial.radix": 2},
    ("norm.type", "group"): {"norm.groups": 4},
    ("norm.type", "evonorm_s0"): {"norm.groups": 4},
    ("norm.type", "evonorm_s0a"): {"norm.groups": 4},
    ("dilation_from", "previous"): {"dilations": [1, 2]},
    ("dilation_from", "own"): {"dilations": [1, 2]},
    ("shortcut", "identity"): {"stem.width": 32, "widths": 32, "strides": 1},
    ("preact.shortcut", "activated"): PRE,
    ("preact.shortcut", "raw"): PRE,
    ("preact.shortcut", "always_activated"): PRE,
    ("preact.first", "own"): PRE | {"stem.width": 32},
    ("preact.first", "shared"): PRE | {"stem.width": 32},
    ("attention", "se"): {"se.ratio": 0.25},
    ("attention_after", "last"): SQUEEZED,
    ("attention_after", "conv2"): SQUEEZED,
    ("se.ratio_of", "attended"): SQUEEZED,
    ("se.ratio_of", "input"): SQUEEZED,
    ("conv_bias", "unnormalized"): PRE,
    ("head.classes", "none"): SQUEEZED,  # biases, which schemes start
    ("shortcut", "avg_floor_projection"): {"anti_alias": "avg_floor"},
    ("anti_alias", "avg_floor"): {"shortcut": "avg_floor_projection"},
    ("head.hidden", "norm"): {"head.hidden": [8, "norm"]},
    ("head.hidden", "activation"): {"head.hidden": [8, "activation"]},
}
"""What an entry cannot be had without, or an option cannot be seen beside it."""
TRIED: dict[str, list[Any]] = {
    "stem.width": [24],
    "stem.stride": [1, 3, "2x1"],
    "blur_taps": [4],
    "expansion": [4],
    "groups": [2],
    "width_per_group": [32],
    "group_width": [16],
    "reduce_first": [2],
    "dilations": [[1, [2, 3]]],
    "preact": [None, {"shortcut": "raw", "stem_norm": True, "final_norm": True}],
    "preact.stem_norm": [True],
    "preact.final_norm": [False],
    "se.ratio": [0.5],
    "se.divisor": [3],
    "se.least": [64],
    "se.activation": ["silu"],
    "se.activated": [True],
    "se.bias": [False],
    "spatial.scale": [2],
    "spatial.radix": [4],
    "spatial.ratio": [1.0],
    "spatial.divisor": [64],
    "spatial.split": [False],
    "dropout": [0.5],
    "drop_path": [0.5],
    "standardization.eps": [1e-6],
    "pruned": [
        {"conv1": [[8, 8], [8, 8]], "conv2": [[8, 8], [8, 8]], "out": [64, 128]}
    ],
    "norm.groups": [2],
    "norm.channels_per_group": [8],
    "norm.eps": [1e-3],
    "norm.momentum": [0.5],
    "init.zero_last_norm": [True],
    "head.dropout": [0.5],
    **{field: words(field) for field in CATALOG},
    "head.pre": [[{"conv": 1, "to": 128}, "norm"]],
    "head.pool": [16, *words("head.pool")],
    "head.hidden": [[8, "norm", "activation"], []],
    "head.bias": [False],
    "activation": [*words("activation"), {"leaky_relu": 0.1}],
}
"""Values of each option; for a field of words, all of them."""
ENTRIES = [(field, word) for field in CATALOG for word in words(field)]


def nested(fields: Fields) -> Fields:
    """`{"stem.width": 8}` as `{"stem": {"width": 8}}`; None leaves a key out."""
    found: Fields = {}
    for path, value in fields.items():
        *above, key = path.split(".")
        at = found
        for part in above:
            at = at.setdefault(part, {})
        if value is not None:
            at[key] = value
    return {key: value for key, value in found.items() if value != {}}


def compiled(fields: Fields) -> Network:
    return lower(parsed(nested(fields)))


def bases(field: str, word: str) -> list[Fields]:
    """Specs that have the entry, of each block that can; what blocks have, in each form."""
    more = {field: word} | NEEDS.get((field, word), {})
    if (field, word) == ("stem.type", "none"):
        more |= {"stem.width": None, "stem.pool": None}
    found = []
    for base in BASES:
        try:
            compiled(base | more)
        except SpecError:
            continue
        found.append(base | more)
    assert found, "no spec has the entry"
    inside = "." not in field or field.startswith(("spatial", "norm"))
    return found if inside else found[:2]


def outcomes(base: Fields, option: str, before: str, written: Any) -> Iterator[str]:
    """What comes of each value: `another`, `the same`, or why it is refused.

    `before` and `written` are the base's fingerprint and its canonical form.
    """
    for value in TRIED[option]:
        if value == _at(written, option):  # there already, if by default
            continue
        try:
            after = digests(compiled(base | {option: value})).fingerprint
        except SpecError as error:
            yield str(error)
        else:
            yield "the same" if after == before else "another"


def _at(form: Fields, path: str) -> Any:
    """What is at a dotted path; None for nothing."""
    value: Any = form
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


@pytest.mark.slow
@pytest.mark.parametrize(("field", "word"), ENTRIES)
def test_every_option_beside_it_is_refused_or_makes_another_network(
    field: str, word: str
) -> None:
    """In the first network that has the entry; of four, in the last one, too."""
    crossed(bases(field, word)[::3], field)


@pytest.mark.long
@pytest.mark.parametrize(("field", "word"), ENTRIES)
def test_so_it_is_in_the_others_that_have_it(field: str, word: str) -> None:
    crossed(bases(field, word)[1:3], field)


def crossed(having: list[Fields], field: str) -> None:
    """Each option in each of the specs, which have an entry of the field."""
    for base in having:
        plan = parsed(nested(base))
        before, written = digests(lower(plan)).fingerprint, canonical(plan)
        for option in TRIED:
            parts = (key for key in base if key.startswith(f"{option}."))
            if option == field or any(parts):  # its mapping is said part by part
                continue
            found = []
            for made in outcomes(base, option, before, written):
                found.append(made)
                if made == "another":
                    break
            else:
                assert "the same" not in found, (option, base)


@pytest.mark.parametrize(("field", "word"), ENTRIES)
def test_every_norm_beside_it_is_the_one_asked_for_or_that_is_refused(
    field: str, word: str
) -> None:
    """So an entry whose layer has norms of its own must refuse others."""
    asked: list[tuple[Fields, Callable[[Op], bool]]] = [
        ({"norm.eps": 1e-3}, lambda op: getattr(op, "eps", None) == 1e-3),
        ({"norm.type": "group", "norm.groups": 4}, lambda op: False),
    ]
    for base in bases(field, word):
        for norm, has_it in asked if not field.startswith("norm") else []:
            try:
                network = compiled(base | norm)
            except SpecError:
                continue
            assert all(has_it(op) for _, op in network.distinct_ops() if averages(op))


def averages(op: Op) -> bool:
    """Whether its module keeps running averages, as batch norms do."""
    return any(tensor.name.endswith("running_mean") for tensor in op.tensors)


def test_every_field_that_an_entry_reads_is_tried() -> None:
    """That each changes some network, tests/test_dead_fields.py shows."""
    read = {name for e in _all() for pre in (0, 1) for name in e.reads_as(bool(pre))}
    assert {name for name in read if not name.endswith(".*")} - {"spatial"} <= {*TRIED}


def _all() -> list[Any]:
    return [entry for entries in CATALOG.values() for entry in entries.values()]


def test_lowering_has_a_function_for_every_entry() -> None:
    assert {*SHORTCUTS} == {*CATALOG["shortcut"]}
    assert {*ATTENTION, "none"} == {*CATALOG["attention"]}
    assert {*SPATIAL} == {*CATALOG["spatial.type"]}
    assert {*ANTI_ALIAS} == {*CATALOG["anti_alias"]}
    assert {*NORMS, "ibn_b", "none"} == {*CATALOG["norm.type"]}
    assert {*SCHEMES} == {*CATALOG["init.scheme"]}
    modules = {word: ACTIVATIONS[word].module for word in LEARNED}
    assert modules == {word: op.__name__ for word, op in LEARNED.items()}
    assert {*CONVOLUTIONS, "none"} == {*CATALOG["stem.type"]}
    assert {*POOLS} == {*CATALOG["stem.pool"]}
    forms = {
        (word, preact)
        for word, entry in CATALOG["block"].items()
        for preact in (False, True)
        if not preact or getattr(entry, "preact", None) is not None
    }
    assert {*BLOCKS} == forms


def test_what_entries_name_are_fields() -> None:
    known = {*TRIED, *PER_STAGE, *ANYWAY, "spatial", "pruned.*", "standardization"}
    for entry in [*_all(), *OPTIONS.values()]:
        named = {*entry.reads_as(False), *entry.reads_as(True)}
        assert named | {refusal.field for refusal in entry.refusals} <= known


def test_one_network_said_in_two_ways_has_one_digest_and_one_header() -> None:
    """A default written out, and the wide network by its widths or by those of its groups."""
    wide = {"widths": [128, 256, 512, 1024], "expansion": 2}
    for spec, fields in (
        ("resnet50", {"width_per_group": 64}),
        ("resnet50", {"groups": 1}),
    ):
        assert twice(spec, fields) == twice(spec, {})
    assert twice("resnet50", wide) == twice("resnet50", {"width_per_group": 128})


def twice(spec: str, fields: Fields) -> tuple[Digests, str]:
    network = load(spec, fields).network
    return digests(network), render(network)
