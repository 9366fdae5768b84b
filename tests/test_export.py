"""The command that writes networks for other runtimes, as somebody uses it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import load_file, save_file
from torch import nn

from resnet_spec import build, convert_weights, load
from resnet_spec.cli import main
from resnet_spec.network import Network
from tests.models import trained
from tests.test_onnx import BOUND, given, session

SMALL = {"input": [3, 64, 64], "depths": [1, 1, 1, 1], "widths": [16, 32, 64, 128]}
SET = [f"--set={key}={value}" for key, value in SMALL.items()]


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["export", *map(str, args)])


@pytest.fixture(scope="module")
def network() -> Network:
    return load("resnet50", SMALL).network


@pytest.fixture(scope="module")
def model(network: Network) -> nn.Module:
    return trained(network)


@pytest.fixture
def weights(model: nn.Module, tmp_path: Path) -> Path:
    file = tmp_path / "weights.safetensors"
    save_file(model.state_dict(), file, {"made by": "a test"})
    return file


def exported(spec: str, file: Path, *options: str | Path) -> onnx.ModelProto:
    result = run(spec, *options, "-o", file)
    assert result.exit_code == 0, result.output
    made = onnx.load(file)
    onnx.checker.check_model(made, full_check=True)
    return made


def outputs(made: onnx.ModelProto, x: torch.Tensor) -> Any:
    return session(made).run(None, {"images": x.numpy()})


def near(ours: Any, theirs: Any, bound: float = BOUND) -> bool:
    pairs = zip(ours, theirs, strict=True)
    return all(np.abs(a - b).max() <= bound * np.abs(a).max() for a, b in pairs)


@pytest.mark.parametrize("options", [[], ["--deploy"], ["--features=1,3"]])
def test_it_has_the_weights_of_the_file(
    options: list[str],
    network: Network,
    model: nn.Module,
    weights: Path,
    tmp_path: Path,
) -> None:
    made = exported(
        "resnet50", tmp_path / "a.onnx", *SET, "--weights", weights, *options
    )
    x = torch.randn(2, 3, 64, 64)
    ours = given(model, x)
    if "--features=1,3" in options:
        cut = load("resnet50", SMALL, ["layer1", "layer3"]).network
        trunk = build(cut)
        trunk.load_state_dict(model.state_dict(), strict=False)
        ours = given(trunk.eval(), x)
    assert near(ours, outputs(made, x))
    norms = [node for node in made.graph.node if node.op_type == "BatchNormalization"]
    assert bool(norms) == (options != ["--deploy"])
    told = {each.key: each.value for each in made.metadata_props}
    assert told["layout"] != told["function"]
    assert told["weights"].startswith("weights.safetensors, ")
    assert told["weights.made by"] == "a test"
    if not options:
        assert told["fingerprint"] == network.digests.fingerprint


def test_features_of_a_file_without_counts(network: Network, tmp_path: Path) -> None:
    state = build(network, init=True).state_dict()
    few = {k: t for k, t in state.items() if not k.endswith("num_batches_tracked")}
    save_file(few, file := tmp_path / "few.safetensors")
    made = exported(
        "resnet50", tmp_path / "a.onnx", *SET, "--weights", file, "--features=1"
    )
    assert [each.name for each in made.graph.output] == ["layer1"]


def test_other_names_and_other_types(tmp_path: Path) -> None:
    """As transformers calls them, in bfloat16, and with other classes than the spec's."""
    state = trained(load("resnet18", {"head.classes": 5}).network).state_dict()
    half = {k: t.bfloat16() if t.is_floating_point() else t for k, t in state.items()}
    save_file(half, file := tmp_path / "half.safetensors")
    convert_weights(file, "transformers", tmp_path / "theirs", spec="resnet18")
    theirs = tmp_path / "theirs" / "model.safetensors"
    made = exported("resnet18", tmp_path / "b.onnx", "--weights", theirs)
    there = build(load("resnet18", {"head.classes": 5}).network).eval()
    there.load_state_dict(half)
    x = torch.randn(2, 3, 64, 64)
    assert near(given(there, x), outputs(made, x))


def test_weights_that_nothing_trained_are_asked_for(tmp_path: Path) -> None:
    result = run("resnet18", "-o", tmp_path / "a.onnx")
    assert result.exit_code == 2
    assert (
        "give --weights FILE; or --seed 0 for weights that nothing has" in result.output
    )
    made = exported("resnet50", tmp_path / "a.onnx", *SET, "--seed", "3")
    torch.manual_seed(3)
    ours = build(load("resnet50", SMALL).network).eval()
    x = torch.randn(2, 3, 64, 64)
    assert near(given(ours, x), outputs(made, x))


