"""A spec file -> its checked network: read, parse, lower, and the claims held to it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from resnet_spec.advice import advice
from resnet_spec.claims import untrue
from resnet_spec.errors import Problem, SpecError
from resnet_spec.ir import Network
from resnet_spec.lower import lower
from resnet_spec.parse import parse
from resnet_spec.source import Source, read
from resnet_spec.spec import Spec


class Compiled(NamedTuple):
    """What was written, what it says, what it is, and what is surely not meant in it."""

    source: Source
    spec: Spec
    network: Network
    warnings: tuple[Problem, ...] = ()


def load(
    file: str | os.PathLike[str], overrides: Mapping[str, Any] | None = None
) -> Compiled:
    """The spec and the network of a file, with overrides such as `{"head.classes": 10}`.

    Overrides make another network, of which the file's own `expect` claims nothing.
    Raises SpecError with every problem found, each with its file, line and column.
    """
    source = read(file, overrides)
    spec = parse(source)
    try:
        network = lower(spec)
    except SpecError as error:
        raise source.refuse(*error.problems) from None
    if spec.expect and (problems := list(untrue(spec.expect, network))):
        raise source.refuse(*problems)
    warnings = source.placed(*advice(spec, network))
    return Compiled(source, spec, network, tuple(warnings))
