"""How long networks take: by turns, after a comparison of what is computed."""

from __future__ import annotations

import csv
import io
import json
import time
from importlib.metadata import version
from itertools import groupby, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from resnet_spec import load
from resnet_spec.bench import FORMS, forms, timing
from resnet_spec.bench.results import Row, rows
from resnet_spec.bench.timing import Sample, interleaved
from resnet_spec.cli import main
from resnet_spec.cli.bench import _namesakes
from resnet_spec.cli.common import Job
from resnet_spec.output import spec_files
from resnet_spec.problems import extras

SPEC = """\
extends: cifar/resnet20
name: Tiny
title: Tiny
input: [3, 16, 16]
stem: {width: 8}
depths: [1, 1]
widths: [8, 16]
strides: [1, 2]
"""
LIGHT = "eager,channels_last,folded,onnxruntime"


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    file = tmp_path / "tiny.yaml"
    file.write_text(SPEC)
    return str(file)


def bench(*args: str, status: int = 0) -> Result:
    done = CliRunner().invoke(main, ["bench", *args, "--rounds", "3"])
    assert done.exit_code == status, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


def test_calls_have_turns_and_the_second_of_each_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By a clock that only calls move on, each by a time of its own."""
    now, called, lasted = [0.0], list[str](), dict[str, list[float]]()
    draw = np.random.default_rng(0)

    def call(name: str) -> None:
        took = float(draw.uniform(1, 2))
        now[0] += took
        called.append(name)
        lasted.setdefault(name, []).append(took)

    monkeypatch.setattr(timing, "perf_counter", lambda: now[0])
    monkeypatch.setattr(timing, "process_time", lambda: 2 * now[0])
    calls = {name: lambda name=name: call(name) for name in "abc"}
    samples = interleaved(calls, rounds=20, warmup=2)
    assert called[:6] == ["a", "a", "b", "b", "c", "c"]
    turns = [called[i : i + 6] for i in range(6, len(called), 6)]
    assert len(turns) == 20
    for turn in turns:
        assert sorted(turn[::2]) == ["a", "b", "c"]
        assert turn[::2] == turn[1::2]
    assert len({"".join(turn) for turn in turns}) > 3  # the order is drawn
    for name, own in samples.items():
        assert [s.wall for s in own] == pytest.approx(lasted[name][3::2])
        assert [s.processor for s in own] == pytest.approx(
            [2 * took for took in lasted[name][3::2]]
        )


def test_the_time_is_that_of_the_clock() -> None:
    (found,) = interleaved({"sleep": lambda: time.sleep(0.01)}, 3, 0).values()
    for sample in found:
        assert sample.wall >= 0.01
        assert sample.processor < 0.01


SECONDS = st.floats(1e-6, 1e3)
SAMPLES = st.lists(st.tuples(SECONDS, SECONDS, SECONDS), min_size=3, max_size=30)


@given(SAMPLES, st.integers(1, 64), st.none() | SECONDS)
def test_figures_are_those_of_numpy(
    taken: list[tuple[float, float, float]], batch: int, least: float | None
) -> None:
    eager, own, processor = np.array(taken).T
    samples = {
        "eager": [Sample(float(t), 0) for t in eager],
        "folded": [
            Sample(*map(float, pair)) for pair in zip(own, processor, strict=True)
        ],
    }
    first, second = rows("net", batch, 2, samples, least)
    middle = np.median(own)
    assert second[:4] == ("net", "folded", batch, 2)
    assert second.seconds == pytest.approx(middle)
    quartiles = pytest.approx([*np.percentile(own, [25, 75])])
    assert [second.lower, second.upper] == quartiles
    assert second.processor == pytest.approx(np.median(processor))
    assert second.images == pytest.approx(batch / middle)
    assert second.ratio == pytest.approx(np.median(eager / own))
    assert first.ratio == 1
    assert second.roofline == (least and pytest.approx(least / middle))


def test_each_form_has_a_row_for_each_setting(tiny: str) -> None:
    other = str(Path(tiny).with_name("other.yaml"))
    Path(other).write_text(SPEC)
    args = (tiny, other, "--forms", LIGHT, "--threads", "1")
    args += ("--batch", "1,2", "--flops", "1T", "--bandwidth", "1T")
    done = bench(*args, "--json")
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert found["machine"]["torch"] == version("torch")
    made = [Row(**row) for row in found["rows"]]
    settings = [(row.network, row.batch) for row in made]
    names = (tiny, other)
    assert [key for key, _ in groupby(settings)] == [*product(names, (1, 2))]
    assert [row.form for row in made] == LIGHT.split(",") * 4
    for row in made:
        assert 0 < row.lower <= row.seconds <= row.upper
        assert row.threads == 1
        assert row.roofline is not None
        assert 0 < row.roofline < 1


def test_threads_are_those_that_are_asked_for(
    tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, found = torch.get_num_threads(), set[int]()

    def watched(case: forms.Case) -> timing.Call:
        found.add(case.threads)
        return lambda: found.add(torch.get_num_threads()) or case.images

    monkeypatch.setitem(forms.MAKERS, "eager", watched)
    for threads in (2, 1):
        found.clear()
        bench(tiny, "--forms", "eager", "--threads", str(threads))
        assert found == {threads}
        assert torch.get_num_threads() == before


def test_tables(tiny: str) -> None:
    done = bench(tiny, "--forms", "folded")
    head, _, *lines, _, last = done.stdout.splitlines()
    assert head.split()[:5] == ["network", "form", "batch", "threads", "ms"]
    assert "roofline" not in head
    assert [line.split()[1] for line in lines] == ["eager", "folded"]
    assert f"torch {version('torch')}" in last
    table = bench(tiny, "--forms", "eager", "--csv").stdout
    (row,) = csv.DictReader(io.StringIO(table))
    assert [*row] == [*Row._fields]
    assert float(row["seconds"]) > 0


def test_what_computes_something_else_is_not_timed(
    tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = forms.MAKERS["folded"]
    for change, said in (
        (lambda y: y * 1.002, r"its output is 2.0e-03 of the largest from eager's"),
        (lambda y: y[:, :-1], r"its output is inf of the largest from eager's"),
        (lambda y: y * torch.nan, r"its output is inf of the largest from eager's"),
    ):
        wrong = lambda case, change=change: lambda: change(right(case)())  # noqa: E731
        monkeypatch.setitem(forms.MAKERS, "folded", wrong)
        done = bench(tiny, "--forms", "folded,channels_last", "--csv", status=1)
        assert done.stderr == f"{tiny}: folded is left out: {said}\n"
        named = [row["form"] for row in csv.DictReader(io.StringIO(done.stdout))]
        assert named == ["eager", "channels_last"]


def test_a_form_that_fails_is_left_out(
    tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object) -> Any:
        raise RuntimeError("no compiler:\n  c++ is missing\n  and so on")

    for form in ("compile", "openvino"):
        monkeypatch.setitem(forms.MAKERS, form, fails)
    line = "compile is left out: no compiler: c++ is missing"
    assert f"{tiny}: {line}\n" in bench(tiny).stderr
    done = bench(tiny, "--forms", "compile", status=1)
    assert done.stderr == f"{tiny}: {line}\n"
    assert "eager" in done.stdout


def test_a_package_that_is_missing(tiny: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said in a line, and an error only where it is asked for."""
    monkeypatch.setattr(extras, "find_spec", lambda name: name == "torch" or None)
    monkeypatch.setitem(forms.MAKERS, "compile", forms.MAKERS["folded"])
    needs = "this needs onnx: pip install 'resnet-spec[bench]'\n"
    done = bench(tiny, "--csv")
    assert done.stderr == "".join(
        f"{form} is left out: {needs}" for form in ("onnxruntime", "openvino")
    )
    done = bench(tiny, "--forms", "eager,onnxruntime", status=1)
    assert (done.stderr, done.stdout) == (needs, "")
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    needs = "this needs torch: pip install 'resnet-spec[torch]'\n"
    assert bench(tiny, status=1).stderr == needs


