"""The file that a document extends."""

from __future__ import annotations

from pathlib import Path

from resnet_spec.editor.cursor import Token, scanned
from resnet_spec.editor.document import Document
from resnet_spec.language.reading import target
from resnet_spec.language.yaml_nodes import Node
from resnet_spec.problems import Place, SpecError


def definition(document: Document, line: int, column: int) -> Place | None:
    """The start of the file that is extended, from `extends` or what it names."""
    token = scanned(document.text).at(document.offset(line, column))
    file = extended(document) if token and token.path == ("extends",) else None
    return Place(str(file), 1, 1) if file else None


def chain(document: Document) -> list[Path]:
    """The files that a document extends: the one that it names, the one that names, and so on.

    What a file says is what is unsaved of it, or else on disk.
    """
    found: list[Path] = []
    while (file := extended(document)) and file not in found:
        found.append(file)
        try:
            text = document.unsaved.get(file)
            if text is None:
                text = file.read_text(encoding="utf-8")
        except (OSError, ValueError):
            break
        document = Document(text, str(file), document.unsaved)
    return found


def extended(document: Document) -> Path | None:
    """The file that a document names, as it stands, by its absolute path; None for none."""
    token = named(document)
    if not token:
        return None
    link = Node(token.text, Place(document.name))
    try:
        return target(link, [document.path], document.texts).absolute()
    except SpecError:
        return None


def named(document: Document) -> Token | None:
    """The word behind `extends`."""
    tokens = scanned(document.text).tokens
    found = (t for t in tokens if t.path == ("extends",) and t.kind != "key")
    return next(found, None)
