"""What is said to a library, and what comes of it."""

from __future__ import annotations

from typing import NamedTuple

from resnet_spec.network import Network


class Asked(NamedTuple):
    """The network that a library builds of a text in its own words.

    `files` are texts by the name that the library looks for beside the weights.
    """

    network: Network
    naming: str
    text: str = ""
    files: tuple[tuple[str, str], ...] = ()
