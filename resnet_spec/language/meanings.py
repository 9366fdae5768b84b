"""What keys of others mean where that depends on the value, or on what else is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from resnet_spec.language.fields import Spec
from resnet_spec.language.plan import Plan
from resnet_spec.language.rules.conventions import matter
from resnet_spec.language.shipped import shipped_names, shipped_spec
from resnet_spec.language.vocabulary import (
    DEPTHS,
    misspelling,
    our_word,
    plainly,
    text_of,
    type_of,
)
from resnet_spec.problems.words import flow

Said = str | dict[str, Any]
"""A sentence, or the fields to write, as `{"stem.width": 64}`."""
Data = Mapping[str, Any]
KERAS = 0.5  # of momentum, from where it is the weight of the old statistics


def _extends(value: Any, _: Data) -> Said:
    name = flow(value)
    if re.fullmatch(r"[^\s\[{]+\.ya?ml", name) or shipped_spec(name):
        return f"write extends: {name}"
    near = misspelling(name, shipped_names())
    return f"write extends with a name that resnet-spec list prints{near}"


def _depth(value: Any, data: Data) -> Said:
    if isinstance(value, list):
        return ""
    if not isinstance(value, int) or value not in DEPTHS:
        return NO_DEPTH
    block = "basic" if value < 50 else "bottleneck"
    if data.get("block", block) != block:
        return f"write extends: resnet{value}"
    return f"write depths: {DEPTHS[value]}, or extends: resnet{value}"


NO_DEPTH = "write depths, the blocks of each stage, as [3, 4, 6, 3]"


def _input(data: Data) -> list[Any]:
    image = data.get("input")
    whole = isinstance(image, list) and len(image) == 3
    return image if whole and isinstance(image, list) else [3, 224, 224]


def _channels(value: Any, data: Data) -> Said:
    return {"input": [value, *_input(data)[1:]]}


def _image(value: Any, data: Data) -> Said:
    return {"input": image_meant(value, _input(data)[0]) or value}


SIDES = re.compile(r"[(\[]?[0-9]{1,5}([x, ]+[0-9]{1,5}){0,3}[)\]]?", re.ASCII)


def image_meant(value: Any, channels: int = 3) -> list[int]:
    """Channels, height and width that a value likely means; none where that is not clear.

    Of one side, of two, as 224x224, or of a whole image with its channels on either end.
    """
    if isinstance(value, str) and SIDES.fullmatch(value):
        value = [int(n) for n in re.findall("[0-9]+", value)]
    numbers = value if isinstance(value, list) else [value]
    if not all(type(n) is int and n > 0 for n in numbers):
        return []
    few = [n <= MOST_CHANNELS for n in numbers]
    if len(numbers) == 4 and few[1:3] == [True, False]:
        return numbers[1:]
    if len(numbers) == 3:
        last = few[2] and not few[0]
        return [numbers[2], *numbers[:2]] if last else numbers
    if few in ([False], [False, False]):
        return [channels, numbers[0], numbers[-1]]
    if sorted(few) == [False, True]:
        return [min(numbers), *[max(numbers)] * 2]
    return []


MOST_CHANNELS = 4  # of an image that a number is likely meant as


def image_of_other_dimensions(value: Any) -> str:
    meant = image_meant(value)
    written = f"write {flow(meant)}"
    count = len(value) if isinstance(value, list) else 0
    if meant and count == 4:
        return f"{written}, one image without its batch"
    if meant and count == 2 and min(value) > MOST_CHANNELS:
        return f"the channels are missing; {written}"
    if not meant:
        written = "write channels, height and width of one image, as [3, 224, 224]"
    if count < 2 or not all(type(n) is int and n > 0 for n in value):
        return written
    dimensions = f"{count - 1} dimension{'s' * (count != 2)}"
    return f"{written}; networks of {dimensions} are not built"


def _widths(value: Any, data: Data) -> Said:
    """Channels of the image are a number, of stages a list; timm has two kinds of those."""
    if not isinstance(value, list):
        return _channels(value, data)
    stem = data.get("stem")
    first = stem.get("width", 64) if isinstance(stem, dict) else 64
    return _outputs(value, data) if value[:1] == [4 * first] else {"widths": value}


def _outputs(value: Any, data: Data) -> Said:
    by = data.get("expansion", 1 if data.get("block") == "basic" else 4)
    numbers = value if isinstance(value, list) else [value]
    if not isinstance(by, int) or not all(isinstance(n, int) for n in numbers):
        return WIDTHS
    if not isinstance(value, list) or any(n % by for n in numbers):
        return WIDTHS
    return {"widths": [n // by for n in numbers]}


WIDTHS = (
    "widths are those inside blocks, [64, 128, 256, 512] where bottlenecks of expansion 4 give "
    "[256, 512, 1024, 2048]"
)


def _doubled(value: Any, data: Data) -> Said:
    """Channels of a first stage, of which each that follows has twice as many."""
    known = isinstance(value, int) and isinstance(data.get("depths", [0] * 4), list)
    stages = len(data.get("depths", [0] * 4)) if known else 0
    return (
        {"widths": [value * 2**i for i in range(min(stages, 8))]} if known else WIDTHS
    )


def _stem_width(value: Any, data: Data) -> Said:
    """timm's, half of what a deep stem gives; other stems do not read it there."""
    stem = data.get("stem")
    written = stem.get("type") if isinstance(stem, dict) else None
    kind = our_word("stem.type", data.get("stem_type") or written or "")
    if kind in ("deep", "tiered") and isinstance(value, int):
        return {"stem.type": kind, "stem.width": 2 * value}
    return "leave it out, in timm it is half the width of a deep stem, and of no other"


