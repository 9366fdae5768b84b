"""The tools by the names that people give them, and the figure that each is asked for."""

from __future__ import annotations

from typing import NamedTuple

from resnet_spec.emit.cost.tables import VERSIONS


class Tool(NamedTuple):
    """A figure of a tool: its name among `costs`, and how the tool is asked for it."""

    figure: str
    how: str
    batch: bool = True  # whether it counts all images of a batch

    @property
    def package(self) -> str:
        return self.figure.split(".")[0]

    @property
    def version(self) -> str:
        return VERSIONS[self.package]

    def said(self, batch: int) -> str:
        """Tool, version, call, mode and batch, as a line says them."""
        images = (
            f"{batch} image{'s' * (batch != 1)}" if self.batch else "1 image always"
        )
        return f"{self.package} {self.version}, {self.how}, {images}"


TOOLS = {
    "torchinfo": Tool("torchinfo.mult_adds", "summary().total_mult_adds, evaluation"),
    "fvcore": Tool("fvcore.flops.eval", "FlopCountAnalysis().total(), evaluation"),
    "mmengine": Tool("mmengine.flops", "FlopAnalyzer().total(), evaluation"),
    "ptflops": Tool(
        "ptflops.pytorch", "backend pytorch, its default, evaluation", batch=False
    ),
    "ptflops-aten": Tool("ptflops.aten", "backend aten, evaluation", batch=False),
    "thop": Tool("thop.macs", "profile(), evaluation"),
    "torchprofile": Tool("torchprofile.macs", "profile_macs(), evaluation"),
    "calflops": Tool("calflops.flops", "calculate_flops(), FLOPs, evaluation"),
    "pycls": Tool("pycls.flops", "complexity(), by its rules", batch=False),
    "torch": Tool("torch.flop_counter.forward", "FlopCounterMode, one forward pass"),
    "torch-train": Tool(
        "torch.flop_counter.train_step", "FlopCounterMode, forward and backward"
    ),
    "timm": Tool("timm.macs", "benchmark.py, infer_gmacs, by fvcore", batch=False),
}
"""What `--as` takes."""
