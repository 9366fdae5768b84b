"""What is written for other tools and readers is what the code says."""

import importlib
import json
import pkgutil
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

import resnet_spec
from resnet_spec.cli import COMMANDS, main
from resnet_spec.language.fields import Spec
from resnet_spec.lowering.notes import TORCHVISION
from resnet_spec.problems.rules import RULES

HELPS = [[], *([name] for name in COMMANDS)]
PAGES = [Path("README.md"), *sorted(Path("docs").glob("*.md"))]


def test_the_reference_is_what_the_models_say() -> None:
    page = CliRunner().invoke(main, ["schema", "--markdown"]).output
    hint = "run `resnet-spec schema --markdown > docs/language.md`"
    assert Path("docs/language.md").read_text(encoding="utf-8") == page, hint
    for field in Spec.model_fields:
        assert f"| `{field}` |" in page


def test_the_page_of_rules_is_what_the_table_says() -> None:
    page = CliRunner().invoke(main, ["rule", "--markdown"]).output
    hint = "run `resnet-spec rule --markdown > docs/rules.md`"
    assert Path("docs/rules.md").read_text(encoding="utf-8") == page, hint
    for name, rule in RULES.items():
        assert f"\n## `{name}`\n" in page
        assert f"```yaml\n{rule.wrong}```\n" in page or not rule.wrong


def test_the_committed_schema_is_what_the_models_say() -> None:
    text = CliRunner().invoke(main, ["schema"]).output
    hint = "run `resnet-spec schema > docs/resnet-spec.schema.json`"
    assert Path("docs/resnet-spec.schema.json").read_text() == text, hint


def test_the_digests_of_torchvisions_networks_are_those_of_their_specs() -> None:
    """Headers say by them which checkpoints load."""
    text = TORCHVISION.read_text(encoding="utf-8")
    names = [line.split()[0] for line in text.splitlines()[1:]]
    assert len(names) == 10
    made = CliRunner().invoke(main, ["digest", *names]).output
    hint = f"run `resnet-spec digest {' '.join(names)} > {TORCHVISION}`"
    assert text == made, hint


def test_no_function_has_the_name_of_a_module() -> None:
    """`import resnet_spec.language.plan` gives the module, whatever a package exports."""
    for found in pkgutil.walk_packages(resnet_spec.__path__, "resnet_spec."):
        if found.name.startswith("resnet_spec.train.") or found.name.endswith(
            "__main__"
        ):
            continue  # those of training need Lightning
        module = importlib.import_module(found.name)
        above, _, name = found.name.rpartition(".")
        assert getattr(importlib.import_module(above), name) is module, found.name


def test_modelines_lead_to_the_schema() -> None:
    found = 0
    for path in Path("specs").rglob("*.yaml"):
        first = path.read_text().split("\n")[0]
        if match := re.match(r"# yaml-language-server: \$schema=(\S+)$", first):
            schema: Any = json.loads((path.parent / match[1]).read_text())
            assert "Whole" in schema["$defs"]
            found += 1
    assert found >= 3


def test_a_source_distribution_has_all_that_the_tests_read() -> None:
    """What is at the top of a checkout; pyproject, README and the license are always in it."""
    text = Path("pyproject.toml").read_text(encoding="utf-8")
    (listed,) = re.findall(r"sdist\]\ninclude = \[(.*?)\]", text, flags=re.DOTALL)
    tracked = subprocess.run(
        ["git", "ls-files"], capture_output=True, text=True, check=True
    ).stdout.split()
    top = {name.split("/")[0] for name in tracked}
    assert {name.strip("/") for name in re.findall(r'"([^"]+)"', listed)} == top - {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        ".gitignore",
    }


def test_hooks_for_other_repositories_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a repository with a spec of its own and its file."""
    hooks = Path(".pre-commit-hooks.yaml").read_text()
    spec = tmp_path / "specs" / "resnet50.yaml"
    spec.parent.mkdir()
    spec.write_text(Path("specs/resnet50.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["build", "specs"]).exit_code == 0
    for hook in yaml.safe_load(hooks):
        name, *args = hook["entry"].split()
        assert name == "resnet-spec"
        files = [] if hook.get("pass_filenames") is False else ["specs/resnet50.yaml"]
        assert all(re.search(hook["files"], file) for file in files)
        assert CliRunner().invoke(main, [*args, *files]).exit_code == 0


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib")
def test_the_picture_of_the_house_is_drawn_from_its_contract() -> None:
    drawn = runpy.run_path("docs/architecture.py")["drawn"]()
    hint = "run `python docs/architecture.py`"
    assert Path("docs/architecture.svg").read_text(encoding="utf-8") == drawn, hint


def test_a_name_that_was_renamed_answers_with_its_new_one() -> None:
    for name, new in resnet_spec.RENAMED.items():
        with pytest.warns(
            DeprecationWarning, match=re.escape(f"resnet_spec.{new} now")
        ):
            found = getattr(resnet_spec, name)
        assert callable(found)
    assert not {*resnet_spec.RENAMED} & {*resnet_spec.__all__}


def examples() -> list[str]:
    """The builds that help and docs show, as one would type them."""
    helps = [CliRunner().invoke(main, [*name, "--help"]).output for name in HELPS]
    pages = [page.read_text(encoding="utf-8") for page in PAGES]
    shown = re.findall(r"^ +(resnet-spec build .*?)(?:  .*)?$", "\n".join(helps), re.M)
    shown += re.findall(
        r"(?:`|\$ |&& )(resnet-spec build .*?)(?:`|$)", "\n".join(pages), re.M
    )
    return list(dict.fromkeys(shown))


def test_every_build_that_is_shown_is_safe_in_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One with the specs that stand in no family."""
    for kind, suffix in (("specs", "yaml"), ("generated", "py"), ("examples", "yaml")):
        (tmp_path / kind).mkdir()
        for file in Path(kind).glob(f"*.{suffix}"):
            copyfile(file, tmp_path / file)
    committed = {f: f.read_bytes() for f in tmp_path.rglob("generated/**/*.py")}
    shown = examples()
    assert len(shown) >= 9
    monkeypatch.chdir(tmp_path)
    for command in shown:
        args = shlex.split(command.replace("SPEC", "specs/resnet18.yaml"))[1:]
        done = CliRunner().invoke(main, [arg for arg in args if arg != "--verify"])
        assert done.exit_code == 0, f"{command}: {done.output}"
        assert {f: f.read_bytes() for f in committed} == committed, command
