"""Stages of blocks, read off the shapes of their tensors: words where there are words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from resnet_spec.weights.naming.rules import Shapes

Data = dict[str, Any]
RATIOS = (1 / 16, 1 / 4, 1 / 8, 1 / 2, 1 / 32, 1.0)
DIVISORS = (8, 1, 16, 32, *range(2, 65))
"""Of which channels are a multiple, the likeliest first."""
ATTENTIONS = ("se", "eca", "cbam", "bat", "gca")
READ_BY = {"se": "fc1", "gca": "fc1", "bat": "conv1", "cbam": "fc1"}
"""The module that reads the channels that attention weighs, by attention."""


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
        if shape := self._filters(path):
            out, each, kernel, _ = shape
            return Convolution(out, each, kernel, "bias" in self.modules[path])
        if shape := self._filters(f"{path}.bands.0.0"):
            bands = 1 + max(
                int(m.split(".")[2])
                for m in self.modules
                if m.startswith(f"{path}.bands.")
            )
            scale = bands + 1
            width = self._gives_before(number) or shape[0] * scale
            scale = width // shape[0] if width % shape[0] == 0 else scale
            read = width * shape[1] // shape[0]
            if min(width // scale, read) < 1:
                raise UnreadableError(f"{self.at}.{path} reads more than it is given")
            layer = {"type": "res2net", "scale": scale}
            return Convolution(width, read, 3, False, layer)
        if shape := self._filters(f"{path}.paths.0.0"):
            return self._selective(path, shape, number)
        if shape := self._filters(f"{path}.conv"):
            after = self._filters(f"conv{number + 1}")
            out = (after or self._filters(f"{path}.fc1", must=True))[1]
            radix = max(shape[0] // out, 1)
            layer = {"type": "split_attention", "radix": radix, "pool": "after"}
            return Convolution(out, shape[1] * radix, shape[2], False, layer)
        raise UnreadableError(f"{self.at}.{path} is no convolution that is known")

    def _gives_before(self, number: int) -> int:
        shape = self._filters(f"conv{number - 1}")
        return shape[0] if shape else 0

    def _filters(self, path: str, must: bool = False) -> tuple[int, ...]:
        """The weight of a convolution there; empty where none may be, and is."""
        shape = self.weight(path)
        if len(shape) != 4 and (shape or must):
            raise UnreadableError(f"{self.at}.{path} is no convolution that is known")
        return shape

    def _selective(self, path: str, shape: tuple[int, ...], number: int) -> Convolution:
        read = self._gives_before(number) or self.reads
        out, chosen = shape[0], self._filters(f"{path}.fc1", must=True)[0]
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


def blocks(shapes: Shapes) -> list[list[Block]]:
    """The blocks of each stage; what the first one reads, its stem tells, and is 0 here."""
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
    count, reads = 1 + max(stage for stage, _ in places), 0
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
    most = min(1.0, *(made / of for made, of in pairs)) if pairs else 1.0
    for divisor in DIVISORS:
        for ratio in (*RATIOS, most):
            if all(rounded(of * ratio, divisor) == made for made, of in pairs):
                return {"ratio": ratio, "divisor": divisor}
    made, of = pairs[0]
    return {"ratio": made / of, "divisor": 1}


def spatial(layers: Sequence[tuple[int, Data]]) -> Data:
    """What is said of layers in place of a 3x3, each of so many channels, by one ratio."""
    if not layers:
        return {}
    said = {**layers[0][1]}
    if said.pop("chosen", None):
        pairs = [(each["chosen"], of) for of, each in layers if "chosen" in each]
        said |= ratio(pairs)
    return {"spatial": said}


def rounded(value: float, divisor: int) -> int:
    """To a multiple, by 10% at most less, as all of them do."""
    made = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return made + divisor * (made < 0.9 * value)


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


def by_block(values: Sequence[Sequence[Any]]) -> Any:
    """One value where all agree, else one for each stage, or for each block in it."""
    rows = [alike(row) for row in values]
    return rows if isinstance(rows[0], list) else alike(rows)
