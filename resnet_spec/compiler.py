"""A spec file -> its checked network: read, parse, lower, and the claims held to it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from resnet_spec.advice import advice
from resnet_spec.claims import untrue
from resnet_spec.language.document import Source, read
from resnet_spec.language.fields import Spec
from resnet_spec.language.library import spec_path
from resnet_spec.language.parsing import parse
from resnet_spec.lowering import lower
from resnet_spec.network import Network
from resnet_spec.problems import Problem, SpecError


class Compiled(NamedTuple):
    """What was written, what it says, what it is, and what is surely not meant in it."""

    source: Source
    spec: Spec
    network: Network
    warnings: tuple[Problem, ...] = ()


def load(
    file: str | os.PathLike[str],
    overrides: Mapping[str, Any] | None = None,
    features: Sequence[int] = (),
) -> Compiled:
    """The spec and the network of a file, with overrides such as `{"head.classes": 10}`.

    A spec that ships may be given by its name. `features` are numbers of stages to give in
    place of what the head gives. Both make another network, of which the file's own
    `expect` claims nothing.
    Raises SpecError with every problem found, each with its file, line and column.
    """
    source = read(spec_path(file), overrides)
    spec = parse(source)
    try:
        network = lower(spec, features)
    except SpecError as error:
        raise source.refuse(*error.problems) from None
    claimed = spec.expect if not features else None
    if claimed and (problems := list(untrue(claimed, network))):
        raise source.refuse(*problems)
    warnings = source.placed(*advice(spec, network))
    return Compiled(source, spec, network, tuple(warnings))
