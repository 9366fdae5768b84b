"""Weights of other libraries, and what is said of those that do not fit."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

from resnet_spec import build, build_model, load, load_weights
from resnet_spec.language.shipped import shipped
from resnet_spec.weights.loading import WeightsError
from resnet_spec.weights.naming import NAMINGS, names
from tests.strategies import Pool

Save = Callable[[dict[str, Tensor], Path], None]


@pytest.mark.parametrize(
    ("suffix", "save"),
    [("safetensors", save_file), ("pth", torch.save)],
    ids=["safetensors", "pth"],
)
def test_files_load_into_a_model_on_the_meta_device(
    suffix: str, save: Save, tmp_path: Path
) -> None:
    theirs = timm.create_model("resnetv2_18d").eval()
    file = tmp_path / f"weights.{suffix}"
    save(theirs.state_dict(), file)
    ours = build_model("resnetv2_18d", device="meta").eval()
    load_weights(ours, file, naming="timm")
    images = torch.randn(2, 3, 40, 40)
    assert torch.equal(ours(images), theirs(images))


def test_nothing_is_initialised_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model on the meta device takes the very tensors; nothing is drawn for them."""
    weights = torchvision.models.resnet18().state_dict()
    drawn = []
    monkeypatch.setattr(nn.init, "kaiming_normal_", lambda *_, **__: drawn.append(1))
    ours = build_model("resnet18", device="meta", init=False)
    load_weights(ours, weights)
    assert not drawn
    for name, tensor in ours.state_dict().items():
        assert tensor.data_ptr() == weights[name].data_ptr()
    assert all(parameter.requires_grad for parameter in ours.parameters())


def test_a_generated_model_takes_them_too() -> None:
    from tests.models import generated

    theirs = timm.create_model("legacy_seresnet18").eval()
    ours = generated("legacy_senet/legacy_seresnet18")().eval()
    load_weights(ours, theirs.state_dict(), naming="timm-senet")
    images = torch.randn(2, 3, 40, 40)
    assert torch.equal(ours(images), theirs(images))


def test_what_does_not_fit_is_named_and_changes_nothing() -> None:
    ours = build_model("resnet18")
    before = {name: tensor.clone() for name, tensor in ours.state_dict().items()}
    weights = torchvision.models.resnet18(num_classes=10).state_dict()
    del weights["bn1.bias"]
    del weights["bn1.num_batches_tracked"]  # as in files from before torch 0.4.1
    with pytest.raises(WeightsError) as caught:
        load_weights(ours, weights)
    assert str(caught.value) == (
        "the weights are not this network's: all fits but the classifier, 10 classes in "
        "the file, 1000 here and bn1.bias, which is missing: ignore=['fc', 'bn1']"
    )
    assert all(torch.equal(t, before[name]) for name, t in ours.state_dict().items())


class Trap:
    """What a hostile file would have made."""

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return (pytest.fail, ("the file ran code",))


def test_files_that_hold_no_weights(tmp_path: Path) -> None:
    ours = build_model("resnet18", device="meta")
    trap, text, inner = (tmp_path / name for name in ("a.pth", "b.pth", "c.pth"))
    torch.save({"conv1.weight": Trap()}, trap)
    text.write_text("no weights")
    broken = tmp_path / "d.safetensors"
    broken.write_bytes(b"12345678broken")
    torch.save({"state_dict": {}, "epoch": 3}, inner)
    for file, message in (
        (trap, "holds _pytest.outcomes._Fail, which is no tensor and could run code"),
        (text, "is no file of tensors"),
        (broken, "is no file of tensors that is known here"),
        (inner, "not a state dict: 'state_dict' is no tensor"),
        (tmp_path / "none.pth", "cannot be read, No such file"),
        (tmp_path / "none.safetensors", "cannot be read"),
    ):
        with pytest.raises(WeightsError, match=message):
            load_weights(ours, file)
    with pytest.raises(WeightsError, match=r"got timmm \(did you mean timm\?\)"):
        load_weights(ours, {}, naming="timmm")


def test_a_naming_that_fits_is_named() -> None:
    weights = timm.create_model("legacy_seresnet18").state_dict()
    ours = build_model("legacy_seresnet18", device="meta")
    with pytest.raises(WeightsError, match=r"naming='timm-senet' fits"):
        load_weights(ours, weights, naming="timm")
    with pytest.raises(WeightsError, match="give its state_dict"):
        load_weights(ours, timm.create_model("resnet18"))


