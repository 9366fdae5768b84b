"""Networks trained as the trials of a study of Optuna, which several workers share."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from itertools import product
from pathlib import Path
from typing import NamedTuple

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState

from resnet_spec.compiler import load
from resnet_spec.language.canonical import digest
from resnet_spec.output import spec_file
from resnet_spec.problems import RunError
from resnet_spec.train.folders import folders_in
from resnet_spec.train.jobs import Job, continued, new
from resnet_spec.train.loop import fit
from resnet_spec.train.run import Run, opened
from resnet_spec.train.settings import Settings
from resnet_spec.train.studies import shared
from resnet_spec.train.watch import DivergedError, Row, Told

WAIT = 1.0
"""Seconds between looks at what others do, where nothing is left to take."""
NO_MATTER = {"workers", "accelerator"}
"""Settings on which the figures do not depend."""


class Key(NamedTuple):
    """A trial: what the file of its spec is called, without suffix, and the rate."""

    spec: str
    rate: float


class Plan(NamedTuple):
    """What is trained: each spec at each learning rate, all else as the settings say.

    Each trial is a run, a folder in `runs`. With `prunes`, once five have ended, a trial ends
    as soon as its best accuracy is below the median of what others had after as many epochs.
    """

    specs: Sequence[Path]
    settings: Settings
    rates: Sequence[float]
    runs: Path
    prunes: bool

    @property
    def keys(self) -> list[Key]:
        """Those of all trials: each spec at the first rate, then each at the second one."""
        return [Key(spec.stem, rate) for rate, spec in product(self.rates, self.specs)]

    def run(self, key: Key) -> Path:
        """The folder of a trial's run."""
        alone = len(self.rates) == 1
        return self.runs / (key.spec if alone else f"{key.spec}_lr{key.rate:g}")


class Trained(NamedTuple):
    """What came of a trial: its best accuracy on held-out pictures and the epochs trained,
    fewer than asked for where it was pruned; or None, and why."""

    key: Key
    accuracy: float | None
    epochs: int
    why: str = ""


class TakenError(Exception):
    """The trial is another worker's, or of what another trial is of."""


class StoppedError(Exception):
    """Ctrl-C, or SIGTERM, while a network was trained; its argument is the status."""


def trained(plan: Plan, storage: str) -> list[Trained]:
    """What came of each trial of the plan, in the plan's order.

    `storage` is a file, or `postgresql://...`. All who name the same one share the work, and
    what is in it is not done again. The trial of a worker that was killed is taken up by
    another, after the last epoch that was kept where that one sees its run, and the pictures
    at the same path. Returns when all trials have ended, whoever trained them.

    Raises RunError for what cannot be trained, and for a storage that cannot be used.
    """
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    with shared(f"resnet-spec {_digest(plan)}", storage, prunes=plan.prunes) as study:
        worker = Worker(plan, study)
        worker.work()
        return worker.results()


def _digest(plan: Plan) -> str:
    """Of all that the figures depend on, wherever it is."""
    held = folders_in(plan.settings.data)
    pictures = [
        path.relative_to(folder.parent).as_posix()
        for folder in (held.train, held.test)
        for path in sorted(folder.glob("*/*"))
        if not path.name.startswith(".")
    ]
    said = [
        [[spec.stem, digest(load(spec).plan)] for spec in plan.specs],
        plan.settings.model_dump(mode="json", exclude=NO_MATTER | {"data", "lr"}),
        [*plan.rates],
        plan.prunes,
        pictures,
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:12]