def _inverse(value: Any) -> Any:
    """1 over a number; what is none, as it is."""
    number = isinstance(value, (int, float)) and value > 0
    inverse = float(f"{1 / value:.4g}") if number else value
    whole = isinstance(inverse, float) and inverse.is_integer()
    return int(inverse) if whole else inverse


def _ratio(value: Any, data: Data) -> Said:
    """How much `se` squeezes, and that it does where no attention is said."""
    asked = {} if data.get("attention", "none") != "none" else {"attention": "se"}
    return {"se.ratio": value, **asked}


def _squeeze(value: Any, _: Data) -> Said:
    """Of a number, how much it squeezes; of a list, in which stages it does, and how much."""
    each = value if isinstance(value, list) else [value]
    numbers = {one for one in each if type(one) in (int, float) and one not in (0, 1)}
    said = ["se" if one in [*numbers] else SQUEEZES.get(text_of(one)) for one in each]
    if not each or None in said or len(numbers) > 1 or not all(n > 0 for n in numbers):
        return ""
    ratios = [("se.ratio", min(one, _inverse(one))) for one in numbers]
    return {**dict(ratios), "attention": said if isinstance(value, list) else said[0]}


SQUEEZES = {
    **dict.fromkeys(("true", "1", "se"), "se"),
    **dict.fromkeys(("false", "0", "none", "null"), "none"),
}
"""The attention that a word below `se` asks for."""


def _not_averaged(value: Any, data: Data) -> Said:
    """Without an average there may be any other shortcut."""
    if text_of(value) not in ("false", "none"):
        return ""
    if data.get("shortcut") == "avg_projection":
        return {"shortcut": "projection"}
    return "leave it out"


def _expansion(value: Any, data: Data) -> Said:
    """From channels inside a bottleneck over those it gives."""
    if data.get("block") == "basic":
        return "leave it out, basic blocks have none"
    return {"expansion": _inverse(value)}


def _norm(value: Any, data: Data) -> Said:
    word = our_word("norm.type", type_of(value))
    options = dict(value) if isinstance(value, dict) else {"type": value}
    if options.pop("requires_grad", None) is False:
        return "norm: {type: frozen} is near to it, whose statistics stay as well"
    norm = data.get("norm")
    written = norm.get("groups", 32) if isinstance(norm, dict) else 32
    groups = options.pop("num_groups", written)
    if word == "instance" and options.get("affine"):
        options["type"] = "instance_affine"
    if word in ("group", "evonorm_s0"):
        options["groups"] = groups
    return {f"norm.{key}": options[key] for key in NORM if key in options}


NORM = ("type", "groups", "eps", "momentum")


def _momentum(value: Any, _: Data) -> Said:
    if isinstance(value, (int, float)) and KERAS <= value < 1:
        return (
            f"what Keras calls {value:g} is norm: {{momentum: {1 - value:.4g}}} here; "
            "leave out an optimizer's"
        )
    return {"norm.momentum": value}


DILATED = (
    "write strides and dilations, as [1, 2, 1, 1] and [1, 1, 2, 4] for output stride 8, and "
    "dilation_from"
)


