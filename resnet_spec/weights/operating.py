"""A file's network with other channels or classes, or up to a part, and its weights."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from resnet_spec.emit.module import build
from resnet_spec.network import Network
from resnet_spec.passes.cut import cut
from resnet_spec.problems import SpecError
from resnet_spec.weights.identity import Opened
from resnet_spec.weights.naming.rules import classifies
from resnet_spec.weights.operation import Operation
from resnet_spec.weights.reading import listed
from resnet_spec.weights.stored import Stored, WeightsError, contiguous
from resnet_spec.weights.surgery import adapted, refuse_unknown
from resnet_spec.weights.values import read as values


def operated(read: Opened, operation: Operation) -> Opened:
    """What was read of a file, changed so; its `done` says in what.

    Raises WeightsError, in a line, where that cannot be.
    """
    refuse_unknown(operation.channels_by, None)
    if operation.channels == read.network.image.channels:
        raise WeightsError(f"{read.file}: is of {operation.channels} channels already")
    network = _changed(read, operation)
    new: dict[str, Tensor] = {}
    if operation.channels is not None:
        new |= _first(read, network, operation)
    if operation.classes is not None:
        new |= _classifier(read, network, operation.seed or 0)
    names, kept = (
        {**read.reading.table, **{our: our for our in new}},
        dict(network.tensors()),
    )
    table = {our: their for our, their in names.items() if our in kept}
    behind = (their for our, their in names.items() if our not in kept)
    reading = read.reading._replace(table=table, beside=(*read.reading.beside, *behind))
    changed = read._replace(
        network=network,
        reading=reading,
        tensors=read.tensors | {our: _stored(tensor) for our, tensor in new.items()},
        done=(*_said(read, network, operation),),
    )
    _refuse_unfit(changed)
    return changed


def _changed(read: Opened, operation: Operation) -> Network:
    _, *sides = map(int, read.network.image)
    fields = {
        "input": operation.channels and [operation.channels, *sides],
        "head.classes": operation.classes,
    }
    asked = {field: value for field, value in fields.items() if value is not None}
    try:
        network = read.other(asked) if asked else read.network
        return cut(network, operation.features) if operation.features else network
    except SpecError as error:
        raise WeightsError(f"{read.file}: {error.problems[0].said}") from None


def _first(read: Opened, network: Network, operation: Operation) -> dict[str, Tensor]:
    """The first convolution, which reads the channels, by its name."""
    our, first = next((name, t) for name, t in network.tensors() if len(t.shape) == 4)
    weight = values(read.tensors[read.reading.table[our]])
    groups = max(
        1, first.shape[1] // int(network.image.channels)
    )  # pixels read at once
    return {our: adapted(weight, first.shape[1], operation.rule, groups)}


def _classifier(read: Opened, network: Network, seed: int) -> dict[str, Tensor]:
    """The classifier as training starts from it, with numbers of the file's type."""
    dtype = getattr(torch, read.tensors[next(iter(read.reading.table.values()))].dtype)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        drawn = build(network).state_dict()
    return {our: tensor.to(dtype) for our, tensor in drawn.items() if classifies(our)}


def _said(read: Opened, network: Network, operation: Operation) -> Iterator[str]:
    """`3 input channels made 4 by repeat`, `up to layer3`."""
    if operation.channels is not None:
        were = int(read.network.image.channels)
        channels = f"channel{'s' * (were != 1)}"
        yield f"{were} input {channels} made {operation.channels} by {operation.rule}"
    if operation.classes is not None:
        seed = operation.seed or 0
        yield f"a new classifier of {operation.classes} classes, drawn from seed {seed}"
    if operation.features:
        yield f"up to {network.features[-1]}"


def _refuse_unfit(read: Opened) -> None:
    """Where channels are read by more than one full convolution."""
    held = {our: read.tensors[their].shape for our, their in read.reading.table.items()}
    other = [
        name for name, t in read.network.tensors() if held.get(name, t.shape) != t.shape
    ]
    if other:
        raise WeightsError(
            f"{read.file}: {listed(other)} would be of other shapes, for which there is no rule"
        )


def _stored(tensor: Tensor) -> Stored:
    held = tensor.detach().contiguous()
    data = bytearray(held.view(torch.uint8).numpy().tobytes())
    dtype, shape = str(held.dtype).removeprefix("torch."), tuple(held.shape)
    return Stored(dtype, shape, lambda: data, 0, contiguous(shape))
