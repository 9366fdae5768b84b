"""Network -> a picture: SVG, Mermaid, Graphviz's DOT, or text."""

from resnet_spec.emit.diagram.svg import svg

__all__ = ["svg"]
