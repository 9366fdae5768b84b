"""What `resnet-spec diff` says of files of weights, held to what torch computes of them."""

import json
import re
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import save_file
from torch import Tensor

from resnet_spec import build_model
from resnet_spec.cli import main
from resnet_spec.weights.naming import names

NET = "cifar/resnet20"
Tensors = dict[str, Tensor]


def run(*args: object) -> Result:
    return CliRunner().invoke(main, ["diff", *map(str, args)])


@pytest.fixture(scope="module")
def weights() -> Tensors:
    torch.manual_seed(0)
    return build_model(NET).state_dict()


@pytest.fixture(scope="module")
def file(weights: Tensors, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("diff") / "a.safetensors"
    save_file(weights, path)
    return path


def saved(tensors: object, path: Path) -> Path:
    torch.save(tensors, path)
    return path


def named(weights: Tensors, naming: str, top: str = "") -> Tensors:
    return {f"{top}{t}": weights[o].clone() for o, t in names(weights, naming).items()}


@pytest.mark.parametrize(
    ("naming", "top", "key", "said"),
    [
        ("torchvision", "", "", "116 tensors by torchvision's names$"),
        ("transformers", "", "", "116 tensors by transformers' names below resnet$"),
        ("mmpretrain", "", "state_dict", "names below backbone, from state_dict$"),
        ("kuangliu", "module.", "net", "names below module, from net$"),
        ("detectron2", "", "model", "116 tensors by detectron2's names"),
    ],
)
def test_files_of_one_network_are_equal_whoever_named_them(  # noqa: PLR0913
    naming: str,
    top: str,
    key: str,
    said: str,
    weights: Tensors,
    file: Path,
    tmp_path: Path,
) -> None:
    of = named(weights, naming, top)
    other = saved({key: of, "epoch": 3} if key else of, tmp_path / "b.pth")
    pair = (file, other) if top else (other, file)
    found = run(*pair)
    assert found.exit_code == 0, found.output
    under = ", under other names" * (naming != "torchvision")
    assert f"\nEvery tensor is equal, to the bit{under}.\n" in found.output
    (line,) = re.findall(r"^  \S*b\.pth +(.*)$", found.output, re.MULTILINE)
    assert re.search(said, line)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.float64])
@pytest.mark.parametrize("value", [0.5, -3e4, float("inf"), float("nan"), -0.0])
def test_how_far_apart_they_are_is_what_torch_says(
    dtype: torch.dtype, value: float, weights: Tensors, file: Path, tmp_path: Path
) -> None:
    mine = {n: t.clone() for n, t in weights.items()}
    for name in [*weights][::7]:
        tensor = mine[name].reshape(-1)
        tensor[len(name) % len(tensor)] = value if tensor.is_floating_point() else 5
    cast = {n: t.to(dtype) if t.is_floating_point() else t for n, t in mine.items()}
    other = saved(named(cast, "transformers"), tmp_path / "b.pth")
    found = json.loads(run(file, other, "--format", "json").output)
    tensors = found["tensors"]
    real = {n for n, t in weights.items() if t.is_floating_point()}
    retyped = real if dtype != torch.float32 else set()
    assert {each["name"] for each in tensors["retyped"]} == retyped
    expected = {}
    for name, tensor in weights.items():
        a, b = tensor.double(), cast[name].double()
        if name in retyped and torch.equal(tensor.to(dtype), cast[name]):
            continue
        if not torch.equal(tensor, mine[name]) and not torch.equal(a, b):
            gap = (a - b).abs()
            top = torch.cat([a.flatten(), b.flatten()]).abs()
            largest = gap.max().item() if gap.isfinite().all() else None
            expected[name] = largest, top[top.isfinite()].max().item()
    apart = {each["name"]: each for each in tensors["differing"]}
    assert {n for n, each in apart.items() if each["largest"] != 0} == {*expected}
    for name, (largest, top) in expected.items():
        if largest is None:
            assert apart[name]["largest"] is apart[name]["relative"] is None
        else:
            assert apart[name]["largest"] == pytest.approx(largest, rel=1e-5)
            assert apart[name]["relative"] == pytest.approx(largest / top, rel=1e-5)
    assert found["equal"] is (not expected and not retyped and not apart)
    assert {*tensors["equal"]} == {*weights} - retyped - {*apart}


