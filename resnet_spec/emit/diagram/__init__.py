"""Network -> a picture: SVG, Mermaid, Graphviz's DOT, or text."""

from __future__ import annotations

from resnet_spec.emit.diagram.characters import text
from resnet_spec.emit.diagram.flowchart import mermaid
from resnet_spec.emit.diagram.graphviz import dot
from resnet_spec.emit.diagram.picture import svg
from resnet_spec.network import Network

__all__ = ["FORMATS", "diagram", "dot", "mermaid", "svg", "text"]

FORMATS = {"svg": svg, "mermaid": mermaid, "dot": dot, "text": text}
"""What draws a network, by the name of the format."""


def diagram(network: Network, format: str = "svg") -> str:  # noqa: A002  # as in the command
    """The network as a picture in one of the `FORMATS`: svg, mermaid, dot or text.

    Its parts in a row, blocks folded, and below them one block of each form in detail, so
    that it does not grow with depth. The same network is the same text. Raises ValueError for
    another format.
    """
    if format not in FORMATS:
        raise ValueError(f"format is {', '.join(FORMATS)}, not {format!r}")
    return FORMATS[format](network)
