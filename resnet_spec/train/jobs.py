"""What is to be trained, and all that can be refused before torch is imported."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from resnet_spec.compiler import Compiled, load
from resnet_spec.output import spec_file
from resnet_spec.problems import RunError
from resnet_spec.problems.texts import STDIN
from resnet_spec.train.folders import Held, folders_in, mode
from resnet_spec.train.run import Run, create, opened, refuse_to_overwrite, settle
from resnet_spec.train.settings import Settings

TAKEN = {
    "predict",
    "torch",
    "torchvision",
    "safetensors",
    "numpy",
    "PIL",
    "Image",
    "Path",
}
REFUSED = {"strides-one-pixel"}
"""Rules whose warnings are errors for a network that is to be trained."""


class Job(NamedTuple):
    """A run to begin or to continue. `begin` writes what a run has before its first epoch."""

    run: Run
    settings: Settings
    compiled: Compiled
    held: Held
    begin: Callable[[], None]
    said: list[str]
    fresh: bool  # whether it begins


def new(
    spec: str, settings: Settings, folder: Path | None, overrides: dict[str, Any]
) -> Job:
    """A run of a spec, from the first epoch on."""
    file = spec_file(spec)
    if file.file == Path(STDIN) and settings.processes > 1:
        raise RunError("standard input is read by one process; give SPEC as a file")
    held = folders_in(settings.data)
    classes = held.classes
    asked = load(file.file, overrides).network.classes
    if asked is None:
        raise RunError(f"{spec} has no classifier to train, head.classes is none")
    if overrides.get("head.classes", len(classes)) != len(classes):
        message = f"head.classes={asked}, and {held.train} has {len(classes)} folders"
        raise RunError(f"{message}; without --set head.classes it is taken from there")
    compiled = load(file.file, {**overrides, "head.classes": len(classes)})
    mode(compiled.network.image.channels)
    for problem in compiled.warnings:
        if problem.rule in REFUSED:
            raise RunError(f"{spec}: {problem.said}")
    name = file.module(compiled.network.name).stem
    for taken in {name, compiled.network.name} & (TAKEN | sys.stdlib_module_names):
        raise RunError(f"{spec}: a run's own predict.py imports another {taken}")
    run = Run(folder or Path("runs", name), name)
    refuse_to_overwrite(run)
    if settings.weights and settings.weights.is_dir():
        message = f"{settings.weights} is a folder; a run's weights are "
        raise RunError(f"{message}{settings.weights / run.weights.name}")
    if settings.weights and not settings.weights.exists():
        reason = "cannot be read, No such file or directory"
        raise RunError(f"{settings.weights} {reason}")
    spec_has = f"; the spec has {asked}" if asked != len(classes) else ""
    said = [file.renamed(compiled.network.name) or ""]
    said += [
        f"head: {len(classes)} classes, one for each folder in {held.train}{spec_has}"
    ]
    begin = partial(create, run, compiled, settings, classes)
    return Job(run, settings, compiled, held, begin, said, fresh=True)


def continued(folder: Path, epochs: int | None) -> Job | None:
    """A run after its last complete epoch, with `epochs` up to that many; None if finished."""
    run, settings = opened(folder)
    if epochs is not None:
        settings = settings.longer(epochs)
    figures = run.figures()
    if run.weights.exists() and figures and figures[-1]["epoch"] >= settings.epochs:
        return None
    held = folders_in(settings.data)
    if held.classes != run.classes():
        raise RunError(f"{held.train} has other classes than {folder} was started with")
    fresh = "no epoch was kept, so the first one is trained again"
    said = [] if run.last.exists() else [fresh]
    begin = partial(settle, run, settings)
    return Job(run, settings, load(run.spec), held, begin, said, fresh=False)