def test_what_differs_is_told_by_stage(
    weights: Tensors, file: Path, tmp_path: Path
) -> None:
    mine = {n: t.clone() for n, t in weights.items() if "num_batches" not in n}
    for name in mine:
        if name.startswith("layer2") and name.endswith("conv1.weight"):
            mine[name] *= 1.25
    mine["bn1.weight"] += 1
    mine["fc.bias"] = torch.zeros(3)
    found = run(file, saved(mine, tmp_path / "b.pth"))
    assert found.exit_code == 1
    assert found.output.splitlines()[2] == (
        "4 of 97 tensors differ, by at most 1, relatively 0.5 in bn1.weight; 1 of 97 "
        f"tensors has another shape; 19 counts of batches only in {file}."
    )
    for line in (
        "  equal         92 of 97",
        "  differ        4: bn1.weight, layer2.*.conv1.weight",
        "  change shape  1: fc.bias 10 -> 3",
        "  bn1     1 of 4, by at most 1, relatively 0.5 in bn1.weight",
    ):
        assert f"{line}\n" in found.output
    assert re.search(r"^  layer2  3 of \d+, .*, relatively 0\.2 in", found.output, re.M)
    table = run(file, tmp_path / "b.pth", "--format", "markdown")
    assert "| differ | 4: bn1.weight, layer2.\\*.conv1.weight |" in table.output


def test_half_precision_is_the_same_but_for_rounding(
    weights: Tensors, file: Path, tmp_path: Path
) -> None:
    for dtype in (torch.float16, torch.bfloat16):
        cast = {n: t.to(dtype) for n, t in weights.items()}
        found = run(file, saved(cast, tmp_path / "b.pth"))
        assert found.exit_code == 1
        assert f"float32 -> {str(dtype)[6:]}" in found.output
        said = "116 of 116 tensors have another dtype, "
        assert re.search(
            f"^{said}.*, the same but for rounding\\.$", found.output, re.M
        )


def test_networks_beside_others(weights: Tensors, file: Path, tmp_path: Path) -> None:
    other = {n: t + 1 for n, t in weights.items()}
    moco = {f"encoder_q.{n}": t for n, t in weights.items()}
    moco |= {f"encoder_k.{n}": t for n, t in other.items()} | {"queue": torch.ones(2)}
    both = saved({"model": moco, "ema": {"a": torch.ones(1)}}, tmp_path / "b.pth")
    found = run(file, both)
    assert found.exit_code == 0
    assert "Every tensor of the network is equal, to the bit" in found.output
    assert "below encoder_q, from model; 117 elsewhere left out" in found.output
    assert run(file, both, "--prefix", "encoder_k").exit_code == 1
    moco["queue"] = torch.zeros(2)
    changed = saved(moco, tmp_path / "c.pth")
    assert "1 of 233 tensors differs, by at most 1, relatively 1 in queue" in (
        run(both, changed).output
    )
    assert run(both, changed, "--key", "ema").exit_code == 2


def test_what_is_no_network_is_compared_by_its_own_names(
    file: Path, tmp_path: Path
) -> None:
    one = saved({"blocks.0.w": torch.eye(3)}, tmp_path / "a.pth")
    other = saved(
        {"blocks.0.w": torch.eye(3).t(), "b": torch.ones(1)}, tmp_path / "b.pt"
    )
    found = run(one, other)
    assert found.exit_code == 1
    assert f"What both have is equal, to the bit; 1 only in {other}." in found.output
    assert "2 tensors by their own names" in found.output
    found = run(one, file)
    assert found.exit_code == 2
    assert found.output == f"{one} and {file} have no tensor of one name\n"


