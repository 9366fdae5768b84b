"""What other libraries call tensors, by their own tables, and how a file's naming is found.

tests/tables/namings has the tables, made by running each library: their module, ours, and its
tensors; `norm 64` are the five tensors of a batch norm, `frozen 64` those but the count. Ours
is empty for what a network has beside. Tables that are equal are there once: those of v1 and
v1.5, of mmdet and mmseg, of pycls' ResNet-50 and its AnyNet's.
"""

import csv
import re
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn

from resnet_spec import build, load
from resnet_spec.compare.libraries import draw_weights
from resnet_spec.language.shipped import shipped
from resnet_spec.network import Network
from resnet_spec.weights.conventions import images, unlike
from resnet_spec.weights.naming import (
    NAMINGS,
    NamingError,
    fitting,
    names,
    possessive,
    unsaid,
)
from resnet_spec.weights.naming.back import back
from resnet_spec.weights.recognition import Recognized, recognized
from tests.strategies import Pool

TABLES = Path("tests/tables/namings")
COUNT = "num_batches_tracked"
FROZEN = ("weight", "bias", "running_mean", "running_var")
Shapes = dict[str, tuple[int, ...]]


class Row(NamedTuple):
    """A network that a table is of: with a spec and what to set in it, and what is found."""

    spec: str
    said: str
    sets: dict[str, Any] = {}  # noqa: RUF012 (a NamedTuple's default)


TRUNK: dict[str, Any] = {"head.classes": "none"}
OTHERS = "; {} left out"
ROWS = {
    "clip_rn50": Row("byobnet/resnet50_clip", "CLIP's names"),
    "detectron2_r18": Row("resnet18", "detectron2's names", TRUNK),
    "detectron2_r18_bn": Row("resnet18", "detectron2's names"),
    "detectron2_r50": Row("resnet50", "detectron2's names", TRUNK),
    "detectron2_r50_bn": Row("resnet50", "detectron2's names"),
    "detectron2_r50_caffe_frozen": Row(
        "v1/resnet50_v1", "detectron2's names", TRUNK | {"norm.type": "frozen"}
    ),
    "detectron2_r50_gn": Row("resnet/resnet50_gn", "detectron2's names"),
    "detectron_caffe2_r50_bn": Row(
        "v1/resnet50_v1", "Caffe2's names, without counts of batches"
    ),
    "detectron_caffe2_r50_caffe_frozen": Row(
        "v1/resnet50_v1", "Caffe2's names", TRUNK | {"norm.type": "frozen"}
    ),
    "fastai_xresnet18": Row("resnet18d", "fastai's names"),
    "fastai_xresnet50": Row("resnet50d", "fastai's names"),
    "mmdet_resnet18": Row("resnet18", "torchvision's names", TRUNK),
    "mmdet_resnet50_caffe": Row("v1/resnet50_v1", "torchvision's names", TRUNK),
    "mmdet_resnetv1d50": Row("resnet50d", "mmdet's names", TRUNK),
    "mmpretrain_cifar18": Row(
        "field/kuangliu/resnet18_kuangliu",
        "mmpretrain's names below backbone",
        {"head.classes": 1000},
    ),
    "mmpretrain_res2net50": Row(
        "res2net50_26w_4s", "mmpretrain's names below backbone"
    ),
    "mmpretrain_resnest50": Row("resnest50d", "mmpretrain's names below backbone"),
    "mmpretrain_resnet18": Row("resnet18", "mmpretrain's names below backbone"),
    "mmpretrain_resnet50": Row("resnet50", "mmpretrain's names below backbone"),
    "mmpretrain_resnetv1c50": Row("resnet50c", "mmpretrain's names below backbone"),
    "mmpretrain_resnetv1d50": Row("resnet50d", "mmpretrain's names below backbone"),
    "mmpretrain_resnext50": Row("resnext50_32x4d", "mmpretrain's names below backbone"),
    "mmpretrain_seresnet50": Row("seresnet50", "mmpretrain's names below backbone"),
    "open_clip_RN50": Row(
        "field/clip/rn50_clip", "CLIP's names" + OTHERS.format("attnpool")
    ),
    "pycls_anynet_r18": Row("resnet18", "pycls' names"),
    "pycls_anynet_r50_dds": Row("resnet50", "pycls' names"),
    "pycls_cifar56": Row("resnet56_b", "pycls' names"),
    "pycls_resnext50": Row("resnext50_32x4d", "pycls' names"),
    "sequential_children_resnet18": Row("resnet18", "Sequential's names"),
    "sequential_children_resnet50": Row("resnet50", "Sequential's names"),
    "smp_resnet18": Row(
        "resnet18",
        "torchvision's names below encoder"
        + OTHERS.format("decoder, segmentation_head"),
        TRUNK,
    ),
    "smp_resnet50": Row(
        "resnet50",
        "torchvision's names below encoder, without the classifier"
        + OTHERS.format("decoder, segmentation_head"),
    ),
    "smp_tu-resnet18": Row(
        "resnet18",
        "torchvision's names below encoder.model"
        + OTHERS.format("decoder, segmentation_head"),
        TRUNK,
    ),
    "torchvision_detection_r50": Row(
        "resnet50_frozen",
        "torchvision's names below backbone.body"
        + OTHERS.format("backbone.fpn, rpn, roi_heads"),
    ),
    "torchvision_detection_r50_frozen": Row(
        "resnet50_detection",
        "torchvision's names below backbone.body, without counts of batches"
        + OTHERS.format("backbone.fpn, rpn, roi_heads"),
    ),
    "torchvision_quantizable_resnet18": Row("resnet18", "torchvision's names"),
    "torchvision_quantizable_resnet50": Row("resnet50", "torchvision's names"),
    "torchvision_segmentation_fcn50": Row(
        "fcn_resnet50_backbone",
        "torchvision's names below backbone"
        + OTHERS.format("classifier, aux_classifier"),
    ),
    "transformers_r18": Row("resnet18", "transformers' names below resnet"),
    "transformers_r50": Row("resnet50", "transformers' names below resnet"),
}


