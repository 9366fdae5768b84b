"""A folder of pictures -> what a network is fed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from torch.utils.data import Dataset, DistributedSampler, default_collate
from torchvision.datasets import ImageFolder
from torchvision.datasets.folder import IMG_EXTENSIONS
from torchvision.transforms import v2
from tqdm import tqdm

from resnet_spec.network import Shape
from resnet_spec.problems import RunError
from resnet_spec.train.folders import classes_in, mode

MEAN = {1: [0.5], 3: [0.485, 0.456, 0.406]}  # for color ImageNet's, which
STD = {1: [0.5], 3: [0.229, 0.224, 0.225]}  # torchvision's and timm's weights expect
MOVED = 4  # pixels of zeros on each side, https://arxiv.org/abs/1512.03385, section 4.2
DEEP = ("I", "PPM")  # mode and format of a PGM with 16 bits per pixel


class Folder(ImageFolder):  # type: ignore[misc]  # torchvision has no types
    """torchvision's ImageFolder, which also says what is wrong in a folder or a file.

    Folders whose names begin with a dot are not classes.
    """

    samples: list[tuple[str, int]]
    others = 0  # files of the classes whose names are not those of pictures

    def __init__(self, root: Path, image: Shape, augment: str = "off") -> None:
        loader = partial(read, mode=mode(image.channels))
        super().__init__(
            root,
            transform=prepare(image, augment),
            loader=loader,
            is_valid_file=self._is_picture,
            allow_empty=True,
        )
        self._refuse_empty(f"in it ({', '.join(IMG_EXTENSIONS)})")

    def find_classes(self, directory: str) -> tuple[list[str], dict[str, int]]:
        found = classes_in(Path(directory))
        return found, {name: index for index, name in enumerate(found)}

    def _is_picture(self, path: str) -> bool:
        """By its name. Nothing in a folder whose name begins with a dot counts."""
        if any(
            part.startswith(".") for part in Path(path).relative_to(self.root).parts
        ):
            return False
        known = path.lower().endswith(IMG_EXTENSIONS)
        self.others += not known
        return known

    @property
    def files(self) -> list[str]:
        return [path for path, _ in self.samples]

    def leave_out(self, broken: Sequence[str]) -> None:
        """Drop those files. Refuses to leave a class empty."""
        out = set(broken)
        self.samples = [pair for pair in self.samples if pair[0] not in out]
        self.imgs, self.targets = self.samples, [label for _, label in self.samples]
        self._refuse_empty("that can be read")

    def _refuse_empty(self, said: str) -> None:
        found = set(self.targets)
        for index, name in enumerate(self.classes):
            if index not in found:
                raise RunError(f"{Path(self.root, name)} has no picture {said}")


class Augmented(Dataset[tuple[Tensor, int]]):
    """A folder indexed by (number of a picture, epoch), which determine its augmentation.

    It is therefore the same for any number of workers and processes, and after a restart.
    """

    def __init__(self, folder: Folder, seed: int) -> None:
        self.folder, self.seed = folder, seed

    def __len__(self) -> int:
        return len(self.folder)

    def __getitem__(self, key: tuple[int, int]) -> tuple[Tensor, int]:
        index, epoch = key
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(mixed(self.seed, epoch, index))
            image, label = self.folder[index]
            return image, label


class Reported(Dataset[Any]):
    """A dataset that returns the RunError that it would raise; `batch_of` passes it on.

    If a reading process raised it, torch would replace its text with a traceback.
    """

    def __init__(self, pictures: Dataset[Any]) -> None:
        self.pictures = pictures

    def __getitem__(self, key: Any) -> Any:
        try:
            return self.pictures[key]
        except RunError as error:
            return error


def batch_of(items: list[Any]) -> Any:
    """(N, C, H, W) pictures and (N,) labels, or the first RunError among the items."""
    errors = (item for item in items if isinstance(item, RunError))
    return next(errors, None) or default_collate(items)


class Order(DistributedSampler[Any]):
    """An order of all pictures, from the seed and the epoch, dealt to the processes.

    Yields (number of a picture, epoch). With several processes some pictures are dealt
    twice, so that all processes have equally many.
    """

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for index in super().__iter__():
            yield index, self.epoch


def broken_in(files: Sequence[str], workers: int) -> dict[str, str]:
    """The files that cannot be decoded, each with the reason. Decodes all."""
    with ThreadPoolExecutor(max(1, workers)) as pool:
        faults = tqdm(
            pool.map(_fault, files),
            "checking the pictures",
            len(files),
            leave=False,
            disable=None,  # if not in a terminal
        )
        return {file: why for file, why in zip(files, faults, strict=True) if why}


def _fault(file: str) -> str:
    try:
        read(file, "RGB")
    except RunError as error:
        return str(error)
    return ""


def read(file: str | os.PathLike[str], mode: str) -> Image.Image:
    """The picture as `L` or `RGB`, whatever it is: gray, CMYK, transparent, with a palette.

    Of 16 bits per pixel it keeps the upper 8; Pillow's own conversion would clip. Refuses
    32 bits, since nothing says which numbers are black and white.
    """
    try:
        with Image.open(file) as image:
            if image.mode.startswith("I;16") or (image.mode, image.format) == DEEP:
                upper = np.asarray(image) >> 8
                return Image.fromarray(upper.astype(np.uint8)).convert(mode)
            if image.mode in ("I", "F"):
                raise ValueError("its pixels have 32 bits")
            return image.convert(mode)
    except FileNotFoundError:
        raise RunError(f"{file}: no such file") from None
    except Exception as error:  # decoders raise many types for other bytes
        unknown = isinstance(error, UnidentifiedImageError)
        reason = "not a known format" if unknown else " ".join(str(error).split())
        raise RunError(f"{file} cannot be read as a picture, {reason}") from None


def prepare(image: Shape, augment: str = "off") -> v2.Transform:
    """A Pillow picture -> (C, H, W), resized to the network's input and normalized."""
    size = [image.height, image.width]
    channels = image.channels
    resize = v2.RandomResizedCrop if augment == "resized-crop" else v2.Resize
    crop = [v2.RandomCrop(size, padding=MOVED)] if augment == "crop" else []
    flip = [] if augment == "off" else [v2.RandomHorizontalFlip()]
    return v2.Compose(
        [
            v2.PILToTensor(),
            resize(size, antialias=True),
            *crop,
            *flip,
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(MEAN[channels], STD[channels]),
        ]
    )


def mixed(*numbers: int) -> int:
    """One seed from several numbers, as numpy mixes them."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
