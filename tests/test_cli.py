"""The command line, as a user meets it."""

import csv
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from itertools import permutations
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from resnet_spec import __version__, build, load, output
from resnet_spec.cli import COMMANDS, main
from resnet_spec.language.reading import override
from resnet_spec.language.shipped import spec_path
from tests.conftest import ROOT
from tests.strategies import Pool


def run(*args: str) -> Result:
    return CliRunner().invoke(main, args)


def test_build_writes_the_file_and_says_what_it_is(tmp_path: Path) -> None:
    result = run("build", "specs/cifar/resnet20.yaml", "-o", str(tmp_path))
    file = tmp_path / "cifar" / "resnet20.py"
    assert result.output == f"{file}  269,722 parameters  40.55 MMACs\n"
    assert file.read_text() == Path("generated/cifar/resnet20.py").read_text()
    assert list(file.parent.iterdir()) == [file]


SPECS = sorted(Path("specs").rglob("*.yaml"))


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_a_generated_file_is_what_its_spec_says(spec: Path) -> None:
    result = run("build", str(spec), "--check", "--diff")
    hint = "run `resnet-spec build specs` and look at the diff before you commit it"
    assert result.exit_code == 0, f"{result.output}\n{hint}"


def test_each_spec_has_its_generated_file_and_each_file_its_spec() -> None:
    built = set(Path("generated").rglob("*.py"))
    assert built == {
        Path("generated", *spec.with_suffix(".py").parts[1:]) for spec in SPECS
    }


def test_check_and_diff_write_nothing(tmp_path: Path) -> None:
    run("build", "specs/resnet18.yaml", "-o", str(tmp_path))
    file = tmp_path / "resnet18.py"
    old = file.read_text().replace("AdaptiveAvgPool2d(1)", "AdaptiveAvgPool2d(2)")
    file.write_text(old)
    result = run("build", "specs/resnet18.yaml", "-o", str(tmp_path), "--check")
    said = "was edited by hand, or not generated, so build would leave it"
    assert (result.exit_code, result.output) == (1, f"{file}: {said}\n")
    result = run("build", "specs/resnet18.yaml", "-o", str(tmp_path), "--diff")
    assert result.exit_code == 0
    assert "-        self.avgpool = nn.AdaptiveAvgPool2d(2)\n" in result.output
    assert "+        self.avgpool = nn.AdaptiveAvgPool2d(1)\n" in result.output
    assert file.read_text() == old


def test_check_says_what_build_would_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = ("edited", "features", "folder", "good", "missing", "stale")
    for name in names:
        own_spec(f"specs/{name}.yaml", "Own", [1, 1, 1, 1])
    assert run("build", "specs").exit_code == 0
    files = {name: Path(f"generated/{name}.py") for name in names}
    files["edited"].write_text(files["edited"].read_text().replace("64", "65"))
    files["folder"].unlink()
    files["folder"].mkdir()
    files["missing"].unlink()
    own_spec("specs/stale.yaml", "Own", [2, 1, 1, 1])
    run("build", "specs/features.yaml", "--features", "1", "--force")
    made = "specs/features.yaml"
    expected = {
        "edited": "was edited by hand, or not generated, so build would leave it",
        "features": f"was generated from {made} with features [1], not from {made}, "
        "so build would leave it",
        "folder": "is a folder, so build would leave it",
        "missing": "is missing, build would write it",
        "stale": "is stale, build would replace it",
    }
    result = run("build", "specs", "--check")
    assert result.exit_code == 1
    assert result.output == "".join(f"{files[n]}: {w}\n" for n, w in expected.items())
    before = {file: file.read_bytes() for file in files.values() if file.is_file()}
    refused = run("build", "specs")
    lines = refused.stderr.splitlines()
    assert (refused.exit_code, lines[-1]) == (1, "nothing was written")
    left = [name for name, why in expected.items() if why.endswith("would leave it")]
    assert [Path(line.split(":")[0]).stem for line in lines[:-1]] == left
    after = {file: file.read_bytes() for file in files.values() if file.is_file()}
    assert before == after
    for name in names:
        alone = run("build", f"specs/{name}.yaml")
        assert (alone.exit_code == 1) is (name in left)


