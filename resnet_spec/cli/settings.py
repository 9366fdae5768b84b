"""The settings of a training as options of a command."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args

import click
from pydantic import ValidationError

from resnet_spec.cli.common import READ_AS
from resnet_spec.train.settings import Settings

METAVARS = {"data": "DIR", "weights": "FILE"}


def setting_options(
    names: Iterable[str],
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The command with those fields of Settings as options, each None where not given."""

    def options(command: Callable[..., None]) -> Callable[..., None]:
        for name in reversed([*names]):
            option = READ_AS.get(name) or _option(name)
            command = option(command)
        return command

    return options


def settings_of(given: Mapping[str, Any]) -> Settings:
    """The settings that options say. Raises UsageError for wrong ones."""
    try:
        return Settings(**given)
    except ValidationError as error:
        raise click.UsageError(_first(error)) from None


def _option(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    field = Settings.model_fields[name]
    flag, kind = f"--{name.replace('_', '-')}", field.annotation
    shown = isinstance(field.default, (str, int, float)) and kind is not bool
    default = f"  [default: {field.default}]" if shown else ""
    said = field.description or ""
    text = f"{said[:1].upper()}{said[1:]}.{default}"
    if kind is bool:
        return click.option(flag, is_flag=True, default=None, help=text)
    if type(None) in get_args(kind):
        kind = get_args(kind)[0]  # of `float | None`
    one = click.Choice(words) if (words := get_args(kind)) else kind
    return click.option(flag, type=one, metavar=METAVARS.get(name), help=text)


def _first(error: ValidationError) -> str:
    """`--lr: input should be greater than 0, got -1.0`"""
    found = error.errors()[0]
    text = found["msg"].removeprefix("Value error, ")
    if not found["loc"]:
        return text
    flag = str(found["loc"][0]).replace("_", "-")
    return f"--{flag}: {text.lower()}, got {found['input']}"
