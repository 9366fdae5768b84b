"""A spec file -> its data, with `extends` and overrides worked in and every place kept."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from resnet_spec.language.shipped import shipped_names, shipped_spec, shown
from resnet_spec.language.yaml_nodes import Node, compose
from resnet_spec.problems import FieldPath, Place, Problem, SpecError, dotted
from resnet_spec.problems.words import describe, flow, nearest, shortened

LARGEST_FILE = 1_000_000  # bytes; a spec has some hundred
LONGEST_CHAIN = 16  # specs that extend one another
OWN = ("name", "title", "expect")  # said of one network alone, so never inherited
TAKEN_AWAY = "null takes an inherited value away, and none is inherited"


class Link(NamedTuple):
    """A file that is extended, where it is named, and whether it ships."""

    file: str
    named: Place
    ships: bool


class Source(NamedTuple):
    """What was written, `extends` and overrides worked in, and what is wrong so far."""

    root: Node
    problems: tuple[Problem, ...] = ()
    overrides: tuple[str, ...] = ()  # as key=value
    links: tuple[Link, ...] = ()  # what it extends, what that extends, and so on

    def refuse(self, *problems: Problem) -> SpecError:
        """The error to raise: what was wrong before and these, placed, in file order.

        Where null stands for a field that is needed, that is said, and what the field is for.
        """
        noted = {p.path for p in self.problems}
        missing = {p.path: p.message for p in problems if p.rule == "missing"}
        before = (
            p._replace(message=missing[p.path].replace("is missing", "has no value", 1))
            if p.message.startswith(TAKEN_AWAY) and p.path in missing
            else p
            for p in self.problems
        )
        new = (p for p in problems if p.path not in noted)
        return SpecError(*self.placed(*before, *new))

    def placed(self, *problems: Problem) -> list[Problem]:
        """The problems with their places, and a note where that is not in the spec alone."""
        nodes = dict(self.root.walk())
        found = []
        for problem in problems:
            written = problem.place or _place(problem, nodes)
            place = self._nearest(written, problem.others, nodes)
            moved = place != written
            elsewhere = self._distance(place) or not place.line
            problem = problem._replace(
                place=place,
                inherited_by=self.root.place.file if elsewhere else "",
                message=(moved and problem.inherited) or problem.message,
            )
            said = [_inherited(problem.path, written, nodes)] if moved else []
            found.append(
                problem._replace(note="; ".join((*said, *self._notes(problem))))
            )
        return sorted(found, key=lambda problem: (problem.place or ())[:3])

    def _nearest(
        self,
        place: Place,
        others: Sequence[FieldPath],
        nodes: Mapping[FieldPath, Node],
    ) -> Place:
        """Where a mistake was made that shows at a place: in the last file to have a say.

        Files that ship cannot be changed, so there it is the line that names the file.
        """
        written = (nodes[path].place for path in others if path in nodes)
        places = [place, *(other for other in written if other.line)]
        place = min(places, key=self._distance)
        for link in reversed(self.links):
            if place.file == link.file and link.ships:
                place = link.named
        return place

    def _distance(self, place: Place) -> int:
        """How many `extends` lead to the place's file; 0 of this file and of an override."""
        files = [link.file for link in self.links]
        here = not place.line or place.file not in files
        return 0 if here else files.index(place.file) + 1

    def _notes(self, problem: Problem) -> Iterator[str]:
        """What is to be known where a place is not in the spec, or not the whole reason."""
        assert problem.place
        if not problem.place.line:  # an override's
            yield f"in {self.root.place.file}"
            return
        if problem.inherited_by:
            yield f"{problem.inherited_by} extends this file"
        yield from (f"with {override}" for override in self.overrides)
        taken = problem.inherited_by or self.overrides
        if taken and problem.rule == "unused" and problem.message != problem.inherited:
            yield f"`{problem.path[-1]}: null` takes it away again"


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


def _inherited(path: FieldPath, place: Place, nodes: Mapping[FieldPath, Node]) -> str:
    """`resnet50:13:9 has widths: [64, 128, 256, 512]`"""
    while path not in nodes:
        path = path[:-1]
    return f"{place} has {dotted(path)}: {shortened(flow(nodes[path].data))}"


def read(
    file: str | os.PathLike[str], overrides: Mapping[str, Any] | None = None
) -> Source:
    """The data of a spec file with its `extends` and overrides, `{"head.classes": 10}`.

    Refuses what cannot be read or is not one YAML mapping, and an `extends` that is
    missing or goes in a circle. Keys given twice, anchors and tags are noted as problems.
    """
    root, problems, links = _extended(Path(file))
    if overrides:
        root = _without(root, "expect")
    for path, value in (overrides or {}).items():
        root = _merged(root, _override(path, value), problems)
    said = tuple(f"{path}={flow(value)}" for path, value in (overrides or {}).items())
    return Source(root, tuple(problems), said, tuple(links))


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


