"""What a spec claims of its network, held against the network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from resnet_spec.language.fields import Expect
from resnet_spec.network import Network
from resnet_spec.problems import Problem, write
from resnet_spec.problems.words import by_sides


def untrue(expect: Expect, network: Network) -> Iterator[Problem]:
    """A problem for each claim that does not hold, with the computed value."""
    truth: dict[str, Any] = {
        "params": network.params,
        "macs": network.macs,
        "features": tuple(tuple(map(int, stage.output)) for stage in network.stages),
        "output_stride": by_sides(network.output_stride),
    }
    for field, computed in truth.items():
        claimed = getattr(expect, field)
        if claimed is not None and claimed != computed:
            message = (
                f"claims {_shown(claimed)}, and the network has {_shown(computed)}"
            )
            path = ("expect", field)
            yield Problem(
                "untrue-claim", message, path, proposals=write(path, computed)
            )


def _shown(value: Any) -> str:
    if isinstance(value, (int, str)):
        return str(value)
    return f"[{', '.join(str(list(shape)) for shape in value)}]"
