"""A network beside what a library builds for its weights."""

from __future__ import annotations

from resnet_spec.compare.changes import changes
from resnet_spec.network import Network
from resnet_spec.passes.cut import cut
from resnet_spec.weights.reading import listed
from resnet_spec.weights.renaming import Conversion

FEW = 3  # of what differs, in a line
STARTS = ("starts at", "first weights")  # which evaluation does not see


def apart(network: Network, built: Network, whose: str) -> str:
    """That it computes something else, and in what, in a line; empty where it does not.

    >>> from resnet_spec import load
    >>> apart(load("resnet18d").network, load("resnet18").network, "timm").partition(";")[0]
    'timm builds another network for them'
    """
    if network.digests.function == built.digests.function:
        return ""
    found = [
        each
        for each in changes(built, network)
        if not any(s in each.said for s in STARTS)
    ]
    said = [f"{listed(each.places)}: {each.said}" for each in found]
    more = f"; {len(said) - FEW} more" if len(said) > FEW else ""
    shown = "; ".join(said[:FEW])
    return (
        f"{whose} builds another network for them"
        + f"; in this one {shown}{more}" * bool(said)
    )


def warnings(made: Conversion) -> list[str]:
    """Why the library, given converted weights, computes something else, a line each."""
    said = [*made.warnings]
    if made.asked:
        parts, built = made.network.features, made.asked.network
        built = cut(built, parts) if parts else built
        said.append(apart(made.network, built, made.library))
    return [text for text in said if text]
