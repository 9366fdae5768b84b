"""Specs as they are in a commit, by git."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from resnet_spec.output import SUFFIXES

FILES = ("100644", "100755")  # modes of what is neither a link nor a submodule


class RevisionError(ValueError):
    """Why a file cannot be had from a commit, in one line."""


@contextmanager
def checked_out(file: Path, rev: str) -> Iterator[tuple[Path, Path]]:
    """The file as it is in a commit, and the folder that it lies in with all other specs of
    that commit, as in the repository; both are gone afterwards.

    Raises RevisionError where there is no git, no repository, no such commit, or no such
    file in it.
    """
    file = Path(os.path.abspath(file))  # noqa: PTH100  # what a link leads to may be elsewhere
    nearest = next(folder for folder in file.parents if folder.is_dir())
    found = _git(nearest, "rev-parse", "--show-toplevel", "--show-prefix")
    if found.returncode:
        said = found.stderr.decode(errors="replace").partition("\n")[0]
        raise RevisionError(f"{file}: {said.removeprefix('fatal: ')}")
    top, prefix = found.stdout.decode(errors="surrogateescape").split("\n")[:2]
    commit = None if rev.startswith("-") else _commit(nearest, rev)
    if commit is None:
        raise RevisionError(f"{rev}: no such commit in {top}")
    name = f"{prefix}{file.relative_to(nearest).as_posix()}"
    blobs = _blobs(Path(top), commit)
    if name not in blobs:
        raise RevisionError(f"{name}: is not in {rev}")
    with TemporaryDirectory() as made:
        folder = Path(made).resolve()
        for path, text in zip(blobs, _texts(Path(top), [*blobs.values()]), strict=True):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)
        yield folder / name, folder


def _commit(folder: Path, rev: str) -> str | None:
    if "\0" in rev:
        return None
    found = _git(folder, "rev-parse", "--verify", "--quiet", f"{rev}^{{commit}}").stdout
    return found.decode().strip() or None


def _blobs(top: Path, commit: str) -> dict[str, str]:
    """The specs of a commit, from the top of the repository, and where git has their texts."""
    listed = _git(top, "ls-tree", "-r", "-z", "--full-tree", commit).stdout
    found = {}
    for entry in listed.decode(errors="surrogateescape").split("\0")[:-1]:
        about, _, name = entry.partition("\t")
        mode, _, blob = about.split()
        path = PurePosixPath(name)
        if mode in FILES and path.suffix in SUFFIXES and ".." not in path.parts:
            found[name] = blob
    return found


def _texts(top: Path, blobs: list[str]) -> Iterator[bytes]:
    """What is in each of them, by one call of git."""
    asked = "".join(f"{blob}\n" for blob in blobs).encode()
    given = _git(top, "cat-file", "--batch", asked=asked).stdout
    at = 0
    for _ in blobs:
        header, _, _ = given[at:].partition(b"\n")
        start = at + len(header) + 1
        size = int(header.split()[2])
        yield given[start : start + size]
        at = start + size + 1


def _git(
    folder: Path, *args: str, asked: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """What git prints there, in English; nothing where it fails."""
    command = ["git", "-C", str(folder), *args]
    english = {**os.environ, "LC_ALL": "C"}
    try:
        return subprocess.run(
            command, input=asked, env=english, capture_output=True, check=False
        )
    except FileNotFoundError:
        raise RevisionError("--rev needs git, which is not installed") from None