@pytest.mark.parametrize(
    ("spec", "status", "said"),
    [
        (NET, 0, "Every weight fits: transformers' names below resnet."),
        (
            "cifar/resnet32",
            1,
            "97 of 157 tensors fit by transformers' names below resnet: depths 3-3-3 in the "
            "file, 5-5-5 here.",
        ),
        ("resnet18", 1, "tensors fit by transformers' names below resnet: "),
    ],
)
def test_a_file_and_a_spec(
    spec: str, status: int, said: str, weights: Tensors, tmp_path: Path
) -> None:
    path = saved(named(weights, "transformers"), tmp_path / "a.bin")
    for pair in ((path, spec), (spec, path)):
        found = run(*pair)
        assert found.exit_code == status
        assert said in found.output
        data = json.loads(run(*pair, "--format", "json").output)
        assert data["equal"] is (status == 0)
        assert data["prefix"] == "resnet"


def test_a_file_and_a_spec_of_other_fields(file: Path) -> None:
    found = run(file, NET, "--set", "head.classes=7")
    assert found.exit_code == 1
    assert (
        "All fits but the classifier, 10 classes in the file, 7 here: " in found.output
    )
    assert "  change shape  2: fc.weight 10 x 64 -> 7 x 64, fc.bias 10 -> 7\n" in (
        found.output
    )
    assert run(file, NET, "--naming", "timm").exit_code == 0
    trunk = run(file, NET, "--features", "layer3")
    assert "Every weight fits: torchvision's names; fc left out." in trunk.output


def test_conventions_and_dtypes_are_said(tmp_path: Path) -> None:
    resnet50 = build_model("resnet50", init=False).state_dict()
    path = tmp_path / "d2.safetensors"
    save_file(named(resnet50, "detectron2"), path)
    found = run(path, "resnet50")
    assert found.exit_code == 0
    assert "default strides in conv1 (v1); this network strides in" in found.output
    assert "published weights want images BGR, from 0 to 255" in found.output
    small = {n: t.to(torch.int8) for n, t in build_model(NET).state_dict().items()}
    save_file(small, path)
    assert "The weights are quantized: conv1.weight is int8" in run(path, NET).output


def test_names_and_sizes_of_anything(tmp_path: Path) -> None:
    """A tensor of a million million numbers, of which the file has one."""
    wide = {"w": torch.ones(1).expand(10**12)}
    files = [saved(wide, tmp_path / name) for name in ("a.pth", "b.pth")]
    found = run(*files)
    assert found.exit_code == 2
    assert found.output == "w repeats its numbers, which is not compared\n"
    odd = {f"a\n\x1b[31m{i}": torch.ones(1) * i for i in range(9)}
    found = run(saved(odd, files[0]), saved({**odd, "b": torch.ones(1)}, files[1]))
    assert found.exit_code == 1
    assert "\x1b" not in found.output
    assert all(line.isprintable() for line in found.output.splitlines())


def test_what_is_not_compared(file: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.safetensors"
    page.write_text("<html>")
    spec = tmp_path / "a.txt"
    spec.write_text("extends: resnet18\nname: Own\ntitle: Own\n")
    assert run(spec, "resnet18").exit_code == 1  # which is a spec all the same
    for args, said in (
        ((file, page), f"{page} is a web page, not weights"),
        ((NET, tmp_path / "none.pth"), "none.pth cannot be read, No such file"),
        ((file, "nosuch"), "nosuch: is no file, and no spec that ships"),
        ((file, file, "--set", "head.classes=3"), "--set is of specs, and"),
        ((file, NET, "--source"), "--source is of specs, and"),
        ((file, "--rev", "HEAD"), "--rev is of specs, and"),
        ((file, file, "--naming", "timm"), "--naming is of specs, and"),
        ((file, NET, "--naming", "tim"), "got tim (did you mean timm?)"),
        ((NET, NET, "--key", "ema"), "--key is that of weights, and there are none"),
        ((file, file, "--key", "ema"), "neither file has a state dict under 'ema'"),
        ((file, file, "--prefix", "net"), "in neither file a name begins with net"),
        ((file, NET, "--prefix", "net"), "no name begins with net."),
    ):
        found = run(*args)
        assert found.exit_code == 2, args
        assert said in found.output
        assert "Traceback" not in found.output
