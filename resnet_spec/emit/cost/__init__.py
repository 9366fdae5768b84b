"""Network -> what it costs, in the words and by the numbers of each tool."""

from __future__ import annotations

from resnet_spec.emit.cost.tally import mebibytes, tallied
from resnet_spec.emit.cost.training import passes
from resnet_spec.expansion import expand
from resnet_spec.network import Network

__all__ = ["costs"]


def costs(network: Network, batch: int = 1) -> dict[str, float]:
    """What each tool returns for the network and so many images of its size, by name.

    Names are `<tool>.<what>`. Counts are integers; those of torchsummary in MiB have two
    decimals, as it prints them. All are of evaluation, but for those that say `train`.
    """
    sums = tallied(network)

    def of(name: str) -> int:
        return sums.of(name, batch)

    def each(name: str) -> int:
        return sums.of(name)

    params, numbers = each("params"), expand(network).reads
    found: dict[str, float] = {
        "macs": each("plain"),
        "params": params,
        "torchinfo.mult_adds": of("torchinfo"),
        "torchinfo.params": params,
        "torchinfo.trainable": params,
        "torchinfo.output_bytes": 8 * of("torchinfo.gives"),
        "torchinfo.param_bytes": 4 * each("torchinfo.params"),
        "torchinfo.rows": each("torchinfo.rows"),
        "torchinfo.input_bytes": 4 * batch * numbers + 64,
        "fvcore.flops.eval": of("fvcore"),
        "fvcore.flops.train": of("fvcore.train"),
        "fvcore.activations": of("fvcore.activations"),
        "fvcore.params": params,
        "mmengine.flops": of("fvcore"),
        "mmengine.activations": of("fvcore.activations"),
        "mmengine.params": params,
        "ptflops.pytorch": each("ptflops.modules") + each("ptflops.functions"),
        "ptflops.pytorch.nofunctional": each("ptflops.modules"),
        "ptflops.aten": each("ptflops.aten"),
        "ptflops.params": params,
        "thop.macs": of("thop"),
        "thop.params": each("thop.params"),
        "thop.origin.macs": of("thop"),
        "thop.origin.params": each("thop.leaves"),
        "torchprofile.macs": of("torchprofile"),
        "calflops.flops": of("calflops"),
        "calflops.macs": of("calflops.macs"),
        "calflops.params": params,
        "torch.flop_counter.forward": of("torch"),
        "pycls.flops": each("pycls"),
        "pycls.activations": each("pycls.activations"),
        "timm.macs": each("fvcore"),
        "timm.activations": each("fvcore.activations"),
    }
    if not network.features:
        found["torch.flop_counter.train_step"] = batch * sum(passes(network))
    return found | _torchsummary(network)


def _torchsummary(network: Network) -> dict[str, float]:
    """Its rows, of all modules but the network itself; it takes no batch for one image."""
    sums = tallied(network)
    names = ("input_mb", "forward_backward_mb", "params_mb", "total_mb")
    mebi = mebibytes(network)
    values = zip(names, [*mebi, sum(mebi)], strict=True)
    return {
        "torchsummary.rows": sums.of("torchsummary.rows") - 1,
        "torchsummary.params": sums.of("torchsummary.params"),
        "torchsummary.trainable": sums.of("torchsummary.trainable"),
        **{f"torchsummary.{name}": float(f"{value:.2f}") for name, value in values},
    }