def rows(table: str) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Their name, ours or nothing, and the shape, of each tensor."""
    with (TABLES / f"{table}.csv").open() as file:
        for row in csv.DictReader(file):
            for last, shape in tensors(row["tensors"]):
                ends = f".{last}" * bool(last)
                ours = row["ours"] and row["ours"] + ends
                yield row["theirs"] + ends, ours, shape


def tensors(said: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    kind, _, size = said.partition(" ")
    if kind in ("norm", "frozen"):
        yield from ((last, sized(size)) for last in FROZEN)
        yield from [(COUNT, ())] * (kind == "norm")
    elif "=" in said:
        for tensor in said.split():
            last, _, size = tensor.partition("=")
            yield last, sized(size)
    else:
        yield "", sized(said)


def sized(size: str) -> tuple[int, ...]:
    return tuple(map(int, size.split("x"))) if size else ()


@cache
def network(spec: str, **sets: Any) -> Network:
    return load(spec, sets).network


def shapes(network: Network) -> Shapes:
    return {name: tensor.shape for name, tensor in network.tensors()}


def called(network: Network, naming: str, prefix: str = "") -> Shapes:
    """The names and shapes that a file of the network has."""
    ours = dict(network.tensors())
    known = names(ours, naming)
    return {prefix + known[name]: tensor.shape for name, tensor in ours.items()}


def test_there_is_a_row_for_each_table() -> None:
    assert {file.stem for file in TABLES.glob("*.csv")} == {*ROWS}


@pytest.mark.parametrize("table", ROWS)
def test_a_librarys_own_names_and_shapes(table: str) -> None:
    """Each of theirs is read as ours in the table, what it has beside is left out, and our
    names for all of ours are theirs again."""
    row, known = ROWS[table], [*rows(table)]
    of = network(row.spec, **row.sets)
    found = recognized({their: shape for their, _, shape in known}, ours(of))
    assert str(found) == row.said
    reading = found.reading
    assert reading
    asked = {name for name, _ in of.tensors()}
    told = {our: their for their, our, _ in known if our in asked}
    assert told.items() <= reading.table.items()
    others = {their for their, our, _ in known if not our}
    assert {*reading.beside} <= others
    assert {their for their, _, _ in known} - {*reading.table.values()} <= others | {
        their for their, our, _ in known if our.endswith(COUNT)
    }
    again = names(ours(of), reading.naming)
    front = reading.prefix.removesuffix(again[next(iter(told))].partition("conv1")[0])
    for our, their in told.items():
        assert their.endswith(again[our].removeprefix(front)), (our, front)


def ours(network: Network) -> dict[str, Any]:
    return dict(network.tensors())


PREFIXES = [
    "",
    "module.",
    "_orig_mod.",
    "model.",
    "backbone.",
    "encoder.",
    "net.",
    "network.",
    "trunk.",
    "visual.",
    "module._orig_mod.",
    "_orig_mod.module.",
    "module.visual.trunk.",
    "module.encoder_q.",
    "encoder_k.",
    "student.",
    "teacher.backbone.",
    "student.module.",
    "online_network.",
    "online_encoder.net.",
    "target_encoder.net.",
    "timm_model.",
    "_backbone.",
    "bottom_up.",
    "backbone.bottom_up.",
    "backbone.body.",
    "_feature_blocks.",
    "model.backbone.0.",
    "0.",
    "layer1.0.",
]


def is_read(of: Network, naming: str, prefix: str) -> Recognized:
    """What a file of those names is read as: what it is, or that is among what it may be."""
    known = names(ours(of), naming)
    want = {name: prefix + their for name, their in known.items()}
    file = {want[name]: tensor.shape for name, tensor in of.tensors()}
    found = recognized(file, ours(of))
    right = any(reading.table == want for reading in found.readings)
    assert right, (of.name, naming, prefix, str(found))
    return found


@pytest.mark.parametrize("naming", NAMINGS)
def test_any_prefix_is_found(naming: str) -> None:
    assert len({*PREFIXES}) == 30
    for prefix in PREFIXES:
        assert is_read(network("resnet18"), naming, prefix).reading


@pytest.mark.slow
def test_specs_that_ship_are_found_under_every_naming() -> None:
    """Each with another prefix; a few of them, of every folder."""
    folders = {Path(key).parent: key for key in shipped() if "/" in key}
    each_is_found([*folders.values()][::6])


@pytest.mark.long
def test_every_spec_that_ships_is_found_under_every_naming() -> None:
    each_is_found([*shipped()])


def each_is_found(keys: list[str]) -> None:
    turn, several = 0, set()
    for key in keys:
        of = load(key).network
        for naming in NAMINGS:
            turn += 1
            prefix = PREFIXES[turn % len(PREFIXES)]
            if not is_read(of, naming, prefix).reading:
                several.add((key, naming))
    assert len(several) <= len(keys) / 10, several


@pytest.mark.slow
def test_drawn_networks_are_found_under_every_naming(drawn: Pool) -> None:
    """test_weights.py holds that names of drawn networks are all different."""
    for turn, (_, of) in enumerate(drawn):
        naming = [*NAMINGS][turn % len(NAMINGS)]
        prefix = PREFIXES[turn % len(PREFIXES)]
        is_read(of, naming, prefix)
        assert all(". " not in said for said in unlike(of, naming))


@pytest.mark.parametrize(
    "spec",
    [
        "resnet18",
        "resnet18d",
        "seresnet18",
        "field/bearpaw/preresnet20_bearpaw",
        "field/ibn_net/resnet18_ibn_a",
    ],
)
def test_names_turn_back_where_no_network_is_known(spec: str) -> None:
    """timm's byobnet.py calls convolutions by kernel, so that few of its names turn back."""
    of = network(spec)
    for naming in NAMINGS:
        if naming != "timm-byobnet":
            want = {their: our for our, their in names(ours(of), naming).items()}
            assert want in back(called(of, naming), naming), naming
    transformers = called(of, "transformers")
    assert not [*back(transformers, "pycls")]


