"""The pictures as Lightning asks for them, on each process."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningDataModule, Trainer
from torch.utils.data import DataLoader, Dataset, DistributedSampler, Sampler

from resnet_spec.network import Shape
from resnet_spec.problems import RunError
from resnet_spec.train.folders import Held
from resnet_spec.train.pictures import (
    Augmented,
    Folder,
    Order,
    Reported,
    batch_of,
    broken_in,
)
from resnet_spec.train.say import say
from resnet_spec.train.settings import Settings


class Pictures(LightningDataModule):
    """Those to train on, in a new order each epoch, and those to evaluate on."""

    trainer: Trainer

    def __init__(self, held: Held, image: Shape, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.train = Folder(held.train, image, settings.augment)
        self.test = Folder(held.test, image)

    def setup(self, stage: str) -> None:  # noqa: ARG002  # Lightning gives it
        """Decode every picture once, each process its share, and say what is broken."""
        broken = self._broken()
        if broken and not self.settings.skip_broken:
            first, *rest = broken.values()
            more = f", and {len(rest)} more" if rest else ""
            raise RunError(f"{first}{more}; --skip-broken leaves broken pictures out")
        for folder in (self.train, self.test):
            folder.leave_out(list(broken))
        train, processes = len(self.train), self.trainer.world_size
        if min(train, self.settings.batch_size) > 1 and train <= processes:
            message = (
                f"{train} pictures to train on are too few for {processes} processes"
            )
            raise RunError(message)
        ones = f"broken one{'s' * (len(broken) != 1)}"
        left = f"; {len(broken)} {ones} left out" if broken else ""
        others = self.train.others + self.test.others
        left += f"; files of other kinds: {others}" if others else ""
        say(f"pictures: {train:,} to train on, {len(self.test):,} to evaluate on{left}")

    def _broken(self) -> dict[str, str]:
        """The files that cannot be decoded, each with the reason, from all processes."""
        processes, rank = self._share()
        files = self.train.files + self.test.files
        found = [broken_in(files[rank::processes], self.settings.workers)] * processes
        if processes > 1:
            torch.distributed.all_gather_object(found, found[rank])
        merged = {file: why for some in found for file, why in some.items()}
        return {file: merged[file] for file in files if file in merged}

    @cached_property
    def digest(self) -> str:
        """A hash of the names of all pictures, relative to the data folder, in order."""
        names = [
            str(Path(file).relative_to(Path(folder.root).parent))
            for folder in (self.train, self.test)
            for file in folder.files
        ]
        return hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]

    def train_dataloader(self) -> DataLoader[Any]:
        pictures, seed = Augmented(self.train, self.settings.seed), self.settings.seed
        order = Order(pictures, *self._share(), seed=seed)
        # A norm may have no variance over a single picture, so that one is left out.
        alone = self.settings.batch > 1 and len(order) % self.settings.batch == 1
        loader = self._loader(pictures, order, drop_last=alone)
        # Lightning starts to read before it sets the epoch, which matters when resuming.
        order.set_epoch(self.trainer.global_step // len(loader))
        return loader

    def val_dataloader(self) -> DataLoader[Any]:
        order = DistributedSampler[int](self.test, *self._share(), shuffle=False)
        return self._loader(self.test, order, drop_last=False)

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:  # noqa: ARG002
        """The batch that was read. Raises what kept it from being read."""
        if isinstance(batch, RunError):
            raise batch
        return batch

    def steps(self) -> int:
        """Steps in an epoch."""
        return len(self.train_dataloader())

    def own(self, number: int) -> int:
        """Pictures from that batch on that only this process has; 0 or less if none.

        Those after them fill up the batch, and another process evaluates them.
        """
        processes, rank = self._share()
        own = len(range(rank, len(self.test), processes))
        return own - number * self.settings.batch

    def _share(self) -> tuple[int, int]:
        return self.trainer.world_size, self.trainer.global_rank

    def _loader(
        self, pictures: Dataset[Any], order: Sampler[Any], drop_last: bool
    ) -> DataLoader[Any]:
        workers = self.settings.workers
        return DataLoader(
            Reported(pictures),
            self.settings.batch,
            sampler=order,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=torch.cuda.is_available(),
            drop_last=drop_last,
            collate_fn=batch_of,
            generator=torch.Generator(),  # else it draws from the network's
        )
