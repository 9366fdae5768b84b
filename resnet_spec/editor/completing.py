"""What may be written at a place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from resnet_spec.editor.cursor import Token, scanned
from resnet_spec.editor.document import Document, Edit, edit
from resnet_spec.editor.fields import about, keys, values
from resnet_spec.language.shipped import shortest
from resnet_spec.problems import FieldPath

CURSOR = "\ue000"  # a character of private use, which no spec has


class Completion(NamedTuple):
    """A key or a value, what it says, and the edit that writes it."""

    label: str
    kind: str  # key or value
    about: str
    edit: Edit


def completions(document: Document, line: int, column: int) -> list[Completion]:
    """What may be written at a line and column, in place of the word that is begun there.

    Keys that the mapping has already are left out; what is not alike the word is not, for
    editors choose in their own ways. What is that word comes first.
    """
    index = document.offset(line, column)
    text = document.text[:index] + CURSOR + document.text[index:]
    found = scanned(text)
    token = found.at(index)
    if not token or CURSOR not in text[token.start : token.end]:
        return []
    given = [key for key in found.keys.get(_mapping(token), ()) if CURSOR not in key]
    end = max(token.end - 1, index)
    offered = [
        Completion(label, kind, said, edit(document, token.start, end, written))
        for label, kind, said, written in _offered(document, token, given)
    ]
    word = document.text[token.start : end]
    return sorted(offered, key=lambda each: each.label != word)


def _mapping(token: Token) -> FieldPath:
    """The path of the mapping that a key stands in, or would."""
    return token.path[:-1] if token.kind == "key" else token.path


def _offered(
    document: Document, token: Token, given: list[str]
) -> Iterator[tuple[str, str, str, str]]:
    """What each is called, its kind, what it says, and what is written."""
    if token.kind in ("key", "word"):
        behind = document.text[token.end - len(CURSOR) :].lstrip(" ")
        colon = "" if behind.startswith(":") else ": "
        for name in keys(_mapping(token)):
            if name not in given:
                said = about((*_mapping(token), name))
                yield name, "key", said, f"{name}{colon}"
    if token.path == ("extends",):
        yield from ((name, "value", said, name) for name, said in _specs(document))
    if token.kind == "value" or (token.kind == "word" and token.path and not given):
        for name, said in values(token.path).items():
            yield name, "value", said, name


def _specs(document: Document) -> Iterator[tuple[str, str]]:
    """The files beside this one, and the specs that ship."""
    folder, own = document.path.absolute().parent, document.path.name
    try:
        beside = {f.name for f in folder.glob("*.y*ml") if f.is_file()}
    except OSError:
        beside = set()
    beside |= {file.name for file in document.unsaved if file.parent == folder}
    yield from ((name, "in this folder") for name in sorted(beside - {own}))
    yield from ((name, "ships") for name in shortest().values())
