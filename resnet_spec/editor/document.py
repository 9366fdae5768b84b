"""A text that is being edited, and places in it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from resnet_spec.language.reading import Texts
from resnet_spec.language.shipped import shown
from resnet_spec.language.syntax import BREAK
from resnet_spec.problems import Place


class Document(NamedTuple):
    """The text of a file as it stands in an editor, and the texts of others that do.

    `unsaved` has those by absolute path; `extends` reads them in place of what was saved.
    """

    text: str
    file: str
    unsaved: Mapping[Path, str] = {}

    @property
    def path(self) -> Path:
        return Path(self.file)

    @property
    def name(self) -> str:
        """What a place in this text has as its file."""
        return shown(self.path)

    @property
    def texts(self) -> Texts:
        """All that is unsaved, this text too."""
        return {**self.unsaved, self.path.absolute(): self.text}

    def offset(self, line: int, column: int) -> int:
        """The index in the text of a line and column, which count from 1; the nearest."""
        starts = line_starts(self.text)
        line = min(max(line, 1), len(starts))
        return min(starts[line - 1] + max(column, 1) - 1, len(self.text))

    def place(self, start: int, end: int | None = None) -> Place:
        """The line and column of an index, and how much of the text follows as well."""
        starts = line_starts(self.text)
        line = bisect_right(starts, start)
        length = 1 if end is None else end - start
        return Place(self.name, line, start - starts[line - 1] + 1, length)


class Edit(NamedTuple):
    """What replaces the text from a line and column up to another; all count from 1."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


@lru_cache(maxsize=8)
def line_starts(text: str, end: re.Pattern[str] = BREAK) -> tuple[int, ...]:
    """The index at which each line starts, where lines end so."""
    return (0, *(match.end() for match in end.finditer(text)))


def edit(document: Document, start: int, end: int, text: str) -> Edit:
    """The edit that replaces the text from an index up to another."""
    first, last = document.place(start), document.place(end)
    return Edit(first.line, first.column, last.line, last.column, text)


def edited(document: Document, *edits: Edit) -> Document:
    """The document after edits, which do not overlap."""
    text = document.text
    for each in sorted(edits, reverse=True):
        start = document.offset(each.line, each.column)
        end = document.offset(each.end_line, each.end_column)
        text = text[:start] + each.text + text[end:]
    return document._replace(text=text)