def _output_stride(value: Any, data: Data) -> Said:
    """As timm and torchvision dilate, stage by stage, once the stride is reached."""
    if value not in (4, 8, 16, 32):
        return DILATED
    return _dilated([4 * 2**stage > value for stage in (1, 2, 3)], data)


def _replaced(value: Any, data: Data) -> Said:
    three = isinstance(value, list) and len(value) == 3
    if not three or not all(isinstance(each, bool) for each in value):
        return "leave it out" if text_of(value) in ("none", "false") else DILATED
    return _dilated(value, data)


def _dilated(replaced: list[bool], data: Data) -> Said:
    """Of four stages, as in those libraries."""
    depths = data.get("depths", [0] * 4)
    if not isinstance(depths, list) or len(depths) != 4:
        return DILATED
    if not any(replaced):
        return "leave it out, strides: [1, 2, 2, 2] has it"
    dilations = [1]
    for each in replaced:
        dilations.append(dilations[-1] * (2 if each else 1))
    strides = [1, *(1 if each else 2 for each in replaced)]
    return {"strides": strides, "dilations": dilations, "dilation_from": "previous"}


def _preact(value: Any, data: Data) -> Said:
    """What `pre_activation: true` was, as far as the network has to be asked for it."""
    if text_of(value) != "true":
        return "leave it out"
    return {f"preact.{key}": said for key, said in _preact_of(data).items()}


def _preact_of(data: Data) -> dict[str, Any]:
    was: dict[str, Any] = {"shortcut": "activated", "first": "own"}
    was |= {"stem_norm": False, "final_norm": True}
    known = {key: value for key, value in data.items() if key in Spec.model_fields}
    try:
        asked = matter(Plan(Spec.model_validate({**known, "preact": {}})))
    except ValidationError:
        return was
    return {key: said for key, said in was.items() if f"preact.{key}" in asked}


def _features(value: Any, _: Data) -> Said:
    """OpenMMLab counts stages from 0, timm and Hugging Face the stem as 0."""
    named = list(value) if isinstance(value, (list, dict)) else [value]
    if named and all(type(n) is int and 0 <= n <= 4 for n in named):
        mm, timm = ([n + 1 for n in named], [n or "stem" for n in named])
        counted = f"{_joined(mm)} if 0 was the first stage, {_joined(timm)} if the stem"
        return f"leave it out, and pass build --features {counted}"
    if found := [_feature(str(name)) for name in named if _feature(str(name))]:
        return f"leave it out, and pass build --features {_joined(found)}"
    return "leave it out, and pass build the stages, as --features 3,4"


def _joined(parts: Iterable[Any]) -> str:
    return ",".join(map(str, parts))


def _feature(name: str) -> str:
    """`layer4` of torchvision, `stage4` of Hugging Face and `res5` of detectron2 are 4."""
    found = re.fullmatch(r"(?:layer|stage)([1-9])|res([2-9])", name)
    if found:
        return found[1] or str(int(found[2]) - 1)
    return name if name == "stem" else ""


FUNCTIONS: Mapping[str, Callable[[Any, Data], Said]] = {
    key: function
    for keys, function in {
        "extend base _base_ inherit inherits from parent include template arch architecture "
        "model backbone network net encoder": _extends,
        "depth layers num_layers": _depth,
        "in_chans in_channels num_channels input_channels image_channels in_ch": _channels,
        "input_size image_size img_size input_shape image_shape image img resolution "
        "crop_size shape": _image,
        "channels": _widths,
        "hidden_sizes out_channels stage_channels embed_dims res2_out_channels": _outputs,
        "base_channels": _doubled,
        "stem_width": _stem_width,
        "avg_down avg_downsample": _not_averaged,
        "bottle_ratio bottleneck_ratio": _expansion,
        "reduction se_reduction reduction_ratio se.reduction se.reduction_ratio se.r": (
            lambda value, data: _ratio(_inverse(value), data)
        ),
        "rd_ratio se_ratio se.rd_ratio se.se_ratio": _ratio,
        "se": _squeeze,
        "norm_layer norm_cfg bn normalization norm_type batch_norm batchnorm norm.name "
        "norm.kind": _norm,
        "bn_momentum batch_norm_momentum bn_mom momentum norm.mom": _momentum,
        "output_stride": _output_stride,
        "pre_activation pre_act preactivation preact": _preact,
        "replace_stride_with_dilation": _replaced,
        "out_indices out_features features_only return_layers features feature_maps": _features,
    }.items()
    for key in map(plainly, keys.split())
}
