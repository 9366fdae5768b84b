"""Plain data of networks -> one HTML file that shows, plots and compares them.

The file is complete by itself: style, scripts, the plotting library and all data are in it,
and its content security policy forbids the browser any request and any other script. What is
large is compressed, and unpacked when it is looked at.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from types import MappingProxyType
from typing import Any, NamedTuple

HERE = Path(__file__).parent
SCRIPTS = ("data.js", "table.js", "plot.js", "details.js", "comparison.js", "main.js")
GENERATOR = '<meta name="generator" content="resnet-spec'
"""What each page has in its head, by which it is known."""


WRAPPED = re.compile(
    r"(.*?\*/\n).*?\(\) => \{\n(.*\nwindow\.Plotly = Plotly;\n)", re.DOTALL
)
"""The license of plotly.js, and what is in its wrapper for loaders of modules."""


class Table(NamedTuple):
    """Rows of cells, whose first says what the row is of. Numbers are shown exactly."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | float, ...], ...]


Axis = tuple[str, str]
"""A figure that the plot shows, and what is better of it, `less` or `more`."""
AXES: tuple[Axis, Axis] = (("MACs", "less"), ("params", "more"))
"""Across and upward, where nothing else is asked for."""


class Measured(NamedTuple):
    """What was measured of a network: figures, from where to where they go, and tables."""

    figures: Mapping[str, float] = MappingProxyType({})
    spreads: Mapping[str, tuple[float, float]] = MappingProxyType({})
    tables: tuple[Table, ...] = ()


class Entry(NamedTuple):
    """What the page has of a network."""

    name: str
    family: str
    title: str
    paper: tuple[str, str] | None  # title, address
    figures: Mapping[str, int | float]  # to sort, filter and plot by; a word each
    digests: Mapping[
        str, str
    ]  # by respect: layout, function, ...; equal where networks are
    tables: tuple[Table, ...]  # two networks are compared cell by cell
    file: str  # what its source is called
    source: str
    diagram: str  # SVG
    spreads: Mapping[str, tuple[float, float]] = MappingProxyType({})
    """From where to where a figure goes, of those that are measured; bars in the plot."""


def page(
    entries: Sequence[Entry],
    library: str,
    version: str,
    axes: tuple[Axis, Axis] = AXES,
) -> str:
    """The text of the HTML file, in ASCII; `library` is the text of plotly.js.

    The plot shows the two figures of `axes` first.
    """
    scripts, library = "".join(map(_text, SCRIPTS)), _unwrapped(library)
    return Template(_text("page.html")).substitute(
        generator=f"{GENERATOR} {version}",
        policy=_policy(scripts, library),
        style=_text("look.css") + _text("page.css"),
        data=_json(_data(entries, axes)).replace("<", r"\u003c"),
        library=_packed(library),
        scripts=scripts,
    )


def _text(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _unwrapped(library: str) -> str:
    """The library without its wrapper, in which a browser parses all of it twice.

    That is a third of the time until the plot is there. Any other text stays as it is.
    """
    found = WRAPPED.match(library)
    return found[1] + found[2] if found else library


def _policy(*scripts: str) -> str:
    """The content security policy: no request, and these scripts alone."""
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    hashes = (f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    allowed = {
        "default-src": "'none'",
        "script-src": " ".join(hashes),
        "style-src": "'unsafe-inline'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{what} {where}" for what, where in allowed.items())


def _data(entries: Sequence[Entry], axes: tuple[Axis, Axis]) -> dict[str, Any]:
    """What the table needs at once, and of each network the rest, packed."""
    figures = [*dict.fromkeys(name for entry in entries for name in entry.figures)]
    specs = [
        {
            "name": entry.name,
            "family": entry.family,
            "title": entry.title,
            "figures": [entry.figures.get(name) for name in figures],
            "spreads": [entry.spreads.get(name) for name in figures],
            "packed": _packed(_json(_rest(entry))),
        }
        for entry in entries
    ]
    return {"figures": figures, "axes": axes, "specs": specs}


def _rest(entry: Entry) -> dict[str, Any]:
    return {
        "paper": entry.paper,
        "digests": dict(entry.digests),
        "tables": [table._asdict() for table in entry.tables],
        "file": entry.file,
        "source": entry.source,
        "diagram": entry.diagram,
    }


def _json(data: object) -> str:
    return json.dumps(data, separators=(",", ":"), allow_nan=False)


def _packed(text: str) -> str:
    """The text by gzip in base64, the same on every run."""
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()
