"""The language: what a spec may say, field by field.

Every field's description says what it does to the network and names a published network
that needs it. What must hold between fields is in `rules`.
"""

from __future__ import annotations

import keyword
import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

T = TypeVar("T")

LARGEST = 65536  # channels, pixels or classes: beyond any network, and finite

BlockKind = Literal["basic", "bottleneck"]
StrideOn = Literal["conv1", "conv2"]
ShortcutKind = Literal[
    "projection",
    "projection_always",
    "projection3x3",
    "avg_projection",
    "zero_pad",
    "none",
]
ActivationKind = Literal["relu", "silu"]
AttentionKind = Literal["none", "se", "eca"]


def _one_or_each(value: Any) -> str:
    return "<each>" if isinstance(value, (list, tuple)) else "<one>"


def _word_or_number(value: Any) -> str:
    return "<word>" if isinstance(value, str) else "<number>"


def _class_name(name: str) -> str:
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]{,59}", name) or keyword.iskeyword(name):
        message = (
            "must be a class name in CapWords, as ResNet50, of at most 60 characters"
        )
        raise PydanticCustomError("class_name", message)
    return name


def _plain_line(text: str) -> str:
    """Text that can stand in a docstring and mean just itself there."""
    if not text.isprintable() or set(text) & set('"\\') or text != text.strip():
        message = "must be one line of printable text without quotes or backslashes"
        raise PydanticCustomError("plain_line", message)
    if not text:
        raise PydanticCustomError("empty_line", "must have at least one character")
    return text


def _web_address(url: str) -> str:
    if not re.fullmatch(r"https?://[!#-\[\]-~]{1,160}", url):
        message = "must be a web address, as https://arxiv.org/abs/1512.03385"
        raise PydanticCustomError("web_address", message)
    return url


Count = Annotated[int, Field(ge=1, le=LARGEST)]
Three = Field(strict=False, min_length=3, max_length=3)
Line = Annotated[str, Field(max_length=75), AfterValidator(_plain_line)]
Title = Annotated[str, Field(max_length=300), AfterValidator(_plain_line)]
PerStage = Annotated[
    Annotated[T, Tag("<one>")]
    | Annotated[tuple[T, ...], Field(strict=False), Tag("<each>")],
    Discriminator(_one_or_each),
]
PerBottleneck = Annotated[
    Annotated[T, Tag("<one>")]
    | Annotated[tuple[T | None, ...], Field(strict=False), Tag("<each>")],
    Discriminator(_one_or_each),
]
"""As PerStage, with null for the stages that have no use for the field."""
WordOr = Annotated[
    Annotated[T, Tag("<word>")] | Annotated[Count, Tag("<number>")],
    Discriminator(_word_or_number),
]


