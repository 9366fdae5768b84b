"""The command that editors start: lsp."""

from __future__ import annotations

import click

from resnet_spec.cli.failures import reported
from resnet_spec.problems.extras import needs


@click.command()
@click.option("--stdio", is_flag=True, help="What editors pass; there is no other way.")
@reported
def lsp(stdio: bool) -> None:  # noqa: ARG001  # which some editors always pass
    """Answer an editor, on standard input and output, about the specs open in it.

    It follows the Language Server Protocol; docs/editors.md has the lines that make Neovim,
    Helix, Emacs and VS Code start it.

    \b
    resnet-spec lsp
    """
    needs("editor", "pygls")
    from resnet_spec.server import server

    server().start_io()
