"""Each ResNet that timm and torchvision publish, beside ours.

`python -m tests.conformance` runs all of them at their own sizes and writes the table,
`tests/conformance.csv`; that takes an hour and 20 GB, and is a part of `nox -s long`. The
tests run one of each family at a small size, and hold the table to what is published today.
"""

from __future__ import annotations

import csv
import gc
import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple, cast
from unittest.mock import patch

import timm
import torch
import torchvision
from torch import Tensor, nn
from torchvision.models import detection, segmentation
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.models.regnet import BlockParams

from resnet_spec import load, load_weights
from resnet_spec.compare.libraries import differences, draw_weights, naming_of, results
from resnet_spec.emit.module import build
from resnet_spec.network import AttentionPool2d, Network, digests
from resnet_spec.weights.naming import names
from tests.families import Kinds, kinds
from tests.models import rendered

TABLE = Path(__file__).with_suffix(".csv")
FILES = (
    "resnet",
    "resnetv2",
    "senet",
    "sknet",
    "resnest",
    "res2net",
    "regnet",
    "tresnet",
)
OTHERS = ("repvgg", "mobileone")  # in byobnet.py, and no residual networks
LARGE = 200_000_000  # parameters; beyond, a training step at the own size needs 24 GB
HUGE = 1_000_000_000  # beyond which one at a small size does


class Case(NamedTuple):
    """A published model, and the spec and the stages of ours that are to equal it."""

    library: str
    model: str
    spec: str
    features: tuple[int, ...]
    theirs: Callable[[], nn.Module]

    @property
    def network(self) -> Network:
        return _network(self.spec, self.features)


@cache
def _network(spec: str, features: tuple[int, ...]) -> Network:
    return load(spec, features=features).network


class Outcome(NamedTuple):
    """A row of the table: how far built and generated are from theirs, at most."""

    library: str
    model: str
    spec: str
    naming: str
    params: int
    tensors: int
    macs: int
    names: str  # digest of the names and shapes of their tensors
    layout: str  # digests of the network that was compared, of which the row speaks
    function: str
    training: str
    sizes: str
    built: float
    generated: float
    reason: str = ""  # why they are not zero


def cases() -> list[Case]:
    """All of them, timm's in its order, then torchvision's."""
    return [*_timm(), *_torchvision(), *_bodies()]


def _timm() -> Iterator[Case]:
    for file in FILES:
        for model in timm.list_models(module=file):
            yield Case("timm", model, model, (), partial(timm.create_model, model))
    for model in timm.list_models(module="byobnet"):
        if not model.startswith(OTHERS):
            yield Case("timm", model, model, (), partial(timm.create_model, model))


def _torchvision() -> Iterator[Case]:
    get = torchvision.models.get_model
    names = torchvision.models.list_models(module=torchvision.models)
    quantized = torchvision.models.list_models(module=torchvision.models.quantization)
    for name in [*names, *quantized]:
        plain = name.removeprefix("quantized_")
        if plain.startswith(("resnet", "resnext", "wide_resnet")):
            yield Case("torchvision", name, plain, (), partial(get, name))
        elif plain.startswith("regnet"):
            theirs = partial(_torchvision_regnet, name)
            yield Case("torchvision", name, _regnet(name), (), theirs)


def _torchvision_regnet(name: str) -> nn.Module:
    """Its rule computes with tensors, which must not be on the meta device."""
    rule = BlockParams.from_init_params

    def ruled(**numbers: Any) -> BlockParams:
        with torch.device("cpu"):
            return rule(**numbers)

    with patch.object(BlockParams, "from_init_params", ruled):
        return cast(nn.Module, torchvision.models.get_model(name))


def _regnet(model: str) -> str:
    """Our spec, which is called as in timm: `regnet_y_1_6gf` is `regnety_016`."""
    _, family, size = model.split("_", 2)
    millions = size.endswith("mf")
    amount = float(size[:-2].replace("_", "."))
    name = f"regnet{family}_{int(amount / 100 if millions else amount * 10):03}"
    own = f"{name}_tv"
    return own if own in timm.list_models(module="regnet") else name


def _bodies() -> Iterator[Case]:
    """The ResNets inside torchvision's detectors and segmentation models."""
    frozen, body = "detection/resnet50_frozen", "detection/resnet50_detection"
    fpn = partial(resnet_fpn_backbone, backbone_name="resnet50", weights=None)
    name = "resnet_fpn_backbone(resnet50).body"
    yield Case("torchvision", name, frozen, (1, 2, 3, 4), lambda: fpn().body)
    for name in (
        "fasterrcnn_resnet50_fpn",
        "fasterrcnn_resnet50_fpn_v2",
        "fcos_resnet50_fpn",
        "keypointrcnn_resnet50_fpn",
        "maskrcnn_resnet50_fpn",
        "maskrcnn_resnet50_fpn_v2",
        "retinanet_resnet50_fpn",
        "retinanet_resnet50_fpn_v2",
    ):
        stages = (2, 3, 4) if name.startswith(("fcos", "retinanet")) else (1, 2, 3, 4)
        path, make = f"{name}.backbone.body", partial(_backbone, detection, name)
        yield Case("torchvision", path, body, stages, lambda make=make: make().body)
    for name in (
        "fcn_resnet50",
        "fcn_resnet101",
        "deeplabv3_resnet50",
        "deeplabv3_resnet101",
    ):
        spec = f"segmentation/fcn_{name.partition('_')[2]}_backbone"
        make = partial(_backbone, segmentation, name)
        yield Case("torchvision", f"{name}.backbone", spec, (4,), make)


