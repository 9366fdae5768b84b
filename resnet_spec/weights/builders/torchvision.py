"""torchvision 0.29: resnet.py, and regnet.py's networks by name."""

from __future__ import annotations

from resnet_spec.network import Network
from resnet_spec.network.ops import Conv
from resnet_spec.weights.builders.forms import (
    CHANNELS,
    Anatomy,
    Asked,
    UnsayableError,
    anatomy,
    built,
    planes,
)
from resnet_spec.weights.builders.shipped import nearest


def ask(network: Network) -> Asked:
    """A model by its name where that is all, else `torchvision.models.ResNet`."""
    found = nearest(network, "torchvision")
    exact = found and found[1].digests.function == network.digests.function
    same = found and found[1].digests.layout == network.digests.layout
    if found and exact and same:
        row, made = found
        name = row.spec.rpartition("/")[2]
        regnet = row.spec.startswith("regnet/")
        model = regnet_name(name) if regnet else name
        stem = "stem[0]" if regnet else "conv1"
        call = f"torchvision.models.{model}({_classes(network)})"
        naming = "torchvision-regnet" if regnet else "torchvision"
        return Asked(made, naming, _text(network, call, stem))
    if found and found[0].spec.startswith("regnet/"):
        raise UnsayableError("its RegNets are other networks")
    return _resnet(network, anatomy(network))


def _resnet(network: Network, known: Anatomy) -> Asked:
    inner, outs = planes(known)
    if known.norm == "group":
        raise UnsayableError("its group norms would be called bn1, as batch norms are")
    block = "Bottleneck" if known.is_bottleneck else "BasicBlock"
    dilated = [known.is_bottleneck and stride == 1 for stride in known.strides[1:]]
    said = [f"torchvision.models.resnet.{block}", str([*known.depths])]
    if known.is_bottleneck:
        base, groups = known.group_width, known.groups
        said += [f"groups={groups}"] * (groups != 1)
        said += [f"width_per_group={base}"] * (base != 64)
    said += [f"replace_stride_with_dilation={dilated}"] * any(dilated)
    if known.norm == "frozen":
        said.append("norm_layer=torchvision.ops.FrozenBatchNorm2d")
    said += [_classes(network)] * bool(_classes(network))
    made = built(
        known,
        stem={"type": "conv7x7", "width": 64, "pool": "max"},
        widths=inner,
        outs=outs,
        stride_on="conv2",
        strides=[1, *(1 if each else 2 for each in dilated)],
        dilations=_dilations(dilated),
        dilation_from="previous",
        shortcut="projection",
    )
    call = f"torchvision.models.ResNet({', '.join(said)})"
    return Asked(made, "torchvision", _text(network, call, "conv1"))


def _dilations(dilated: list[bool]) -> list[int]:
    found = [1]
    for each in dilated:
        found.append(found[-1] * (2 if each else 1))
    return found


def _classes(network: Network) -> str:
    return (
        f"num_classes={network.classes}" if network.classes not in (None, 1000) else ""
    )


def _text(network: Network, call: str, stem: str) -> str:
    """The call, and what it has no argument for."""
    lines = [f"model = {call}"]
    conv = network.stem[0]
    if network.image.channels != CHANNELS and isinstance(conv, Conv):
        args = f"{conv.input.channels}, {conv.out_channels}, {conv.kernel}"
        rest = f"stride={conv.stride}, padding={conv.padding}, bias=False"
        lines.append(f"model.{stem} = torch.nn.Conv2d({args}, {rest})")
    if not network.classes:
        lines.append("model.fc = torch.nn.Identity()")
    torch = ["import torch"] * any("torch.nn" in line for line in lines)
    return "".join(f"{line}\n" for line in [*torch, "import torchvision", "", *lines])


def regnet_name(spec: str) -> str:
    """What torchvision calls the RegNets that others call by hundreds of MFLOPs.

    >>> regnet_name("regnety_004"), regnet_name("regnetx_016"), regnet_name("regnety_080_tv")
    ('regnet_y_400mf', 'regnet_x_1_6gf', 'regnet_y_8gf')
    """
    kind, hundreds, *_ = spec.split("_")
    mega = 100 * int(hundreds)
    size = f"{mega}mf" if mega < 1000 else f"{mega / 1000:g}gf".replace(".", "_")
    return f"regnet_{kind[-1]}_{size}"
