"""The language server: what the editor room says of open files, by the protocol of editors.

https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from lsprotocol import types as lsp
from pygls import uris
from pygls.lsp.server import LanguageServer

from resnet_spec import __version__
from resnet_spec.editor import (
    Checked,
    Completion,
    Document,
    Edit,
    check,
    completions,
    definition,
    fixes,
    formatted,
    hover,
    written_out,
)
from resnet_spec.editor.cursor import scanned
from resnet_spec.editor.document import line_starts
from resnet_spec.editor.linking import chain, named
from resnet_spec.language.shipped import shipped_spec
from resnet_spec.problems import Place, Problem

LANGUAGE = "resnet-spec"  # a languageId, which says that a document is a spec
OF_SPECS = {
    "stem",
    "block",
    "depths",
    "widths",
}  # of which other YAML has none at its top
LINE_END = re.compile("\r\n|[\r\n]")  # as the protocol has it
BYTES = {"utf-8": 1, "utf-16": 2, "utf-32": 4}  # of a unit of each encoding
TRIGGERS = (" ", ",", "[", "{")


def is_spec(text: str, language: str = "") -> bool:
    """Whether a document is a spec, as far as its language or its keys at the top tell.

    Those are a field that every spec has which extends no other, or `extends` beside a
    `name` or a `title`.
    """
    keys = {*scanned(text).keys.get((), ())}
    extends = "extends" in keys and bool({"name", "title"} & keys)
    return language == LANGUAGE or bool(OF_SPECS & keys) or extends


class Open(NamedTuple):
    """An open spec, and how positions in it are counted."""

    document: Document
    encoding: str

    def position(self, index: int) -> lsp.Position:
        """An index of the text in lines and units from 0."""
        text = self.document.text
        starts = line_starts(text, LINE_END)
        line = bisect_right(starts, index) - 1
        return lsp.Position(line, self.units(text[starts[line] : index]))

    def offset(self, position: lsp.Position) -> int:
        """The index of the text that a position means; the nearest, where there is none."""
        starts = line_starts(self.document.text, LINE_END)
        if position.line >= len(starts):
            return len(self.document.text)
        start = starts[position.line]
        line = LINE_END.split(self.document.text[start:], 1)[0]
        columns, units = range(len(line)), lambda column: self.units(line[:column])
        return start + bisect_left(columns, position.character, key=units)

    def units(self, text: str) -> int:
        size = BYTES[self.encoding]
        name = f"{self.encoding}-le" if size > 1 else self.encoding
        return len(text.encode(name, "surrogatepass")) // size

    def cursor(self, position: lsp.Position) -> tuple[int, int]:
        """The line and column, from 1, of a position."""
        place = self.document.place(self.offset(position))
        return place.line, place.column

    def range(self, place: Place) -> lsp.Range:
        start = self.document.offset(place.line, place.column)
        end = min(start + place.length, len(self.document.text))
        return lsp.Range(self.position(start), self.position(end))

    def replaced(self, edit: Edit) -> tuple[int, int]:
        """The indices between which an edit replaces the text."""
        start = self.document.offset(edit.line, edit.column)
        return start, self.document.offset(edit.end_line, edit.end_column)

    def edit(self, edit: Edit) -> lsp.TextEdit:
        start, end = map(self.position, self.replaced(edit))
        return lsp.TextEdit(lsp.Range(start, end), edit.text)

    def items(self, found: Sequence[Completion]) -> list[lsp.CompletionItem]:
        """What is offered in place of a word; all of it, where that word is offered itself."""
        start, end = self.replaced(found[0].edit) if found else (0, 0)
        word = self.document.text[start:end]
        is_whole = any(each.label == word for each in found)
        kind = lsp.CompletionItemKind
        return [
            lsp.CompletionItem(
                each.label,
                kind=kind.Field if each.kind == "key" else kind.EnumMember,
                documentation=_markdown(each.about) if each.about else None,
                sort_text=f"{i:04}",
                filter_text=word if is_whole else None,
                text_edit=self.edit(each.edit),
            )
            for i, each in enumerate(found)
        ]

    def diagnostic(self, problem: Problem) -> lsp.Diagnostic:
        """A problem where it is; of a file that is extended, where that is named."""
        place = problem.place or Place(self.document.name)
        here, related = place, None
        if place.file != self.document.name or not place.line:
            here = self.link()
            there = _location(place)
            related = [lsp.DiagnosticRelatedInformation(there, str(place))]
        kind = lsp.DiagnosticSeverity
        said = f"{problem.said} ({place})" if related else problem.said
        return lsp.Diagnostic(
            range=self.range(here),
            message=f"{said}\n{problem.note}" if problem.note else said,
            severity=kind.Warning if problem.warning else kind.Error,
            code=problem.rule,
            source=LANGUAGE,
            related_information=related,
        )

    def link(self) -> Place:
        """What `extends` names, or the start of the document."""
        if token := named(self.document):
            return self.document.place(token.start, token.end)
        return Place(self.document.name, 1, 1, 0)


def _markdown(text: str) -> lsp.MarkupContent:
    return lsp.MarkupContent(lsp.MarkupKind.Markdown, text)


def _location(place: Place) -> lsp.Location:
    at = lsp.Position(max(place.line - 1, 0), max(place.column - 1, 0))
    file = shipped_spec(place.file) or Path(place.file)
    uri = uris.from_fs_path(str(file.absolute()))
    return lsp.Location(uri or place.file, lsp.Range(at, at))


class Server(LanguageServer):
    """What is open, and what was last found in each spec among it."""

    def __init__(self) -> None:
        super().__init__(
            LANGUAGE,
            __version__,
            text_document_sync_kind=lsp.TextDocumentSyncKind.Full,
        )
        self.found: dict[str, Checked] = {}

    def opened(self, uri: str) -> Open | None:
        """The document of that address, if it is open and a spec."""
        open_files = self.workspace.text_documents
        if uri not in open_files:
            return None
        text, language = open_files[uri].source, open_files[uri].language_id or ""
        if not is_spec(text, language):
            return None
        others = {
            _path(other).absolute(): each.source
            for other, each in open_files.items()
            if other != uri
        }
        document = Document(text, str(_path(uri)), others)
        agreed = lsp.PositionEncodingKind(self.workspace.position_encoding or "utf-16")
        return Open(document, agreed.value)

    def tell(self, uri: str) -> None:
        """Publish what is wrong in that document, and in open specs that extend it."""
        changed = _path(uri).absolute()
        for other in list(self.workspace.text_documents):
            spec = self.opened(other)
            if other == uri or (spec and changed in chain(spec.document)):
                self.publish(other, spec)

    def tell_all(self) -> None:
        """Publish what is wrong in each document: a file is there, or is not any more."""
        for uri in list(self.workspace.text_documents):
            self.publish(uri, self.opened(uri))

    def publish(self, uri: str, spec: Open | None) -> None:
        self.found.pop(uri, None)
        told: list[lsp.Diagnostic] = []
        if spec:
            self.found[uri] = check(spec.document)
            told = [spec.diagnostic(each) for each in self.found[uri].problems]
        version = self.workspace.get_text_document(uri).version
        self.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(uri, told, version)
        )


def _path(uri: str) -> Path:
    """The file of an address; of one that is no file's, a name."""
    return Path(uris.to_fs_path(uri) or uri)


