"""A compiler for residual networks: a page of YAML in, a checked network and source out.

Importing this does not import torch; `build`, `build_model` and `verify` do when called.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from resnet_spec.canonical import digest
from resnet_spec.compiler import Compiled, load
from resnet_spec.errors import Problem, SpecError
from resnet_spec.ir import Network
from resnet_spec.lower import lower
from resnet_spec.parse import parse
from resnet_spec.render import render
from resnet_spec.source import read
from resnet_spec.spec import Spec
from resnet_spec.summary import summarize

if TYPE_CHECKING:
    import torch

__version__ = "0.1.0"

__all__ = [
    "Compiled",
    "Network",
    "Problem",
    "Spec",
    "SpecError",
    "build_model",
    "digest",
    "load",
    "lower",
    "parse",
    "read",
    "render",
    "summarize",
]


def build_model(
    file: str | os.PathLike[str],
    *,
    num_classes: int | None = None,
    device: torch.device | str | None = None,
    init: bool = True,
) -> torch.nn.Module:
    """The spec's network as a module, from images (N, C, H, W) to (N, num_classes).

    `num_classes` takes the place of the spec's own. `device="meta"` gives shapes without
    storage; `init=False` leaves weights as they lie in memory, for whoever loads them
    next. Raises SpecError for a wrong spec, and ImportError where torch is missing.
    """
    overrides = {} if num_classes is None else {"head.classes": num_classes}
    network = load(file, overrides).network
    from resnet_spec.build import build

    return build(network, device=device, init=init)
