"""What a training run can be told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from resnet_spec.problems import RunError
from resnet_spec.weights.naming import NAMINGS

RATES = {"adam": 1e-3, "sgd": 0.1}  # Adam's own default; SGD's in the ResNet paper
Positive = Annotated[int, Field(ge=1)]


class Settings(BaseModel):
    """How to train. The same settings, spec and pictures give the same weights on a CPU."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    data: Path = Field(
        description="folder with train/<class>/* and test/<class>/*, or val"
    )
    epochs: Positive = Field(default=5, description="times that each picture is seen")
    batch_size: Positive = Field(
        default=32, description="pictures per step, over all processes"
    )
    optimizer: Literal["adam", "sgd"] = Field(default="adam", description="Adam or SGD")
    lr: float | None = Field(
        default=None, gt=0, lt=1e3, description="learning rate (adam: 0.001, sgd: 0.1)"
    )
    momentum: float | None = Field(
        default=None, ge=0, lt=1, description="of SGD only (sgd: 0.9)"
    )
    weight_decay: float = Field(
        default=0.0, ge=0, description="L2 penalty on all weights (0.0001 in the paper)"
    )
    schedule: Literal["constant", "step", "cosine"] = Field(
        default="constant",
        description="of the learning rate; step divides it by 10 after 1/2 and 3/4 of "
        "the steps, cosine lowers it to 0",
    )
    warmup_epochs: int = Field(
        default=0,
        ge=0,
        description="epochs at a tenth of the learning rate first (1 for the paper's "
        "ResNet-110)",
    )
    seed: int = Field(
        default=0,
        ge=0,
        lt=2**32,
        description="for the first weights, the order and the augmentation",
    )
    augment: Literal["off", "flip", "crop", "resized-crop"] = Field(
        default="off",
        description="flip: left and right at random; crop: that, moved by up to 4 pixels "
        "(CIFAR-10 in the paper); resized-crop: that, a random part resized (ImageNet)",
    )
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = Field(
        default="32-true", description="as Lightning calls it"
    )
    weights: Path | None = Field(
        default=None,
        description="file of tensors to start from, with our names or another library's; "
        "what other classes or other channels of pictures make unfit is left out",
    )
    naming: str | None = None
    key: str | None = None
    prefix: str | None = None
    channels_by: Literal["sum", "mean", "repeat", "first"] | None = Field(
        default=None,
        description="how the first convolution of --weights is made to read pictures of "
        "other channels; left out, it is not taken",
    )
    freeze_backbone: bool = Field(
        default=False,
        description="train only the classifier; norms keep their statistics",
    )
    skip_broken: bool = Field(
        default=False,
        description="leave out pictures that cannot be read, and count them",
    )
    workers: int = Field(
        default_factory=lambda: min(4, os.cpu_count() or 1),
        ge=0,
        description="processes that read pictures, for each one that trains, and as many "
        "again to evaluate; the results do not depend on it",
    )
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = Field(
        default="auto", description="what to train on"
    )
    devices: Positive = Field(
        default=1, description="processes on each machine, with a device each"
    )
    nodes: Positive = Field(default=1, description="machines")
    strategy: Literal["auto", "ddp"] = Field(
        default="auto",
        description="Lightning's; auto is ddp if there are several processes",
    )

    @model_validator(mode="after")
    def _no_setting_is_without_effect(self) -> Settings:
        if self.momentum is not None and self.optimizer != "sgd":
            raise ValueError("momentum is SGD's; adam has none")
        for name, value in self.choices.items():
            if value is not None and not self.weights:
                raise ValueError(f"{name} is that of weights, and there are none")
        if self.naming is not None and self.naming not in NAMINGS:
            known = ", ".join(NAMINGS)
            raise ValueError(f"naming must be one of {known}, got {self.naming}")
        if self.warmup_epochs >= self.epochs:
            raise ValueError(
                f"warmup_epochs must be fewer than the {self.epochs} epochs"
            )
        if self.batch_size % self.processes:
            raise ValueError(
                f"batch_size {self.batch_size} cannot be divided among "
                f"{self.processes} processes"
            )
        return self

    def longer(self, epochs: int) -> Settings:
        """The same with more epochs. Those trained so far would have been the same."""
        if epochs < self.epochs:
            raise RunError(f"the run has {self.epochs} epochs already, not {epochs}")
        if epochs > self.epochs and self.schedule != "constant":
            message = (
                f"the {self.schedule} schedule of the run ends at epoch {self.epochs}"
            )
            raise RunError(f"{message}; --weights starts a new one from its weights")
        return self.model_copy(update={"epochs": epochs})

    def from_anywhere(self) -> Settings:
        """The same, with paths that do not depend on the working folder."""
        paths = {"data": self.data, "weights": self.weights}
        whole = {name: path.absolute() for name, path in paths.items() if path}
        return self.model_copy(update=whole)

    @property
    def choices(self) -> dict[str, str | None]:
        """What is told of the weights."""
        names = ("naming", "key", "prefix", "channels_by")
        return {name: getattr(self, name) for name in names}

    @property
    def processes(self) -> int:
        return self.devices * self.nodes

    @property
    def batch(self) -> int:
        """Pictures in a step of one process."""
        return self.batch_size // self.processes

    @property
    def rate(self) -> float:
        """The learning rate to begin with."""
        return RATES[self.optimizer] if self.lr is None else self.lr
