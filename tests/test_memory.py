"""Bytes of maps, beside those that torch keeps and holds.

All on the meta device, which counts the same as a processor. Small images, so that gradients
of parameters do not hide those of maps.
"""

import pytest
import torch
from torch import Tensor, nn

from resnet_spec import load, render
from resnet_spec.emit.cost.memory import saved_bytes
from resnet_spec.emit.cost.peaks import evaluation_peak, training_peak
from resnet_spec.network import Network
from tests import memory_tools
from tests.families import sized
from tests.models import module_of
from tests.strategies import Drawn, Pool

BATCH = 2
NETWORKS = {
    "resnet18": 128,
    "resnet50": 96,
    "resnext50_32x4d": 96,
    "cifar/resnet20": 32,
    "preact/preresnet110": 16,
    "resnetd/resnet10t": 128,
    "seresnet50": 96,
    "ecaresnet/ecaresnet26t": 96,
    "res2net/res2net50_48w_2s": 96,
    "detection/resnet50_frozen": 128,
    "sknet/skresnet18": 128,
    "resnest/resnest14d": 128,
    "resnetblur18": 128,
    "resnet50_gn": 96,
    "resnetv2/resnetv2_50d_evos": 96,
    "resnetv2/resnetv2_50d_frn": 96,
    "bit/resnetv2_50x1_bit": 96,
    "field/cbam/resnet18_cbam_cifar": 64,
}
SILU = {"resnetrs50": 96, "gcresnet33ts": 96, "own/convnext_like": 128}


class Pair:
    """A network as generated, which its source describes, and images for it."""

    def __init__(self, network: Network) -> None:
        self.network = network
        with torch.device("meta"):
            self.model: nn.Module = module_of(render(network), network.name)()
            self.images: Tensor = torch.zeros(BATCH, *map(int, network.image))

    @property
    def kept(self) -> float:
        """How far what is kept is from what torch keeps."""
        theirs = memory_tools.saved(self.model, self.images)
        return saved_bytes(self.network, BATCH) / theirs - 1


@pytest.mark.slow
@pytest.mark.parametrize("name", [*NETWORKS, *SILU])
def test_bytes_are_those_of_torch(name: str) -> None:
    """What is kept to the byte, and peaks within 2%."""
    made = Pair(sized(name, {**NETWORKS, **SILU}[name]))
    assert made.kept == 0
    theirs = memory_tools.evaluation_peak(made.model, made.images)
    assert evaluation_peak(made.network, BATCH) == pytest.approx(theirs, rel=0.02)
    theirs = memory_tools.training_peak(made.model, made.images)
    ours = training_peak(made.network, BATCH)
    assert ours == pytest.approx(theirs, rel=0.02)
    gradients = 4 * made.network.params
    if gradients < theirs / 2:
        assert ours - gradients == pytest.approx(theirs - gradients, rel=0.02)


def hold(drawn: tuple[Drawn, ...]) -> None:
    """What is kept is exact in nine of ten drawn networks, and within 5% in all."""
    networks = [network for _, network in drawn if not network.features]
    apart = [Pair(network).kept for network in networks]
    assert max(map(abs, apart)) < 0.05
    assert apart.count(0.0) >= 0.9 * len(apart)


@pytest.mark.slow
def test_kept_bytes_of_drawn_networks(drawn: Pool) -> None:
    hold(drawn[::4])


@pytest.mark.long
def test_kept_bytes_of_all_drawn_networks(drawn: Pool) -> None:
    hold(drawn)


def test_bytes_grow_with_the_batch() -> None:
    """Three images take three times as much, but for statistics and gradients of weights."""
    network = load("resnet18").network
    assert evaluation_peak(network, 3) == 3 * evaluation_peak(network)
    statistics = 4 * saved_bytes(network) - saved_bytes(network, 4)
    assert statistics == 3 * 8 * sum(
        op.tensors[0].size for _, op in network.ops() if op.module == "BatchNorm2d"
    )
