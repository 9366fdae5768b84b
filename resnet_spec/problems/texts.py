"""The text of a spec, as it stands in its file or on standard input."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import TextIO

STDIN = "-"  # the spec that is standard input
LARGEST_FILE = 1_000_000  # bytes; a spec has some hundred


def read(file: str | os.PathLike[str]) -> bytes:
    """The bytes of a spec; of one that is too large, one byte more than it may have.

    Raises OSError, and ValueError for a name that no file can have.
    """
    if os.fspath(file) == STDIN:
        return _standard_input(sys.stdin)
    with Path(file).open("rb") as opened:
        return opened.read(LARGEST_FILE + 1)


@lru_cache(maxsize=1)
def _standard_input(stream: TextIO | None) -> bytes:
    """What can be read once, and is asked for again to show the lines of mistakes."""
    return stream.buffer.read(LARGEST_FILE + 1) if stream else b""
