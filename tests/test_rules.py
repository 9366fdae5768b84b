"""The table of rules: every rule has an entry, its specs are what they say, and it is shown."""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from resnet_spec import Problem, SpecError, load
from resnet_spec.cli import main
from resnet_spec.language.expected import EXPECTED
from resnet_spec.language.parsing import MOST_PROBLEMS
from resnet_spec.language.reading import LONGEST_CHAIN
from resnet_spec.language.rules.stages import MOST_BLOCKS
from resnet_spec.language.schema import json_schema
from resnet_spec.language.yaml_nodes import DEEPEST, LONGEST, MOST_VALUES
from resnet_spec.problems.rules import RULES
from resnet_spec.problems.texts import LARGEST_FILE
from resnet_spec.search.space import MOST_POINTS

FIELDS = json_schema()["$defs"]["Whole"]["properties"]
SHOWN = [name for name, rule in RULES.items() if rule.wrong]
WITHOUT_SPECS = {
    "file",
    "text",
    "override",
    "features",
    "choices",  # of spaces, which are no specs
    "range",
    "size",  # takes 4,000 values
    "more",  # takes a hundred mistakes, each of another rule
}


def run(*args: str) -> Result:
    return CliRunner().invoke(main, args)


def problems(spec: str, folder: Path) -> Sequence[Problem]:
    """What is wrong with a spec, or probably a mistake in it."""
    file = folder / "spec.yaml"
    file.write_text(spec, encoding="utf-8")
    try:
        return load(file).warnings
    except SpecError as error:
        return error.problems


def named(*sources: str) -> Iterator[str]:
    """The names that modules give to what they refuse, in calls of all that takes a rule."""
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    naming = {
        "Problem",
        "PydanticCustomError",
        *map(_name, filter(_takes_rule, functions)),
    }
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    for call in calls:
        if _name(call.func) in naming and call.args:
            for word in filter(_is_name, map(_text, ast.walk(call.args[0]))):
                yield word.replace("_", "-")


def _takes_rule(function: ast.FunctionDef) -> bool:
    return any(argument.arg == "rule" for argument in function.args.args)


def _name(node: ast.AST) -> str:
    found = (getattr(node, field, "") for field in ("name", "id", "attr"))
    return next(filter(None, found), "")


def _text(node: ast.AST) -> str:
    return str(getattr(node, "value", "")) if isinstance(node, ast.Constant) else ""


def _is_name(word: str) -> bool:
    return bool(re.fullmatch(r"[a-z]+([-_][a-z]+)*", word))


def test_the_table_has_the_names_in_the_code_and_no_others() -> None:
    found = {kind.replace("_", "-") for kind in EXPECTED}
    files = Path("resnet_spec").rglob("*.py")
    found |= set(named(*(file.read_text(encoding="utf-8") for file in files)))
    assert found == set(RULES)


def test_names_are_found_wherever_a_rule_is_taken() -> None:
    calls = 'yield Problem("a" if m else "b", m)\nself.said("c_d", m)\nother("e")\n'
    takes = "def said(self, rule): ...\ndef other(word): ...\n"
    assert set(named(calls + 'said(f"no {m}")\n', takes)) == {"a", "b", "c-d"}


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("file", LARGEST_FILE),
        ("size", MOST_VALUES),
        ("nesting", DEEPEST),
        ("long-number", LONGEST),
        ("extends", LONGEST_CHAIN),
        ("more", MOST_PROBLEMS),
        ("block-count", MOST_BLOCKS),
        ("choices", MOST_POINTS),
        ("too-long", FIELDS["depths"]["maxItems"]),
        ("string-too-long", FIELDS["title"]["maxLength"]),
    ],
)
def test_the_limits_that_it_says_are_those_of_the_code(name: str, number: int) -> None:
    said = f"{RULES[name].summary} {RULES[name].explanation}"
    assert re.search(rf"\b{number:,}\b", said)


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


@pytest.mark.parametrize("name", RULES)
def test_the_command_explains_every_rule(name: str) -> None:
    result = run("rule", name)
    assert result.exit_code == 0
    assert result.output.startswith(f"{name}: {RULES[name].summary}\n")
    assert all(len(line) < 100 for line in result.output.splitlines())
    printed = "wrong.yaml:" in result.output and f"[{name}]" in result.output
    assert printed is (name in SHOWN)
    assert "/wrong.yaml" not in result.output


def test_the_command_lists_all_rules() -> None:
    lines = run("rule").output.splitlines()
    assert [line.split()[0] for line in lines] == list(RULES)
    assert "stage-count         a list does not have one entry for each stage" in lines


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [
        (["stage-cuont"], 1, "stage-cuont is not a rule (did you mean stage-count?)\n"),
        (["x"], 1, "x is not a rule; `resnet-spec rule` lists all\n"),
        (["tag", "--markdown"], 2, "--markdown prints all rules, and takes no NAME\n"),
    ],
)
def test_what_the_command_refuses(args: list[str], status: int, said: str) -> None:
    result = run("rule", *args)
    assert result.exit_code == status
    assert result.output.endswith(said)


def test_names_of_rules_complete() -> None:
    words = {"COMP_WORDS": "resnet-spec rule stri", "COMP_CWORD": "2"}
    env = {"_RESNET_SPEC_COMPLETE": "bash_complete", **words}
    result = CliRunner().invoke(main, prog_name="resnet-spec", env=env)
    names = [line.removeprefix("plain,") for line in result.output.splitlines()]
    assert names == ["string-type", "string-too-long", "strides-one-pixel"]
