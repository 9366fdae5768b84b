"""Training: what a run says and leaves, and whom it agrees with.

KILLS=10 pytest tests/test_train.py -k stopped does what docs/training.md reports.
"""

import csv
import json
import os
import random
import re
import resource
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from shutil import copytree, rmtree

import pytest

pytest.importorskip("pytorch_lightning", reason="needs the extra `train`")

import numpy as np
import torch
import torchvision
from click.testing import CliRunner
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, DistributedSampler
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from resnet_spec import build_model, load
from resnet_spec.cli import main
from resnet_spec.emit.module import build
from resnet_spec.network import Shape
from resnet_spec.train import Settings, predict
from resnet_spec.train.checkpoints import Keep
from resnet_spec.train.norms import norm_of_one_value
from resnet_spec.train.pictures import Augmented, Folder, broken_in, prepare, read
from resnet_spec.train.task import _factor, _mean
from resnet_spec.train.weights import start_from
from resnet_spec.weights import naming
from tests.strategies import Pool

pytestmark = pytest.mark.slow

SPEC = """\
extends: cifar/resnet20
name: Tiny
title: Tiny
input: [3, 8, 8]
stem: {type: conv3x3, width: 8, pool: none}
depths: [1, 1]
widths: [8, 16]
strides: [1, 2]
head: {dropout: 0.2}
"""
CLASSES = ("cat", "dog", "hen")
TRAIN, TEST = 9, 7  # pictures of each class
LINE = re.compile(
    r"epoch (\d+), loss (\d+\.\d{4}), train acc ([01]\.\d{3}), "
    r"test acc ([01]\.\d{3}), time \d+\.\d sec"
)


