"""A spec file -> its data, with `extends` and overrides worked in and every place kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from resnet_spec.language.shipped import shipped_names, shipped_spec
from resnet_spec.language.yaml_nodes import Node, compose
from resnet_spec.problems import FieldPath, Place, Problem, SpecError
from resnet_spec.problems.words import describe, flow, nearest, shortened

LARGEST_FILE = 1_000_000  # bytes; a spec has some hundred
LONGEST_CHAIN = 16  # specs that extend one another
OWN = ("name", "title", "expect")  # said of one network alone, so never inherited


class Source(NamedTuple):
    """What was written, `extends` and overrides worked in, and what is wrong so far."""

    root: Node
    problems: tuple[Problem, ...] = ()
    overrides: tuple[str, ...] = ()  # as key=value

    def refuse(self, *problems: Problem) -> SpecError:
        """The error to raise: what was wrong before and these, placed, in file order."""
        noted = {p.path for p in self.problems}
        new = (p for p in problems if p.path not in noted)
        return SpecError(*self.placed(*self.problems, *new))

    def placed(self, *problems: Problem) -> list[Problem]:
        """The problems with their places, and a note where that is not in the spec alone."""
        nodes = dict(self.root.walk())
        found = []
        for problem in problems:
            problem = self._mine(problem, nodes)
            place = problem.place or _place(problem, nodes)
            extending = self.root.place.file if self._inherited(place) else ""
            problem = problem._replace(place=place, inherited_by=extending)
            found.append(problem._replace(note=self._note(problem, place)))
        return sorted(found, key=lambda problem: (problem.place or ())[:3])

    def _mine(self, problem: Problem, nodes: Mapping[FieldPath, Node]) -> Problem:
        """The problem as it is said of this file's own value, where another is inherited."""
        if problem.otherwise is None:
            return problem
        path, message = problem.otherwise
        mine = problem._replace(path=path, message=message, otherwise=None)
        is_mine = [not self._inherited(_place(each, nodes)) for each in (problem, mine)]
        return mine if is_mine == [False, True] else problem._replace(otherwise=None)

    def _inherited(self, place: Place) -> bool:
        """Whether a place is in a file that this one extends; an override is in none."""
        return bool(place.line) and place.file != self.root.place.file

    def _note(self, problem: Problem, place: Place) -> str:
        if not place.line:  # an override's
            return f"in {self.root.place.file}"
        extending = problem.inherited_by
        said = [f"{extending} extends this file"] if extending else []
        said += [f"with {override}" for override in self.overrides]
        if said and problem.rule == "unused":
            said.append(f"`{problem.path[-1]}: null` takes it away again")
        return "; ".join(said)


def _place(problem: Problem, nodes: Mapping[FieldPath, Node]) -> Place:
    """Where the problem's key or value stands; for what is missing, where it would."""
    path = problem.path
    while path not in nodes:
        path = path[:-1]
    node = nodes[path]
    if not path:
        return node.place._replace(length=0)  # the whole file, no character of it
    if problem.about_key and path == problem.path and node.key:
        return node.key
    return node.place


def read(
    file: str | os.PathLike[str], overrides: Mapping[str, Any] | None = None
) -> Source:
    """The data of a spec file with its `extends` and overrides, `{"head.classes": 10}`.

    Refuses what cannot be read or is not one YAML mapping, and an `extends` that is
    missing or goes in a circle. Keys given twice, anchors and tags are noted as problems.
    """
    root, problems = _extended(Path(file), ())
    if overrides:
        root = _without(root, "expect")
    for path, value in (overrides or {}).items():
        root = _merged(root, _override(path, value), problems)
    said = tuple(f"{path}={flow(value)}" for path, value in (overrides or {}).items())
    return Source(root, tuple(problems), said)


def override(text: str) -> tuple[str, Any]:
    """The path and value of `head.classes=10`; the value is read as YAML is.

    >>> override("depths=[3, 4, 23, 3]")
    ('depths', [3, 4, 23, 3])
    """
    path, equals, value = text.partition("=")
    place = Place(f"override {text}")
    if not equals or not all(path.split(".")):
        message = "is not of the form key=value, as in head.classes=10"
        raise SpecError(Problem("override", message, place=place))
    try:
        node, problems = compose(value, place.file)
    except SpecError as error:
        problems = error.problems
    except UnicodeEncodeError:  # of bytes that a shell passed on
        problems = (Problem("text", "is not UTF-8 text"),)
    if problems:
        raise SpecError(*(problem._replace(place=place) for problem in problems))
    return path, node.data


