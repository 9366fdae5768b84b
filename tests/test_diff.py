"""What `resnet-spec diff` says of two specs, held to the modules that torch has of them."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result
from torch import Tensor, nn

from resnet_spec import build, difference, load
from resnet_spec.cli import main
from resnet_spec.compare.difference import Difference
from resnet_spec.network import Network
from tests.strategies import Pool
from tests.test_pairs import CHOICES, first

NETS = [
    "resnet18",
    "tutorials/resnet18",
    "resnetblur18",
    "seresnet18",
    "own/squeeze_first",
    "resnet34",
    "resnet34d",
    "resnetaa34d",
    "resnet50",
    "v1/resnet50_v1",
    "tutorials/resnet50_v1",
    "resnetaa50",
    "resnetblur50",
    "resnet50_gelu_transformers",
    "resnet50_silu_transformers",
    "resnet50_gn",
    "resnet50d",
    "resnetaa50d",
    "xresnet50_mish_fastai",
    "seresnet50",
    "legacy_seresnet50",
    "resnet50_detection",
    "resnet50_frozen",
    "resnet50_dc5_detectron2",
    "fcn_resnet50_backbone",
    "resnet50_os16_openmmlab",
    "resnet50_antialiased",
    "resnet50_antialiased3",
    "resnet50_avg",
    "cifar/resnet20",
    "resnet20_akamaster",
    "plain20",
    "preresnet20_bearpaw",
    "resnet_preact20_hysts",
    "resnet_preact20_tff_hysts",
    "wrn16_4_bearpaw",
    "wrn16_4_hysts",
    "wrn16_4_dropout_hysts",
    "resnext50_32x4d",
    "skresnet18",
    "resnet18_ibn_a",
]
PAIRS = [*combinations(NETS, 2)]
SIZE = 48


def run(*args: str) -> Result:
    return CliRunner().invoke(main, ["diff", *args])


@cache
def network(name: str) -> Network:
    """The network with fewer blocks, of which one repeats."""
    stages = len(load(name).network.stages)
    return load(name, {"depths": [1, 2, 1, 2][-stages:]}).network


@cache
def between(a: str, b: str) -> Difference:
    return difference(network(a), network(b))


@cache
def on_meta(name: str) -> nn.Module:
    return build(network(name), device="meta", init=False)


def shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(t.shape) for name, t in module.state_dict().items()}


def draw(state: dict[str, Tensor]) -> None:
    """Weights behind which nothing hides: no zero, no one, statistics of no batch."""
    generator = torch.Generator().manual_seed(0)
    for name, tensor in state.items():
        if tensor.ndim == 0:
            continue
        if tensor.ndim > 1:
            tensor.normal_(0, tensor[0].numel() ** -0.5, generator=generator)
        else:
            tensor.uniform_(0.5, 1.5, generator=generator)
            if name.endswith(("bias", "running_mean")):
                tensor.sub_(1)


META = pytest.mark.filterwarnings("ignore:for .* from a non-meta parameter")


# --- weights ------------------------------------------------------------------------------


@pytest.mark.slow
@META
def test_the_tensors_are_those_of_the_modules() -> None:
    """For every pair, as sets; and where strict loading may pass, torch says whether."""
    assert len(NETS) > 40
    of = {name: shapes(on_meta(name)) for name in NETS}
    loaded = 0
    for a, b in PAIRS:
        weights, old, new = between(a, b).weights, of[a], of[b]
        common = old.keys() & new.keys()
        assert {*weights.carried} == {name for name in common if old[name] == new[name]}
        assert {(name, *both) for name, *both in weights.changed} == {
            (name, old[name], new[name]) for name in common if old[name] != new[name]
        }
        assert {*weights.new} == new.keys() - old.keys()
        assert {*weights.gone} == old.keys() - new.keys()
        for passes, (one, other) in (
            (weights.a_into_b, (a, b)),
            (weights.b_into_a, (b, a)),
        ):
            apart = of[one].keys() ^ of[other].keys()
            may = not weights.changed and all("num_batches" in name for name in apart)
            assert passes == (may and loads(on_meta(one), on_meta(other)))
            loaded += passes
    assert loaded > 90


def loads(a: nn.Module, b: nn.Module) -> bool:
    try:
        b.load_state_dict(a.state_dict(), strict=True)
    except RuntimeError:
        return False
    return True


@pytest.mark.slow
def test_the_sentence_is_what_torch_computes() -> None:
    """Same weights, evaluation, in double precision: one output, or another."""
    alike = [pair for pair in PAIRS if loads_at_all(*pair)]
    for a, b in {*PAIRS} - {*alike}:
        assert str(between(a, b)).split("; ")[0].endswith("so load_state_dict fails")
    waiting, said = dict.fromkeys(NETS), {"is the same": 0, "differs": 0}
    while waiting:
        first = next(iter(waiting))
        group = [n for n in NETS if n == first or {(first, n), (n, first)} & {*alike}]
        outputs = dict(ran(group)) if len(group) > 1 else {}
        for a, b in combinations(group, 2):
            verdict = str(between(a, b))
            same = torch.allclose(outputs[a], outputs[b], rtol=1e-9, atol=1e-9)
            expected = "is the same" if same else "differs"
            assert f"the output {expected}" in verdict, (a, b, verdict)
            said[expected] += 1
        waiting = {name: None for name in waiting if name not in group}
    assert sum(said.values()) == len(alike)
    assert min(said.values()) >= 5


def loads_at_all(a: str, b: str) -> bool:
    weights = between(a, b).weights
    return weights.a_into_b or weights.b_into_a


def ran(names: list[str]) -> Iterator[tuple[str, Tensor]]:
    """What each gives for one image, all of them with the weights of the first."""
    weights: dict[str, Tensor] = {}
    for name in names:
        module = build(network(name), init=False).eval()
        if not weights:
            draw(module.state_dict())
            weights = module.state_dict()
        own = module.state_dict()
        module.load_state_dict({key: weights.get(key, own[key]) for key in own})
        image = torch.randn(
            1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1)
        )
        with torch.inference_mode():
            output = module.double()(image.double())
        assert output.isfinite().all()
        yield name, output


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"drop_path": 0.1}, "they train differently"),
        ({"norm.momentum": 0.01}, "they train differently"),
        ({"init.zero_last_norm": True}, "first weights differ"),
        (
            {"input": [3, 64, 96]},
            "the stated image is 3 x 64 x 96, not 3 x 224 x 224",
        ),
    ],
)
def test_what_evaluation_does_not_see_is_said_as_such(
    fields: dict[str, Any], said: str
) -> None:
    found = difference(load("resnet18").network, load("resnet18", fields).network)
    assert str(found) == (
        f"same function: every weight loads, and the output is the same; {said}"
    )
    assert repr(found) == f"<Difference ResNet18 -> ResNet18: {found.verdict}>"


@META
def test_counts_of_batches_are_loaded_one_way() -> None:
    """As torch does it: a norm that counts starts at 0, one that does not refuses counts."""
    frozen = load("resnet18", {"norm.type": "frozen"}).network
    ordinary = load("resnet18").network
    found = difference(frozen, ordinary)
    assert (found.weights.a_into_b, found.weights.b_into_a) == (True, False)
    modules = [build(each, device="meta", init=False) for each in (frozen, ordinary)]
    assert loads(*modules)
    assert not loads(*reversed(modules))
    assert str(found) == (
        "same function: weights of the first alone load into the other, which counts "
        "batches from 0, and the output is the same; they train differently"
    )


# --- ops ----------------------------------------------------------------------------------

STRIDES = re.compile(r"(?:anti-aliasing: )?(\S+)(?: \(.*?\) .*?)? strides, not (\w+)$")
DIFFERS = re.compile(r"(\w+) (\S+), not (\S+)$")
ATTRIBUTES = {"kernel": "kernel_size"}


def held(said: str, place: str, a: nn.Module, b: nn.Module) -> int:
    """How much of a sentence was held to two modules, none of it being untrue."""
    prefix = f"{place}." if "." in place else ""
    old, new = (
        {k[len(prefix) :]: m for k, m in net.named_modules() if k.startswith(prefix)}
        for net in (a, b)
    )
    if found := STRIDES.match(said):
        one, other = found[1], found[2]
        assert stride(new[one]) > 1
        assert one not in old or stride(old[one]) <= 1
        assert other == "the" or stride(old[other]) > 1
        return 1
    if found := re.match(r"([^:]+): (.*)$", said):
        names = re.findall(r"([\w.]+)(?: \(was (\S+)\))?(?:,| and |$)", found[1])
        words = [*filter(None, map(DIFFERS.match, found[2].split("; ")))]
        each = [(old[was or name], new[name]) for name, was in names]
        return sum(is_so(word, *modules) for word in words for modules in each)
    if found := re.match(r"(.*?\)) (?:is|are) (new|gone)", said):
        here, there = (new, old) if found[2] == "new" else (old, new)
        for name, kind in re.findall(r"(\S+) \((?:\d+x\d+ )?(\w+)", found[1]):
            if name in here:  # a flatten is no module
                assert kind == kind_of(here[name])
                assert name not in there or kind != kind_of(there[name])
        return 1
    return 0


def is_so(word: re.Match[str], old: nn.Module, new: nn.Module) -> bool:
    """Whether torch's modules could be asked for what a `stride 2, not 1` says."""
    name = ATTRIBUTES.get(word[1], word[1])
    if not (hasattr(old, name) and hasattr(new, name)):
        return False
    said = [getattr(module, name) for module in (new, old)]
    assert [pair(value) for value in said] == [
        tuple(map(float, text.split("x"))) if "x" in text else pair(float(text))
        for text in (word[2], word[3])
    ]
    return True


