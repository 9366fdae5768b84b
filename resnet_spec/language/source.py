"""What was read: the data with the place of every value, and where a mistake in it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from resnet_spec.language.yaml_nodes import Node
from resnet_spec.problems import (
    FieldPath,
    Place,
    Problem,
    SpecError,
    dotted,
    leave_out,
)
from resnet_spec.problems.words import flow, shortened

NO_VALUE = (
    "has no value; give it one or remove the key (null takes away what is inherited, and "
    "nothing is here)"
)


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
        nulls = self._nulls()
        empty = {p.path for p in problems if p.rule == "missing"} & nulls.keys()
        before = [p for p in self.problems if p.path not in empty]
        noted = {p.path for p in before}
        new = (
            _without_value(p, *nulls[p.path])
            if p.rule == "missing" and p.path in empty
            else p
            for p in problems
            if p.path not in noted
        )
        return SpecError(*self.placed(*before, *new))

    def _nulls(self) -> dict[FieldPath, tuple[str, Place | None]]:
        """The rule that each null breaks where a value is needed, and its place.

        It is another where the null takes an inherited value away.
        """
        nulls = {
            p.path: (p.rule, p.place) for p in self.problems if p.message == NO_VALUE
        }
        taken = {
            (*path, key): ("missing", place)
            for path, node in self.root.walk()
            for key, place in node.taken
        }
        return {**nulls, **taken}

    def placed(self, *problems: Problem) -> list[Problem]:
        """The problems with their places, and a note where that is not in the spec alone."""
        nodes = dict(self.root.walk())
        found = []
        for problem in problems:
            written = problem.place or _place(problem, nodes)
            place = self._nearest(written, problem.others, nodes)
            moved = place != written
            elsewhere = self._distance(place) or not place.line
            by = self.root.place.file if elsewhere else ""
            problem = _taking_away(problem) if moved else problem
            problem = problem._replace(place=place, inherited_by=by)
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


def _without_value(missing: Problem, rule: str, place: Place | None) -> Problem:
    """What is said of a field that is there, and is null."""
    message = missing.message.replace("is missing", "has no value", 1)
    return missing._replace(rule=rule, message=message, place=place)


def _taking_away(problem: Problem) -> Problem:
    """What is said of a value that is inherited: where it differs, to take that away first."""
    if not problem.inherited:
        return problem
    proposals = dict.fromkeys((*leave_out(problem.path), *problem.proposals))
    return problem._replace(message=problem.inherited, proposals=tuple(proposals))


def _inherited(path: FieldPath, place: Place, nodes: Mapping[FieldPath, Node]) -> str:
    """`resnet50:13:9 has widths: [64, 128, 256, 512]`"""
    while path not in nodes:
        path = path[:-1]
    return f"{place} has {dotted(path)}: {shortened(flow(nodes[path].data))}"
