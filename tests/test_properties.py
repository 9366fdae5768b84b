"""What holds for every network that the language can say, judged by torch and its tools."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from resnet_spec import load, render
from resnet_spec.compare.equality import verify
from resnet_spec.emit.module import build
from resnet_spec.network import (
    AvgMaxPool2d,
    BilinearAttention,
    GlobalContext,
    Network,
    Res2Conv2d,
)
from tests.strategies import Pool


@pytest.mark.slow
def test_built_equals_generated_bit_for_bit(drawn: Pool) -> None:
    for data, network in drawn:
        assert verify(network, render(network)) == [], data


def test_numbers_that_overflow_on_both_sides_are_equal() -> None:
    changes = {"norm.type": "frozen", "standardization": {"eps": 1e-3}, "widths": 32}
    deep = {"input": [3, 32, 32], "depths": [4, 4, 4, 4]}
    network = load("resnet18", {**changes, **deep}).network
    assert verify(network, render(network)) == []
    found, *_ = verify(network, render(network).replace("eps=0.001", "eps=0.002"))
    assert found.startswith("training output")


@pytest.mark.slow
def test_source_is_the_same_bytes_on_every_run(drawn: Pool, tmp_path: Path) -> None:
    """Two processes with different hash seeds print the same for many drawn networks."""
    file = tmp_path / "drawn.json"
    file.write_text(json.dumps([data for data, _ in drawn]))
    code = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from resnet_spec import render\n"
        "from resnet_spec.lowering import lower\n"
        "from tests.strategies import parsed\n"
        "for data in json.loads(Path(sys.argv[1]).read_text()):\n"
        "    print(render(lower(parsed(data))))\n"
    )
    sources = {
        subprocess.run(
            [sys.executable, "-c", code, str(file)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(sources) == 1


class Sums(TorchFunctionMode):
    """Records the two shapes of every sum of two tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: list[tuple[torch.Size, torch.Size]] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if getattr(func, "__name__", "") in ("add", "__add__", "add_", "__iadd__"):
            a, b = args
            if (
                isinstance(a, Tensor)
                and isinstance(b, Tensor)
                and a.ndim == b.ndim == 4
            ):
                self.shapes.append((a.shape, b.shape))
        return func(*args, **(kwargs or {}))


@pytest.mark.slow
def test_every_sum_adds_equal_shapes(drawn: Pool) -> None:
    """At the smallest image that the network takes, and at the largest or another."""
    random = Random(0)
    for data, network in drawn:
        sides = network.sides
        least = tuple(side.smallest for side in sides)
        other = tuple(
            side.largest or next(side.lengths(side.smallest + random.randint(0, 40)))
            for side in sides
        )
        blocks = [block for _, block in network.blocks() if block.adds]
        contexts = sum(isinstance(op, GlobalContext) for _, op in network.ops())
        model = build(network, init=False).eval()
        for size in (least, other):
            images = torch.empty(1, network.image.channels, *size)
            with Sums() as sums:
                model(images)
            assert len(sums.shapes) == len(blocks) + _inner_sums(network), data
            apart = [b for a, b in sums.shapes if a != b]
            assert len(apart) <= contexts, data
            assert all(b[2:] == (1, 1) for b in apart), data


ADDING = (BilinearAttention, GlobalContext)


def _inner_sums(network: Network) -> int:
    """Bands of Res2Net that read the one before, attention and the pool that add."""
    pools = sum(isinstance(op, AvgMaxPool2d) for op in network.head)
    bands = [op for _, op in network.ops() if isinstance(op, Res2Conv2d)]
    adding = [op for _, op in network.ops() if isinstance(op, ADDING)]
    inner = sum(op.scale - 2 for op in bands if not op.apart.holds)
    return pools + len(adding) + inner


@pytest.mark.slow
def test_shapes_and_counts_are_those_of_torch(drawn: Pool) -> None:
    for _, network in drawn:
        _agree(network)


def _agree(network: Network) -> None:
    """Shapes and counts are those of the module that runs."""
    model = build(network, init=False).eval()
    shapes: dict[str, list[torch.Size]] = {}

    def note(name: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            shapes.setdefault(name, []).append(output.shape[1:])

        return hook

    for name, module in model.named_modules():
        if name:
            module.register_forward_hook(note(name))
    image = torch.empty(1, *network.image)
    with FlopCounterMode(display=False) as flops:
        given = model(image)

    for path, op in network.ops():
        if op.path:
            found = shapes[path].pop(0)
            assert found == op.output or found == op.output[:1], path
    for stage in network.stages:
        assert shapes[stage.name] == [stage.output]
    for feature in network.features:
        assert given[feature].shape[1:] == network.shapes[feature]
    assert network.params == sum(p.numel() for p in model.parameters())
    assert network.macs * 2 == flops.get_total_flops()


@pytest.fixture(scope="module")
def sources(drawn: Pool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sources of drawn networks."""
    folder = tmp_path_factory.mktemp("sources")
    for count, (_, network) in enumerate(drawn):
        (folder / f"drawn_{count}.py").write_text(render(network))
    assert len(list(folder.iterdir())) >= 100
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    "tool",
    [
        ["ruff", "check", "--isolated"],
        ["ruff", "check", "--isolated", "--select", "E,F,W,I,B,UP,SIM,C4,PIE,RUF,ARG"],
        ["ruff", "format", "--isolated", "--check"],
        ["mypy", "--strict", "--no-incremental"],
    ],
    ids=["default rules", "many rules", "format", "types"],
)
def test_source_is_clean(sources: Path, tool: list[str]) -> None:
    """All of them, or every third where it takes a second for each."""
    step = 3 if "mypy" in tool else 1
    files = map(str, sorted(sources.iterdir())[::step])
    command = [sys.executable, "-m", *tool, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
