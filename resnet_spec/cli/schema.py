"""The command about the language itself: schema."""

from __future__ import annotations

import click

from resnet_spec.cli.failures import put, reported


@click.command()
@click.option("--markdown", is_flag=True, help="Print the reference, docs/language.md.")
@reported
def schema(markdown: bool) -> None:
    """Print the JSON Schema of a spec, for editors.

    \b
    resnet-spec schema > resnet-spec.schema.json
    """
    import json

    from resnet_spec.language import reference
    from resnet_spec.language.schema import json_schema

    if markdown:
        put(reference.markdown())
    else:
        put(json.dumps(json_schema(), indent=2) + "\n")
