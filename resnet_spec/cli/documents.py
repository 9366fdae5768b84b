"""Commands about the language and the shell: schema, completion."""

from __future__ import annotations

import click

from resnet_spec.cli.common import reported


@click.command()
@click.option("--markdown", is_flag=True, help="Print the reference, docs/language.md.")
@reported
def schema(markdown: bool) -> None:
    """Print the JSON Schema of a spec, for editors.

    \b
    resnet-spec schema > resnet-spec.schema.json
    """
    import json

    from resnet_spec import reference
    from resnet_spec.schema import json_schema

    if markdown:
        click.echo(reference.markdown(), nl=False)
    else:
        click.echo(json.dumps(json_schema(), indent=2))


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the SHELL script that completes commands, options and files.

    \b
    eval "$(resnet-spec completion bash)"
    """
    from click.shell_completion import get_completion_class

    from resnet_spec.cli import main as group

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(group, {}, "resnet-spec", "_RESNET_SPEC_COMPLETE").source())
