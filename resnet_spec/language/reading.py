"""A spec file -> its data, with `extends` and overrides worked in and every place kept."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from resnet_spec.language.shipped import named, shipped_names, shipped_spec, shown
from resnet_spec.language.source import NO_VALUE, Link, Source
from resnet_spec.language.yaml_nodes import Node, compose
from resnet_spec.problems import (
    FieldPath,
    Place,
    Problem,
    SpecError,
    leave_out,
    nested,
    texts,
    write,
)
from resnet_spec.problems.words import closest, describe, flow, nearest, shortened

TOO_LARGE = f"is larger than {texts.LARGEST_FILE:,} bytes"
LONGEST_CHAIN = 16  # specs that extend one another
OWN = (
    "name",
    "title",
    "expect",
    "choices",
)  # said of one file alone, so never inherited


Texts = Mapping[Path, str]
"""What files have that are being edited, by absolute path, in place of what was saved."""


def read(
    file: str | os.PathLike[str],
    overrides: Mapping[str, Any] | None = None,
    unsaved: Texts | None = None,
) -> Source:
    """The data of a spec file with its `extends` and overrides, `{"head.classes": 10}`.

    A file, also one that is extended, has the text that is unsaved, where there is one.
    Refuses what cannot be read or is not one YAML mapping, and an `extends` that is
    missing or goes in a circle. Keys given twice, anchors and tags are noted as problems.
    """
    root, problems, links = _extended(Path(file), unsaved or {})
    if overrides:
        root = overridden(_without(root, "expect"), overrides, problems)
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


def changed(root: Node, values: Mapping[str, Node]) -> Node:
    """The document with each field, as `head.classes`, of that value; null takes it away."""
    for path, node in values.items():
        *above, key = path.split(".")
        document = Node({key: node}, node.place)
        for name in reversed(above):
            document = Node({name: document}, node.place)
        root = _merged(root, document, [])._replace(place=root.place)
    return root


def overridden(
    root: Node, overrides: Mapping[str, Any], problems: list[Problem]
) -> Node:
    """The document with each field, as `head.classes`, of that value; null takes it away.

    A null that takes nothing away is noted among the problems.
    """
    for path, value in overrides.items():
        root = _merged(root, _override(path, value), problems)
    return root


def _override(path: str, value: Any) -> Node:
    """`value` as the document that has it at `path` and nothing else."""
    place = Place(f"override {path}={flow(value)}")

    def node(value: Any) -> Node:
        if isinstance(value, dict):
            return Node({k: node(v) for k, v in value.items()}, place)
        if isinstance(value, (list, tuple)):
            return Node([node(v) for v in value], place)
        return Node(value, place)

    return node(nested(path.split("."), value))


def _extended(file: Path, unsaved: Texts) -> tuple[Node, list[Problem], list[Link]]:
    """The file's document laid over all that it extends."""
    document, noted = _document(file, unsaved)
    chain, files, links = [(document, noted)], [file], []
    while link := document.value.get("extends"):
        file = target(link, files, unsaved)
        document, noted = _base(link, file, unsaved)
        name = shown(file)
        links.append(Link(name, link.place, name != str(file)))
        chain.append((document, noted))
        files.append(file)
    root = Node({}, document.place)
    problems = [problem for _, noted in chain for problem in noted]
    for document, _ in reversed(chain):
        root = _merged(_without(root, *OWN), _without(document, "extends"), problems)
    return root, problems, links


def _document(file: Path, unsaved: Texts) -> tuple[Node, tuple[Problem, ...]]:
    """What the file says, and what is wrong in it; refuses what is no mapping."""
    root, noted = compose(_text(file, unsaved), shown(file))
    if not isinstance(root.value, dict):
        got = "nothing" if root.value is None else describe(root.data)
        message = f"must be a mapping of keys to values, got {got}"
        raise SpecError(Problem("mapping", message, place=root.place))
    return root, noted


def _base(link: Node, file: Path, unsaved: Texts) -> tuple[Node, tuple[Problem, ...]]:
    """A document to extend. Of what is no spec nothing is printed: it may be anybody's."""
    try:
        document, noted = _document(file, unsaved)
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


