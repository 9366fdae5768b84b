"""What a run prints and keeps of each epoch: a line, and a row of metrics.csv."""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import TQDMProgressBar

from resnet_spec.output import write
from resnet_spec.problems import RunError
from resnet_spec.train.say import say
from resnet_spec.train.task import Classifier

COLUMNS = ("epoch", "loss", "train_acc", "test_loss", "test_acc", "seconds")
Row = dict[str, float]
Told = Callable[[list[Row]], None]
"""Given the figures of all epochs when one was kept; what it raises ends the run."""


class DivergedError(RunError):
    """A loss that is no number, which is the network's and the rate's own fault."""


class Bar(TQDMProgressBar):
    """Lightning's progress bar, which counts epochs from 1, as all else here does."""

    def on_train_epoch_start(self, trainer: Trainer, *rest: Any) -> None:
        super().on_train_epoch_start(trainer, *rest)
        self.train_progress_bar.set_description(f"epoch {trainer.current_epoch + 1}")


class History(Callback):
    """Keeps each epoch's figures, also in the checkpoints; says them when the epoch is kept."""

    def __init__(self, file: Path, held_out: str, told: Told) -> None:
        self.file, self.held_out, self.told = file, held_out, told
        self.rows: list[Row] = []
        self.started = 0.0

    def on_train_epoch_start(self, *_: Any) -> None:
        self.started = time.perf_counter()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, Classifier)
        measured = pl_module.measured()
        seconds = time.perf_counter() - self.started
        row = {"epoch": trainer.current_epoch + 1, **measured, "seconds": seconds}
        if not math.isfinite(row["loss"]):
            message = (
                f"the loss of epoch {row['epoch']} is {row['loss']}; a smaller --lr"
            )
            raise DivergedError(f"{message} may help")
        self.rows.append(row)
        pl_module.log("test_acc", row["test_acc"], sync_dist=True)
        if trainer.is_global_zero:
            write(self.file, table(self.rows))

    def say(self, trainer: Trainer) -> None:
        """Print the line of the last epoch, above the bar where there is one, and tell all."""
        said = line(self.rows[-1], self.held_out)
        if trainer.progress_bar_callback:
            trainer.lightning_module.print(said)
        else:
            say(said)
        self.told(self.rows)

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = list(state_dict["rows"])


def line(row: Row, held_out: str) -> str:
    """`epoch 1, loss 0.6219, train acc 0.755, test acc 0.760, time 26.4 sec`"""
    return (
        f"epoch {row['epoch']}, loss {row['loss']:.4f}, "
        f"train acc {row['train_acc']:.3f}, {held_out} acc {row['test_acc']:.3f}, "
        f"time {row['seconds']:.1f} sec"
    )


def table(rows: list[Row]) -> str:
    """The rows as CSV, one for each epoch."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
