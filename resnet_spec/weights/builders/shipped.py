"""The networks of a library that are specs that ship, by what names and shapes they have."""

from __future__ import annotations

from collections.abc import Iterator

from resnet_spec.network import Network
from resnet_spec.problems import SpecError
from resnet_spec.weights.inference.candidate import fields
from resnet_spec.weights.inference.changed import changed
from resnet_spec.weights.inference.index import Row, alike, ordered, traits


def nearest(network: Network, library: str) -> tuple[Row, Network] | None:
    """The library's own network that computes what this one does, else one with its tensors.

    For the classes and channels of this one; None where the library has none.
    """
    first = None
    for found in _alike(network, library):
        if found[1].digests.function == network.digests.function:
            return found
        first = first or found
    return first


def _alike(network: Network, library: str) -> Iterator[tuple[Row, Network]]:
    known = traits({name: tensor.shape for name, tensor in network.tensors()})
    counted = known._replace(counts=False)  # of frozen norms, and of others
    for row in ordered(alike(counted)):
        if library in row.libraries:
            try:
                _, compiled = changed(row.spec, fields(row, known))
            except SpecError:
                continue
            yield row, compiled.network
