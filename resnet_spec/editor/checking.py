"""What is wrong in a document, and what it compiles to."""

from __future__ import annotations

from typing import NamedTuple

from resnet_spec.compiler import Compiled, compiled
from resnet_spec.editor.document import Document
from resnet_spec.language.parsing import generated
from resnet_spec.language.reading import read
from resnet_spec.problems import Problem, SpecError


class Checked(NamedTuple):
    """The mistakes of a document, or its warnings and the network that it is."""

    problems: tuple[Problem, ...]
    compiled: Compiled | None = None


def check(document: Document) -> Checked:
    """What `resnet-spec check` says of the document, and what it compiles to, if it does."""
    try:
        found = compiled(generated(read(document.path, unsaved=document.texts)))
    except SpecError as error:
        return Checked(tuple(dict.fromkeys(error.problems)))
    return Checked(tuple(dict.fromkeys(found.warnings)), found)