def stride(module: nn.Module) -> float:
    """Of height or width, the larger; that of what has it further inside."""
    found = [m.stride for m in module.modules() if hasattr(m, "stride")]
    return max(max(pair(each)) for each in found)


def pair(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value, value)


def kind_of(module: nn.Module) -> str:
    return type(module).__name__.removeprefix("Varied")


@pytest.mark.slow
def test_what_is_said_of_ops_is_so_of_the_modules() -> None:
    count = 0
    for a, b in PAIRS:
        for places, said in between(a, b).changes:
            for place in places:
                count += held(said, place, on_meta(a), on_meta(b))
    assert count > 10_000


@pytest.mark.slow
@pytest.mark.parametrize("base", CHOICES)
def test_each_choice_is_said(base: str) -> None:
    """Nothing that a digest sees is passed over, and what is said of it is so."""
    for fields in CHOICES[base].values():
        varied = load(base, first(base, fields) | {"depths": [1, 2, 1, 2]}).network
        modules = [on_meta(base), build(varied, device="meta", init=False)]
        pair = (network(base), varied)
        for (a, b), built in ((pair, modules), (pair[::-1], modules[::-1])):
            found = difference(a, b)
            assert found.changes or found.parts
            assert found.changes or not {"function", "training"} & {*found.digests}
            for places, said in found.changes:
                for place in places:
                    held(said, place, *built)


