"""The network that a file is of, and which of its tensors are that network's. No torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from resnet_spec.compiler import load
from resnet_spec.network import Network
from resnet_spec.weights import files
from resnet_spec.weights.dtypes import dtype, is_real
from resnet_spec.weights.files.safetensors_file import metadata
from resnet_spec.weights.inference import InferenceError, Inferred, infer
from resnet_spec.weights.inference.candidate import fields
from resnet_spec.weights.inference.changed import changed
from resnet_spec.weights.inference.index import table, traits
from resnet_spec.weights.inference.structure import lowered
from resnet_spec.weights.naming.rules import CLASSIFIER, COUNT, Shapes, classifies
from resnet_spec.weights.reading import Reading, listed
from resnet_spec.weights.recognition import (
    Recognized,
    dotted,
    recognized,
    refuse_unknown_naming,
)
from resnet_spec.weights.stored import Stored, WeightsError

STARTED = "resnet_spec.counts"
"""Metadata of safetensors: the counts of batches that a file had not, and which began at 0."""


class AmbiguousError(WeightsError):
    """Names and shapes are those of several networks, with the candidates, in a line."""


Other = Callable[[Mapping[str, Any]], Network]
"""The same network with other fields, as `head.classes`. Raises SpecError."""


class Source(NamedTuple):
    """A file and which of its tensors are meant, as for `load_weights`."""

    file: Path
    key: str | None = None
    prefix: str | None = None
    naming: str | None = None


class Opened(NamedTuple):
    """A file that was read as a network's.

    `said` is its metadata, `beside` the keys of other state dicts in it. `done` is what
    was changed of it since.
    """

    file: Path
    tensors: dict[str, Stored]
    said: dict[str, str]
    beside: tuple[str, ...]
    network: Network
    reading: Reading
    other: Other
    done: tuple[str, ...] = ()


def opened(
    source: Source,
    spec: str = "",
    assume: str = "",
    overrides: Mapping[str, Any] | None = None,
) -> Opened:
    """The file as the network of a spec with overrides, or as what names and shapes tell.

    Classes and channels are those of the file, unless overrides say others. `assume` answers
    what names and shapes cannot tell, as for `infer`. Raises AmbiguousError where nothing does,
    SpecError for a wrong spec, and WeightsError, in a line, for what else is wrong.
    """
    refuse_unknown_naming(source.naming)
    found = files.opened(source.file, source.key)
    said = metadata(source.file)
    tensors = _meant(found.tensors, source, said)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if spec:
        network, other, reading = _of_spec(shapes, spec, overrides or {}, source)
    else:
        network, other, reading = _inferred(shapes, assume, source)
    _refuse_others(reading, tensors, source.file)
    return Opened(source.file, tensors, said, found.beside, network, reading, other)


def _meant(
    found: Mapping[str, Stored], source: Source, said: Mapping[str, str]
) -> dict[str, Stored]:
    """Those below the prefix, without the counts that were added to them."""
    try:
        top = dotted(source.prefix, found) or ""
    except WeightsError as error:
        raise WeightsError(f"{source.file}: {error}") from None
    kept = {name: tensor for name, tensor in found.items() if name.startswith(top)}
    added = said.get(STARTED, "").split()
    return {name: tensor for name, tensor in kept.items() if name not in added}


def _refuse_others(reading: Reading, tensors: Mapping[str, Stored], file: Path) -> None:
    other = [
        f"{their} is {dtype(tensors[their])}"
        for our, their in reading.table.items()
        if not is_real(tensors[their]) and not our.endswith(COUNT)
    ]
    if other:
        raise WeightsError(
            f"{file} has weights that are no real numbers: {listed(other)}"
        )


def _inferred(
    shapes: Shapes, assume: str, source: Source
) -> tuple[Network, Other, Reading]:
    file = source.file
    try:
        found = infer(shapes, assume, source.naming)
    except InferenceError as error:
        raise WeightsError(f"{file}: {error}") from None
    if found.asked and found.specs:
        raise AmbiguousError(f"{file}: {found.asked}, or --spec SPEC")
    if found.asked:
        raise AmbiguousError(
            f"{file}: no spec that ships has such names and shapes; give --spec SPEC, which "
            "`resnet-spec infer` can begin"
        )
    other = _other(found)
    network = other({})
    read = recognized(shapes, dict(network.tensors()), source.naming)
    return network, other, _one(read, file, network.name)


def _other(found: Inferred) -> Other:
    if not found.specs:
        return partial(lowered, found.text)
    row = next(each for each in table() if each.spec == found.specs[0])
    return partial(_spec_with, row.spec, fields(row, traits(found.trunk.shapes)))


def _spec_with(spec: str, own: Mapping[str, Any], others: Mapping[str, Any]) -> Network:
    return changed(spec, {**own, **others})[1].network


def _of_spec(
    shapes: Shapes, spec: str, overrides: Mapping[str, Any], source: Source
) -> tuple[Network, Other, Reading]:
    network = load(spec, overrides).network
    found = recognized(shapes, dict(network.tensors()), source.naming)
    ends = _ends(network, found)
    if ends.keys() & overrides.keys():
        ends = {}
    other = partial(_spec_with, spec, {**overrides, **ends})
    if ends:
        network = other({})
        found = recognized(shapes, dict(network.tensors()), source.naming)
    return network, other, _one(found, source.file, spec)


def _ends(network: Network, found: Recognized) -> dict[str, Any]:
    """The classes and channels that the file has, where they are not the spec's."""
    near = found.readings[0] if found.readings else found.nearest
    if near is None:
        return {}
    ends: dict[str, Any] = {}
    if near.missing and all(map(classifies, near.missing)):
        ends["head.classes"] = "none"
    first = next((name for name, t in network.tensors() if len(t.shape) == 4), "")
    ours = dict(network.tensors())
    for our, _, there in near.differing:
        here = ours[our].shape
        if our == f"{CLASSIFIER}.weight" and there[1:] == here[1:]:
            ends["head.classes"] = there[0]
        if our == first and (there[0], *there[2:]) == (here[0], *here[2:]):
            channels, *sides = network.image
            ends["input"] = [channels * there[1] // here[1], *map(int, sides)]
    return ends


def _one(found: Recognized, file: Path, what: str) -> Reading:
    if found.reading:
        return found.reading
    if found.readings:
        raise WeightsError(f"{file}: {found}")
    said = str(found).partition(": ignore=")[0]  # nothing is, here
    raise WeightsError(f"{file} is not {what}: {said}")
