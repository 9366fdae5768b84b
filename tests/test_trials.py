"""Sweeps that train: by several workers, killed and resumed, with the figures of one."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("optuna", reason="needs the extra `sweep`")
pytest.importorskip("pytorch_lightning", reason="needs the extra `sweep`")

import optuna
from click.testing import CliRunner, Result
from optuna.trial import TrialState

from resnet_spec.cli import main
from resnet_spec.train import Settings, studies, trials
from resnet_spec.train.trials import Key, Plan, Worker
from resnet_spec.train.watch import DivergedError
from tests.test_train import pictures, same, weights

SPACE = """\
name: Small
title: Small
input: [3, 8, 8]
stem: {type: conv3x3, width: 4, pool: none}
block: basic
shortcut: projection
depths: [1]
strides: [1]
head: {classes: 3, dropout: 0.1}
choices: {widths: {each: [4, 5, 6]}}
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a space of three networks and pictures of three classes."""
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "small.yaml").write_text(SPACE)
    pictures(folder / "data", train=6, test=5)
    return folder


def arguments(here: Path, runs: str, *more: str) -> list[str]:
    args = ["sweep", str(here / "small.yaml"), "--best", "3", "-o", str(here / "best")]
    args += ["--train", "--data", str(here / "data"), "--runs", str(here / runs)]
    return [*args, "--epochs", "2", "--workers", "0", "--batch-size", "6", *more]


def run(args: list[str], status: int = 0) -> Result:
    result = CliRunner().invoke(main, args)
    assert result.exit_code == status, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


KILLED = """\
import os, signal, sys, torch
from resnet_spec.cli import main
from resnet_spec.train import studies, trials
torch.set_num_threads(1)  # as in the tests, so that bits are the same
studies.BEAT = studies.GRACE = 1
left, report = iter(range(int(sys.argv.pop(1)))), trials._report
def told(*args):
    if next(left, None) is None:
        os.kill(os.getpid(), signal.SIGKILL)
    report(*args)