def test_a_network_is_no_other_than_itself(drawn: Pool) -> None:
    for _, net in drawn:
        found = difference(net, net)
        assert found.equal
        assert (found.parts, found.changes, found.digests) == ((), (), [])
        assert str(found).startswith("the same network: every weight loads")


@pytest.mark.slow
@META
def test_drawn_networks_differ_in_what_is_said(drawn: Pool) -> None:
    """Each beside the next: the tensors as sets, what torch loads, and what is said of ops."""
    networks = [net for _, net in drawn[::3]]
    modules = [build(net, device="meta", init=False) for net in networks]
    count = 0
    for (a, old), (b, new) in pairwise(zip(networks, modules, strict=True)):
        found = difference(a, b)
        mine, other, weights = shapes(old), shapes(new), found.weights
        both = mine.keys() & other.keys()
        assert {*weights.carried} == {
            name for name in both if mine[name] == other[name]
        }
        assert {t.name for t in weights.changed} == both - {*weights.carried}
        assert weights.new == tuple(name for name in other if name not in mine)
        assert weights.gone == tuple(name for name in mine if name not in other)
        assert weights.a_into_b == loads(old, new)
        assert weights.b_into_a == loads(new, old)
        assert found.digests
        assert found.changes or found.parts
        for places, said in found.changes:
            count += sum(held(said, place, old, new) for place in places)
    assert count > 200


