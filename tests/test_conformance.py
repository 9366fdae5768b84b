"""timm's and torchvision's ResNets, all of them: the same networks, bit for bit."""

import csv
from pathlib import Path
from statistics import median

import pytest
import timm
import torch
from torch.utils.flop_counter import FlopCounterMode

from resnet_spec import load
from resnet_spec.compare.libraries import compare
from resnet_spec.emit.module import build
from resnet_spec.language.shipped import shipped
from resnet_spec.network import digests
from resnet_spec.weights.naming import fitting, names
from tests.conformance import (
    FILES,
    TABLE,
    Case,
    Outcome,
    cases,
    digest,
    families,
    outcome,
    pools,
    small,
)
from tests.families import kinds

CASES = cases()
FAMILIES = families(CASES)
OTHERS = [case for case in CASES if case not in FAMILIES]


def rows() -> list[dict[str, str]]:
    with TABLE.open(newline="") as file:
        return list(csv.DictReader(file))


def name(case: Case) -> str:
    return f"{case.library}-{case.model}"


def test_the_table_has_every_model_with_its_outcome() -> None:
    """209 of timm, 42 of torchvision; each equal at every size, or its row says why not."""
    table = {(row["library"], row["model"]): row for row in rows()}
    assert set(table) == {(case.library, case.model) for case in CASES}
    assert sum(case.library == "timm" for case in CASES) == 209
    assert set(rows()[0]) == set(Outcome._fields)
    for row in table.values():
        apart = max(float(row["built"]), float(row["generated"]))
        assert apart <= (1e-12 if row["reason"] else 0.0), row


def test_the_table_is_of_these_networks() -> None:
    table = {(row["library"], row["model"]): row for row in rows()}
    for case in CASES:
        row, network = table[case.library, case.model], case.network
        assert (network.params, network.macs) == (int(row["params"]), int(row["macs"]))
        known = (row["layout"], row["function"], row["training"])
        assert digests(network)[:3] == known, f"{case.model} is another network now"


def test_names_are_theirs() -> None:
    """Every tensor's name and shape by the row's naming, as the library had them."""
    table = {(row["library"], row["model"]): row for row in rows()}
    for case in CASES:
        row, ours = table[case.library, case.model], dict(case.network.tensors())
        known = names(ours, row["naming"])
        shapes = {known[name]: tensor.shape for name, tensor in ours.items()}
        assert (len(shapes), digest(shapes)) == (int(row["tensors"]), row["names"])


@pytest.mark.long
@pytest.mark.parametrize("case", CASES, ids=name)
def test_names_and_counts_are_those_of_the_library_today(case: Case) -> None:
    """So that the rows speak of the release that is installed."""
    network = case.network
    with torch.device("meta"):
        theirs = case.theirs()
    found = theirs.state_dict()
    assert fitting(dict(network.tensors()), found)
    row = next(r for r in rows() if (r["library"], r["model"]) == case[:2])
    assert digest({name: t.shape for name, t in found.items()}) == row["names"]
    assert network.params == sum(p.numel() for p in theirs.parameters())


@pytest.mark.parametrize(
    "case",
    [
        *(pytest.param(case, marks=pytest.mark.slow) for case in FAMILIES),
        *(pytest.param(case, marks=pytest.mark.long) for case in OTHERS),
    ],
    ids=name,
)
def test_multiply_adds_are_those_that_torch_counts(case: Case) -> None:
    network = case.network
    model = build(network, device="meta").eval()
    with FlopCounterMode(display=False) as flops:
        model(torch.empty(1, *network.image, device="meta"))
    assert network.macs * 2 == flops.get_total_flops()


@pytest.mark.slow
@pytest.mark.parametrize("case", [c for c in FAMILIES if not pools(c)], ids=name)
def test_they_compute_the_same(case: Case) -> None:
    """One of each family, built and generated; `python -m tests.conformance` runs all.

    tests/test_heads_and_stems.py holds CLIP's attention, which takes no small image.
    """
    found = outcome(case, [small(case)])
    assert max(found.built, found.generated) <= (1e-12 if found.reason else 0.0)


def test_families_have_resnet_50_d_and_a_member_for_each_set_of_ops() -> None:
    assert "resnet50d" in {case.model for case in FAMILIES}
    assert {kinds(case.network) for case in FAMILIES} == {
        kinds(case.network) for case in CASES
    }


@pytest.mark.slow
@pytest.mark.parametrize("other", ["resnetaa50", "resnetblur50", "legacy_seresnet50"])
def test_equal_names_do_not_make_equal_networks(other: str) -> None:
    """Weights of one load into the other, and the comparison tells them apart."""
    spec = "seresnet50" if "se" in other.removeprefix("resnet") else "resnet50"
    ours, theirs = build(load(spec).network), timm.create_model(other)
    worst = max(compare(ours, theirs, [(64, 64)]), key=lambda found: found.relative)
    assert worst.relative > 1e-3


def test_variants_are_short() -> None:
    lengths = []
    for file in shipped().values():
        lines = Path(file).read_text(encoding="utf-8").splitlines()
        lengths.append(sum(not line.startswith("#") for line in lines))
    assert median(lengths) <= 8


def test_every_family_has_its_models() -> None:
    """A spec for each model, by the model's own name."""
    names = {Path(key).name for key in shipped()}
    assert {model for file in FILES for model in timm.list_models(module=file)} <= names
