"""The folder of a run: what it starts with, and how that is read again."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from resnet_spec import __version__
from resnet_spec.compiler import Compiled
from resnet_spec.emit.source.stamp import made_of
from resnet_spec.language.explanation import explain
from resnet_spec.output import source_of, write
from resnet_spec.problems import RunError
from resnet_spec.train.settings import Settings

RECORD = "run.json"
CLASSES = "classes.txt"


class Record(BaseModel):
    """What run.json says."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    module: str  # the name of the spec and the source, without their suffixes
    settings: Settings


@dataclass(frozen=True)
class Run:
    """A folder, and the name of the spec and the source in it, without suffixes."""

    folder: Path
    module: str

    @property
    def spec(self) -> Path:
        return self.folder / f"{self.module}.yaml"

    @property
    def last(self) -> Path:
        return self.folder / "last.ckpt"

    @property
    def best(self) -> Path:
        return self.folder / "best.ckpt"

    @property
    def weights(self) -> Path:
        return self.folder / "model.safetensors"

    @property
    def metrics(self) -> Path:
        return self.folder / "metrics.csv"

    @property
    def begun(self) -> bool:
        return (self.folder / RECORD).exists()

    def tidy(self) -> None:
        """Remove files that a killed process left half written."""
        for part in self.folder.glob(".*.[0-9]*.[0-9]*"):
            part.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove what a process left that was killed before the run was begun."""
        self.tidy()
        own = {self.spec.name, f"{self.module}.py", CLASSES}
        if any(f.name not in own and f.name[0] != "." for f in self.folder.glob("*")):
            return  # it is somebody's
        for name in own:
            (self.folder / name).unlink(missing_ok=True)

    def figures(self) -> list[dict[str, float]]:
        """Those of each epoch so far; none where they cannot be read."""
        try:
            rows = csv.DictReader(self.metrics.read_text(encoding="utf-8").splitlines())
            return [{name: float(of) for name, of in row.items()} for row in rows]
        except (OSError, ValueError, TypeError):
            return []

    def classes(self) -> list[str]:
        """The names of the classes, in the order of their logits."""
        return _read(self.folder / CLASSES).splitlines()


def refuse_to_overwrite(run: Run) -> None:
    """Refuses a folder for a new run that is not empty or cannot be made."""
    folder = run.folder
    if run.begun:
        message = f"{folder} has a run in it; --resume {folder} continues it, -o names"
        raise RunError(f"{message} another folder")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(f"{folder} is not an empty folder; -o names another")
    above = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise RunError(f"{folder} cannot be made in {above}; -o names another folder")


def create(
    run: Run, compiled: Compiled, settings: Settings, classes: list[str]
) -> None:
    """The files that a run starts with: its spec, source, classes and settings."""
    folder = run.folder
    source = source_of(compiled, made_of(run.spec.name, ""), __version__)
    write(run.spec, explain(compiled.source, compiled.plan, plain=True))
    write(folder / f"{run.module}.py", source)
    write(folder / CLASSES, "".join(f"{name}\n" for name in classes))
    settle(run, settings)


def settle(run: Run, settings: Settings) -> None:
    """Write the settings into the run's folder."""
    record = Record(module=run.module, settings=settings.from_anywhere())
    write(run.folder / RECORD, record.model_dump_json(indent=2) + "\n")


def opened(folder: Path) -> tuple[Run, Settings]:
    """A run that exists, and its settings."""
    try:
        record = Record.model_validate_json(_read(folder / RECORD))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "its text"
        raise RunError(f"{folder / RECORD}: {where}: {first['msg']}") from None
    return Run(folder, record.module), record.settings


def finished(folder: Path, images: list[Path]) -> Run:
    """A run that can predict. Refuses one that is not finished, and missing pictures."""
    run, _ = opened(folder)
    if not run.weights.exists():
        message = f"{folder} is not finished: it has no {run.weights.name}"
        raise RunError(f"{message}; resnet-spec train --resume {folder} continues it")
    refuse_missing(images)
    return run


def refuse_missing(images: list[Path]) -> None:
    for image in images:
        if not image.exists():
            raise RunError(f"{image}: no such file")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        message = f"{file.parent} is not a run: it has no {file.name} that can be read"
        raise RunError(message) from None