def test_two_tensors_of_one_name_are_refused() -> None:
    both = {name: Sized((8,)) for name in ("bn1.weight", "norm1.weight")}
    with pytest.raises(NamingError, match=r"one name for both bn1\.weight and norm1\."):
        names(both, "kuangliu")
    assert names(both, "torchvision")
    assert fitting(both, {"bn1.weight", "norm1.weight"}) == "torchvision"


class Sized(NamedTuple):
    shape: tuple[int, ...]


def test_what_a_library_has_no_name_for_keeps_ours() -> None:
    of = ours(network("seresnet18"))
    own = unsaid(of, "detectron2")
    assert own == [name for name in of if ".se." in name]
    table = names(of, "detectron2")
    assert table["layer1.1.se.fc1.bias"] == "res2.1.se.fc1.bias"
    assert not unsaid(of, "pycls")
    assert not unsaid(ours(network("resnet50")), "transformers")


RESNET50 = network("resnet50")


def less(of: Shapes, *gone: str) -> Shapes:
    return {name: shape for name, shape in of.items() if not name.startswith(gone)}


def moved(of: Shapes, ours: str, theirs: str) -> Shapes:
    return {name.replace(ours, theirs): shape for name, shape in of.items()}


PLAIN = called(RESNET50, "torchvision")
OF_TRANSFORMERS = called(RESNET50, "transformers")


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (
            less(OF_TRANSFORMERS, "classifier"),
            "transformers' names below resnet, without the classifier",
        ),
        (
            moved(less(OF_TRANSFORMERS, "classifier"), "resnet.", ""),
            "transformers' names, without the classifier",
        ),
        (moved(PLAIN, "fc.", "fc.1."), "torchvision's names"),
        (
            moved(called(RESNET50, "detectron2"), "linear", "stem.fc"),
            "detectron2's names",
        ),
        (
            {
                **less(PLAIN, "fc"),
                "fc.0.weight": (2048, 2048),
                "fc.2.weight": (128, 2048),
            },
            "torchvision's names, without the classifier; fc left out",
        ),
        (
            {name: shape for name, shape in PLAIN.items() if not name.endswith(COUNT)},
            "torchvision's names, without counts of batches",
        ),
        (
            moved(called(RESNET50, "caffe2"), "fc1000", "pred")
            | {"res2_0_branch2a_w_momentum": (64, 64, 1, 1)},
            "Caffe2's names",
        ),
        (
            called(RESNET50, "timm", "encoder_k.")
            | called(RESNET50, "timm", "encoder_q.")
            | {"queue": (128, 65536)},
            "there are 2 such networks, below encoder_q, which is mostly wanted, and "
            "below encoder_k: give prefix='encoder_q.'",
        ),
        (
            called(RESNET50, "timm", "student.module.")
            | called(RESNET50, "timm", "teacher."),
            "there are 2 such networks, below teacher, which is mostly wanted, and below "
            "student.module: give prefix='teacher.'",
        ),
    ],
)
def test_what_is_found_is_said(file: Shapes, said: str) -> None:
    found = recognized(file, ours(RESNET50))
    assert str(found) == said
    if not found.reading:
        top = found.readings[0].prefix
        assert recognized(file, ours(RESNET50), prefix=top).reading == found.readings[0]


