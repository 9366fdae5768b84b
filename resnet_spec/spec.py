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
    "projection", "projection_always", "avg_projection", "zero_pad", "none"
]
ActivationKind = Literal["relu", "silu"]


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

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Paper(Model):
    """Where the network was published."""

    title: Title = Field(description="title of the paper")
    url: Annotated[str, AfterValidator(_web_address)] = Field(
        description="address of the paper",
        examples=["https://arxiv.org/abs/1512.03385"],
    )


class Stem(Model):
    """What stands between the image and the first stage."""

    type: Literal["conv7x7", "conv3x3", "none"] = Field(
        description="conv7x7 halves height and width (ResNet-50); conv3x3 keeps them "
        "(ResNet-20 for CIFAR-10); none lets the first stage read the input itself "
        "(conv5 of ResNet-50 as a detection head on 1024 x 14 x 14 features)"
    )
    width: Count | None = Field(
        default=None,
        description="channels that the stem gives, 64 in ResNet-50, 16 in ResNet-20",
    )
    pool: Literal["max", "none"] | None = Field(
        default=None,
        description="max halves height and width once more, by a 3x3 max pool "
        "(ResNet-50); none does not (ResNet-20)",
    )


class Norm(Model):
    """Batch normalisation, everywhere alike."""

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
        description="weight of the newest batch in the running statistics, as torch "
        "counts it (0.01 in Keras's ResNet-50, which says 0.99)",
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
    dropout: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="probability of dropping a feature before the classifier, in "
        "training (0.2 in SENet-154)",
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
        "projection_always, in every block (option C); avg_projection, an average pool "
        "before a 1x1 without stride (ResNet-50-D); zero_pad, every stride-th pixel and "
        "channels of zeros (option A, ResNet-20); none, nothing (plain networks)",
        examples=["projection"],
    )
    norm: Norm = Field(default=Norm(), description="batch normalisation")
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
