"""Checkpoints: how they are written and read, and which of them are kept."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.plugins.io import TorchCheckpointIO

from resnet_spec.output import write
from resnet_spec.problems import RunError


class WholeFiles(TorchCheckpointIO):
    """Checkpoints that appear whole or not at all, and are read as tensors only."""

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        path: Any,
        storage_options: Any = None,  # noqa: ARG002  # of remote files
    ) -> None:
        data = io.BytesIO()
        torch.save(checkpoint, data)
        write(Path(path), data.getvalue())

    def load_checkpoint(self, path: Any, *_: Any, **__: Any) -> dict[str, Any]:
        return read(Path(path))


class Keep(ModelCheckpoint):
    """Lightning's callback, which would forget the best epoch if its folder were moved."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict({**state_dict, "dirpath": self.dirpath})


class KeepLast(Keep):
    """The last epoch, which is said when it is kept, so that stopping then loses nothing."""

    def __init__(self, say: Callable[[Trainer], None], **settings: Any) -> None:
        super().__init__(**settings)
        self.say = say

    def on_train_epoch_end(self, trainer: Trainer, *rest: Any) -> None:
        super().on_train_epoch_end(trainer, *rest)
        self.say(trainer)


def read(file: Path) -> dict[str, Any]:
    """A checkpoint of a run. Refuses other files, and more than tensors and numbers."""
    try:
        found = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise RunError(f"{file}: no such file") from None
    except Exception as error:  # torch raises many types for files of other kinds
        reason = type(error).__name__
        raise RunError(f"{file} is not a checkpoint ({reason})") from None
    if not isinstance(found, dict) or "layout" not in found:
        raise RunError(f"{file} is not a checkpoint of resnet-spec")
    return found
