"""The command that prints a shell's script: completion."""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the SHELL script that completes commands, options, SPECs and files.

    \b
    eval "$(resnet-spec completion bash)"
    """
    from click.shell_completion import get_completion_class

    from resnet_spec.cli import main as group

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(group, {}, "resnet-spec", "_RESNET_SPEC_COMPLETE").source())
