"""All blocks of one kind as one class."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from resnet_spec import ir
from resnet_spec.ir import Block, Condition, Number, Shortcut
from resnet_spec.render.layout import Call, docstring, indented, layout
from resnet_spec.render.modules import calls, definitions
from resnet_spec.render.scope import Scope

ORDER = (
    "in_channels",
    "width",
    "out_channels",
    "groups",
    "stride",
    "previous_dilation",
    "dilation",
)
ALWAYS = ("in_channels", "width")  # parameters even where every block agrees


class BlockClass:
    """The class that every block of a kind is an instance of.

    Each block is printed in the one scope of the class, and all the texts must be equal:
    that is the proof that the class says all of them.
    """

    def __init__(self, name: str, blocks: Sequence[Block]) -> None:
        self.name, self.noun = name, blocks[0].noun
        self.blocks = _settled(blocks)
        self.params: list[str] = []
        self.locals: list[str] = []
        self.expansion: int | None = None
        self.scope = Scope(self._declared([block.numbers for block in self.blocks]))
        self.setup = self._agreed(self._setup)
        self.forward = self._agreed(self._forward)
        self.doc = self._agreed(self._doc)

    @property
    def signature(self) -> str:
        args = ("self", *(f"{param}: int" for param in self.params))
        return layout("def ", Call("__init__", args), " -> None:", column=4)

    def _declared(self, found: list[dict[str, Number]]) -> dict[str, str]:
        """Each name's text: a formula where all follow it, a parameter where they differ."""
        texts: dict[str, str] = {}
        for name in sorted(found[0], key=_order):
            values = [numbers[name] for numbers in found]
            rule = (
                values[0].rule if len({value.rule for value in values}) == 1 else None
            )
            if rule and name not in ALWAYS and rule[1] == 1:
                texts[name] = texts[rule[0]]
            elif rule and name == "out_channels":
                self.expansion = rule[1]
                self.locals.append(f"{name} = {rule[0]} * self.expansion")
                texts[name] = name
            elif name in ALWAYS or len(set(values)) > 1:
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
        for op in block.body:
            if isinstance(op, ir.BatchNorm) and op.zero:
                start = f"nn.init.zeros_(self.{op.path}.weight)"
                lines.append(f"{start}  # the block starts as its shortcut")
        if block.shortcut and block.shortcut.ops:
            lines += ["", *self._branch_setup(block.shortcut)]
        return "\n".join(lines)

    def _branch_setup(self, shortcut: Shortcut) -> Iterator[str]:
        if shortcut.when is None:
            yield f"# Every shortcut is {shortcut.how}."
            yield from definitions(shortcut.ops, self.scope)
        else:
            (name, _), *_ = calls(shortcut.ops)
            yield f"# Where the shape changes, the shortcut is {shortcut.how} to match."
            yield f"{name.split('(')[0]} = None"
            yield f"if {self.scope.condition(shortcut.when)}:"
            yield from map(indented, definitions(shortcut.ops, self.scope, column=12))

    def _forward(self, block: Block) -> str:
        shortcut = block.shortcut
        lines = ["shortcut = x"] if shortcut else []
        lines += [f"x = {text}" for text, _ in calls(block.body)]
        if shortcut and shortcut.ops:
            ((branch, _),) = calls(shortcut.ops, "shortcut")
            line = f"shortcut = {branch}"
            if shortcut.when:
                lines.append(f"if {branch.split('(')[0]} is not None:")
                line = indented(line)
            lines.append(line)
        total = "x + shortcut" if shortcut else "x"
        lines += [f"x = {text}" for text, _ in calls(block.post, total)]
        return "\n".join([*lines, "return x"])

    def _doc(self, block: Block) -> str:
        total = "body(x)"
        if block.shortcut:
            total += " + shortcut(x)" if block.shortcut.ops else " + x"
        for op in block.post:
            total = f"{op.path}({total})"
        nouns = [self._noun(op) for op in block.body if isinstance(op, ir.Conv)]
        return docstring(f"{total}; the body is {', '.join(nouns)}.")

    def _noun(self, op: ir.Conv) -> str:
        noun, groups = f"{op.kernel}x{op.kernel}", self.scope.text(op.groups)
        if groups == "1":
            return noun
        return f"{noun} in {groups} groups" if groups.isdigit() else f"grouped {noun}"


def _order(name: str) -> int:
    """Known names as people expect them, others behind them as they come."""
    return ORDER.index(name) if name in ORDER else len(ORDER)


def _settled(blocks: Sequence[Block]) -> list[Block]:
    """The blocks with shortcuts as the class has them: always, never, or on a condition."""
    present = [bool(block.branch) for block in blocks]
    conditions = [b.shortcut.when for b in blocks if b.shortcut and b.shortcut.when]
    columns = zip(*(when.pairs for when in conditions), strict=True)
    live = [any(a != b for a, b in column) for column in columns]

    def settled(block: Block) -> Block:
        shortcut = block.shortcut
        if shortcut is None or shortcut.when is None:
            return block
        if not any(present):
            return replace(block, shortcut=Shortcut())
        pairs = tuple(
            p for p, alive in zip(shortcut.when.pairs, live, strict=True) if alive
        )
        when = None if all(present) else Condition(pairs)
        return replace(block, shortcut=shortcut._replace(when=when))

    return [settled(block) for block in blocks]
