"""The committed files as their readers have them: they run, and their comments are true."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from resnet_spec import load
from resnet_spec.language.fields import Spec
from resnet_spec.lowering.parts import flat
from resnet_spec.network import Network
from tests.helpers.shapes import lines_run
from tests.models import generated

GENERATED = Path(__file__).parents[1] / "generated"
NAMES = sorted(
    str(path.relative_to(GENERATED).with_suffix("")) for path in GENERATED.rglob("*.py")
)


def each() -> Iterator[Any]:
    """Of the files that differ in numbers and names alone, the least is in the gate."""
    seen: set[str] = set()
    for name in sorted(NAMES, key=lambda name: (_number(name), name)):
        code = (GENERATED / f"{name}.py").read_text().split("import torch\n", 1)[1]
        form = re.sub(r"\b[A-Z]\w*\d\w*\b", "Name", code)
        form = re.sub(r"\d[\d_.e-]*", "#", form)
        yield pytest.param(name, marks=[pytest.mark.long] * (form in seen))
        seen.add(form)


def _number(name: str) -> int:
    """The largest in a name, which is most often its depth."""
    return max(map(int, re.findall(r"\d+", name)), default=0)


@pytest.mark.parametrize("name", [*each()])
def test_what_it_says_is_true(name: str) -> None:
    """Its comments and header, beside one run of it on the meta device."""
    loaded = load(f"specs/{name}.yaml")
    with torch.device("meta"):
        model = generated(name)().eval()
    shapes_are_said(model, loaded.network)
    text = (GENERATED / f"{name}.py").read_text()
    header_is_true(text, model, loaded.network)
    strides_and_order_are_said(text, model, loaded.spec)


def shapes_are_said(model: nn.Module, network: Network) -> None:
    image = torch.empty(5, *network.image, device="meta")
    remember(model, image)
    lines = lines_run(type(model).forward, lambda: model(image))
    symbols = {"N": len(image), "num_classes": network.classes or 0}
    assert [line.text for line in lines if not line.is_true(symbols)] == []
    *steps, end = lines
    assert all(line.comment for line in steps), "a line of forward has no shape"
    assert end.text == "return x"


def remember(model: nn.Module, image: Tensor) -> None:
    """Run it once; from then on its parts give what they gave, since Python that is watched
    line by line takes twice as long."""
    given: list[Tensor] = []
    for part in model.children():
        part.register_forward_hook(lambda _, __, output: given.append(output))
    model(image)
    again = iter(tuple(given))
    for part in model.children():
        part.forward = lambda *_: next(again)


def header_is_true(text: str, model: nn.Module, network: Network) -> None:
    found = [(name, tuple(t.shape)) for name, t in model.state_dict().items()]
    assert [(name, tensor.shape) for name, tensor in network.tensors()] == found
    learned = {name for name, tensor in network.tensors() if tensor.learns}
    assert learned == {name for name, _ in model.named_parameters()}
    params = sum(p.numel() for p in model.parameters())
    assert f"    size     {params:,} parameters\n" in text
    what = f"{network.classes} logits"
    if network.classes is None:
        what = f"{network.output.channels} features"
    assert f"    output   {what}\n" in text
    assert len(max(text.splitlines(), key=len)) <= 88
    linear = [n for n, m in model.named_modules() if isinstance(m, nn.Linear)]
    if "matrix products" not in text:
        assert ("and linear layers, one image" in text) == bool({*linear} - {"fc"})


def strides_and_order_are_said(text: str, model: nn.Module, spec: Spec) -> None:
    """Of the blocks that the language has; of one's own, the code says all there is."""
    own = {block.name for block in flat(spec.block) if not isinstance(block, str)}
    _, *inner = model.modules()
    modules = [m for m in inner if type(m).__name__ not in own]
    bottlenecks = [block for block in modules if hasattr(block, "conv3")]
    at_3x3 = any(_strides(block.conv2) for block in bottlenecks)
    assert ("(v1.5)" in text) == (at_3x3 and not spec.preact)
    assert ("(v1, as in the" in text) == any(_strides(b.conv1) for b in bottlenecks)
    pools = [block for block in bottlenecks if hasattr(block, "pool")]
    assert ("split attention does the striding" in " ".join(text.split())) == any(
        _strides(b.pool) for b in pools
    )
    assert ("(v2)" in text) == any("Preact" in type(m).__name__ for m in modules)


def _strides(module: nn.Module) -> bool:
    """Whether a convolution or a pool in the module, or it itself, strides."""
    strides = (getattr(inner, "stride", 1) for inner in module.modules())
    return any(stride not in (1, (1, 1)) for stride in strides)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("resnet50", marks=pytest.mark.slow),
        pytest.param("cifar/resnet20", marks=pytest.mark.long),
        pytest.param("tutorials/resnet34", marks=pytest.mark.long),
    ],
)
def test_it_runs_from_any_folder_without_us(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "model.py"
    copy.write_text((GENERATED / f"{name}.py").read_text())
    done = subprocess.run(
        [sys.executable, "-W", "error", "-I", copy.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    network = load(f"specs/{name}.yaml").network
    sizes = (1, *map(int, network.image))
    assert done.stdout == (
        f"{network.params:,} parameters\n{sizes} -> {(1, network.classes)}\n"
    )


IMPORTS = (ast.Import, ast.ImportFrom)


def test_only_torch_and_the_standard_library_are_imported() -> None:
    for name in NAMES:
        text = (GENERATED / f"{name}.py").read_text()
        lines = [
            node for node in ast.walk(ast.parse(text)) if isinstance(node, IMPORTS)
        ]
        names = [getattr(line, "module", None) or line.names[0].name for line in lines]
        assert {name.split(".")[0] for name in names} <= {
            "torch",
            "collections",
            "functools",
        }


def test_depth_changes_numbers_not_lines() -> None:
    """ResNet-50, 101 and 152 differ in numbers alone, and in which checkpoint loads."""
    texts = [
        re.sub(
            r"\d+",
            "#",
            (GENERATED / f"resnet{depth}.py").read_text().split("import torch\n")[1],
        )
        for depth in (50, 101, 152)
    ]
    assert texts[0] == texts[1] == texts[2]
