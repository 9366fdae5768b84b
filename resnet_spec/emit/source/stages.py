"""The stages whose blocks are of one class: one function, and one call for each stage."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Iterable, Mapping, Sequence

from resnet_spec.emit.source.blocks import RATE, BlockClass
from resnet_spec.emit.source.layout import (
    Call,
    comprehension,
    docstring,
    indented,
    layout,
)
from resnet_spec.network import Named, Pair, Stage
from resnet_spec.problems.words import article

CHANNELS = ("in_channels", "width", "out_channels")  # what `blocks` is said after


class StageFunction:
    """The function that stacks the blocks of each of these stages.

    What a stage's first block is given and what the repeated ones are given is known for
    every stage, also for one of a single block, so nothing is inferred from its depth.
    """

    def __init__(
        self,
        name: str,
        block: BlockClass,
        stages: Sequence[Stage],
        starts: Mapping[str, int],
    ) -> None:
        self.name, self.block, self.stages = name, block, stages
        self.starts = starts  # how many blocks of the network stand before each stage
        self.rated = RATE in block.params
        self._firsts = [stage.blocks[0].numbers for stage in stages]
        self._repeats = [stage.repeat.numbers for stage in stages if stage.repeat]
        self.args: dict[str, list[str]] = {}  # of the function: a text for each stage
        self.first: dict[str, str] = {}  # of the block: what the first one is given
        self.rest: dict[str, str] = {}  # and those that follow it
        for param in block.params:
            if param not in CHANNELS:
                self._count()
            self._pass(param)
        for param, text in self.rest.items():
            if text not in self.args:  # a number that the function itself says
                self.rest[param] = self.rest.get(text, text)
        self._count()
        for stage in stages:
            self._check(stage)

    def call(self, stage: Stage) -> Call:
        """`stage(64, width=64, blocks=3, stride=1)`"""
        args = self._values(stage)
        return Call(self.name, tuple(_words(args)))

    @property
    def signature(self) -> str:
        kinds = {"drop_rates": "list[float]", **self.block.kinds}
        args = tuple(f"{name}: {kinds.get(name, 'int')}" for name in self.args)
        return layout("def ", Call(self.name, args), " -> nn.Sequential:")

    @property
    def doc(self) -> str:
        """What the function does, and what its first block alone does in this network."""
        changes = any(first.get("stride", 1) != 1 for first in self._firsts) or any(
            s.output.channels != s.input.channels for s in self.stages
        )
        only = "; only the first one may change the shape" * changes
        each = f"{article(self.block.noun)} for each of `drop_rates`"
        what = each if self.rated else f"`blocks` {self.block.noun}s"
        return docstring(f"Stack {what}{only}.")

    @property
    def body(self) -> str:
        lines = []
        if self.block.expansion and "out_channels" in self.rest.values():
            lines.append(f"out_channels = width * {self.block.name}.expansion")
        loop = "for _ in range(blocks - 1)"
        if self.rated:
            lines.append("first_rate, *rates = drop_rates")
            loop = "for rate in rates"
        first = layout("", self._block(self.first), ",", column=8)
        rest = comprehension(self._block(self.rest), loop, 8)
        lines += ["return nn.Sequential(", indented(first), indented(rest), ")"]
        return "\n".join(lines)

    def _pass(self, param: str) -> None:
        """Decide how the function's own arguments become this argument of its blocks."""
        if param == RATE:
            self.first[param], self.rest[param] = "first_rate", "rate"
            return
        first = [_literal(numbers[param]) for numbers in self._firsts]
        rest = [_literal(numbers[param]) for numbers in self._repeats]
        formulas = {numbers[param].formula for numbers in self._repeats}
        formula = formulas.pop() if len(formulas) == 1 else None
        names, alike = self.block.scope.names, len({*rest}) == 1
        self.first[param] = self.rest[param] = param
        if param == "stride":
            (self.rest[param],) = {*rest}
            self._add(param, first)
        elif formula and formula.is_same and (formula.name in names or alike):
            same = param != "in_channels" and first == rest
            text = names.get(formula.name, param if same else rest[0])
            self.rest[param] = self.rest.get(formula.name, text)
            self._add(param, first)
        elif first == rest:
            self._add(param, first)
        elif param not in CHANNELS and len({*first}) == len({*rest}) == 1:
            self.first[param], self.rest[param] = first[0], rest[0]
        else:
            self.first[param] = f"first_{param}"
            self._add(f"first_{param}", first)
            self._add(param, rest)

    def _count(self) -> None:
        """The argument that says how many blocks a stage has."""
        if self.rated:
            spans = (
                (self.starts[s.name], self.starts[s.name] + len(s.blocks))
                for s in self.stages
            )
            texts = [f"drop_rates[{start}:{end}]" for start, end in spans]
            self.args.setdefault("drop_rates", texts)
        else:
            self._add("blocks", [str(len(stage.blocks)) for stage in self.stages])

    def _add(self, arg: str, values: list[str]) -> None:
        self.args.setdefault(arg, values)

    def _values(self, stage: Stage) -> dict[str, str]:
        at = self.stages.index(stage)
        return {name: values[at] for name, values in self.args.items()}

    def _block(self, texts: Mapping[str, str]) -> Call:
        return Call(self.block.name, tuple(_words(texts)))

    def _check(self, stage: Stage) -> None:
        """Unroll the stage's call: it must give back the blocks, number for number."""
        args = self._values(stage).items()
        values = {k: literal_eval(v) for k, v in args if k != "drop_rates"}
        if self.block.expansion:
            values["out_channels"] = values["width"] * self.block.expansion
        first, rest = (
            {
                param: values[text] if text in values else literal_eval(text)
                for param, text in texts.items()
                if param != RATE
            }
            for texts in (self.first, self.rest)
        )
        for i, block in enumerate(stage.blocks):
            given = rest if i else first
            assert given == {param: block.numbers[param] for param in given}, given


def listed(stage: Stage, classes: Mapping[str, BlockClass], start: int) -> Call:
    """The stage with its blocks one by one, the first of them the network's `start`-th."""
    calls = []
    for i, made in enumerate(stage.blocks, start):
        block = classes[made.kind]
        args = {
            param: f"drop_rates[{i}]"
            if param == RATE
            else _literal(made.numbers[param])
            for param in block.params
        }
        calls.append(Call(block.name, tuple(_words(args))))
    return Call("nn.Sequential", tuple(calls), exploded=len(calls) > 1)


def _literal(number: Named) -> str:
    return repr(number if isinstance(number, Pair) else int(number))


def _words(args: Mapping[str, str]) -> Iterable[str]:
    """The first argument and plain names by position; from a number on, by keyword."""
    keywords = False
    for i, (name, value) in enumerate(args.items()):
        keywords = keywords or (i > 0 and not value.isidentifier())
        yield f"{name}={value}" if keywords else value
