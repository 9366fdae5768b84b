"""A spec file -> its checked network: read, parse, lower, and the claims held to it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from resnet_spec.advice import advice
from resnet_spec.claims import untrue
from resnet_spec.language.fields import Spec
from resnet_spec.language.parsing import generated, parse
from resnet_spec.language.plan import Plan
from resnet_spec.language.reading import read
from resnet_spec.language.shipped import spec_path
from resnet_spec.language.source import Source
from resnet_spec.lowering import lower, noted
from resnet_spec.network import Network
from resnet_spec.passes.cut import cut
from resnet_spec.passes.fold import fold
from resnet_spec.problems import Place, Problem, SpecError
from resnet_spec.problems.words import flow


class Compiled(NamedTuple):
    """What was written, what it says, what it is, and what is probably a mistake in it."""

    source: Source
    plan: Plan
    network: Network
    warnings: tuple[Problem, ...] = ()

    @property
    def spec(self) -> Spec:
        return self.plan.spec

    def __repr__(self) -> str:
        count = len(self.warnings)
        warned = f", {count} warning{'s' * (count != 1)}" if count else ""
        return f"<Compiled {self.source.root.place.file}{warned}: {self.network!r}>"


def load(
    file: str | os.PathLike[str],
    overrides: Mapping[str, Any] | None = None,
    features: Sequence[str | int] = (),
    *,
    deploy: bool = False,
) -> Compiled:
    """The spec and the network of a file, with overrides such as `{"head.classes": 10}`.

    A spec that ships may be given by its name. `features` are parts to give instead of what
    the head gives: `stem`, `pool`, `layer1` or 1 and so on. With `deploy` the network is that
    of evaluation alone, with norms in its convolutions. All make another network, of which the
    file's own `expect` claims nothing.
    Raises SpecError with every problem found, each with its file, line and column.
    """
    source = generated(read(spec_path(file), overrides))
    return compiled(source, overrides, features, deploy=deploy)


def compiled(
    source: Source,
    overrides: Mapping[str, Any] | None = None,
    features: Sequence[str | int] = (),
    *,
    deploy: bool = False,
) -> Compiled:
    """What `load` gives, of a source that was read."""
    plan, network = lowered(source)
    claimed = plan.spec.expect if not (features or deploy) else None
    if claimed and (problems := list(untrue(claimed, network))):
        raise source.refuse(*problems)
    if features:
        if unread := list(_unread(overrides or {})):
            raise SpecError(*unread)
        network = _cut(plan, network, features)
    if deploy:
        network = noted(plan, fold(network))
    warnings = source.placed(*advice(plan, network))
    return Compiled(source, plan, network, tuple(warnings))


def lowered(source: Source) -> tuple[Plan, Network]:
    """What a source says, and the network that it is.

    Raises SpecError with every problem found, each at its place in the source.
    """
    plan = parse(source)
    try:
        return plan, lower(plan)
    except SpecError as error:
        raise source.refuse(*error.problems) from None


def _unread(overrides: Mapping[str, Any]) -> Iterator[Problem]:
    """Overrides that nothing reads in a network that gives features."""
    for key, value in overrides.items():
        if key.split(".")[0] == "head":
            place = Place(f"override {key}={flow(value)}")
            yield Problem(
                "features",
                "changes nothing, features have no head; leave it out",
                place=place,
            )


def _cut(plan: Plan, network: Network, features: Sequence[str | int]) -> Network:
    """The network that gives these; what it does not have is no mistake in a line."""
    try:
        return noted(plan, cut(network, features))
    except SpecError as error:
        place = Place(network.name)
        problems = (problem._replace(place=place) for problem in error.problems)
        raise SpecError(*problems) from None
