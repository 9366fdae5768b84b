"""What the templates print: every value decided, nothing left but its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate, groupby

from resnet_spec.emit.source.blocks import RATE, BlockClass
from resnet_spec.emit.source.initialization import started
from resnet_spec.emit.source.layers import layer_sources, merged
from resnet_spec.emit.source.layout import (
    LINE,
    docstring,
    filled,
    indented,
    layout,
    mapping,
)
from resnet_spec.emit.source.modules import calls, definitions, folds
from resnet_spec.emit.source.scope import Scope
from resnet_spec.emit.source.stages import StageFunction, listed
from resnet_spec.network import (
    AttentionPool2d,
    AvgMaxPool2d,
    BilinearAttention,
    Block,
    Chain,
    Conv,
    ConvBlockAttention,
    GlobalAvgPool,
    GlobalContext,
    GlobalMaxPool,
    Linear,
    Network,
    Op,
    Rate,
    Shape,
    Stage,
    StatisticsPool,
    biases,
)
from resnet_spec.problems.words import counted, snake

LINEAR = (Linear, ConvBlockAttention)
MULTIPLYING = (AttentionPool2d, BilinearAttention, GlobalContext)  # maps with maps
POOLS: dict[type[Op], str] = {
    GlobalAvgPool: "average pool",
    GlobalMaxPool: "max pool",
    AvgMaxPool2d: "average and max pool",
    AttentionPool2d: "attention pool",
    StatisticsPool: "statistics pool",
}
SHAPE = 26  # characters of `  # (N, 65536, 1024, 1024)`
IMPORTS = ["import torch", "from torch import Tensor, nn"]


class View:
    """A network, and where it comes from, as the lines of its source."""

    def __init__(self, network: Network, origin: str) -> None:
        self.network, self.origin = network, filled(origin)
        layer_imports, self.layers = layer_sources(network)
        if network.folds:
            layer_imports = merged(
                [*layer_imports, "from collections.abc import Mapping"]
            )
        others = [line for line in layer_imports if line not in IMPORTS]
        standard = [line for line in others if not line.startswith("from torch")]
        of_torch = [line for line in others if line.startswith("from torch")]
        self.imports = [*standard, *[""] * bool(standard), *IMPORTS, *of_torch]
        depths = [len(stage.blocks) for stage in network.stages]
        self.starts = {
            stage.name: start
            for stage, start in zip(
                network.stages, accumulate([0, *depths]), strict=False
            )
        }
        self.rates = _rates(network)
        kinds: dict[str, list[Block]] = {}
        repeating: dict[str, list[Stage]] = {}
        for stage in network.stages:
            for block in stage.distinct.values():
                kinds.setdefault(block.kind, []).append(block)
            if stage.repeat:
                repeating.setdefault(stage.repeat.kind, []).append(stage)
        self.blocks = {kind: BlockClass(kind, blocks) for kind, blocks in kinds.items()}
        self.functions = {
            kind: StageFunction(
                _function_name(kind, len(kinds)), self.blocks[kind], stages, self.starts
            )
            for kind, stages in repeating.items()
            if any(len(stage.blocks) > 1 for stage in stages)
        }
        names = {"num_classes": "num_classes"} if network.classes else {}
        self.scope = Scope(names)

    # the header

    @property
    def image(self) -> str:
        return filled(f"{self.network.image}, {self.sizes}", LINE - 13)

    @property
    def paper(self) -> str:
        assert self.network.paper is not None
        return filled(self.network.paper[0], LINE - 13)

    @property
    def sizes(self) -> str:
        heights, widths = self.network.sides
        if heights != widths:
            return f"heights {heights}, widths {widths}"
        smallest, largest, multiples = heights
        if largest is not None or multiples:
            return f"heights and widths {heights}"
        return (
            "any height and width"
            if smallest == 1
            else f"at least {smallest} x {smallest}"
        )

    @property
    def output(self) -> str:
        if self.network.features:
            shapes = self.network.shapes
            maps = (f"{name} {shapes[name]}" for name in self.network.features)
            return filled(", ".join(maps), LINE - 13)
        return f"{self.network.output.channels} {self.result}"

    @property
    def result(self) -> str:
        """What the network gives, in a word."""
        return "logits" if self.network.classes else "features"

    @property
    def cost(self) -> str:
        ops = [op for _, op in self.network.distinct_ops()]
        what = "convolutions and classifier" if self.network.classes else "convolutions"
        if any(
            isinstance(op, LINEAR) and op is not self.network.classifier for op in ops
        ):
            what = "convolutions and linear layers"
        if any(isinstance(op, MULTIPLYING) for op in ops):
            what = "convolutions, linear layers and matrix products"
        return f"{counted(self.network.macs)}MACs ({what}, one image)"

    @property
    def notes(self) -> str:
        return filled(" ".join(self.network.notes))

    # the network

    @property
    def doc(self) -> str:
        if not self.network.stages:
            return docstring(f"{', '.join(self.network.parts).capitalize()}.")
        runs: list[str] = []
        for kinds, group in groupby(
            self.network.stages, lambda stage: [kind for kind, _ in stage.runs]
        ):
            if len(kinds) == 1:
                depths = " + ".join(str(len(stage.blocks)) for stage in group)
                runs.append(self._blocks(kinds[0], depths))
                continue
            for stage in group:
                runs.append(
                    " and ".join(self._blocks(k, str(n)) for k, n in stage.runs)
                )
        stages = "stages" if len(self.network.stages) > 1 else "a stage"
        start = f"Stem, {stages}" if self.network.entry else stages.capitalize()
        return docstring(f"{start} of {', '.join(runs)}{self._end}.")

    def _blocks(self, kind: str, count: str) -> str:
        """`3 + 4 bottlenecks`"""
        return f"{count} {self.blocks[kind].noun}{'s' * (count != '1')}"

    @property
    def _end(self) -> str:
        """What follows the stages, in words."""
        if not self.network.head:
            return ""
        classifier = self.network.classifier
        pools = [POOLS.get(type(op), "") for op in self.network.head]
        layers = [op for op in self.network.head if isinstance(op, Linear)]
        hidden = sum(op is not classifier for op in layers)
        convolutions = [op for op in self.network.head if isinstance(op, Conv)]
        said = [f"{op.noun} convolution" for op in convolutions if op is not classifier]
        told = [POOLS[AttentionPool2d]] if classifier else POOLS.values()
        said += [pool for pool in pools if pool in told]
        said += ["a hidden layer" if hidden == 1 else "hidden layers"] * bool(hidden)
        if classifier:
            kind = "linear" if isinstance(classifier, Linear) else "convolution as"
            said.append(f"{kind} classifier")
        return "".join(f", {part}" for part in said)

    @property
    def folds(self) -> str:
        """What the convolutions outside of blocks have taken in."""
        return folds((*self.network.entry, *self.network.head))

    @property
    def folds_norms(self) -> bool:
        return any(fold.norm for fold in self.network.folds)

    @property
    def standardizes(self) -> bool:
        return any(not fold.norm for fold in self.network.folds)

    @property
    def signature(self) -> str:
        classes = self.network.classes
        more = f", num_classes: int = {classes}" if classes else ""
        return f"def __init__(self{more}) -> None:"

    @property
    def setup(self) -> str:
        stem = definitions(self.network.entry, self.scope)
        there = {op.path for op in self.network.entry}  # which the head uses again
        new = (op for op in self.network.head if op.path not in there)
        head = definitions(new, self.scope)
        stages = [self._stage(stage) for stage in self.network.stages]
        if self.rates:
            total, last = self.rates[0].total, self.rates[0].last
            count = len(self.rates)
            rates = f"drop_rates = [{total!r} * i / {last} for i in range({count})]"
            stages.insert(0, rates)
        of: dict[str, Mapping[str, object]] = {
            "channels": self.network.channels,
            "strides": self.network.strides,
        }
        told = [
            mapping(f"self.{name} = ", what, 8) for name, what in of.items() if what
        ]
        parts = [stem, stages, head, told]
        return "\n\n".join("\n".join(part) for part in parts if part)

    @property
    def init(self) -> str:
        """The loops over the modules that start their weights."""
        init, classifier = self.network.init, self.network.classifier
        lines = []
        if init.classifier and classifier:
            lines.append(f"if module is self.{classifier.path}:")
            linear = isinstance(classifier, Linear)
            lines += map(indented, started(init.classifier, [classifier.bias], linear))
        lines.append(f"{'el' * bool(lines)}if isinstance(module, nn.Conv2d):")
        biased = [has for op in self.network.convolving() for has in biases(op)]
        lines += map(indented, started(init.convolutions, biased))
        loop = "for module in self.modules():"
        restarted = (
            f"{loop}\n    if isinstance(module, {name}):\n        module.reset_parameters()"
            for name in self.network.restarted
        )
        return "\n".join([loop, *map(indented, lines), *restarted])

    @property
    def forward_doc(self) -> str:
        channels, height, width = self.network.image
        what = "Classify" if self.network.classes else "Features of"
        what += f" images (N, {channels}, H, W)"
        text = f"{what}; the shapes noted are for {height} x {width}."
        return docstring(text, column=8)

    @property
    def forward(self) -> str:
        """The lines of the forward pass, each with the shape that it gives."""
        network = self.network
        stem, x = self._part("stem", network.stem, "x")
        pool, x = self._part("pool", network.pool, x)
        stages = list(self._stages(x))
        head = list(self._lines(network.head))
        maps = {name: name for name in network.features}
        last = mapping("return ", maps, 8) if maps else "return x"
        parts = ("\n".join(part) for part in ([*stem, *pool], stages, head) if part)
        return "\n\n".join(parts) + f"\n{last}"

    def _part(self, name: str, ops: Chain, x: str) -> tuple[list[str], str]:
        """The lines of stem or pool, and what the last of them calls its result."""
        lines = list(self._lines(ops, x))
        if not lines:
            return [], x
        given = self._given(name)
        return [*lines[:-1], given + lines[-1].removeprefix("x")], given

    def _given(self, name: str) -> str:
        """What a part's result is called: by its name where it is asked for."""
        return name if name in self.network.features else "x"

    def _stages(self, x: str) -> Iterator[str]:
        for stage in self.network.stages:
            given = self._given(stage.name)
            yield f"{given} = self.{stage.name}({x})  # {self._shape(stage.output)}"
            x = given

    @property
    def gives(self) -> str:
        """The type of what the network gives."""
        return "dict[str, Tensor]" if self.network.features else "Tensor"

    @property
    def main(self) -> str:
        """The lines that print what a run on zeros gives."""
        image = f"1, {', '.join(map(str, map(int, self.network.image)))}"
        result = self.result
        shown = f'print(f"({image}) -> {{tuple({result}.shape)}}")'
        if self.network.features:
            shown = (
                f"for name, feature in {result}.items():\n"
                f'    print(f"({image}) -> {{name}} {{tuple(feature.shape)}}")'
            )
        return (
            "with torch.inference_mode():\n"
            f"    {result} = model(torch.zeros({image}))\n"
            'print(f"{sum(p.numel() for p in model.parameters()):,} parameters")\n'
            f"{shown}"
        )

    def _stage(self, stage: Stage) -> str:
        repeat = stage.repeat
        if repeat and repeat.kind in self.functions:
            call = self.functions[repeat.kind].call(stage)
        else:
            call = listed(stage, self.blocks, self.starts[stage.name])
        return layout(f"self.{stage.name} = ", call, column=8)

    def _lines(self, ops: Chain, x: str = "x") -> Iterator[str]:
        flat = {
            id(op) for i, op in enumerate(ops) if any(o.flattens for o in ops[: i + 1])
        }
        for text, op in calls(ops, x, longest=LINE - 12 - SHAPE):
            yield f"x = {text}  # {self._shape(op.output, id(op) in flat)}"

    def _shape(self, shape: Shape, flat: bool = False) -> str:
        """(N, C, H, W), or (N, C) after the flatten."""
        return f"(N, {', '.join(map(self.scope.text, shape[:1] if flat else shape))})"


def _rates(network: Network) -> list[Rate]:
    """Each block's probability of being dropped, proved to be what the source computes."""
    found = [
        rate for _, block in network.blocks() if (rate := _rate(block)) is not None
    ]
    for i, rate in enumerate(found):
        assert rate == rate.total * i / rate.last, rate
    return found


def _rate(block: Block) -> Rate | None:
    rate = block.numbers.get(RATE)
    return rate if isinstance(rate, Rate) else None


def _function_name(kind: str, kinds: int) -> str:
    """`stage`, or `bottleneck_stage` where the network has several."""
    if kinds == 1:
        return "stage"
    return f"{snake(kind)}_stage"