@pytest.mark.parametrize(
    ("spec", "sets", "said"),
    [
        (
            "resnet50",
            {"head.classes": 10},
            "all fits but the classifier, 10 classes in the file, 1000 here: "
            "ignore=['fc']",
        ),
        (
            "resnet50",
            {"input": [1, 224, 224]},
            "all fits but conv1, 1 input channel in the file, 3 here: "
            "ignore=['conv1'], or channels_by='sum' for conv1",
        ),
        (
            "resnet50",
            {"stem.type": "conv3x3"},
            "all fits but the stem, 3 x 3 in the file, 7 x 7 here: ignore=['conv1']",
        ),
        (
            "resnet101",
            {},
            "267 of 267 tensors fit by {}: layer3, 23 blocks in the file, 6 here",
        ),
        (
            "resnet/resnet50_gn",
            {},
            "all fits but statistics of norms, here alone: "
            "ignore=['running_mean', 'running_var']",
        ),
    ],
)
def test_what_differs_is_said_under_every_naming(
    spec: str, sets: dict[str, Any], said: str
) -> None:
    """But for norms that have other names where they are others."""
    file = network(spec, **{k: v for k, v in sets.items() if k != "input"})
    if "input" in sets:
        file = load(spec, sets).network
    for naming in ("timm", "transformers", "detectron2", "pycls"):
        found = recognized(called(file, naming, "module."), ours(RESNET50))
        assert not found.readings
        assert found.nearest
        assert str(found) == said.format(found.nearest.whose)


def test_other_differences_are_said() -> None:
    filters = {name: s + s[-1:] if len(s) == 4 else s for name, s in PLAIN.items()}
    for file, said in (
        (filters, r"convolutions are 3-D in the file$"),
        (
            called(network("resnet50c"), "timm"),
            r"the stem has conv1\.0, .* conv1 here$",
        ),
        (
            less(PLAIN, "bn1.bias"),
            r"^all fits but bn1\.bias, which is missing: .*\['bn1'\]$",
        ),
        (
            called(network("resnet18"), "timm"),
            r"depths 2-2-2-2 in the file, 3-4-6-3 here",
        ),
        (
            called(network("seresnet50"), "timm"),
            r"names: blocks have se\.fc1, se\.fc2 in the file alone$",
        ),
        (
            called(network("resnet50d"), "timm"),
            r"have downsample\.2 in the file, downsample\.0, .*1 here$",
        ),
        ({}, r"^there are no tensors$"),
        ({"blocks.0.attn.weight": (9, 9)}, r"such names, as blocks\.0\.attn\.weight$"),
        (
            {**PLAIN, "fc.weight": (2048, 1000)},
            r"the classifier, transposed in the file, as Keras keeps it",
        ),
        (
            {**PLAIN, "layer4.3.conv1.weight": (512, 2048, 1, 1)},
            r"layer4, 4 blocks in the",
        ),
    ):
        found = recognized(file, ours(RESNET50))
        assert not found.readings
        assert re.search(said, str(found)), str(found)