class Model(BaseModel):
    """Closed and strict: an unknown key is refused, and "64" is not 64."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, defer_build=True
    )


class Paper(Model):
    """Where the network was published."""

    title: Title = Field(description="title of the paper")
    url: Annotated[str, AfterValidator(_web_address)] = Field(
        description="address of the paper",
        examples=["https://arxiv.org/abs/1512.03385"],
    )


class Stem(Model):
    """What stands between the image and the first stage."""

    type: Literal["conv7x7", "conv3x3", "deep", "tiered", "none"] = Field(
        description="conv7x7 halves height and width (ResNet-50); deep does so by three "
        "3x3 convolutions of width / 2, width / 2 and width channels (ResNet-50-C), "
        "tiered by three of 3 / 8, 1 / 2 and 1 times the width (ResNet-50-T); conv3x3 "
        "keeps height and width (ResNet-20 for CIFAR-10); none lets the first stage read "
        "the input itself (conv5 of ResNet-50 as a detection head on 1024 x 14 x 14 "
        "features)"
    )
    width: Count | None = Field(
        default=None,
        description="channels that the stem gives, 64 in ResNet-50, 16 in ResNet-20",
    )
    pool: (
        Literal["max", "max_ceil", "max_zero", "max_blur", "avg", "conv", "none"] | None
    ) = Field(
        default=None,
        description="max halves height and width once more, by a 3x3 max pool "
        "(ResNet-50); max_ceil without padding, rounding up (the first SENet-154); "
        "max_zero padded by zeros, which can be the largest (BiT); max_blur by a max "
        "pool that keeps the size and a blur (ResNetBlur-50); avg by a 2x2 average "
        "(ResNetAA-50); conv by a 3x3 convolution (ResNet-RS-50); none does not "
        "(ResNet-20)",
    )


class Norm(Model):
    """The normalisation, everywhere alike."""

    type: Literal["batch", "frozen", "group", "evonorm_s0", "frn"] = Field(
        default="batch",
        description="batch normalisation (ResNet-50); frozen, with statistics and weights "
        "that do not learn (backbones of detectors); group (ResNet-50 GN); evonorm_s0 and "
        "frn, which are their own activation (ResNetV2-50-D EvoS and FRN)",
    )
    groups: Count | None = Field(
        default=None,
        description="groups of channels that group and evonorm_s0 normalise over, 32 in "
        "ResNet-50 GN",
    )
    eps: float = Field(
        default=1e-5,
        gt=0,
        le=1,
        description="added to the variance (0.00001001 in Keras's ResNet-50)",
    )
    momentum: float = Field(
        default=0.1,
        gt=0,
        le=1,
        description="weight of the newest batch in batch's running statistics, as torch "
        "counts it (0.01 in Keras's ResNet-50, which says 0.99)",
    )


class SqueezeExcite(Model):
    """How `attention: se` squeezes."""

    ratio: float = Field(
        default=0.0625,
        ge=0.0001,
        le=1,
        description="channels between its two convolutions over those it weighs (1 / 16 "
        "in SE-ResNet-50, 0.25 in ResNet-RS-50)",
    )
    divisor: Count = Field(
        default=8,
        description="those channels are rounded to a multiple of it, and at least it (8 "
        "in SE-ResNet-18 of timm, 1 in that of the paper)",
    )
    activated: bool = Field(
        default=False,
        description="an activation before it (the first SE-ResNet-18)",
    )


class Spatial(Model):
    """What stands for a block's first 3x3 convolution, with its norm and activation."""

    type: Literal["res2net", "selective_kernel", "split_attention"] = Field(
        description="res2net, bands of channels that read one another (Res2Net-50); "
        "selective_kernel, a choice between two dilations (SKNet-50); split_attention, a "
        "weighted sum of several convolutions (ResNeSt-50)"
    )
    scale: Annotated[int, Field(ge=2, le=64)] | None = Field(
        default=None, description="bands of res2net, 4 in Res2Net-50 26w x 4s"
    )
    radix: Annotated[int, Field(ge=1, le=64)] | None = Field(
        default=None,
        description="convolutions that split_attention sums, 2 in ResNeSt-50",
    )
    pool: Literal["before", "after"] | None = Field(
        default=None,
        description="side of split_attention on which a 3x3 average pool strides: after "
        "(ResNeSt-50), before (ResNeSt-50 1s4x24d)",
    )
    ratio: Annotated[float, Field(ge=0.0001, le=1)] | None = Field(
        default=None,
        description="channels from which selective_kernel chooses over those it gives (1 "
        "/ 16 in SKNet-50)",
    )
    divisor: Count | None = Field(
        default=None,
        description="those channels are rounded to a multiple of it, and at least it (8 "
        "in timm's SKNet-50)",
    )
    split: bool | None = Field(
        default=None,
        description="each path of selective_kernel reads half of the channels (timm's "
        "SKNet-50), or all (SKNeXt-50)",
    )


class Standardization(Model):
    """Weight standardisation of every convolution of stem, blocks and shortcuts."""

    eps: float = Field(
        gt=0, le=1, description="added to each filter's variance (1e-8 in BiT)"
    )


PerBlock = Annotated[
    tuple[Annotated[tuple[Count, ...], Field(strict=False)], ...], Field(strict=False)
]


