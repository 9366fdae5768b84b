"""Wrong specs and the whole text that each prints.

`python -m tests.test_errors` writes the texts anew, to be read before they are committed.
"""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from resnet_spec import SpecError, load, read
from resnet_spec.language.fields import Spec
from resnet_spec.language.plan import Plan
from resnet_spec.language.rules import CHECKS, LENGTHS, Check
from resnet_spec.language.schema import json_schema
from resnet_spec.problems import Problem, dotted, report
from resnet_spec.problems.rules import RULES

FOLDER = Path("tests/errors")
RULES_FILE = FOLDER / "rules.txt"
CASES = sorted(path.stem for path in Path(__file__).parent.glob("errors/*.yaml"))


@cache
def problems(case: str) -> tuple[Problem, ...]:
    with pytest.raises(SpecError) as caught:
        load(FOLDER / f"{case}.yaml")
    return caught.value.problems


def text(case: str) -> str:
    """What the wrong spec prints."""
    return report.text(problems(case))


def rules() -> str:
    """The name of each rule that each wrong spec breaks, and the fields to look at besides.

    Machines are told the first; by the others it is placed where a file extends another.
    """
    lines = [f"{case}: {' '.join(map(told, problems(case)))}\n" for case in CASES]
    return "".join(lines)


def told(problem: Problem) -> str:
    others = ", ".join(map(dotted, problem.others))
    return f"{problem.rule} ({others})" if others else problem.rule


@pytest.mark.parametrize("case", CASES)
def test_the_whole_text(case: str) -> None:
    assert text(case) == (FOLDER / f"{case}.txt").read_text(encoding="utf-8")


def test_the_names_of_the_rules() -> None:
    """They stand in JSON and SARIF, where somebody may have silenced one by its name."""
    assert rules() == RULES_FILE.read_text(encoding="utf-8")


NAMES = {
    name for model in json_schema()["$defs"].values() for name in model["properties"]
}


@pytest.mark.parametrize("case", CASES)
def test_what_else_to_look_at_is_a_field(case: str) -> None:
    """And a path has a key for each level, so that it leads to a line."""
    for problem in problems(case):
        assert problem.about_key or "." not in "".join(map(str, problem.path))
        for path in problem.others:
            assert path[0] in Spec.model_fields
            assert {part for part in path if isinstance(part, str)} <= NAMES


def test_every_rule_has_a_case() -> None:
    unseen: set[Check] = {*CHECKS, *LENGTHS}
    for case in CASES:
        try:
            spec = Spec.model_validate(read(FOLDER / f"{case}.yaml").root.data)
        except (SpecError, ValidationError):
            continue
        length = {check for check in LENGTHS if list(check(Plan(spec)))}
        unseen -= length or {check for check in CHECKS if list(check(Plan(spec)))}
    assert not unseen


def test_every_rule_of_the_table_has_a_case() -> None:
    seen = {problem.rule for case in CASES for problem in problems(case)}
    elsewhere = {
        "override",
        "file",
        "features",
        "choices",
        "range",
    }  # not in a spec: test_reading, test_cli, test_sweep
    warnings = {
        "strides-one-pixel",
        "one-pixel",
        "large-stem",
        "channels-last",
        "widths-outputs",
        "narrow-group",
        "dilation-strides",
        "block-strides",
        "keras-momentum",
    }  # test_reports
    assert seen == set(RULES) - elsewhere - warnings


def test_there_are_sixty_and_more() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize("count", [100, 101])
def test_a_hundred_mistakes_are_shown(count: int) -> None:
    with pytest.raises(SpecError) as caught:
        load("resnet50", {f"k{i}": i for i in range(count)})
    rules = [problem.rule for problem in caught.value.problems]
    assert rules.count("unknown-key") == 100
    assert rules.count("more") == count - 100


PREACT = {"shortcut": "activated", "stem_norm": False, "final_norm": True}


@pytest.mark.parametrize(
    "fields",
    [
        {"preact": PREACT},
        {"spatial": {"type": "res2net", "scale": 4}},
        {"reduce_first": 2},
        {"groups": 2},
        {"width_per_group": 64},
        {"shortcut": "zero_pad_after"},
        {"shortcut": "none"},
        {"attention": "se"},
        {"attention": ["eca", "eca", "eca", "none"]},
    ],
)
def test_a_pruned_network_has_plain_bottlenecks(fields: dict[str, Any]) -> None:
    with pytest.raises(SpecError) as caught:
        load("ecaresnet50d_pruned", fields)
    (field,) = fields
    found = {p.path[0]: p for p in caught.value.problems if "pruned" in str(p)}
    problem = found["pruned" if field == "preact" else field]
    unread = field == "preact"  # whose blocks know nothing of such widths
    assert problem.rule == ("unused" if unread else "not-together")


def test_problems_of_a_base_are_placed_in_its_file() -> None:
    base, *_, note, own, _, _ = text("extends_a_wrong_spec").splitlines()
    assert base.startswith("tests/errors/depth_zero.yaml:8:13: ")
    assert note.endswith("= tests/errors/extends_a_wrong_spec.yaml extends this file")
    assert own.startswith("tests/errors/extends_a_wrong_spec.yaml:4:17: ")
    first, second = problems("extends_a_wrong_spec")
    assert first.inherited_by == "tests/errors/extends_a_wrong_spec.yaml"
    assert second.inherited_by == ""


if __name__ == "__main__":
    for case in CASES:
        (FOLDER / f"{case}.txt").write_text(text(case), encoding="utf-8")
    RULES_FILE.write_text(rules(), encoding="utf-8")
