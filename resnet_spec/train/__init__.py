"""Training on a folder of pictures, by PyTorch Lightning.

Importing this does not import torch; `train`, `resume`, `predict` and `predict_with` do when
called.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from resnet_spec.problems import RunError
from resnet_spec.problems.extras import needs
from resnet_spec.train.settings import Settings

LOOP = ("pytorch_lightning", "torchvision", "matplotlib")
"""Packages that a training takes."""
SERVER = "postgresql://"
"""What the address of a storage begins with that several machines share."""

__all__ = ["RunError", "Settings", "predict", "predict_with", "resume", "train"]


def train(
    spec: str | os.PathLike[str],
    settings: Settings,
    output: str | os.PathLike[str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> None:
    """Train a spec's network on the pictures in `settings.data`, and write the run to the
    folder `output`, by default `runs/<name of the spec>`.

    `spec` is a file or the name of a spec that ships, `overrides` its fields to change,
    such as `{"input": [1, 28, 28]}`; the number of classes comes from the pictures.

    Raises SpecError for a wrong spec, RunError for pictures, settings or weights that do not
    fit it, ImportError if the `train` extra is missing, and SystemExit after Ctrl-C. A
    script that calls it with workers needs `if __name__ == "__main__":` on systems where
    Python starts processes from scratch (macOS, Windows, Linux from Python 3.14 on).
    """
    needs("train", *LOOP)
    from resnet_spec.train.jobs import new

    folder = None if output is None else Path(output)
    job = new(os.fspath(spec), settings, folder, dict(overrides or {}))
    from resnet_spec.train.loop import fit

    fit(job)


def resume(run: str | os.PathLike[str], epochs: int | None = None) -> None:
    """Continue a run after its last complete epoch, up to the number of epochs that it was
    begun with, or up to `epochs`, as if it had been begun with those. A run that is finished
    says so. Raises what `train` raises.
    """
    needs("train", *LOOP)
    from resnet_spec.train.jobs import continued

    job = continued(Path(run), epochs)
    if job is None:
        print(f"{run} is finished; --epochs N makes a run of a constant rate longer")
        return
    from resnet_spec.train.loop import fit

    fit(job)


def predict(
    run: str | os.PathLike[str], images: Sequence[str | os.PathLike[str]]
) -> list[dict[str, float]]:
    """The probability of each class, by its name, for each image file, from a finished run.

    Raises RunError for a folder that is not a finished run, or a file that is not a picture.
    """
    needs("train", "torchvision")
    from resnet_spec.train.run import finished

    files = [Path(image) for image in images]
    trained = finished(Path(run), files)
    from resnet_spec.train.predictions import by_run

    return by_run(trained, files)


def predict_with(
    spec: str | os.PathLike[str],
    weights: str | os.PathLike[str],
    images: Sequence[str | os.PathLike[str]],
    overrides: Mapping[str, Any] | None = None,
    **choices: str | None,
) -> tuple[list[dict[str, float]], list[str]]:
    """The same by a spec's network and a file of weights, and lines of what was loaded.

    `choices` are `naming`, `key`, `prefix` and `channels_by` of `resnet_spec.load_weights`.
    Classes have the names that the file has of them, in its metadata, in a checkpoint beside
    its tensors, or in the `config.json` of transformers; else numbers from 0. Pictures are
    prepared as `train` does. Raises SpecError for a wrong spec, RunError as above and for
    weights that do not fit.
    """
    needs("train", "torchvision")
    from resnet_spec.compiler import load
    from resnet_spec.train.run import refuse_missing

    files = [Path(image) for image in images]
    network = load(spec, dict(overrides or {})).network
    refuse_missing(files)
    from resnet_spec.train.predictions import by_weights

    return by_weights(network, Path(weights), files, choices)
