"""The table of rules: every rule has an entry, and its specs are what they say."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from resnet_spec import Problem, SpecError, load
from resnet_spec.language.parsing import EXPECTED
from resnet_spec.problems.rules import RULES

NAMING = ("Problem", "PydanticCustomError", "note", "refused", "stopped")
SHOWN = [name for name, rule in RULES.items() if rule.wrong]
WITHOUT_SPECS = {
    "file",
    "text",
    "override",
    "features",
    "unequal-shapes",
    "size",  # takes 4,000 values
    "more",  # takes a hundred mistakes, each of another rule
}


def problems(spec: str, folder: Path) -> Sequence[Problem]:
    """What is wrong with a spec, or probably a mistake in it."""
    file = folder / "spec.yaml"
    file.write_text(spec, encoding="utf-8")
    try:
        return load(file).warnings
    except SpecError as error:
        return error.problems


def named(source: str) -> Iterator[str]:
    """The literal names that a module gives to what it refuses."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args:
            called, first = node.func, node.args[0]
            name = getattr(called, "id", getattr(called, "attr", ""))
            if name in NAMING and isinstance(first, ast.Constant):
                yield str(first.value).replace("_", "-")


def test_the_table_has_the_names_in_the_code_and_no_others() -> None:
    found = {kind.replace("_", "-") for kind in EXPECTED}
    for file in Path("resnet_spec").rglob("*.py"):
        found |= set(named(file.read_text(encoding="utf-8")))
    assert found == set(RULES)


def test_names_are_found_in_calls_of_functions_and_of_methods() -> None:
    source = 'yield Problem("a", m)\nself.note("b", m)\nrefused(f"c{m}")\nE("d")\n'
    assert set(named(source)) == {"a", "b"}


@pytest.mark.parametrize("name", SHOWN)
def test_wrong_breaks_that_rule_alone_and_right_none(name: str, tmp_path: Path) -> None:
    rule = RULES[name]
    found = problems(rule.wrong, tmp_path)
    assert {problem.rule for problem in found} == {name}
    here = str(tmp_path / "spec.yaml")  # and not a file that it extends
    assert {problem.place.file for problem in found if problem.place} == {here}
    assert list(problems(rule.right, tmp_path)) == []


def test_only_what_no_short_spec_breaks_is_without_specs() -> None:
    assert set(RULES) - set(SHOWN) == WITHOUT_SPECS
    assert not any(RULES[name].right for name in WITHOUT_SPECS)


def test_every_rule_is_explained_in_a_line_and_some_sentences() -> None:
    for rule in RULES.values():
        assert len(rule.summary) <= 75
        assert not rule.summary.endswith(".")
        assert rule.explanation.endswith(".")
        assert len(rule.explanation) <= 1024  # what GitHub shows of a fullDescription
