"""What the README says is so: its commands run and print what it shows."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from resnet_spec.cli import COMMANDS, main

README = Path("README.md")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str, page: Path = README) -> list[str]:
    text = (Path(__file__).parents[1] / page).read_text(encoding="utf-8")
    return [body for kind, body in FENCE.findall(text) if kind == language]


SHOWN = ("costs.md", "diff.md", "explained.md", "start.md")
PAGES = [README, *(Path("docs", name) for name in SHOWN)]
SESSIONS = [session for page in PAGES for session in blocks("console", page)]


@pytest.mark.parametrize("session", SESSIONS)
def test_commands_print_what_is_shown(session: str, tmp_path: Path) -> None:
    command, _, shown = session.partition("\n")
    name, *args = command.removeprefix("$ ").split()
    assert name == "resnet-spec"
    if args[0] == "build":
        args += ["-o", str(tmp_path)]
    output = CliRunner().invoke(main, args).output
    assert output.replace(str(tmp_path), "generated") == shown


def test_specs_are_those_in_the_repository() -> None:
    specs = [text for text in blocks("yaml") if text.startswith("# specs/")]
    assert len(specs) == 2
    for text in specs:
        path = Path(text.split("\n")[0].removeprefix("# "))
        shown, real = yaml.safe_load(text), yaml.safe_load(path.read_text())
        assert shown.items() <= real.items()


def test_it_counts_the_specs_that_ship() -> None:
    count = len(list(Path("specs").rglob("*.yaml")))
    assert f"\n{count} specs, each with its generated file" in README.read_text()


def test_the_excerpt_is_in_the_generated_file() -> None:
    excerpt, *_ = blocks("python")
    assert excerpt in Path("generated/resnet50.py").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("code", blocks("python")[1:])
def test_the_python_runs(code: str) -> None:
    exec(compile(code, README.name, "exec"), {"__name__": "__main__"})


def test_ci_runs_the_two_commands_as_they_stand() -> None:
    lines = Path(".ci/run").read_text().splitlines()
    commands = [text.strip() for text in blocks("sh")]
    assert len(commands) == 2
    assert all(command in lines for command in commands)


def test_the_hooks_run_as_they_are_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a repository that has its specs in `specs` and its modules elsewhere."""
    (text,) = (t for t in blocks("yaml") if t.startswith("# .pre-commit-config.yaml"))
    (repo,) = yaml.safe_load(text)["repos"]
    ours = yaml.safe_load(Path(".pre-commit-hooks.yaml").read_text())
    known = {hook["id"]: hook for hook in ours}
    hooks = [{**known[hook["id"]], **hook} for hook in repo["hooks"]]
    assert [hook["id"] for hook in hooks] == list(known)
    spec, module = Path("specs/cifar/net.yaml"), Path("mypkg/nets/cifar/net.py")
    source = Path("specs/cifar/resnet20.yaml").read_text()
    monkeypatch.chdir(tmp_path)
    spec.parent.mkdir(parents=True)
    spec.write_text(source)

    def status(hook: dict[str, Any]) -> int:
        _, *args = hook["entry"].split()
        args += hook.get("args", [])
        args += [str(spec)] if hook.get("pass_filenames", True) else []
        return CliRunner().invoke(main, args).exit_code

    assert [status(hook) for hook in hooks] == [0, 1]  # the module is not there yet
    run = ["build", "specs", *hooks[1]["args"]]
    assert CliRunner().invoke(main, run).exit_code == 0
    assert [status(hook) for hook in hooks] == [0, 0]
    for path, expected in ((spec, [True, True]), (module, [False, True])):
        assert path.is_file()
        found = [bool(re.search(hook["files"], path.as_posix())) for hook in hooks]
        assert found == expected


def test_the_table_has_every_command() -> None:
    rows = [row for row in README.read_text().splitlines() if row.startswith("| `")]
    said = {name for row in rows for name in re.findall(r"\bresnet-spec (\w+)", row)}
    assert said == set(COMMANDS)


OF_OTHERS = (
    *("train", "predict", "infer", "convert", "export", "bench", "sweep", "lsp"),
    "verify",
)
"""Commands that tests of their own run; test_cli.py has `verify` with two libraries."""


@pytest.mark.slow
def test_the_table_of_commands_runs(tmp_path: Path) -> None:
    text = README.read_text(encoding="utf-8")
    commands = re.findall(r"^\| `resnet-spec (.*?)` \|", text, re.MULTILINE)
    assert len(commands) == 29
    for command in commands:
        if command.split()[0] in OF_OTHERS:
            continue
        required = re.sub(r"\[[A-Z.]+\]", "", command)
        args = required.replace("SPEC", "specs/resnet18.yaml").split()
        args = [str(tmp_path / a) if a.endswith((".svg", ".html")) else a for a in args]
        args = ["specs/plain" if a == "specs" else a for a in args]
        if args[0] == "build" and "-o" not in args and "--check" not in args:
            args += ["-o", str(tmp_path / str(len(args)))]
        result = CliRunner().invoke(main, args)
        assert result.exit_code == 0, result.output