# --- the command --------------------------------------------------------------------------

V1 = """\
resnet50 -> v1/resnet50_v1

Every weight loads, and the output differs.

fields
  name       ResNet50 -> ResNet50V1
  title      ResNet-50 -> ResNet-50 v1
  stride_on  conv2 -> conv1

parts
  layer2  1.03 GMACs -> 950.53 MMACs
  layer3  1.46 GMACs -> 1.39 GMACs
  layer4  809.24 MMACs -> 732.17 MMACs
  total   4.09 GMACs -> 3.86 GMACs

ops
  layer2.0, layer3.0, layer4.0  conv1 strides, not conv2

weights
  carry over  320 of 320
"""
FROZEN = """\
### `resnet50_detection` → `resnet50_frozen`

**Same function: weights of the second alone load into the other, which counts batches \
from 0, and the output is the same; they train differently.**

| fields | |
| --- | --- |
| name | ResNet50Detection → ResNet50Frozen |
| title | ResNet-50 of detectors trained from scratch → ResNet-50 of torchvision's detectors |
| norm.type | batch → frozen |
| norm.momentum | 0.1 → unset |

| parts | |
| --- | --- |
| stem | 9,536 → 9,408 parameters |
| total | 9,536 → 9,408 parameters |

| ops | |
| --- | --- |
| stem | bn1: FrozenBatchNorm2d, not BatchNorm2d |

| weights | |
| --- | --- |
| carry over | 5 of 6 in resnet50\\_detection, of 5 in resnet50\\_frozen |
| gone | 1: bn1.num\\_batches\\_tracked |
"""


def test_the_page_shows_what_is_printed() -> None:
    page = Path("docs/diff.md").read_text(encoding="utf-8")
    assert f"```console\n$ resnet-spec diff resnet50 v1/resnet50_v1\n{V1}```\n" in page
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    exec(code, {})


def test_text_and_markdown_whole() -> None:
    result = run("resnet50", "v1/resnet50_v1")
    assert (result.exit_code, result.output) == (1, V1)
    frozen = ("resnet50_detection", "resnet50_frozen", "--features", "stem")
    result = run(*frozen, "--format", "markdown")
    assert (result.exit_code, result.output) == (1, FROZEN)


def test_json_whole() -> None:
    args = ("resnet18", "resnet50", "--features", "stem", "--format", "json")
    stem = [
        "conv1.weight",
        *(f"bn1.{name}" for name in ("weight", "bias", "running_mean", "running_var")),
        "bn1.num_batches_tracked",
    ]
    result = run(*args)
    assert result.exit_code == 1
    found = json.loads(result.output)
    assert {change["field"] for change in found.pop("fields")} >= {"name", "depths"}
    assert found == {
        "a": "resnet18",
        "b": "resnet50",
        "equal": False,
        "verdict": "the same network: every weight loads, and the output is the same",
        "digests": [],
        "parts": [],
        "totals": {side: {"params": 9536, "macs": 118013952} for side in "ab"},
        "changes": [],
        "weights": {
            "carried": stem,
            "changed": [],
            "new": [],
            "gone": [],
            "a_into_b": True,
            "b_into_a": True,
        },
    }