def _backbone(module: Any, name: str) -> Any:
    return getattr(module, name)(weights=None, weights_backbone=None).backbone


def families(known: list[Case]) -> list[Case]:
    """ResNet-50-D, and of those with the same kinds of ops the smallest."""
    typical = [case for case in known if case.model == "resnet50d"]
    found: dict[Kinds, Case] = {}
    for case in sorted(known, key=lambda case: case.network.params):
        found.setdefault(kinds(case.network), case)
    return list(dict.fromkeys([*typical, *found.values()]))


def outcome(case: Case, sizes: list[tuple[int, int]]) -> Outcome:
    """Build both, move drawn weights, and compare what they compute at each size."""
    rounds = pools(case)
    with _default(torch.float64 if rounds else torch.float32):
        return _outcome(case, dict.fromkeys(sizes))._replace(reason=ONE_TOKEN * rounds)


def pools(case: Case) -> bool:
    """Whether it pools by attention, which takes images of its own size alone."""
    return any(isinstance(op, AttentionPool2d) for op in case.network.head)


ONE_TOKEN = (
    "in float64; timm attends from every pixel and classifies all, and drops the rest"
)


@contextmanager
def _default(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _outcome(case: Case, sizes: Iterable[tuple[int, int]]) -> Outcome:
    network, theirs = case.network, case.theirs().requires_grad_(True)
    made = {"built": build, "generated": lambda n: rendered(n)}
    naming = naming_of(build(network, device="meta"), theirs)
    draw_weights(theirs)
    weights = theirs.state_dict()
    images = {size: torch.randn(2, 3, *size) for size in sizes}
    expected = {size: _step(theirs, images[size], network) for size in sizes}
    count, named = len(weights), digest({k: t.shape for k, t in weights.items()})
    del theirs
    apart: dict[str, float] = {}
    for way, make in made.items():
        with torch.device("meta"):  # nothing is drawn that is replaced at once
            ours = make(network)
        load_weights(ours, {key: t.clone() for key, t in weights.items()}, naming)
        table = names(ours.state_dict(), naming)
        found = [
            difference.relative
            for size in sizes
            for difference in differences(
                _step(ours, images[size], network), expected[size], table, size
            )
        ]
        assert all(tensor.std() > 0 for tensor in _last(expected))
        apart[way] = max(found)
        del ours
    shown = " ".join(f"{height}x{width}" for height, width in sizes)
    counts = (network.params, count, network.macs, named)
    return Outcome(*case[:3], naming, *counts, *digests(network)[:3], shown, **apart)


def digest(shapes: Mapping[str, Sequence[int]]) -> str:
    """Of the names of tensors, each with its shape, in any order."""
    said = sorted((name, tuple(shape)) for name, shape in shapes.items())
    return hashlib.sha256(repr(said).encode()).hexdigest()[:12]


def _step(model: nn.Module, images: Tensor, network: Network) -> dict[str, Tensor]:
    """All results; of a network too large to train at that size, the evaluation's alone."""
    least = 100 if network.params < HUGE else 0
    if network.params > LARGE and images.shape[-1] > least:
        with torch.inference_mode():
            return {"evaluation output 0": model.eval()(images[:1])}
    return dict(results(model, images))


def _last(expected: dict[Any, dict[str, Tensor]]) -> list[Tensor]:
    return [next(reversed(found.values())) for found in expected.values()]


def small(case: Case) -> tuple[int, int]:
    """An odd size that both take; timm's average pools between stages take even ones alone."""
    even = ("aa", "clip", "mlp")
    sizes = [(49, 33)] * (not any(word in case.model for word in even))
    for size in (*sizes, (64, 32)):
        if case.network.takes(size):
            return size
    return own(case)


def own(case: Case) -> tuple[int, int]:
    """The size that the model is published for; of a body's images, a quarter."""
    _, height, width = case.network.image
    return (height // 4, width // 4) if case.features else (height, width)


def main() -> None:
    """Run those whose names have a word of the command line, or all; write the table anew.

    What the table has of the others is kept.
    """
    words = sys.argv[1:]
    rows = {(row[0], row[1]): row for row in _table()}
    kept = [c for c in cases() if not words or any(word in c.model for word in words)]
    for case in sorted(kept, key=lambda case: case.network.params > LARGE):
        row = outcome(case, [small(case), own(case)])
        print(*row, flush=True)
        rows[row[0], row[1]] = [str(value) for value in row]
        with TABLE.open("w", newline="") as file:
            lines = [Outcome._fields, *(rows[c[:2]] for c in cases() if c[:2] in rows)]
            csv.writer(file, lineterminator="\n").writerows(lines)
        gc.collect()


def _table() -> list[list[str]]:
    if not TABLE.exists():
        return []
    with TABLE.open(newline="") as file:
        return list(csv.reader(file))[1:]


if __name__ == "__main__":
    main()