def test_another_classifier_or_none() -> None:
    weights = torchvision.models.resnet18().state_dict()
    for ours in (
        build_model("resnet18", num_classes=10),
        build_model("resnet18", features=[1, 2, 3, 4]),
    ):
        load_weights(ours, weights, ignore=["fc"])
        for name, tensor in ours.state_dict().items():
            if not name.startswith("fc"):
                assert torch.equal(tensor, weights[name])
    half = build_model("resnet18", features=[2])
    load_weights(half, weights, ignore=["layer3", "layer4", "fc"])
    with pytest.raises(ValueError, match="num_classes changes nothing"):
        build_model("resnet18", features=[2], num_classes=10)


@pytest.mark.parametrize("where", [{"device": "meta"}, {"init": False}])
def test_what_is_ignored_starts_as_the_network_says_where_it_has_no_value(
    where: dict[str, Any],
) -> None:
    weights = torchvision.models.resnet18().state_dict()
    ours = build_model("resnet18", num_classes=7, **where)
    torch.manual_seed(0)
    done = load_weights(ours, weights, ignore=["conv1.weight", "fc."])
    assert str(done) == "119 tensors; conv1.weight, fc. ignored; 3 start afresh"
    torch.manual_seed(0)
    whole = build_model("resnet18", num_classes=7)
    for name in ("conv1.weight", "fc.weight", "fc.bias"):
        assert torch.equal(ours.state_dict()[name], whole.state_dict()[name])
    kept = ours.conv1.weight.clone()
    load_weights(ours, weights, ignore=["conv1", "fc"])  # now it has a value
    assert torch.equal(ours.conv1.weight, kept)


def test_an_entry_of_ignore_is_a_name_that_there_is() -> None:
    weights = torchvision.models.resnet18(num_classes=7).state_dict()
    ours = build_model("resnet18")
    for ignore, said in (
        ("fc", "write ['fc']"),
        (["fcs"], "no tensor is 'fcs' or lies in it (did you mean fc?)"),
        (["f"], "no tensor is 'f' or lies in it"),
    ):
        with pytest.raises(WeightsError, match=re.escape(said)):
            load_weights(ours, weights, ignore=ignore)
    with torch.device("meta"):
        theirs = torchvision.models.resnet18()
    with pytest.raises(WeightsError, match=r"fc\.weight is ignored, and has no value"):
        load_weights(theirs, weights, ignore=["fc"])


def test_batch_norms_go_into_group_norms_without_their_statistics() -> None:
    weights = torchvision.models.resnet18(num_classes=10).state_dict()
    fields = {"norm.type": "group", "norm.groups": 8}
    ours = build(load("resnet18", fields).network)
    theirs = torchvision.models.resnet18(norm_layer=lambda c: nn.GroupNorm(8, c))
    with pytest.raises(WeightsError, match="naming='timm' fits"):
        load_weights(ours, theirs.state_dict(), "torchvision", ignore=["conv1"])
    done = load_weights(ours, theirs.state_dict(), ignore=["conv1"])
    assert str(done) == "61 tensors as timm names them; conv1 ignored"
    ignore = ["fc"]
    with pytest.raises(WeightsError) as caught:
        load_weights(ours, weights, "timm", ignore)
    hint = "ignore=['running_mean', 'running_var']"
    assert str(caught.value).endswith(f"statistics of norms, in the file alone: {hint}")
    ignore += ["running_mean", "running_var"]
    done = load_weights(ours, weights, "timm", ignore)
    assert str(done).startswith("60 tensors as timm names them; fc, ")
    assert torch.equal(ours.state_dict()["norm1.bias"], weights["bn1.bias"])