def test_a_trunk_that_ends_before_a_files() -> None:
    half = load("resnet18", features=["layer2"]).network
    found = recognized(called(network("resnet18"), "transformers"), ours(half))
    ignore = "ignore=['encoder.stages.2.layers', 'encoder.stages.3.layers']"
    assert str(found) == f"all fits but depths 2-2-2-2 in the file, 2-2 here: {ignore}"


def test_a_naming_that_failed_is_not_proposed() -> None:
    of = network("seresnet18")
    file = called(of, "timm-senet")
    said = str(recognized(file, ours(of), naming="timm"))
    assert said == "timm's names do not fit; naming='timm-senet' fits"
    ten = called(network("resnet18", **{"head.classes": 10}), "timm")
    said = str(recognized(ten, ours(network("resnet18")), naming="timm"))
    assert "naming=" not in said
    assert said.endswith("ignore=['fc']")


def test_the_longest_network_is_found_soon() -> None:
    of = ours(network("resnet152"))
    for naming in NAMINGS:
        file = called(network("resnet152"), naming, "module.")
        times = []
        for _ in range(3):
            start = time.process_time()
            assert recognized(file, of).reading
            times.append(time.process_time() - start)
        assert min(times) < 0.1, (naming, times)  # 0.015 on an idle machine


def test_conventions_of_those_who_wrote_the_names() -> None:
    v1, v15 = network("v1/resnet50_v1"), RESNET50
    said = "own default strides in conv1 (v1)"
    assert unlike(v15, "detectron2") == [
        f"detectron2's {said}; this network strides in conv2 (v1.5)"
    ]
    assert not unlike(v1, "detectron2")
    assert not unlike(v15, "transformers")
    assert "strides in conv1 (v1)" in unlike(v1, "transformers")[0]
    assert not unlike(v1, "torchvision")  # whose names everybody has
    for spec, differs in (
        ("field/openmmlab/resnet50_os16_openmmlab", False),
        ("fcn_resnet50_backbone", True),
    ):
        assert bool(unlike(network(spec), "mmdet")) is differs
    for spec, differs in (("resnet20_akamaster", False), ("resnet20", True)):
        assert bool(unlike(network(spec), "kuangliu")) is differs
    keras = network("field/keras/resnet50_keras", stride_on="conv2")
    assert "eps of 1e-05; this network's have 1.001e-05" in unlike(keras, "mmdet")[0]
    assert not unlike(network("rn50_clip"), "clip")
    assert unlike(network("resnet50d"), "clip")
    assert images(v1, "detectron2").startswith("BGR")
    assert images(v1, "mmdet").startswith("BGR")
    assert not images(v15, "mmdet")
    assert not images(v15, "timm")


class Other(NamedTuple):
    """A network of another library, and what of it to compare with ours of a spec: logits,
    or with `trunk` the map of the last stage."""

    spec: str
    made: Callable[[], nn.Module]
    run: Callable[[nn.Module, torch.Tensor], torch.Tensor]
    trunk: bool = False


