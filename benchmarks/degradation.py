"""The plot that the ResNet paper begins with, on pictures that a package ships.

Plain networks and residual ones of 20 and 56 layers learn handwritten digits by equal
training, once for each seed. Needs the `test` extra; runs that are there already are gone
on with, or taken as they are:

    python benchmarks/degradation.py runs/degradation --plot docs/degradation.svg
"""

import argparse
import csv
import subprocess
import sys
from pathlib import Path
from statistics import mean

from matplotlib import rc_context
from matplotlib.figure import Figure

NETS = ("plain/plain20", "plain/plain56", "cifar/resnet20", "cifar/resnet56")
EPOCHS = 60
TRAINING = [  # as in the paper's section 4.2, at the rate by which it warms up deep nets
    *("--optimizer", "sgd", "--lr", "0.01", "--weight-decay", "1e-4"),
    *("--schedule", "step", "--batch-size", "128", "--epochs", str(EPOCHS)),
    *("--set", "input=[3,8,8]", "--workers", "0"),
]
Rows = list[dict[str, float]]


def trained(net: str, seed: int, folder: Path, data: Path) -> Rows:
    """The figures of each epoch of a run; starts it, or goes on with it, where it must."""
    run = folder / f"{Path(net).name}-{seed}"
    options = ["--resume", run]
    if not (run / "run.json").exists():
        options = [net, "--data", data, "--seed", str(seed), "-o", run, *TRAINING]
    if not (run / "model.safetensors").exists():
        command = [sys.executable, "-m", "resnet_spec", "train", *options]
        subprocess.run(command, check=True)
    rows = csv.DictReader((run / "metrics.csv").read_text().splitlines())
    return [{key: float(value) for key, value in row.items()} for row in rows]


def plot(runs: dict[str, list[Rows]], file: Path) -> None:
    """Training loss by epoch: the mean of the seeds, and between which it lies."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, kind in zip(panels, ("plain", "resnet"), strict=True):
        for net, seeds in runs.items():
            name = Path(net).name
            if not name.startswith(kind):
                continue
            deep = name.endswith("56")
            epochs = [row["epoch"] for row in seeds[0]]
            losses = [[row["loss"] for row in rows] for rows in seeds]
            color = "tab:red" if deep else "tab:olive"
            average = [mean(values) for values in zip(*losses, strict=True)]
            axes.plot(epochs, average, color=color, label=f"{name[-2:]} layers")
            axes.fill_between(
                epochs,
                [min(values) for values in zip(*losses, strict=True)],
                [max(values) for values in zip(*losses, strict=True)],
                color=color,
                alpha=0.2,
                linewidth=0,
            )
        axes.set(title=f"{kind} nets", xlabel="epoch", yscale="log")
        axes.grid(alpha=0.3)
        axes.legend()
    panels[0].set_ylabel("training loss")
    with rc_context({"svg.hashsalt": "resnet-spec", "svg.fonttype": "none"}):
        figure.savefig(file, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--plot", type=Path)
    found = parser.parse_args()
    data = found.folder / "digits"
    if not data.exists():
        maker = Path(__file__).with_name("pictures.py")
        subprocess.run([sys.executable, maker, "digits", data], check=True)
    runs = {
        net: [trained(net, seed, found.folder, data) for seed in range(found.seeds)]
        for net in NETS
    }
    for net, seeds in runs.items():
        last = [rows[-1] for rows in seeds]
        losses = ", ".join(f"{row['loss']:.4f}" for row in last)
        right = ", ".join(f"{row['test_acc']:.3f}" for row in last)
        print(f"{Path(net).name:9} training loss {losses}   test acc {right}")
    if found.plot:
        plot(runs, found.plot)


if __name__ == "__main__":
    main()
