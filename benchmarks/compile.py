"""Time to the shapes, parameters and multiply-adds of ResNet-152, cold and warm.

The other side is torchvision with torchinfo, on the same job in the same run. Cold is a
new process, warm a repeated call in one. Needs the `test` extra:

    python benchmarks/compile.py
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from statistics import median

SPEC = "specs/resnet152.yaml"
LIBRARIES = "import yaml, pydantic, jinja2, click\nclass M(pydantic.BaseModel): x: int"
OTHER = (
    "import torchvision, torchinfo\n"
    "torchinfo.summary(torchvision.models.resnet152(), (1, 3, 224, 224), verbose=0)"
)


def seconds(call: Callable[[], object], runs: int) -> list[float]:
    """Wall seconds of each of the runs, after one that does not count."""
    call()
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return taken


def process(*args: str) -> Callable[[], object]:
    command = [sys.executable, *args]
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def ours() -> object:
    from resnet_spec import load, render, summarize

    network = load(SPEC).network
    return summarize(network), render(network)


def theirs() -> object:
    import torchinfo
    import torchvision

    model = torchvision.models.resnet152()
    return torchinfo.summary(model, (1, 3, 224, 224), verbose=0)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        build = process("-m", "resnet_spec", "build", SPEC, "-o", folder)
        rows = {
            "cold, the libraries alone": seconds(process("-c", LIBRARIES), 11),
            "cold, resnet-spec build": seconds(build, 11),
            "cold, torchvision + torchinfo": seconds(process("-c", OTHER), 5),
        }
    rows["warm, resnet-spec load + render"] = seconds(ours, 11)
    rows["warm, torchvision + torchinfo"] = seconds(theirs, 5)
    print(f"{'milliseconds':34}{'least':>9}{'median':>9}{'most':>9}")
    for name, taken in rows.items():
        figures = (1000 * figure for figure in (min(taken), median(taken), max(taken)))
        print(f"{name:34}" + "".join(f"{figure:9.1f}" for figure in figures))


if __name__ == "__main__":
    main()
