"""The command line: parse, call, print. What a training run says is `train.say`'s."""

from __future__ import annotations

import codecs
import gc
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

import click

from resnet_spec import __version__

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["main"]

COMMANDS = {
    "bench": "Measure how long networks take, in each form.",
    "build": "Write each network as a standalone PyTorch module.",
    "check": "Look for mistakes, and write nothing.",
    "completion": "Print the script that completes words in a shell.",
    "convert": "Give weights the names of another library.",
    "cost": "Say what networks cost, by every tool's rules.",
    "diff": "Say what changes from one spec or file to another.",
    "diagram": "Draw a network: SVG, Mermaid, DOT or text.",
    "digest": "Print digests: equal where networks are.",
    "explain": "Print a spec whole, and where each value comes from.",
    "export": "Write a network with its weights, as ONNX.",
    "features": "Print the maps of networks, with receptive fields.",
    "infer": "Say of what network a checkpoint is.",
    "list": "Print the specs that ship, by family.",
    "lsp": "Answer an editor about the specs open in it.",
    "page": "Write one HTML page that compares networks.",
    "predict": "Print the likeliest classes of pictures, by a run.",
    "rule": "Explain what a mistake is about.",
    "schema": "Print the JSON Schema of a spec, for editors.",
    "summary": "Print shapes, parameters and MACs, stage by stage.",
    "sweep": "Cost the networks of a space, and write the best.",
    "train": "Train a network on a folder of pictures.",
    "verify": "Compare a network with another library's.",
}
"""Each command, and what the list of them says of it."""
MODULES = {"list": "list_specs"}
"""What the module and the function of a command are called, where not as itself."""


class Commands(click.Group):
    """The commands, each imported when it is run: a build does not load training."""

    def main(self, *args: Any, **settings: Any) -> Any:
        """What click does, and no output ends in a traceback."""
        codecs.register_error("spelled", _spelled)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="spelled")
        try:
            return super().main(*args, **settings)
        except OSError as error:
            from resnet_spec.problems.words import reason

            click.echo(f"the output cannot be written, {reason(error)}", err=True)
            sys.exit(1)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command. What importing makes is no garbage, so it is not looked for."""
        if cmd_name not in COMMANDS:
            return None
        name = MODULES.get(cmd_name, cmd_name)
        gc.disable()
        try:
            module = import_module(f"{__name__}.{name}")
        finally:
            gc.freeze()
            gc.enable()
        command: click.Command = getattr(module, name)
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=summary)
            for name, summary in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)


SPELLED = str.maketrans("─│┌┐└┘├┤┬┴", "-|++++++++")


def _spelled(error: UnicodeError) -> tuple[str, int]:
    """What is printed for characters that an encoding lacks, as those of pipes on Windows."""
    assert isinstance(error, UnicodeEncodeError)
    missing = error.object[error.start : error.end]
    spelled = missing.translate(SPELLED).encode("ascii", "backslashreplace")
    return spelled.decode(), error.end


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88},
)
@click.version_option(__version__, prog_name="resnet-spec")
def main() -> None:
    """Compile a page of YAML into a checked residual network and readable PyTorch.

    A SPEC is a YAML file, the name of a spec that ships, - for standard input, or, where
    a command takes several, a folder, which means all *.yaml in and below it.

    \b
    resnet-spec build specs/resnet50.yaml               write generated/resnet50.py
    resnet-spec build specs -o models                   all of them, below models/
    resnet-spec build specs/resnet50.yaml -o - --set head.classes=10
    resnet-spec summary specs/resnet50.yaml             shapes and costs by stage
    resnet-spec diff resnet50 v1/resnet50_v1            what changes, and what weights do
    resnet-spec explain specs/resnet101.yaml            all that it extends, worked in
    resnet-spec check specs                             only look for mistakes
    resnet-spec rule stage-count                        what a mistake is about
    resnet-spec list                                    what ships, by family
    """
