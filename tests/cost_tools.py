"""What the cost tools themselves return for a model, by the names of `costs`."""

import contextlib
import copy
import io
import warnings
from collections.abc import Callable, Iterator
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

Figures = dict[str, float]


def measured(model: nn.Module, images: Tensor, *, maps: bool = False) -> Figures:
    """All figures of all tools, each by a copy of the model; of `maps`, no training step."""
    found: Figures = {}
    for tool in TOOLS:
        found |= asked(tool, model, images)
    return found if maps else found | _step(copy.deepcopy(model), images)


def asked(tool: str, model: nn.Module, images: Tensor) -> Figures:
    """The figures of one tool, by a copy of the model in evaluation."""
    made = copy.deepcopy(model).eval()
    with warnings.catch_warnings(), _quiet():
        warnings.simplefilter("ignore")
        return TOOLS[tool](made, images)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def _torchinfo(model: nn.Module, images: Tensor) -> Figures:
    import torchinfo

    found = torchinfo.summary(
        model, input_data=images, verbose=0, cache_forward_pass=False
    )
    return {
        "torchinfo.mult_adds": found.total_mult_adds,
        "torchinfo.params": found.total_params,
        "torchinfo.trainable": found.trainable_params,
        "torchinfo.output_bytes": found.total_output_bytes,
        "torchinfo.param_bytes": found.total_param_bytes,
        "torchinfo.rows": len(found.summary_list),
        "torchinfo.input_bytes": found.total_input,
    }


def _fvcore(model: nn.Module, images: Tensor) -> Figures:
    from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis, parameter_count

    def flops(made: nn.Module) -> float:
        return _silent(FlopCountAnalysis(made, images)).total()

    activations = _silent(ActivationCountAnalysis(model, images)).total()
    return {
        "fvcore.flops.eval": flops(model),
        "fvcore.activations": activations,
        "fvcore.params": parameter_count(model)[""],
        "fvcore.flops.train": flops(copy.deepcopy(model).train()),
    }


def _silent(analysis):  # type: ignore[no-untyped-def]
    return analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)


def _mmengine(model: nn.Module, images: Tensor) -> Figures:
    from mmengine.analysis import ActivationAnalyzer, FlopAnalyzer, parameter_count

    return {
        "mmengine.flops": _silent(FlopAnalyzer(model, images)).total(),
        "mmengine.activations": _silent(ActivationAnalyzer(model, images)).total(),
        "mmengine.params": parameter_count(model)[""],
    }


def _ptflops(model: nn.Module, images: Tensor) -> Figures:
    from ptflops.aten_engine import get_flops_aten
    from ptflops.pytorch_engine import get_flops_pytorch

    size = tuple(images.shape[1:])

    def count(counter: Callable[..., tuple[float, float]], **more: object) -> float:
        made = copy.deepcopy(model)
        return counter(made, size, print_per_layer_stat=False, **more)[0]

    modules = {"extra_config": {"count_functional": False}}
    return {
        "ptflops.pytorch": count(get_flops_pytorch),
        "ptflops.pytorch.nofunctional": count(get_flops_pytorch, **modules),
        "ptflops.aten": count(get_flops_aten),
        "ptflops.params": get_flops_aten(model, size, print_per_layer_stat=False)[1],
    }


def _thop(model: nn.Module, images: Tensor) -> Figures:
    import thop

    macs, params = thop.profile(copy.deepcopy(model), (images,), verbose=False)
    origin = thop.profile_origin(model, (images,), verbose=False)
    return {
        "thop.macs": macs,
        "thop.params": params,
        "thop.origin.macs": origin[0],
        "thop.origin.params": origin[1],
    }


def _torchprofile(model: nn.Module, images: Tensor) -> Figures:
    from torchprofile import profile_macs

    return {"torchprofile.macs": profile_macs(model, images)}


def _calflops(model: nn.Module, images: Tensor) -> Figures:
    from calflops import calculate_flops

    flops, macs, params = calculate_flops(
        model=model,
        input_shape=tuple(images.shape),
        print_results=False,
        output_as_string=False,
    )
    return {"calflops.flops": flops, "calflops.macs": macs, "calflops.params": params}


def _torch(model: nn.Module, images: Tensor) -> Figures:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(images)
    return {"torch.flop_counter.forward": counter.get_total_flops()}


def _step(model: nn.Module, images: Tensor) -> Figures:
    """A forward and a backward pass in evaluation, whose functions are the same."""
    with FlopCounterMode(display=False) as counter:
        model.eval()(images).sum().backward()
    return {"torch.flop_counter.train_step": counter.get_total_flops()}


def _torchsummary(model: nn.Module, images: Tensor) -> Figures:
    text = torchsummary_text(model, tuple(images.shape[1:]))
    lines = text.splitlines()
    first, last = (i for i, line in enumerate(lines) if set(line) == {"="})
    totals = dict(line.split(": ") for line in lines[last:] if ": " in line)
    values = {name: float(value.replace(",", "")) for name, value in totals.items()}
    return {
        "torchsummary.rows": last - first - 1,
        "torchsummary.params": values["Total params"],
        "torchsummary.trainable": values["Trainable params"],
        "torchsummary.input_mb": values["Input size (MB)"],
        "torchsummary.forward_backward_mb": values["Forward/backward pass size (MB)"],
        "torchsummary.params_mb": values["Params size (MB)"],
        "torchsummary.total_mb": values["Estimated Total Size (MB)"],
    }


def torchsummary_text(model: nn.Module, image: tuple[int, ...], batch: int = -1) -> str:
    """What torchsummary prints of the model in evaluation, which may be on the meta device.

    It knows none of that, and moves its images to the processor.
    """
    import torchsummary

    device = next(model.parameters()).device
    stay = patch.object(Tensor, "type", lambda images, _: images)
    with contextlib.redirect_stdout(io.StringIO()) as printed, device, stay:
        torchsummary.summary(model.eval(), image, batch, device="cpu")
    return printed.getvalue()


TOOLS: dict[str, Callable[[nn.Module, Tensor], Figures]] = {
    "torchinfo": _torchinfo,
    "fvcore": _fvcore,
    "mmengine": _mmengine,
    "ptflops": _ptflops,
    "thop": _thop,
    "torchprofile": _torchprofile,
    "calflops": _calflops,
    "torch": _torch,
    "torchsummary": _torchsummary,
}
