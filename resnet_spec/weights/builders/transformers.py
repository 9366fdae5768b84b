"""transformers 5.24, models/resnet: a config.json, in the folder of the weights."""

from __future__ import annotations

import json

from resnet_spec.network import Network
from resnet_spec.weights.builders.forms import Anatomy, Asked, Data, anatomy, built

REDUCTION = 4
ACTIVATIONS = ("relu", "gelu", "silu", "mish", "relu6", "tanh", "sigmoid")
"""Those of ours that its ACT2FN calls the same, and that are the same there."""


def ask(network: Network) -> Asked:
    """`downsample_in_bottleneck` is v1; stages but the first always stride."""
    known = anatomy(network)
    act = known.activation if known.activation in ACTIVATIONS else "relu"
    config: Data = {
        "architectures": [
            "ResNetForImageClassification" if known.classes else "ResNetModel"
        ],
        "model_type": "resnet",
        "num_channels": known.channels,
        "embedding_size": known.width,
        "hidden_sizes": [*known.outs],
        "depths": [*known.depths],
        "layer_type": "bottleneck" if known.is_bottleneck else "basic",
        "hidden_act": act,
        "downsample_in_first_stage": known.strides[0] == 2,
        "downsample_in_bottleneck": known.stride_on == "conv1",
    }
    if known.classes:
        config["num_labels"] = known.classes
    made = built(
        known,
        stem={"type": "conv7x7", "width": known.width, "pool": "max"},
        widths=[out // REDUCTION if known.is_bottleneck else out for out in known.outs],
        groups=1,
        strides=[2 if known.strides[0] == 2 else 1] + [2] * (len(known.outs) - 1),
        dilations=[1] * len(known.outs),
        shortcut="projection",
        norm={"type": "batch"},
        **_activated(known, act),
    )
    text = json.dumps(config, indent=2) + "\n"
    return Asked(made, "transformers", files=(("config.json", text),))


def _activated(known: Anatomy, act: str) -> Data:
    """`hidden_act` is that of the stem and behind the sums; inside of blocks it is relu."""
    if act == "relu":
        return {}
    inside = ["norm", {"activation": "relu"}]
    first: Data = {"conv": 1}
    strided: Data = {"conv": 3, "stride": "block"}
    body = [strided, *inside, {"conv": 3}, "norm"]
    if known.stride_on == "conv1":
        first, strided = {"conv": 1, "stride": "block"}, {"conv": 3}
    if known.is_bottleneck:
        body = [first, *inside, strided, *inside, {"conv": 1}, "norm"]
    said: Data = {"name": "ReluInside", "body": body}
    expansion = {} if known.is_bottleneck else {"expansion": None}
    return {"block": said, "activation": act, "stride_on": None, **expansion}