def test_a_librarys_network_has_the_same_weights(tiny: str) -> None:
    """Its output is compared as that of each form."""
    args = ("--input", "3,64,64", "--forms", "eager", "--csv")
    done = bench("resnet18", *args, "--against", "torchvision:resnet18")
    assert [row["form"] for row in csv.DictReader(io.StringIO(done.stdout))] == [
        "eager",
        "torchvision:resnet18",
    ]
    missing = f"torchvision {version('torchvision')} has no resnet19"
    other, change = "torchvision:resnet18", ("--set", "stem.pool=none")
    for spec, library, more, why in (
        (tiny, other, (), "the weights are not this network's: "),
        ("resnet18", "torchvision:resnet19", (), missing),
        ("resnet18", other, change, "of the largest from eager's"),
    ):
        done = bench(spec, *args, *more, "--against", library, status=1)
        assert done.stderr.startswith(f"{spec}: {library} is left out: ")
        assert why in done.stderr
        assert done.stderr.count("\n") == 1


def test_beside_a_spec_that_ships_is_its_namesake(tiny: str) -> None:
    found = {}
    for spec in (
        "resnet18",
        "resnet50d",
        "specs/resnet50.yaml",
        "cifar/resnet20",
        tiny,
    ):
        files, _ = spec_files([spec])
        found[spec] = _namesakes(Job(files[0], load(files[0].file), ""))
    assert found == {
        "resnet18": ["torchvision:resnet18"],
        "resnet50d": ["timm:resnet50d"],
        "specs/resnet50.yaml": ["torchvision:resnet50"],
        "cifar/resnet20": [],
        tiny: [],
    }
    assert _namesakes(Job(files[0], load("resnet18"), "input=[3, 64, 64]")) == []


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [
        (["resnet18", "--forms", "eagre"], 2, "got 'eagre' (did you mean eager?)"),
        (["resnet18", "--forms", "onnx"], 2, "or openvino, got 'onnx'"),
        (["resnet18", "--forms", ""], 2, "must be of eager, channels_last, folded,"),
        (["resnet18", "--batch", "1,0"], 2, "must be whole numbers from 1 on, as 1,8"),
        (["resnet18", "--batch", "1,"], 2, "must be whole numbers from 1 on, as 1,8"),
        (["resnet18", "--threads", "two"], 2, "from 1 on, as 1,8, got 'two'"),
        (["resnet18", "--rounds", "1"], 2, "1 is not in the range 3<=x<="),
        (["resnet18", "--against", "resnet18"], 2, "is timm:NAME or torchvision:NAME"),
        (["resnet18", "resnet34", "--against", "timm:resnet18"], 2, "beside one SPEC"),
        (["resnet18", "--json", "--csv"], 2, "--json and --csv exclude each other"),
        (["resnet18", "--flops", "1T"], 2, "needs both --flops and --bandwidth"),
        (["resnet18", "--device", "tpu"], 2, "'tpu' is not one of 'cpu', 'cuda'"),
        (["resnet18", "--device", "cuda"], 1, "torch finds no such device here"),
        (["resnet19"], 1, "no spec that ships (did you mean resnet18?)"),
    ],
)
def test_wrong_uses_have_one_line(args: list[str], status: int, said: str) -> None:
    if args[-1] == "cuda" and torch.cuda.is_available():
        pytest.skip("there is one")
    done = CliRunner().invoke(main, ["bench", *args])
    assert done.exit_code == status
    assert said in done.stderr.splitlines()[-1]
    assert done.stdout == ""


def test_a_network_that_gives_no_numbers_is_not_measured(
    tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = forms.MAKERS["eager"]
    broken = lambda case: lambda: right(case)() * torch.inf  # noqa: E731
    monkeypatch.setitem(forms.MAKERS, "eager", broken)
    done = bench(tiny, status=1)
    assert "with random weights its outputs are no numbers" in done.stderr
    assert done.stdout == ""


@pytest.mark.long
def test_all_forms_compute_the_same(tiny: str) -> None:
    """Those too whose packages are large, or that a compiler makes, which has its log."""
    for spec, batches in ((tiny, "1,2"), ("regnety_008", "1")):
        args = ("--input", "3,64,64", "--batch", batches, "--threads", "1", "--csv")
        done = bench(spec, *args)
        assert "left out" not in done.stderr
        named = [row["form"] for row in csv.DictReader(io.StringIO(done.stdout))]
        assert named == [*FORMS] * len(batches.split(","))
