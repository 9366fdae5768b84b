"""Network -> a row for each of its layers; several networks -> a row for each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from resnet_spec.expansion import Call, Known, expand, total
from resnet_spec.network import Network
from resnet_spec.problems.words import counted

# --- layers -------------------------------------------------------------------------------


class LayerRow(NamedTuple):
    """A module that holds no other: its path, class, output for one image, and costs."""

    path: str
    module: str
    output: tuple[int, ...]
    params: int
    macs: int
    activations: int


LAYER_COLUMNS = ("layer", "module", "output", "parameters", "MACs", "activations")


def layers(network: Network, batch: int = 1) -> list[LayerRow]:
    """Every layer in the order in which it runs, one that runs twice twice.

    Multiply-adds and activations are those of `batch` images.
    """
    return [
        row._replace(macs=batch * row.macs, activations=batch * row.activations)
        for row in _layers(expand(network), "", {})
    ]


def _layers(call: Call, path: str, known: Known) -> Iterator[LayerRow]:
    for step in call.steps:
        inner = step.call
        if not inner.module:
            continue
        name = f"{path}{step.name}"
        if inner.is_leaf:
            yield LayerRow(name, inner.module, inner.output, *total(inner, known))
        else:
            yield from _layers(inner, f"{name}.", known)


def layer_cells(rows: Sequence[LayerRow]) -> list[tuple[str, ...]]:
    """The layers as text, below their columns."""
    texts = [
        (
            row.path,
            row.module,
            " x ".join(map(str, row.output)),
            *map("{:,}".format, row[3:]),
        )
        for row in rows
    ]
    return [LAYER_COLUMNS, *texts]


# --- several networks -----------------------------------------------------------------------

HEAD = ("network", "input", "parameters", "MACs", "activations")


class Listed(NamedTuple):
    """A network among others, by the name of its spec; costs are those of one image."""

    name: str
    input: tuple[int, ...]
    params: int
    macs: int
    activations: int


FIELDS = Listed._fields
"""What networks are sorted by, and limited in where it is a number."""


def listed(name: str, network: Network) -> Listed:
    channels, height, width = map(int, network.image)
    found = total(expand(network), {})
    return Listed(name, (channels, height, width), *found)


def cells(rows: Sequence[Listed]) -> list[tuple[str, ...]]:
    """The rows as text, below their columns."""
    found: list[tuple[str, ...]] = [HEAD]
    for row in rows:
        image = " x ".join(map(str, row.input))
        macs, activations = (counted(count).strip() for count in row[3:])
        found.append((row.name, image, f"{row.params:,}", macs, activations))
    return found