def test_wrappers_are_taken_off_and_said() -> None:
    weights = torchvision.models.resnet18().state_dict()
    ours = build_model("resnet18")
    outer = {"epoch": 3, "optimizer": {"state": {0: {"mean": torch.ones(1)}}}}
    for wrapped, said in (
        ({"model": weights, **outer}, "122 tensors from model"),
        ({"model": {"state_dict": weights}}, "122 tensors from model.state_dict"),
        (
            {"callbacks": {"best": {"score": torch.ones(1)}}, "model": weights},
            FROM_MODEL,
        ),
        (below("module.", weights), "122 tensors, below module"),
        (
            {"state_dict": {**below("backbone.", weights), "neck": torch.ones(1)}},
            "122 tensors from state_dict, below backbone; 1 elsewhere left out",
        ),
    ):
        ours.apply(zeroed)
        assert str(load_weights(ours, wrapped)) == said
        assert all(torch.equal(t, weights[n]) for n, t in ours.state_dict().items())
    with pytest.raises(WeightsError, match=r"has several, 'a', 'b'"):
        load_weights(ours, {"a": weights, "b": weights})
    query, key = below("encoder_q.", weights), below("encoder_k.", weights)
    with pytest.raises(
        WeightsError, match="below encoder_q, which is mostly wanted, and"
    ):
        load_weights(ours, query | key)


FROM_MODEL = "122 tensors from model"


def below(prefix: str, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}{name}": tensor for name, tensor in weights.items()}


def zeroed(module: nn.Module) -> None:
    for tensor in [*module.parameters(), *module.buffers()]:
        nn.init.zeros_(tensor)


def test_a_tutorials_names() -> None:
    ours = build_model("resnet18")
    weights = {
        name.replace("downsample", "shortcut"): tensor
        for name, tensor in torchvision.models.resnet18().state_dict().items()
    }
    load_weights(ours, weights, naming="tutorial")
    weights |= {f"linear.{end}": weights.pop(f"fc.{end}") for end in ("weight", "bias")}
    load_weights(ours, weights, naming="kuangliu")
    name = "layer2.0.downsample.0.weight"
    shortcut = "layer2.0.shortcut.0.weight"
    assert torch.equal(ours.state_dict()[name], weights[shortcut])


@pytest.mark.slow
@pytest.mark.parametrize("naming", sorted(NAMINGS))
def test_every_naming_goes_both_ways(naming: str, drawn: Pool) -> None:
    """Every tensor of a drawn network has a name, and no other has it."""
    for _, network in drawn:
        ours = dict(network.tensors())
        theirs = names(ours, naming)
        assert list(theirs) == list(ours)
        assert len(set(theirs.values())) == len(ours)
        assert names(dict(reversed(ours.items())), naming) == theirs


@pytest.mark.slow
def test_every_naming_goes_both_ways_for_what_ships() -> None:
    known = [dict(load(key).network.tensors()) for key in shipped()]
    known.sort(key=len, reverse=True)
    alike = {
        frozenset(re.sub(r"^layer\d+.\d+", "", name) for name in ours): ours
        for ours in known
    }
    assert (
        len(alike) > 80
    )  # kinds of networks, by what their tensors are called, the smallest
    for ours in alike.values():
        for naming in NAMINGS:
            assert len(set(names(ours, naming).values())) == len(ours)


def test_what_names_cannot_tell_is_said_and_refused_if_asked() -> None:
    """detectron2's own network strides in conv1, resnet50 in conv2."""
    ours = dict(load("resnet50").network.tensors())
    theirs = {
        their: torch.zeros(ours[our].shape)
        for our, their in names(ours, "detectron2").items()
    }
    with pytest.warns(UserWarning, match=r"detectron2's .*conv1 \(v1\)"):
        model = build_model("resnet50", weights=theirs, device="meta")
    assert "detectron2" in str(model.loaded)
    with pytest.raises(ValueError, match="conv1"):
        build_model("resnet50", weights=theirs, device="meta", strict=True)
    build_model("v1/resnet50_v1", weights=theirs, device="meta", strict=True)
    model = build_model("resnet50", device="meta")
    with pytest.raises(ValueError, match=r"this network strides in conv2 \(v1\.5\)$"):
        load_weights(model, theirs, strict=True)
    assert all(tensor.is_meta for tensor in model.state_dict().values())
    with pytest.warns(UserWarning, match=r"detectron2's .*conv1 \(v1\)"):
        load_weights(model, theirs)


@pytest.mark.parametrize("naming", ["torchvision", "timm"])
def test_a_naming_that_fits_is_not_what_is_wrong(naming: str) -> None:
    """Where the classifier alone is missing, that is said."""
    model = build_model("resnet18", device="meta")
    trunk = build_model("resnet18", num_classes=10).state_dict()
    trunk = {name: t for name, t in trunk.items() if not name.startswith("fc.")}
    with pytest.raises(ValueError, match=r"all fits but .* ignore=\['fc'\]"):
        load_weights(model, trunk, naming=naming)
