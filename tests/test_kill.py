"""A build killed at any moment leaves the old file or the new one.

KILLS=500 pytest tests/test_kill.py does what the README reports; nox -s long runs it.
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from resnet_spec.cli import main

LOOP = """
import sys
from click.testing import CliRunner
from resnet_spec.cli import main
for i in range(10**6):
    args = ["build", "specs/resnet50.yaml", "-o", sys.argv[1], "--force"]
    result = CliRunner().invoke(main, [*args, "--set", f"head.classes={10 + i % 2}"])
    assert result.exit_code == 0, result.output
    print(i, flush=True)
"""


def source(classes: int) -> str:
    args = [
        "build",
        "specs/resnet50.yaml",
        "-o",
        "-",
        "--set",
        f"head.classes={classes}",
    ]
    return CliRunner().invoke(main, args).output


@pytest.mark.slow
def test_a_killed_build_leaves_a_whole_file(tmp_path: Path) -> None:
    whole = {source(10), source(11)}
    chance = random.Random(0)
    for _ in range(int(os.environ.get("KILLS", "5"))):
        command = [sys.executable, "-c", LOOP, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()  # the first build is done, others follow
            time.sleep(chance.uniform(0, 0.03))
            process.kill()
        assert (tmp_path / "resnet50.py").read_text() in whole