def test_a_file_whose_spec_is_gone_is_said_of_the_folders_that_were_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("specs/a", "specs/b/old", "nets/c", 'nets/d "  with" e', "nets/old"):
        own_spec(f"{name}.yaml", "Own", [1, 1, 1, 1])
    given = ("specs", "nets", "resnet18")
    assert run("build", *given, "--set", "head.classes=3").exit_code == 0
    clean = run("build", *given, "--set", "head.classes=3", "--check", "--strict")
    assert (clean.exit_code, clean.output) == (0, "")
    for folder in ("specs/b", "nets"):
        Path(folder, "old.yaml").rename(Path(folder, "new.yaml"))
    run("build", *given, "--set", "head.classes=3")
    expected = (
        "generated/b/old.py: {}was generated from specs/b/old.yaml, which is gone; "
        "delete the file if nothing imports it\n"
    )
    more = expected.replace("specs/b", "../nets").replace("b/", "")
    check = ("build", "--set", "head.classes=3", "--check")
    for specs, said in (
        (["specs"], expected),
        (["nets"], more),
        (["nets", "specs"], expected + more),
        (["specs/a.yaml"], ""),
        (["resnet18"], ""),
    ):
        lenient, strict = run(*check, *specs), run(*check, *specs, "--strict")
        assert lenient.output == said.replace("{}", "warning: ")
        assert strict.output == said.replace("{}", "")
        assert (lenient.exit_code, strict.exit_code) == (0, int(said != ""))


def test_one_source_goes_to_stdout() -> None:
    result = run("build", "specs/resnet50.yaml", "-o", "-")
    assert result.output == Path("generated/resnet50.py").read_text()
    assert run("build", "specs/plain", "-o", "-").exit_code == 2
    assert run("build", "specs/resnet50.yaml", "-o", "-", "--check").exit_code == 2


def test_overrides_are_named_in_the_source() -> None:
    args = ("--set", "head.classes=10", "--set", "depths=[1, 1, 1, 1]")
    source = run("build", "specs/resnet50.yaml", "-o", "-", *args).output
    assert "num_classes: int = 10" in source
    said = (
        "from specs/resnet50.yaml with head.classes=10, depths=[1, 1, 1, 1] (sha256: "
    )
    assert said in " ".join(source.split())
    assert "torchvision" not in source


@pytest.mark.parametrize(
    "field", ['title=\'a # """\'', 'name=A"""', 'paper.url=http://"""']
)
def test_an_override_cannot_leave_its_docstring(field: str) -> None:
    result = run("build", "specs/resnet50.yaml", "-o", "-", "--set", field)
    if result.exit_code == 0:
        compile(result.output, "x.py", "exec")
        assert '"""\n' not in result.output.split("Generated by")[0][3:]
    else:
        assert result.exit_code == 1


@pytest.mark.slow
def test_verify_compares_built_and_generated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = ("build", "specs/cifar/resnet20.yaml", "--verify", "-o", str(tmp_path))
    assert run(*args).exit_code == 0
    real = output.render

    def mutated(*args: Any) -> str:
        return real(*args).replace("x + shortcut", "x - shortcut")

    monkeypatch.setattr(output, "render", mutated)
    result = run(*args)
    assert result.exit_code == 1
    assert "built and generated differ, training output: not equal" in result.output


def test_all_problems_of_all_files_and_nothing_written(tmp_path: Path) -> None:
    wrong = ["tests/errors/depth_zero.yaml", "tests/errors/tag.yaml"]
    result = run("build", "specs/resnet18.yaml", *wrong, "-o", str(tmp_path / "out"))
    assert result.exit_code == 1
    texts = [Path(path).with_suffix(".txt").read_text() for path in wrong]
    assert result.stderr == "".join(texts)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["build", "specs/resnet50.yml"], "cannot be read, no such file or directory"),
        (["build", "benchmarks"], "has no *.yaml in it"),
        (["build", "specs/plain", "specs/../tests/errors/../../specs/plain"], ""),
        (["explain", "specs"], "is a folder, or a family of specs; give one of them"),
        (["build", "tests/errors/empty.yaml"], "must be a mapping of keys to values"),
    ],
)
def test_one_clear_line(args: list[str], message: str, tmp_path: Path) -> None:
    if args[0] == "build":
        args = [*args, "-o", str(tmp_path)]
    result = run(*args)
    assert message in result.output
    assert (result.exit_code == 1) is bool(message)
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("resnet50-os8.yaml", "resnet50_os8.py"),
        ("resnet50.v1.yaml", "resnet50_v1.py"),
        ("01_base.yaml", "_01_base.py"),
        ("netz ü.yaml", "netz_u.py"),
        ("class.yaml", "class_.py"),
        ("torch.yaml", "torch_.py"),
        ("a b/x.yml", "a_b/x.py"),
    ],
)
def test_any_file_name_is_taken_and_its_module_can_be_imported(
    name: str, module: str, tmp_path: Path
) -> None:
    spec, out = tmp_path / "specs" / name, tmp_path / "out"
    spec.parent.mkdir(parents=True, exist_ok=True)
    spec.write_text(Path("specs/resnet18.yaml").read_text())
    result = run("build", str(spec), "-o", str(out))
    assert (result.exit_code, (out / module).is_file()) == (0, True), result.output
    assert result.stderr == (
        f"{spec}: Python cannot import this name, so the module is {module}\n"
    )
    for command in ("check", "summary", "explain", "digest"):
        assert run(command, str(spec)).exit_code == 0
    for folder in (out, "-"):  # said of a file that is new
        assert run("build", str(spec), "-o", str(folder)).stderr == ""


