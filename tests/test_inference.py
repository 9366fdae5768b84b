"""What network a checkpoint is of, by names and shapes alone.

A spec that is printed is compiled again, and its tensors are compared with the file's: those
of a spec that ships under the names of a library, or of a library's own model.
"""

import csv
import re
import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
import torchvision
from click.testing import CliRunner, Result
from hypothesis import given, seed, settings

from resnet_spec import load
from resnet_spec.cli import main
from resnet_spec.language.shipped import shipped
from resnet_spec.network import Network
from resnet_spec.weights.inference import InferenceError, Inferred, infer
from resnet_spec.weights.inference.index import lines, table
from resnet_spec.weights.inference.structure import read
from resnet_spec.weights.inference.trunk import Trunk
from resnet_spec.weights.naming import NAMINGS, NamingError, names, unsaid
from resnet_spec.weights.recognition import recognized
from tests import which
from tests.strategies import Pool, spec_data
from tests.strategies import network_of as drawn_network
from tests.test_namings import ROWS, Shapes, rows, shapes
from tests.test_startup import measured


def network_of(text: str, folder: Path) -> Network:
    """The network of a page that was printed."""
    file = folder / "inferred.yaml"
    file.write_text(text)
    return load(file).network


def called(network: Network, naming: str) -> Shapes | None:
    """A file of the network in a library's names, None where that has not all of them."""
    ours = dict(network.tensors())
    try:
        known = names(ours, naming)
    except NamingError:
        return None
    if naming != "torchvision" and unsaid(ours, naming):  # whose names are ours
        return None
    return {known[name]: tensor.shape for name, tensor in ours.items()}


def is_right(key: str, file: Shapes, folder: Path) -> Inferred:
    """What is inferred has the file's names and shapes, and with the spec assumed its function.

    Without an assumption the spec is among those that are asked for.
    """
    network = load(key).network
    found = infer(file)
    functions = {row.spec: row.function for row in table()}
    assert functions[key] in {functions[spec] for spec in found.specs}, key
    assert bool(found.asked) == (len(found.specs) > 1)
    sure = infer(file, assume=key)
    assert not sure.asked
    again = network_of(sure.text, folder)
    assert again.digests.layout == network.digests.layout
    assert again.digests.function == network.digests.function
    return found


@pytest.mark.parametrize(
    ("key", "naming"),
    [
        ("resnet18", "transformers"),
        ("v1/resnet50_v1", "caffe2"),
        ("resnetd/resnet26d", "fastai"),
        ("resnetv2/resnetv2_18", "timm"),
        ("cifar/resnet20", "kuangliu"),
        ("preact/preresnet164", "torchvision"),
        ("seresnet/seresnet18", "pycls"),
        ("regnet/regnetx_002", "timm-regnet"),
        ("byobnet/gernet_s", "torchvision"),
        ("field/insightface/iresnet34", "torchvision"),
        ("detection/resnet50_frozen", "detectron2"),
    ],
)
def test_a_spec_that_ships_is_known_by_its_names_and_shapes(
    key: str, naming: str, tmp_path: Path
) -> None:
    file = called(load(key).network, naming)
    assert file
    is_right(key, file, tmp_path)


@pytest.mark.long
def test_every_spec_that_ships_is_known_under_every_naming(tmp_path: Path) -> None:
    said, unknown = Counter[str](), dict[tuple[str, str], str]()
    functions = {row.spec: row.function for row in table()}
    for key in shipped():
        network = load(key).network
        for naming in NAMINGS:
            if file := called(network, naming):
                said["files"] += 1
                try:
                    found = infer(file)
                except InferenceError as error:
                    unknown[key, naming] = str(error)
                    continue
                if functions[key] not in {functions[spec] for spec in found.specs}:
                    what = ", ".join(found.specs) or "read off"
                    unknown[key, naming] = f"{what}, {found.trunk}"
                    continue
                is_right(key, file, tmp_path)
                said[naming] += 1
                said["asked"] += bool(found.asked)
    print(dict(said), *unknown.items(), sep="\n")
    assert said["torchvision"] == len(shipped())
    assert len(unknown) < said["files"] / 20


