"""Stages of blocks, read off the shapes of their tensors: words where there are words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from resnet_spec.weights.naming.rules import Shapes

Data = dict[str, Any]
CONV_SHARE = 8  # the largest denominator that a share of channels is read as
RATIOS = (1 / 16, 1 / 4, 1 / 8, 1 / 2, 1 / 32, 1.0)
DIVISORS = (8, 1, 16, 4)


class Unreadable(ValueError):
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
            norm = self.weight(f"{path}.fc2")
            out = after[1] if after else self.weight(f"{path}.fc1")[1]
            radix = max(shape[0] // out, 1)
            layer = {"type": "split_attention", "radix": radix, "pool": "after"}
            del norm
            return Convolution(out, shape[1] * radix, shape[2], False, layer)
        raise Unreadable(f"{self.at}.{path} is no convolution that is known")

    def _norm_before(self, number: int) -> int:
        shape = self.weight(f"conv{number - 1}")
        return shape[0] if shape else 0

    def _selective(self, path: str, shape: tuple[int, ...], number: int) -> Convolution:
        before = self.weight(f"conv{number - 1}")
        read = before[0] if before else self.reads
        out, chosen = shape[0], self.weight(f"{path}.fc1")[0]
        grouped = 1 if shape[1] * 2 > read else 0
        split = not grouped
        layer = {"type": "selective_kernel", "split": split}
        layer |= _ratio([(chosen, out)])
        return Convolution(out, shape[1] * (2 if split else 1), shape[2], False, layer)


class Convolution(NamedTuple):
    """Channels that it gives, those that a filter reads, its kernel; or a layer in its place."""

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
            number, _, path = rest.partition(".")
            module, _, last = path.rpartition(".")
            place = places.setdefault((int(top[5:]) - 1, int(number)), {})
            place.setdefault(module, {})[last] = shape
    count = 1 + max(stage for stage, _ in places)
    found: list[list[Block]] = []
    for stage in range(count):
        numbers = sorted(number for s, number in places if s == stage)
        if numbers != [*range(len(numbers))] or not numbers:
            raise Unreadable(f"layer{stage + 1} has not all of its blocks")
        row = []
        for number in numbers:
            block = Block(f"layer{stage + 1}.{number}", places[stage, number], reads)
            if not block.numbers:
                raise Unreadable(f"{block.at} has no convolution")
            row.append(block)
            reads = block.convolution(block.numbers[-1]).out
        found.append(row)
    return found


def _ratio(pairs: Sequence[tuple[int, int]]) -> Data:
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


def squeezes(stages: Sequence[Sequence[Block]], after: bool) -> Data:
    """What `se` says of the squeeze-and-excitation of all blocks."""
    each = [
        [
            (block.weight("se.fc1")[0], block.weight("se.fc1")[1], block.reads)
            for block in stage
            if block.has("se")
        ]
        for stage in stages
    ]
    del after
    flat = [pair for pairs in each for pair in pairs]
    bias = any("bias" in b.modules.get("se.fc1", {}) for s in stages for b in s)
    said: Data = {} if bias else {"bias": False}
    for least in (1, 64):
        for ratio in RATIOS:
            for divisor in DIVISORS:
                if all(max(_rounded(of * ratio, divisor), least) == s for s, of, _ in flat):
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
            return base + times + (f" / {part.denominator}" if part.denominator > 1 else "")
    raise Unreadable(f"{count} channels are no share of {dict(bases)}")


def chain(block: Block, before: bool, width: int) -> Data:
    """A block of one's own: its convolutions in order, norms behind them, or before."""
    out = block.convolution(block.numbers[-1]).out
    bases = {"out": out, "width": width}
    pre: list[Any] = []
    body: list[Any] = []
    numbers = block.numbers
    strides = max(
        (n for n in numbers if block.convolution(n).kernel > 1), default=numbers[0]
    )
    first = next((n for n in numbers if block.convolution(n).kernel > 1), strides)
    read = block.reads
    norm = 1
    for number in numbers:
        conv = block.convolution(number)
        if before and block.has(f"{block.norm}{norm}"):
            body += ["norm", "activation"]
            norm += 1
        if conv.layer:
            body.append("spatial")
        else:
            groups = read // conv.read if conv.read and read % conv.read == 0 else 1
            step: Data = {"conv": conv.kernel}
            if number != numbers[-1] or conv.out != out:
                step["to"] = share(conv.out, bases)
            if groups > 1:
                depth = groups == read == conv.out
                step["groups"] = "each" if depth else groups
                step |= {} if not depth else {}
            if number == first:
                step["stride"] = "block"
            if conv.bias:
                step["bias"] = True
            body.append(step)
        read = conv.out
        if not before and block.has(f"{block.norm}{norm}"):
            body.append("norm")
            norm += 1
            if number != numbers[-1]:
                body.append("activation")
        elif not block.norm and number != numbers[-1]:
            body.append("activation")
    if before and body[:2] == ["norm", "activation"]:
        pre, body = body[:2], body[2:]
    if before and block.has(f"{block.norm}{norm}"):
        body.append("norm")
    name = "OwnBlock"
    made: Data = {"name": name, "body": body}
    if before:
        made |= {"pre": pre, "post": []}
    return made


def kinds(block: Block) -> Iterator[str]:
    """The words that a block may be, by the kernels of its convolutions."""
    kernels = [block.convolution(n).kernel for n in block.numbers]
    if kernels == [3, 3]:
        yield "basic"
    if kernels == [1, 3, 1]:
        yield "bottleneck"
