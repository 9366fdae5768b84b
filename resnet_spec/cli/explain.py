"""The command that prints a spec whole: explain."""

from __future__ import annotations

from typing import Any

import click

from resnet_spec.cli.common import SET, SPEC
from resnet_spec.cli.failures import put, reported
from resnet_spec.compiler import load


@click.command()
@SPEC
@click.option("--plain", is_flag=True, help="Leave out where each value comes from.")
@SET
@reported
def explain(spec: str, plain: bool, overrides: tuple[tuple[str, Any], ...]) -> None:
    """Print SPEC whole: all that it extends, all defaults, and where each value comes from.

    \b
    resnet-spec explain specs/wide_resnet50_2.yaml
    resnet-spec explain specs/resnet101.yaml --plain > whole.yaml
    """
    from resnet_spec.language import explanation

    compiled = load(spec, dict(overrides))
    put(explanation.explain(compiled.source, compiled.plan, plain))