def server() -> Server:
    """A server that answers by `start_io`."""
    made = Server()
    _synchronize(made)
    _inform(made)
    _change(made)
    return made


def _synchronize(made: Server) -> None:
    @made.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        made.tell(params.text_document.uri)

    @made.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        made.tell(params.text_document.uri)

    @made.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def saved(_: lsp.DidSaveTextDocumentParams) -> None:
        made.tell_all()

    @made.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        made.found.pop(uri, None)
        made.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))
        made.tell_all()


def _inform(made: Server) -> None:
    @made.feature(lsp.TEXT_DOCUMENT_HOVER)
    def hovered(params: lsp.HoverParams) -> lsp.Hover | None:
        uri = params.text_document.uri
        if not (spec := made.opened(uri)):
            return None
        compiled = made.found[uri].compiled if uri in made.found else None
        found = hover(spec.document, *spec.cursor(params.position), compiled)
        if not found:
            return None
        return lsp.Hover(_markdown(found.text), spec.range(found.place))

    @made.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    def defined(params: lsp.DefinitionParams) -> lsp.Location | None:
        if not (spec := made.opened(params.text_document.uri)):
            return None
        place = definition(spec.document, *spec.cursor(params.position))
        return _location(place) if place else None

    options = lsp.CompletionOptions(trigger_characters=TRIGGERS)

    @made.feature(lsp.TEXT_DOCUMENT_COMPLETION, options)
    def completed(params: lsp.CompletionParams) -> list[lsp.CompletionItem]:
        if not (spec := made.opened(params.text_document.uri)):
            return []
        return spec.items(completions(spec.document, *spec.cursor(params.position)))


def _change(made: Server) -> None:
    kinds = [lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.RefactorInline]
    options = lsp.CodeActionOptions(kinds)

    @made.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, options)
    def acted(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        spec = made.opened(params.text_document.uri)
        return list(_actions(made, spec, params)) if spec else []

    @made.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    def formatting(params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
        spec = made.opened(params.text_document.uri)
        return [*map(spec.edit, formatted(spec.document))] if spec else []


def _actions(
    made: Server, spec: Open, params: lsp.CodeActionParams
) -> Iterator[lsp.CodeAction]:
    """The fixes of each problem that the range touches; of what `extends` names, its values."""

    def touched(there: lsp.Range) -> bool:
        return there.start <= params.range.end and params.range.start <= there.end

    def change(edits: Iterable[Edit]) -> lsp.WorkspaceEdit:
        uri = params.text_document.uri
        return lsp.WorkspaceEdit(changes={uri: [*map(spec.edit, edits)]})

    found = made.found.get(params.text_document.uri)
    for problem in found.problems if found else ():
        told = spec.diagnostic(problem)
        if touched(told.range):
            for nth, fix in enumerate(fixes(spec.document, problem)):
                yield lsp.CodeAction(
                    fix.title,
                    kind=lsp.CodeActionKind.QuickFix,
                    diagnostics=[told],
                    is_preferred=nth == 0,
                    edit=change(fix.edits),
                )
    if touched(spec.range(spec.link())) and (edits := written_out(spec.document)):
        kind = lsp.CodeActionKind.RefactorInline
        yield lsp.CodeAction(
            "write out what it inherits", kind=kind, edit=change(edits)
        )
