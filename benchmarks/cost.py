"""Processor time of what ResNet-152 costs, and of a network of ten thousand blocks.

Cold is with loading the spec, warm a repeated call. The other side are the tools whose figures
these are, on the module that torchvision makes, which is made before. All on one thread in the
same run. Needs the `test` extra:

    python benchmarks/cost.py
"""

import contextlib
import io
import time
import warnings
from collections.abc import Callable
from statistics import median

from resnet_spec import load
from resnet_spec.emit.cost import costs
from resnet_spec.emit.cost.tally import KNOWN as TALLIES
from resnet_spec.expansion.networks import KNOWN as EXPANSIONS
from resnet_spec.network import Network

SPEC = "specs/resnet152.yaml"
DEPTHS = [3, 8, 9986, 3]
IMAGE = (3, 224, 224)


def seconds(call: Callable[[], object], runs: int) -> list[float]:
    """Processor seconds of each of the runs, after one that does not count."""
    call()
    taken = []
    for _ in range(runs):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return taken


def first(network: Network) -> Callable[[], object]:
    """The costs of a network of which nothing is known yet."""

    def call() -> object:
        EXPANSIONS.pop(network, None)
        TALLIES.pop(network, None)
        return costs(network)

    return call


def ours() -> dict[str, list[float]]:
    network = load(SPEC).network
    deep = load(SPEC, {"depths": DEPTHS}).network
    return {
        "resnet-spec, cold: load and count": seconds(
            lambda: costs(load(SPEC).network), 11
        ),
        "resnet-spec, its first call": seconds(first(network), 11),
        "resnet-spec, warm": seconds(lambda: costs(network), 101),
        "resnet-spec, 10,000 blocks, its first call": seconds(first(deep), 11),
    }


def theirs() -> dict[str, list[float]]:
    import fvcore.nn
    import ptflops
    import thop
    import torch
    import torchinfo
    import torchvision

    torch.set_num_threads(1)
    model = torchvision.models.resnet152().eval()
    images = torch.zeros(1, *IMAGE)

    def fvcore_count() -> object:
        analysis = fvcore.nn.FlopCountAnalysis(model, images)
        return analysis.unsupported_ops_warnings(False).total()

    def ptflops_count() -> object:
        return ptflops.get_model_complexity_info(
            model, IMAGE, as_strings=False, print_per_layer_stat=False
        )

    calls = {
        "torchinfo": lambda: torchinfo.summary(
            model, (1, *IMAGE), verbose=0, cache_forward_pass=False
        ),
        "fvcore": fvcore_count,
        "ptflops": ptflops_count,
        "thop": lambda: thop.profile(model, (images,), verbose=False),
    }
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        return {name: seconds(call, 3) for name, call in calls.items()}


def main() -> None:
    rows = ours() | theirs()
    unit = median(rows["resnet-spec, warm"])
    print(f"{'milliseconds of processor time':44}{'least':>9}{'median':>9}{'ratio':>9}")
    for name, taken in rows.items():
        figures = (1000 * min(taken), 1000 * median(taken))
        shown = "".join(f"{figure:9.2f}" for figure in figures)
        print(f"{name:44}{shown}{median(taken) / unit:9,.0f}")


if __name__ == "__main__":
    main()