class Worker:
    """One of those who train the trials of a study."""

    def __init__(self, plan: Plan, study: optuna.Study) -> None:
        self.plan, self.study = plan, study
        self.files = {spec.stem: spec for spec in plan.specs}
        self.lost = False  # its last trial to another worker

    def work(self) -> None:
        """Train what nobody trains, until all of the plan has ended."""
        said = False
        while True:
            optuna.storages.fail_stale_trials(self.study)
            states = {trial.state for trial in self._trials() if _key(trial)}
            if missing := self._missing():  # one by one, since others do so as well
                fields = missing[0]._asdict()
                self.study.enqueue_trial(fields, user_attrs=fields)
                self._take()
            elif TrialState.WAITING in states:
                self._take()
            elif TrialState.RUNNING in states:
                if not said:
                    _say("nothing is left to take; waiting for what others train")
                said = True
                time.sleep(WAIT)
            else:
                return

    def results(self) -> list[Trained]:
        found = {_key(trial): trial for trial in self._trials() if _counts(trial)}
        return [_result(key, found[key]) for key in self.plan.keys]

    def _trials(self) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False)

    def _missing(self) -> list[Key]:
        """What has neither ended nor somebody who trains it or will."""
        known = {_key(trial) for trial in self._trials() if _counts(trial)}
        return [key for key in self.plan.keys if key not in known]

    def _take(self) -> None:
        """Train the first trial that waits."""
        self.lost = False
        try:
            self.study.optimize(
                self._tried, n_trials=1, catch=(TakenError, DivergedError)
            )
        except StoppedError as stopped:
            _say("the same command goes on with the sweep")
            raise SystemExit(*stopped.args) from None
        except ValueError:  # Optuna's, of a trial that has ended
            if not self.lost:
                raise
            _say("it was silent for too long, so its trial is another worker's")

    def _tried(self, trial: Trial) -> float:
        """The best accuracy of a trial. Raises TrialPruned and what `_take` expects."""
        key = _key(trial)
        if key is None or self._has_another(trial.number, key):
            raise TakenError
        trial.suggest_categorical("spec", [*self.files])
        trial.suggest_categorical("rate", [*self.plan.rates])
        keys = self.plan.keys
        _say(f"{self.plan.run(key)}: {keys.index(key) + 1} of {len(keys)}")
        try:
            rows = self._figures(trial, key)
        except UpdateFinishedTrialError:
            self.lost = True
            raise TakenError from None
        except SystemExit as error:
            raise StoppedError(error.code) from None
        return max(row["test_acc"] for row in rows)

    def _figures(self, trial: Trial, key: Key) -> list[Row]:
        """Those of each epoch, told to the study."""
        try:
            rows = self._rows(key, lambda rows: _report(trial, rows))
        except DivergedError as error:
            trial.set_user_attr("why", str(error))
            _say(str(error))
            raise
        trial.set_user_attr("run", str(self.plan.run(key).absolute()))
        return rows

    def _has_another(self, number: int, key: Key) -> bool:
        """Whether an earlier trial is of the same, as two workers may enqueue it at once."""
        earlier = (trial for trial in self._trials() if trial.number < number)
        return any(_key(trial) == key and _counts(trial) for trial in earlier)

    def _rows(self, key: Key, told: Told) -> list[Row]:
        """The figures of each epoch, trained now where they are not there."""
        settings = self.plan.settings.model_copy(update={"lr": key.rate})
        folder = self.plan.run(key)
        job = _job(self.files[key.spec], settings, folder)
        if job:
            with redirect_stdout(sys.stderr):
                fit(job, told)
        run, _ = opened(folder)
        rows = run.figures()
        if not job:
            told(rows)
        return rows


def _job(spec: Path, settings: Settings, folder: Path) -> Job | None:
    """The trial's run, begun or continued; None where it is finished.

    Raises RunError where the folder has something else in it.
    """
    run = Run(folder, spec_file(str(spec)).module("").stem)
    if not run.begun:
        run.clear()
        return new(str(spec), settings, folder, {})
    there, before = opened(folder)
    classes = {"head.classes": len(there.classes())}
    same = load(there.spec).network.digests == load(spec, classes).network.digests
    wanted = settings.from_anywhere().model_dump(exclude=NO_MATTER)
    if not same or before.model_dump(exclude=NO_MATTER) != wanted:
        message = f"{folder} has a run of another network, or with other settings"
        raise RunError(f"{message}; --runs names another folder")
    return continued(folder, None)


def _report(trial: Trial, rows: list[Row]) -> None:
    """Tell the accuracy of each epoch that was not told. Raises TrialPruned."""
    known = trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values
    for row in rows:
        if (epoch := int(row["epoch"])) not in known:
            trial.report(row["test_acc"], epoch)
    if trial.should_prune():
        raise optuna.TrialPruned


def _key(trial: FrozenTrial | Trial) -> Key | None:
    """What a trial is of; None for one that nobody enqueued."""
    said = trial.user_attrs
    return Key(said["spec"], said["rate"]) if "spec" in said else None


def _counts(trial: FrozenTrial) -> bool:
    """Whether it has ended, or somebody trains it or will. Whoever ends otherwise fails."""
    return trial.state != TrialState.FAIL or "why" in trial.user_attrs


def _result(key: Key, trial: FrozenTrial) -> Trained:
    reached = trial.intermediate_values.values()
    why = trial.user_attrs.get("why", "")
    return Trained(key, None if why else max(reached), len(reached), why)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
