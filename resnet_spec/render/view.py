"""What the templates print: every value decided, nothing left but its place."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from resnet_spec.ir import Block, Chain, Flatten, Network, Shape, Stage
from resnet_spec.render.blocks import BlockClass
from resnet_spec.render.layers import layer_sources
from resnet_spec.render.layout import LINE, docstring, filled, layout
from resnet_spec.render.modules import calls, definitions
from resnet_spec.render.scope import Scope
from resnet_spec.render.stages import StageFunction, listed
from resnet_spec.words import counted

IMPORTS = ["import torch", "from torch import Tensor, nn"]


class View:
    """A network, and where it comes from, as the lines of its source."""

    def __init__(self, network: Network, origin: str) -> None:
        self.network, self.origin = network, filled(origin)
        layer_imports, self.layers = layer_sources(network)
        self.imports = [*IMPORTS, *(i for i in layer_imports if i not in IMPORTS)]
        kinds: dict[str, list[Stage]] = {}
        for stage in network.stages:
            kinds.setdefault(stage.blocks[0].kind, []).append(stage)
        self.blocks = {
            kind: BlockClass(kind, _distinct(s)) for kind, s in kinds.items()
        }
        self.functions = {
            kind: StageFunction(
                _function_name(kind, len(kinds)), self.blocks[kind], stages
            )
            for kind, stages in kinds.items()
            if any(len(stage.blocks) > 1 for stage in stages)
        }
        names = {"num_classes": "num_classes"} if network.classes else {}
        self.scope = Scope(names)

    # the header

    @property
    def image(self) -> str:
        return str(self.network.image)

    @property
    def paper(self) -> str:
        assert self.network.paper is not None
        return filled(self.network.paper[0], LINE - 13)

    @property
    def sizes(self) -> str:
        smallest, largest = self.network.sizes
        if largest is not None:
            return f"heights and widths from {smallest} to {largest}"
        return (
            "any height and width"
            if smallest == 1
            else f"at least {smallest} x {smallest}"
        )

    @property
    def output(self) -> str:
        return f"{self.network.output.channels} {self.result}"

    @property
    def result(self) -> str:
        """What the network gives, in a word."""
        return "logits" if self.network.classes else "features"

    @property
    def cost(self) -> str:
        what = "convolutions and classifier" if self.network.classes else "convolutions"
        return f"{counted(self.network.macs)}MACs ({what}, one image)"

    @property
    def notes(self) -> str:
        return filled(" ".join(self.network.notes))

    # the network

    @property
    def doc(self) -> str:
        runs = []
        for kind, group in groupby(
            self.network.stages, lambda stage: stage.blocks[0].kind
        ):
            depths = " + ".join(str(len(stage.blocks)) for stage in group)
            noun = self.blocks[kind].noun
            runs.append(f"{depths} {noun}{'s' * (depths != '1')}")
        stages = "stages" if len(self.network.stages) > 1 else "a stage"
        start = f"Stem, {stages}" if self.network.stem else stages.capitalize()
        end = "linear classifier" if self.network.classes else "average pool"
        return docstring(f"{start} of {', '.join(runs)}, {end}.")

    @property
    def signature(self) -> str:
        classes = self.network.classes
        more = f", num_classes: int = {classes}" if classes else ""
        return f"def __init__(self{more}) -> None:"

    @property
    def setup(self) -> str:
        stem = definitions(self.network.stem, self.scope)
        head = definitions(self.network.head, self.scope)
        parts = [stem, [self._stage(stage) for stage in self.network.stages], head]
        return "\n\n".join("\n".join(part) for part in parts if part)

    @property
    def forward_doc(self) -> str:
        channels, height, width = self.network.image
        what = "Classify" if self.network.classes else "Give the features of"
        what += f" images (N, {channels}, H, W)"
        text = f"{what}; the shapes noted are for {height} x {width}."
        return docstring(text, column=8)

    @property
    def forward(self) -> str:
        """The lines of the forward pass, each with the shape that it gives."""
        network = self.network
        stages = [
            f"x = self.{s.name}(x)  # {self._shape(s.output)}" for s in network.stages
        ]
        parts = [
            list(self._lines(network.stem)),
            stages,
            list(self._lines(network.head)),
        ]
        return "\n\n".join("\n".join(part) for part in parts if part) + "\nreturn x"

    def _stage(self, stage: Stage) -> str:
        kind = stage.blocks[0].kind
        if kind in self.functions:
            call = self.functions[kind].call(stage)
        else:
            call = listed(stage, self.blocks[kind])
        return layout(f"self.{stage.name} = ", call, column=8)

    def _lines(self, ops: Chain) -> Iterator[str]:
        flat = False
        for text, op in calls(ops):
            flat = flat or isinstance(op, Flatten)
            yield f"x = {text}  # {self._shape(op.output, flat)}"

    def _shape(self, shape: Shape, flat: bool = False) -> str:
        """(N, C, H, W), or (N, C) behind the flatten."""
        return f"(N, {', '.join(map(self.scope.text, shape[:1] if flat else shape))})"


def _distinct(stages: list[Stage]) -> list[Block]:
    """The blocks of the stages, each object once."""
    blocks = {id(block): block for stage in stages for block in stage.blocks}
    return list(blocks.values())


def _function_name(kind: str, kinds: int) -> str:
    """`stage`, or `bottleneck_stage` where the network has several."""
    if kinds == 1:
        return "stage"
    words = "".join(f"_{c.lower()}" if c.isupper() else c for c in kind)
    return f"{words.strip('_')}_stage"
