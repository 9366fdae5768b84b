"""The additions in CONTRIBUTING.md work as they stand: made to a copy, which is then used."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = Path("CONTRIBUTING.md")
STEP = re.compile(
    r"^<!-- (\S+), (new|after|before|replace)(?:: (.+?))? -->\n```\w+\n(.*?)^```$",
    re.MULTILINE | re.DOTALL,
)

LINT = "from importlinter.cli import lint_imports_command as lint; lint(['--no-cache'])"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is needed, with every addition made to it."""
    folder = tmp_path_factory.mktemp("copy")
    for part in ("resnet_spec", "specs", "tests"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(part, folder / part, ignore=ignored)
    shutil.copy("pyproject.toml", folder)
    for path, how, anchor, text in STEP.findall(GUIDE.read_text(encoding="utf-8")):
        file = folder / path
        assert file.exists() != (how == "new"), path
        old = file.read_text(encoding="utf-8") if file.exists() else ""
        file.write_text(added(old, how, anchor, text), encoding="utf-8")
    run(folder, "-m", "ruff", "format", "resnet_spec")
    return folder


def added(old: str, how: str, anchor: str, text: str) -> str:
    """The text put before, after or in place of the one line that begins with the anchor."""
    if how == "new":
        return text
    lines = old.splitlines(keepends=True)
    (at,) = [i for i, line in enumerate(lines) if line.startswith(anchor)]
    lines[at : at + 1] = {
        "before": [text, lines[at]],
        "after": [lines[at], text],
        "replace": [text],
    }[how]
    return "".join(lines)


def run(copy: Path, *command: str) -> str:
    """What a command prints, run in the copy by its own code."""
    environment = os.environ | {"PYTHONPATH": str(copy)}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_there_are_four_additions() -> None:
    additions = GUIDE.read_text(encoding="utf-8").split("\n### ")[1:]
    assert [bool(STEP.search(addition)) for addition in additions] == [True] * 4


@pytest.mark.slow
def test_built_and_generated_are_equal(copy: Path) -> None:
    spec = ["resnet18", "-o", "models", "--verify"]
    for changed in (
        *("activation=hardtanh", "shortcut=max_projection", "attention=sse"),
        "input=[3, 64, 64]",
    ):
        spec += ["--set", changed]
    run(copy, "-m", "resnet_spec", "build", *spec)
    run(copy, "-m", "ruff", "check", "models")
    run(copy, "-m", "ruff", "format", "--check", "models")
    cost = ("-m", "resnet_spec", "cost", "resnet18", *spec[4:], "--json")
    (costs,) = json.loads(run(copy, *cost)).values()
    assert costs["tools"]["torch.flop_counter.forward"] == 2 * costs["macs"]
    graph = ("resnet18", "--set", "attention=sse", "--seed", "0", "-o", "sse.onnx")
    run(copy, "-m", "resnet_spec", "export", *graph)


@pytest.mark.slow
def test_each_entry_is_crossed_with_every_option(copy: Path) -> None:
    names = "hardtanh or max_projection or sse or lowering or fields"
    run(copy, "-m", "pytest", "-q", "tests/test_catalog.py", "-k", names, "-n", "0")


@pytest.mark.slow
def test_the_command_runs_and_the_house_is_in_order(copy: Path) -> None:
    table = run(copy, "-m", "resnet_spec", "latex", "resnet18").splitlines()
    assert table[1] == r"  stem & $64 \times 112 \times 112$ \\"
    assert table[-2] == r"  head & $1000 \times 1 \times 1$ \\"
    assert "latex" in run(copy, "-m", "resnet_spec", "--help")
    run(copy, "-m", "ruff", "check", "resnet_spec")
    run(copy, "-c", LINT)
