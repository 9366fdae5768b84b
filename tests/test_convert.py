"""Weights under another library's names: loaded by that library, and back as they were.

Files are written by torch, safetensors and numpy themselves and read by them again; networks
are the libraries' own, made of what the command printed.
"""

import ast
import json
import re
import shlex
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from click.testing import CliRunner, Result
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from resnet_spec import build, build_model, convert_weights, load
from resnet_spec.cli import main
from resnet_spec.compare.libraries import draw_weights
from resnet_spec.language.shipped import shipped
from resnet_spec.network import Network
from resnet_spec.weights.builders import BUILDERS, UnsayableError, asked
from resnet_spec.weights.files.writers import WRITERS
from resnet_spec.weights.naming import NAMINGS
from resnet_spec.weights.renaming import (
    AROUND,
    OURS,
    TARGETS,
    Conversion,
    Source,
    conversion,
)
from resnet_spec.weights.stored import WeightsError, laid_out
from tests.strategies import Pool
from tests.test_inference import called
from tests.test_namings import COUNT, ROWS, Shapes, rows, shapes

State = dict[str, torch.Tensor]


def run(*args: object) -> Result:
    return CliRunner().invoke(main, ["convert", *map(str, args)])


def converted(*args: object) -> str:
    """What is printed to go with the weights, and nothing is wrong with them."""
    done = run(*args)
    assert done.exit_code == 0, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stdout


def spec(folder: Path, **data: Any) -> Path:
    file = folder / "spec.yaml"
    names = {"name": "Small", "title": "Small"}
    file.write_text(yaml.safe_dump({**names, **data}))
    return file


def random(of: Path | str, file: Path) -> nn.Module:
    """A model of the spec, its weights drawn, and saved as ours."""
    torch.manual_seed(0)
    model = build_model(of).eval()
    draw_weights(model)
    save_file(model.state_dict(), file)
    return model


