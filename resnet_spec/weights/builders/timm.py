"""timm 1.0: a model by its name, or resnet.py's with other arguments."""

from __future__ import annotations

from resnet_spec.network import Network
from resnet_spec.weights.builders.forms import (
    CHANNELS,
    Anatomy,
    Asked,
    Data,
    UnsayableError,
    anatomy,
    built,
    planes,
)
from resnet_spec.weights.builders.shipped import nearest
from resnet_spec.weights.inference.index import Row

FILES = {
    "legacy_senet": "timm-senet",
    "regnet": "timm-regnet",
    "byobnet": "timm-byobnet",
    "tresnet": "timm-tresnet",
}
"""The namings of its files that have their own, by the folder of a spec that is from there."""
ACTIVATIONS = ("relu", "gelu", "silu")
LEAST, MOST = 8, 32  # pixels of the image per pixel of the last map


def ask(network: Network) -> Asked:
    found = nearest(network, "timm")
    if found and found[1].digests.function == network.digests.function:
        return _named(network, *found)
    try:
        return _resnet(network, anatomy(network))
    except UnsayableError:
        if found:
            return _named(network, *found)
        raise


def _named(network: Network, row: Row, made: Network) -> Asked:
    folder, _, name = row.spec.rpartition("/")
    return Asked(made, FILES.get(folder, "timm"), _text(name, _ends(network)))


def _resnet(network: Network, known: Anatomy) -> Asked:
    """Beyond `output_stride` stages dilate, their first blocks as the stage before."""
    inner, outs = planes(known)
    said = [f"layers={[*known.depths]}"]
    stem: Data = {"type": "conv7x7", "width": 64, "pool": "max"}
    if known.is_bottleneck:
        base, groups = known.group_width, known.groups
        said += [f"cardinality={groups}"] * (groups != 1)
        said += [f"base_width={base}"] * (base != 64)
    if known.entry == "deep":
        stem = {"type": "deep", "width": known.width, "pool": "max"}
        said += [f"stem_width={known.width // 2}", "stem_type='deep'"]
    said += ["avg_down=True"] * known.averages
    act = known.activation if known.activation in ACTIVATIONS else "relu"
    said += [f"act_layer={act!r}"] * (act != "relu")
    strides, dilations, reached = [1], [1], 4
    limit = max(LEAST, MOST // 2 ** sum(stride == 1 for stride in known.strides[1:]))
    for _ in known.outs[1:]:
        keeps = reached >= limit
        strides.append(1 if keeps else 2)
        dilations.append(dilations[-1] * 2 if keeps else 1)
        reached *= strides[-1]
    said += [f"output_stride={limit}"] * (limit != MOST)
    made = built(
        known,
        stem=stem,
        widths=inner,
        outs=outs,
        stride_on="conv2",
        strides=strides,
        dilations=dilations,
        dilation_from="previous",
        norm={"type": "batch"},
        activation=act,
    )
    name = "resnet50" if known.is_bottleneck else "resnet18"
    return Asked(made, "timm", _text(name, [*said, *_ends(network)]))


def _ends(network: Network) -> list[str]:
    channels = int(network.image.channels)
    said = [f"num_classes={network.classes or 0}"] * (network.classes != 1000)
    return said + [f"in_chans={channels}"] * (channels != CHANNELS)


def _text(name: str, said: list[str]) -> str:
    args = ", ".join([f"'{name}'", *said]).replace("'", '"')
    return f"import timm\n\nmodel = timm.create_model({args})\n"