trials._report = told
main(sys.argv[1:])
"""


def killed(args: list[str], at: int) -> None:
    """The command in a process of its own, which is killed after so many epochs."""
    command = [sys.executable, "-c", KILLED, str(at), *args]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def states(storage: str) -> dict[Key, Counter[TrialState]]:
    """How often the trials of each key ended how, as Optuna itself reads its storage."""
    store = optuna.storages.RDBStorage(storage)
    (summary,) = optuna.get_all_study_summaries(store)
    study = optuna.load_study(study_name=summary.study_name, storage=store)
    found: dict[Key, Counter[TrialState]] = {}
    for trial in study.trials:
        key = Key(trial.user_attrs["spec"], trial.user_attrs["rate"])
        found.setdefault(key, Counter())[trial.state] += 1
    store.remove_session()
    store.engine.dispose()
    return found


@pytest.mark.slow
def test_a_killed_sweep_goes_on_and_ends_as_one_that_was_not(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studies, "GRACE", 1)
    monkeypatch.setattr(studies, "BEAT", 1)
    whole = run(arguments(here, "whole", "--json"))
    killed(arguments(here, "runs"), at=2)  # in the second network's first epoch
    again = run(arguments(here, "runs", "--json"))
    assert again.stdout == whole.stdout
    rows = json.loads(whole.stdout)
    assert [row["epochs"] for row in rows] == [2, 2, 2]
    ordered = [(-row["accuracy"], row["params"]) for row in rows]
    assert ordered == sorted(ordered)
    for row in rows:
        name = f"small_{row['point']}"
        metrics = (here / "whole" / name / "metrics.csv").read_text()
        figures = csv.DictReader(metrics.splitlines())
        assert row["accuracy"] == max(float(each["test_acc"]) for each in figures)
        assert same(weights(here / "whole" / name), weights(here / "runs" / name))
        assert (here / "best" / f"{name}.yaml").is_file()
    found = states(f"sqlite:///{here / 'runs' / 'sweep.db'}")
    ended = [TrialState.COMPLETE]
    assert [[*of] for of in found.values()].count(ended) == 2
    assert [of[TrialState.COMPLETE] for of in found.values()] == [1, 1, 1]
    assert sum(of[TrialState.FAIL] for of in found.values()) == 1
    said = again.stderr.count("epoch 1, loss"), again.stderr.count("epoch 2, loss")
    assert said == (1, 2)  # what was kept is not trained again
    third = run(arguments(here, "runs", "--json", "--page", str(here / "a.html")))
    assert third.stdout == whole.stdout
    assert "epoch" not in third.stderr
    shown = re.search(r'id="data">(.*?)</script>', (here / "a.html").read_text(), re.S)
    assert shown
    data = json.loads(shown[1])
    assert data["axes"][1] == ["accuracy", "more"]
    at = data["figures"].index("accuracy")
    accuracies = [spec["figures"][at] for spec in data["specs"]]
    assert accuracies == [row["accuracy"] for row in rows]


# --- who trains what, without training ------------------------------------------------------

RATES = (0.1, 0.01)


@pytest.fixture
def plan(here: Path, tmp_path: Path) -> Plan:
    """Three specs at two rates."""
    specs = [tmp_path / f"s{i}.yaml" for i in range(3)]
    for i, file in enumerate(specs):
        file.write_text(f"extends: cifar/resnet20\nname: S{i}\ntitle: S{i}\n")
    settings = Settings(data=here / "data", epochs=3)
    return Plan(specs, settings, RATES, tmp_path / "runs", False)


def figures(key: Key) -> list[dict[str, float]]:
    """Of three epochs, of which the second is the best."""
    best = (int(key.spec[1:]) + 1) / 10 + key.rate
    return [
        {"epoch": epoch + 1, "test_acc": best - abs(epoch - 1) / 100}
        for epoch in range(3)
    ]


Rows = list[dict[str, float]]


def fake(
    monkeypatch: pytest.MonkeyPatch, trained: Callable[[Key], None]
) -> list[tuple[Key, int]]:
    """Workers train nothing, but tell the figures; returns what they told, in order."""
    told: list[tuple[Key, int]] = []

    def rows(_: Worker, key: Key, tell: Callable[[Rows], None]) -> Rows:
        trained(key)
        every = figures(key)
        for epoch in (1, 2, 3):
            told.append((key, epoch))
            tell(every[:epoch])
        return every

    monkeypatch.setattr(Worker, "_rows", rows)
    return told


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_several_workers_share_the_trials(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that begin at once, each at its own pace."""
    told = fake(monkeypatch, lambda key: time.sleep(key.rate / 10))
    storage, found = str(tmp_path / "shared.db"), []
    begin = threading.Barrier(3)

    def work() -> None:
        with studies.shared("one", storage, prunes=False) as study:
            worker = Worker(plan, study)
            begin.wait(30)
            worker.work()
            found.append(worker.results())

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    wanted = [Key(f"s{i}", rate) for rate in RATES for i in range(3)]
    assert sorted(told) == sorted((key, epoch) for key in wanted for epoch in (1, 2, 3))
    assert len(found) == 3
    for results in found:
        assert [each.key for each in results] == wanted
        best = [max(row["test_acc"] for row in figures(key)) for key in wanted]
        assert [each.accuracy for each in results] == best
        assert {each.epochs for each in results} == {3}


