"""The pictures as Lightning asks for them, on each process."""

from __future__ import annotations

from typing import Any

import torch
from pytorch_lightning import LightningDataModule, Trainer
from torch.utils.data import DataLoader, Dataset, DistributedSampler, Sampler

from resnet_spec.ir import Shape
from resnet_spec.train.options import Options, RunError
from resnet_spec.train.pictures import Augmented, Folder, Held, Order, broken_in
from resnet_spec.train.say import say


class Pictures(LightningDataModule):
    """Those to train on, in an order of their own each epoch, and those to measure by."""

    trainer: Trainer

    def __init__(self, held: Held, image: Shape, options: Options) -> None:
        super().__init__()
        self.options = options
        self.batch = options.batch_size // options.processes  # of one process
        self.train = Folder(held.train, image, options.augment)
        self.test = Folder(held.test, image)

    def setup(self, stage: str) -> None:  # noqa: ARG002  # Lightning gives it
        """Look at every picture once, in one process, and tell the others what is broken."""
        broken: dict[str, str] = {}
        if self.trainer.is_global_zero:
            broken = broken_in((self.train, self.test), self.options.workers)
        broken = self.trainer.strategy.broadcast(broken)
        if broken and not self.options.skip_broken:
            first, *others = broken.values()
            more = f", and {len(others)} more" if others else ""
            raise RunError(f"{first}{more}; --skip-broken leaves such out")
        for folder in (self.train, self.test):
            folder.leave_out(list(broken))
        left = f", {len(broken)} broken ones left out" if broken else ""
        train, test = len(self.train), len(self.test)
        say(f"pictures: {train:,} to train on, {test:,} to measure by{left}")

    def train_dataloader(self) -> DataLoader[Any]:
        pictures, seed = Augmented(self.train, self.options.seed), self.options.seed
        order = Order(pictures, *self._share(), seed=seed)
        # A norm over a batch of one picture has nothing to go by, so that one waits.
        alone = self.batch > 1 and len(order) % self.batch == 1
        loader = self._loader(pictures, order, drop_last=alone)
        # Lightning starts to read before it sets the epoch, which matters to a resumed run.
        order.set_epoch(self.trainer.global_step // len(loader))
        return loader

    def val_dataloader(self) -> DataLoader[Any]:
        order = DistributedSampler[int](self.test, *self._share(), shuffle=False)
        return self._loader(self.test, order, drop_last=False)

    def steps(self) -> int:
        """Steps in an epoch."""
        return len(self.train_dataloader())

    def own(self, number: int) -> int:
        """Pictures of that batch to measure by; those behind them another process has too."""
        processes, rank = self._share()
        return len(range(rank, len(self.test), processes)) - number * self.batch

    def _share(self) -> tuple[int, int]:
        return self.trainer.world_size, self.trainer.global_rank

    def _loader(
        self, pictures: Dataset[Any], order: Sampler[Any], drop_last: bool
    ) -> DataLoader[Any]:
        workers = self.options.workers
        return DataLoader(
            pictures,
            self.batch,
            sampler=order,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=torch.cuda.is_available(),
            drop_last=drop_last,
            generator=torch.Generator(),  # else its seed is drawn out of the network's
        )
