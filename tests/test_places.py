"""A mistake stands where it was made: in a file that its author can change."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from resnet_spec import SpecError, load
from resnet_spec.cli import main
from resnet_spec.language.shipped import FOLDERS, shipped
from resnet_spec.problems import Problem, report
from resnet_spec.problems.words import flow
from tests.strategies import Pool


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("places") / "own.yaml"


def problems(file: Path, text: str) -> tuple[Problem, ...]:
    """What is said of a file with that text, mistakes or warnings."""
    file.write_text(text, encoding="utf-8")
    try:
        return load(file).warnings
    except SpecError as error:
        return error.problems


def extending(base: str, **fields: Any) -> str:
    own = {"extends": base, "name": "Own", "title": "My own", **fields}
    return "".join(f"{key}: {flow(value)}\n" for key, value in own.items())


@given(st.sampled_from(sorted(shipped())), st.data())
def test_nothing_is_said_of_a_line_that_ships(
    own: Path, drawn: Pool, base: str, draw: st.DataObject
) -> None:
    """Whatever one's own fields do to what is inherited."""
    data, _ = draw.draw(st.sampled_from(drawn))
    known = [key for key in data if key not in ("name", "title", "expect")]
    keys = draw.draw(st.lists(st.sampled_from(known), min_size=1, max_size=3))
    found = problems(own, extending(base, **{key: data[key] for key in keys}))
    assert {problem.place.file for problem in found if problem.place} <= {str(own)}
    said = report.text(found) + report.as_json(found) + report.github(found)
    assert not any(str(folder) in said for folder in FOLDERS)


@pytest.mark.parametrize(
    ("base", "fields", "said"),
    [
        (
            "resnet50",
            {"widths": [64, 128], "strides": [1, 2]},
            [
                "4:9: depths: has 4 entries, one for each stage; widths and strides have "
                "2, so write depths with 2 here",
            ],
        ),
        (
            "resnet50",
            {"block": "basic", "expansion": None},
            [
                "4:8: stride_on: changes nothing here; only a bottleneck that strides "
                "reads it, so write stride_on: null",
            ],
        ),
        (
            "resnet50",
            {"strides": 1},
            [
                "4:10: stride_on: changes nothing here; only a bottleneck that strides "
                "reads it, so write stride_on: null",
            ],
        ),
    ],
)
def test_it_stands_at_the_value_of_ones_own_that_makes_it(
    base: str, fields: dict[str, Any], said: list[str], own: Path
) -> None:
    found = problems(own, extending(base, **fields))
    assert [str(problem).removeprefix(f"{own}:") for problem in found] == said
    assert found[0].note.startswith("resnet50:1")


def test_depths_that_differ_from_what_is_inherited_are_the_mistake(own: Path) -> None:
    (found,) = problems(own, extending("resnet50", depths=[3, 4, 6, 3, 3]))
    assert str(found) == (
        f"{own}:4:9: depths: has 5 entries, one for each stage; widths and strides have 4"
    )


def test_the_nearest_file_that_has_a_say_is_meant(own: Path) -> None:
    """Of three, the one in the middle, which can be changed and makes the mistake."""
    middle = own.with_name("middle.yaml")
    middle.write_text("extends: resnet50\nblock: basic\nexpansion: null\n")
    (found,) = problems(own, extending("middle.yaml"))
    assert str(found.place) == f"{middle}:2:8"
    assert found.inherited_by == str(own)
    assert found.note == f"resnet50:10:1 has stride_on: conv2; {own} extends this file"


def test_what_ships_is_called_by_its_name() -> None:
    runner = CliRunner()
    for spec in ("resnet18", "tutorials/resnet50_v1"):
        assert runner.invoke(main, ["check", spec]).output.startswith(f"{spec}  ")
        assert f"# {spec}:" in runner.invoke(main, ["explain", spec]).output
    by_path = runner.invoke(main, ["check", "specs/resnet18.yaml"]).output
    assert by_path.startswith("specs/resnet18.yaml  ")


@pytest.mark.parametrize("form", ["json", "github", "sarif"])
def test_machines_are_told_of_a_file_that_they_can_open(form: str, own: Path) -> None:
    own.write_text(extending("resnet50", stride_on=None, block="basic"))
    args = ["check", str(own), "--set", "widths=x", "--format", form]
    said = CliRunner().invoke(main, args).output
    if form == "json":
        problems = json.loads(said)["problems"]
        assert {item["file"] for item in problems} == {str(own)}
    assert "file=override" not in said
    assert '"uri": "override' not in said
    assert str(own) in said


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"remember the milk\n", "cannot be read as a spec, by its line 1"),
        (b"root:x:0:0:root\ndaemon:x:1:1\n", "cannot be read as a spec, by its line 1"),
        (b"password: hunter2\n", "has no field of a spec"),
        (b"a: 1\n  hunter2: %x\n", "cannot be read as a spec, by its line 2"),
        (b"\0\xff\x80hunter2", "cannot be read as a spec"),
        (None, "is a folder; name a file"),
    ],
)
@pytest.mark.parametrize("suffix", [".yaml", ".txt", ""])
def test_what_is_no_spec_is_refused_where_it_is_named_and_stays_unread(
    content: bytes | None, why: str, suffix: str, tmp_path: Path
) -> None:
    target = tmp_path / f"target{suffix}"
    if content is None:
        target.mkdir()
    else:
        target.write_bytes(content)
    file = tmp_path / "own.yaml"
    (problem,) = problems(file, extending(target.name))
    assert str(problem.place) == f"{file}:1:10"
    assert why in problem.message
    assert problem.message.startswith(str(target)[:50])
    text = report.text([problem])
    assert not any(word in text for word in ("hunter2", "milk", "root:", "daemon"))