def pictures(folder: Path, **counts: int) -> Path:
    """Noise in three colors, a folder each."""
    draw = np.random.default_rng(0)
    for split, count in (counts or {"train": TRAIN, "test": TEST}).items():
        for label, name in enumerate(CLASSES):
            (folder / split / name).mkdir(parents=True)
            for i in range(count):
                pixels = draw.integers(0, 128, (10, 12, 3), dtype=np.uint8)
                pixels[..., label] += 100
                Image.fromarray(pixels).save(folder / split / name / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures, and the spec of a net of four convolutions."""
    folder = tmp_path_factory.mktemp("training")
    (folder / "tiny.yaml").write_text(SPEC)
    pictures(folder / "data")
    return folder


def arguments(here: Path, *more: str) -> list[str]:
    data = str(here / "data")
    base = ["train", str(here / "tiny.yaml"), "--data", data, "--workers", "0"]
    return [*base, "--batch-size", "8", "--epochs", "3", *more]


def run(*args: str, status: int = 0) -> str:
    result = CliRunner().invoke(main, args)
    assert result.exit_code == status, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.output


@pytest.fixture(scope="module")
def finished(here: Path) -> Path:
    """A run of three epochs, with all that makes chance in it."""
    chance = ("--augment", "crop", "--schedule", "cosine")
    output = run(*arguments(here, *chance, "-o", str(here / "run")))
    (here / "output").write_text(output)
    return here / "run"


def weights(run: Path, kind: str = "last") -> dict[str, Tensor]:
    found = torch.load(run / f"{kind}.ckpt", weights_only=True)["state_dict"]
    return {name.removeprefix("net."): tensor for name, tensor in found.items()}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def figures(run: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((run / "metrics.csv").read_text().splitlines()))


def test_it_says_a_line_for_each_epoch_and_keeps_it(finished: Path) -> None:
    head, found, *lines, end = (finished.parent / "output").read_text().splitlines()
    assert head.endswith("data/train; the spec has 10")
    assert head.startswith("head: 3 classes, one for each folder in ")
    assert found == "pictures: 27 to train on, 21 to evaluate on"
    rows = figures(finished)
    for number, (line, row) in enumerate(zip(lines, rows, strict=True), 1):
        said = LINE.fullmatch(line)
        assert said
        assert said.groups() == (
            f"{number}",
            f"{float(row['loss']):.4f}",
            f"{float(row['train_acc']):.3f}",
            f"{float(row['test_acc']):.3f}",
        )
    best = max(rows, key=lambda row: float(row["test_acc"]))
    assert (
        end == f"{finished / 'model.safetensors'}: from epoch {best['epoch']}, the best"
    )


def test_the_folder_has_what_a_run_leaves(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = sorted(path.name for path in finished.iterdir())
    assert names == [
        "README.md",
        "best.ckpt",
        "classes.txt",
        "curves.svg",
        "last.ckpt",
        "metrics.csv",
        "model.safetensors",
        "predict.py",
        "run.json",
        "tiny.py",
        "tiny.yaml",
    ]
    assert (finished / "classes.txt").read_text().split() == list(CLASSES)
    with monkeypatch.context() as there:
        there.chdir(finished)
        source = run("build", "tiny.yaml", "-o", "-")
    assert source == (finished / "tiny.py").read_text()
    assert same(load_file(finished / "model.safetensors"), weights(finished, "best"))
    svg = (finished / "curves.svg").read_text()
    assert all(f">{word}</text>" in svg for word in ("Tiny", "train", "test", "loss"))


ALONE = """\
import runpy, sys
sys.modules["resnet_spec"] = None
sys.path.insert(0, ".")
for args in {each}:
    sys.argv = ["predict.py", *args]
    try:
        runpy.run_path("predict.py", run_name="__main__")
    except SystemExit as stopped:
        print(stopped)
    print("--")
"""


def alone(code: str, each: list[list[str]], folder: Path) -> list[str]:
    """What predict.py says of each, in a process without resnet-spec that runs the code too."""
    command = [sys.executable, "-W", "error", "-c", ALONE.format(each=each) + code]
    done = subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True
    )
    assert done.stderr == ""
    return done.stdout.split("--\n")[:-1]


def test_its_files_predict_without_resnet_spec_and_agree(finished: Path) -> None:
    data = finished.parent / "data/test/dog"
    (lines,) = re.findall(
        r"```python\n(.*?)```", (finished / "README.md").read_text(), re.S
    )
    assert len(lines.split("\n\n")) == 2
    assert len([line for line in lines.splitlines() if line]) == 4
    deep = finished.parent / "16bit.png"
    Image.fromarray(np.arange(0, 65536, 1024, dtype=np.uint16).reshape(8, 8)).save(deep)
    pictures = (data / "0.png", deep)
    args = [*([str(picture)] for picture in pictures), [], ["none.png"], ["run.json"]]
    *predicted, none, no_file, no_picture = alone(lines, args, folder=finished)
    for picture, printed in zip(pictures, predicted, strict=True):
        (found,) = predict(finished, [picture])
        ordered = sorted(found.items(), key=lambda item: -item[1])
        assert printed.splitlines() == [
            f"{value:.3f}  {name}" for name, value in ordered
        ]
        assert sum(found.values()) == pytest.approx(1)
    assert none.endswith("python predict.py picture.png\n")
    assert no_file == "none.png: no such file\n"
    said = "run.json cannot be read as a picture, not a known format\n"
    assert no_picture == said
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--isolated", "predict.py"]
        subprocess.run(ruff, cwd=finished, check=True, capture_output=True)


def test_predict_prints_the_likeliest_classes(finished: Path) -> None:
    picture = str(finished.parent / "data/test/dog/0.png")
    (found,) = predict(finished, [picture])
    name = max(found, key=lambda name: found[name])
    output = run("predict", str(finished), picture, "--top", "1")
    assert output == f"{picture}\n  {found[name]:.3f}  {name}\n"


def test_predict_takes_a_spec_and_anyones_weights(
    finished: Path, tmp_path: Path
) -> None:
    """The same as of the run; classes as the file says, wherever it says it."""
    picture = str(finished.parent / "data/test/dog/0.png")
    spec, weights = str(finished / "tiny.yaml"), finished / "model.safetensors"
    by_run = run("predict", str(finished), picture)
    output = run("predict", spec, picture, "--weights", str(weights))
    assert output.endswith(by_run)
    assert re.match(rf"{re.escape(str(weights))}: \d+ tensors\n", output)
    state = {f"module.{n}": t for n, t in load_file(weights).items()}
    labels = ["b", "a", "b"]
    for beside, config, shown in (
        ({}, {}, {"0", "1", "2"}),
        ({"classes": labels}, {}, {"b (0)", "a", "b (2)"}),
        ({"classes": labels[:2]}, {}, {"0", "1", "2"}),
        ({"meta": {"dataset_meta": {"CLASSES": ("x", "y", "z")}}}, {}, {"x", "y", "z"}),
        ({"class_to_idx": {"z": 2, "y": 1, "x": 0}}, {}, {"x", "y", "z"}),
        ({}, {"id2label": {"0": "x", "1": "y", "2": "z"}}, {"x", "y", "z"}),
    ):
        torch.save({"state_dict": state, **beside}, tmp_path / "a.pth")
        (tmp_path / "config.json").write_text(json.dumps(config))
        args = ("--weights", str(tmp_path / "a.pth"))
        output = run("predict", spec, picture, *args)
        assert "tensors from state_dict, below module\n" in output
        found = re.findall(r"^  (0\.\d+)  (.*)$", output, re.MULTILINE)
        assert {name for _, name in found} == shown
        assert [p for p, _ in found] == re.findall(r"0\.\d+", by_run)
    gray = ("--set", "input=[1, 8, 8]", "--weights", str(weights))
    output = run("predict", spec, picture, *gray, status=1)
    assert "conv1, 3 input channels in the file, 1 here: " in output
    output = run("predict", spec, picture, *gray, "--channels-by", "sum")
    assert "3 input channels made 1 by sum" in output
    for args, status, said in (
        (["--naming", "timm"], 2, "--naming goes with --weights, and there are none"),
        (["--set", "input=[1, 8, 8]"], 2, "--set goes with --weights"),
        (["--weights", "none.pth"], 1, "none.pth cannot be read, No such file"),
    ):
        assert said in run("predict", spec, picture, *args, status=status)
    args = ("--weights", str(weights), "--set", "head.classes=none")
    output = run("predict", "resnet18", picture, *args, status=1)
    assert output == "ResNet18 has no classifier, head.classes is none\n"


def test_the_same_run_twice_and_with_workers_is_the_same(finished: Path) -> None:
    here = finished.parent
    args = arguments(here, "--augment", "crop", "--schedule", "cosine")
    run(*args, "--workers", "2", "-o", str(here / "workers"))
    assert same(weights(here / "workers"), weights(finished))
    run(*args, "--seed", "1", "-o", str(here / "seed"))
    assert not same(weights(here / "seed"), weights(finished))


def bare_loop(here: Path, net: nn.Module, batch: int = 8) -> None:
    """What the tutorials write: Adam at 1e-3 for three epochs, in torch alone."""
    transform = v2.Compose(
        [
            v2.PILToTensor(),
            v2.Resize((8, 8)),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    data = ImageFolder(str(here / "data/train"), transform)
    order: DistributedSampler[int] = DistributedSampler(data, 1, 0, seed=0)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for epoch in range(3):
        order.set_epoch(epoch)
        for images, labels in DataLoader(data, batch, sampler=order):
            optimizer.zero_grad()
            F.cross_entropy(net(images), labels).backward()
            optimizer.step()


def test_it_trains_as_a_bare_loop_does_bit_for_bit(here: Path) -> None:
    (here / "plain.yaml").write_text(SPEC.replace("dropout: 0.2", "dropout: 0"))
    args = ["train", str(here / "plain.yaml"), "--data", str(here / "data")]
    args += ["--epochs", "3", "--batch-size", "8", "--workers", "0"]
    run(*args, "-o", str(here / "plain"))
    torch.manual_seed(0)
    net = build_model(here / "plain.yaml", num_classes=3).train()
    bare_loop(here, net)
    assert same(net.state_dict(), weights(here / "plain"))


def test_schedules_are_those_of_torch() -> None:
    for schedule, theirs in (
        ("cosine", lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 8)),
        ("step", lambda o: torch.optim.lr_scheduler.MultiStepLR(o, [4, 6])),
        ("constant", lambda o: torch.optim.lr_scheduler.ConstantLR(o, 1)),
    ):
        settings = Settings(data="", schedule=schedule, epochs=2)
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(()))], 1.0)
        reference = theirs(optimizer)
        for step in range(8):
            expected = pytest.approx(reference.get_last_lr()[0])
            assert _factor(settings, step, steps=4) == expected
            optimizer.step()
            reference.step()


def test_a_network_warms_up_at_a_tenth_of_the_rate() -> None:
    settings = Settings(data="", schedule="step", epochs=4, warmup_epochs=1)
    found = [_factor(settings, step, steps=2) for step in range(8)]
    assert found == pytest.approx([0.1, 0.1, 1, 1, 0.1, 0.1, 0.01, 0.01])


def stopped(args: list[str], how: signal.Signals, after: float) -> str:
    """Start a run, stop it some seconds after it has said a line of an epoch."""
    command = [sys.executable, "-m", "resnet_spec", *args]
    with subprocess.Popen(
        command,
        env=os.environ | {"OMP_NUM_THREADS": "1"},  # as the tests; sums depend on it
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # what a shell starts in the background would not hear Ctrl-C, nor its children
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if LINE.match(line):
                break
        time.sleep(after)
        process.send_signal(how)
        output = process.stdout.read()
    assert process.returncode == {signal.SIGKILL: -9, signal.SIGINT: 1}[how]
    return output


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_goes_on_to_the_same_weights(
    here: Path, how: signal.Signals
) -> None:
    """Whether it was before, in or after the writing of a checkpoint that it was stopped."""
    kills, chance = int(os.environ.get("KILLS", "1")), random.Random(0)
    folder, whole = here / how.name, here / f"{how.name}-whole"
    args = arguments(here, "--augment", "crop", "--schedule", "cosine")
    args += ["--epochs", f"{20 * kills}"]
    run(*args, "-o", str(whole))
    args += ["-o", str(folder)]
    for _ in range(kills):
        said = stopped(args, how, chance.uniform(0, 0.1))
        if how == signal.SIGINT:
            assert said.endswith(
                f"stopped; resnet-spec train --resume {folder} continues it\n"
            )
        args = ["train", "--resume", str(folder)]
    assert "no epoch was kept" not in run(*args)  # the one whose line was printed was
    assert same(weights(folder), weights(whole))
    assert same(weights(folder, "best"), weights(whole, "best"))
    untimed = [
        [{**row, "seconds": ""} for row in figures(run)] for run in (folder, whole)
    ]
    assert untimed[0] == untimed[1]
    assert run(*args) == (
        f"{folder} is finished; --epochs N makes a run of a constant rate longer\n"
    )
    assert same(weights(folder), weights(whole))


def test_a_run_is_made_longer_as_if_begun_so(here: Path, finished: Path) -> None:
    for epochs, name in (("2", "short"), ("4", "long")):
        run(*arguments(here, "--epochs", epochs, "-o", str(here / name)))
    run("train", "--resume", str(here / "short"), "--epochs", "4")
    assert same(weights(here / "short"), weights(here / "long"))
    assert same(weights(here / "short", "best"), weights(here / "long", "best"))
    records = [(here / name / "run.json").read_text() for name in ("short", "long")]
    assert records[0] == records[1]
    for folder, epochs, expected in (
        (here / "short", "3", "the run has 4 epochs already, not 3"),
        (
            finished,
            "4",
            "the cosine schedule of the run ends at epoch 3; --weights starts a new one "
            "from its weights",
        ),
    ):
        args = ["train", "--resume", str(folder), "--epochs", epochs]
        assert run(*args, status=1).splitlines()[-1] == expected


def launched(*command: str, folder: Path) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    env = os.environ | {"WATCHED": str(folder), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def accuracy_of_one(run: Path, test: Path) -> float:
    """What one process counts, picture by picture, with the run's last weights."""
    net = build_model(run / "tiny.yaml").eval()
    net.load_state_dict(weights(run))
    data = Folder(test, Shape(3, 8, 8))
    assert len(data) % 2  # so that one is there twice on two processes
    with torch.inference_mode():
        right = [int(net(image[None]).argmax()) == label for image, label in data]
    return sum(right) / len(data)


def test_two_processes_train_one_network(here: Path) -> None:
    """Started by Lightning, and by torchrun as on two machines, that find each other."""
    args = ["tests/helpers/watched_training.py", *arguments(here, "--strategy", "ddp")]
    ours = here / "ddp"
    one = launched(
        sys.executable, *args, "--devices", "2", "-o", str(ours / "run"), folder=ours
    )
    assert LINE.match(one.communicate()[0].splitlines()[-2])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "2"]
    torchrun += ["--master-addr", "127.0.0.1", "--master-port", str(port)]
    theirs = here / "torchrun"
    machines = [
        launched(
            *(*torchrun, "--node-rank", str(n), *args, "--nodes", "2"),
            *("-o", str(theirs / "run")),
            folder=theirs,
        )
        for n in range(2)
    ]
    assert [(m.communicate(), m.returncode)[1] for m in machines] == [0, 0]
    ranks = [torch.load(f / f"rank{n}.pt") for f in (ours, theirs) for n in range(2)]
    assert all(same(ranks[0]["weights"], rank["weights"]) for rank in ranks)
    assert same(ranks[0]["weights"], weights(ours / "run"))
    for pair in (ranks[:2], ranks[2:]):
        seen = [{key for key in rank["seen"] if key[1] == 2} for rank in pair]
        total = 3 * TRAIN
        assert seen[0] | seen[1] == {(i, 2) for i in range(total)}
        assert len(seen[0] & seen[1]) == total % 2  # that all processes have as many
    expected = pytest.approx(accuracy_of_one(ours / "run", here / "data/test"))
    assert float(figures(ours / "run")[-1]["test_acc"]) == expected