@pytest.mark.parametrize("key", [*shipped()][::40])
def test_other_classes_and_channels_are_said(key: str, tmp_path: Path) -> None:
    """Held to the network that the spec makes with those set by hand."""
    network = load(key).network
    stem = {"input": [5, *network.image[1:]]} if network.stem else {}
    if not network.classes or any(op.module == "SpaceToDepth" for op in network.stem):
        return
    changed = load(key, {"head.classes": 7, **stem}).network
    again = network_of(infer(shapes(changed), assume=key).text, tmp_path)
    assert again.digests[:2] == changed.digests[:2]


@pytest.mark.parametrize("name", [*ROWS][::5])
def test_a_librarys_own_file(name: str, tmp_path: Path) -> None:
    is_librarys(name, tmp_path)


@pytest.mark.long
def test_every_librarys_own_file(tmp_path: Path) -> None:
    for name in ROWS:
        is_librarys(name, tmp_path)


def is_librarys(name: str, tmp_path: Path) -> None:
    """By the tables that the libraries themselves gave; what is beside may be there."""
    row, file = ROWS[name], {their: shape for their, _, shape in rows(name)}
    assumed = next(key for key in shipped() if f"/{key}".endswith(f"/{row.spec}"))
    if any(name.endswith("tracked") for name in file):  # so that no norm is frozen
        assumed = assumed.replace("frozen", "detection")
    found = network_of(infer(file, assume=assumed).text, tmp_path)
    want = load(row.spec, row.sets).network
    reading = recognized(file, dict(found.tensors())).readings
    assert reading
    assert {*reading[0].table} <= {*shapes(found)}
    same = {*shapes(found).items()} ^ {*shapes(want).items()}
    assert all(name.startswith("fc.") or name.endswith("tracked") for name, _ in same)


def models() -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """Every row of the conformance table that is a whole model: its state dict, and spec."""
    with Path("tests/conformance.csv").open() as file:
        for row in csv.DictReader(file):
            maker = {
                "timm": timm.create_model,
                "torchvision": torchvision.models.get_model,
            }
            if set(row["model"]) & {".", "("} or row["model"].startswith(
                ("quantized", "model")
            ):
                continue
            counts = row["library"] == "torchvision" and "regnet" in row["model"]
            with torch.device("cpu" if counts else "meta"):  # by tensors, its widths
                model = maker[row["library"]](row["model"])
            yield f"{row['library']}:{row['model']}", model.state_dict(), row["spec"]


@pytest.mark.long
def test_every_resnet_of_timm_and_torchvision(tmp_path: Path) -> None:
    count, unknown = Counter[str](), dict[str, str]()
    for name, state, spec in models():
        file = {key: tuple(tensor.shape) for key, tensor in state.items()}
        try:
            found = infer(file, assume=spec)
        except InferenceError as error:
            unknown[name] = str(error)
            continue
        network, want = network_of(found.text, tmp_path), load(spec).network
        sizes = sorted(file.values()), sorted(shapes(network).values())
        if network.digests[:2] != want.digests[:2] or sizes[0] != sizes[1]:
            unknown[name] = "is another network"
            continue
        count[name.partition(":")[0]] += 1
    print(dict(count), *unknown.items(), sep="\n")
    assert count["torchvision"] == 25
    assert count["timm"] >= 180  # names of SKNets and of some of byobnet are not turned


def is_read_off(key: str, folder: Path) -> None:
    """What is printed has the shapes that were given: as if no spec shipped."""
    file = shapes(load(key).network)
    text, _ = read(Trunk("torchvision", "", file), "torchvision")
    assert shapes(network_of(text, folder)) == file, key


def test_structure_is_read_off_without_the_table(tmp_path: Path) -> None:
    for key in [*shipped()][::20]:
        is_read_off(key, tmp_path)


@pytest.mark.long
def test_structure_of_all_that_ships_is_read_off(tmp_path: Path) -> None:
    unread = {}
    for key in shipped():
        try:
            is_read_off(key, tmp_path)
        except ValueError as error:
            unread[key] = str(error)
    print(unread)
    assert len(unread) <= len(shipped()) // 50


