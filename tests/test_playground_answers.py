"""What the playground's compiler answers, without a browser: what the command line says."""

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from resnet_spec import SpecError, load
from resnet_spec.language.shipped import family, shipped, shortest
from tests.conftest import ROOT
from tests.test_errors import CASES, FOLDER

OF_FILES = {
    *("extends_a_wrong_spec", "extends_in_a_circle", "extends_in_a_circle_b"),
    "extends_missing_file",
    "not_utf8",
}
"""Wrong specs of which a file beside them is a part, or that are no text: no page has those."""
SHIPPED = re.compile(r"^extends: \.\./\.\./specs/(\S+)\.yaml$", re.MULTILINE)


@cache
def answers() -> Any:
    """The module that the page's worker calls."""
    file = ROOT / "docs/site/playground/answers.py"
    spec = importlib.util.spec_from_file_location("answers", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def asked(what: str, /, **of: Any) -> Any:
    return json.loads(answers().answer(json.dumps({"ask": what, **of})))


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def cases() -> Iterator[tuple[str, str]]:
    """Each wrong spec and its text, where one that ships is called by its name."""
    for case in sorted({*CASES} - OF_FILES):
        text = (ROOT / FOLDER / f"{case}.yaml").read_bytes().decode("utf-8-sig")
        yield case, SHIPPED.sub(r"extends: \1", text)


def told(text: str, file: Path) -> list[tuple[object, ...]]:
    """What the command line says of a file with this text."""
    file.write_text(text, encoding="utf-8", newline="")
    with pytest.raises(SpecError) as caught:
        load(file)
    return [
        (p.rule, p.said, p.note, *(p.place or ("", 0, 0, 1))[1:])
        for p in dict.fromkeys(caught.value.problems)
    ]


FAMILIES = {family(key): key for key in shipped()}


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param(FAMILIES.values(), id="one of each family"),
        pytest.param(shipped(), id="all", marks=pytest.mark.long),
    ],
)
def test_the_source_is_that_of_build_for_what_ships(keys: Iterable[str]) -> None:
    for key in keys:
        name = shortest()[key]
        text = asked("started", name=name)
        said = asked("compiled", text=text, start=name, view="source")
        kept = (ROOT / "generated" / f"{key}.py").read_text(encoding="utf-8")
        assert said["problems"] == []
        assert said["view"]["text"] == kept, key


def test_a_text_that_was_changed_is_that_of_build_by_its_class(tmp_path: Path) -> None:
    text = asked("started", name="seresnet50t").replace("SEResNet50T", "MyNet")
    said = asked("compiled", text=text, start="seresnet50t", view="source")
    assert (said["network"]["file"], said["view"]["file"]) == (
        "mynet.yaml",
        "mynet.py",
    )
    (tmp_path / "mynet.yaml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "resnet_spec", "build", "mynet.yaml", "-o", "-"]
    made = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    assert said["view"]["text"] == made


def test_problems_are_those_of_the_command_line(tmp_path: Path) -> None:
    """To the place and letter, of all wrong specs that are one file."""
    for case, text in cases():
        said = asked("compiled", text=text, start="resnet50", view="summary")
        keys = ("rule", "message", "note", "line", "column", "length")
        found = [tuple(problem[key] for key in keys) for problem in said["problems"]]
        assert found == told(text, tmp_path / "spec.yaml"), case


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [\n", "cannot be read"),
        ("name: A\nblock: x\n", "are in order"),
        ("", "be read"),
    ],
)
def test_a_text_that_stays_as_it_is_says_why(text: str, said: str) -> None:
    found = asked("ordered", text=text)
    assert found["text"] == text
    assert said in found["said"]


def test_the_catalog_is_what_the_specs_claim() -> None:
    found = {spec["name"]: spec for spec in answers().catalog()}
    assert len(found) == len(shipped())
    for name in ("resnet50", "resnet20", "regnety_032"):
        network = load(name).network
        spec = found[name]
        assert (spec["params"], spec["macs"]) == (network.params, network.macs)
    assert asked("started", name="resnet51") is None
