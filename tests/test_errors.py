"""Wrong specs and the whole text that each prints.

`python -m tests.test_errors` writes the texts anew, to be read before they are committed.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from resnet_spec import SpecError, load, read
from resnet_spec.language.fields import Spec
from resnet_spec.language.parsing import EXPECTED
from resnet_spec.language.rules.fields import LENGTH_RULES, RULES
from resnet_spec.language.rules.options import Rule
from resnet_spec.problems import Problem, report

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
    """What machines are told: the name of each rule that each wrong spec breaks."""
    lines = [f"{case}: {' '.join(p.rule for p in problems(case))}\n" for case in CASES]
    return "".join(lines)


@pytest.mark.parametrize("case", CASES)
def test_the_whole_text(case: str) -> None:
    assert text(case) == (FOLDER / f"{case}.txt").read_text(encoding="utf-8")


def test_the_names_of_the_rules() -> None:
    """They stand in JSON and SARIF, where somebody may have silenced one by its name."""
    assert rules() == RULES_FILE.read_text(encoding="utf-8")


def test_every_rule_has_a_case() -> None:
    unseen: set[Rule] = {*RULES, *LENGTH_RULES[:1]}
    for case in CASES:
        try:
            spec = Spec.model_validate(read(FOLDER / f"{case}.yaml").root.data)
        except (SpecError, ValidationError):
            continue
        length = [problem for rule in LENGTH_RULES for problem in rule(spec)]
        unseen -= {LENGTH_RULES[0]} if length else {r for r in RULES if list(r(spec))}
    assert not unseen


def test_every_rule_in_the_code_has_a_case() -> None:
    """Collects the names that the code gives to what it refuses."""
    made = re.compile(
        r'(?:Problem|stopped|note|refused|PydanticCustomError)\(\s*"([a-z_-]+)"'
    )
    known = {kind.replace("_", "-") for kind in EXPECTED}
    for file in Path("resnet_spec").rglob("*.py"):
        found = made.findall(file.read_text(encoding="utf-8"))
        known |= {name.replace("_", "-") for name in found}
    assert len(known) > 40
    seen = {problem.rule for case in CASES for problem in problems(case)}
    elsewhere = {
        "override",
        "file",
        "features",
    }  # not in a spec: test_reading, test_cli
    warnings = {"strides-one-pixel", "large-stem", "channels-last"}  # test_reports
    assert known - seen == elsewhere | warnings


def test_there_are_sixty_and_more() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize(
    "fields",
    [
        {"pre_activation": True},
        {"spatial": {"type": "res2net", "scale": 4}},
        {"reduce_first": 2},
        {"groups": 2},
        {"width_per_group": 64},
        {"shortcut": "zero_pad"},
        {"shortcut": "none"},
    ],
)
def test_a_pruned_network_has_plain_bottlenecks(fields: dict[str, Any]) -> None:
    with pytest.raises(SpecError) as caught:
        load("ecaresnet50d_pruned", fields)
    found = {(problem.rule, problem.path) for problem in caught.value.problems}
    assert ("not-together", ("pruned",)) in found


def test_problems_of_a_base_are_placed_in_its_file() -> None:
    base, *_, note, own, _, _ = text("extends_a_wrong_spec").splitlines()
    assert base.startswith("tests/errors/depth_zero.yaml:8:13: ")
    assert note.endswith("= tests/errors/extends_a_wrong_spec.yaml extends this file")
    assert own.startswith("tests/errors/extends_a_wrong_spec.yaml:4:17: ")


if __name__ == "__main__":
    for case in CASES:
        (FOLDER / f"{case}.txt").write_text(text(case), encoding="utf-8")
    RULES_FILE.write_text(rules(), encoding="utf-8")
