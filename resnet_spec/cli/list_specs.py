"""The command that shows what ships: list."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import click

from resnet_spec.cli.failures import fail
from resnet_spec.language.reading import read
from resnet_spec.language.shipped import family, shipped, shortest
from resnet_spec.problems.words import counted


@click.command("list")
@click.argument("names", nargs=-1, metavar="[WORD...]")
def list_specs(names: tuple[str, ...]) -> None:
    """Print the specs that ship, by family, with parameters and MACs.

    WORDs keep those that have all of them in their name or family. Each name is a SPEC to
    the other commands.

    \b
    resnet-spec list
    resnet-spec list resnext
    """
    found = [
        (folder, key)
        for folder, key in sorted((family(key), key) for key in shipped())
        if all(name in f"{folder} {key}" for name in names)
    ]
    if not found:
        fail(f"no spec that ships has {' and '.join(names)} in its name or family")
    for folder, group in groupby(found, key=lambda pair: pair[0]):
        click.echo(folder)
        for line in _lines([key for _, key in group]):
            click.echo(f"  {line}")


def _lines(keys: list[str]) -> Iterator[str]:
    """A line a spec, in columns; the figures are its own claims, which its build proves."""
    names = [shortest()[key] for key in keys]
    width = max(map(len, names))
    for name, key in zip(names, keys, strict=True):
        claims = read(shipped()[key]).root.data["expect"]
        params, macs = f"{claims['params']:,}", counted(claims["macs"])
        yield f"{name:{width}}  {params:>13} parameters  {macs:>9}MACs"
