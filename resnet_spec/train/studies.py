"""Where Optuna keeps who trains what: files of SQLite, and PostgreSQL."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from resnet_spec.problems import RunError
from resnet_spec.train import SERVER

BEAT = 5
"""Seconds after which a worker says again that it is alive."""
GRACE = 30
"""Seconds of silence after which its trial is another's."""


@contextmanager
def shared(name: str, storage: str, *, prunes: bool) -> Iterator[optuna.Study]:
    """The study of that name in a storage, a file or `postgresql://...`; made where it is not.

    With `prunes` it prunes by the median. Raises RunError for a storage that cannot be used,
    also while the study is used.
    """
    pruners = optuna.pruners
    with warnings.catch_warnings(), _said_in_a_line():
        warnings.simplefilter("ignore", ExperimentalWarning)  # of heartbeats
        opened = _server(storage) if storage.startswith(SERVER) else _file(storage)
        try:
            yield optuna.create_study(
                study_name=name,
                storage=opened,
                direction="maximize",
                sampler=optuna.samplers.RandomSampler(),  # which is asked for nothing
                pruner=pruners.MedianPruner() if prunes else pruners.NopPruner(),
                load_if_exists=True,
            )
        finally:
            opened.remove_session()
            opened.engine.dispose()


@contextmanager
def _said_in_a_line() -> Iterator[None]:
    """What a storage raises as a RunError, without the address and its password."""
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        cause: Any = (
            error.__cause__ if isinstance(error, StorageInternalError) else error
        )
        said, *_ = str(getattr(cause, "orig", None) or cause).strip().splitlines()
        raise RunError(f"--storage cannot be used: {said}") from None


def _server(address: str) -> optuna.storages.RDBStorage:
    return _opened(address.replace(SERVER, "postgresql+psycopg://", 1))


def _file(file: str) -> optuna.storages.RDBStorage:
    """A file of SQLite. It locks no rows, so that each transaction has to be the only one:
    else two workers may take one trial."""
    whole = Path(file).absolute()
    try:
        whole.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{whole.parent} cannot be made, {error.strerror}") from None
    waiting = {"timeout": 60, "isolation_level": None}  # seconds, while others write
    found = _opened(f"sqlite:///{whole}", connect_args=waiting)
    event.listen(
        found.engine, "begin", lambda to: to.exec_driver_sql("BEGIN IMMEDIATE")
    )
    return found


def _opened(address: str, **settings: Any) -> optuna.storages.RDBStorage:
    """The storage, whose tables several who begin at once may try to make."""
    for _ in range(9):
        try:
            return optuna.storages.RDBStorage(
                address, settings, heartbeat_interval=BEAT, grace_period=GRACE
            )
        except RuntimeError as error:  # made by another version of Optuna
            raise RunError(f"--storage cannot be used: {error}") from None
        except SQLAlchemyError as error:
            made = isinstance(error, IntegrityError) or "already exists" in str(error)
            if not made:
                raise
            time.sleep(1)
    raise RunError(
        "--storage cannot be used: its tables are made by others, and never ready"
    )
