"""Where a place in a text is in its document, also in one that is half typed and no YAML.

The rules are those that specs need, and no others: keys and lists by their indentation, and
brackets. A bracket that is not closed ends before the next line that has a key and is not
indented more than the line that opened it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import NamedTuple

from resnet_spec.language.syntax import BREAK
from resnet_spec.problems import FieldPath

KEY = re.compile(r"""["']?[\w.$-]+["']?""")
COLON = re.compile(r"[ \t]*:(?=[ \t\n]|$)")
FLOW_COLON = re.compile(r"[ \t]*:(?=[ \t\n,\[\]{}]|$)")
PLAIN = re.compile(r"(?:[^\s#]|(?<=\S)#)(?:[^\n#]|(?<=\S)#)*")
FLOW_PLAIN = re.compile(
    r"""[^\s\[\]{},#"':](?:[^\n\[\]{},#:]|(?<=\S)#|:(?![\s,\[\]{}]))*"""
)
QUOTED = re.compile(r""""(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?""")
BLANK = re.compile(r"(?:[ \t]|(?:^|(?<=\s))#[^\n]*)*")
NEW_KEY = re.compile(r"( *)[\w\"']+[ \t]*:(?=[ \t\n]|$)", re.ASCII)


class Token(NamedTuple):
    """A word of the text: where it is, what it is, and the path of that.

    Of a `key`, the path ends in it; of a `value`, it is that of the field or entry. A `word`,
    alone in a line, may still become either, a key of the mapping at its path or the value.
    """

    start: int
    end: int
    kind: str
    path: FieldPath
    text: str


class Scanned(NamedTuple):
    """The words of a text in order, and the keys of each mapping."""

    tokens: list[Token]
    keys: dict[FieldPath, list[str]]

    def at(self, index: int) -> Token | None:
        """The word that is there, or ends there."""
        found = (token for token in self.tokens if token.start <= index <= token.end)
        return next(found, None)


def scanned(text: str) -> Scanned:
    """The words of a text, whatever state it is in."""
    # Lines end as YAML has it; their lengths stay, so that indices do.
    scanner = _Scanner(BREAK.sub(lambda end: "\n".rjust(len(end[0])), text))
    scanner.lines()
    return Scanned(scanner.tokens, dict(scanner.keys))


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[Token] = []
        self.keys: dict[FieldPath, list[str]] = defaultdict(list)
        self.entries: dict[FieldPath, int] = defaultdict(int)
        self.open: list[tuple[int, FieldPath, bool]] = []  # column, path, is an entry

    def token(self, match: re.Match[str], kind: str, path: FieldPath) -> int:
        """The word as one of that kind; the index behind it."""
        start, end, said = match.start(), match.end(), match[0].rstrip()
        self.tokens.append(
            Token(start, start + len(said), kind, path, said.strip("\"'"))
        )
        return end

    def lines(self) -> None:
        at = 0
        while at < len(self.text):
            at = self.line(at)

    def line(self, start: int) -> int:
        """The index of the line that follows what starts in this one."""
        at = start
        while self.text.startswith(" ", at):
            at += 1
        while self.text.startswith("- ", at) or self.text.startswith("-\n", at):
            at = self.entry(at, at - start)
        at = self.content(at, at - start)
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end + 1

    def entry(self, at: int, column: int) -> int:
        """The index of what is behind a dash."""
        while self.open and (
            self.open[-1][0] > column
            or (self.open[-1][0] == column and self.open[-1][2])
        ):
            self.open.pop()
        path = self.below()
        self.open.append((column, (*path, self.entries[path]), True))
        self.entries[path] += 1
        at += 1
        while self.text.startswith(" ", at):
            at += 1
        return at

    def below(self) -> FieldPath:
        return self.open[-1][1] if self.open else ()

    def content(self, at: int, column: int) -> int:
        """The index behind a key and its value, or behind what is alone in a line."""
        if at >= len(self.text) or self.text[at] in "\n#\t":
            return at
        while self.open and self.open[-1][0] >= column:
            self.open.pop()
        path = self.below()
        key = KEY.match(self.text, at)
        colon = COLON.match(self.text, key.end()) if key else None
        if key and colon:
            name = key[0].strip("\"'")
            self.keys[path].append(name)
            path = (*path, name)
            self.token(key, "key", path)
            self.open.append((column, path, False))
            return self.value(colon.end(), column, path)
        return self.value(at, column, path, kind="word")

    def value(self, at: int, column: int, path: FieldPath, kind: str = "value") -> int:
        """The index behind a value that starts in this line."""
        at = self.blank(at)
        if self.text[at : at + 1] in ("[", "{"):
            return self.flow(at, column, path)
        match = QUOTED.match(self.text, at) or PLAIN.match(self.text, at)
        return self.token(match, kind, path) if match else at

    def blank(self, at: int) -> int:
        found = BLANK.match(self.text, at)
        return found.end() if found else at

    def flow(self, at: int, column: int, path: FieldPath) -> int:
        """The index behind a bracket's end, or where it has to have one."""
        opened = self.text[at]
        at, index, key = at + 1, 0, ""
        while at < len(self.text):
            at = self.blank(at)
            character = self.text[at : at + 1]
            if character == "\n":
                begun = NEW_KEY.match(self.text, at + 1)
                if begun and len(begun[1]) <= column:
                    return at
                at += 1
                continue
            if character in ("]", "}"):
                return at + 1
            here = (
                (*path, index if opened == "[" else key)
                if opened == "[" or key
                else path
            )
            if character == ",":
                at, index, key = at + 1, index + 1, ""
            elif character in ("[", "{"):
                at = self.flow(at, column, here)
            else:
                at, key = self.word(at, opened, key, here)
        return at

    def word(self, at: int, opened: str, key: str, path: FieldPath) -> tuple[int, str]:
        """The index behind a word in brackets, and the key whose value is next."""
        match = QUOTED.match(self.text, at) or FLOW_PLAIN.match(self.text, at)
        if not match:
            return at + 1, key
        if opened == "[" or key:
            return self.token(match, "value", path), key
        name = match[0].strip().strip("\"'")
        self.keys[path].append(name)
        end = self.token(match, "key", (*path, name))
        colon = FLOW_COLON.match(self.text, end)
        return (colon.end(), name) if colon else (end, "")