def same(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    """Bit for bit, so that no number is a number for itself."""

    def bits(tensor: torch.Tensor) -> tuple[object, ...]:
        flat = tensor.contiguous().reshape(-1).view(torch.uint8)
        return tensor.dtype, tensor.shape, flat.numpy().tobytes()

    return one.keys() == other.keys() and all(
        bits(tensor) == bits(other[name]) for name, tensor in one.items()
    )


# --- the libraries' own networks ----------------------------------------------------------

BASIC = {
    "block": "basic",
    "stem": {"type": "conv7x7", "width": 8, "pool": "max"},
    "shortcut": "projection",
    "depths": [1, 2, 1],
    "widths": [8, 16, 24],
    "strides": [1, 2, 2],
    "input": [3, 64, 64],
    "head": {"classes": 7},
}
V1 = BASIC | {"block": "bottleneck", "expansion": 4, "stride_on": "conv1"}
GELU = V1 | {
    "block": {
        "name": "Inside",
        "body": [
            *({"conv": 1}, "norm", {"activation": "relu"}),
            *({"conv": 3, "stride": "block"}, "norm", {"activation": "relu"}),
            *({"conv": 1}, "norm"),
        ],
    },
    "stride_on": None,
    "activation": "gelu",
    "strides": [2, 2, 2],
}
TRUNK = BASIC | {"head": {"classes": "none"}, "input": [1, 64, 64]}


@pytest.mark.filterwarnings("ignore")  # which are transformers' own
@pytest.mark.parametrize(
    "data", [BASIC, V1, GELU, TRUNK], ids=["basic", "v1", "gelu", "trunk"]
)
def test_transformers_loads_its_folder_by_itself(
    data: dict[str, Any], tmp_path: Path
) -> None:
    transformers = pytest.importorskip("transformers")
    of = spec(tmp_path, **{k: v for k, v in data.items() if v is not None})
    ours = random(of, tmp_path / "ours.safetensors")
    to, file = tmp_path / "theirs", tmp_path / "ours.safetensors"
    assert not converted(file, "--to", "transformers", "--spec", of, "-o", to)
    classifies = data is not TRUNK
    auto = "AutoModelForImageClassification" if classifies else "AutoModel"
    theirs, said = getattr(transformers, auto).from_pretrained(
        to, output_loading_info=True
    )
    assert type(theirs).__name__.startswith("ResNet")
    assert not any(said.values()), said
    x = torch.randn(2, data["input"][0], 64, 96)
    with torch.no_grad():
        found = theirs.eval()(x)
        found = found.logits if classifies else found.pooler_output.flatten(1)
        assert torch.equal(found, ours(x))
    converted(to / "model.safetensors", "--to", OURS, "--spec", of, "-o", tmp_path)
    assert same(load_file(tmp_path / "model.safetensors"), ours.state_dict())


def made_by(text: str) -> nn.Module:
    """The model of the lines that are printed."""
    names: dict[str, Any] = {}
    exec(text, names)
    model: nn.Module = names["model"]
    return model.eval()


DILATED = {"strides": [1, 2, 1, 1], "dilations": [1, 1, 2, 4]}
SMALL: dict[str, tuple[str, str, dict[str, Any]]] = {
    "torchvision": ("torchvision", "resnet18", {"head": {"classes": 4}}),
    "torchvision, gray": (
        "torchvision",
        "resnet18",
        {"input": [1, 64, 64], "depths": [1, 1, 1, 1]},
    ),
    "torchvision, its RegNets": ("torchvision", "regnet/regnety_004", {}),
    "torchvision, dilated trunk": (
        "torchvision",
        "resnet50",
        {
            **DILATED,
            "dilation_from": "previous",
            "depths": [1, 1, 1, 2],
            "groups": 32,
            "width_per_group": 4,
            "norm": {"type": "frozen"},
            "head": {"classes": "none"},
        },
    ),
    "timm": ("timm", "resnet10t", {"head": {"classes": "none"}}),
    "timm, RegNets": ("timm", "regnet/regnetx_002", {"input": [4, 64, 64]}),
    "timm, SENets": ("timm", "legacy_seresnet18", {}),
    "timm, BYOBNet": ("timm", "gernet_s", {}),
    "timm, with arguments": (
        "timm",
        "resnet50d",
        {"depths": [1, 2, 1, 1], "activation": "silu", "groups": 2},
    ),
}


def loads(
    library: str, of: str | Path, folder: Path, size: int = 64, bound: float = 0
) -> None:
    """The library's own network takes the file strictly, computes the same, and goes back."""
    file, theirs = folder / "ours.safetensors", folder / "theirs.safetensors"
    ours = random(of, file)
    text = converted(file, "--to", library, "--spec", of, "-o", theirs, "--force")
    model = made_by(text)
    model.load_state_dict(load_file(theirs), strict=True)
    channels = load(of).network.image.channels
    images = torch.randn(2, channels, size, size)
    with torch.no_grad():
        found, want = model(images), ours(images)
        apart = (found - want).abs().max() / want.abs().max()
        assert torch.equal(found, want) or apart <= bound, of
    save_file(model.state_dict(), theirs)
    again = folder / "again.safetensors"
    converted(theirs, "--to", OURS, "--spec", of, "-o", again, "--force")
    assert same(load_file(again), ours.state_dict())


GATE = ("torchvision, gray", "torchvision, its RegNets", "timm", "timm, RegNets")


@pytest.mark.parametrize(
    "which",
    [w if w in GATE else pytest.param(w, marks=pytest.mark.long) for w in SMALL],
)
def test_what_is_printed_builds_a_model_that_loads_them(
    which: str, tmp_path: Path
) -> None:
    library, base, changed = SMALL[which]
    of = tmp_path / "spec.yaml"
    names = {"extends": base, "name": "Small", "title": "Small"}
    of.write_text(yaml.safe_dump({**names, **changed}))
    loads(library, of, tmp_path)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("library", ["timm", "torchvision"])
def test_every_spec_that_a_library_builds_is_loaded_by_it(
    library: str, tmp_path: Path
) -> None:
    """Those of at most 60 million parameters, at their own sizes.

    CLIP's, with attention, are equal up to rounding, as tests/conformance.csv has them; those
    of tutorials, which pool by 7 x 7, are other modules than torchvision's.
    """
    count = 0
    for key in shipped():
        network = load(key).network
        try:
            built = asked(network, library).network
        except UnsayableError:
            continue
        alike = built.digests.function == network.digests.function
        square = len({*network.image[1:]}) == 1 and "tutorials" not in key
        if alike and square and network.params < 60e6:
            bound = 1e-6 if key.endswith("_clip") else 0
            loads(library, key, tmp_path, int(network.image.height), bound)
            count += 1
    print(library, count)
    assert count >= {"timm": 160, "torchvision": 25}[library]


@pytest.mark.long
def test_segmentation_models_take_torchvisions(tmp_path: Path) -> None:
    smp = pytest.importorskip("segmentation_models_pytorch")
    ours = random("resnet18", tmp_path / "a.safetensors")
    args = ("--to", "torchvision", "--assume", "torchvision")
    converted(tmp_path / "a.safetensors", *args, "-o", tmp_path / "b.pth")
    encoder = smp.encoders.get_encoder("resnet18", weights=None).eval()
    encoder.load_state_dict(torch.load(tmp_path / "b.pth"), strict=True)
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(ours.fc(encoder(x)[-1].mean((2, 3))), ours(x))


# --- libraries that are not here: their tables --------------------------------------------


def stand_in(file: Path, of: Shapes) -> Path:
    """A file of such tensors that takes no room: each begins with its number."""
    at, header, starts = 0, {}, []
    for name, shape in of.items():
        size = 4 * int(torch.Size(shape).numel())
        dtype = "I32" if name.endswith((COUNT, "_count")) else "F32"
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size]}
        starts.append(at)
        at += size
    text = json.dumps(header).encode()
    with file.open("wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for number, start in enumerate(starts):
            out.seek(8 + len(text) + start)
            out.write(struct.pack("<i", number))
        out.truncate(8 + len(text) + at)
    return file


def numbers(made: Conversion) -> dict[str, int]:
    """The number that each tensor begins with."""
    return {
        name: struct.unpack("<i", laid_out(tensor)[:4])[0]
        for name, tensor in made.tensors.items()
    }


LIBRARIES = {
    "clip": "clip",
    "detectron": "caffe2",
    "detectron2": "detectron2",
    "fastai": "fastai",
    "mmdet": "mmdet",
    "mmpretrain": "mmpretrain",
    "pycls": "pycls",
    "sequential": "children",
    "transformers": "transformers",
}
TABLES = [name for name in ROWS if name.split("_")[0] in LIBRARIES]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.long] * bool(turn % 4))
        for turn, name in enumerate(TABLES)
    ],
)
def test_a_librarys_own_names_and_shapes_are_given(name: str, tmp_path: Path) -> None:
    row, known = ROWS[name], [*rows(name)]
    network = load(row.spec, row.sets).network
    counted = {our for _, our, _ in known if our.endswith(COUNT)}
    ours = shapes(network)
    if not counted:  # of frozen norms, or of Caffe2's
        ours = {n: s for n, s in ours.items() if not n.endswith(COUNT)}
    table = {our: their for their, our, _ in known if our in ours}
    file = stand_in(tmp_path / "ours.safetensors", ours)
    of = tmp_path / "spec.yaml"
    sets = {key.partition(".")[0]: value for key, value in row.sets.items()}
    of.write_text(
        yaml.safe_dump(
            {"extends": row.spec, "name": "A", "title": "A"}
            | {
                key: {whole.partition(".")[2]: value}
                for key, value in sets.items()
                for whole in row.sets
                if whole.startswith(f"{key}.")
            }
        )
    )
    to = LIBRARIES[name.split("_")[0]]
    made = conversion(Source(file), to, str(of))
    want = {table[our]: number for number, our in enumerate(ours) if our in table}
    assert want.items() <= numbers(made).items()
    there = {their: shape for their, our, shape in known if our}
    beside = {their for their, our, _ in known if not our}  # CLIP's other head
    given = {name: tensor.shape for name, tensor in made.tensors.items()}
    assert {n: shape for n, shape in given.items() if n not in beside} == there


