"""Problems -> what people, editors and CI services read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from resnet_spec.problems import Place, Problem, dotted, texts

Paint = Callable[[str, str], str]  # text, color -> text


def text(problems: Sequence[Problem], paint: Paint = lambda text, _: text) -> str:
    """Each problem with its place and rule, and under it the line of the file and a caret."""
    return "".join(f"{_entry(problem, paint)}\n" for problem in problems)


def as_json(
    problems: Sequence[Problem], networks: Sequence[Mapping[str, Any]] = ()
) -> str:
    """An object of two lists, the problems and what is known of the networks without any.

    A problem has severity, rule, message, path, note, file, line and column.
    """
    import json

    found = {
        "problems": [_object(problem) for problem in problems],
        "networks": networks,
    }
    return json.dumps(found, indent=2) + "\n"


def github(problems: Sequence[Problem]) -> str:
    """Workflow commands that show as annotations on a pull request.

    https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
    """
    return "".join(f"{_command(problem)}\n" for problem in problems)


def sarif(problems: Sequence[Problem]) -> str:
    """A log for code-scanning pages, by SARIF 2.1.0.

    https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
    """
    import json

    names = sorted({problem.rule for problem in problems})
    driver = {"name": "resnet-spec", "rules": [_described(name) for name in names]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem) for problem in problems],
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    log = {"$schema": schema, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2) + "\n"


Format = Callable[[Sequence[Problem]], str]
FORMATS: dict[str, Format] = {
    "text": text,
    "json": as_json,
    "github": github,
    "sarif": sarif,
}


# --- text ---------------------------------------------------------------------------------


def _entry(problem: Problem, paint: Paint) -> str:
    place = f"{problem.place}: " if problem.place else ""
    kind = paint("warning: ", "yellow") if problem.warning else ""
    lines = [f"{place}{kind}{problem.said} [{problem.rule}]"]
    if problem.place and problem.place.length and (line := _line(problem.place)):
        number = f"{problem.place.line:>6}"
        column, length = problem.place.column - 1, problem.place.length
        blank = "".join(c if c == "\t" else " " for c in line[:column])
        marks = "^" + "~" * (min(length, len(line) - column) - 1)
        color = "yellow" if problem.warning else "red"
        lines += [f"{number} | {line}", f"       | {blank}{paint(marks, color)}"]
    if problem.note:
        lines.append(f"       = {problem.note}")
    return "\n".join(lines)


def _line(place: Place) -> str:
    """The line of the file, where there is one and a terminal can show it."""
    lines = _lines(place.file)
    line = lines[place.line - 1] if 0 < place.line <= len(lines) else ""
    return line if line.replace("\t", "").isprintable() and len(line) <= 160 else ""


def _lines(file: str) -> list[str]:
    try:
        return _split(texts.read(file))
    except (OSError, ValueError):
        return []


@lru_cache(maxsize=8)
def _split(data: bytes) -> list[str]:
    return data.decode("utf-8-sig").split("\n")


# --- for machines -------------------------------------------------------------------------


def _object(problem: Problem) -> dict[str, Any]:
    place = problem.place or Place("")
    return {
        "severity": "warning" if problem.warning else "error",
        "rule": problem.rule,
        "message": problem.message,
        "path": dotted(problem.path),
        "note": problem.note,
        "file": problem.file,
        "line": place.line or None,
        "column": place.column or None,
    }


def _command(problem: Problem) -> str:
    place = problem.place or Place("")
    kind = "warning" if problem.warning else "error"
    where = [f"file={_escaped(problem.file, ',:')}"]
    if place.line:
        where += [f"line={place.line}", f"col={place.column}"]
    where.append(f"title={problem.rule}")
    return f"::{kind} {','.join(where)}::{_escaped(_on_one_line(problem))}"


def _on_one_line(problem: Problem) -> str:
    return f"{problem.said} ({problem.note})" if problem.note else problem.said


def _escaped(text: str, more: str = "") -> str:
    """The text with the characters that would end a workflow command's value as codes."""
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _described(name: str) -> dict[str, Any]:
    """The rule as SARIF says it; its name alone where it is not one of ours."""
    from resnet_spec.problems import reference
    from resnet_spec.problems.rules import RULES

    if name not in RULES:
        return {"id": name}
    rule = RULES[name]
    help_texts = {"text": reference.plain(rule), "markdown": reference.section(rule)}
    return {
        "id": name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.explanation},
        "help": help_texts,
    }


def _result(problem: Problem) -> dict[str, Any]:
    place = problem.place or Place("")
    location: dict[str, Any] = {
        "artifactLocation": {"uri": Path(problem.file).as_posix()}
    }
    if place.line:
        end = place.column + place.length
        region = {"startLine": place.line, "startColumn": place.column}
        location["region"] = {**region, "endColumn": end}
    return {
        "ruleId": problem.rule,
        "level": "warning" if problem.warning else "error",
        "message": {"text": _on_one_line(problem)},
        "locations": [{"physicalLocation": location}],
    }