class Pruned(Model):
    """Widths of every bottleneck for itself, in place of those that follow from `widths`."""

    conv1: PerBlock = Field(
        description="channels that each block's first convolution gives, by stage (ECA-"
        "ResNet-50-D pruned)"
    )
    conv2: PerBlock = Field(
        description="channels that each block's second convolution gives, by stage"
    )
    out: Annotated[tuple[Count, ...], Field(strict=False)] = Field(
        description="channels that each stage's blocks give"
    )


class Init(Model):
    """How weights start, beyond the Kaiming normal of every convolution."""

    zero_last_norm: bool = Field(
        default=False,
        description="start each block's last norm at weight zero, so that the block "
        "starts as its shortcut (ResNet-50 of https://arxiv.org/abs/1706.02677)",
    )


class Head(Model):
    """What stands behind the last stage."""

    pool: WordOr[Literal["global"]] = Field(
        default="global",
        description="global averages over any map (ResNet-50 today); a number is the "
        "kernel of a fixed average pool, which needs a last map of just that size "
        "(7 in the ResNet-34 of many tutorials)",
    )
    classifier: Literal["linear", "conv"] = Field(
        default="linear",
        description="linear (ResNet-50), or a 1x1 convolution (BiT)",
    )
    dropout: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="probability of dropping a feature before the classifier, in "
        "training (0.2 in the first SENet-154)",
    )
    classes: WordOr[Literal["none"]] = Field(
        description="logits of the linear classifier (1000 in ResNet-50); none ends in "
        "the pooled features",
        examples=[1000, 10, "none"],
    )


class Expect(Model):
    """Claims about this very network. An untrue one fails the build."""

    params: int | None = Field(default=None, description="learnable parameters")
    macs: int | None = Field(
        default=None,
        description="multiply-adds of convolutions and classifier, for one image of the "
        "stated input",
    )
    features: (
        Annotated[tuple[Annotated[tuple[int, ...], Three], ...], Field(strict=False)]
        | None
    ) = Field(default=None, description="[channels, height, width] behind each stage")
    output_stride: int | None = Field(
        default=None, description="pixels of the input per pixel behind the last stage"
    )


