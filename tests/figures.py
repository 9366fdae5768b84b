"""Parameters, multiply-adds and activations that others publish, beside ours.

`python -m tests.figures > docs/figures.md` writes the page of them. torchvision's are in its
package, timm's and those of papers in `tests/tables`; which of our specs is a library's model,
`tests/conformance.csv` says.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from itertools import groupby
from math import prod
from pathlib import Path
from typing import NamedTuple

import torchvision

from resnet_spec import load
from resnet_spec.network import (
    BatchNorm,
    BilinearAttention,
    BlurPool2d,
    Conv,
    GlobalAvgPool,
    GlobalContext,
    GroupNorm,
    Network,
    Norm,
    Op,
    StdConv2d,
)

HERE = Path(__file__).parent
UNITS = (6, 9, 6)  # powers of ten, of parameters, multiply-adds and activations

# Of what is not equal, who is wrong and why.
SIZES = ("50", "101", "50x4", "50x16", "50x64")
TABLE1 = "arXiv 1512.03385 table 1"
CLIP = "timm attends from every pixel and classifies all, and uses what one gives"
NOTES = {
    **{("timm", f"resnet{size}_clip"): CLIP for size in SIZES},
    ("timm", "ecaresnext50t_32x4d"): "timm counted a network with the depths of "
    "`ecaresnext26t_32x4d`, 2, 2, 2, 2; it has mended them since",
    (
        TABLE1,
        "resnet34",
    ): "the paper's has no projections, as `plain34`; ours has them, as torchvision's",
    (
        TABLE1,
        "v1/resnet50_v1",
    ): "the paper cut 3.858, and rounded 7.570 and 11.282 of the same table",
}


class Figure(NamedTuple):
    """What a source publishes of a model for images of `side` pixels, and what ours has.

    Three of each, as `UNITS`; the published ones as printed, and empty where there is none.
    """

    source: str
    model: str
    side: int
    published: tuple[str, ...]
    counted: tuple[int, ...]

    @property
    def ours(self) -> tuple[Decimal, ...]:
        return tuple(
            Decimal(n).scaleb(-u) for n, u in zip(self.counted, UNITS, strict=True)
        )

    @property
    def differs(self) -> tuple[bool, ...]:
        """Whether ours is no number that rounds to it; a tie rounds both ways."""
        return tuple(
            said != ""
            and abs(Decimal(said) - ours) > Decimal("0.5").scaleb(-_places(said))
            for said, ours in zip(self.published, self.ours, strict=True)
        )

    @property
    def cells(self) -> Iterator[str]:
        """Each published number, and in brackets ours with up to two digits more."""
        each = zip(self.published, self.ours, self.differs, strict=True)
        for said, ours, differs in each:
            exact = f"{ours:.{min(_places(said) + 2, 6)}f}"
            yield f"{'**' * differs}{said}{'**' * differs} ({exact})" if said else ""


def _places(said: str) -> int:
    """The digits behind the point."""
    return len(said.partition(".")[2])


@cache
def figures() -> list[Figure]:
    return [*_timm(), *_torchvision(), *_papers()]


def _timm() -> Iterator[Figure]:
    specs = _specs("timm")
    for row in _rows("tables/timm.csv"):
        model, side, *said = row.values()
        if model in specs:
            network = load(specs[model], {"input": [3, int(side), int(side)]}).network
            two = tuple(f"{float(number):.2f}" for number in said)
            flops, given = fvcore(network)
            if model.startswith("tresnet"):  # whose pool is no module, and not counted
                flops -= prod(network.head[0].input)
            yield Figure("timm", model, int(side), two, (network.params, flops, given))


def _torchvision() -> Iterator[Figure]:
    """Of all weights; most of a model's have the same."""
    found: dict[Figure, None] = {}
    for model, spec in _specs("torchvision").items():
        if "." not in model:  # nor a part of a model
            for weights in torchvision.models.get_model_weights(model):
                (side,) = weights.transforms().crop_size
                network = load(spec, {"input": [3, side, side]}).network
                params = f"{Decimal(weights.meta['num_params']).scaleb(-6)}"
                said = (params, f"{weights.meta['_ops']:.3f}", "")
                found[Figure("torchvision", model, side, said, _counts(network))] = None
    yield from found


def _papers() -> Iterator[Figure]:
    for row in _rows("tables/papers.csv"):
        source, spec, *said = row.values()
        network = load(spec).network
        yield Figure(source, spec, network.image.height, (*said, ""), _counts(network))


def _counts(network: Network) -> tuple[int, int, int]:
    return network.params, network.macs, 0


