"""A run, from its first epoch or from where it stopped, to the files that it leaves."""

from __future__ import annotations

import logging
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning import Callback, Trainer, seed_everything
from pytorch_lightning.utilities import rank_zero_only

from resnet_spec.emit.module import build
from resnet_spec.network import Network
from resnet_spec.problems import RunError, report
from resnet_spec.train.checkpoints import Keep, KeepLast, WholeFiles, read
from resnet_spec.train.data import Pictures
from resnet_spec.train.jobs import Job
from resnet_spec.train.norms import norm_of_one_value
from resnet_spec.train.results import export
from resnet_spec.train.run import Run
from resnet_spec.train.say import say, warn
from resnet_spec.train.settings import Settings
from resnet_spec.train.task import Classifier
from resnet_spec.train.watch import Bar, History, Told
from resnet_spec.train.weights import start_from

LIGHTNING = ("pytorch_lightning", "lightning_fabric")


class OnFitStart(Callback):
    """Calls a function, in one process, after all pictures were checked."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.call = rank_zero_only(call)

    def on_fit_start(self, *_: Any) -> None:
        self.call()


def fit(job: Job, told: Told = lambda _: None) -> None:
    """Train, from the first epoch on or from the last one that was kept, and write the run."""
    if job.run.last.exists():
        read(job.run.best)  # so that it is missed before the work, not after it
    warn(report.text(job.compiled.warnings) if job.fresh else "")
    for line in filter(None, job.said):
        say(line)
    rank_zero_only(job.run.tidy)()
    _fit(job, OnFitStart(job.begin), told)


def _fit(job: Job, first: Callback, told: Told) -> None:
    run, settings, compiled, held = job.run, job.settings, job.compiled, job.held
    _refuse_norms_of_one_value(compiled.network, settings)
    history = History(run.metrics, held.test.name, told)
    pictures = Pictures(held, compiled.network.image, settings)
    with _quiet():
        trainer = _trainer(run, settings, first, history)
        seed_everything(settings.seed, verbose=False)
        net = build(compiled.network)
        last = run.last if run.last.exists() else None
        started = ""
        if last is None:
            if settings.weights:
                started = start_from(net, settings.weights, settings.choices)
                say(f"weights: {settings.weights}: {started}")
            elif settings.freeze_backbone:
                say("without --weights the frozen layers stay as they were initialized")
        task = Classifier(net, pictures, settings, compiled.network.digests)
        task.started = started
        try:
            trainer.fit(task, pictures, ckpt_path=last)
        except SystemExit as error:  # Lightning's answer to Ctrl-C, and to SIGTERM
            resume = f"resnet-spec train --resume {run.folder} continues it"
            say(f"stopped; {resume if run.begun else 'nothing was begun'}")
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