PREACT = {"shortcut": "activated", "first": "own"}
PREACT |= {"stem_norm": False, "final_norm": True}


def test_weights_by_every_naming_leave_their_own_classifier_out(here: Path) -> None:
    """fc is head.fc in timm's resnetv2.py and last_linear in its senet.py."""
    for spec, ours in (
        ({"preact": PREACT}, "timm"),
        ({"attention": "se"}, "timm-senet"),
        ({"shortcut": "projection"}, "tutorial"),
        ({"shortcut": "projection"}, "kuangliu"),
        ({}, "torchvision"),
    ):
        base = build(load(here / "tiny.yaml", spec).network)
        state = base.state_dict()
        theirs = naming.names(state, ours)
        file = here / f"{ours}.safetensors"
        save_file({theirs[name]: tensor for name, tensor in state.items()}, file)
        net = build(load(here / "tiny.yaml", {**spec, "head.classes": 3}).network)
        said = f"tensors as {ours} names them" if ours != "torchvision" else "tensors"
        part = rf"\d+ {said}; fc left out, 10 x 16 there"
        assert re.fullmatch(part, start_from(net, file))
        found = net.state_dict()
        assert found["fc.weight"].shape == (3, 16)
        assert all(torch.equal(found[n], state[n]) for n in state if n[:3] != "fc.")
        gray = build(load(here / "tiny.yaml", {**spec, "input": [1, 8, 8]}).network)
        line = start_from(gray, file, {"naming": ours})
        assert re.fullmatch(rf"\d+ {said}; conv1 left out, 8 x 3 x 3 x 3 there", line)
        assert torch.equal(gray.state_dict()["fc.weight"], state["fc.weight"])
        same_head = build(load(here / "tiny.yaml", spec).network)
        assert re.fullmatch(rf"\d+ {said}", start_from(same_head, file))
        assert same(same_head.state_dict(), state)


