"""An answer in a fraction of a second: start-up, memory, growth, and no torch."""

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest

from resnet_spec import load, render

FLOOR = """
import yaml, pydantic, jinja2, click
class Model(pydantic.BaseModel):
    x: int
"""
BUILD = ["-m", "resnet_spec", "build", "specs/resnet152.yaml", "-o"]


# A small process in between, since a child's peak counts from its parent's size.
LAUNCHER = """
import os, sys
pid = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, *sys.argv[1:]])
_, status, usage = os.wait4(pid, 0)
print(status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, file=sys.stderr)
"""


def measured(*args: str) -> tuple[float, float]:
    """Seconds of processor time and peak megabytes of a Python process."""
    environment = {
        k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"
    }
    command = [sys.executable, "-S", "-c", LAUNCHER, *args]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    )
    status, seconds, megabytes = map(float, done.stderr.split())
    assert status == 0
    return seconds, megabytes


@pytest.mark.long
def test_a_cold_build_costs_little_more_than_its_libraries(tmp_path: Path) -> None:
    """Median of the ratios of pairs of runs, one behind the other, as machines are noisy."""
    build = [*BUILD, str(tmp_path)]
    measured(*build)  # writes the bytecode, which an installer does
    ratios, peaks = [], []
    for _ in range(9):
        floor, _ = measured("-c", FLOOR)
        seconds, megabytes = measured(*build)
        ratios.append(seconds / floor)
        peaks.append(megabytes)
    print(f"ratio {median(ratios):.2f}, peak {max(peaks):.0f} MB")
    assert median(ratios) <= 1.3
    assert max(peaks) < 80


@pytest.mark.long
def test_checking_all_specs_costs_ten_milliseconds_each() -> None:
    check = ["-m", "resnet_spec", "check", "specs"]
    measured(*check)
    files = len(list(Path("specs").rglob("*.yaml")))
    over = []
    for _ in range(5):
        floor, _ = measured("-c", FLOOR)
        seconds, _ = measured(*check)
        over.append((seconds - 1.5 * floor) / files)
    print(f"{1000 * median(over):.1f} ms a file over 1.5 times the libraries")
    assert median(over) <= 0.010


def test_help_and_the_words_of_a_shell_need_no_pydantic() -> None:
    code = (
        "import sys, resnet_spec.cli as cli\n"
        "from click.shell_completion import ShellComplete\n"
        "words = ShellComplete(cli.main, {}, 'resnet-spec', 'C').get_completions([], 'bu')\n"
        "assert [word.value for word in words] == ['build']\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'pydantic', 'jinja2', 'yaml'} & {*sys.modules}\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_compiling_does_not_import_torch() -> None:
    code = (
        "import sys, resnet_spec.cli as cli\n"
        "try: cli.main(['build', 'specs/resnet152.yaml', '-o', '-'])\n"
        "except SystemExit: pass\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_the_table_of_rules_costs_nothing_where_it_is_not_asked_for() -> None:
    code = (
        "import sys, resnet_spec.cli as cli\n"
        "try: cli.main(['check', 'resnet18', 'tests/errors/many_at_once.yaml'])\n"
        "except SystemExit: pass\n"
        "assert 'resnet_spec.problems.report' in sys.modules\n"
        "assert 'resnet_spec.problems.rules' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_without_torch_one_line_says_what_is_needed() -> None:
    code = (
        "import sys, resnet_spec.cli as cli\n"
        "sys.modules['torch'] = None\n"
        "cli.main(['build', 'specs/resnet50.yaml', '--verify'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == "this needs torch: pip install 'resnet-spec[torch]'\n"


@pytest.mark.long
def test_without_lightning_every_test_but_those_of_training_is_collected() -> None:
    code = (
        "import sys, pytest\n"
        "sys.modules['pytorch_lightning'] = None\n"
        "sys.exit(pytest.main(['--collect-only', '-q', '-p', 'no:cacheprovider']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    found = {line.partition("::")[0] for line in done.stdout.splitlines()}
    files = {str(path) for path in Path("tests").glob("test_*.py")}
    assert files - found == {"tests/test_train.py"}


def compiled(depth: int) -> tuple[float, str]:
    start = time.process_time()
    network = load("specs/resnet50.yaml", {"depths": [3, 4, depth, 3]}).network
    source = render(network)
    return time.process_time() - start, source


@pytest.mark.slow
def test_time_is_linear_in_depth_and_source_does_not_grow() -> None:
    compiled(10)
    seconds: dict[int, float] = {}
    sources = {}
    for depth in (1_000, 10_000):
        runs = [compiled(depth) for _ in range(5)]
        seconds[depth] = min(run[0] for run in runs)
        sources[depth] = runs[0][1]
    # Ten times the blocks: linear work is ten times, quadratic a hundred. A busy machine
    # was seen to make fifteen of the ten.
    assert seconds[10_000] < 30 * seconds[1_000]
    assert seconds[10_000] < 3
    lines = [source.splitlines() for source in sources.values()]
    assert len(lines[0]) == len(lines[1])
    differ = [a for a, b in zip(*lines, strict=True) if a != b]
    assert all(any(c.isdigit() for c in line) for line in differ)
    assert len(differ) <= 5
