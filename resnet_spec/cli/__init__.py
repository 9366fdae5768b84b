"""The command line: parse, call, print. What a training run says is `train.say`'s."""

from __future__ import annotations

from importlib import import_module

import click

from resnet_spec import __version__

__all__ = ["main"]

COMMANDS = {
    "build": "build",
    "check": "check",
    "completion": "completion",
    "digest": "digest",
    "explain": "explain",
    "list": "list_specs",
    "predict": "predict",
    "rule": "rule",
    "schema": "schema",
    "summary": "summary",
    "train": "train",
    "verify": "verify",
}
"""Each command, and what its module and its function are called."""


class Commands(click.Group):
    """The commands, each imported when it is asked for: a build does not load training."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        name = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"{__name__}.{name}"), name)
        return command


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88},
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
