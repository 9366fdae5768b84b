"""Hostile input: accepted or refused with a SpecError, in little time and memory.

`tests/hostile/` keeps what fuzzing and malice came up with; `benchmarks/fuzz.py` looks for
more.
"""

import copy
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_spec import SpecError, load, render
from resnet_spec.language.explanation import explain
from resnet_spec.problems import report
from resnet_spec.problems.rules import RULES
from tests.hostile.corpus import CORPUS, written
from tests.strategies import Pool

ACCEPTED = {"most_blocks", "many_stages", "large_strides"}  # absurd, and lawful


def outcome(file: Path) -> str:
    """`accepted`, or the report of what is wrong."""
    try:
        compiled = load(file)
    except SpecError as error:
        problems = error.problems
    else:
        render(compiled.network)
        explain(compiled.source, compiled.plan)
        return "accepted"
    assert {problem.rule for problem in problems} <= RULES.keys()
    return report.text(problems)


@pytest.mark.parametrize("name", CORPUS)
def test_the_corpus(name: str, tmp_path: Path) -> None:
    file = written(name, tmp_path)
    start = time.process_time()
    found = outcome(file)
    assert time.process_time() - start < 2
    assert (found == "accepted") is (name in ACCEPTED), found[:400]
    assert len(found) < 40_000
    assert all(line.isprintable() for line in found.replace("\t", "").split("\n"))


@pytest.mark.slow
def test_the_corpus_fits_into_300_megabytes(tmp_path: Path) -> None:
    code = (
        "import resource, sys\n"
        "limit = 300 * 2**20\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))\n"
        "from resnet_spec import SpecError, load, render\n"
        "for file in sys.argv[1:]:\n"
        "    try: render(load(file).network)\n"
        "    except SpecError: pass\n"
    )
    files = (str(written(name, tmp_path)) for name in CORPUS)
    subprocess.run([sys.executable, "-c", code, *files], check=True)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile") / "drawn.yaml"


@given(data=st.binary(max_size=300))
def test_any_bytes(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    outcome(file)


junk: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["none", "conv1", "basic", "global", -1, 0, 10**30, 65536, 65537]
    ),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.mark.slow
@given(st.data())
@settings(max_examples=300)
def test_mutated_specs(file: Path, drawn: Pool, draw: st.DataObject) -> None:
    """One value anywhere replaced by junk, or one key dropped, or one added."""
    data = copy.deepcopy(draw.draw(st.sampled_from(drawn)).data)
    at: Any = data
    while True:
        key = draw.draw(
            st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at)))
        )
        inner = at[key]
        if not (isinstance(inner, (dict, list)) and inner and draw.draw(st.booleans())):
            break
        at = inner
    change = draw.draw(st.sampled_from(["replace", "drop", "add"]))
    if change == "replace":
        at[key] = draw.draw(junk)
    elif change == "drop":
        del at[key]
    elif isinstance(at, dict):
        at[draw.draw(st.text(max_size=6))] = draw.draw(junk)
    else:
        at.append(draw.draw(junk))
    file.write_text(json.dumps(data))
    outcome(file)