class Spec(Model):
    """A residual network, as written. A field per block takes one value or one per stage."""

    name: Annotated[str, AfterValidator(_class_name)] = Field(
        description="class name of the network; the file's name is the module's",
        examples=["ResNet50"],
    )
    title: Line = Field(description="name for people", examples=["ResNet-50"])
    paper: Paper | None = Field(
        default=None, description="where the network was published"
    )
    input: Annotated[tuple[Count, ...], Three] = Field(
        description="channels, height and width of the image that shapes and costs are "
        "given for",
        examples=[[3, 224, 224]],
    )
    stem: Stem = Field(
        description="what stands between the image and the first stage",
        examples=[{"type": "conv7x7", "width": 64, "pool": "max"}],
    )
    block: PerStage[BlockKind] = Field(
        description="what a stage is made of: basic, 3x3, 3x3 (ResNet-18); bottleneck, "
        "1x1, 3x3, 1x1 (ResNet-50)",
        examples=["bottleneck"],
    )
    stride_on: PerBottleneck[StrideOn] | None = Field(
        default=None,
        description="convolution that strides in a bottleneck: conv1, the first 1x1, is "
        "v1 (the paper, Caffe, Keras), conv2, the 3x3, is v1.5 (torchvision); "
        "published code disagrees, so there is no default",
    )
    expansion: PerBottleneck[Count] | None = Field(
        default=None,
        description="output channels of a bottleneck over `widths`, 4 in ResNet-50",
    )
    depths: Annotated[
        tuple[Annotated[int, Field(ge=1, le=20_000)], ...],
        Field(strict=False, min_length=1, max_length=100),
    ] = Field(
        description="blocks in each stage; its length is the number of stages",
        examples=[[3, 4, 6, 3]],
    )
    widths: PerStage[Count] = Field(
        description="channels inside each stage's blocks",
        examples=[[64, 128, 256, 512]],
    )
    strides: PerStage[Count] = Field(
        description="stride of each stage's first block", examples=[[1, 2, 2, 2]]
    )
    dilations: PerStage[Count] = Field(
        default=1,
        description="spacing of each stage's 3x3 convolutions; the first of a stage still "
        "has the spacing of the stage before (DeepLabV3 on ResNet-50: 1, 1, 2, 4)",
    )
    groups: PerBottleneck[Count] = Field(
        default=1, description="groups of a bottleneck's 3x3, 32 in ResNeXt-50 32x4d"
    )
    width_per_group: PerBottleneck[Count] | None = Field(
        default=None,
        description="channels of a group where `widths` says 64, and in proportion "
        "elsewhere (4 in ResNeXt-50 32x4d, 128 in Wide ResNet-50-2); without it, the "
        "3x3 has just the channels that `widths` says",
    )
    shortcut: PerStage[ShortcutKind] = Field(
        description="what is added to a block's body: projection, a 1x1 convolution "
        "where the shape changes, else the input (option B, ResNet-50); "
        "projection_always, in every block (option C); projection3x3, 3x3 where it "
        "strides (SENet-154); avg_projection, an average pool "
        "before a 1x1 without stride (ResNet-50-D); zero_pad, every stride-th pixel and "
        "channels of zeros (option A, ResNet-20); none, nothing (plain networks)",
        examples=["projection"],
    )
    pre_activation: bool = Field(
        default=False,
        description="norm and activation before each convolution of a block, and a last "
        "one behind the stages (ResNetV2-50, Wide ResNet-28-10)",
    )
    reduce_first: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1,
        description="channels of a bottleneck's 3x3 over those of the 1x1 before it, 2 in "
        "SENet-154",
    )
    spatial: Spatial | None = Field(
        default=None,
        description="what stands for a block's first 3x3 convolution",
        examples=[{"type": "res2net", "scale": 4}],
    )
    anti_alias: Literal["none", "avg", "blur"] = Field(
        default="none",
        description="what strides in a block in place of its 3x3 convolution, behind it: "
        "avg, a 2x2 average (ResNetAA-50); blur, a fixed 3x3 (ResNetBlur-50)",
    )
    attention: PerStage[AttentionKind] = Field(
        default="none",
        description="weighs the channels of a block's body: se, squeeze-and-excitation "
        "(SE-ResNet-50); eca, efficient channel attention (ECA-ResNet-50-D)",
    )
    attention_after: Literal["last", "conv2"] = Field(
        default="last",
        description="where attention stands in a bottleneck: behind its last norm (SE-"
        "ResNet-50) or behind its 3x3 (SE-ResNeXt-26-TS)",
    )
    se: SqueezeExcite = Field(
        default=SqueezeExcite(), description="how `attention: se` squeezes"
    )
    dropout: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="probability of dropping a number between a basic block's two "
        "convolutions, in training (0.3 in Wide ResNet-28-10)",
    )
    drop_path: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="probability of dropping the last block's body, in training, growing "
        "from 0 in the first (0.5 in https://arxiv.org/abs/1603.09382)",
    )
    standardization: Standardization | None = Field(
        default=None,
        description="weight standardisation of convolutions",
        examples=[{"eps": 1e-8}],
    )
    pruned: Pruned | None = Field(
        default=None,
        description="widths of every block for itself (ECA-ResNet-50-D pruned)",
    )
    norm: Norm = Field(default=Norm(), description="the normalisation")
    activation: PerStage[ActivationKind] = Field(
        default="relu",
        description="after each norm and each sum; the stem has that of the first stage "
        "(silu in SE-ResNet-33-TS)",
    )
    init: Init = Field(default=Init(), description="how weights start")
    head: Head = Field(
        description="what stands behind the last stage", examples=[{"classes": 1000}]
    )
    expect: Expect | None = Field(
        default=None, description="claims about this very network"
    )