def plain(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    return model(images)


def of_transformers(kind: str, **config: Any) -> Callable[[], nn.Module]:
    def made() -> nn.Module:
        transformers = pytest.importorskip("transformers")
        known = transformers.ResNetConfig(num_labels=1000, **config)
        return getattr(transformers, kind)(known)

    return made


BASIC = {
    "layer_type": "basic",
    "depths": [2, 2, 2, 2],
    "hidden_sizes": [64, 128, 256, 512],
}


def of_torchvision(name: str, **options: Any) -> Callable[[], nn.Module]:
    def made() -> nn.Module:
        import torchvision

        return torchvision.models.get_model(name, weights=None, **options)

    return made


def of_fastai(name: str) -> Callable[[], nn.Module]:
    def made() -> nn.Module:
        xresnet = pytest.importorskip("fastai.vision.models.xresnet")
        return getattr(xresnet, name)()

    return made


def of_smp(name: str) -> Callable[[], nn.Module]:
    def made() -> nn.Module:
        smp = pytest.importorskip("segmentation_models_pytorch")
        return smp.Unet(name, encoder_weights=None)

    return made


def clip() -> nn.Module:
    open_clip = pytest.importorskip("open_clip")
    return open_clip.create_model("RN50", pretrained=None)


def clip_trunk(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    trunk = model.visual
    x = trunk.stem(images)
    for stage in (trunk.layer1, trunk.layer2, trunk.layer3, trunk.layer4):
        x = stage(x)
    return x


def children() -> nn.Module:
    import torchvision

    return nn.Sequential(*torchvision.models.resnet18().children())


def children_run(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    return model[-1](model[:-1](images).flatten(1))


def logits(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    return model(images).logits


def last_map(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    found = model(images)
    return (
        found.feature_maps[-1] if "feature_maps" in found else found.last_hidden_state
    )


BODIES = {"num_classes": 21, "weights_backbone": None}
LIBRARIES = {
    "transformers-18": Other(
        "resnet18", of_transformers("ResNetForImageClassification", **BASIC), logits
    ),
    "transformers-50": Other(
        "resnet50", of_transformers("ResNetForImageClassification"), logits
    ),
    "transformers-50-v1": Other(
        "v1/resnet50_v1",
        of_transformers("ResNetForImageClassification", downsample_in_bottleneck=True),
        logits,
    ),
    "transformers-model": Other(
        "resnet18", of_transformers("ResNetModel", **BASIC), last_map, trunk=True
    ),
    "transformers-backbone": Other(
        "resnet18", of_transformers("ResNetBackbone", **BASIC), last_map, trunk=True
    ),
    "torchvision": Other("resnet18", of_torchvision("resnet18"), plain),
    "torchvision-quantizable": Other(
        "resnet50", of_torchvision("quantized_resnet50", quantize=False), plain
    ),
    "torchvision-segmentation": Other(
        "fcn_resnet50_backbone",
        of_torchvision("fcn_resnet50", **BODIES),
        lambda model, images: model.backbone(images)["out"],
        trunk=True,
    ),
    "torchvision-detection": Other(
        "resnet50",
        of_torchvision("fasterrcnn_resnet50_fpn", **BODIES),
        lambda model, images: model.backbone.body(images)["3"],
        trunk=True,
    ),
    "children": Other("resnet18", children, children_run),
    "smp": Other(
        "resnet18",
        of_smp("resnet18"),
        lambda m, images: m.encoder(images)[-1],
        trunk=True,
    ),
    "smp-timm": Other(
        "resnet18",
        of_smp("tu-resnet18"),
        lambda m, images: m.encoder(images)[-1],
        trunk=True,
    ),
    "fastai-18": Other("resnet18d", of_fastai("xresnet18"), plain),
    "fastai-50": Other("resnet50d", of_fastai("xresnet50"), plain),
    "fastai-se": Other("xse_resnext50_fastai", of_fastai("xse_resnext50"), plain),
    "open-clip": Other("rn50_clip", clip, clip_trunk, trunk=True),
}


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")  # which are those of the libraries
@pytest.mark.parametrize("which", LIBRARIES)
def test_they_compute_the_same_and_take_them_back(which: str) -> None:
    """Random weights of the library, found and moved by what is found, and back again."""
    other = LIBRARIES[which]
    of = load(other.spec, features=["layer4"] if other.trunk else ()).network
    theirs = other.made().eval()
    draw_weights(theirs)
    state = theirs.state_dict()
    reading = recognized(
        {n: tuple(t.shape) for n, t in state.items()}, ours(of)
    ).reading
    assert reading
    assert not reading.missing
    mine = build(of).eval()
    mine.load_state_dict({our: state[their] for our, their in reading.table.items()})
    size = 224 if which == "open-clip" else 96
    images = torch.randn(2, 3, size, size)
    with torch.no_grad():
        wanted = other.run(theirs, images)
        found = mine(images)
        assert torch.equal(found["layer4"] if other.trunk else found, wanted)
    back = {name: state[name] for name in reading.beside}
    back |= {reading.table[our]: t for our, t in mine.state_dict().items()}
    again = other.made().eval()
    again.load_state_dict(back, strict=True)
    with torch.no_grad():
        assert torch.equal(other.run(again, images), wanted)


def test_every_naming_has_an_owner() -> None:
    for naming in NAMINGS:
        assert possessive(naming)[-2:] in ("'s", "s'")