def test_two_specs_for_one_file_are_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "net.yaml").write_text(
            Path("specs/resnet50.yaml").read_text()
        )
    (tmp_path / "a" / "n-et.yaml").write_text("name: 1")
    result = run("build", str(tmp_path / "a"), str(tmp_path / "b"), "-o", str(tmp_path))
    assert result.exit_code == 1
    assert f"would be written to net.py, as {tmp_path}/a/net.yaml is" in result.output
    assert "name: must be text" in result.output  # no mistake hides another
    assert not (tmp_path / "net.py").exists()
    assert (
        run("check", str(tmp_path / "a/net.yaml"), str(tmp_path / "b")).exit_code == 0
    )


def test_files_that_are_not_its_own_are_not_overwritten(tmp_path: Path) -> None:
    build = ("build", "specs/resnet50.yaml", "-o", str(tmp_path))
    file = tmp_path / "resnet50.py"
    obstacles = {
        "is a folder": file.mkdir,
        "is a symbolic link": lambda: file.symlink_to(tmp_path / "elsewhere"),
        "was edited by hand, or not generated": lambda: file.write_text("x = 1\n"),
        "is not one that was generated": lambda: file.write_bytes(b"\xff"),
    }
    for why, make in obstacles.items():
        make()
        result = run(*build)
        advice = f"; -o {tmp_path}_2 writes elsewhere"
        advice += "" if file.is_dir() else ", --force overwrites it"
        expected = f"{file}: {why}, so it is not overwritten{advice}\n"
        assert (result.exit_code, result.output) == (1, expected)
        assert run(*build, "--force").exit_code == (1 if file.is_dir() else 0)
        assert not (tmp_path / "elsewhere").exists()
        file.rmdir() if file.is_dir() else file.unlink()


def test_an_edited_file_gives_itself_away(tmp_path: Path) -> None:
    build = ("build", "specs/resnet50.yaml", "-o", str(tmp_path))
    file = tmp_path / "resnet50.py"
    assert run(*build).exit_code == run(*build).exit_code == 0
    whole = file.read_text()
    file.write_text(whole.replace("width=64", "width=65", 1))
    assert "was edited by hand" in run(*build).output
    assert "width=65" in file.read_text()
    assert run(*build, "--force").exit_code == 0
    assert file.read_text() == whole
    file.write_text(whole, newline="\r\n")  # as a checkout on Windows has it
    assert run(*build).exit_code == 0