def test_lines_of_configs_are_what_they_say(tmp_path: Path) -> None:
    v1 = stand_in(tmp_path / "a.safetensors", shapes(load("v1/resnet50_v1").network))
    args = (v1, "--spec", "v1/resnet50_v1", "--force", "-o", tmp_path / "b.safetensors")
    network = load("v1/resnet50_v1").network
    config = yaml.safe_load(asked(network, "detectron2").text)
    resnets = config["MODEL"]["RESNETS"]
    assert (resnets["DEPTH"], resnets["NORM"]) == (50, "BN")
    assert resnets["STRIDE_IN_1X1"] is True
    config = yaml.safe_load(asked(network, "pycls").text)
    assert config["MODEL"] == {"TYPE": "resnet", "DEPTH": 50, "NUM_CLASSES": 1000}
    assert config["RESNET"]["STRIDE_1X1"] is True
    names: dict[str, Any] = {}
    exec(converted(*args, "--to", "mmpretrain"), {}, names)
    backbone = names["model"]["backbone"]
    assert (backbone["type"], backbone["depth"]) == ("ResNet", 50)
    assert backbone["style"] == "caffe"
    assert names["model"]["head"]["num_classes"] == 1000
    with safe_open(tmp_path / "b.safetensors", "np") as file:
        said = file.metadata()
    exec(said["resnet_spec.config"], {}, again := dict[str, Any]())
    assert again == names
    assert said["resnet_spec.naming"] == "mmpretrain"


