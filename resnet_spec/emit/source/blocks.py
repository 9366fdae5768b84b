"""All blocks of one kind as one class."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from resnet_spec.emit.source.layout import (
    Call,
    comment,
    docstring,
    indented,
    layout,
)
from resnet_spec.emit.source.modules import calls, definitions, folds
from resnet_spec.emit.source.scope import Scope
from resnet_spec.network import (
    Block,
    Chain,
    Conv,
    Named,
    Norm,
    Op,
    Pair,
    Rate,
    Shortcut,
    settled,
)

ORDER = (
    "in_channels",
    "width",
    "out_channels",
    "groups",
    "stride",
    "previous_dilation",
    "dilation",
)
RATE = Rate.name
KINDS: dict[type[Named], str] = {Rate: "float", Pair: "tuple[int, int]"}
REQUIRED = ("in_channels", "width", RATE)  # parameters even where every block agrees


class BlockClass:
    """The class that every block of a kind is an instance of.

    Each block is printed in the one scope of the class, and all the texts must be equal:
    that is the proof that the class says all of them.
    """

    def __init__(self, name: str, blocks: Sequence[Block]) -> None:
        self.name, self.noun = name, blocks[0].noun
        self.blocks = settled(blocks)
        self.params: list[str] = []
        self.locals: list[str] = []
        self.expansion: int | None = None
        self.scope = Scope(self._declared([block.numbers for block in self.blocks]))
        ops = (op for block in self.blocks for op in block.body)
        zeroed = (op.path for op in ops if isinstance(op, Norm) and op.zero)
        self.zeroed = tuple(dict.fromkeys(zeroed))
        self.setup = self._agreed(self._setup)
        self.forward = self._agreed(self._forward)
        self.doc = self._agreed(self._doc)
        self.folds = self._agreed(_folds)

    @property
    def kinds(self) -> dict[str, str]:
        """The type of each parameter."""
        given = self.blocks[0].numbers
        return {param: KINDS.get(type(given[param]), "int") for param in self.params}

    @property
    def signature(self) -> str:
        args = ("self", *(f"{param}: {kind}" for param, kind in self.kinds.items()))
        return layout("def ", Call("__init__", args), " -> None:", column=4)

    def _declared(self, found: list[dict[str, Named]]) -> dict[str, str]:
        """Each name's text: a formula where all follow it, a parameter where they differ."""
        texts: dict[str, str] = {}
        for name in sorted(found[0], key=_order):
            values = [numbers[name] for numbers in found]
            formulas = {value.formula for value in values}
            formula = formulas.pop() if len(formulas) == 1 else None
            known = formula and name not in REQUIRED and formula.name in texts
            if formula and known and formula.is_same:
                texts[name] = texts[formula.name]
            elif formula and known and name == "out_channels":
                self.expansion = formula.by
                self.locals.append(f"{name} = {formula.name} * self.expansion")
                texts[name] = name
            elif formula and known:
                texts[name] = f"{texts[formula.name]} {formula.operator} {formula.by}"
            elif name in REQUIRED or len(set(values)) > 1:
                self.params.append(name)
                texts[name] = name
        return texts

    def _agreed(self, text_of: Callable[[Block], str]) -> str:
        texts = {text_of(block) for block in self.blocks}
        assert len(texts) == 1, f"{self.name} is not one class:\n" + "\n---\n".join(
            texts
        )
        return texts.pop()

    def _setup(self, block: Block) -> str:
        lines = [*self.locals, *definitions(block.main, self.scope)]
        absent = block.shortcut.absent if block.shortcut else None
        if absent:
            lines += ["", comment("A block that changes the shape has no shortcut.")]
            lines.append(f"self.adds = {self.scope.agreement(absent)}")
        for path in self.zeroed:
            if absent:
                lines.append("if self.adds:")
            start = f"nn.init.zeros_(self.{path}.weight)"
            start += "  # the block starts as its shortcut"
            lines.append(indented(start) if absent else start)
        if block.shortcut and block.shortcut.ops:
            lines += ["", *self._branch_setup(block.shortcut)]
        return "\n".join(lines)

    def _branch_setup(self, shortcut: Shortcut) -> Iterator[str]:
        if shortcut.when is None:
            yield comment(f"Every shortcut is {shortcut.how}.")
            yield from definitions(shortcut.ops, self.scope)
        else:
            (name, _), *_ = calls(shortcut.ops)
            where = f"{shortcut.where}, the shortcut is {shortcut.how}."
            changes = (
                f"Where the shape changes, the shortcut is {shortcut.how} to match."
            )
            yield comment(where if shortcut.where else changes)
            yield f"{name.split('(')[0]} = None"
            yield f"if {self.scope.condition(shortcut.when)}:"
            yield from map(indented, definitions(shortcut.ops, self.scope, column=12))

    def _forward(self, block: Block) -> str:
        shortcut = block.shortcut or Shortcut()
        before = self._branch(shortcut, "x") if shortcut.from_pre else []
        after = [] if shortcut.from_pre else self._branch(shortcut, "shortcut")
        read = bool(block.shortcut) and not (before and shortcut.when is None)
        lines = [f"x = {text}" for text, _ in calls(block.pre)]
        if read:
            lines.insert(len(lines) if shortcut.adds_pre else 0, "shortcut = x")
        lines += before
        lines += [f"x = {text}" for text, _ in calls(block.body)]
        lines += after
        total = "x + shortcut" if block.shortcut else "x"
        if shortcut.absent:
            lines += ["if self.adds:", indented(f"x = {total}")]
            total = "x"
        last = [f"x = {text}" for text, _ in calls(block.post, total)]
        lines += last or [f"x = {total}"] * (total != "x")
        return "\n".join([*lines, "return x"])

    def _branch(self, shortcut: Shortcut, x: str) -> list[str]:
        """The lines that run the shortcut's ops, where it has any."""
        if not shortcut.ops:
            return []
        ((branch, _),) = calls(shortcut.ops, x)
        line = f"shortcut = {branch}"
        if shortcut.when is None:
            return [line]
        return [f"if {branch.split('(')[0]} is not None:", indented(line)]

    def _doc(self, block: Block) -> str:
        x = "y" if block.pre else "x"
        total = f"body({x})"
        if block.shortcut and block.shortcut.ops:
            read = block.pre and block.shortcut.from_pre
            total += " + shortcut" if read else " + shortcut(x)"
        elif block.shortcut:
            total += f" + {x}" if block.shortcut.adds_pre else " + x"
        total = _applied(block.post, total)
        if block.shortcut and block.shortcut.absent:
            total += "; where the shape changes, nothing is added"
        if block.pre:
            total += f" with y = {_applied(block.pre, 'x')}"
        nouns = [noun for op in block.body if (noun := self._noun(op))]
        return docstring(f"{total}.", f"The body is {', '.join(nouns)}.")

    def _noun(self, op: Op) -> str:
        if not isinstance(op, Conv):
            return op.noun
        groups = self.scope.text(op.groups)
        if groups == "1":
            return op.noun
        if groups == self.scope.text(op.input.channels):
            return f"depthwise {op.noun}"
        return (
            f"{op.noun} in {groups} groups"
            if groups.isdigit()
            else f"grouped {op.noun}"
        )


def _folds(block: Block) -> str:
    """What its convolutions, and those of a shortcut that it may have, have taken in."""
    return folds((*block.main, *(block.shortcut.ops if block.shortcut else ())))


def _applied(ops: Chain, x: str) -> str:
    """`relu(norm1(x))`"""
    for op in ops:
        x = f"{op.path}({x})"
    return x


def _order(name: str) -> int:
    """Known names as people expect them, others after them as they come."""
    return ORDER.index(name) if name in ORDER else len(ORDER)