BASIC = {"stem.width": 8, "depths": [2, 1], "widths": [8, 16], "strides": [1, 2]}
DEEP = {**BASIC, "stem.type": "deep", "stem.pool": "none"}
BOTTLENECK = {**BASIC, "block": "bottleneck", "stride_on": "conv2", "expansion": 2}
PREACT = {"preact": {"shortcut": "raw", "first": "own", "final_norm": True}}
BARE = {**PREACT["preact"], "stem_norm": False, "final_norm": False}
SPLIT = {"spatial": {"type": "split_attention", "radix": 1, "pool": "after"}}
BANDS = [{"conv": 1, "to": "width * 2"}, "spatial", {"conv": 1}, "norm"]
IN_SQUARES = [{"conv": 3}, {"space_to_depth": 2}, "norm", {"conv": 1}, "norm", "norm"]
KINDS: dict[str, dict[str, Any]] = {
    "activations of a stage": {
        **DEEP,
        "depths": [2],
        "widths": [8],
        "strides": [2],
        "activation": [["prelu", "relu"]],
        "preact": {"shortcut": "raw", "stem_norm": True, "final_norm": True},
    },
    "norms of a stage": {
        **BOTTLENECK,
        "norm.type": [["evonorm_s0", "frozen"], "batch"],
        "norm.groups": 2,
        "spatial": {"type": "res2net", "scale": 2},
    },
    "norms of layers in chains": {
        **BASIC,
        "spatial": {"type": "res2net", "scale": 2},
        "block": {"name": "Own", "body": BANDS},
        "expansion": 2,
        "norm.type": [["frozen", "batch"], "frozen"],
    },
    "a stem of another norm": {
        **BASIC,
        "stem.type": [{"conv": 3}, "activation", "norm"],
        "stem.pool": None,
        "norm.type": "frn",  # which has no threshold where no activation follows
    },
    "a deep stem without norms": {
        **DEEP,
        "norm.type": "none",
        "shortcut": [{"conv": 1, "to": "in"}, {"conv": 3, "stride": "block"}],
    },
    "slopes behind the last stage, a stem of squares": {
        **BASIC,
        **PREACT,
        "stem.type": IN_SQUARES,
        "stem.pool": None,
        "activation": ["relu", "prelu"],
    },
    "a stem that begins with a norm without weights": {
        **BASIC,
        "stem.type": [{"norm": "instance"}, {"norm": "batch"}, *IN_SQUARES[1:]],
        "stem.pool": None,
    },
    "a convolution that pools, without any norm": {
        **BASIC,
        "preact": BARE,
        "norm.type": "none",
        "stem.pool": "conv",
    },
    "a stem that ends in a convolution, blocks without norms": {
        **DEEP,
        "preact": {"stem_norm": False, "final_norm": False},
        "block": {"name": "Own", "body": [{"conv": 3, "stride": "block"}]},
        "shortcut": [{"conv": 1, "stride": "block"}],
    },
    "slopes behind the last stage, a deep stem": {
        **DEEP,
        **PREACT,
        "preact.stem_norm": False,
        "activation": ["relu", "prelu"],
    },
    "words beside a chain of two convolutions": {
        "stem": {"type": ["norm", "norm", {"conv": 1}], "width": 8},
        "depths": [2, 3, 2],
        "widths": 1,
        "strides": 1,
        "preact": {"shortcut": "activated", "first": "own", "final_norm": False},
        "activation": ["silu", "prelu", ["prelu", "relu"]],
        "norm.type": ["frozen", "batch", "batch"],
        "attention": "se",
        "se": {"ratio_of": "input", "least": 1, "bias": False},
        "head.classes": "none",
        "shortcut": [
            [{"conv": 1, "stride": "block"}, {"conv": 1}],
            "projection_always",
            "projection",
        ],
    },
    "squeezes in shortcuts": {
        **BASIC,
        "block": {"name": "Own", "body": [{"conv": 3, "stride": "block"}]},
        "shortcut": ["attention", {"conv": 1, "stride": "block"}],
        "attention": "se",
        "se": {"ratio": 0.5, "divisor": 1},
    },
    "squeezes of another share in each stage": {
        **BASIC,
        "attention": "se",
        "se": {"ratio": [1.0, 0.25], "ratio_of": "input", "divisor": 4},
        "widths": [6, 16],
    },
    "widths of no common share": {
        **BOTTLENECK,
        **SPLIT,
        "expansion": 3,
        "widths": [24, 40],
        "groups": 8,
        "width_per_group": [64, 32],
    },
    "expansions of a stage": {
        **BOTTLENECK,
        **SPLIT,
        "expansion": [[1, 3], 2],
        "widths": 16,
        "width_per_group": 72,
        "shortcut": "identity_or_none",
    },
    "slopes and a dropout before features": {
        **BASIC,
        "activation": "prelu",
        "head.classes": "none",
        "head.hidden": ["activation", 4],
        "head.dropout": 0.1,
    },
}
"""Networks of kinds that drawing found, each of a kind in which values differ."""


