"""A run, from its first epoch or from where it stopped, to the files that it leaves."""

from __future__ import annotations

import logging
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning import Callback, Trainer, seed_everything
from pytorch_lightning.utilities import rank_zero_only

from resnet_spec.compiler import Compiled, load
from resnet_spec.emit.module import build
from resnet_spec.network import Network
from resnet_spec.output import spec_files
from resnet_spec.problems import RunError, report
from resnet_spec.train.checkpoints import Keep, KeepLast, WholeFiles, read
from resnet_spec.train.data import Pictures
from resnet_spec.train.norms import norm_of_one_value
from resnet_spec.train.pictures import Held, folders_in
from resnet_spec.train.results import export
from resnet_spec.train.run import Run, create, opened, refuse_to_overwrite, settle
from resnet_spec.train.say import say, warn
from resnet_spec.train.settings import Settings
from resnet_spec.train.task import Classifier
from resnet_spec.train.watch import Bar, History
from resnet_spec.train.weights import start_from

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
LIGHTNING = ("pytorch_lightning", "lightning_fabric")


class OnFitStart(Callback):
    """Calls a function, in one process, after all pictures were checked."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.call = rank_zero_only(call)

    def on_fit_start(self, *_: Any) -> None:
        self.call()


def start(
    spec: str, settings: Settings, folder: Path | None, overrides: dict[str, Any]
) -> None:
    """Train the network of a spec from the first epoch on."""
    (file,) = spec_files([spec])
    held = folders_in(settings.data)
    classes = held.classes
    asked = load(file.file, overrides).network.classes
    if asked is None:
        raise RunError(f"{spec} has no classifier to train, head.classes is none")
    if overrides.get("head.classes", len(classes)) != len(classes):
        message = f"head.classes={asked}, and {held.train} has {len(classes)} folders"
        raise RunError(f"{message}; without --set head.classes it is taken from there")
    compiled = load(file.file, {**overrides, "head.classes": len(classes)})
    for problem in compiled.warnings:
        if problem.rule in REFUSED:
            raise RunError(f"{spec}: {problem.said}")
    name = file.module.stem
    for taken in {name, compiled.network.name} & (TAKEN | sys.stdlib_module_names):
        raise RunError(f"{spec}: a run's own predict.py imports another {taken}")
    run = Run(folder or Path("runs", name), name)
    refuse_to_overwrite(run)
    warn(report.text(compiled.warnings))
    spec_has = f"; the spec has {asked}" if asked != len(classes) else ""
    say(f"head: {len(classes)} classes, one for each folder in {held.train}{spec_has}")
    begin = partial(create, run, compiled, settings, classes)
    _fit(run, settings, compiled, held, OnFitStart(begin))


def go_on(folder: Path, epochs: int | None) -> None:
    """Continue a run after its last complete epoch, with `epochs` up to that many."""
    run, settings = opened(folder)
    if epochs is not None:
        settings = settings.longer(epochs)
    held = folders_in(settings.data)
    if held.classes != run.classes():
        raise RunError(f"{held.train} has other classes than {folder} was started with")
    if run.last.exists():
        read(run.best)  # so that it is missed before the work, not after it
    else:
        say("no epoch was kept, so the first one is trained again")
    rank_zero_only(run.tidy)()
    begin = partial(settle, run, settings)
    _fit(run, settings, load(run.spec), held, OnFitStart(begin))


def _fit(
    run: Run, settings: Settings, compiled: Compiled, held: Held, first: Callback
) -> None:
    _refuse_norms_of_one_value(compiled.network, settings)
    history = History(run.metrics, held.test.name)
    pictures = Pictures(held, compiled.network.image, settings)
    with _quiet():
        trainer = _trainer(run, settings, first, history)
        seed_everything(settings.seed, verbose=False)
        net = build(compiled.network)
        last = run.last if run.last.exists() else None
        if last is None:
            if settings.weights:
                say(start_from(net, settings.weights, settings.naming))
            elif settings.freeze_backbone:
                say("without --weights the frozen layers stay as they were initialized")
        task = Classifier(net, pictures, settings, compiled.network.digests)
        try:
            trainer.fit(task, pictures, ckpt_path=last)
        except SystemExit as error:  # Lightning's answer to Ctrl-C, and to SIGTERM
            if run.begun:
                say(f"stopped; resnet-spec train --resume {run.folder} continues it")
            raise SystemExit(error.code or 128 + signal.SIGTERM) from None
        except MisconfigurationException as error:
            raise RunError(f"Lightning: {error}") from None
    if trainer.is_global_zero:
        best = export(run, compiled.network, history)
        say(f"{run.weights}: from epoch {best['epoch']}, the best")


def _refuse_norms_of_one_value(network: Network, settings: Settings) -> None:
    if settings.batch > 1 or settings.freeze_backbone:
        return
    if norm := norm_of_one_value(network):
        message = f"with one picture at a time, {norm} has one value per channel"
        raise RunError(f"{message} to normalize; take a larger --batch-size")


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Lightning's remarks on itself, on devices and on speed."""
    loggers = [logging.getLogger(name) for name in LIGHTNING]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="|".join(LIGHTNING))
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _trainer(
    run: Run, settings: Settings, first: Callback, history: History
) -> Trainer:
    where: dict[str, Any] = {
        "dirpath": run.folder,
        "save_on_train_epoch_end": True,
        "enable_version_counter": False,
    }
    best = Keep(filename=run.best.stem, monitor="test_acc", mode="max", **where)
    last = KeepLast(history.say, filename=run.last.stem, **where)
    plugins: list[Any] = [WholeFiles()]
    if SLURMEnvironment.detect():
        plugins.append(SLURMEnvironment(auto_requeue=False))  # --resume is ours
    bar = [Bar(leave=False)] if sys.stdout.isatty() else []
    try:
        trainer = Trainer(
            accelerator=settings.accelerator,
            devices=settings.devices,
            num_nodes=settings.nodes,
            strategy="ddp" if settings.processes > 1 else settings.strategy,
            precision=settings.precision,
            max_epochs=settings.epochs,
            callbacks=[first, history, *bar, best, last],
            plugins=plugins,
            logger=False,
            enable_model_summary=False,
            enable_progress_bar=bool(bar),
            use_distributed_sampler=False,
            num_sanity_val_steps=0,
            default_root_dir=run.folder,
        )
    except (MisconfigurationException, ValueError) as error:
        raise RunError(f"Lightning: {error}") from None
    if (found := trainer.precision) != (asked := settings.precision):
        raise RunError(f"{asked} needs a GPU; here Lightning takes {found}")
    return trainer
