"""What the playground's page asks of the compiler: plain data in, plain data out.

A worker of the browser calls `answer`; everything else here makes what the page then shows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from itertools import dropwhile
from typing import Any, NamedTuple

from resnet_spec import __version__
from resnet_spec.compiler import Compiled
from resnet_spec.editor import (
    Checked,
    Document,
    Edit,
    check,
    completions,
    edited,
    fixes,
    formatted,
    hover,
    written_out,
)
from resnet_spec.language.reading import read
from resnet_spec.language.shipped import family, shipped, shipped_spec, shortest
from resnet_spec.problems import Place, Problem, SpecError, texts
from resnet_spec.problems.rules import RULES
from resnet_spec.problems.words import closest

FIRST = "resnet50"  # what a page without an address starts with
FILE = "spec.yaml"  # what the text in the page is called
Data = dict[str, Any]


def answer(request: str) -> str:
    """The answer, as JSON, to `{"ask": name, ...}`: what the function of that name gives."""
    asked = json.loads(request)
    return json.dumps(ASKED[asked.pop("ask")](**asked), ensure_ascii=False)


# --- what ships -------------------------------------------------------------------------


@cache
def started(name: str) -> str | None:
    """The text to start with of the spec that ships by that name; None where none does.

    It says the same network wherever it goes: a file beside it that it extends is called by the
    name that it ships by. Its claims and the line for other editors are left out.
    """
    file = shipped_spec(name)
    if file is None:
        return None
    lines = texts.read(file).decode("utf-8").splitlines(keepends=True)
    source = read(file)
    for link in source.links[:1]:
        _, line, column, length = link.named
        before, after = (
            lines[line - 1][: column - 1],
            lines[line - 1][column - 1 + length :],
        )
        lines[line - 1] = f"{before}{link.file}{after}"
    kept = dropwhile(lambda line: line.startswith("# yaml-language-server:"), lines)
    return "".join(_without("expect", kept))


def _without(key: str, lines: Iterable[str]) -> Iterator[str]:
    """The lines of a mapping without those of a key."""
    inside = False
    for line in lines:
        inside = line.startswith(f"{key}:") or (inside and line.startswith(" "))
        if not inside:
            yield line


def suggested(name: str) -> str | None:
    """The name of a spec that ships which a name that none has is likely to mean."""
    return closest(name, shortest().values())


def catalog() -> list[Data]:
    """Every spec that ships: its name, family, title, and what it claims, as parameters.

    The page has it in its HTML, and never asks for it.
    """
    found = []
    for key, file in shipped().items():
        said = read(file).root.data
        about = {"name": shortest()[key], "family": family(key), "title": said["title"]}
        found.append(about | said["expect"])
    return sorted(found, key=lambda spec: (spec["family"], spec["name"]))


# --- a text -----------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _checked(text: str) -> Checked:
    return check(Document(text, FILE))


class Written(NamedTuple):
    """A text, and which specs that ship it was made from, and is compared with."""

    text: str
    start: str
    base: str


def compiled(text: str, start: str, view: str, base: str = "") -> Data:
    """All problems of the text, and where it is a network, what it is called, and one view.

    `start` is the spec that ships from which the text was made; it is compared with that, or
    with another that ships, `base`.
    """
    found, written = _checked(text), Written(text, start, base or start)
    said: Data = {"problems": [*map(_problem, found.problems)]}
    if found.compiled:
        said["network"] = _network(found.compiled, written)
        said["view"] = VIEWS[view](found.compiled, written)
    return said


def _problem(problem: Problem) -> Data:
    place = problem.place or Place("")
    return {
        "severity": "warning" if problem.warning else "error",
        "rule": problem.rule,
        "about": RULES[problem.rule].summary,
        "message": problem.said,
        "note": problem.note,
        "line": place.line,
        "column": place.column,
        "length": place.length,
    }


def fixed(text: str, index: int) -> list[Data]:
    """The ways to mend the problem of that number: what each is called, and its edits."""
    problem = _checked(text).problems[index]
    return [
        {"title": fix.title, "edits": [edit._asdict() for edit in fix.edits]}
        for fix in fixes(Document(text, FILE), problem)
    ]


def _network(compiled: Compiled, written: Written) -> Data:
    network = compiled.network
    return {
        "title": network.title,
        "params": network.params,
        "macs": network.macs,
        "file": _spec_file(compiled, written).rpartition("/")[2],
    }


def _spec_file(compiled: Compiled, written: Written) -> str:
    """What a spec of this text is called: as it ships, or else by its name."""
    file = shipped_spec(written.start)
    if file and written.text == started(written.start):
        key = next(key for key, other in shipped().items() if other == file)
        return f"specs/{key}.yaml"
    return f"{compiled.network.name.lower()}.yaml"


# --- views ------------------------------------------------------------------------------


def _summary(compiled: Compiled, written: Written) -> Data:  # noqa: ARG001
    from resnet_spec.emit import table

    return table.facts(compiled.network)


def _diagram(compiled: Compiled, written: Written) -> Data:  # noqa: ARG001
    from resnet_spec.emit.diagram import svg

    return {"svg": svg(compiled.network)}


def _source(compiled: Compiled, written: Written) -> Data:
    """The module that `resnet-spec build` writes of the file, to the byte."""
    from pathlib import PurePosixPath

    from resnet_spec.emit.source.stamp import made_of
    from resnet_spec.output import importable, source_of

    file = _spec_file(compiled, written)
    module = f"{importable(PurePosixPath(file).stem)}.py"
    made = source_of(compiled, made_of(file, ""), __version__)
    return {"file": module, "text": made}


def _costs(compiled: Compiled, written: Written) -> Data:  # noqa: ARG001
    from resnet_spec.emit.cost import costs, report
    from resnet_spec.emit.cost.tools import TOOLS

    network = compiled.network
    found = costs(network)
    tools = [
        (name, found[tool.figure], tool.said(1))
        for name, tool in TOOLS.items()
        if tool.figure in found
    ]
    rows = report.rows(report.facts(network))
    return {"rows": rows, "note": report.NOT_SEEN, "tools": tools}


def _changes(compiled: Compiled, written: Written) -> Data:
    from resnet_spec.compare.difference import difference
    from resnet_spec.compare.fields import changed_fields
    from resnet_spec.compare.networks import Comparison

    base = written.base
    before = _checked(started(base) or "").compiled
    if before is None:
        return {"sentence": "", "sections": {}}
    fields = changed_fields(before.plan, compiled.plan)
    networks = difference(before.network, compiled.network)
    page = Comparison(base, compiled.network.name, fields, networks).page
    sections = {title: rows for title, rows in page.sections.items() if rows}
    return {"sentence": page.sentence, "sections": sections}


View = Callable[[Compiled, Written], Data]
VIEWS: Mapping[str, View] = {
    "summary": _summary,
    "diagram": _diagram,
    "source": _source,
    "costs": _costs,
    "changes": _changes,
}
"""What the page shows of a network, and of what was written."""

# --- at the cursor ----------------------------------------------------------------------


def hovered(text: str, line: int, column: int) -> str | None:
    """What is known of the word at a place, as Markdown."""
    found = hover(Document(text, FILE), line, column, _checked(text).compiled)
    return found.text if found else None


def completed(text: str, line: int, column: int) -> list[Data]:
    """What may be written at a place, with the edit that writes it."""
    found = completions(Document(text, FILE), line, column)
    return [each._asdict() | {"edit": each.edit._asdict()} for each in found]


def ordered(text: str) -> Data:
    """The text with its fields in the order of the reference."""
    return _rewritten(text, formatted, "The fields are in order.")


def whole(text: str) -> Data:
    """The text with what it inherits in place of `extends`."""
    return _rewritten(text, written_out, "There is nothing to write out.")


def _rewritten(
    text: str, change: Callable[[Document], list[Edit]], otherwise: str
) -> Data:
    """The text after edits; where there are none, what to say of that."""
    document = Document(text, FILE)
    if edits := change(document):
        return {"text": edited(document, *edits).text, "said": ""}
    try:
        read(document.path, unsaved=document.texts)
    except SpecError:
        otherwise = "The spec cannot be read; mend its mistakes first."
    return {"text": text, "said": otherwise}


ASKED: Mapping[str, Callable[..., Any]] = {
    "started": started,
    "suggested": suggested,
    "compiled": compiled,
    "fixed": fixed,
    "hovered": hovered,
    "completed": completed,
    "ordered": ordered,
    "whole": whole,
}
