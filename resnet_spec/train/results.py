"""What a finished run leaves: weights, curves, and a page that says how to use them."""

from __future__ import annotations

import io
import json

from safetensors.torch import save

from resnet_spec.network import Network
from resnet_spec.output import write
from resnet_spec.train.checkpoints import read
from resnet_spec.train.folders import MODES
from resnet_spec.train.pictures import MEAN, STD
from resnet_spec.train.run import Run
from resnet_spec.train.watch import History, Row

PREFIX = "net."  # of the network's tensors in a checkpoint


def export(run: Run, network: Network, history: History) -> Row:
    """Write them for the epoch that was best on held-out pictures; returns its figures."""
    best = read(run.best)
    rows, held_out = history.rows, history.held_out
    row: Row = rows[best["epoch"]]
    tensors = {
        name.removeprefix(PREFIX): tensor.contiguous()
        for name, tensor in best["state_dict"].items()
        if name.startswith(PREFIX)
    }
    write(
        run.weights,
        save(tensors, said_of(network, best.get("started", ""), run.classes())),
    )
    write(run.folder / "curves.svg", curves(rows, network.title, held_out))
    write(run.folder / "predict.py", script(run, network))
    write(run.folder / "README.md", page(run, network, row, held_out))
    return row


def said_of(network: Network, started: str, classes: list[str]) -> dict[str, str]:
    """What the file of weights says of itself: in one entry, since several have no order."""
    digests = network.digests
    said = {
        "network": network.name,
        "title": network.title,
        "layout": digests.layout,
        "function": digests.function,
        "weights": started,
        "classes": classes,
    }
    known = {k: v for k, v in said.items() if v}
    return {"resnet_spec": json.dumps(known, ensure_ascii=False)}


def curves(rows: list[Row], title: str, held_out: str) -> bytes:
    """Loss and accuracy by epoch, as SVG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    epochs = [row["epoch"] for row in rows]
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    figure.suptitle(title)
    for axes, kind in zip(figure.subplots(1, 2), ("loss", "acc"), strict=True):
        train = "loss" if kind == "loss" else "train_acc"
        axes.plot(epochs, [row[train] for row in rows], ".-", label="train")
        axes.plot(epochs, [row[f"test_{kind}"] for row in rows], ".-", label=held_out)
        axes.set(xlabel="epoch", ylabel="accuracy" if kind == "acc" else kind)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
    file = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "resnet-spec", "svg.fonttype": "none"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def page(run: Run, network: Network, row: Row, held_out: str) -> str:
    """The README of a run."""
    return f"""\
# A run of {network.title}

Epoch {row["epoch"]}, the best on `{held_out}`: loss {row["loss"]:.4f}, \
train acc {row["train_acc"]:.3f}, {held_out} acc {row["test_acc"]:.3f}.

In this folder, without resnet-spec:

```python
{_loading(run, network)}
```

`python predict.py picture.png` does this, and prepares the picture as in training; it needs
torch, torchvision, safetensors and Pillow.

| file | what it is |
| --- | --- |
| `{run.module}.yaml` | the spec |
| `{run.module}.py` | the network, generated from it |
| `model.safetensors` | its weights |
| `classes.txt` | the classes, in the order of its logits |
| `predict.py` | prints the probability of each class |
| `metrics.csv`, `curves.svg` | loss and accuracy of each epoch |
| `best.ckpt`, `last.ckpt` | checkpoints; `resnet-spec train --resume` continues from the last |
| `run.json` | the settings |
"""


def script(run: Run, network: Network) -> str:
    """The predict.py of a run: the probability of each class, in torch and torchvision."""
    image, channels = network.image, network.image.channels
    return f"""\
\"\"\"The probability of each class of a picture: python predict.py picture.png\"\"\"

import sys
from pathlib import Path

import torch
from PIL import Image, UnidentifiedImageError
from safetensors.torch import load_file
from torchvision.transforms import v2

from {run.module} import {network.name}

if len(sys.argv) != 2:
    sys.exit(__doc__)
file = sys.argv[1]

here = Path(__file__).parent
model = {network.name}().eval()
model.load_state_dict(load_file(here / "model.safetensors"))

prepare = v2.Compose(
    [
        v2.PILToTensor(),
        v2.Resize(({image.height}, {image.width})),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize({MEAN[channels]}, {STD[channels]}),
    ]
)
try:
    image = Image.open(file)
    if image.mode in ("I", "I;16"):
        image = image.point(lambda value: value / 256)  # convert() would clip it
    picture = prepare(image.convert("{MODES[channels]}"))
except FileNotFoundError:
    sys.exit(f"{{file}}: no such file")
except UnidentifiedImageError:
    sys.exit(f"{{file}} cannot be read as a picture, not a known format")
except (OSError, SyntaxError, ValueError) as error:  # as decoders answer broken files
    sys.exit(f"{{file}} cannot be read as a picture, {{error}}")
with torch.inference_mode():
    probabilities = model(picture.unsqueeze(0)).softmax(1)[0].tolist()

classes = (here / "classes.txt").read_text(encoding="utf-8").splitlines()
for probability, name in sorted(zip(probabilities, classes), reverse=True):
    print(f"{{probability:.3f}}  {{name}}")
"""


def _loading(run: Run, network: Network) -> str:
    return f"""\
from safetensors.torch import load_file
from {run.module} import {network.name}

model = {network.name}().eval()
model.load_state_dict(load_file("model.safetensors"))"""
