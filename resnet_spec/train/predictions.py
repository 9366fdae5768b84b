"""Pictures -> the probability of each class, from a finished run."""

from __future__ import annotations

from pathlib import Path

import torch

from resnet_spec.compiler import load
from resnet_spec.emit.module import build
from resnet_spec.problems import RunError
from resnet_spec.train.pictures import mode, prepare, read
from resnet_spec.train.run import opened
from resnet_spec.weights.loading import WeightsError, load_weights


def predictions(folder: Path, images: list[Path]) -> list[dict[str, float]]:
    """The probability of each class, by its name, in the order of the classes."""
    run, _ = opened(folder)
    if not run.weights.exists():
        message = f"{folder} is not finished: it has no {run.weights.name}"
        raise RunError(f"{message}; resnet-spec train --resume {folder} continues it")
    network = load(run.spec).network
    net = build(network, device="meta").eval()
    try:
        load_weights(net, run.weights)
    except WeightsError as error:
        raise RunError(f"{run.weights}: {error}") from None
    classes, ready = run.classes(), prepare(network.image)
    if len(classes) != network.classes:
        message = f"{folder}: classes.txt has {len(classes)} classes, and the network "
        raise RunError(f"{message}{network.classes}")
    found = []
    for image in images:
        picture = ready(read(image, mode(network.image.channels)))
        with torch.inference_mode():
            probabilities = net(picture[None]).softmax(1)[0].tolist()
        found.append(dict(zip(classes, probabilities, strict=True)))
    return found