def test_a_loss_that_is_no_number_is_seen() -> None:
    metric = _mean()
    for value in (1.0, float("nan"), 1.0):
        metric.update(torch.tensor(value), 2)
    assert metric.compute().isnan()


def test_a_run_that_diverges_fails(here: Path, tmp_path: Path) -> None:
    tensors = build_model(here / "tiny.yaml").state_dict()
    tensors["conv1.weight"][0, 0, 0, 0] = float("nan")
    save_file(tensors, tmp_path / "nan.safetensors")
    args = arguments(here, "--weights", str(tmp_path / "nan.safetensors"))
    output = run(*args, "-o", str(tmp_path / "run"), status=1)
    assert output.endswith("\nthe loss of epoch 1 is nan; a smaller --lr may help\n")


def test_a_run_that_was_moved_knows_its_best_epoch(here: Path, tmp_path: Path) -> None:
    """The best one was before the move; the epoch after it is worse."""
    args = arguments(here, "--epochs", "6", "--lr", "0.03", "-o", str(here / "still"))
    run(*args)
    state = torch.load(here / "still/last.ckpt", weights_only=True)
    copytree(here / "still", tmp_path / "moved")
    keep = Keep(dirpath=tmp_path / "moved", monitor="test_acc", mode="max")
    (found,) = (v for v in state["callbacks"].values() if v.get("monitor"))
    keep.load_state_dict(found)
    assert keep.best_model_score == found["best_model_score"] is not None


def test_it_starts_from_weights_by_anybodys_names(here: Path) -> None:
    """A classifier of other classes is left out; the rest is trained on, or is not."""
    torch.manual_seed(5)
    source = build_model(here / "tiny.yaml")
    theirs = {
        theirs: source.state_dict()[ours]
        for ours, theirs in naming.names(source.state_dict(), "timm").items()
    }
    save_file(theirs, here / "ten.safetensors")
    args = arguments(here, "--weights", str(here / "ten.safetensors"))
    output = run(*args, "--freeze-backbone", "-o", str(here / "frozen"))
    file = here / "ten.safetensors"
    line = rf"weights: {file}: \d+ tensors; fc left out, 10 x 16 there"
    assert re.search(rf"^{line}$", output, re.MULTILINE)
    found, old = weights(here / "frozen"), source.state_dict()
    kept = [name for name in found if not name.startswith("fc.")]
    assert same({n: found[n] for n in kept}, {n: old[n] for n in kept})
    assert "fc.weight" not in kept
    torch.manual_seed(0)
    fresh = build_model(here / "tiny.yaml", num_classes=3)
    assert not torch.equal(found["fc.weight"], fresh.state_dict()["fc.weight"])
    again = arguments(here, "--weights", str(here / "frozen/model.safetensors"))
    output = run(*again, "-o", str(here / "tuned"))
    assert f"weights: {here / 'frozen/model.safetensors'}: " in output
    tuned = weights(here / "tuned")
    assert not any(torch.equal(tuned[n], old[n]) for n in kept if "weight" in n)
    args = arguments(here, "--freeze-backbone", "-o", str(here / "random"))
    assert "without --weights the frozen layers stay as they were init" in run(*args)


