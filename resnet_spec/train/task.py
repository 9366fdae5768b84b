"""What Lightning trains: a network, with its loss, its metrics and its optimizer."""

from __future__ import annotations

import math
from typing import Any

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR
from torchmetrics import MeanMetric, Metric
from torchmetrics.classification import MulticlassAccuracy

from resnet_spec.network import Digests
from resnet_spec.problems import RunError
from resnet_spec.train.data import Pictures
from resnet_spec.train.pictures import mixed
from resnet_spec.train.settings import Settings

Batch = tuple[Tensor, Tensor]  # pictures (N, C, H, W), numbers of classes (N,)


class Classifier(LightningModule):
    """A network that learns the classes of pictures.

    A checkpoint of another network is refused: by its `digests`, where its tensors have other
    names or shapes, or would compute something else. How weights start is no reason.
    """

    def __init__(
        self, net: nn.Module, pictures: Pictures, settings: Settings, known: Digests
    ) -> None:
        super().__init__()
        self.net, self.pictures = net, pictures
        self.settings, self.digests = settings, known
        self.started = ""  # what weights from elsewhere it began with
        classes = len(pictures.train.classes)
        self.metrics = nn.ModuleDict(
            {
                "loss": _mean(),
                "train_acc": _accuracy(classes),
                "test_loss": _mean(),
                "test_acc": _accuracy(classes),
            }
        )
        if settings.freeze_backbone:
            net.requires_grad_(False).eval()  # norms keep their statistics
            for name, module in net.named_children():
                if name in ("dropout", "fc"):
                    module.requires_grad_(True).train()

    def on_train_epoch_start(self) -> None:
        """Dropout and drop path draw the same in an epoch, whatever came before it."""
        torch.manual_seed(
            mixed(self.settings.seed, self.current_epoch, self.global_rank)
        )

    def training_step(self, batch: Batch) -> Tensor:
        images, labels = batch
        logits = self.net(images)
        loss = F.cross_entropy(logits, labels)
        self._measure("loss", loss.detach(), len(labels))
        self._measure("train_acc", logits.detach(), labels)
        return loss

    def validation_step(self, batch: Batch, number: int) -> None:
        images, labels = batch
        own = self.pictures.own(number)
        logits, labels = self.net(images)[:own], labels[:own]
        if own > 0:
            self._measure("test_loss", F.cross_entropy(logits, labels), len(labels))
            self._measure("test_acc", logits, labels)

    def _measure(self, name: str, *values: Any) -> None:
        metric = self.metrics[name]
        assert isinstance(metric, Metric)
        metric.update(*values)

    def measured(self) -> dict[str, float]:
        """What was measured since the last call, over all processes."""
        found = {}
        for name, metric in self.metrics.items():
            assert isinstance(metric, Metric)
            found[name] = float(metric.compute())
            metric.reset()
        return found

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        settings = self.settings
        learning = [p for p in self.net.parameters() if p.requires_grad]
        optimizer: torch.optim.Optimizer
        if settings.optimizer == "sgd":
            momentum = 0.9 if settings.momentum is None else settings.momentum
            optimizer = torch.optim.SGD(
                learning, settings.rate, momentum, weight_decay=settings.weight_decay
            )
        else:
            optimizer = torch.optim.Adam(
                learning, settings.rate, weight_decay=settings.weight_decay
            )
        # Lightning's own count of the steps would start to read pictures of epoch 1.
        steps = self.pictures.steps()  # in an epoch
        schedule = LambdaLR(optimizer, lambda step: _factor(settings, step, steps))
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["layout"] = self.digests.layout
        checkpoint["function"] = self.digests.function
        checkpoint["pictures"] = self.pictures.digest
        checkpoint["started"] = self.started

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        if checkpoint["layout"] != self.digests.layout:
            raise RunError("the checkpoint is of a network with other tensors")
        if checkpoint["function"] != self.digests.function:
            message = "the checkpoint is of a network that computes something else"
            raise RunError(message)
        if checkpoint["pictures"] != self.pictures.digest:
            message = f"{self.settings.data} has other pictures than the run began with"
            raise RunError(message)
        self.started = checkpoint.get("started", "")


def _mean() -> Metric:
    return MeanMetric(nan_strategy="disable")  # a loss that is not a number must show


def _accuracy(classes: int) -> Metric:
    return MulticlassAccuracy(classes, average="micro", validate_args=False)


def _factor(settings: Settings, step: int, steps: int) -> float:
    """Of the learning rate, at that step, with so many in an epoch.

    A tenth while the network warms up, as for ResNet-110 in https://arxiv.org/abs/1512.03385.
    """
    if step < settings.warmup_epochs * steps:
        return 0.1
    done = step / (settings.epochs * steps)
    if settings.schedule == "step":
        return 0.1 ** ((done >= 0.5) + (done >= 0.75))
    if settings.schedule == "cosine":
        return (1 + math.cos(math.pi * done)) / 2
    return 1.0