def test_a_spec_is_itself() -> None:
    result = run("resnet18", "specs/resnet18.yaml", "--set", "head.classes=10")
    assert (result.exit_code, result.output) == (
        0,
        "resnet18 -> specs/resnet18.yaml\n\nThe same network: every weight loads, and the "
        "output is the same.\n",
    )
    assert run("resnet18", "resnet18", "--source").output == ""


def test_names_of_tensors_are_folded_and_all_in_json() -> None:
    text = run("resnet50", "resnet101").output
    assert (
        "\n  new         306: layer3.6-22.conv1.weight, layer3.6-22.bn1.weight" in text
    )
    assert text.endswith("layer3.6-22.bn1.num_batches_tracked and 204 more\n")
    found = json.loads(run("resnet50", "resnet101", "--format", "json").output)
    assert len(found["weights"]["new"]) == 306
    text = run("resnet50", "seresnet50").output
    assert "layer1.*.se.fc1.weight" in text
    text = run("resnet18", "resnet18d", "--set", "head.classes=10").output
    was_a_norm = "layer2.0.downsample.1.weight 128 -> 128 x 64 x 1 x 1"
    assert f"\n  of another layer  3: {was_a_norm}, " in text


def test_it_fits_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """With all that it says at full width, which is what a pipe gets."""
    wide = run("resnet50", "resnetrs50").output
    for columns in (100, 80, 60, 40):
        monkeypatch.setenv("COLUMNS", str(columns))
        narrow = run("resnet50", "resnetrs50").output
        assert max(map(len, narrow.splitlines())) <= columns
        assert "".join(narrow.split()) == "".join(wide.split())


def test_the_source_is_that_of_both(tmp_path: Path) -> None:
    """The diff makes of the one file the other, as `patch` applies it."""
    text = run("resnet50", "v1/resnet50_v1", "--source").output
    assert text.startswith("--- resnet50\n+++ v1/resnet50_v1\n")
    changed = re.findall(r"^[-+] .*conv\d = .*$", text, re.MULTILINE)
    assert changed == [
        "-        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)",
        "+        self.conv1 = nn.Conv2d(in_channels, width, 1, stride, bias=False)",
        "-        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)",
        "+        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)",
    ]
    assert "sha256" not in text
    copy = tmp_path / "copy.yaml"
    copy.write_text(Path("specs/resnet18.yaml").read_text())
    result = run("resnet18", str(copy), "--source")
    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "Missing argument"),
        (["resnet18"], "takes two specs, or one with --rev, got 1"),
        (["resnet18"] * 3, "takes two specs, or one with --rev, got 3"),
        (["resnet18", "resnet34", "--rev", "HEAD"], "--rev takes one spec, got 2"),
        (["-", "--rev", "HEAD"], "--rev takes a file, and standard input is none"),
        (["resnet18", "resnet34", "--source", "--format", "json"], "takes no --format"),
        (["resnet18", "resnet34", "--format", "pdf"], "'pdf' is not one of"),
        (["resnet18", "nowhere"], "nowhere: is no file, and no spec that ships"),
        (["resnet18", "nowhere.yaml"], "nowhere.yaml: cannot be read, no such file"),
        (["resnet18", "specs/plain"], "specs/plain: is a folder, or a family of specs"),
        (["resnet18", "tests/errors/depth_zero.yaml"], "[greater-than-equal]"),
        (["resnet18", "resnet50", "--set", "expansion=2"], "[unused]"),
        (["resnet18", "resnet50", "--features", "9"], "[features]"),
    ],
)
def test_what_cannot_be_compared(args: list[str], said: str) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.output


