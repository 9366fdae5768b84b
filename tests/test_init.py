"""First weights are the library's, from one seed, or of the library's distribution."""

import math
from functools import cache, partial
from typing import Any

import pytest
import timm
import torch
from torch import Tensor, nn

from resnet_spec import build, build_model, load
from resnet_spec.compare.libraries import naming_of
from resnet_spec.weights.naming import names
from tests.models import rendered, seeded

# A model of each way in which timm makes its ResNets. Where it makes a block's projection
# before the block, what torch draws while they are made differs in such blocks: the biases of
# squeeze-and-excitation and split attention, and ECA's weights. In resnetv2.py and byobnet.py
# the projection is first in the block as well, so convolutions are drawn in another order.
EQUAL = ["resnet26", "resnet18d", "resnet50_gn", "resnetblur18", "skresnet18"]
EQUAL += ["regnetx_002", "regnety_002", "regnetv_040", "regnetz_b16"]
PROJECTED = {
    "ecaresnet26t": r"eca.conv.weight",
    "seresnet18": r"se.fc1.bias se.fc2.bias",
    "legacy_seresnet18": r"se.fc1.bias se.fc2.bias",
    "resnest14d": r"conv2.fc1.bias conv2.fc2.bias",
    "resnext26ts": r"conv1.weight conv2.weight conv3.weight downsample.0.weight",
    "resnetv2_18": r"conv1.weight conv2.weight downsample.weight",
    "resnetv2_50d_evos": ("conv1.weight conv2.weight conv3.weight downsample.1.weight"),
}
ZEROED = ["resnet18"]  # torchvision's spec has the name, and starts no norm at zero


@cache
def first_weights(name: str) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Ours and timm's by our names, each drawn from seed 0."""
    theirs = seeded(lambda: timm.create_model(name))
    ours = seeded(lambda: build_model(name))
    table = names(ours.state_dict(), naming_of(ours, theirs))
    found = theirs.state_dict()
    return ours.state_dict(), {name: found[table[name]] for name in ours.state_dict()}


def unequal(name: str) -> dict[str, tuple[Tensor, Tensor]]:
    mine, other = first_weights(name)
    return {k: (v, other[k]) for k, v in mine.items() if not torch.equal(v, other[k])}


@pytest.mark.slow
@pytest.mark.parametrize("name", EQUAL)
def test_they_are_timms_from_one_seed(name: str) -> None:
    assert not unequal(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", PROJECTED)
def test_in_blocks_with_a_projection_they_are_drawn_in_another_order(name: str) -> None:
    """Just those tensors, and as far apart as two draws of one distribution are."""
    mine, _ = first_weights(name)
    projected = {
        key.partition(".downsample.")[0] for key in mine if ".downsample." in key
    }
    known = {
        f"{block}.{tensor}" for block in projected for tensor in PROJECTED[name].split()
    }
    found = unequal(name)
    assert set(found) <= known
    assert found
    for key, (ours, theirs) in found.items():
        if ours.numel() > 1000:
            assert ours.std().item() == pytest.approx(theirs.std().item(), rel=0.1), key
        assert abs(ours.mean().item()) < 5 * theirs.std().item() / math.sqrt(
            ours.numel()
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", ZEROED)
def test_torchvisions_spec_starts_no_norm_at_zero(name: str) -> None:
    stages = range(1, 5)
    zeros = [f"layer{i}.{j}.bn2.weight" for i in stages for j in range(2)]
    assert list(unequal(name)) == zeros
    zeroed = load(name, {"init.zero_last_norm": True}).network
    made = [seeded(lambda: build(zeroed)), seeded(lambda: timm.create_model(name))]
    mine, theirs = (list(model.state_dict().values()) for model in made)
    assert all(torch.equal(*pair) for pair in zip(mine, theirs, strict=True))


@pytest.mark.parametrize("way", ["built", "generated"])
@pytest.mark.parametrize("scheme", ["kaiming", "bit", "regnet"])
@pytest.mark.parametrize("classifier", ["linear", "conv"])
def test_every_tensor_starts_as_the_scheme_says(
    way: str, scheme: str, classifier: str
) -> None:
    """Standard deviations by the formulas of the libraries, and biases of zero."""
    fields = {"groups": 8, "attention": "se", "head.classifier": classifier}
    fields |= {"init.scheme": scheme, "depths": [1, 1, 1, 1]}
    network = load("resnet50", fields).network
    made = {
        "built": lambda: build(network),
        "generated": lambda: rendered(network),
    }
    model = seeded(made[way])
    for path, module in model.named_modules():
        if not isinstance(module, (nn.Conv2d, nn.Linear)):
            continue
        if path == "fc" and (scheme != "kaiming" or classifier == "linear"):
            expected = 0.01 if scheme != "kaiming" else 1 / math.sqrt(3 * 2048)
        else:
            fan_out = module.weight[:, 0].numel()
            groups = module.groups if scheme == "regnet" else 1
            expected = math.sqrt(2 * groups / fan_out)
        assert module.weight.std().item() == pytest.approx(expected, rel=0.1), path
        if scheme != "kaiming" and module.bias is not None:
            assert not module.bias.any(), path


@pytest.mark.parametrize(
    ("fields", "alike"),
    [
        ({}, False),
        ({"head.bias": False}, False),
        ({"head.classes": "none"}, True),
        ({"head.classes": "none", "groups": 8}, False),
        ({"head.classes": "none", "conv_bias": "all"}, False),
        ({"head.classes": "none", "attention": "se"}, False),
        ({"head.classes": "none", "attention": "se", "se.bias": False}, True),
    ],
)
def test_what_starts_alike_has_one_digest(fields: dict[str, Any], alike: bool) -> None:
    """Two schemes, without what they differ in: classifier, groups and biases."""
    networks = [
        load("resnet50", {**fields, "depths": [1] * 4, "init.scheme": scheme}).network
        for scheme in ("kaiming", "regnet")
    ]
    one, other = (seeded(partial(build, n)).state_dict() for n in networks)
    assert all(torch.equal(one[name], other[name]) for name in one) is alike
    assert (networks[0].digests.init == networks[1].digests.init) is alike