def test_what_was_taken_stands_in_the_weights(here: Path, tmp_path: Path) -> None:
    """Gray weights read colors; the line outlives a run that is stopped and goes on."""
    gray = build(load(here / "tiny.yaml", {"input": [1, 8, 8]}).network).state_dict()
    wrapped = {"student": gray, "teacher": {f"net.{n}": t for n, t in gray.items()}}
    torch.save(wrapped, tmp_path / "gray.pth")
    args = arguments(here, "--weights", str(tmp_path / "gray.pth"), "--epochs", "1")
    output = run(*args, "-o", str(tmp_path / "run"), status=1)
    assert "has several, 'student', 'teacher': key='teacher' takes that one" in output
    args += ["--key", "teacher", "--channels-by", "repeat"]
    output = run(*args, "-o", str(tmp_path / "run"))
    (line,) = re.findall(r"^weights: .*gray\.pth: (.*)$", output, re.MULTILINE)
    assert re.fullmatch(
        r"\d+ tensors from teacher, below net; not from student; "
        r"1 input channel made 3 by repeat; fc left out, 10 x 16 there",
        line,
    )
    run("train", "--resume", str(tmp_path / "run"), "--epochs", "2")
    with safe_open(tmp_path / "run/model.safetensors", "pt") as file:
        said = json.loads(file.metadata()["resnet_spec"])
    assert said["weights"] == line
    spec = load(tmp_path / "run/tiny.yaml").network
    assert said["layout"] == spec.digests.layout


def test_sgd_and_half_precision_train(here: Path) -> None:
    args = ("--optimizer", "sgd", "--momentum", "0.5", "--weight-decay", "1e-4")
    run(*arguments(here, *args, "--precision", "bf16-mixed", "-o", str(here / "sgd")))
    plain = run(*arguments(here, *args, "-o", str(here / "sgd32")))
    assert LINE.search(plain)
    assert not same(weights(here / "sgd"), weights(here / "sgd32"))


