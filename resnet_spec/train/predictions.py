"""Pictures -> the probability of each class, from a finished run."""

from __future__ import annotations

from pathlib import Path

import torch

from resnet_spec.compiler import load
from resnet_spec.emit.module import build
from resnet_spec.problems import RunError
from resnet_spec.train.folders import mode
from resnet_spec.train.pictures import prepare, read
from resnet_spec.train.run import Run
from resnet_spec.weights.loading import WeightsError, load_weights


def predictions(run: Run, images: list[Path]) -> list[dict[str, float]]:
    """The probability of each class, by its name, in the order of the classes."""
    network = load(run.spec).network
    net = build(network, device="meta").eval()
    try:
        load_weights(net, run.weights, "torchvision")
    except WeightsError as error:
        raise RunError(f"{run.weights}: {error}") from None
    classes, ready = run.classes(), prepare(network.image)
    if len(classes) != network.classes:
        message = (
            f"{run.folder}: classes.txt has {len(classes)} classes, and the network "
        )
        raise RunError(f"{message}{network.classes}")
    found = []
    for image in images:
        picture = ready(read(image, mode(network.image.channels)))
        with torch.inference_mode():
            probabilities = net(picture[None]).softmax(1)[0].tolist()
        found.append(dict(zip(classes, probabilities, strict=True)))
    return found