# --- revisions ----------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where `nets/own ü.yaml` extends `base/plain.yaml`, and both change."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    git("init", "-q")
    base, own = Path("base/plain.yaml"), Path("nets/own ü.yaml")
    base.parent.mkdir()
    own.parent.mkdir()
    base.write_text("extends: resnet18\nname: Base\ntitle: Base\nactivation: silu\n")
    own.write_text("extends: ../base/plain.yaml\nname: Own\ntitle: Own\n")
    commit("first")
    base.write_text(base.read_text().replace("silu", "gelu"))
    commit("base alone")
    own.write_text(own.read_text() + "head: {classes: 10}\n")
    Path("nets/new.yaml").write_text("extends: resnet18\nname: New\ntitle: New\n")
    return tmp_path


def git(*args: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", *who, *args], check=True, capture_output=True)


def commit(message: str) -> None:
    git("add", "-A")
    git("commit", "-q", "-m", message)


def fields(rev: str, spec: str = "nets/own ü.yaml") -> list[list[Any]]:
    result = run("--rev", rev, spec, "--format", "json")
    assert result.exit_code in (0, 1), result.output
    found = json.loads(result.output)
    assert (found["a"], found["b"]) == (f"{spec} at {rev}", spec)
    assert found["equal"] is (result.exit_code == 0)
    return [[*change.values()] for change in found["fields"]]


def test_a_spec_beside_itself_in_a_commit(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it extends is of that commit as well, and nothing is left behind."""
    classes, activation = ["head.classes", 1000, 10], ["activation", "silu", "gelu"]
    assert fields("HEAD") == [classes]
    assert fields("HEAD~1") == [activation, classes]
    assert fields("HEAD~1", "base/plain.yaml") == [activation]
    assert fields("HEAD", "base/plain.yaml") == []
    monkeypatch.chdir(repository / "nets")
    assert fields("HEAD~1", "own ü.yaml") == [activation, classes]
    result = run("--rev", "HEAD", "own ü.yaml", "--source")
    assert "+    def __init__(self, num_classes: int = 10) -> None:" in result.output
    assert run("--rev", "HEAD", "own ü.yaml", "--set", "head.classes=7").exit_code == 0
    status = ["git", "status", "--porcelain"]
    done = subprocess.run(status, check=True, capture_output=True, text=True)
    assert len(done.stdout.splitlines()) == 2


def test_what_git_does_not_have(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("nets/own ü.yaml").write_text("depths: 3\n")
    commit("broken")
    Path("nets/own ü.yaml").write_text("extends: resnet18\nname: Own\ntitle: Own\n")
    spec = "nets/own ü.yaml"
    for args, said in {
        ("nowhere", spec): "nowhere: no such commit in ",
        ("--output=x", spec): "--output=x: no such commit in ",
        ("", spec): ": no such commit in ",
        ("HEAD~1", "nets/new.yaml"): "nets/new.yaml: is not in HEAD~1\n",
        ("HEAD", "nets/none.yaml"): "nets/none.yaml: is not in HEAD\n",
        ("HEAD", "nowhere/none.yaml"): "nowhere/none.yaml: is not in HEAD\n",
    }.items():
        result = run(f"--rev={args[0]}", args[1])
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(said), result.output
        assert len(result.stderr.splitlines()) == 1
    broken = run("--rev", "HEAD", spec)
    assert broken.exit_code == 2
    assert broken.stderr.startswith("HEAD: nets/own ü.yaml:1:1: name: is missing")
    assert str(repository) not in broken.stderr
    assert "/tmp" not in broken.stderr
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(repository.parent))
    outside = repository.parent / f"{repository.name}_outside"
    outside.mkdir()
    (outside / "net.yaml").write_text("extends: resnet18\nname: N\ntitle: N\n")
    result = run("--rev", "HEAD", str(outside / "net.yaml"))
    assert (result.exit_code, result.stderr) == (
        2,
        f"{outside / 'net.yaml'}: not a git repository (or any of the parent "
        "directories): .git\n",
    )
    monkeypatch.setenv("PATH", "")
    result = run("--rev", "HEAD", spec)
    assert (result.exit_code, result.stderr) == (
        2,
        "--rev needs git, which is not installed\n",
    )