def test_augmentation_depends_on_seed_epoch_and_picture_alone(here: Path) -> None:
    def drawn(augment: str, seed: int, *key: int) -> Tensor:
        folder = Folder(here / "data/train", Shape(3, 8, 8), augment)
        return Augmented(folder, seed)[key[0], key[1]][0]

    for augment in ("flip", "crop", "resized-crop"):
        first = drawn(augment, 0, 1, 2)
        torch.rand(3)
        assert torch.equal(first, drawn(augment, 0, 1, 2))
        others = [drawn(augment, 0, 1, epoch) for epoch in range(8)]
        assert any(not torch.equal(first, other) for other in others)
    plain = drawn("off", 0, 1, 0)
    flips = [drawn("flip", 0, 1, epoch) for epoch in range(8)]
    assert all(torch.equal(f, plain) or torch.equal(f, plain.flip(-1)) for f in flips)
    state = torch.get_rng_state()
    drawn("crop", 3, 0, 0)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I"]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_of_every_kind_have_the_channels_of_the_spec(
    mode: str, channels: int, tmp_path: Path
) -> None:
    grey = np.linspace(0, 255, 64).astype(np.uint8).reshape(8, 8)
    if mode in ("I", "I;16"):
        picture = Image.fromarray(grey.astype(np.uint16) * 257)
    else:
        color = Image.fromarray(grey).convert("RGB")
        picture = (
            Image.fromarray(grey).convert("P") if mode == "P" else color.convert(mode)
        )
    ends = {"CMYK": "tif", "I": "pgm"}
    file = tmp_path / f"picture.{ends.get(mode, 'png')}"
    picture.save(file)
    with Image.open(file) as stored:
        assert stored.mode == mode
    found = read(file, {1: "L", 3: "RGB"}[channels])
    tensor = prepare(Shape(channels, 8, 8))(found)
    assert tensor.shape == (channels, 8, 8)
    if mode != "1":  # which is dithered
        pixels = np.asarray(found.convert("L")).astype(int)
        assert abs(pixels - grey).max() <= 3


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "no folder": (
        lambda data: data.rename(data.with_name("gone")),
        "{data}: no such folder",
    ),
    "no test": (
        lambda data: (data / "test").rename(data / "tests"),
        "{data}/test: no such folder; {data} needs train, and test or val",
    ),
    "one class": (
        lambda data: [rmtree(data / "train" / name) for name in ("cat", "hen")],
        "{data}/train needs two or more folders, one for each class; it has dog alone",
    ),
    "other classes": (
        lambda data: (data / "test/hen").rename(data / "test/cow"),
        "{data}/train has no folder cow, as {data}/test has",
    ),
    "empty class": (
        lambda data: [file.unlink() for file in (data / "test/dog").iterdir()],
        "{data}/test/dog has no picture in it "
        "(.jpg, .jpeg, .png, .ppm, .bmp, .pgm, .tif, .tiff, .webp)",
    ),
    "broken": (
        lambda data: (data / "train/dog/1.png").write_bytes(b""),
        "{data}/train/dog/1.png cannot be read as a picture, not a known format; "
        "--skip-broken leaves broken pictures out",
    ),
    "cut off": (
        lambda data: [
            file.write_bytes(file.read_bytes()[:90])
            for file in (data / "train/dog/1.png", data / "test/cat/0.png")
        ],
        "{data}/train/dog/1.png cannot be read as a picture, image file is truncated, "
        "and 1 more; --skip-broken leaves broken pictures out",
    ),
}


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_picture_that_breaks_while_a_run_reads_is_one_line(
    workers: str, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After all were looked at; in the process that trains, or one that reads for it."""
    data = pictures(tmp_path / "data", train=2, test=2)
    broken = data / "train/dog/1.png"
    broken.write_bytes(b"")
    monkeypatch.setattr("resnet_spec.train.data.broken_in", lambda *_: {})
    args = ["train", str(here / "tiny.yaml"), "--data", str(data)]
    output = run(*args, "--workers", workers, "-o", str(tmp_path / "run"), status=1)
    expected = f"{broken} cannot be read as a picture, not a known format"
    assert output.splitlines()[2:] == [expected]


def test_a_norm_of_one_value_is_known_before_torch_finds_it(drawn: Pool) -> None:
    for _, network in drawn[::3]:
        net = build(network, device="meta").train()
        image = torch.empty(1, *network.image, device="meta")
        if norm_of_one_value(network):
            expected = "Expected more than 1 value per channel"
            with pytest.raises(ValueError, match=expected):
                net(image)
        else:
            net(image)


def test_norms_of_one_value_are_named() -> None:
    for name, side, expected in (
        ("resnet18", 33, None),
        ("resnet18", 32, "layer4.0.bn1"),
        ("res2net50d", 33, None),
        ("res2net50d", 32, "layer4.0.conv2"),
        ("skresnet18", 224, "layer1.0.conv1"),
        ("resnest14d", 224, "layer1.0.conv2"),
        ("resnet50_gn", 32, None),
        ("resnet50_frozen", 32, None),
    ):
        network = load(name, {"input": [3, side, side]}).network
        assert norm_of_one_value(network) == expected


@pytest.mark.parametrize("case", BROKEN)
def test_wrong_pictures_are_one_line(case: str, here: Path, tmp_path: Path) -> None:
    change, expected = BROKEN[case]
    data = pictures(tmp_path / "data", train=2, test=2)
    change(data)
    output = run(
        *("train", str(here / "tiny.yaml"), "--data", str(data)),
        *("--workers", "0", "-o", str(tmp_path / "run")),
        status=1,
    )
    lines = [line for line in output.splitlines() if not line.startswith("head:")]
    assert lines == [expected.format(data=data)]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "module"), [("01-tiny.yaml", "_01_tiny"), ("-", "tiny")]
)
def test_a_spec_of_any_name_trains(
    name: str,
    module: str,
    here: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The run and its source are called as Python can import it, or after the network."""
    monkeypatch.chdir(tmp_path)
    Path("01-tiny.yaml").write_text(SPEC)
    args = ["train", name, "--data", str(here / "data"), "--workers", "0"]
    result = CliRunner().invoke(main, [*args, "--epochs", "1"], input=SPEC)
    assert result.exit_code == 0, result.output
    assert (f"so the module is {module}.py\n" in result.output) is (name != "-")
    run_folder = Path("runs", module)
    assert (run_folder / f"{module}.py").is_file()
    picture = str(here / "data/test/cat/0.png")
    assert run("predict", str(run_folder), picture).splitlines()[0] == picture
    two = [*args, "--devices", "2", "-o", "two"]
    if name == "-":
        refused = CliRunner().invoke(main, two, input=SPEC)
        said = "standard input is read by one process; give SPEC as a file\n"
        assert (refused.exit_code, refused.output) == (1, said)


def test_broken_pictures_are_left_out_and_counted(here: Path, tmp_path: Path) -> None:
    data = pictures(tmp_path / "data", train=3, test=2)
    for file in (data / "train/dog/1.png", data / "test/cat/0.png"):
        file.write_bytes(b"no picture")
    (data / "train/.hidden").mkdir()
    for name in (".x.png", ".hidden/y.png", "notes.txt"):
        (data / "train/dog" / name).parent.mkdir(exist_ok=True)
        (data / "train/dog" / name).write_bytes(b"")
    args = ["train", str(here / "tiny.yaml"), "--data", str(data), "--epochs", "1"]
    output = run(*args, "--workers", "0", "--skip-broken", "-o", str(tmp_path / "run"))
    said = "8 to train on, 5 to evaluate on; 2 broken ones left out; files of other kinds: 1"
    assert f"pictures: {said}\n" in output
    folders = [Folder(data / part, Shape(3, 8, 8)) for part in ("train", "test")]
    assert len(broken_in([f for folder in folders for f in folder.files], 2)) == 2
    with pytest.raises(ValueError, match="dog has no picture that can be read"):
        folders[0].leave_out([str(data / f"train/dog/{i}.png") for i in range(3)])


OPTIONS = {
    "a head of other classes": (
        ["--set", "head.classes=5"],
        "head.classes=5, and {here}/data/train has 3 folders; "
        "without --set head.classes it is taken from there",
    ),
    "no head": (
        ["--set", "head.dropout=null", "--set", "head.classes=none"],
        "{here}/tiny.yaml has no classifier to train, head.classes is none",
    ),
    "channels that no picture has": (
        ["--set", "input=[5,8,8]"],
        "the network takes 5 channels; pictures are read as 1 or 3",
    ),
    "too small": (
        ["--set", "input=[3,1,1]"],
        "{here}/tiny.yaml: strides[1]: stage 2 strides a map that is 1 x 1 already, for an "
        "image of 1 x 1; a larger input or fewer strides leave it more",
    ),
    "a folder with something in it": (
        ["-o", "{here}/data"],
        "{here}/data is not an empty folder; -o names another",
    ),
    "a folder with a run in it": (
        ["-o", "{here}/run"],
        "{here}/run has a run in it; --resume {here}/run continues it, -o names another "
        "folder",
    ),
    "a folder that cannot be": (
        ["-o", "{here}/tiny.yaml/run"],
        "{here}/tiny.yaml/run cannot be made in {here}/tiny.yaml; -o names another folder",
    ),
    "batches of one picture": (
        ["--batch-size", "1", "--set", "input=[3,2,2]"],
        "with one picture at a time, layer2.0.bn1 has one value per channel to normalize; "
        "take a larger --batch-size",
    ),
    "weights that are not there": (
        ["--weights", "{here}/no.pth"],
        "{here}/no.pth cannot be read, No such file or directory",
    ),
    "a precision that a CPU has not": (
        ["--precision", "16-mixed", "--accelerator", "cpu"],
        "16-mixed needs a GPU; here Lightning takes bf16-mixed",
    ),
    "an accelerator that is not there": (
        ["--accelerator", "mps"],
        "Lightning: `MPSAccelerator` can not run on your system",
    ),
    "a name that predict.py imports": (
        ["--set", "name=Path"],
        "{here}/tiny.yaml: a run's own predict.py imports another Path",
    ),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_options_that_cannot_be_are_one_line(
    case: str, finished: Path, tmp_path: Path
) -> None:
    here = finished.parent
    more, expected = OPTIONS[case]
    named = [text.format(here=here) for text in more]
    out = [] if "-o" in named else ["-o", str(tmp_path / "run")]
    output = run(*arguments(here, *named, *out), status=1)
    (line,) = [
        line
        for line in output.splitlines()
        if not re.match(r"head:|pictures:|.*warning:| +(\d+ )?[|=]", line)
    ]
    assert line.startswith(expected.format(here=here))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["--lr", "-1"], "--lr: input should be greater than 0, got -1.0"),
        (["--momentum", "0.9"], "momentum is SGD's; adam has none"),
        (["--naming", "timm"], "naming is that of weights, and there are none"),
        (["--key", "ema"], "key is that of weights, and there are none"),
        (
            ["--weights", "a.pth", "--naming", "tim"],
            f"Invalid value for '--naming': must be one of {', '.join(naming.NAMINGS)}, "
            "got tim (did you mean timm?)",
        ),
        (
            ["--warmup-epochs", "9"],
            "warmup_epochs must be fewer than the 3 epochs",
        ),
        (
            ["--devices", "3"],
            "batch_size 8 cannot be divided among 3 processes",
        ),
        (
            ["--resume", "run"],
            "--resume RUN goes on as RUN was begun, and takes --epochs alone",
        ),
    ],
)
def test_wrong_usage_is_said(args: list[str], expected: str, here: Path) -> None:
    output = run(*arguments(here, *args), status=2)
    assert output.endswith(f"Error: {expected}\n")


