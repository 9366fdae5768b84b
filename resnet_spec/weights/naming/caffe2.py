"""What Caffe2 calls tensors: the files of Detectron, and the `.pkl` that detectron2 reads."""

from __future__ import annotations

from string import ascii_lowercase

from resnet_spec.weights.naming.rules import Library, Shapes, Table
from resnet_spec.weights.naming.tables import shortcut

BLOBS = {"weight": "s", "bias": "b", "running_mean": "rm", "running_var": "riv"}
SPELT_OUT = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "running_mean",
    "running_var": "running_var",
}


def _library(blobs: Table) -> Library:
    """Caffe2's blobs, whose names have no dots; they count no batches."""

    def blob(theirs: str, ours: str) -> dict[str, str]:
        return {f"{ours}.weight": f"{theirs}_w", f"{ours}.bias": f"{theirs}_b"}

    def norm(theirs: str, ours: str, paths: Shapes) -> dict[str, str]:
        kind = "bn" if f"{ours}.running_mean" in paths else "gn"
        counts = {f"{ours}.num_batches_tracked": f"{theirs}_{kind}_count"}
        ends = blobs if kind == "bn" else BLOBS
        return counts | {f"{ours}.{k}": f"{theirs}_{kind}_{v}" for k, v in ends.items()}

    def inside(paths: Shapes, _: int) -> Table:
        table = dict[str, str]()
        for n in range(1, 10):
            branch = f"branch2{ascii_lowercase[n - 1]}"
            table |= blob(branch, f"conv{n}")
            table |= norm(branch, f"bn{n}", paths) | norm(branch, f"norm{n}", paths)
        chain = {v: k for k, v in shortcut(paths, "convolution", "norm").items()}
        if "convolution" in chain:
            table |= blob("branch1", chain["convolution"])
        return table | (
            norm("branch1", chain["norm"], paths) if "norm" in chain else {}
        )

    def outside(paths: Shapes, _: int) -> Table:
        table = {**blob("conv1", "conv1"), **blob("fc1000", "fc")}
        return table | norm("res_conv1", "bn1", paths) | norm("conv1", "norm1", paths)

    return Library(
        lambda stage, block: f"res{stage + 2}_{block}_",
        inside,
        outside,
        classifiers=("fc1000", "pred"),
        whole=True,
    )


CAFFE2 = _library(BLOBS)
CAFFE2_SPELT_OUT = _library(SPELT_OUT)
