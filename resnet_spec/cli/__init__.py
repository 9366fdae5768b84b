"""The command line: parse, call, print. What a training run says is `train.say`'s."""

from __future__ import annotations

import click

from resnet_spec import __version__
from resnet_spec.cli import (
    build,
    check,
    completion,
    digest,
    explain,
    list_specs,
    predict,
    rule,
    schema,
    summary,
    train,
    verify,
)

__all__ = ["main"]


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88}
)
@click.version_option(__version__, prog_name="resnet-spec")
def main() -> None:
    """Compile a page of YAML into a checked residual network and readable PyTorch.

    A SPEC is a YAML file, the name of a spec that ships, or a folder, which means all
    *.yaml in and below it.

    \b
    resnet-spec build specs/resnet50.yaml               write generated/resnet50.py
    resnet-spec build specs -o models                   all of them, below models/
    resnet-spec build specs/resnet50.yaml -o - --set head.classes=10
    resnet-spec summary specs/resnet50.yaml             shapes and costs by stage
    resnet-spec explain specs/resnet101.yaml            all that it extends, worked in
    resnet-spec check specs                             only look for mistakes
    resnet-spec rule stage-count                        what a mistake is about
    resnet-spec list                                    what ships, by family
    """


for command in (
    build.build,
    check.check,
    summary.summary,
    explain.explain,
    digest.digest,
    verify.verify,
    train.train,
    predict.predict,
    list_specs.list_specs,
    rule.rule,
    schema.schema,
    completion.completion,
):
    main.add_command(command)