def edited(finished: Path, to: Path, name: str, change: Callable[[str], str]) -> Path:
    """A copy of the run with one file changed, as if it was stopped just before its end."""
    copytree(finished, to)
    (to / "model.safetensors").unlink()
    (to / name).write_text(change((to / name).read_text()))
    return to


def test_a_run_of_another_spec_or_other_pictures_does_not_go_on(
    finished: Path, tmp_path: Path
) -> None:
    """Its tensors would fit: only what the blocks compute is another."""
    other = edited(
        *(finished, tmp_path / "spec", "tiny.yaml"),
        lambda text: text.replace("activation: relu", "activation: silu"),
    )
    output = run("train", "--resume", str(other), status=1)
    assert (
        "the checkpoint is of a network that computes something else"
        in output.splitlines()[-1]
    )
    longer = edited(
        *(finished, tmp_path / "classes", "classes.txt"), lambda text: text + "pig\n"
    )
    output = run("train", "--resume", str(longer), status=1)
    assert "has other classes than" in output
    fewer = edited(
        *(finished, tmp_path / "fewer", "run.json"),
        lambda text: text.replace('"epochs": 3', '"epochs": 1'),
    )
    assert "Lightning: " in run("train", "--resume", str(fewer), status=1)
    best = edited(*(finished, tmp_path / "best", "run.json"), lambda text: text)
    (best / "best.ckpt").unlink()
    output = run("train", "--resume", str(best), status=1)
    assert output == f"{best / 'best.ckpt'}: no such file\n"
    odd = edited(*(finished, tmp_path / "odd", "run.json"), lambda text: text[:-4])
    assert "run.json: its text: Invalid JSON" in run(
        "train", "--resume", str(odd), status=1
    )
    data = tmp_path / "data"
    copytree(finished.parent / "data", data)
    more = edited(
        *(finished, tmp_path / "more", "run.json"),
        lambda text: text.replace(str(finished.parent / "data"), str(data)),
    )
    run("train", "--resume", str(more))
    (more / "model.safetensors").unlink()
    Image.new("RGB", (4, 4)).save(data / "test/cat/new.png")
    output = run("train", "--resume", str(more), status=1)
    assert (
        output.splitlines()[-1] == f"{data} has other pictures than the run began with"
    )
    assert "is not a run" in run("train", "--resume", str(tmp_path / "none"), status=1)


def test_checkpoints_are_read_as_tensors_alone(finished: Path, tmp_path: Path) -> None:
    """One that would run code is refused, not run."""

    class Trap:
        def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
            return os.mkdir, (str(tmp_path / "trapped"),)

    folder = edited(*(finished, tmp_path / "run", "run.json"), lambda text: text)
    torch.save({"state_dict": Trap()}, folder / "last.ckpt")
    output = run("train", "--resume", str(folder), status=1)
    assert output.splitlines()[-1].startswith(
        f"{folder / 'last.ckpt'} is not a checkpoint"
    )
    assert not (tmp_path / "trapped").exists()
    calls = [
        line
        for file in Path("resnet_spec").rglob("*.py")
        for line in re.findall(r"torch\.load\([^)]*\)", file.read_text())
    ]
    assert calls
    assert all("weights_only=True" in call for call in calls)


