"""What is said of the word under the pointer, as Markdown."""

from __future__ import annotations

from typing import NamedTuple

from resnet_spec.compiler import Compiled
from resnet_spec.editor.cursor import Token, scanned
from resnet_spec.editor.document import Document
from resnet_spec.editor.fields import about, meaning
from resnet_spec.editor.inheriting import passed_on
from resnet_spec.editor.linking import extended
from resnet_spec.language.plan import PER_STAGE, by_stage, written
from resnet_spec.language.reading import read
from resnet_spec.language.shipped import shown
from resnet_spec.problems import Place, SpecError, without_indices
from resnet_spec.problems.words import as_yaml, counted, shortened


class Hover(NamedTuple):
    """What is said, and the word that it is about."""

    text: str
    place: Place


def hover(
    document: Document, line: int, column: int, compiled: Compiled | None = None
) -> Hover | None:
    """What is said of the word at a line and column; None where nothing is known of it.

    Of a key, what it says and takes; of a word, what it means; of `extends`, where it leads
    and what is inherited; of a stage's entry in a list, the stage, where the document is
    `compiled`.
    """
    token = scanned(document.text).at(document.offset(line, column))
    said = _said(document, token, compiled) if token else ""
    if not token or not said:
        return None
    return Hover(said, document.place(token.start, token.end))


def _said(document: Document, token: Token, compiled: Compiled | None) -> str:
    if token.path == ("extends",):
        return _extends(document) or about(token.path)
    if token.kind == "key":
        return about(token.path)
    word = meaning(token.path, token.text) if token.path else ""
    said = [f"**{token.text}**: {word}"] if word else []
    if compiled and (stage := _stage(token, compiled)):
        said.append(stage)
    return "\n\n".join(said) or about(token.path)


def _extends(document: Document) -> str:
    """The spec that is extended, those that it extends, and what all of them say."""
    file = extended(document)
    if not file:
        return ""
    try:
        source = read(file, unsaved=document.unsaved)
    except SpecError:
        return f"**extends** `{shown(file)}`, which cannot be read"
    title = source.root.value.get("title")
    said = f"**extends** {title.value if title else ''} `{shown(file)}`"
    links = "".join(f", which extends {link.file}" for link in source.links)
    lines = (f"- `{k}: {shortened(as_yaml(v))}`" for k, v in passed_on(source).items())
    return "\n".join((f"{said}{links}", "", *lines))


def _stage(token: Token, compiled: Compiled) -> str:
    """The stage whose entry a word is, in a list that has one for each."""
    index = next((part for part in token.path if isinstance(part, int)), None)
    field = ".".join(without_indices(token.path))
    if index is None or field not in PER_STAGE:
        return ""
    if not by_stage(written(compiled.spec, field)):
        return ""
    stages = compiled.network.stages
    if index >= len(stages):  # of lines that are one value to YAML
        return ""
    stage = stages[index]
    return (
        f"stage {index + 1}, {stage.contents}: gives {stage.output}; "
        f"{stage.params:,} parameters, {counted(stage.macs)}MACs"
    )
