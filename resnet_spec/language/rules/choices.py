"""What the catalog says of each choice: what it needs, what it reads, what it refuses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

from pydantic import BaseModel

from resnet_spec.catalog import (
    CATALOG,
    OWN,
    OWN_STEMS,
    BlockEntry,
    Entry,
    Read,
    Refusal,
    words,
)
from resnet_spec.language.expected import refused
from resnet_spec.language.fields import Spec
from resnet_spec.language.plan import (
    KINDS,
    PER_STAGE,
    Plan,
    StagePlan,
    UnknownError,
    by_stage,
    covers,
)
from resnet_spec.language.values import LeakyReLU
from resnet_spec.problems import (
    FieldPath,
    Problem,
    Proposal,
    dotted,
    leave_out,
    nested,
    write,
)
from resnet_spec.problems.words import article, either, flow


def what_is_needed_is_there(plan: Plan) -> Iterator[Problem]:
    found: dict[str, Problem] = {}
    for stage in plan.blocks:
        for field, read in stage.reads.items():
            if read.example and field not in found and _is_missing(stage, field):
                for owner, by in _readers_here(stage, field):
                    message = f"is missing; {by} needs it: {read.example}"
                    path, others = stage.path(field), (stage.path(owner),)
                    lawful = CATALOG.get(field) or read.example.split()[:1]
                    problem = Problem(
                        "missing",
                        message,
                        path,
                        others=others,
                        proposals=write(path, *map(_number_or_word, lawful)),
                    )
                    found.setdefault(field, problem)
    yield from found.values()


def _number_or_word(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _readers_here(stage: StagePlan, field: str) -> Iterator[tuple[str, str]]:
    """The entries of a stage that read the field: who asks for it, and what, in words."""
    for owner, word, entry in stage.entries():
        if read := entry.reads_as(stage.preact).get(field):
            yield owner, _called(owner, word, entry, read)


def _is_missing(stage: StagePlan, field: str) -> bool:
    try:
        return stage.value(field) is None
    except UnknownError:
        return False


def what_is_there_is_read(plan: Plan) -> Iterator[Problem]:
    for fields in _written(plan):
        dead = [field for field in fields if not plan.reads(field)]
        if len(dead) == len(fields) > 1:
            yield _unread(plan, fields[0].split(".")[0], dead[0])
        else:
            yield from (_unread(plan, field, field) for field in dead)
        for field in fields:
            if field not in dead:
                yield from _unread_entries(plan, field)


def _wrong(plan: Plan) -> int:
    """How much is missing, unread or refused."""
    unread = (not plan.reads(field) for fields in _written(plan) for field in fields)
    others = (what_is_needed_is_there(plan), what_goes_together(plan))
    return sum(unread) + sum(1 for problems in others for _ in problems)


def _written(plan: Plan) -> Iterator[list[str]]:
    """The fields that the spec writes, those of a mapping together."""
    for name in filter(plan.spec.model_fields_set.__contains__, Spec.model_fields):
        value = plan.known(name)
        if isinstance(value, BaseModel) and name not in PER_STAGE:
            written = [
                key for key in type(value).model_fields if key in value.model_fields_set
            ]
            yield [
                f"{name}.{key}" for key in written if getattr(value, key) is not None
            ]
        elif value is not None:
            yield [name]


def _unread(plan: Plan, field: str, leaf: str) -> Problem:
    from resnet_spec.language.answers import answer  # which good specs spare

    if field == "group_width" and plan.known("stages"):
        field = "stages.regnet.group_width"  # which gives it
    path, others = tuple(field.split(".")), _owners(leaf)
    why = f"changes nothing here; only {_readers(leaf)} reads it"
    said = answer(path, plan.known(path[0]), "unused")
    return unused(why, field, others, said, _readable(plan, leaf))


def unused(
    why: str,
    field: str,
    others: tuple[FieldPath, ...],
    said: str = "",
    readable: Mapping[FieldPath, Sequence[str]] = {},
) -> Problem:
    """That a field is to be removed, or where it is inherited, to be taken away.

    Or to be read, by the words with which it is `readable`, by field.
    """
    path = tuple(field.split("."))
    reading = (write(owner, *each) for owner, each in readable.items())
    choices = (
        f"write {dotted(owner)}: {either(each)}, or "
        for owner, each in readable.items()
    )
    return Problem(
        "unused",
        f"{why}, so {''.join(choices)}remove it{f'; {said}' * bool(said)}",
        path,
        about_key=True,
        others=others,
        inherited=f"{why}, so write {flow(nested(path, None))[1:-1]}",
        proposals=(*chain(*reading), *leave_out(path)),
    )


MOST_TRIED = 50  # stages, or blocks said one by one; each word is tried in all of them


def _readable(plan: Plan, field: str) -> dict[FieldPath, list[str]]:
    """The words with which a field is read, of choices that the spec leaves to their default.

    Those with which no less is wrong are left out.
    """
    found: dict[FieldPath, list[str]] = defaultdict(list)
    if len(plan.blocks) > MOST_TRIED:
        return found
    now = _wrong(plan)
    for path in _owners(field):
        owner = dotted(path)
        if owner in CATALOG and not _is_written(plan.spec, owner):
            for word in words(owner):
                if any(refused(owner, word)):  # which stands in a list
                    continue
                with_it = _supposed(plan, owner, word)
                if with_it.reads(field) and _wrong(with_it) < now:
                    found[path].append(word)
    return found


def _supposed(plan: Plan, field: str, word: str) -> Plan:
    """The plan with that word in a field that is not written."""
    name, *inner = field.split(".")
    value: Any = word
    if inner:
        value = getattr(plan.spec, name).model_copy(update={inner[0]: word})
    return Plan(plan.spec.model_copy(update={name: value}))


def _unread_entries(plan: Plan, field: str) -> Iterator[Problem]:
    """Entries of a list that stand for stages, or blocks, without a use for them."""
    each = plan.known(field) if field in PER_STAGE else None
    if not by_stage(each):
        return
    found: dict[FieldPath, list[StagePlan]] = {}
    for block in plan.blocks:
        if block.said(field) is not None:
            found.setdefault(block.path(field), []).append(block)
    for path, blocks in found.items():
        if not any(covers(block.reads, field) for block in blocks):
            where = f"stage {blocks[0].index + 1}"
            if by_stage(each[blocks[0].index]):
                where = f"block {blocks[0].nth + 1} of {where}"
            message = f"changes nothing; only {_readers(field)} reads it"
            message += f", so write null for {where}"
            yield Problem(
                "unused-entry",
                message,
                path,
                others=_owners(field),
                proposals=write(path, None),
            )


# --- what goes together -------------------------------------------------------------------


class Asked(NamedTuple):
    """What an entry in use asks of another field."""

    owner: str
    word: str
    refusal: Refusal

    def __str__(self) -> str:
        return f"`{self.owner}: {self.word}`" if self.word else f"`{self.owner}`"


def what_goes_together(plan: Plan) -> Iterator[Problem]:
    """One problem for each refusal, in the first stage where it applies."""
    found: dict[tuple[str, ...], Problem] = {}
    for stage in plan.blocks:
        asked = [
            Asked(owner, word, refusal)
            for owner, word, entry in stage.entries()
            for refusal in entry.refusals
        ]
        for one in asked:
            if _is_refused(stage, one.refusal):
                key = (one.owner, one.word, one.refusal.field)
                found.setdefault(key, _refused(stage, one))
    yield from found.values()


def _is_refused(stage: StagePlan, refusal: Refusal) -> bool:
    if not covers(stage.reads, refusal.field):
        return False
    try:
        value = stage.value(refusal.field)
        if isinstance(value, (BaseModel, tuple)) and OWN in refusal.allowed:
            value = OWN
        value = "leaky_relu" if isinstance(value, LeakyReLU) else value
        return value not in refusal.allowed
    except UnknownError:
        return False


def _refused(stage: StagePlan, asked: Asked) -> Problem:
    """At the value that is refused; where that is a default, at the choice that refuses it."""
    owner, word, refusal = asked
    others = (stage.path(owner),)
    legal = _legal(stage, refusal)
    message = f"must {legal} with {asked}; {refusal.why}"
    at_choice = f"{refusal.field} must {legal}; {refusal.why}"
    if word:
        at_choice = f"with {word}, {at_choice}"
    path = stage.path(refusal.field)
    proposals = _allowed(path, refusal)
    if not _is_written(stage.spec, refusal.field):
        return Problem(
            "not-together", at_choice, stage.path(owner), proposals=proposals
        )
    return Problem("not-together", message, path, others=others, proposals=proposals)


def _allowed(path: FieldPath, refusal: Refusal) -> tuple[Proposal, ...]:
    """What may be written in place of the value at a path that is refused."""
    allowed = [value for value in refusal.allowed if value is not OWN]
    gone = leave_out(path) if None in allowed and isinstance(path[-1], str) else ()
    return (*gone, *write(path, *(v for v in allowed if not (gone and v is None))))


def _legal(stage: StagePlan, refusal: Refusal) -> str:
    """`be conv2`, or what the value must not be where that is shorter."""
    if refusal.allowed == (None,):
        return "be left out"
    known = CATALOG.get(refusal.field, {})
    mine = len([word for word in refusal.allowed if word in known])
    if mine > len(known) - mine > 0:
        return f"not be {stage.value(refusal.field)}"
    allowed = [a if a is OWN else flow(a) for a in refusal.allowed]
    return f"be {either(allowed)}"


def _is_written(spec: Spec, field: str) -> bool:
    written: Any = spec
    for key in field.split("."):
        if written is None or key not in written.model_fields_set:
            return False
        written = getattr(written, key)
    return True


# --- words --------------------------------------------------------------------------------


@cache
def _readers(field: str) -> str:
    """Every entry of the catalog that reads the field, in words."""
    found: dict[tuple[str, str], list[str]] = {}
    for owner, word, entry, (post, pre) in _reading(field):
        if read := post or pre:
            form = FORMS[post is None, pre is None]
            kind = (form if owner == "block" else owner, read.where)
            found.setdefault(kind, []).append(_noun(word, entry))
    return either(
        f"`{kind}: {either(names)}` {where}".strip()
        if kind in CATALOG
        else f"{article(kind + either(names))} {where}".strip()
        for (kind, where), names in found.items()
    )


@cache
def _owners(field: str) -> tuple[FieldPath, ...]:
    """The fields that decide whether this one is read."""
    reads = [(owner, read) for owner, _, _, forms in _reading(field) for read in forms]
    owners = [owner for owner, read in reads if read]
    kinds = [KINDS[read.where][0] for _, read in reads if read and read.where]
    names = dict.fromkeys([*owners, *kinds, "preact"])
    return tuple(tuple(name.split(".")) for name in names)


FORMS = {
    (False, False): "",
    (False, True): "post-activation ",
    (True, False): "pre-activation ",
}


def _reading(
    field: str,
) -> Iterator[tuple[str, str, Entry, tuple[Read | None, Read | None]]]:
    """Each entry of the catalog, and how it reads the field without pre-activation and with."""
    for owner, known in CATALOG.items():
        entries = {**known, **OWN_STEMS} if owner == "stem.type" else known
        for word, entry in entries.items():
            forms = (_read_in(entry, field, False), _read_in(entry, field, True))
            yield owner, word, entry, forms


def _read_in(entry: Entry, field: str, preact: bool) -> Read | None:
    reads = entry.reads_as(preact)
    return next(
        (reads[name] for name in reads if covers({name: reads[name]}, field)), None
    )


def _noun(word: str, entry: Entry) -> str:
    return entry.noun if isinstance(entry, BlockEntry) else word


def _called(owner: str, word: str, entry: Entry, read: Read) -> str:
    """`a bottleneck that strides`, or the field and its word."""
    name = article(_noun(word, entry)) if owner == "block" else f"`{owner}: {word}`"
    return f"{name} {read.where}".strip()
