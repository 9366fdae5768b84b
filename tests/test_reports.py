"""Reports for people, programs, pull requests and code scanning; warnings."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from resnet_spec import load
from resnet_spec.cli import main
from resnet_spec.problems import Place, Problem, report
from resnet_spec.problems.rules import RULES

WRONG = "tests/errors/many_at_once.yaml"


def run(*args: str, **settings: object) -> Result:
    return CliRunner().invoke(main, args, **settings)  # type: ignore[arg-type]


def test_colour_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    plain = Path(WRONG).with_suffix(".txt").read_text()
    assert run("check", WRONG).stderr == plain
    coloured = run("check", WRONG, color=True).stderr
    assert coloured != plain
    assert click.unstyle(coloured) == plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert run("check", WRONG, color=True).stderr == plain


def test_json_has_all_that_the_text_has() -> None:
    result = run("check", WRONG, "--format", "json")
    found = json.loads(result.stdout)["problems"]
    assert result.exit_code == 1
    assert [(item["line"], item["column"], item["rule"]) for item in found] == [
        (1, 1, "unknown-key"),
        (1, 1, "missing"),
        (6, 12, "int-type"),
        (8, 9, "stage-count"),
    ]
    assert all(item["severity"] == "error" and item["file"] == WRONG for item in found)
    assert found[2]["path"] == "expansion"
    good = run("check", "specs/resnet50.yaml", "--format", "json")
    assert good.exit_code == 0
    assert json.loads(good.stdout) == {
        "problems": [],
        "networks": [
            {
                "class": "ResNet50",
                "title": "ResNet-50",
                "name": "specs/resnet50.yaml",
                "input": [3, 224, 224],
                "params": 25_557_032,
                "macs": 4_089_184_256,
                "activations": 11_114_984,  # that timm publishes, 11.11 M
            }
        ],
    }


def test_github_annotations_cannot_be_broken_out_of() -> None:
    place = Place("a,b:c%.yaml", 3, 4)
    problem = Problem("rule", "100% wrong\n::error::x", ("name",), place, note="%")
    assert report.github([problem]) == (
        "::error file=a%2Cb%3Ac%25.yaml,line=3,col=4,title=rule"
        "::name: 100%25 wrong%0A::error::x (%25)\n"
    )


def test_sarif_places_every_result() -> None:
    log = json.loads(run("check", WRONG, "--format", "sarif").stdout)
    assert log["version"] == "2.1.0"
    (run_,) = log["runs"]
    rules = [rule["id"] for rule in run_["tool"]["driver"]["rules"]]
    assert len(run_["results"]) == 4
    for result in run_["results"]:
        assert result["ruleId"] in rules
        assert result["level"] == "error"
        assert result["message"]["text"]
        location = result["locations"][0]["physicalLocation"]
        assert location["artifactLocation"] == {"uri": WRONG}
        region = location["region"]
        line = Path(WRONG).read_text().splitlines()[region["startLine"] - 1]
        assert region["startColumn"] <= region["endColumn"] <= len(line) + 1
    for rule in run_["tool"]["driver"]["rules"]:
        known = RULES[rule["id"]]
        assert rule["shortDescription"] == {"text": known.summary}
        assert rule["fullDescription"] == {"text": known.explanation}
        for text in rule["help"]["text"], rule["help"]["markdown"]:
            assert known.explanation in text
            assert known.wrong in text
            assert known.right in text
    where = {
        r["ruleId"]: r["locations"][0]["physicalLocation"]["region"]
        for r in run_["results"]
    }
    assert where["int-type"] == {"startLine": 6, "startColumn": 12, "endColumn": 16}


def test_sarif_takes_a_rule_that_is_not_ours() -> None:
    log = json.loads(report.sarif([Problem("theirs", "is wrong")]))
    assert log["runs"][0]["tool"]["driver"]["rules"] == [{"id": "theirs"}]


def test_the_text_ends_its_first_line_in_the_name_of_the_rule() -> None:
    place = Place("resnet.yaml", 3, 4)
    problem = Problem("theirs", "is wrong", ("name",), place, note="a note")
    assert report.text([problem]) == (
        "resnet.yaml:3:4: name: is wrong [theirs]\n       = a note\n"
    )


@pytest.mark.parametrize(
    ("spec", "overrides", "rules"),
    [
        ("resnet50", {"input": [3, 8, 8]}, ["large-stem", *["strides-one-pixel"] * 2]),
        ("resnet50", {"input": [3, 32, 32]}, ["large-stem"]),
        ("resnet50", {"input": [3, 33, 32]}, []),
        ("resnet50", {"input": [224, 224, 3]}, ["channels-last"]),
        ("cifar/resnet20", {"input": [3, 1, 1]}, ["strides-one-pixel"] * 2),
        ("cifar/resnet20", {"input": [3, 1, 2]}, ["strides-one-pixel"]),
        ("cifar/resnet20", {}, []),
        ("resnet18", {"input": [3, 40, 40], "strides": 2}, ["one-pixel"]),
        ("cifar/resnet20", {"stem.pool": "max"}, ["large-stem"]),
        ("resnet50d", {"input": [3, 32, 32], "strides": [1, 2, 1, 1]}, ["large-stem"]),
        ("resnet50", {"widths": [256, 512, 1024, 2048]}, ["widths-outputs"]),
        ("resnet50", {"widths": [128, 256, 512, 1024]}, []),
        ("resnet18", {"widths": [256, 512, 1024, 2048]}, []),
        ("resnet50", {"width_per_group": 4}, ["narrow-group"]),
        ("resnet50", {"dilations": [1, 1, 1, [1, 2, 4]]}, ["dilation-strides"]),
        ("resnet50", {"width_per_group": 4, "groups": 32}, []),
        ("resnet18", {"strides": [1, [2, 1], [2, 1], 2]}, ["block-strides"]),
        ("resnet18", {"strides": [[1, 1], [1, 2], "2x1", ["2x1", "1x2"]]}, []),
        ("resnet18", {"strides": [1, ["2x1", 1], 2, [3, 2]]}, []),
        (
            "resnet18",
            {"strides": [1, "2x1", "2x1", "2x1"], "input": [3, 16, 40]},
            ["strides-one-pixel"],
        ),
        ("resnet50", {"norm": {"momentum": 0.9}}, ["keras-momentum"]),
        ("resnet50", {"norm": {"momentum": 0.3}}, []),
    ],
)
def test_warnings(spec: str, overrides: dict[str, object], rules: list[str]) -> None:
    found = load(spec, overrides).warnings
    assert [problem.rule for problem in found] == rules
    assert all(problem.warning and problem.place for problem in found)


def test_warnings_do_not_stop_a_build_unless_strict() -> None:
    args = ("check", "specs/resnet50.yaml", "--set", "input=[3, 32, 32]")
    result = run(*args)
    assert result.exit_code == 0
    assert (
        "specs/resnet50.yaml:8:14: warning: stem.type: leaves 8 x 8 of an image"
        in result.stderr
    )
    assert "warning" not in result.stdout
    assert "warning" in run(*args, "--format", "sarif").stdout


@pytest.mark.parametrize(
    ("form", "warning", "error"),
    [
        ("text", ": warning: stem", ": stem"),
        ("json", '"severity": "warning"', '"severity": "error"'),
        ("github", "::warning ", "::error "),
        ("sarif", '"level": "warning"', '"level": "error"'),
    ],
)
def test_where_it_is_strict_a_warning_is_an_error_in_every_format(
    form: str, warning: str, error: str
) -> None:
    """And a spec that has one is not listed among the good ones."""
    warned = ("specs/resnet50.yaml", "--set", "input=[3, 32, 32]", "--format", form)
    lenient = run("check", *warned)
    strict = run("check", *warned, "specs/cifar/resnet20.yaml", "--strict")
    assert (lenient.exit_code, strict.exit_code) == (0, 1)
    assert warning in lenient.output
    assert warning not in strict.output
    assert error in strict.output
    assert "leaves 8 x 8 of an image" in strict.output
    if form == "text":
        assert [line.split()[0] for line in strict.stdout.splitlines()] == [
            "specs/cifar/resnet20.yaml"
        ]


def test_annotations_say_where_an_inherited_value_stands(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("extends: resnet18\nname: Own\ntitle: Own\ninput: [3, 32, 32]\n")
    notes = [problem.note for problem in load(file).warnings]
    assert notes == ["resnet18:8:14 has stem.type: conv7x7"]
    for form in report.FORMATS:
        assert notes[0] in run("check", str(file), "--format", form).output


def test_no_spec_that_ships_has_a_warning() -> None:
    result = run("check", "specs", "--strict")
    assert (result.exit_code, result.stderr) == (0, "")


def test_the_same_mistake_of_a_base_is_said_once() -> None:
    result = run("check", "specs/cifar", "--set", "depths=[3, 3]")
    lines = [line for line in result.stderr.splitlines() if line.startswith("specs/")]
    assert len(lines) == len(set(lines))


def test_networks_are_a_line_in_a_notebook() -> None:
    small = {"input": [3, 32, 32]}
    assert repr(load("specs/resnet18.yaml", small)) == (
        "<Compiled specs/resnet18.yaml, 1 warning: <Network ResNet18: 3 x 32 x 32 -> "
        "1000 logits; 11,689,512 parameters, 37.52 MMACs>>"
    )
    assert repr(load("resnet18", features=("stem", 4)).network) == (
        "<Network ResNet18: 3 x 224 x 224 -> stem 64 x 112 x 112, layer4 512 x 7 x 7; "
        "11,176,512 parameters, 1.81 GMACs>"
    )
    bare = load("cifar/resnet20", {"head.classes": "none"}).network
    assert "-> 64 features; " in repr(bare)