def target(link: Node, files: Sequence[Path], unsaved: Texts) -> Path:
    """The file that `extends` names, seen from the folder of the last file, which says it.

    Raises SpecError where there is none, or it is one of the files.
    """
    if not isinstance(link.value, str):
        got = describe(link.data)
        raise _not_extended(
            link, f"takes one spec, as resnet50 or base.yaml, got {got}"
        )
    found = Path(os.path.normpath(files[-1].parent / link.value))
    if not found.suffix:
        found = shipped_spec(link.value) or found
    if any(found.absolute() == seen.absolute() for seen in files):
        circle = " -> ".join(map(shown, (*files, found)))
        raise _not_extended(link, f"goes in a circle, {circle}")
    if len(files) > LONGEST_CHAIN:
        message = f"is the {len(files)}th in a row, and {LONGEST_CHAIN} are enough"
        raise _not_extended(link, message)
    try:
        if found.absolute() in unsaved or found.is_file():
            return found
        is_folder = found.is_dir()
        names = [file.name for file in found.parent.glob("*.yaml") if file.is_file()]
        names += [f.name for f in unsaved if f.parent == found.parent.absolute()]
        names = [name for name in names if name != files[-1].name]
        names += [] if found.suffix else shipped_names()
    except (OSError, ValueError):  # a path that no file system takes
        is_folder, names = False, []
    if is_folder:
        raise _not_extended(link, f"{shortened(str(found))} is a folder; name a file")
    if keys := named(link.value):
        message = f"is the name of several specs, {', '.join(keys)}"
        raise _not_extended(link, message, *keys)
    hint, *meant = _meant(found, names)
    message = f"no such file {shortened(str(found))}{hint}"
    beside = [str(Path(link.value).parent / m) if Path(m).suffix else m for m in meant]
    raise _not_extended(link, message, *beside)


def _meant(target: Path, names: list[str]) -> list[str]:
    """What a file that is not there may have meant: one beside it, or one that ships.

    How a message says so, and then what to write.
    """
    near = closest(target.name, names)
    hint, meant = nearest(target.name, names), [near] if near else []
    if target.suffix and shipped_spec(target.stem):
        message = f"{hint}; {target.stem}, without a suffix, ships"
        return [message, *meant, target.stem]
    after = target.suffix[1:]  # as in torchvision.resnet50
    if shipped_spec(after):
        return [f", and no spec that ships (did you mean {after}?)", after]
    return [hint, *meant]


def _not_extended(link: Node, message: str, *meant: str) -> SpecError:
    path = ("extends",)
    proposals = write(path, *meant)
    return SpecError(Problem("extends", message, path, link.place, proposals=proposals))


def _text(file: Path, unsaved: Texts) -> str:
    def refused(rule: str, message: str) -> SpecError:
        return SpecError(Problem(rule, message, place=Place(shown(file))))

    if (text := unsaved.get(file.absolute())) is not None:
        try:
            data = text.encode()
        except UnicodeEncodeError:  # half of a character
            raise refused("text", "is not UTF-8 text") from None
        if len(data) > texts.LARGEST_FILE:
            raise refused("file", TOO_LARGE)
        return text.removeprefix("\ufeff")
    if file.is_dir():
        raise refused("file", "is a folder, or a family of specs; give one of them")
    try:
        data = texts.read(file)
    except (OSError, ValueError) as error:  # ValueError of a NUL in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise refused("file", f"cannot be read, {reason.lower()}") from None
    if len(data) > texts.LARGEST_FILE:
        raise refused("file", TOO_LARGE)
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
    taken = dict(base.taken)
    for key, node in new.value.items():
        below = (*path, key)
        if isinstance(node.value, dict):
            inner = values.get(key, Node({}, node.place))
            values[key] = _merged(inner, node, problems, below)
        elif node.value is not None:
            values[key] = node
        elif values.pop(key, None) is not None:
            taken[key] = node.place
        elif not _is_noted(below, problems):
            proposals = leave_out(below)
            problems.append(
                Problem("null", NO_VALUE, below, node.place, proposals=proposals)
            )
    over = isinstance(base.value, dict) and base.place.line and not new.place.line
    kept = base if over else new  # an override does not move what it is laid over
    gone = tuple((key, at) for key, at in taken.items() if key not in values)
    return Node(values, kept.place, kept.key, gone)


def _is_noted(path: FieldPath, problems: list[Problem]) -> bool:
    return any(problem.path == path for problem in problems)