def _override(path: str, value: Any) -> Node:
    """`value` as the document that has it at `path` and nothing else."""
    place = Place(f"override {path}={flow(value)}")

    def node(value: Any) -> Node:
        if isinstance(value, dict):
            return Node({k: node(v) for k, v in value.items()}, place)
        if isinstance(value, (list, tuple)):
            return Node([node(v) for v in value], place)
        return Node(value, place)

    for key in reversed(path.split(".")):
        value = {key: value}
    return node(value)


def _extended(file: Path, chain: tuple[Path, ...]) -> tuple[Node, list[Problem]]:
    """The file's document laid over the one that it extends."""
    root, noted = compose(_text(file), str(file))
    if not isinstance(root.value, dict):
        got = "nothing" if root.value is None else describe(root.data)
        message = f"must be a mapping of keys to values, got {got}"
        raise SpecError(Problem("mapping", message, place=root.place))
    base, problems = Node({}, root.place), list(noted)
    if "extends" in root.value:
        link = root.value["extends"]
        root = _without(root, "extends")
        base, found = _extended(_target(link, file, (*chain, file)), (*chain, file))
        problems += found
        base = _without(base, *OWN)
    return _merged(base, root, problems), problems


def _target(link: Node, file: Path, chain: tuple[Path, ...]) -> Path:
    """The file that `extends` names, seen from the folder of the file that says it."""

    def refused(message: str) -> SpecError:
        return SpecError(Problem("extends", message, ("extends",), link.place))

    if not isinstance(link.value, str):
        raise refused(f"must be the path of a spec, got {describe(link.data)}")
    target = Path(os.path.normpath(file.parent / link.value))
    if not target.suffix:
        target = shipped_spec(link.value) or target
    if any(target.absolute() == seen.absolute() for seen in chain):
        circle = " -> ".join(map(str, (*chain, target)))
        raise refused(f"goes in a circle, {circle}")
    if len(chain) > LONGEST_CHAIN:
        raise refused(f"is the {len(chain)}th in a row, and {LONGEST_CHAIN} are enough")
    try:
        if target.is_file():
            return target
        names = [file.name for file in target.parent.glob("*.yaml")]
        names += [] if target.suffix else shipped_names()
    except (OSError, ValueError):  # a path that no file system takes
        names = []
    hint = nearest(target.name, names)
    if target.suffix and shipped_spec(target.stem):
        hint += f"; {target.stem}, without a suffix, ships"
    raise refused(f"no such file {shortened(str(target))}{hint}")


def _text(file: Path) -> str:
    def refused(rule: str, message: str) -> SpecError:
        return SpecError(Problem(rule, message, place=Place(str(file))))

    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:  # ValueError of a NUL in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise refused("file", f"cannot be read, {reason.lower()}") from None
    if len(data) > LARGEST_FILE:
        raise refused("file", f"is larger than {LARGEST_FILE:,} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        message = f"is not UTF-8 text, byte {error.start} is {byte:#04x}"
        raise refused("text", message) from None


def _without(node: Node, *keys: str) -> Node:
    return node._replace(value={k: v for k, v in node.value.items() if k not in keys})


def _merged(
    base: Node, new: Node, problems: list[Problem], path: FieldPath = ()
) -> Node:
    """`new` laid over `base`: mappings merge, null takes a key away, the rest replaces."""
    values = dict(base.value) if isinstance(base.value, dict) else {}
    for key, node in new.value.items():
        below = (*path, key)
        if isinstance(node.value, dict):
            inner = values.get(key, Node({}, node.place))
            values[key] = _merged(inner, node, problems, below)
        elif node.value is not None:
            values[key] = node
        elif values.pop(key, None) is None:
            message = "null takes an inherited value away, and none is inherited"
            message += "; remove the key or give it a value"
            problems.append(Problem("null", message, below, node.place))
    over = isinstance(base.value, dict) and base.place.line and not new.place.line
    kept = base if over else new  # an override does not move what it is laid over
    return new._replace(value=values, place=kept.place, key=kept.key)