@pytest.mark.slow
def test_what_diverges_has_no_accuracy_and_what_stops_is_trained_again(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stops = iter([True])
    wrong = Key("s1", 0.1)

    def trained(key: Key) -> None:
        if key == wrong:
            raise DivergedError("the loss is nan")
        if key.spec == "s2" and next(stops, False):
            raise SystemExit(130)

    told = fake(monkeypatch, trained)
    storage = str(tmp_path / "one.db")
    with pytest.raises(SystemExit) as stopped:
        trials.trained(plan, storage)
    assert stopped.value.code == 130
    results = {each.key: each for each in trials.trained(plan, storage)}
    assert len(results) == 6
    assert results.pop(wrong) == (wrong, None, 0, "the loss is nan")
    assert Counter(key for key, _ in told) == dict.fromkeys(results, 3)
    other = plan._replace(settings=plan.settings.model_copy(update={"epochs": 2}))
    trials.trained(other, storage)  # which is another study
    assert len(told) == 2 * 5 * 3


@pytest.mark.slow
def test_what_is_below_the_median_is_pruned(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(monkeypatch, lambda _: None)
    monkeypatch.setattr(optuna.pruners.MedianPruner.__init__, "__defaults__", (3, 0, 1))
    results = trials.trained(plan._replace(prunes=True), str(tmp_path / "pruned.db"))
    epochs = {each.key: each.epochs for each in results}
    assert [epochs[Key(f"s{i}", 0.1)] for i in range(3)] == [3, 3, 3]
    assert epochs[Key("s0", 0.01)] == 1
    by_rows = {each.key: each.accuracy for each in results}
    assert by_rows[Key("s0", 0.01)] == figures(Key("s0", 0.01))[0]["test_acc"]


# --- wrong uses -----------------------------------------------------------------------------

TRAIN = ["--best", "2", "-o", "OUT", "--train"]
DATA = [*TRAIN, "--data", "DATA"]
WRONG: list[tuple[list[str], int, str]] = [
    (["--epochs", "3"], 2, "--epochs is that of --train"),
    (["--prune"], 2, "--prune is that of --train"),
    (["--storage", "x.db"], 2, "--storage is that of --train"),
    (TRAIN, 2, "--train needs --data DIR, --best N and -o DIR"),
    (["--train", "--data", "DATA"], 2, "--train needs --data DIR, --best N and -o"),
    ([*DATA, "--lr", "fast"], 2, "must be a learning rate, or several, as 0.1,0.01"),
    ([*DATA, "--lr", "0.1,-1"], 2, "--lr: input should be greater than 0, got -1.0"),
    ([*DATA, "--epochs", "0"], 2, "--epochs: input should be greater than or equal"),
    ([*DATA, "--momentum", "0.9"], 2, "momentum is SGD's; adam has none"),
    ([*DATA, "--storage", "mysql://a/b"], 2, "is a file, or begins with postgresql://"),
    ([*DATA, "--seed", "-1"], 2, "-1 is not in the range"),
    ([*TRAIN, "--data", "OUT/none"], 1, "none: no such folder"),
    ([*DATA, "--storage", "DATA"], 1, "--storage cannot be used: unable to open"),
    (
        [*DATA, "--storage", "SPACE"],
        1,
        "--storage cannot be used: file is not a database",
    ),
    ([*DATA, "--storage", "SPACE/x.db"], 1, "cannot be made, "),
    ([*DATA, "--storage", "postgresql://me:secret@127.0.0.1:9/x"], 1, "refused"),
    ([*DATA, "--storage", "postgresql://me:x@[/x"], 1, "--storage cannot be used: "),
    ([*DATA, "--page", "DATA"], 1, "is a folder, so it is not overwritten"),
    (["--page", "x.html"], 2, "--page FILE shows what -o writes, so it needs"),
]


@pytest.mark.parametrize(("args", "status", "said"), WRONG)
def test_wrong_uses_have_one_line(
    here: Path, tmp_path: Path, args: list[str], status: int, said: str
) -> None:
    space = here / "small.yaml"
    for word, path in (("DATA", here / "data"), ("OUT", tmp_path), ("SPACE", space)):
        args = [arg.replace(word, str(path)) for arg in args]
    result = run(["sweep", str(space), *args], status)
    line = result.stderr.splitlines()[-1]
    assert said in line
    assert "secret" not in result.stderr
    assert result.stdout == ""


def test_what_was_costed_for_other_classes_is_not_trained(
    here: Path, tmp_path: Path
) -> None:
    (tmp_path / "ten.yaml").write_text(SPACE.replace("classes: 3", "classes: 10"))
    args = [str(tmp_path / "ten.yaml"), *arguments(here, "x")[2:]]
    args[args.index("-o") + 1] = str(tmp_path / "best")
    said = run(["sweep", *args], 1).stderr.splitlines()[-1]
    assert "has 10 classes, and " in said
    assert said.endswith("data/train 3 folders; say head.classes: 3 in SPACE")


# --- two workers on PostgreSQL --------------------------------------------------------------

TEN = """\
name: Ten
title: Ten
input: [1, 8, 8]
stem: {type: conv3x3, width: 8, pool: none}
block: basic
shortcut: projection
strides: [1, 2]
head: {classes: 10}
choices:
  widths: {same: [4, 6, 8, 10, 12], times: [1, 2]}
  depths: [[1, 1], [2, 1]]
"""


def as_postgres(*command: str | Path, folder: Path) -> None:
    """Run by the user postgres where we are root, whom the server refuses."""
    words = [str(word) for word in command]
    if os.getuid() == 0:
        words = [
            "setpriv",
            "--reuid=postgres",
            "--regid=postgres",
            "--clear-groups",
            *words,
        ]
    subprocess.run(words, check=True, capture_output=True, cwd=folder)


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a database of a new PostgreSQL, on loopback alone."""
    import tempfile

    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    found = binaries[-1] if binaries else shutil.which("pg_ctl")
    if not found:
        pytest.skip("needs PostgreSQL")
    folder = Path(tempfile.mkdtemp())
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
    bin_, data = Path(found).parent, folder / "data"
    port = 54321
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
    as_postgres(bin_ / "initdb", "-D", data, "-U", "me", "-A", "trust", folder=folder)
    start = ("start", "-D", data, "-w", "-l", folder / "log", "-o", options)
    as_postgres(bin_ / "pg_ctl", *start, folder=folder)
    yield f"postgresql://me@127.0.0.1:{port}/postgres"
    as_postgres(bin_ / "pg_ctl", "stop", "-D", data, "-m", "immediate", folder=folder)
    shutil.rmtree(folder)


WORKER = """\
import sys
from resnet_spec.cli import main
from resnet_spec.train import studies
studies.BEAT, studies.GRACE = 1, 6
main(sys.argv[1:])
"""


@pytest.mark.long
def test_two_workers_one_of_them_killed_do_what_one_does(
    server: str, tmp_path: Path
) -> None:
    """Ten networks on scikit-learn's digits, in one PostgreSQL."""
    digits, space = tmp_path / "digits", tmp_path / "ten.yaml"
    made = [sys.executable, "benchmarks/pictures.py", "digits", str(digits)]
    subprocess.run(made, check=True)
    space.write_text(TEN)

    def worker(name: str, storage: str) -> subprocess.Popen[str]:
        args = ["sweep", str(space), "--best", "10", "-o", str(tmp_path / "best")]
        args += ["--train", "--data", str(digits), "--epochs", "3", "--workers", "0"]
        args += ["--runs", str(tmp_path / name), "--storage", storage, "--json"]
        command = [sys.executable, "-c", WORKER, *args]
        with (tmp_path / f"{name}.log").open("w") as errors:
            return subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, text=True
            )

    alone = worker("alone", str(tmp_path / "alone.db"))
    expected, _ = alone.communicate()
    killed, other = worker("killed", server), worker("other", server)
    log = tmp_path / "killed.log"
    while log.read_text().count("epoch 2, loss") < 2:  # in its second network
        assert killed.poll() is None
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    found, _ = other.communicate()
    killed.communicate()
    assert (alone.returncode, other.returncode) == (0, 0)
    assert found == expected
    ends = states(server.replace("postgresql://", "postgresql+psycopg://"))
    assert [of[TrialState.COMPLETE] for of in ends.values()] == [1] * 10
    done = {name: log_of(tmp_path, name) for name in ("alone", "killed", "other")}
    print(done, ends)
    assert done["alone"] == done["killed"] + done["other"] == 10
    assert done["killed"] > 0
    for row in json.loads(expected):
        files = [*tmp_path.glob(f"*/ten_{row['point']}/model.safetensors")]
        assert len({file.read_bytes() for file in files}) == 1


def log_of(folder: Path, name: str) -> int:
    """How many networks a worker trained to the end."""
    return (folder / f"{name}.log").read_text().count("the best\n")
