"""Time of an epoch here and in the loop that the tutorials write, in torch alone.

ResNet-34, 224 x 224, batches of 32, Adam: the same network, pictures and number of reading
processes, in turns in one process. An epoch is training and measuring; of ours it leaves
out the checkpoints, of both the start of the first reading processes. Needs the `test` extra,
and makes its pictures:

    python benchmarks/train.py
"""

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from resnet_spec import build_model
from resnet_spec.train import Settings, train

SPEC, BATCH, WORKERS = "specs/resnet34.yaml", 32, 2
PREPARE = v2.Compose(
    [
        v2.Resize((224, 224)),
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ]
)


def bare(data: Path, epochs: int) -> list[float]:
    """Seconds of each epoch: train on all pictures, then count those it gets right."""
    train_set, test_set = (
        ImageFolder(str(data / n), PREPARE) for n in ("train", "test")
    )
    workers: dict[str, Any] = {"num_workers": WORKERS, "persistent_workers": True}
    train_loader = DataLoader(train_set, BATCH, shuffle=True, **workers)
    test_loader = DataLoader(test_set, BATCH, **workers)
    iter(train_loader)  # starts them
    net: nn.Module = build_model(SPEC, num_classes=len(train_set.classes))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    seconds = []
    for epoch in range(epochs):
        start, total, right = time.perf_counter(), 0.0, 0
        net.train()
        for images, labels in train_loader:
            optimizer.zero_grad()
            logits = net(images)
            loss = F.cross_entropy(logits, labels)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
            right += int((logits.argmax(1) == labels).sum())
        net.eval()
        with torch.inference_mode():
            tested = sum(
                int((net(images).argmax(1) == labels).sum())
                for images, labels in test_loader
            )
        seconds.append(time.perf_counter() - start)
        print(
            f"bare epoch {epoch + 1}, loss {total / len(train_set):.4f}, "
            f"train acc {right / len(train_set):.3f}, "
            f"test acc {tested / len(test_set):.3f}, time {seconds[-1]:.1f} sec"
        )
    return seconds


def ours(data: Path, epochs: int, run: Path) -> list[float]:
    """Seconds of each epoch, as the run itself keeps them."""
    settings = Settings(data=data, epochs=epochs, batch_size=BATCH, workers=WORKERS)
    train(SPEC, settings, run)
    rows = csv.DictReader((run / "metrics.csv").read_text().splitlines())
    return [float(row["seconds"]) for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--pictures", type=int, default=160, help="of each class")
    found = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "patches")
        maker = Path(__file__).with_name("pictures.py")
        subprocess.run([sys.executable, maker, "patches", data], check=True)
        for group in data.glob("*/*"):
            for file in sorted(group.iterdir())[found.pictures :]:
                file.unlink()
        theirs, own = [], []
        for turn in range(found.rounds):
            theirs += bare(data, found.epochs)
            own += ours(data, found.epochs, Path(folder, f"run{turn}"))
    a, b = median(theirs), median(own)
    print(
        f"bare loop {a:.1f} s an epoch, resnet-spec train {b:.1f} s: {b / a:.3f} times"
    )


if __name__ == "__main__":
    main()