def test_a_file_of_another_spec_is_not_overwritten(tmp_path: Path) -> None:
    out = ("-o", str(tmp_path / "out"))
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        text = Path("specs/resnet50.yaml").read_text()
        (tmp_path / folder / "net.yaml").write_text(text)
    assert run("build", str(tmp_path), *out).exit_code == 0
    assert run("build", str(tmp_path / "a"), *out).exit_code == 0
    result = run("build", "specs/resnet18.yaml", "specs/resnet34.yaml", *out)
    assert result.exit_code == 0
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "net.yaml").write_text(text)
    result = run("build", str(tmp_path / "specs"), *out)
    said = "net.py: was generated from ../a/net.yaml, not from specs/net.yaml, so it is"
    assert f"{said} not overwritten" in result.output


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["a/net.yaml"], ["b/net.yaml"]),
        (["a/net.yaml"], ["a/net.yaml", "--set", "head.classes=10"]),
        (["a/net.yaml", "--set", "head.classes=7"], ["a/net.yaml"]),
        (["a/net.yaml"], ["a/net.yaml", "--features", "1,2"]),
        (["resnet18"], ["resnet18", "--features", "1,2,3,4"]),
    ],
)
def test_a_file_of_other_inputs_stays_and_the_message_says_what_to_type(
    first: list[str],
    second: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = Path("specs/resnet18.yaml").read_text()
    monkeypatch.chdir(tmp_path)
    for folder in ("a", "b"):
        Path(folder).mkdir()
        Path(folder, "net.yaml").write_text(text)
    assert run("build", *first, "-o", "g h").exit_code == 0
    (file,) = Path("g h").iterdir()
    before = file.read_text()
    result = run("build", *second, "-o", "g h")
    assert (result.exit_code, file.read_text()) == (1, before)
    advice = re.findall(r"-o ('.*') writes elsewhere", result.stderr)
    assert len(result.stderr.splitlines()) == len(advice) == 1
    elsewhere = shlex.split(advice[0])
    assert run("build", *second, "-o", *elsewhere).exit_code == 0
    assert run("build", *second, "-o", "g h", "--force").exit_code == 0
    assert file.read_text() != before


def own_spec(path: str, title: str, depths: list[int]) -> None:
    """A ResNet of an own file."""
    data = yaml.safe_load((ROOT / "specs/resnet18.yaml").read_text())
    del data["expect"]
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(yaml.safe_dump({**data, "title": title, "depths": depths}))


@pytest.mark.parametrize(
    ("out", "seen"), [("generated", "specs"), ("x/g", "x/specs"), ("y", "y/specs")]
)
def test_a_spec_replaces_what_was_made_of_itself_alone(
    out: str, seen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folders = ("specs", "x/specs", "y/specs")
    for first, second in permutations(("resnet18", *folders), 2):
        for i, folder in enumerate(folders, 3):
            own_spec(f"{folder}/resnet18.yaml", "First", [i, 1, 1, 1])
        assert run("build", first, "-o", out, "--force").exit_code == 0
        if first != "resnet18":
            own_spec(f"{first}/resnet18.yaml", "Edited", [9, 1, 1, 1])
        file = Path(out, "resnet18.py")
        again, made = run("build", first, "-o", out), file.read_text()
        assert (again.exit_code, "Edited" in made) == (0, first != "resnet18")
        result = run("build", second, "-o", out)
        # What was made of a name is made anew of the file that its header means here.
        replaced = (first, second) == ("resnet18", seen)
        assert (result.exit_code == 0, file.read_text() != made) == (replaced,) * 2


def test_a_spec_is_itself_by_whatever_links_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_spec(str(tmp_path / "repo/specs/net.yaml"), "First", [1, 1, 1, 1])
    (tmp_path / "link").symlink_to(tmp_path / "repo")
    monkeypatch.chdir(tmp_path / "repo")
    for i, root in enumerate((".", tmp_path / "repo", tmp_path / "link"), 2):
        assert run("build", f"{root}/specs/net.yaml").exit_code == 0
        assert "from specs/net.yaml (" in Path("generated/net.py").read_text()
        own_spec("specs/net.yaml", "Edited", [i, 1, 1, 1])


def test_standard_input_replaces_its_own_network_alone(tmp_path: Path) -> None:
    def built(*changes: str) -> Result:
        text = yaml.safe_load((ROOT / "specs/resnet18.yaml").read_text())
        del text["expect"]
        data = yaml.safe_dump({**text, **dict(map(override, changes))})
        args = ["build", "-", "-o", str(tmp_path)]
        return CliRunner().invoke(main, args, input=data)

    assert built().exit_code == built("title=Other words").exit_code == 0
    other = built("depths=[1, 1, 1, 1]")
    assert other.exit_code == 1
    assert (
        "resnet18.py: is another network, generated from another standard input"
        in other.stderr
    )


def test_edited_text_of_the_same_spec_replaces_its_file(tmp_path: Path) -> None:
    spec, text = tmp_path / "net.yaml", Path("specs/resnet18.yaml").read_text()
    for changed in (text, text.replace("title: ResNet-18", "title: Mine")):
        spec.write_text(changed)
        assert run("build", str(spec), "-o", str(tmp_path / "out")).exit_code == 0
    assert '"""Mine\n' in (tmp_path / "out/net.py").read_text()


def test_standard_input_is_a_spec(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def piped(text: str, *args: str) -> Result:
        return CliRunner().invoke(main, args, input=text)

    text = Path("specs/resnet18.yaml").read_text()
    wrong = Path("tests/errors/depth_zero.yaml")
    mistakes, said = wrong.read_text(), wrong.with_suffix(".txt").read_text()
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(text)
    for command in ("check", "summary", "explain", "digest"):
        assert piped(text, command, "-").exit_code == 0
    extending = "extends: base.yaml\nname: OwnNet\ntitle: Own\n"
    result = piped(extending, "build", "-", "-", "base.yaml")
    assert (result.exit_code, result.stderr) == (0, "")
    assert Path("generated/ownnet.py").is_file()
    header = Path("generated/ownnet.py").read_text()
    assert "from standard input (sha256" in " ".join(header.split())
    assert piped(mistakes, "check", "-").stderr == said.replace(str(wrong), "-")
    assert piped("", "check", "-").stderr == (
        "-:1:1: must be a mapping of keys to values, got nothing [mapping]\n"
    )


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("build", "specs/resnet50.yaml", "-o", str(tmp_path / "file"))
    assert result.exit_code == 1
    assert result.output.endswith("cannot be written, file exists\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize(
    "command",
    [
        "build specs/resnet50.yaml -o -",
        "summary specs/resnet50.yaml",
        "list",
        "rule",
        "completion bash",
        "digest --help",
        "--version",
    ],
)
def test_a_full_disk_is_one_line(command: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "resnet_spec", *command.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "the output cannot be written, no space left on device\n"


@pytest.mark.parametrize("charset", ["cp1252", "cp437", "koi8-r", "utf-8"])
def test_what_an_encoding_lacks_is_spelled(charset: str, tmp_path: Path) -> None:
    """A pipe on Windows has the code page of the place, which has not every letter."""
    spec = tmp_path / "My Nets ü 网络" / "netz 网.yaml"
    spec.parent.mkdir()
    text = Path("specs/resnet18.yaml").read_text(encoding="utf-8")
    spec.write_text(text.replace("title: ", "title: ü 网 "), encoding="utf-8")
    wrong = spec.with_name("wrong 网.yaml")
    wrong.write_text("name: 网", encoding="utf-8")
    runner = CliRunner(charset=charset)
    for command in ("check", "summary", "explain", "digest"):
        result = runner.invoke(main, [command, str(spec)])
        assert result.exit_code == 0, result.exception
        result = runner.invoke(main, [command, str(wrong)])
        assert result.stderr.startswith(
            str(wrong.parent).encode(charset, "backslashreplace").decode(charset)
        )
    args = ["build", str(spec), "-o"]
    assert runner.invoke(main, [*args, str(tmp_path / "out")]).exit_code == 0
    (built,) = (tmp_path / "out").iterdir()
    shown = runner.invoke(main, [*args, "-"]).stdout_bytes.split(b"import torch")
    assert built.read_bytes().split(b"import torch")[1:] == shown[1:]
    assert "ü 网 ResNet-18\n".encode() in shown[0]  # a source is UTF-8 everywhere


def test_a_rule_of_a_table_is_drawn_in_any_encoding() -> None:
    args = ["summary", "resnet18"]
    line = CliRunner(charset="cp1252").invoke(main, args).output.splitlines()[3]
    assert set(line) == {" ", "-"}
    assert set(run(*args).output.splitlines()[3]) == {" ", "─"}


def test_written_files_are_readable_like_others(tmp_path: Path) -> None:
    run("build", "specs/resnet50.yaml", "-o", str(tmp_path))
    (tmp_path / "other").write_text("")
    modes = [
        stat.S_IMODE((tmp_path / name).stat().st_mode)
        for name in ("other", "resnet50.py")
    ]
    assert modes[0] == modes[1]


def test_the_bytes_do_not_depend_on_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = Path("specs/cifar/resnet20.yaml").resolve()
    expected = Path("generated/cifar/resnet20.py").read_text()
    monkeypatch.chdir(tmp_path)
    assert run("build", str(spec), "-o", "-").output == expected
    assert run("build", os.path.relpath(spec), "-o", "-").output == expected


def test_summary_folds_by_stage() -> None:
    lines = run("summary", "specs/resnet50.yaml").output.splitlines()
    cells = [" ".join(re.findall(r"[^\s▏▎▍▌▋▊▉█]+", line)) for line in lines]
    assert cells[4] == "conv1 7x7 64 x 112 x 112 2 9,536 118.01 M 802,816"
    assert cells[8] == "layer3 6 x Bottleneck 1024 x 14 x 14 16 7,098,368 1.46 G 2.16 M"
    assert cells[-1] == "total 25,557,032 4.09 G 11.11 M"
    assert (
        lines[9].count("█") == 3
    )  # 58.6% of the parameters and 19.8% of the MACs, of 5


def test_summary_of_several_specs_is_one_table() -> None:
    """A row each, of a family too; those that are wrong are said and left out."""
    wrong = "tests/errors/depth_zero.yaml"
    options = ("--input", "3,64,64", "--features", "1,2")
    result = run("summary", wrong, "plain", *options)
    assert result.exit_code == 1
    assert result.stderr.startswith(Path(wrong).with_suffix(".txt").read_text())
    names = [file.stem for file in sorted(Path("specs/plain").iterdir())]
    assert [line.split()[0] for line in result.stdout.splitlines()[2:]] == names
    network = load(f"plain/{names[0]}", {"input": [3, 64, 64]}, (1, 2)).network
    assert f"{network.params:,}" in result.stdout.splitlines()[2]


def test_summary_sorts_and_limits() -> None:
    family = ("summary", "resnet", "resnetd", "--json")
    rows = json.loads(run(*family).output)
    least = json.loads(run(*family, "--sort", "macs", "--limit", "params=30M").output)
    assert least == sorted(
        (row for row in rows if row["params"] <= 30_000_000),
        key=lambda row: (row["macs"], row["name"]),
    )
    assert 1 < len(least) < len(rows)
    for option in ("params", "params=", "params=none", "depth=3", "macs=-1"):
        assert run("summary", "resnet18", "--limit", option).exit_code == 2
    for option in ("3,64", "3,64,x", ""):
        assert run("summary", "resnet18", "--input", option).exit_code == 2


def test_summary_for_programs() -> None:
    """JSON, CSV and Markdown say the same, of a batch and of each layer."""
    network = load("resnet50").network
    made = json.loads(run("summary", "resnet50", "--json", "--batch", "2").output)
    assert (made["params"], made["macs"]) == (network.params, 2 * network.macs)
    assert sum(part["macs"] for part in made["parts"]) == made["macs"]
    rows = list(csv.DictReader(run("summary", "resnet50", "--csv").output.splitlines()))
    assert sum(int(row["MACs"]) for row in rows) == network.macs
    text = run("summary", "resnet50", "--markdown").output
    assert "| layer3 | 6 x Bottleneck | 1024 x 14 x 14 | 16 | 7,098,368 |" in text
    layers = json.loads(run("summary", "resnet50", "--layers", "--json").output)
    built = build(network, device="meta")
    assert {row["path"] for row in layers} == {
        name
        for name, module in built.named_modules()
        if name and not [*module.children()]
    }
    assert sum(row["macs"] for row in layers) == network.macs
    text = run("summary", "resnet50", "--layers").output
    assert " layer4.2.conv3 Conv2d 2048 x 7 x 7 1,048,576 " in re.sub(" +", " ", text)


def test_two_specs_of_one_name_are_two(tmp_path: Path) -> None:
    """Programs get both, by the names of the specs, and people which integer is whose."""
    rival = tmp_path / "rival.yaml"
    rival.write_text("{extends: resnet18, name: ResNet50, title: Rival}")
    pair = ("resnet50", str(rival))
    for command in ("cost", "features"):
        found = json.loads(run(command, *pair, "--json").output)
        assert [*found] == [*pair]
    lines = run("cost", *pair, "--as", "pycls").output.splitlines()
    assert [line.rpartition(", ")[2] for line in lines] == [*pair]
    layers = json.loads(run("summary", *pair, "--layers", "--json").output)
    assert [*layers] == [*pair]


def test_a_batch_counts_in_every_table() -> None:
    """Two images have twice the multiply-adds of one, and the same parameters."""
    for kind in (("resnet18",), ("resnet18", "--layers")):
        one, two = (
            json.loads(run("summary", *kind, "--json", "--batch", batch).output)
            for batch in ("1", "2")
        )
        if not kind[1:]:
            one, two = one["parts"], two["parts"]
        for old, new in zip(one, two, strict=True):
            assert new["params"] == old["params"]
            assert new["macs"] == 2 * old["macs"]
            assert new["activations"] == 2 * old["activations"]
        for form in ("--csv", "--markdown"):
            texts = [run("summary", *kind, form, "--batch", b).output for b in "12"]
            assert texts[0] != texts[1]


@pytest.mark.parametrize(
    "args",
    [
        ("summary", "resnet18", "--csv", "--json"),
        ("summary", "resnet18", "resnet34", "--layers", "--csv"),
        ("summary", "resnet18", "resnet34", "--batch", "2"),
        ("summary", "resnet18", "--style", "torchinfo", "--csv"),
        ("summary", "resnet18", "--layers", "--sort", "macs"),
        ("cost", "resnet18", "--as", "thop", "--json"),
        ("cost", "resnet18", "--reconcile", "--json"),
        ("cost", "resnet18", "--flops", "1T"),
        ("cost", "resnet18", "--flops", "1T", "--bandwidth", "1G", "--reconcile"),
    ],
)
def test_options_that_would_be_ignored_are_refused(args: tuple[str, ...]) -> None:
    result = run(*args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("Error: ") == 1


def test_summary_fits_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """With all that it says at full width, which is what a pipe gets, but what has no room."""
    monkeypatch.delenv("COLUMNS", raising=False)
    wide = run("summary", "specs/resnet152.yaml").output
    assert max(map(len, wide.splitlines())) == 106
    heights = {"106": 13, "105": 13, "91": 13, "77": 13, "75": 22, "60": 22, "50": 22}
    for columns, lines in heights.items():
        monkeypatch.setenv("COLUMNS", columns)
        narrow = run("summary", "specs/resnet152.yaml").output
        assert max(map(len, narrow.splitlines())) <= int(columns)
        assert len(narrow.splitlines()) == lines
        for word in re.findall(r"[^\s,─]+", narrow):
            assert word in wide


def test_check_prints_a_line_for_each_spec() -> None:
    result = run("check", "specs/plain")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) == len(list(Path("specs/plain").iterdir()))


def test_version_help_and_module() -> None:
    assert run("--version").output == f"resnet-spec, version {__version__}\n"
    for command in COMMANDS:
        help_text = run(command, "-h").output
        assert "resnet-spec" in help_text
    done = subprocess.run(
        [sys.executable, "-m", "resnet_spec", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert __version__ in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str) -> None:
    assert "_RESNET_SPEC_COMPLETE" in run("completion", shell).output


def test_commands_and_options_complete() -> None:
    env = {"_RESNET_SPEC_COMPLETE": "bash_complete", "COMP_WORDS": "resnet-spec su"}
    result = CliRunner().invoke(
        main, prog_name="resnet-spec", env={**env, "COMP_CWORD": "1"}
    )
    assert result.output == "plain,summary\n"


def completed(*words: str) -> list[tuple[str, str]]:
    """What the words may go on with, as click tells it to a shell: kind and text."""
    *args, begun = words
    shell = ShellComplete(main, {}, "resnet-spec", "_RESNET_SPEC_COMPLETE")
    return [(item.type, item.value) for item in shell.get_completions(args, begun)]


def test_specs_complete_by_name_and_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("resnetblur_own.yaml").write_text("")
    Path("notes.txt").write_text("")
    blurred = ["resnetblur101d", "resnetblur18", "resnetblur50", "resnetblur50d"]
    expected = [("plain", name) for name in (*blurred, "resnetblur_own.yaml")]
    for command in (
        "build",
        "check",
        "digest",
        "explain",
        "summary",
        "train",
        "verify",
    ):
        assert completed(command, "resnetblur") == expected
    assert completed("build", "resnet18", "resnetblur1") == expected[:2]
    assert ("plain", "v1/resnet50_v1") in completed("summary", "v1")
    assert completed("summary", "specs/res") == [("file", "specs/res")]
    for kind, name in completed("summary", ""):
        assert kind == "plain"
        assert name.endswith(".yaml") or spec_path(name).is_file()


def test_folders_and_other_libraries_complete() -> None:
    for words in (
        ("train", "--resume", "ru"),
        ("predict", "ru"),
        ("build", "-o", "ru"),
    ):
        assert completed(*words) == [("dir", "ru")]
    assert completed("verify", "resnet18", "--against", "ti") == [("plain", "timm:")]


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash here")
@pytest.mark.skipif(not shutil.which("resnet-spec"), reason="is not installed")
def test_bash_itself_completes() -> None:
    script = """
        eval "$(resnet-spec completion bash)"
        COMP_WORDS=(resnet-spec summary resnetblur1) COMP_CWORD=2
        _resnet_spec_completion resnet-spec
        echo "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "resnetblur101d resnetblur18\n"


EXTENDING = [
    {"head": {"pool": 7}},
    {"stem": {"width": 32}},
    {"norm": None, "expect": None},
    {"head": {"dropout": None}},
]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(run("schema").output)
    jsonschema.Draft202012Validator.check_schema(schema)
    return schema


def test_the_schema_takes_all_specs(schema: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator(schema)
    for path in Path("specs").rglob("*.yaml"):
        validator.validate(yaml.safe_load(path.read_text()))
    for change in EXTENDING:
        own = {"extends": "resnet50.yaml", "name": "Own", "title": "Own"}
        validator.validate({**own, **change})


def test_the_schema_takes_drawn_specs(schema: dict[str, Any], drawn: Pool) -> None:
    for data, _ in drawn:
        jsonschema.Draft202012Validator(schema).validate(data)


@pytest.mark.parametrize(
    "case",
    [
        "unknown_key",
        "wrong_type",
        "word_not_known",
        "depth_zero",
        "no_stage",
        "stem_unknown",
    ],
)
def test_the_schema_refuses_wrong_specs(schema: dict[str, Any], case: str) -> None:
    validator = jsonschema.Draft202012Validator(schema)
    data = yaml.safe_load(Path(f"tests/errors/{case}.yaml").read_text())
    assert not validator.is_valid(data)
    own = {k: v for k, v in data.items() if k not in ("input", "strides")}
    assert not validator.is_valid(own | {"extends": "resnet50.yaml"})


def test_every_field_is_described(schema: dict[str, Any]) -> None:
    for model in schema["$defs"].values():
        for name, field in model["properties"].items():
            assert field.get("description"), name


def test_list_shows_the_specs_that_ship() -> None:
    lines = run("list").output.splitlines()
    specs = [line for line in lines if line.startswith("  ")]
    assert len(specs) == len(list(Path("specs").rglob("*.yaml")))
    assert lines[0] == "bit"
    line = "  resnetblur18       11,689,512 parameters     2.34 GMACs"
    assert line in run("list", "blur").output.splitlines()
    for line in specs:  # each name is a SPEC, and finds itself
        assert run("list", line.split()[0]).exit_code == 0
        assert spec_path(line.split()[0]).is_file()
    families = [line for line in lines if not line.startswith("  ")]
    assert families == sorted(families)
    for family in families:
        assert family in run("list", family).output.splitlines()
    nothing = run("list", "blur", "next")
    assert nothing.exit_code == 1
    assert (
        nothing.output == "no spec that ships has blur and next in its name or family\n"
    )


def test_what_list_says_is_so() -> None:
    """Its figures are the specs' own claims, which no build could pass if untrue."""
    for file in SPECS:
        assert {"params", "macs"} <= yaml.safe_load(file.read_text())["expect"].keys()


def test_a_name_is_a_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("build", "resnet50d", "tutorials/resnet34")
    assert result.exit_code == 0, result.output
    made = {str(path) for path in Path("generated").rglob("*.py")}
    assert made == {
        "generated/resnetd/resnet50d.py",
        "generated/tutorials/resnet34.py",
    }
    text = (ROOT / "generated/resnetd/resnet50d.py").read_text()
    assert Path("generated/resnetd/resnet50d.py").read_text() == text
    for wrong, meant in (
        ("resnet50dd", "resnet50d"),
        ("cifar/resnt20", "cifar/resnet20"),
    ):
        result = run("check", wrong)
        assert result.exit_code == 1
        assert result.output == (
            f"{wrong}: is no file, and no spec that ships (did you mean {meant}?) [file]\n"
        )


def test_features_on_the_command_line() -> None:
    result = run("build", "resnet18", "-o", "-", "--features", "2,4")
    assert 'return {"layer2": layer2, "layer4": layer4}' in result.output
    assert "with features [2, 4]" in " ".join(result.output.split())
    stem = run("build", "resnet18", "-o", "-", "--features", "stem,layer2")
    assert 'return {"stem": stem, "layer2": layer2}' in stem.output
    for nothing in ("", "2,"):
        empty = run("build", "resnet18", "-o", "-", "--features", nothing)
        assert empty.exit_code == 2
    for wrong in ("5", "2,x"):
        beyond = run("build", "resnet18", "-o", "-", "--features", wrong)
        assert beyond.exit_code == 1
        assert beyond.output.startswith(
            "ResNet18: features must be different ones of stem, pool, layer1, "
        )


@pytest.mark.slow
def test_verify_against_another_library() -> None:
    same = run("verify", "resnet18", "--against", "torchvision:resnet18")
    assert same.exit_code == 0
    assert same.output.count("equal bit for bit") == 3
    other = run("verify", "resnet18", "--against", "timm:resnetblur18")
    assert other.exit_code == 1
    assert "largest difference" in other.output
    for against, message in (
        ("timm:resnet50", "timm:resnet50 has other tensors than resnet18;"),
        ("timm:nosuch", "has no nosuch"),
        ("torchvision:nosuch", "has no nosuch"),
    ):
        wrong = run("verify", "resnet18", "--against", against)
        assert wrong.exit_code == 1
        assert message in wrong.output
    wrong = run("verify", "resnet18", "--against", "resnet18")
    assert wrong.exit_code == 2
    assert "--against is timm:NAME or torchvision:NAME, not resnet18" in wrong.output


@pytest.mark.slow
def test_verify_by_the_weights_of_a_file(tmp_path: Path) -> None:
    import torch
    from torchvision.models import resnet18

    from resnet_spec.compare.libraries import compare
    from resnet_spec.weights.naming import names

    state = resnet18(num_classes=7).state_dict()
    file = tmp_path / "a.pth"
    named = {their: state[our] for our, their in names(state, "transformers").items()}
    torch.save({"model": named}, file)
    args = ("verify", "resnet18", "--against", "torchvision:resnet18")
    sets = ("--set", "head.classes=7", "--set", "input=[3, 64, 64]")
    same = run(*args, *sets, "--weights", str(file))
    assert same.exit_code == 0
    said = "122 tensors as transformers names them from model, below resnet"
    assert same.output.startswith(f"{file}: {said}\n64 x 64: ")
    assert same.output.count("equal bit for bit") == 2
    ours = build(load("resnet18", {"head.classes": 7}).network)
    pair, size = (ours, resnet18(num_classes=7)), [(32, 32)]
    found = compare(*pair, size, weights=state)
    assert all(each.relative == 0 for each in found)
    state["bn1.running_var"][0] = float("nan")
    found = compare(*pair, size, weights=state)
    assert [d.result for d in found if d.relative != 0] == ["evaluation output 0"]
    other = run(*args, "--weights", str(file))
    assert other.exit_code == 1
    assert "the classifier, 7 classes in the file, 1000 here" in other.output
    alone = run(*args, "--prefix", "net")
    assert alone.exit_code == 2
    assert "--prefix goes with --weights, and there are none" in alone.output
