"""The classes of `layers` that a network uses, as text."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

from resnet_spec.network import Conv3x3, Layer, Network
from resnet_spec.problems.words import snake

LAYERS = Path(__file__).parents[2] / "layers"


def layer_sources(network: Network) -> tuple[list[str], list[str]]:
    """The import lines and the class texts of the network's layers, each once."""
    ops = [op for _, op in network.distinct_ops() if isinstance(op, Layer)]
    varied = [op for op in ops if isinstance(op, Conv3x3) and op.varies]
    used = {op.module for op in ops}.union(*(op.used for op in varied))
    makers = [str(m) for op in varied for m in op.inside.makers.values()]
    imports = (
        {"from functools import partial"} if any("(" in m for m in makers) else set()
    )
    classes = []
    for name in sorted(used):
        text = (LAYERS / f"{snake(name)}.py").read_text(encoding="utf-8")
        nodes = ast.parse(text).body
        imports |= {ast.unparse(node) for node in _imports(nodes)}
        (made,) = (node for node in nodes if isinstance(node, ast.ClassDef))
        classes.append("\n".join(text.split("\n")[made.lineno - 1 : made.end_lineno]))
    return sorted(imports), classes


def _imports(nodes: Iterable[ast.stmt]) -> Iterable[ast.stmt]:
    return (node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom)))


def merged(lines: Iterable[str]) -> list[str]:
    """The import lines, those from one module as one.

    >>> merged(["from abc import B", "import math", "from abc import A"])
    ['from abc import A, B', 'import math']
    """
    names: dict[str, set[str]] = {}
    for line in lines:
        start, _, imported = line.rpartition("import ")
        names.setdefault(start, set()).update(imported.split(", "))
    return sorted(f"{start}import {', '.join(sorted(n))}" for start, n in names.items())
