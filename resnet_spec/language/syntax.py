"""What is said of a text that is no YAML: the parser's mistake in our words.

The words are those of PyYAML's parser in Python, which is there wherever a spec is read.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import yaml
from yaml.reader import ReaderError

from resnet_spec.problems import Place, Problem, Proposal
from resnet_spec.problems.words import closest, shortened

BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # where the parser counts a new line
PLAIN_WORDS = {
    "could not find expected ':'": (
        "a line is a key, a colon, a space and a value, as block: basic",
        True,
    ),
    "mapping values are not allowed": (
        "a colon where no key can stand; is the line before whole?",
        False,
    ),
    "mapping keys are not allowed": ("a ? where no key can stand", False),
    "sequence entries are not allowed": (
        "an item of a list starts on a line of its own",
        False,
    ),
    "found unexpected end of stream": ("a quote that is not closed", True),
    "found unexpected document separator": ("a quote that is not closed", True),
    "found unknown escape character": (
        "a backslash that says nothing; in single quotes it is itself",
        False,
    ),
    "expected escape sequence": ("a backslash without the digits it needs", False),
    "expected ',' or ']'": ("a [ that is not closed by ]", True),
    "expected ',' or '}'": ("a { that is not closed by }", True),
    "expected the node content": ("a value or a closing bracket is missing", False),
    "expected <block end>": ("a line that is indented unlike its neighbours", False),
    "expected '<document start>'": ("a line that no key or value leads to", False),
    "expected chomping": ("text after > or | starts on the next line", False),
    "expected a comment or a line break": (
        "text after > or | starts on the next line",
        False,
    ),
    "expected indentation indicator": ("> and | take an indentation from 1 on", False),
}
"""The parser's words, ours, and whether the mistake is where the parser began to wait."""
CLOSING = re.compile(
    r"expected (?:<block end>, but found '([\]},:])'|the node content, but found '([\]}])')"
)
OPENING = {"]": "[", "}": "{"}
BEYOND_UNICODE = "an escape that is no character"
LARGE_ESCAPE = re.compile(r"\\U(?!000|0010)")

WORD = re.compile(r"\w+", re.ASCII)
WITHOUT_COMMA = re.compile(r"[\w.\]}\"'] +(\w+)(?=:?$)", re.ASCII)
DASHED = re.compile(r"- +(\w+:)(?=\s|$)", re.ASCII)
KEYED = re.compile(r"\s*\w+:\s+[^\s#]", re.ASCII)
END = r"(?<!\s)(\s+#.*|\s*)"  # of a line; looked for once in each run of spaces
WITHOUT_COLON = re.compile(
    r" *(?:- +)?(\w+)\b(:?)(?:[ =]*([\w\[{.+-][^:\"\\]*?))?" + END, re.ASCII
)
TEXT_WITH_COLON = re.compile(r"\s*(\w+):\s+([^\s\[{\"'][^\"\\]*?:.*?)" + END)


class Said(NamedTuple):
    """What is wrong, where in the line that does, and what is written over how much there."""

    message: str
    mark: Any
    text: str | None = None
    column: int = 0
    length: int = 0


def no_yaml(error: Exception, text: str, file: str) -> Problem:
    """What the parser in Python says of a text that is no YAML."""
    if isinstance(error, yaml.MarkedYAMLError):
        said = _plainly(
            error, [*BREAK.split(text), ""]
        )  # the parser ends the last one too
        line = said.mark.line + 1
        place = Place(file, line, said.mark.column + 1)
        proposals: tuple[Proposal, ...] = ()
        if said.text is not None:
            at = Place(file, line, said.column + 1, said.length)
            proposals = (Proposal(text=said.text, at=at),)
        message = f"is not YAML, {said.message}"
        return Problem("yaml", message, place=place, proposals=proposals)
    if isinstance(error, ReaderError):
        message = f"a character that no text has, U+{error.character:04X}"
        index = error.position
    else:  # of chr, in words of no help
        message, beyond = BEYOND_UNICODE, LARGE_ESCAPE.search(text)
        index = beyond.start() if beyond else 0
    before = BREAK.split(text[:index])
    place = Place(file, len(before), len(before[-1]) + 1)
    return Problem("yaml", f"is not YAML, {message}", place=place)