def _specs(library: str) -> dict[str, str]:
    rows = _rows("conformance.csv")
    return {row["model"]: row["spec"] for row in rows if row["library"] == library}


def _rows(file: str) -> list[dict[str, str]]:
    with (HERE / file).open(newline="") as lines:
        return list(csv.DictReader(lines))


FLOPS = {BatchNorm: 2, GroupNorm: 5, GlobalAvgPool: 1}  # a number read


def fvcore(network: Network) -> tuple[int, int]:
    """What fvcore 0.1.5 counts: flops in evaluation, and activations, for one image.

    Flops are our multiply-adds and what norms and the last pool compute; activations, the
    numbers that convolutions and linear layers give. By nn/jit_handles.py and
    nn/activation_count.py of https://github.com/facebookresearch/fvcore.
    """
    found = [_fvcore(op) for _, op in network.ops()]
    return sum(flops for flops, _ in found), sum(given for _, given in found)


def _fvcore(op: Op) -> tuple[int, int]:
    if isinstance(op, Norm | GlobalAvgPool):
        each = [flops for kind, flops in FLOPS.items() if isinstance(op, kind)]
        return sum(each) * prod(op.input), 0
    if isinstance(op, BlurPool2d):
        return op.macs, op.macs // op.taps**2
    flops = op.macs
    if isinstance(op, GlobalContext):  # of pixels, a product, and two of means
        means = op.input.channels + op.squeezed
        return flops + 5 * op.squeezed, prod(op.input[1:]) + op.input.channels + means
    if isinstance(
        op, BilinearAttention
    ):  # four 1x1 with norms, two shares, two products
        pixels, squeezed = prod(op.input[1:]), op.squeezed
        normed = (op.input.channels + 2 * squeezed + 2) * pixels
        return flops + 2 * normed, normed + 2 * 128 + 2 * squeezed * pixels
    if isinstance(op, StdConv2d):
        flops += 4 * op.tensors[0].size  # a batch norm of the weights
    given = last = 0
    for tensor in op.tensors:
        if len(tensor.shape) > 1:
            last = _given(op, tensor.shape)
            given += last
        elif tensor.name.endswith("running_mean"):  # a norm of what the last one gave
            flops += FLOPS[BatchNorm] * last
    return flops, given


def _given(op: Op, weight: tuple[int, ...]) -> int:
    """The numbers that a convolution or linear layer of the op gives."""
    filters, _, *window = weight
    if len(window) == 1:  # along the channels
        return filters * op.input.channels
    of_pixels = isinstance(op, Conv) or prod(window) > 1  # the others are of means
    return filters * op.output.height * op.output.width if of_pixels else filters


TITLE = """\
# Published figures, and ours

What others publish of a network, as they print it, and in brackets what its spec here has.
{equal} of {count} lines agree in every digit. Of the others, the number that differs is in
bold, and the line says who is wrong and why; `tests/test_figures.py` holds that.

Parameters and activations are in millions, multiply-adds in thousands of millions, for one
square image. Papers and torchvision count the multiply-adds of convolutions and linear layers,
as we do. timm counts with fvcore, which adds 2 for each number that a batch norm reads, 5 for
one that a group norm reads, 1 for one that the last average pool reads, and 4 for each weight
that is standardized; so do the numbers beside timm's. Activations are the numbers that
convolutions and linear layers give.

Made by `python -m tests.figures > docs/figures.md`.
"""
ABOUT = {
    "timm": "`results/benchmark-infer-amp-nchw-pt291-cu128-4090.csv` of "
    "https://github.com/huggingface/pytorch-image-models at aa4b585.",
    "torchvision": "`num_params` and `_ops` of its weights.",
}
HEAD = """
| model | image | parameters | multiply-adds | activations | note |
| --- | --- | --- | --- | --- | --- |
"""


def page() -> str:
    """In Markdown, a table for each source."""
    known = figures()
    text = TITLE.format(
        equal=sum(not any(figure.differs) for figure in known), count=len(known)
    )
    for source, rows in groupby(known, lambda figure: figure.source):
        about = ABOUT.get(source)
        text += f"\n## {source}\n" + (f"\n{about}\n" if about else "") + HEAD
        for figure in rows:
            note = NOTES.get(figure[:2], "")
            cells = (f"`{figure.model}`", str(figure.side), *figure.cells, note)
            text += f"| {' | '.join(cells)} |\n"
    models = dict.fromkeys(row["model"] for row in _rows("tables/timm.csv"))
    if missing := [f"`{model}`" for model in models if model not in _specs("timm")]:
        text += f"\n## Without a spec here\n\nOf timm, {', '.join(missing)}.\n"
    return text


if __name__ == "__main__":
    print(page(), end="")
