"""A network that gives maps on the way instead of what its head makes of the last one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from resnet_spec.network import Network
from resnet_spec.problems import Problem, SpecError


def cut(network: Network, features: Sequence[str | int]) -> Network:
    """The network up to the last of the features, without a head, giving each of them.

    They are `stem`, before its pool, `pool`, after it, and stages, by name or by their
    number from 1 on. The notes are gone, for they were of the whole network.

    Raises SpecError for what the network does not have, and for one that is asked for twice.
    """
    names = [_name(feature) for feature in features]
    known = network.parts
    if not names or len(set(names)) < len(names) or not set(names) <= {*known}:
        message = f"features must be different ones of {', '.join(known)}, got "
        raise SpecError(Problem("features", message + ", ".join(map(str, features))))
    kept = known[: max(map(known.index, names)) + 1]
    return network.replace(
        notes=(),
        pool=network.pool if kept[-1] != "stem" else (),
        stages=tuple(stage for stage in network.stages if stage.name in kept),
        head=(),
        features=tuple(name for name in known if name in names),
    )


def _name(feature: Any) -> Any:
    """A stage's name for its number; `True` and `1.0` are none."""
    return f"layer{feature}" if type(feature) is int else feature
