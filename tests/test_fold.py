"""Folded networks compute what the networks do that they were made of."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor
from torch.testing import assert_close

from resnet_spec import build, build_model, fold, load, load_weights, render
from resnet_spec.cli import main
from resnet_spec.compare.equality import verify
from resnet_spec.language.shipped import shortest
from resnet_spec.network import BatchNorm, Conv, InstanceBatchNorm2d, Linear, Network
from resnet_spec.passes.folding import folded
from tests.families import NETWORKS, covering, families, shallow, shipped_networks
from tests.models import deployed, images, scope_of, steady, trained
from tests.strategies import Pool

BOUND = {torch.float32: 1e-5, torch.float64: 1e-12}  # of the largest output
LARGEST = 500_000_000  # parameters; of more, four copies in 64 bits take over 20 GB


@torch.no_grad()
def hold(network: Network, dtype: torch.dtype) -> None:
    """The folded network gives what the network does."""
    model = trained(network, dtype)
    x = images(network).to(dtype)
    ours, theirs = deployed(network, model)(x), model(x)
    pairs = {"": theirs} if isinstance(theirs, Tensor) else theirs
    for name, given in pairs.items():
        made = ours[name] if name else ours
        largest = float(given.abs().max())
        assert_close(made, given, rtol=0, atol=BOUND[dtype] * largest, equal_nan=True)


def apart(given: Tensor, true: Tensor) -> float:
    """How far from it, as a share of its largest number."""
    return float((given - true).abs().max() / true.abs().max())


def test_each_kind_of_op_computes_the_same() -> None:
    for name in NETWORKS:
        hold(shallow(name), torch.float64)
        hold(shallow(name), torch.float32)
    hold(load("resnet50").network, torch.float32)


def test_drawn_networks_compute_the_same(drawn: Pool) -> None:
    for network in covering(network for _, network in drawn):
        hold(network, torch.float64)


@pytest.mark.long
def test_all_drawn_networks_compute_the_same(drawn: Pool) -> None:
    for _, network in drawn:
        hold(network, torch.float64)


@pytest.mark.long
@pytest.mark.parametrize("name", shortest())
def test_all_that_ship_compute_the_same(name: str) -> None:
    """Within the bounds, or where the network that is not folded loses more by itself in 32
    bits, up to four times that, and in 64 as much less as those are more exact."""
    network = shipped_networks()[name]
    model = steady(network)
    x = images(network)
    with torch.no_grad():
        ours, theirs = deployed(network, model)(x), model(x)
        if network.params > LARGEST:
            assert apart(ours, theirs) <= BOUND[torch.float32]
            return
        true = model.double()(x.double())
        lost = apart(theirs, true)
        for given in (ours, deployed(network, model)(x.double())):
            finer = torch.finfo(given.dtype).eps / torch.finfo(torch.float32).eps
            assert apart(given, true) <= max(BOUND[given.dtype], 4 * lost * finer)


def test_no_norm_is_left_that_a_convolution_could_take_in(drawn: Pool) -> None:
    for network in [*families().values(), *(network for _, network in drawn)]:
        made = fold(network)
        chains = [made.stem, made.pool, made.head]
        chains += [c for _, block in made.blocks() for c in block.chains]
        for chain in chains:
            for before, op in pairwise(chain):
                if isinstance(op, BatchNorm) and not isinstance(
                    op, InstanceBatchNorm2d
                ):
                    assert not isinstance(before, (Conv, Linear)), (network.name, op)


def test_names_are_those_of_the_network(drawn: Pool) -> None:
    for network in [*families().values(), *(network for _, network in drawn)]:
        made = fold(network)
        before = dict(network.tensors())
        for name, tensor in made.tensors():
            if name in before:
                assert tensor.shape == before[name].shape
            else:
                weight = f"{name.removesuffix('bias')}weight"
                assert name.endswith(".bias"), name
                assert weight in before
        assert made.macs == network.macs
        assert made.sides == network.sides


def test_the_source_is_the_module_and_folds_as_we_do() -> None:
    for network in map(shallow, NETWORKS):
        made = fold(network)
        if not made.folds:
            continue
        source = render(made)
        assert verify(made, source) == []
        state = trained(network).state_dict()
        ours = folded(made, state, torch.float64)
        theirs = scope_of(source, made.name)["folded"](state)
        assert ours.keys() == theirs.keys() == build(made).state_dict().keys()
        for name, tensor in ours.items():
            assert_close(theirs[name], tensor, rtol=1e-6, atol=1e-7)


def test_numpy_folds_as_torch_does() -> None:
    import numpy as np

    network = load("resnet18").network
    state = trained(network).state_dict()
    theirs = folded(fold(network), state, torch.float64)
    arrays = {name: tensor.numpy() for name, tensor in state.items()}
    ours = folded(fold(network), arrays, np.float64)
    for name, tensor in theirs.items():
        np.testing.assert_allclose(ours[name], tensor.numpy(), rtol=1e-6, atol=1e-7)
        assert ours[name].dtype == arrays[name.replace(".bias", ".weight")].dtype


def test_weights_are_loaded_and_folded(tmp_path: Path) -> None:
    model = trained(load("resnet18").network)
    torch.save(model.state_dict(), file := tmp_path / "a.pth")
    x = torch.randn(2, 3, 64, 64)
    here = build_model("resnet18", weights=file, deploy=True)
    with torch.no_grad():
        assert not here.training
        assert_close(here(x), model(x), rtol=1e-4, atol=1e-4)


def test_a_deployed_model_has_values() -> None:
    """What is ignored in the next load stays as it is, and does not start afresh."""
    here = build_model("resnet18", deploy=True)
    before = here.fc.weight.clone()
    load_weights(here, here.state_dict(), ignore=["fc"])
    assert torch.equal(here.fc.weight, before)


def written(tmp_path: Path, *args: str) -> str:
    done = CliRunner().invoke(main, ["build", *args, "--deploy", "-o", str(tmp_path)])
    assert done.exit_code == 0, done.output
    (file,) = tmp_path.rglob("*.py")
    return file.read_text()


def test_the_command_writes_it(tmp_path: Path) -> None:
    source = written(tmp_path, "resnet50")
    assert "specs/resnet50.yaml with --deploy (sha256:" in " ".join(source.split())
    assert "BatchNorm" not in source
    assert "For evaluation alone: norms are part of the convolutions" in source
    done = CliRunner().invoke(main, ["build", "resnet50", "-o", str(tmp_path)])
    assert done.exit_code == 1
    assert "was generated from specs/resnet50.yaml with --deploy" in done.output


def test_what_stays_is_said(tmp_path: Path) -> None:
    source = " ".join(written(tmp_path, "resnetv2_50").split())
    assert "is not linear, stays: norm and norm1." in source


def checked(*command: str | Path) -> None:
    done = subprocess.run([sys.executable, "-m", *map(str, command)], check=False)
    assert done.returncode == 0


@pytest.mark.parametrize(
    "names", [["resnet50", "res2net50_26w_4s", "resnetv2_50x1_bit", "resnet50d"]]
)
def test_the_files_are_formatted(tmp_path: Path, names: Iterable[str]) -> None:
    CliRunner().invoke(main, ["build", *names, "--deploy", "-o", str(tmp_path)])
    settings = ("--config", "pyproject.toml", "--quiet", tmp_path)
    checked("ruff", "format", "--check", *settings)
    checked("ruff", "check", "--ignore", "PLR0913", *settings)
