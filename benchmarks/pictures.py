"""Folders of pictures out of what scikit-learn ships, to train on without a download.

    python benchmarks/pictures.py digits pictures/digits    ten classes, 8 x 8, gray
    python benchmarks/pictures.py patches pictures/patches  two classes, 224 x 224, color

`digits` are the 1,797 handwritten ones of the UCI test set. `patches` are squares cut at
random places out of two photographs, a temple in China and a flower: those to train on
out of the left three fifths of each, those to measure by out of the right two fifths.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits, load_sample_images
from sklearn.model_selection import train_test_split

SIDE = 224


def digits(folder: Path) -> None:
    """Four fifths to train on, a fifth to measure by, of each digit alike."""
    found = load_digits()
    pixels = np.rint(found.images * (255 / 16)).astype(np.uint8)
    numbers = np.arange(len(pixels))
    parts = train_test_split(
        numbers, test_size=0.2, random_state=0, stratify=found.target
    )
    for name, part in zip(("train", "test"), parts, strict=True):
        for i in part:
            save(folder / name / str(found.target[i]) / f"{i:04}.png", pixels[i])


def patches(folder: Path) -> None:
    """160 of each photograph to train on, 40 to measure by."""
    draw = np.random.default_rng(0)
    found = load_sample_images()
    for file, photograph in zip(found.filenames, found.images, strict=True):
        height, width, _ = photograph.shape
        border = width * 3 // 5
        for name, count, left, right in (
            ("train", 160, 0, border),
            ("test", 40, border, width),
        ):
            for i in range(count):
                y = draw.integers(height - SIDE + 1)
                x = draw.integers(left, right - SIDE + 1)
                patch = photograph[y : y + SIDE, x : x + SIDE]
                save(folder / name / Path(file).stem / f"{i:03}.png", patch)


def save(file: Path, pixels: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)


def main() -> None:
    sets = {"digits": digits, "patches": patches}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("set", choices=sets)
    parser.add_argument("folder", type=Path)
    found = parser.parse_args()
    if found.folder.exists():
        sys.exit(f"{found.folder} is there already")
    sets[found.set](found.folder)


if __name__ == "__main__":
    main()