def test_a_full_disk_is_one_line_and_loses_nothing(here: Path, tmp_path: Path) -> None:
    """Files may have 20 kB here, which a checkpoint does not fit into."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20000, before[1]))
    try:
        said = run(*arguments(here, "-o", str(tmp_path / "run")), status=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert said.splitlines()[-1] == "the output cannot be written, file too large"
    assert "Traceback" not in said
    left = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert left == ["classes.txt", "metrics.csv", "run.json", "tiny.py", "tiny.yaml"]
    run("train", "--resume", str(tmp_path / "run"))
    assert (tmp_path / "run/model.safetensors").exists()


def test_pictures_of_32_bits_are_refused(tmp_path: Path) -> None:
    for kind in (np.int32, np.float32):
        file = tmp_path / f"{kind.__name__}.tif"
        Image.fromarray(np.zeros((4, 4), kind)).save(file)
        with pytest.raises(ValueError, match="its pixels have 32 bits"):
            read(file, "RGB")


def test_predict_says_what_it_cannot(finished: Path, tmp_path: Path) -> None:
    assert run("predict", str(finished), "no.png", status=1) == "no.png: no such file\n"
    folder = edited(*(finished, tmp_path / "run", "run.json"), lambda text: text)
    output = run("predict", str(folder), "no.png", status=1)
    assert output.startswith(f"{folder} is not finished: it has no model.safetensors; ")


def test_val_is_measured_by_where_it_is_there(here: Path, tmp_path: Path) -> None:
    data = pictures(tmp_path / "data", train=2, test=1, val=2)
    args = ["train", str(here / "tiny.yaml"), "--data", str(data), "--epochs", "1"]
    output = run(*args, "--workers", "0", "-o", str(tmp_path / "run"))
    assert "6 to train on, 6 to evaluate on\n" in output
    assert ", val acc " in output


def test_a_picture_alone_in_a_batch_waits(here: Path, tmp_path: Path) -> None:
    """Of 9 in batches of 4 one is left; a net that ends in one pixel could not take it."""
    data = pictures(tmp_path / "data", train=3, test=1)
    args = ["train", str(here / "tiny.yaml"), "--data", str(data), "--epochs", "1"]
    args += ["--workers", "0", "--set", "input=[3,2,2]", "--batch-size", "4"]
    assert LINE.search(run(*args, "-o", str(tmp_path / "run")))


def test_a_frozen_backbone_takes_one_picture_at_a_time(
    here: Path, tmp_path: Path
) -> None:
    args = arguments(here, "--batch-size", "1", "--set", "input=[3,2,2]")
    output = run(*args, "--freeze-backbone", "-o", str(tmp_path / "run"))
    assert len([line for line in output.splitlines() if LINE.match(line)]) == 3


def test_the_page_about_training_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its commands, which the README has too, and its Python, one after the other."""
    page, readme = (Path(p).read_text() for p in ("docs/training.md", "README.md"))
    (commands,) = re.findall(r"```bash\n(.*?)```", page, re.S)
    assert commands in readme
    fetch, code = re.findall(r"```python\n(.*?)```", page, re.S)
    copytree("benchmarks", tmp_path / "benchmarks")
    monkeypatch.chdir(tmp_path)
    first, train, predict, alone = map(shlex.split, commands.splitlines())
    subprocess.run([sys.executable, *first[1:]], check=True)
    lines = run(*train[1:], "--workers", "0").splitlines()
    assert float(LINE.fullmatch(lines[-2])[4]) > 0.9  # type: ignore[index]
    said = run(*predict[1:]).splitlines()[1:]
    assert said[0].endswith("  7")
    done = subprocess.run([sys.executable, *alone[1:]], check=True, capture_output=True)
    assert done.stdout.decode().splitlines()[:5] == [line.strip() for line in said]
    exec(code, {"__name__": "__main__"})
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", Arrays)
    exec(fetch, {})
    classes, *_ = folders = sorted(Path("cifar10").glob("*/*"))
    assert [folder.name for folder in folders] == ["cat", "dog"] * 2
    with Image.open(classes / "00000.png") as picture:
        assert picture.size == (32, 32)


class Arrays(list[tuple[Image.Image, int]]):
    """What torchvision's CIFAR10 gives, without the download."""

    classes = ("cat", "dog")

    def __init__(self, root: str, train: bool, download: bool) -> None:
        assert (root, download) == ("downloads", True)
        super().__init__((Image.new("RGB", (32, 32)), n % 2) for n in range(2 + train))


def test_settings_are_kept(finished: Path) -> None:
    settings = json.loads((finished / "run.json").read_text())["settings"]
    assert settings["augment"] == "crop"
    assert settings["data"] == str(finished.parent / "data")


def test_cheap_mistakes_are_said_before_torch_is_imported(
    finished: Path, tmp_path: Path
) -> None:
    here = finished.parent
    spec, data = str(here / "tiny.yaml"), str(here / "data")
    for args in (
        ["train", spec, "--data", str(tmp_path / "nowhere")],
        ["train", spec, "--data", data, "--set", "input=[4,8,8]"],
        ["train", spec, "--data", data, "-o", str(finished)],
        ["train", spec, "--data", data, "--weights", "none.pth", "-o", "new"],
        ["train", "--resume", str(tmp_path)],
        ["train", "--resume", str(finished)],
        ["predict", str(tmp_path), "a.png"],
        ["predict", str(finished), "none.png"],
    ):
        code = (
            "import sys, resnet_spec.cli as cli\n"
            "try: cli.main(sys.argv[1:])\n"
            "except SystemExit: pass\n"
            "assert 'torch' not in sys.modules\n"
        )
        command = [sys.executable, "-c", code, *args]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, (args, done.stderr)
        assert len((done.stdout + done.stderr).splitlines()) == 1