# The arguments with which the networks of the tables were built there.
CONFIGS: dict[str, tuple[str, dict[str, Any]]] = {
    "detectron2_r18_bn": ("resnet18", {"DEPTH": 18, "RES2_OUT_CHANNELS": 64}),
    "detectron2_r50_gn": ("resnet50_gn", {"NORM": "GN", "STRIDE_IN_1X1": False}),
    "detectron2_r50_caffe_frozen": (
        "resnet50_dc5_detectron2",
        {"NORM": "FrozenBN", "RES5_DILATION": 2},
    ),
    "mmpretrain_resnetv1d50": ("resnet50d", {"deep_stem": True, "avg_down": True}),
    "mmpretrain_resnext50": (
        "resnext50_32x4d",
        {"type": "ResNeXt", "groups": 32, "width_per_group": 4},
    ),
    "mmpretrain_seresnet50": ("seresnet50", {"type": "SEResNet"}),
    "mmpretrain_cifar18": ("resnet18_kuangliu", {"type": "ResNet_CIFAR"}),
    "mmpretrain_wide": ("wide_resnet50_2", {"base_channels": 128, "expansion": 2}),
    "mmdet_resnetv1d50": ("resnet50d", {"avg_down": True}),
    "mmdet_os16": ("resnet50_os16_openmmlab", {"dilations": (1, 1, 1, 2)}),
    "pycls_anynet_r18": ("resnet18", {"BLOCK_TYPE": "res_basic_block"}),
    "pycls_resnext50": ("resnext50_32x4d", {"NUM_GROUPS": 32, "WIDTH_PER_GROUP": 4}),
    "pycls_cifar56": ("resnet56_b", {"STEM_TYPE": "res_stem_cifar"}),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_asks_for_the_networks_own_form(name: str) -> None:
    of, want = CONFIGS[name]
    network = load(of).network
    made = asked(network, name.partition("_")[0])
    assert made.network.digests.function == network.digests.function
    assert want.items() <= dict(flat(said(made.text))).items()


def said(text: str) -> Any:
    """YAML, or what calls of `dict` in Python make."""
    if "dict(" not in text:
        return yaml.safe_load(text)
    names: dict[str, Any] = {}
    exec(compile(ast.parse(text), "config", "exec"), {}, names)
    return names.get("model", names)["backbone"]


def flat(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in found.items():
        yield from flat(value) if isinstance(value, dict) else [(key, value)]


# --- there and back -----------------------------------------------------------------------


def sayable(source: Source, to: str, of: Path | str) -> Conversion | None:
    try:
        return conversion(source, to, str(of))
    except WeightsError:
        return None


def there_and_back(
    of: Path | str, network: Network, folder: Path, namings: Sequence[str] = (*NAMINGS,)
) -> int:
    """Under every naming that can say them, each tensor comes back under its own name."""
    ours, count = shapes(network), 0
    file = stand_in(folder / "ours.safetensors", ours)
    for naming in namings:
        if not called(network, naming):
            continue
        to = OURS if naming == "torchvision" else naming
        made = sayable(Source(file, naming="torchvision"), to, of)
        if made is None:
            assert naming == "transformers"  # by a config.json
            continue
        added = made.extras.metadata.get("resnet_spec.counts", "").split()
        assert all(name.endswith(COUNT) for name in added)
        turned = {n: v for n, v in numbers(made).items() if n not in added}
        assert sorted(turned.values()) == [*range(len(ours))]
        theirs = {name: made.tensors[name].shape for name in turned}
        other = stand_in(folder / "theirs.safetensors", theirs)
        back = conversion(Source(other, naming=made.naming), OURS, str(of))
        first = [*turned.values()]
        found = {name: first[number] for name, number in numbers(back).items()}
        assert found == {name: number for number, name in enumerate(ours)}, naming
        count += 1
    return count


@pytest.mark.parametrize(
    ("key", "namings"),
    [
        ("cifar/resnet20", NAMINGS),
        ("resnet10t", ("timm", "mmpretrain", "clip")),
        ("resnetv2_18", ("timm", "fastai")),
        ("seresnet18", ("timm-senet", "pycls", "kuangliu")),
        ("detection/resnet50_frozen", ("transformers", "detectron2")),
        ("resnet50_freeze2_detectron2", ("transformers", "detectron2")),
    ],
)
def test_there_and_back_is_the_identity(
    key: str, namings: Sequence[str], tmp_path: Path
) -> None:
    assert there_and_back(key, load(key).network, tmp_path, [*namings])


@pytest.mark.long
def test_there_and_back_is_the_identity_for_all_specs(tmp_path: Path) -> None:
    """Each under every third naming, by turns."""
    count = 0
    for turn, key in enumerate(shipped()):
        namings = [*NAMINGS][turn % 3 :: 3]
        count += there_and_back(key, load(key).network, tmp_path, namings)
    print(count)
    assert count > len(shipped())


@pytest.mark.slow
def test_there_and_back_is_the_identity_for_drawn_specs(
    drawn: Pool, tmp_path: Path
) -> None:
    of, turn, count = tmp_path / "spec.yaml", 0, 0
    for data, network in drawn[::10]:
        if not network.features and any(network.tensors()):
            of.write_text(yaml.safe_dump(data, sort_keys=False))
            turn += 1
            few = [*NAMINGS][turn % 5 :: 5]
            count += there_and_back(of, network, tmp_path, few)
    assert count


KINDS: dict[str, Callable[[Path], State]] = {
    ".safetensors": load_file,
    **{
        suffix: lambda file: torch.load(file, weights_only=True)
        for suffix in (".pth", ".pt", ".pyth")
    },
    ".npz": lambda file: {n: torch.from_numpy(a) for n, a in np.load(file).items()},
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_bits_stay_in_every_kind_of_file(suffix: str, tmp_path: Path) -> None:
    """Of half precision, not-a-numbers among them, and of tensors that lie otherwise."""
    of = spec(tmp_path, **BASIC)
    state = random(of, tmp_path / "a.safetensors").state_dict()
    half = torch.float16 if suffix == ".npz" else torch.bfloat16
    state = {n: t.to(half) if t.is_floating_point() else t for n, t in state.items()}
    state["fc.bias"].view(torch.int16)[:3] = torch.tensor([-1, -2, 0x7FA5])
    state["layer1.0.conv1.weight"] = state["layer1.0.conv1.weight"].to(
        memory_format=torch.channels_last
    )
    state["fc.weight"] = state["fc.weight"].t().contiguous().t()
    state["bn1.weight"] = torch.ones(1, dtype=half).expand(8)
    torch.save(state, tmp_path / "a.pth")
    there, back = tmp_path / f"b{suffix}", tmp_path / f"c{suffix}"
    args = ("--spec", of, "--force")
    converted(tmp_path / "a.pth", "--to", "pycls", *args, "-o", there)
    text = there.read_bytes()
    converted(tmp_path / "a.pth", "--to", "pycls", *args, "-o", there)
    assert there.read_bytes() == text
    assert "s1.b1.f.a.weight" in inside(KINDS[suffix](there), "pycls")
    converted(there, "--to", OURS, *args, "-o", back)
    assert same(KINDS[suffix](back), state)


def inside(found: Mapping[str, Any], library: str) -> Mapping[str, Any]:
    return found.get(AROUND[library].key, found)


@pytest.mark.parametrize("every", [1, 2])
def test_counts_that_a_file_lacks_begin_at_zero_where_they_are_wanted(
    every: int, tmp_path: Path
) -> None:
    """transformers asks for them; torch itself loads a norm without."""
    of = spec(tmp_path, **BASIC)
    state = random(of, tmp_path / "a.safetensors").state_dict()
    for number, name in enumerate(counts := [n for n in state if n.endswith(COUNT)]):
        state[name].fill_(number + 1)
    old = {name: t for name, t in state.items() if name not in counts[::every]}
    save_file(old, tmp_path / "a.safetensors", {"trained": "by me"})
    args = ("--spec", of, "-o")
    done = run(
        tmp_path / "a.safetensors", "--to", "transformers", *args, tmp_path / "t"
    )
    lacking = len(state) - len(old)
    assert done.stderr.endswith(f"; {lacking} counts of batches start at 0\n")
    file = tmp_path / "t" / "model.safetensors"
    found = [int(t) for n, t in load_file(file).items() if n.endswith(COUNT)]
    assert (len(found), found.count(0)) == (len(counts), lacking)
    converted(file, "--to", OURS, *args, tmp_path / "b.safetensors")
    assert same(load_file(tmp_path / "b.safetensors"), old)
    build(load(of).network).load_state_dict(load_file(tmp_path / "b.safetensors"))
    with safe_open(tmp_path / "b.safetensors", "np") as data:
        assert data.metadata()["trained"] == "by me"
        assert data.metadata()["format"] == "pt"
        function = data.metadata()["resnet_spec.function"]
    assert function == load(of).network.digests.function


def test_what_is_not_the_networks_is_left_out_and_said(tmp_path: Path) -> None:
    of = spec(tmp_path, **TRUNK)
    state = random(of, tmp_path / "a.safetensors").state_dict()
    model = {f"module.backbone.{name}": tensor for name, tensor in state.items()}
    beside = {"module.neck.weight": torch.ones(3)}
    ema = {"state_dict_ema": state, "optimizer": {"state": {}}}
    torch.save({"state_dict": model | beside, **ema}, tmp_path / "a.pth")
    done = run(tmp_path / "a.pth", "--to", "mmdet", "--spec", of, "-o", tmp_path / "b")
    assert (
        "names below module.backbone to mmdet's; module.neck, state_dict_ema left out"
        in done.stderr
    )
    assert same(load_file(tmp_path / "b" / "model.safetensors"), state)
    frozen = spec(tmp_path, **TRUNK, norm={"type": "frozen"})
    done = run(
        tmp_path / "a.pth", "--to", "mmdet", "--spec", frozen, "-o", tmp_path / "c"
    )
    assert "state_dict_ema left out; 11 counts of batches left out\n" in done.stderr


def test_of_several_networks_one_is_asked_for(tmp_path: Path) -> None:
    of = "resnet20"
    one = random(of, tmp_path / "a.safetensors").state_dict()
    other = {name: tensor + 1 for name, tensor in one.items()}
    both = {f"student.{name}": tensor for name, tensor in one.items()}
    both |= {f"teacher.net.{name}": tensor for name, tensor in other.items()}
    file, out = tmp_path / "a.pth", tmp_path / "b.safetensors"
    torch.save(both, file)
    done = run(file, "--to", OURS, "-o", out, "--spec", of)
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "below teacher.net, which is mostly wanted, and" in done.stderr
    args = ("--spec", of, "--prefix", "teacher.net")
    assert not converted(file, "--to", OURS, "-o", out, *args)
    assert same(load_file(out), other)


# --- other channels, other classes, the first parts ---------------------------------------


@pytest.mark.parametrize(
    ("of", "channels", "rule"),
    [
        ("resnet20", 1, "sum"),
        ("resnet20", 4, "repeat"),
        ("tresnet/tresnet_m", 4, "mean"),
    ],
)
def test_channels_and_classes_become_others(
    of: str, channels: int, rule: str, tmp_path: Path
) -> None:
    """Held to the model that has them, and the first convolution to plain arithmetic."""
    model = random(of, tmp_path / "a.safetensors").half()
    save_file(model.state_dict(), tmp_path / "a.safetensors")
    args = ("--to", OURS, "--spec", of, "-o", tmp_path / "b.safetensors")
    said = ("--channels", channels, "--classes", 7, "--seed", 3)
    done = run(tmp_path / "a.safetensors", *args, *said, "--channels-by", rule)
    changes = (
        f"3 input channels made {channels} by {rule}; "
        "a new classifier of 7 classes, drawn from seed 3"
    )
    assert (done.exit_code, changes in done.stderr) == (0, True), done.stderr
    with safe_open(tmp_path / "b.safetensors", "pt") as file:
        assert file.metadata()["resnet_spec.changes"] == changes
    state = load_file(tmp_path / "b.safetensors")
    torch.manual_seed(3)
    other = build_model(of, num_classes=7, channels=channels)
    fresh = {n: t.half() for n, t in other.state_dict().items() if n.startswith("fc.")}
    first = next(name for name, t in model.state_dict().items() if t.ndim == 4)
    kept = {
        n: t for n, t in model.state_dict().items() if n != first and n[:3] != "fc."
    }
    made = state.pop(first)
    assert same(state, kept | fresh)
    weight, pixels = model.state_dict()[first], made.shape[1] // channels
    per_pixel = weight.reshape(len(weight), pixels, 3, *weight.shape[2:]).double()
    if rule == "sum":
        wanted = per_pixel.sum(2)[:, :, None]
    elif rule == "mean":
        wanted = per_pixel.mean(2)[:, :, None].expand(-1, -1, 4, -1, -1)
    else:
        wanted = torch.cat([per_pixel, per_pixel[:, :, :1]], 2) * 3 / 4
    assert torch.allclose(
        made.double(), wanted.reshape(made.shape), rtol=1e-3, atol=1e-4
    )
    other.load_state_dict(load_file(tmp_path / "b.safetensors"))


def test_parts_that_are_wanted_go_along(tmp_path: Path) -> None:
    state = random("resnet20", tmp_path / "a.safetensors").state_dict()
    args = ("--to", "timm", "--spec", "resnet20", "-o", tmp_path / "b.safetensors")
    done = run(tmp_path / "a.safetensors", *args, "--features", "1,2")
    assert (done.exit_code, done.stderr.count("left out")) == (0, 1)
    assert (
        "from torchvision's names to timm's; up to layer2; layer3, fc left out"
        in done.stderr
    )
    trunk = build_model("resnet20", features=[1, 2])
    trunk.load_state_dict(load_file(tmp_path / "b.safetensors"))
    assert same(trunk.state_dict(), {n: state[n] for n in trunk.state_dict()})


@pytest.mark.parametrize(
    ("args", "said", "status"),
    [
        (["--channels", "3"], "is of 3 channels already", 1),
        (["--channels-by", "sum"], "a rule for channels needs how many", 2),
        (
            ["--seed", "1"],
            "a seed is that of a new classifier, and needs its classes",
            2,
        ),
        (["--features", "1", "--classes", "3"], "so classes change nothing", 2),
        (
            ["--features", "layer9"],
            "features must be different ones of stem, layer1",
            1,
        ),
        (["--channels", "0"], "0 is not in the range x>=1", 2),
    ],
)
def test_what_would_change_nothing_is_refused(
    args: list[str], said: str, status: int, tmp_path: Path
) -> None:
    random("resnet20", tmp_path / "a.safetensors")
    out = tmp_path / "b.safetensors"
    where = ("--to", OURS, "--spec", "resnet20", "-o", out)
    done = run(tmp_path / "a.safetensors", *where, *args)
    assert (done.exit_code, said in done.stderr) == (status, True), done.stderr
    assert not out.exists()


def test_channels_that_two_convolutions_read_are_left_to_them(tmp_path: Path) -> None:
    """There each channel has filters of its own, and no rule makes more of them."""
    stem = [
        {"conv": 3, "groups": "each"},
        {"conv": 3, "to": "width", "stride": 2},
        "norm",
        "activation",
    ]
    of = spec(tmp_path, extends="resnet20", stem={"type": stem})
    random(of, tmp_path / "a.safetensors")
    where = ("--to", OURS, "--spec", of, "-o", tmp_path / "b.safetensors")
    done = run(tmp_path / "a.safetensors", *where, "--channels", 6)
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "would be of other shapes, for which there is no rule" in done.stderr


# --- another network ----------------------------------------------------------------------


def test_a_library_that_would_build_another_network_is_told_of(tmp_path: Path) -> None:
    of = tmp_path / "spec.yaml"
    said = {"extends": "v1/resnet50_v1", "name": "V1", "title": "V1"}
    of.write_text(yaml.safe_dump(said | {"depths": [1, 1, 1, 1]}))
    v1 = stand_in(tmp_path / "a.safetensors", shapes(load(of).network))
    args = (v1, "--spec", of, "-o", tmp_path / "b.safetensors")
    done = run(*args, "--to", "timm")
    warned, line = done.stderr.splitlines()
    assert warned == (
        "warning: timm builds another network for them; in this one layer2.0, layer3.0, "
        "layer4.0: conv1 strides, not conv2"
    )
    assert " tensors of V1, from torchvision's names to timm's" in line
    done = run(*args, "--to", "timm", "--force", "--strict")
    assert (done.exit_code, done.stderr) == (1, f"{warned.removeprefix('warning: ')}\n")
    with pytest.warns(UserWarning, match="timm builds another network"):
        convert_weights(v1, "timm", tmp_path / "c.npz", spec=of)
    with pytest.raises(ValueError, match="timm builds another network"):
        convert_weights(v1, "timm", tmp_path / "d.npz", spec=of, strict=True)
    assert not (tmp_path / "d.npz").exists()


@pytest.mark.parametrize(
    ("base", "changed", "to", "warned"),
    [
        (
            "fcn_resnet50_backbone",
            {"depths": [1, 1, 2, 2]},
            "transformers",
            "layer3.0: conv2 and downsample.0: stride 1, not 2",
        ),
        ("resnet18", {"norm": {"eps": 1e-3}}, "transformers", "eps 0.001, not 1e-05"),
        ("resnet18", {"stem": {"pool": "avg"}}, "torchvision", "replaces maxpool"),
        ("resnet18", {"activation": "mish"}, "detectron2", "mish (Mish) replaces relu"),
        ("resnet26d", {}, "clip", "CLIP's own default strides in a pool"),
        ("own/inverted_residual", {}, "timm", "timm cannot be asked for"),
    ],
)
def test_in_what_it_is_another_is_said(
    base: str, changed: dict[str, Any], to: str, warned: str, tmp_path: Path
) -> None:
    of = tmp_path / "spec.yaml"
    names = {"extends": base, "name": "Other", "title": "Other"}
    of.write_text(yaml.safe_dump(names | changed))
    file = stand_in(tmp_path / "a.safetensors", shapes(load(of).network))
    done = run(file, "--to", to, "--spec", of, "-o", tmp_path / "b")
    assert done.exit_code == 0, done.stderr
    first, *_ = done.stderr.splitlines()
    assert first.startswith("warning: ")
    assert warned in first


# --- wrong uses ---------------------------------------------------------------------------


def test_every_wrong_use_ends_in_a_line(tmp_path: Path) -> None:
    good = stand_in(tmp_path / "a.safetensors", shapes(load("resnet50").network))
    small = stand_in(tmp_path / "s.safetensors", shapes(load("seresnet18").network))
    page = tmp_path / "page.pth"
    page.write_text("<html>")
    quantized = tmp_path / "q.safetensors"
    save_file(
        {
            n: torch.zeros(s, dtype=torch.int8)
            for n, s in shapes(load("resnet20").network).items()
        },
        quantized,
    )
    brain = tmp_path / "b.safetensors"
    save_file(
        {n: t.bfloat16() for n, t in build_model("resnet20").state_dict().items()},
        brain,
    )
    there = tmp_path / "there.safetensors"
    there.touch()
    out = ("-o", tmp_path / "out.safetensors")
    known = ("--spec", "resnet50")
    nowhere = ("-o", f"{there}/b/c.safetensors")
    for status, args, line in (
        (2, (good, "--to", "tim", *out), "got tim (did you mean timm?)"),
        (
            2,
            (good, "--to", "timm", "--naming", "x", *out),
            "'--naming': must be one of",
        ),
        (
            2,
            (good, "--to", "timm", *known, "--assume", "timm", *out),
            "give one of them",
        ),
        (2, (good, *out), "Missing option '--to'"),
        (2, (good, "--to", "timm"), "Missing option '-o'"),
        (
            2,
            (good, "--to", "timm", *out),
            "resnet50_silu_transformers or torchvision, or --spec",
        ),
        (
            1,
            (tmp_path / "none", "--to", "timm", *out),
            "none cannot be read, No such file",
        ),
        (1, (page, "--to", "timm", *out), "is a web page, not weights"),
        (
            1,
            (good, "--to", "timm", "--spec", "resnet101", *out),
            "layer3, 6 blocks in the file, 23 here",
        ),
        (1, (good, "--to", "timm", "--spec", "resnet51", *out), "resnet51: "),
        (1, (good, "--to", "timm", "--assume", "resnet18", *out), "it is not resnet18"),
        (
            1,
            (good, "--to", "timm", "--prefix", "ema", *known, *out),
            "no name begins with ema.",
        ),
        (
            1,
            (good, "--to", "timm", "--key", "ema", *known, *out),
            "without a state dict under 'ema'",
        ),
        (
            1,
            (small, "--to", "detectron2", "--spec", "seresnet18", *out),
            "detectron2's names have none for layer1.0.se.fc1.weight",
        ),
        (
            1,
            (
                small,
                "--to",
                "transformers",
                "--spec",
                "seresnet18",
                "-o",
                tmp_path / "o",
            ),
            "transformers' ResNetConfig cannot be asked for SEResNet18: ",
        ),
        (
            1,
            (good, "--to", "mmdet", *known, *out),
            "mmdet's names have none for fc.weight, fc.bias",
        ),
        (
            1,
            (quantized, "--to", "timm", "--spec", "resnet20", *out),
            "no real numbers: conv1.weight is int8",
        ),
        (
            1,
            (good, "--to", "transformers", *known, *out),
            "transformers reads a folder",
        ),
        (
            1,
            (brain, "--to", "timm", "--spec", "resnet20", "-o", tmp_path / "b.npz"),
            "conv1.weight is bfloat16, which numpy has not",
        ),
        (
            1,
            (good, "--to", "timm", *known, "-o", tmp_path / "a.safetensor"),
            "(did you mean .safetensors?)",
        ),
        (
            1,
            (good, "--to", "timm", *known, "-o", there),
            "is there, so it is not overwritten",
        ),
        (1, (good, "--to", "timm", *known, *nowhere), "cannot be written, "),
    ):
        done = run(*args)
        lines = [text for text in done.stderr.splitlines() if text]
        assert done.exit_code == status, (args, done.stderr)
        assert line in lines[-1], (args, done.stderr)
        assert not done.stdout
        assert len(lines) == 1 or lines[0].startswith("Usage:"), lines
    assert not (tmp_path / "out.safetensors").exists()
    assert not there.read_bytes()


def test_an_unknown_naming_is_a_value_error(tmp_path: Path) -> None:
    random("resnet20", file := tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match=r"got timmm \(did you mean timm\?\)"):
        convert_weights(
            file, "timm", tmp_path / "b.npz", spec="resnet20", naming="timmm"
        )


def test_it_needs_no_torch_and_no_numpy(tmp_path: Path) -> None:
    random("resnet20", tmp_path / "a.safetensors")
    code = (
        "import sys, resnet_spec.cli as cli\n"
        "sys.modules |= dict.fromkeys(['torch', 'numpy', 'safetensors'])\n"
        "a, b, c = sys.argv[1:]\n"
        "for args in ((a, '--to', 'kuangliu', '-o', b), (b, '--to', 'timm', '-o', c)):\n"
        "    try: cli.main(['convert', '--spec', 'resnet20', *args])\n"
        "    except SystemExit as done: assert not done.code\n"
    )
    names = ("a.safetensors", "b.pth", "c.safetensors")
    paths = [str(tmp_path / name) for name in names]
    subprocess.run([sys.executable, "-c", code, *paths], check=True)
    first, last = (load_file(tmp_path / f"{name}.safetensors") for name in "ac")
    assert same(first, last)
    assert "linear.weight" in torch.load(tmp_path / "b.pth")


def test_every_target_is_a_naming() -> None:
    assert {*TARGETS.values()} == {*NAMINGS}
    assert {*BUILDERS} < {*TARGETS}


def test_the_page_shows_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = Path("docs/weights.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    ten = {"extends": "resnet18", "name": "Ten", "title": "Ten"}
    Path("ten.yaml").write_text(yaml.safe_dump(ten | {"head": {"classes": 10}}))
    of = shapes(load("ten.yaml").network)
    stand_in(Path("model.safetensors"), {f"module.{n}": s for n, s in of.items()})
    blurred = {"extends": "resnetblur18", "name": "Blurred", "title": "Blurred"}
    Path("blurred.yaml").write_text(yaml.safe_dump(blurred))
    sessions = re.findall(r"```console\n\$ resnet-spec convert (.*)\n([^`]*)```", text)
    assert len(sessions) == 3
    for command, printed in sessions:
        assert run(*shlex.split(command)).output == printed
    (code,) = re.findall(r"```python\n([^`]*)```", text)
    exec(code, {})
