"""Answers to keys of others: what is to be written is lawful, and what was meant."""

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

import pytest
from timm.models import resnet, resnetv2

from resnet_spec import SpecError, digests, load
from resnet_spec.language import answers
from resnet_spec.language.answers import answer
from resnet_spec.language.meanings import FUNCTIONS
from resnet_spec.language.reading import override, read
from resnet_spec.language.shipped import shipped_spec, spec_path

FIELD = r"(\w+): (\{[^{}]*\}|\[[^\[\]]*\]|[^ ,;\[{]+)"
WRITTEN = re.compile(rf"write ({FIELD}(?: and {FIELD})*)(?:, .*)?")


@cache
def data(spec: str) -> dict[str, Any]:
    found: dict[str, Any] = read(spec_path(spec)).root.data
    return found


def said(spec: str, keys: dict[str, Any]) -> dict[str, str]:
    """The answer to each key in a spec that has all of them."""
    whole = {**data(spec), **keys}
    return {
        key: answer((key,), value, "unknown-key", whole) for key, value in keys.items()
    }


def fields(answer: str) -> dict[str, Any]:
    """What an answer that says whole lines to write says; empty of others."""
    found = WRITTEN.fullmatch(answer)
    lines = re.findall(FIELD, found[1]) if found else []
    return dict(
        override(f"{name}={value}") for name, value in lines if name != "extends"
    )


def leaves(written: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of mappings by themselves, as `{"stem.width": 64}`."""
    for name, value in written.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{key}", inner) for key, inner in value.items())
        else:
            yield name, value


# --- what is written in timm --------------------------------------------------------------


def literal(node: ast.expr) -> Any:
    """A value of Python's source as a spec could have it: what is no literal, by its name."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "dict":
        return {str(word.arg): literal(word.value) for word in node.keywords}
    if isinstance(node, (ast.Tuple, ast.List)):
        return [literal(entry) for entry in node.elts]
    return node.value if isinstance(node, ast.Constant) else ast.unparse(node)


def defaults(network: type) -> dict[str, Any]:
    """The arguments of a class that need not be given, as far as a spec could have them."""
    given = {k: p.default for k, p in inspect.signature(network).parameters.items()}
    plain = {
        k: v for k, v in given.items() if isinstance(v, (bool, int, float, str, tuple))
    }
    return {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}


def arguments(
    module: ModuleType, network: type
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The arguments of timm's models that ship here, as timm's source has them.

    Left out are those that are more than arguments: pruned ones, an `attn_layer` that is made
    before, and the one that has both kinds of blocks.
    """
    for function in ast.parse(inspect.getsource(module)).body:
        name = getattr(function, "name", "")
        for node in ast.walk(function) if shipped_spec(name) else ():
            if (
                isinstance(node, ast.Assign)
                and ast.unparse(node.targets[0]) == "model_args"
            ):
                found = literal(node.value)
                found |= found.pop("block_args", {})
                mixed = isinstance(found.get("block"), list)
                made = found.get("attn_layer") == "attn_layer"
                if "pruned" not in name and not mixed and not made:
                    yield name, defaults(network) | found


def basic(found: dict[str, Any]) -> bool:
    return found.get("block") == "BasicBlock" or found.get("basic") is True


MODELS = [
    pytest.param(name, found, f"{base}{18 if basic(found) else 50}", id=name)
    for base, module, network in (
        ("resnet", resnet, resnet.ResNet),
        ("resnetv2_", resnetv2, resnetv2.ResNetV2),
    )
    for name, found in arguments(module, network)
]
"""Each with a plain network of the same blocks."""


def test_most_models_of_timm_are_looked_at() -> None:
    assert len(MODELS) >= 80


@pytest.mark.parametrize(("model", "found", "base"), MODELS)
def test_what_is_said_of_timms_arguments_is_timms_network(
    model: str, found: dict[str, Any], base: str
) -> None:
    """In that network there is nothing to write; in a plain one, all that makes it that one."""
    changes = {"input": data(model)["input"]}
    ours = {"preact": "pre_act"}  # a key of ours, so said under its other name
    keys = {ours.get(key, key): value for key, value in found.items()}
    in_it, in_a_plain_one = said(model, keys), said(base, keys)
    for key in keys.keys() - {"block"}:
        there, here = in_it[key], in_a_plain_one[key]
        assert there.startswith("leave it out") or key == "zero_init_last"
        assert fields(here) or here.startswith("leave it out")
        changes |= dict(leaves(fields(here)))
    made, meant = (digests(load(*s).network) for s in ((base, changes), (model,)))
    assert (made.layout, made.function) == (meant.layout, meant.function)


# --- whatever is written ------------------------------------------------------------------

OTHERS = sorted({*answers.FIELDS, *answers.OF_KEYS, *answers.VALUES, *FUNCTIONS})
VALUES = [
    False,
    True,
    0,
    1,
    2,
    0.25,
    32,
    1e9,
    "",
    "nosuch",
    [2, 1],
    [64] * 4,
    [False] * 3,
]
VALUES += [{}, {"type": "nosuch"}, [], ["a"], "resnet50", -1, 50, 0.99, {"type": "GN"}]
VALUE_RULES = re.compile(
    r"(greater|less)-than.*|.*-type|choice|unknown-key|too-(long|short)|missing|file|extends"
)


@cache
def broken(changes: str, spec: str = "resnet50") -> frozenset[str]:
    """The rules of values and keys that the spec with those changes breaks."""
    try:
        load(spec, ast.literal_eval(changes))
    except SpecError as error:
        return frozenset(
            p.rule for p in error.problems if VALUE_RULES.fullmatch(p.rule)
        )
    return frozenset()


@pytest.mark.parametrize("key", OTHERS)
def test_what_is_to_be_written_is_lawful(key: str) -> None:
    *above, name = key.split(".")
    spec = "regnetx_002" if "stages" in above else "resnet50"
    for value in VALUES:
        said_of = answer((*above, name), value, "unknown-key", data(spec))
        assert "VALUE" not in said_of
        changes = {".".join((*above, field)): v for field, v in fields(said_of).items()}
        assert not broken(repr(dict(leaves(changes))), spec), (value, said_of)


def test_a_name_to_extend_is_one_that_ships() -> None:
    assert answer(("arch",), "resnet50", "unknown-key") == "write extends: resnet50"
    assert (
        answer(("base",), "../own.yaml", "unknown-key") == "write extends: ../own.yaml"
    )
    for name in ("resnet51", "nosuch", "../resnet50.py", ["resnet50"]):
        said_of = answer(("arch",), name, "unknown-key")
        assert said_of.startswith(
            "write extends with a name that resnet-spec list prints"
        )


def test_what_is_dilated_is_as_torchvision_has_it() -> None:
    """The keys of its fcn_resnet50, over resnet50, make the backbone that ships."""
    keys = {"replace_stride_with_dilation": [False, True, True]}
    changes = fields(said("resnet50", keys)["replace_stride_with_dilation"])
    made, meant = (
        load("resnet50", changes),
        load(
            "fcn_resnet50_backbone",
            {"input": [3, 224, 224], "head": data("resnet50")["head"]},
        ),
    )
    assert digests(made.network).function == digests(meant.network).function
    assert fields(said("resnet50", {"output_stride": 8})["output_stride"]) == changes
    assert fields(said("cifar/resnet20", {"output_stride": 8})["output_stride"]) == {}