def _plainly(error: yaml.MarkedYAMLError, lines: list[str]) -> Said:
    """What the parser stumbled over and where that began, without its jargon."""
    problem, context = error.problem or "", error.context or ""
    mark, began = error.problem_mark, error.context_mark
    assert mark is not None  # the parser's errors have one
    found = TEXT_WITH_COLON.fullmatch(lines[mark.line])
    if found and mark.column <= found.end(1):  # it is the key's colon, none of the text
        found = None
    if found and problem.startswith("mapping values") and found[0].isprintable():
        said = shortened(f'{found[1]}: "{found[2]}"')
        message = f"text with a colon goes in quotes; write {said}"
        return Said(message, mark, f'"{found[2]}"', found.start(2), len(found[2]))
    if problem.startswith("expected '<document start>'") and (
        indented := _first_indented(lines, mark.line)
    ):
        return indented
    listed = context.endswith("block collection")
    at_start = listed or context.endswith("a simple key")
    if misplaced := _misplaced(problem, (began if at_start else mark) or mark, lines):
        return misplaced
    if listed:
        return Said("a line of a list that does not start with -", mark)
    if context.endswith(("an anchor", "an alias", "a tag", "a directive")):
        problem, mark = "found character", began or mark
    for words, (message, begins) in PLAIN_WORDS.items():
        if problem.startswith(words):
            return Said(message, (begins and began) or mark)
    character = lines[mark.line][mark.column : mark.column + 1]
    if character == "\t":
        return Said("a tab; indent with spaces", mark, "  ", mark.column, 1)
    if problem.startswith("found character"):
        return Said(f"no value starts with {character} but in quotes", mark)
    return Said(problem, mark)


def _misplaced(problem: str, mark: Any, lines: list[str]) -> Said | None:
    """What a parser that stumbled there likely should have met, by that line and the last."""
    line, before = lines[mark.line], lines[mark.line - 1] if mark.line else ""
    if problem.startswith("expected ','"):
        word = WORD.match(line, mark.column)
        found = WITHOUT_COMMA.search(line, 0, word.end() if word else mark.column)
        missing = f"a comma is missing before {found[1]}" if found else ""
        return Said(missing, mark, ",", found.start() + 1) if found else None
    dashed = DASHED.match(line)
    if dashed and problem.startswith("expected <block end>"):
        message = f"a key has no dash before it; write {dashed[1]}"
        return Said(message, mark, "", dashed.start(), dashed.start(1))
    if closing := CLOSING.fullmatch(problem):
        said = closing[1] or closing[2]
        message = f"a {said} where a key has to begin"
        if said in OPENING:
            message = (
                f"a {said} that closes nothing, no {OPENING[said]} is open before it"
            )
        return Said(message, mark, "", mark.column, 1)
    if problem.startswith("could not find expected ':'"):
        return _without_colon(lines, mark.line)
    beside = _indentation(line) == _indentation(before)
    if problem.startswith("mapping values") and beside:
        return _without_colon(lines, mark.line - 1)
    deeper = _indentation(line) > _indentation(before)
    if problem.startswith("mapping values") and deeper and KEYED.match(before):
        return _indented("the one before", mark.line, line, _indentation(before))
    return None


def _first_indented(lines: list[str], index: int) -> Said | None:
    """What is said of a first line that is indented more than the next, at that index."""
    first = next(i for i, line in enumerate(lines) if KEYED.match(line) or i == index)
    spaces = _indentation(lines[index])
    if _indentation(lines[first]) <= spaces:
        return None
    return _indented("the one after", first, lines[first], spaces)


def _indented(than: str, index: int, line: str, spaces: int) -> Said:
    """What is said of a line that is indented by more than so many spaces."""
    write = f"indent it by {spaces}" if spaces else "remove the indentation"
    message = f"a line that is indented more than {than}; {write}"
    start = yaml.Mark("", 0, index, 0, None, 0)
    return Said(message, start, " " * spaces, 0, _indentation(line))


def _without_colon(lines: list[str], index: int) -> Said | None:
    """What a line that is a word, or two, lacks."""
    line = lines[index]
    found = WITHOUT_COLON.fullmatch(line)
    if not found or not line.isprintable():
        return None
    key, colon, value, _ = found.groups()
    start, end = found.start(1), found.end(3 if value else 2)
    mark = yaml.Mark("", 0, index, start, None, 0)
    if not value:
        meant = _key_meant(key, lines, index)
        message = f"{key} stands alone; write {meant}: and a value"
        return Said(message, mark, f"{meant}:", start, end - start)
    lacking = "a space is missing after the colon" if colon else "a colon is missing"
    message = f"{lacking}; write {shortened(f'{key}: {value}')}"
    return Said(message, mark, f"{key}: {value}", start, end - start)


def _key_meant(word: str, lines: list[str], index: int) -> str:
    """The key that begins with a word in that line, or is near to it; else the word."""
    # With pydantic, which good YAML spares.
    from resnet_spec.language.expected import keys_of
    from resnet_spec.language.fields import Spec

    spaces = _indentation(lines[index])
    above = (line for line in reversed(lines[:index]) if _indentation(line) < spaces)
    key = WORD.match(next(filter(str.strip, above), "").lstrip()) if spaces else None
    keys = keys_of(key[0]) if key else ["extends", *Spec.model_fields]
    begun = [k for k in keys if k.startswith(word)] if len(word) > 2 else []
    return min(begun, key=len, default=None) or closest(word, keys) or word


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