def test_a_program_of_torch(model: nn.Module, weights: Path, tmp_path: Path) -> None:
    """Of another size, and of another number of images, than it was traced with."""
    file = tmp_path / "a.pt2"
    result = run("resnet50", *SET, "--weights", weights, "-o", file, "--deploy")
    assert result.exit_code == 0, result.output
    program = torch.export.load(file)
    x = torch.randn(3, 3, 96, 64)
    assert near(given(model, x), given(program.module(), x))


def test_it_needs_no_torch(weights: Path, tmp_path: Path) -> None:
    """Weights in, a folded graph out, where torch cannot be imported."""
    args = ["export", "resnet50", *SET, "--weights", str(weights), "--deploy"]
    args += ["-o", str(tmp_path / "a.onnx")]
    code = (
        "import sys; sys.modules['torch'] = None\n"
        f"from resnet_spec.cli import main; main({args!r})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / "a.onnx").exists()


def test_weights_of_more_than_two_gigabytes_are_beside_the_graph(
    model: nn.Module,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a bound that a small network is above; ONNX Runtime finds the file by itself."""
    monkeypatch.setattr("resnet_spec.cli.export.LARGEST", 10**6)
    file, beside = tmp_path / "a.onnx", tmp_path / "a.onnx.data"
    for args in ([], ["--half"]):
        made = run("resnet50", *SET, "--weights", weights, "-o", file, *args)
        assert made.exit_code == 0, made.output
        assert made.output.startswith(f"{file} and {beside}: ")
        onnx.checker.check_model(str(file), full_check=True)
        size = sum(p.numel() for p in model.parameters()) * (2 if args else 4)
        assert file.stat().st_size < 0.02 * size < size < beside.stat().st_size
        runs = onnxruntime.InferenceSession(file)
        x = torch.randn(2, 3, 64, 64)
        dtype = np.float16 if args else np.float32
        (theirs,) = runs.run(None, {"images": x.numpy().astype(dtype)})
        ours = given(model, x)[0]
        bound = (0.02 if args else BOUND) * np.abs(ours).max()
        assert np.abs(ours - theirs).max() < bound
        file.unlink()
        refused = run("resnet50", *SET, "--weights", weights, "-o", file, *args)
        assert refused.exit_code == 1
        assert f"{beside}: is there, so it is not overwritten" in refused.output
        assert not file.exists()
        beside.unlink()


def test_what_sixteen_bits_make_infinite_is_refused(
    weights: Path, tmp_path: Path
) -> None:
    state = load_file(weights)
    state["bn1.running_var"][3] = 7e4
    save_file(state, file := tmp_path / "large.safetensors")
    for output in ("a.onnx", "a.pt2"):
        args = ("--weights", file, "-o", tmp_path / output)
        said = run("resnet50", *SET, *args, "--half")
        assert said.exit_code == 1
        assert said.output == (
            "bn1.running_var has 70000, and 16 bits end at 65,504, so leave --half out\n"
        )
    assert run("resnet50", *SET, *args[:-1], tmp_path / "a.onnx").exit_code == 0
    args = ("--weights", file, "-o", tmp_path / "folded.onnx", "--deploy")
    assert run("resnet50", *SET, *args, "--half").exit_code == 0


WRONG: dict[str, tuple[list[str], int, str]] = {
    "another kind": (["-o", "a.tflite", "--seed=0"], 2, "-o must end in .onnx or .pt2"),
    "both": (["-o", "a.onnx", "--seed=0", "--weights=x"], 2, "give one"),
    "no file": (
        ["-o", "a.onnx", "--weights=missing.pth"],
        1,
        "missing.pth cannot be read",
    ),
    "another network": (["-o", "a.onnx", "--weights=W"], 1, "is not resnet18: "),
    "other classes": (
        [
            "-o",
            "a.onnx",
            *SET,
            "--set=block=bottleneck",
            "--weights=W",
            "--set=head.classes=9",
        ],
        1,
        "1000 classes in the file, 9 here",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_one_line(
    name: str, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    args, status, said = WRONG[name]
    monkeypatch.chdir(tmp_path)
    spec = "resnet50" if name == "other classes" else "resnet18"
    result = run(spec, *(arg.replace("=W", f"={weights}") for arg in args))
    assert result.exit_code == status, result.output
    assert said in result.output
    assert not [*tmp_path.glob("a.*")]
    assert "Traceback" not in result.output


def test_nothing_is_overwritten(weights: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.onnx"
    file.write_text("mine")
    args = ["resnet50", *SET, "--weights", weights, "-o", file]
    assert "--force overwrites it" in run(*args).output
    assert file.read_text() == "mine"
    assert run(*args, "--force").exit_code == 0
