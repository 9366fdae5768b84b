"""Stages of blocks, read off the shapes of their tensors: words where there are words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from resnet_spec.weights.naming.rules import Shapes

Data = dict[str, Any]
CONV_SHARE = 8  # the largest denominator that a share of channels is read as
RATIOS = (1 / 16, 1 / 4, 1 / 8, 1 / 2, 1 / 32, 1.0)
DIVISORS = (8, 1, 16, 32)
ATTENTIONS = ("se", "eca", "cbam", "bat", "gca")
READERS = ("se.fc1", "gca.fc1", "bat.conv1", "cbam.fc1")
"""What reads the channels that attention weighs."""


class UnreadableError(ValueError):
    """What cannot be said in a spec, in a line."""


class Block(NamedTuple):
    """A block's convolutions, norms and what else has tensors, by module, at a place."""

    at: str
    modules: Mapping[str, Shapes]  # by path without the tensor's own name
    reads: int

    def weight(self, module: str) -> tuple[int, ...]:
        return self.modules.get(module, {}).get("weight", ())

    def has(self, module: str) -> bool:
        return module in self.modules or any(
            each.startswith(f"{module}.") for each in self.modules
        )

    @property
    def numbers(self) -> list[int]:
        """Those of its convolutions: 1 to 3 in a bottleneck."""
        tops = {each.partition(".")[0] for each in self.modules}
        return sorted(
            int(top[4:]) for top in tops if top.startswith("conv") and top[4:].isdigit()
        )

    @property
    def norm(self) -> str:
        """What its norms are called, empty without any."""
        return next(
            (
                each
                for each in ("bn", "norm")
                if any(self.has(f"{each}{n}") for n in range(1, 9))
            ),
            "",
        )

    def convolution(self, number: int) -> Convolution:
        path = f"conv{number}"
        if shape := self.weight(path):
            out, each, kernel, *_ = shape
            return Convolution(out, each, kernel, "bias" in self.modules[path])
        if shape := self.weight(f"{path}.bands.0.0"):
            bands = 1 + max(
                int(m.split(".")[2])
                for m in self.modules
                if m.startswith(f"{path}.bands.")
            )
            scale = bands + 1
            width = self._norm_before(number) or shape[0] * scale
            scale = width // shape[0] if width % shape[0] == 0 else scale
            layer = {"type": "res2net", "scale": scale}
            return Convolution(width, width * shape[1] // shape[0], 3, False, layer)
        if shape := self.weight(f"{path}.paths.0.0"):
            return self._selective(path, shape, number)
        if shape := self.weight(f"{path}.conv"):
            after = self.weight(f"conv{number + 1}")
            out = after[1] if after else self.weight(f"{path}.fc1")[1]
            radix = max(shape[0] // out, 1)
            layer = {"type": "split_attention", "radix": radix, "pool": "after"}
            return Convolution(out, shape[1] * radix, shape[2], False, layer)
        raise UnreadableError(f"{self.at}.{path} is no convolution that is known")

    def _norm_before(self, number: int) -> int:
        shape = self.weight(f"conv{number - 1}")
        return shape[0] if shape else 0

    def _selective(self, path: str, shape: tuple[int, ...], number: int) -> Convolution:
        before = self.weight(f"conv{number - 1}")
        read = before[0] if before else self.reads
        out, chosen = shape[0], self.weight(f"{path}.fc1")[0]
        split = shape[1] * 2 <= read
        layer = {"type": "selective_kernel", "split": split}
        layer["chosen"] = chosen
        return Convolution(out, shape[1] * (2 if split else 1), shape[2], False, layer)


class Convolution(NamedTuple):
    """The channels that it gives, those that a filter reads, its kernel; or a layer instead."""

    out: int
    read: int
    kernel: int
    bias: bool
    layer: Data | None = None


def blocks(shapes: Shapes, reads: int) -> list[list[Block]]:
    """The blocks of each stage; the first reads so many channels, 0 for what it says itself."""
    places: dict[tuple[int, int], dict[str, dict[str, tuple[int, ...]]]] = {}
    for name, shape in shapes.items():
        top, _, rest = name.partition(".")
        if top.startswith("layer") and top[5:].isdigit():
            within, _, path = rest.partition(".")
            module, _, last = path.rpartition(".")
            if not within.isdigit():
                raise UnreadableError(f"{name} is in no block")
            place = places.setdefault((int(top[5:]) - 1, int(within)), {})
            place.setdefault(module, {})[last] = shape
    count = 1 + max(stage for stage, _ in places)
    found: list[list[Block]] = []
    for stage in range(count):
        numbers = sorted(number for s, number in places if s == stage)
        if numbers != [*range(len(numbers))] or not numbers:
            raise UnreadableError(f"layer{stage + 1} has not all of its blocks")
        row = []
        for number in numbers:
            block = Block(f"layer{stage + 1}.{number}", places[stage, number], reads)
            if not block.numbers:
                raise UnreadableError(f"{block.at} has no convolution")
            row.append(block)
            reads = block.convolution(block.numbers[-1]).out
        found.append(row)
    return found


def ratio(pairs: Sequence[tuple[int, int]]) -> Data:
    """A ratio and a divisor by which each count of channels is made of the other."""
    for ratio in RATIOS:
        for divisor in DIVISORS:
            if all(_rounded(of * ratio, divisor) == made for made, of in pairs):
                return {"ratio": ratio, "divisor": divisor}
    made, of = pairs[0]
    return {"ratio": made / of, "divisor": 1}


def _rounded(value: float, divisor: int) -> int:
    """To a multiple, by 10% at most less, as all of them do."""
    made = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return made + divisor * (made < 0.9 * value)


def squeezes(stages: Sequence[Sequence[Block]]) -> Data:
    """What `se` says of the squeeze-and-excitation of all blocks."""
    each = [
        [
            (block.weight("se.fc1")[0], block.weight("se.fc1")[1], block.reads)
            for block in stage
            if block.has("se")
        ]
        for stage in stages
    ]
    flat = [pair for pairs in each for pair in pairs]
    bias = any("bias" in b.modules.get("se.fc1", {}) for s in stages for b in s)
    said: Data = {} if bias else {"bias": False}
    for least in (1, 64):
        for ratio in RATIOS:
            for divisor in DIVISORS:
                if all(
                    max(_rounded(of * ratio, divisor), least) == s for s, of, _ in flat
                ):
                    said |= {"ratio": ratio, "divisor": divisor}
                    return said | ({"least": least} if least > 1 else {})
                if all(round(of * ratio) == s for s, _, of in flat):
                    return said | {"ratio": ratio, "ratio_of": "input", "divisor": 1}
    ratios = [pairs[0][0] / pairs[0][1] if pairs else None for pairs in each]
    return said | {"ratio": ratios, "divisor": 1}


def share(count: int, bases: Mapping[str, int]) -> str:
    """`out / 2`: channels as a share of those that are known.

    >>> share(96, {"out": 64}), share(64, {"width": 64, "out": 256})
    ('out * 3 / 2', 'width')
    """
    for base, of in bases.items():
        part = Fraction(count, of)
        if part.denominator <= CONV_SHARE or part.numerator == 1:
            times = f" * {part.numerator}" if part.numerator > 1 else ""
            return (
                base
                + times
                + (f" / {part.denominator}" if part.denominator > 1 else "")
            )
    raise UnreadableError(f"{count} channels are no share of {dict(bases)}")


def chain(block: Block, before: bool, base: str) -> Data:
    """A block of one's own: its convolutions in order, norms behind them, or before.

    Channels are said as shares of `base`, `out` or `in`. Where it begins with a norm, that is
    read by the shortcut too, but where norms are called as those behind convolutions are.
    """
    out = block.convolution(block.numbers[-1]).out
    bases = {base: {"out": out, "in": block.reads}[base]}
    norms = (
        [n for n in range(1, 9) if block.has(f"{block.norm}{n}")] if block.norm else []
    )
    convolutions = [block.convolution(n) for n in block.numbers]
    strides = next((c for c in convolutions if c.kernel > 1), convolutions[0])
    body: list[Any] = []
    read = block.reads
    for i, conv in enumerate(convolutions):
        if before and norms:
            body += ["norm"] + ["activation"] * (i > 0 or block.norm == "norm")
            norms = norms[1:]
        is_last = i == len(convolutions) - 1
        body.append(_step(conv, read, "" if is_last else share(conv.out, bases)))
        if conv is strides and isinstance(body[-1], dict):
            body[-1]["stride"] = "block"
        read = conv.out
        if not before and norms:
            body.append("norm")
            norms = norms[1:]
        body += ["activation"] * (not before and not is_last)
        body += ["attention"] * (i == _attended(block, convolutions))
    body += ["norm"] * bool(before and norms)
    if not before:
        return {"name": "OwnBlock", "body": body}
    if block.norm == "norm":
        return {"name": "OwnBlock", "pre": body[:2], "body": body[2:], "post": []}
    return {"name": "OwnBlock", "body": body, "post": []}


def _attended(block: Block, convolutions: Sequence[Convolution]) -> int | None:
    """The last convolution whose channels are those that attention weighs, from 0."""
    if not any(block.has(each) for each in ATTENTIONS):
        return None
    weights = (block.weight(f"{each}") for each in READERS)
    channels = next((weight[1] for weight in weights if weight), convolutions[-1].out)
    found = [i for i, conv in enumerate(convolutions) if conv.out == channels]
    return found[-1] if found else len(convolutions) - 1


def _step(conv: Convolution, read: int, to: str) -> Any:
    """A convolution of a chain, or the layer in its place."""
    if conv.layer:
        return "spatial"
    step: Data = {"conv": conv.kernel} | ({"to": to} if to else {})
    if conv.read != read and conv.read and read % conv.read == 0:
        step["groups"] = read // conv.read
    if step.get("groups") == read == conv.out:
        step.pop("to", "")
        step["groups"] = "each"
    return step | ({"bias": True} if conv.bias else {})


def kinds(block: Block) -> Iterator[str]:
    """The words that a block may be, by the kernels of its convolutions."""
    kernels = [block.convolution(n).kernel for n in block.numbers]
    if kernels == [3, 3]:
        yield "basic"
    if kernels == [1, 3, 1]:
        yield "bottleneck"


def alike(values: Sequence[Any]) -> Any:
    """One value where all agree, else the list."""
    return values[0] if all(value == values[0] for value in values) else [*values]