def _extended(file: Path) -> tuple[Node, list[Problem], list[Link]]:
    """The file's document laid over all that it extends."""
    document, noted = _document(file)
    chain, files, links = [(document, noted)], [file], []
    while link := document.value.get("extends"):
        file = _target(link, files)
        document, noted = _base(link, file)
        name = shown(file)
        links.append(Link(name, link.place, name != str(file)))
        chain.append((document, noted))
        files.append(file)
    root = Node({}, document.place)
    problems = [problem for _, noted in chain for problem in noted]
    for document, _ in reversed(chain):
        root = _merged(_without(root, *OWN), _without(document, "extends"), problems)
    return root, problems, links


def _document(file: Path) -> tuple[Node, tuple[Problem, ...]]:
    """What the file says, and what is wrong in it; refuses what is no mapping."""
    root, noted = compose(_text(file), shown(file))
    if not isinstance(root.value, dict):
        got = "nothing" if root.value is None else describe(root.data)
        message = f"must be a mapping of keys to values, got {got}"
        raise SpecError(Problem("mapping", message, place=root.place))
    return root, noted


def _base(link: Node, file: Path) -> tuple[Node, tuple[Problem, ...]]:
    """A document to extend. Of what is no spec nothing is printed: it may be anybody's."""
    try:
        document, noted = _document(file)
        if shown(file) != str(file) or _is_spec(document):
            return document, noted
        why = "has no field of a spec"
    except SpecError as error:
        place = error.problems[0].place or Place("")
        why = f"cannot be read as a spec{f', by its line {place.line}' * bool(place.line)}"
    message = f"{shortened(shown(file))} {why}; name a spec, or mend that file"
    raise _not_extended(link, message)


def _is_spec(document: Node) -> bool:
    """Whether a mapping is empty or has one key at least that a spec has."""
    from resnet_spec.language.fields import Spec  # pydantic, which reading alone spares

    keys = {"extends", *Spec.model_fields}
    return not document.value or not keys.isdisjoint(document.value)


def _target(link: Node, files: list[Path]) -> Path:
    """The file that `extends` names, seen from the folder of the file that says it."""
    if not isinstance(link.value, str):
        got = describe(link.data)
        raise _not_extended(
            link, f"takes one spec, as resnet50 or base.yaml, got {got}"
        )
    target = Path(os.path.normpath(files[-1].parent / link.value))
    if not target.suffix:
        target = shipped_spec(link.value) or target
    if any(target.absolute() == seen.absolute() for seen in files):
        circle = " -> ".join(map(shown, (*files, target)))
        raise _not_extended(link, f"goes in a circle, {circle}")
    if len(files) > LONGEST_CHAIN:
        message = f"is the {len(files)}th in a row, and {LONGEST_CHAIN} are enough"
        raise _not_extended(link, message)
    try:
        if target.is_file():
            return target
        is_folder = target.is_dir()
        names = [file.name for file in target.parent.glob("*.yaml") if file.is_file()]
        names = [name for name in names if name != files[-1].name]
        names += [] if target.suffix else shipped_names()
    except (OSError, ValueError):  # a path that no file system takes
        is_folder, names = False, []
    if is_folder:
        raise _not_extended(link, f"{shortened(str(target))} is a folder; name a file")
    raise _not_extended(
        link, f"no such file {shortened(str(target))}{_meant(target, names)}"
    )


def _meant(target: Path, names: list[str]) -> str:
    """What a file that is not there may have meant: one beside it, or one that ships."""
    hint = nearest(target.name, names)
    if target.suffix and shipped_spec(target.stem):
        return f"{hint}; {target.stem}, without a suffix, ships"
    after = target.suffix[1:]  # as in torchvision.resnet50
    return (
        f", and no spec that ships (did you mean {after}?)"
        if shipped_spec(after)
        else hint
    )


def _not_extended(link: Node, message: str) -> SpecError:
    return SpecError(Problem("extends", message, ("extends",), link.place))


def _text(file: Path) -> str:
    def refused(rule: str, message: str) -> SpecError:
        return SpecError(Problem(rule, message, place=Place(shown(file))))

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
        elif values.pop(key, None) is None and not _is_noted(below, problems):
            message = f"{TAKEN_AWAY}; remove the key or give it a value"
            problems.append(Problem("null", message, below, node.place))
    over = isinstance(base.value, dict) and base.place.line and not new.place.line
    kept = base if over else new  # an override does not move what it is laid over
    return new._replace(value=values, place=kept.place, key=kept.key)


def _is_noted(path: FieldPath, problems: list[Problem]) -> bool:
    return any(problem.path == path for problem in problems)