@pytest.mark.parametrize("kind", KINDS)
def test_what_differs_inside_of_a_network_is_read_off(
    kind: str, tmp_path: Path
) -> None:
    """Block by block, and where stem or head have other words than the blocks beside them."""
    file = shapes(load("resnet18", KINDS[kind]).network)
    text, _ = read(Trunk("torchvision", "", file), "torchvision")
    assert shapes(network_of(text, tmp_path)) == file


def read_off(networks: Iterable[Network], folder: Path) -> Counter[str]:
    """How many are read; the others, by the line that refuses them, without its numbers.

    What is read has the names and the shapes of the file.
    """
    count = Counter[str]()
    for network in networks:
        file = shapes(network)
        try:
            found = infer(file)
        except InferenceError as error:
            count[re.sub(r"\d+", "#", str(error))] += 1
            continue
        count["read"] += 1
        if not found.specs:
            assert shapes(network_of(found.text, folder)) == file
    return count


@pytest.mark.slow
def test_most_drawn_networks_are_read_off(drawn: Pool, tmp_path: Path) -> None:
    """Most of them are stranger than any checkpoint."""
    whole = [network for _, network in drawn[::12] if not network.features]
    count = read_off(whole, tmp_path)
    print(count)
    assert count["read"] > 0.95 * len(whole)


@pytest.mark.long
def test_most_of_500_drawn_networks_are_read_off(tmp_path: Path) -> None:
    found: dict[str, Network] = {}
    for part in range(50):

        @seed(part)
        @settings(max_examples=50, database=None)
        @given(spec_data())
        def draw(data: Any) -> None:
            found.setdefault(str(data), drawn_network(data))

        draw()
        if len(found) >= 500:
            break
    count = read_off([*found.values()][:500], tmp_path)
    print(*(f"{n} {said}" for said, n in count.most_common()), sep="\n")
    assert count["read"] > 490


def changes(file: Shapes) -> Iterator[tuple[str, Shapes, str]]:
    """Networks that are damaged or none of ours, and what the line has to say."""
    gone = "layer3.1.conv2.weight"
    yield "missing", {n: s for n, s in file.items() if n != gone}, gone
    other = {**file, "layer2.1.bn2.weight": (77,)}
    yield (
        "shape",
        other,
        "layer2.1.bn2.weight is 77 in the file, and 128 in what was read",
    )
    yield (
        "block",
        {n: s for n, s in file.items() if ".0." not in n},
        "layer1 has not all",
    )
    yield "vit", {"blocks.0.attn.qkv.weight": (9, 3)}, "no network of stages and blocks"
    no = "which is no convolution of images"
    yield "flat", {n: s[:2] for n, s in file.items()}, no
    yield "volume", {n: (*s, 3) if len(s) == 4 else s for n, s in file.items()}, no
    yield "empty", {}, "no network of stages and blocks"


def test_what_is_no_network_of_ours_is_refused_in_a_line() -> None:
    for name, file, said in changes(shapes(load("resnet18").network)):
        with pytest.raises(InferenceError) as raised:
            infer(file)
        assert said in str(raised.value), (name, str(raised.value))
        assert "\n" not in str(raised.value)


def test_attention_of_one_axis_is_refused() -> None:
    file = shapes(load("seresnet50", {"widths": [48, 96, 192, 384]}).network)
    flat = {n: s[:1] if n.endswith("se.fc1.weight") else s for n, s in file.items()}
    with pytest.raises(InferenceError):
        infer(flat)


