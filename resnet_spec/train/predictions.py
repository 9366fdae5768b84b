"""Pictures -> the probability of each class, from a finished run, or a spec and weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from resnet_spec.compiler import load
from resnet_spec.emit.module import build
from resnet_spec.network import Network
from resnet_spec.problems import RunError
from resnet_spec.train.folders import mode
from resnet_spec.train.pictures import prepare, read
from resnet_spec.train.run import Run
from resnet_spec.weights.classes import class_names
from resnet_spec.weights.conventions import images as images_of
from resnet_spec.weights.loading import Choices, WeightsError, load_file
from resnet_spec.weights.naming import possessive


def by_run(run: Run, images: list[Path]) -> list[dict[str, float]]:
    """The probability of each class, by its name, in the order of the classes."""
    network, classes = load(run.spec).network, run.classes()
    net, _ = _loaded(network, run.weights, {"naming": "torchvision"})
    if len(classes) != network.classes:
        message = (
            f"{run.folder}: classes.txt has {len(classes)} classes, and the network "
        )
        raise RunError(f"{message}{network.classes}")
    return _predictions(net, network, classes, images)


def by_weights(
    network: Network, file: Path, images: list[Path], choices: Mapping[str, Any]
) -> tuple[list[dict[str, float]], list[str]]:
    """The same by a network with the weights in a file, and what to know about those.

    Classes are called as the file says, else by their numbers.
    """
    if network.classes is None:
        raise RunError(f"{network.name} has no classifier, head.classes is none")
    net, said = _loaded(network, file, choices)
    names = class_names(file)
    if len(names) != network.classes:
        names = [*map(str, range(network.classes))]
    shared = {name for name, times in Counter(names).items() if times > 1}
    classes = [f"{n} ({i})" if n in shared else n for i, n in enumerate(names)]
    return _predictions(net, network, classes, images), said


def _loaded(
    network: Network, file: Path, choices: Mapping[str, Any]
) -> tuple[nn.Module, list[str]]:
    """The network to evaluate, and what was loaded, with what to be warned of."""
    net = build(network, device="meta").eval()
    try:
        done = load_file(net, file, Choices(**choices))
    except WeightsError as error:
        raise RunError(str(error)) from None
    said = [f"{file}: {done}", *done.warnings]
    if wanted := images_of(network, done.naming):
        whose = possessive(done.naming)
        said.append(f"{whose} published weights want images {wanted}; these are not")
    return net.float(), said


def _predictions(
    net: nn.Module, network: Network, classes: Sequence[str], images: list[Path]
) -> list[dict[str, float]]:
    ready, found = prepare(network.image), []
    for image in images:
        picture = ready(read(image, mode(network.image.channels)))
        with torch.inference_mode():
            probabilities = net(picture[None]).softmax(1)[0].tolist()
        found.append(dict(zip(classes, probabilities, strict=True)))
    return found
