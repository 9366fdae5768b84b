"""What tables are made of: modules that are numbered, shortcuts, stems."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from resnet_spec.weights.naming.rules import LONGEST, Shapes, Table


def numbered(ours: str, theirs: Callable[[int], str]) -> dict[str, str]:
    """Our modules that are called so and numbered, from 1.

    >>> numbered("conv", lambda n: f"layer.{n - 1}")["conv3"]
    'layer.2'
    """
    return {f"{ours}{n}": theirs(n) for n in range(1, LONGEST + 1)}


def norms(theirs: Callable[[int], str]) -> dict[str, str]:
    """Our numbered norms, whichever we call them."""
    return {**numbered("bn", theirs), **numbered("norm", theirs)}


@cache
def alike(*kinds: str) -> Table:
    """Numbered modules that they call as we do."""
    return {f"{kind}{n}": f"{kind}{n}" for kind in kinds for n in range(1, LONGEST + 1)}


def shortcut(paths: Shapes, convolution: str, norm: str) -> dict[str, str]:
    """A projection: a convolution, maybe with a norm, wherever in its chain they are.

    Empty for other shortcuts.
    """
    chain = {
        path.rpartition(".")[0] for path in paths if path.startswith("downsample.")
    }
    found = {path: len(paths.get(f"{path}.weight", ())) for path in chain}
    if sorted(found.values()) not in ([4], [1, 4]):
        return {}
    names = {4: convolution, 1: norm}
    return {path: names[dimensions] for path, dimensions in found.items()}


def stem(paths: Shapes) -> tuple[list[str], list[str]]:
    """Our convolutions before the first stage and their norms, in order.

    >>> stem({"conv1.weight": (64, 3, 7, 7), "bn1.weight": (64,), "bn1.bias": (64,)})
    (['conv1'], ['bn1'])
    """
    steps = sorted(
        {
            int(p.split(".")[1])
            for p in paths
            if p.startswith("conv1.") and p[6].isdigit()
        }
    )
    chain = [f"conv1.{step}" for step in steps]
    convolutions = [p for p in chain if len(paths.get(f"{p}.weight", ())) == 4]
    inner = [p for p in chain if p not in convolutions and f"{p}.bias" in paths]
    return (
        convolutions + counted(paths, "conv"),
        inner + counted(paths, "bn", "norm"),
    )


def counted(paths: Shapes, *kinds: str) -> list[str]:
    """Those of our modules that are called so and numbered, in order."""
    found = (f"{kind}{n}" for n in range(1, LONGEST + 1) for kind in kinds)
    return [path for path in found if f"{path}.weight" in paths]