@pytest.mark.parametrize(
    ("spec", "name", "shape"),
    [
        ("resnest14d", "layer4.0.conv3.weight", (2048, 8, 1, 1)),
        ("res2net50_26w_4s", "layer3.0.conv1.weight", (2, 512, 1, 1)),
        ("skresnext50_32x4d", "layer3.0.conv1.weight", (2, 512, 1, 1)),
    ],
)
def test_a_layer_that_reads_more_than_it_is_given_is_refused(
    spec: str, name: str, shape: tuple[int, ...]
) -> None:
    file = dict(shapes(load(spec).network))
    norm = name.replace("conv", "bn").removesuffix("weight")
    cut = {n: shape[:1] for n in file if n.startswith(norm) and file[n]}
    assert name in file
    with pytest.raises(InferenceError):
        infer({**file, name: shape, **cut})


def safetensors(path: Path, file: Shapes) -> Path:
    """A file of so many zeros, which take no room on the disk."""
    import json

    at, header = 0, {}
    for name, shape in file.items():
        size = 4 * int(torch.Size(shape).numel())
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    with path.open("wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        out.truncate(8 + len(text) + at)
    return path


def run(*args: str) -> Result:
    return CliRunner().invoke(main, ["infer", *args])


def test_the_command_asks_what_weights_cannot_tell(tmp_path: Path) -> None:
    network = load("resnet152", {"head.classes": 10, "input": [1, 64, 64]}).network
    file = str(safetensors(tmp_path / "file.safetensors", shapes(network)))
    asked = run(file)
    assert asked.exit_code == 2
    assert "# extends: resnet152     # stride_on: conv2\n" in asked.stdout
    assert "# extends: resnet152_v1  # stride_on: conv1\n" in asked.stdout
    assert asked.stderr.endswith(
        "give --assume resnet152, resnet152_v1 or torchvision\n"
    ) or (
        asked.stderr.endswith(
            "give --assume resnet152, resnet152_v1, timm or torchvision\n"
        )
    )
    sure = run(file, "--assume", "resnet152_v1")
    assert (sure.exit_code, sure.stderr) == (0, "")
    assert "# Assumed: resnet152_v1." in sure.stdout
    assert "extends: resnet152_v1\n" in sure.stdout
    assert "input: [1, 224, 224]\n" in sure.stdout
    assert "head: {classes: 10}\n" in sure.stdout
    again = network_of(sure.stdout, tmp_path)
    assert again.digests.layout == network.digests.layout
    wrong = run(file, "--assume", "resnet18")
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert "it is not resnet18" in wrong.stderr
    missing = run(str(tmp_path / "none"))
    assert (missing.exit_code, missing.stderr.count("\n")) == (1, 1)


def test_a_large_file_costs_no_torch_and_a_moment(tmp_path: Path) -> None:
    """The 240 MB of ResNet-152: its names and shapes are read, and no compiler."""
    file = safetensors(tmp_path / "152.safetensors", shapes(load("resnet152").network))
    code = (
        "import sys, resnet_spec.cli as cli\n"
        f"try: cli.main(['infer', {str(file)!r}, '--assume', 'torchvision'])\n"
        "except SystemExit as done: assert not done.code\n"
        "assert not {'torch', 'pydantic', 'yaml'} & {*sys.modules}\n"
    )
    measured("-c", code)  # writes the bytecode, which an installer does
    assert min(measured("-c", code)[0] for _ in range(3)) < 0.3


def test_the_table_and_the_page_are_of_today() -> None:
    """Of each twelfth trunk; `nox -s regen` writes all of them."""
    hint = "run `nox -s regen`"
    assert [row.spec for row in table()] == [*shipped()], hint
    chosen = {*[*dict.fromkeys(row.traits.trunk for row in table())][::12]}
    known = [row for row in table() if row.traits.trunk in chosen]
    assert lines(which.rows([row.spec for row in known])) == lines(known), hint
    page = Path("docs/which-resnet.md").read_text(encoding="utf-8")
    assert page == which.page([*table()]), hint
