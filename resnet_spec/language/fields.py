"""The language: what a spec may say, field by field.

Every field's description says what it does to the network and names a published network
that needs it. What must hold between fields is in `rules`.
"""

from typing import Annotated

from pydantic import AfterValidator, Field

from resnet_spec.catalog import BY_NAME
from resnet_spec.language.chains import (
    BlockPerStage,
    HeadChain,
    ShortcutPerStage,
    StemType,
)
from resnet_spec.language.generators import ROUNDINGS
from resnet_spec.language.values import (
    CLASS_NAME,
    LARGEST,
    Activation,
    AttentionWord,
    Count,
    DilationFromWord,
    Line,
    Model,
    OneOf,
    PerBottleneck,
    PerStage,
    Sided,
    Sides,
    Stride,
    StrideOnWord,
    Three,
    Title,
    Word,
    WordOr,
    choices,
    class_name,
    web_address,
)

DEEPEST = 20_000  # blocks of a network
MOST_STAGES = 100


class Paper(Model):
    """Where the network was published."""

    title: Title = Field(description="title of the paper")
    url: Annotated[str, AfterValidator(web_address)] = Field(
        description="address of the paper",
        examples=["https://arxiv.org/abs/1512.03385"],
    )


class Stem(Model):
    """What is between the image and the first stage."""

    type: StemType = Field(
        description=choices("how the image is read", "stem.type")
        + "; a list is a chain of ops, below"
    )
    width: Count | None = Field(
        default=None,
        description="channels that the stem gives, 64 in ResNet-50, 16 in ResNet-20",
    )
    stride: (
        Sided[Annotated[int, Field(ge=1, le=8)], Annotated[str, Sides(8)]] | None
    ) = Field(
        default=None,
        description="stride of its first convolution, where it is another than the type has "
        "(1 for the 7x7 in MONAI's ResNets, 2 for the 3x3 in RegNets, 2x1 in ResNetSE34L)",
    )
    pool: Annotated[str, Word("stem.pool")] | None = Field(
        default=None,
        description=choices("what halves height and width once more", "stem.pool")
        + "; behind a chain nothing does where nothing is said",
    )


class RegNet(Model):
    """The rule for the depths and widths of RegNets, by the letters of their paper,
    https://arxiv.org/abs/2003.13678."""

    w_0: Annotated[int, Field(ge=8, le=LARGEST, multiple_of=8)] = Field(
        description="channels of the first block (24 in RegNetX-200MF)"
    )
    w_a: float = Field(
        ge=0,
        le=LARGEST,
        description="channels that each block adds, before they are rounded (36.44 in "
        "RegNetX-200MF)",
    )
    w_m: float = Field(
        gt=1,
        le=LARGEST,
        description="the factor from stage to stage: a block has the nearest power of it times "
        "`w_0`, and blocks of one width are a stage (2.49 in RegNetX-200MF)",
    )
    d: Annotated[int, Field(ge=1, le=DEEPEST)] = Field(
        description="blocks of the network (13 in RegNetX-200MF)"
    )
    group_width: Count | None = Field(
        default=None,
        description="channels of each group, or of the one in a narrower stage (8 in "
        "RegNetX-200MF); without it there are no groups, and nothing is rounded to them",
    )
    rounding: Annotated[str, OneOf(tuple(ROUNDINGS))] = Field(
        description="a width that `group_width` does not divide becomes a multiple of it: "
        "pycls, the nearest, of two the even one (timm's RegNetX-400MF); torchvision, the "
        "nearest, of two the larger, or the next where that is below 0.9 of the width "
        "(torchvision's RegNetX-400MF)"
    )


class Stages(Model):
    """A rule that gives depths and widths."""

    regnet: RegNet = Field(
        description="the rule of RegNets, from the numbers that their paper has for each"
    )


class Norm(Model):
    """The normalization."""

    type: PerStage[Annotated[str, Word("norm.type")]] = Field(
        default="batch",
        description=choices(
            "the kind; the stem's is the first stage's, and the head's the last's",
            "norm.type",
        ),
    )
    groups: Count | None = Field(
        default=None,
        description="groups of channels that group, evonorm_s0 and evonorm_s0a normalize "
        "over, 32 in ResNet-50 GN",
    )
    channels_per_group: Count | None = Field(
        default=None,
        description="channels of each of those groups, whatever the width, in place of "
        "`groups` (16 in table 3 of https://arxiv.org/abs/1803.08494)",
    )
    eps: float = Field(
        default=1e-5,
        gt=0,
        le=1,
        description="added to the variance (0.00001 in ResNet-50)",
    )
    momentum: float = Field(
        default=0.1,
        gt=0,
        le=1,
        description="weight of the newest batch in batch's running statistics, as torch "
        "counts it (0.1 in ResNet-50); what Keras calls 0.99 is 0.01 here",
    )


class Preact(Model):
    """Norm and activation before each convolution of a block: pre-activation."""

    shortcut: Annotated[str, Word("preact.shortcut")] | None = Field(
        default=None,
        description=choices(
            "what a shortcut reads where it is more than the identity",
            "preact.shortcut",
        ),
    )
    first: Annotated[str, Word("preact.first")] | None = Field(
        default=None,
        description=choices(
            "what is added in a stage's first block where its shortcut is the identity",
            "preact.first",
        ),
    )
    stem_norm: bool | None = Field(
        default=None,
        description="a norm and an activation after the stem's last convolution: true in "
        "pytorchcv's PreResNet-10 and fb.resnet.torch's for ImageNet, false in "
        "ResNetV2-50 of timm",
    )
    final_norm: bool | None = Field(
        default=None,
        description="a norm and an activation after the last stage: true in ResNetV2-50, "
        "false in PreActResNet-18 of kuangliu's pytorch-cifar",
    )


class SqueezeExcite(Model):
    """How `attention: se` squeezes."""

    ratio: PerBottleneck[Annotated[float, Field(ge=0.0001, le=1)]] = Field(
        default=0.0625,
        description="channels between its two convolutions over those it weighs (1 / 16 "
        "in SE-ResNet-50, 0.25 in ResNet-RS-50)",
    )
    ratio_of: Annotated[str, Word("se.ratio_of")] = Field(
        default="attended",
        description=choices("the channels that `ratio` is of", "se.ratio_of"),
    )
    divisor: Count = Field(
        default=8,
        description="those channels are rounded to a multiple of it, and at least it (8 "
        "in SE-ResNet-18 of timm, 1 in that of the paper)",
    )
    least: Count = Field(
        default=1,
        description="there are at least so many of those channels (64 in TResNet-M)",
    )
    activation: Annotated[str, OneOf(BY_NAME)] = Field(
        default="relu",
        description="the activation between its two convolutions (relu in SE-ResNet-50, silu "
        "in RegNetZ-4.0GF)",
    )
    bias: bool = Field(
        default=True,
        description="its two convolutions have biases (SE-ResNet-50 of timm; not in the SE of "
        "moskomule's senet.pytorch and of fast-reid)",
    )
    activated: bool = Field(
        default=False,
        description="an activation before it (the first SE-ResNet-18)",
    )


class Spatial(Model):
    """What replaces a block's first 3x3 convolution, with its norm and activation."""

    type: Annotated[str, Word("spatial.type")] = Field(
        description=choices(
            "the layer, with the stage's norm, activation and dilation inside",
            "spatial.type",
        )
    )
    scale: Annotated[int, Field(ge=2, le=64)] | None = Field(
        default=None, description="bands of res2net, 4 in Res2Net-50 26w x 4s"
    )
    radix: Annotated[int, Field(ge=1, le=64)] | None = Field(
        default=None,
        description="convolutions that split_attention sums, 2 in ResNeSt-50",
    )
    pool: Annotated[str, Word("spatial.pool")] | None = Field(
        default=None,
        description=choices(
            "side of split_attention on which a 3x3 average pool strides",
            "spatial.pool",
        ),
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
    """Weight standardization of every convolution of stem, blocks and shortcuts, but for those
    inside attention."""

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
    """How weights start."""

    scheme: Annotated[str, Word("init.scheme")] = Field(
        default="kaiming", description=choices("whose", "init.scheme")
    )
    zero_last_norm: bool = Field(
        default=False,
        description="start each block's last norm at weight zero, so that the block "
        "starts as its shortcut (ResNet-50 of https://arxiv.org/abs/1706.02677)",
    )


class Head(Model):
    """What follows the last stage."""

    pre: HeadChain = Field(
        default=(),
        description="a chain of ops before the pool, below (a 1x1 convolution to 1280 "
        "channels, norm, activation in ResNet-33-TS)",
        examples=[[{"conv": 1, "to": 1280}, "norm", "activation"]],
    )
    pool: WordOr[Annotated[str, Word("head.pool")]] = Field(
        default="global",
        description=choices("what becomes of the last map", "head.pool")
        + "; a number is the kernel of a fixed average pool, which needs a last map of just "
        "that size (7 in the ResNet-34 of many tutorials)",
    )
    hidden: Annotated[
        tuple[WordOr[Annotated[str, Word("head.hidden")]], ...], Field(strict=False)
    ] = Field(
        default=(),
        description="what stands between pool and classifier, in order: a number is a "
        "linear layer of so many features, norm and activation are those of the network "
        "(512, norm, activation in torchreid's ResNet-50 fc512; 2048, activation, 128 and "
        "no classes in MoCo v2); the map becomes flat before the first linear layer",
    )
    classifier: Annotated[str, Word("head.classifier")] = Field(
        default="linear",
        description=choices("what makes the logits", "head.classifier"),
    )
    dropout: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="probability of dropping a feature before the classifier, or without "
        "one before the last linear layer, in training (0.2 in the first SENet-154)",
    )
    bias: bool = Field(
        default=True,
        description="whether the classifier has a bias (false in re-identification after "
        "Luo and others, https://arxiv.org/abs/1903.07071)",
    )
    classes: WordOr[Annotated[str, Word("head.classes")]] = Field(
        description="logits of the classifier (1000 in ResNet-50); none ends in the "
        "features before it",
        examples=[1000, 10, "none"],
    )


class Expect(Model):
    """Claims about this very network. An untrue one fails the build."""

    params: int | None = Field(default=None, description="learnable parameters")
    macs: int | None = Field(
        default=None,
        description="multiply-adds of convolutions and linear layers, for one image of the "
        "stated input",
    )
    features: (
        Annotated[tuple[Annotated[tuple[int, ...], Three], ...], Field(strict=False)]
        | None
    ) = Field(default=None, description="[channels, height, width] after each stage")
    output_stride: Sided[int, Annotated[str, Sides(LARGEST)]] | None = Field(
        default=None, description="pixels of the input per pixel after the last stage"
    )


class Spec(Model):
    """A residual network, as written. A field per block takes one value or one per stage."""

    name: Annotated[str, AfterValidator(class_name)] = Field(
        description="class name of the network; the file's name is the module's",
        examples=["ResNet50"],
        json_schema_extra={"pattern": f"^{CLASS_NAME}$"},
    )
    title: Line = Field(description="name for people", examples=["ResNet-50"])
    paper: Paper | None = Field(
        default=None,
        description="where the network was published",
        examples=[{"title": "ResNet", "url": "https://arxiv.org/abs/1512.03385"}],
    )
    input: Annotated[tuple[Count, ...], Three] = Field(
        description="channels, height and width of the image that shapes and costs are "
        "given for",
        examples=[[3, 224, 224]],
    )
    stem: Stem = Field(
        description="what is between the image and the first stage",
        examples=[{"type": "conv7x7", "width": 64, "pool": "max"}],
    )
    block: BlockPerStage = Field(
        description=choices("what a stage is made of", "block")
        + "; a mapping is a block of one's own, below",
        examples=["bottleneck"],
    )
    stride_on: PerBottleneck[StrideOnWord] | None = Field(
        default=None,
        description=choices("convolution that strides in a bottleneck", "stride_on")
        + "; published code disagrees, so there is no default",
    )
    expansion: PerBottleneck[Count] | None = Field(
        default=None,
        description="output channels of a bottleneck over `widths`, 4 in ResNet-50",
    )
    depths: Annotated[
        tuple[Annotated[int, Field(ge=1, le=DEEPEST)], ...],
        Field(strict=False, min_length=1, max_length=MOST_STAGES),
    ] = Field(
        description="blocks in each stage; its length is the number of stages",
        examples=[[3, 4, 6, 3]],
    )
    widths: PerStage[Count] = Field(
        description="channels inside each stage's blocks",
        examples=[[64, 128, 256, 512]],
    )
    stages: Stages | None = Field(
        default=None,
        description="a rule that gives `depths`, `widths` and `group_width`, in place of those",
        examples=[
            {
                "regnet": {
                    "w_0": 24,
                    "w_a": 36.44,
                    "w_m": 2.49,
                    "d": 13,
                    "group_width": 8,
                    "rounding": "pycls",
                }
            }
        ],
    )
    strides: PerStage[Stride] = Field(
        description="stride of each stage's first block; in an entry that is a list, of each "
        "(2x1, of height and width, in ASTER's ResNet)",
        examples=[[1, 2, 2, 2]],
    )
    dilations: PerBottleneck[Count] = Field(
        default=1,
        description="spacing of each stage's 3x3 convolutions (1, 1, 2, 4 in DeepLabV3 on "
        "ResNet-50), or a list with that of each block of the stage (DeepLab's multi-grid: "
        "1, 1, 1, [2, 4, 8])",
        examples=[[1, 1, 2, 4]],
    )
    dilation_from: DilationFromWord | None = Field(
        default=None,
        description=choices(
            "spacing of the first 3x3 of a stage with another dilation than the one before",
            "dilation_from",
        )
        + "; published code disagrees, so there is no default",
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
    group_width: PerBottleneck[Count] | None = Field(
        default=None,
        description="channels of each group of a bottleneck's 3x3, whatever its width, in "
        "place of `groups` (48 in RegNetX-3.2GF; 1 makes it depthwise)",
    )
    shortcut: ShortcutPerStage = Field(
        description=choices("what is added to a block's body", "shortcut")
        + "; a list is a chain of ops, in place of the projection",
        examples=["projection"],
    )
    preact: Preact | None = Field(
        default=None,
        description="norm and activation before each convolution of a block (ResNetV2-50, "
        "Wide ResNet-28-10); published code disagrees on the rest, so nothing in it has a "
        "default",
        examples=[{"shortcut": "activated", "stem_norm": False, "final_norm": True}],
    )
    reduce_first: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1,
        description="channels of a bottleneck's 3x3 over those of the 1x1 before it, 2 in "
        "SENet-154",
    )
    spatial: Spatial | None = Field(
        default=None,
        description="what replaces a block's first 3x3 convolution",
        examples=[{"type": "res2net", "scale": 4}],
    )
    anti_alias: Annotated[str, Word("anti_alias")] = Field(
        default="none",
        description=choices(
            "what strides in a block after its 3x3 convolution, in its place",
            "anti_alias",
        ),
    )
    blur_taps: Annotated[int, Field(ge=2, le=7)] = Field(
        default=3,
        description="weights along each side of all blurs: 3 are 1 2 1 (ResNetBlur-50), 4 "
        "are 1 3 3 1 (adobe's antialiased ResNet-50)",
    )
    attention: PerStage[AttentionWord] = Field(
        default="none",
        description=choices("what weighs the channels of a block's body", "attention"),
    )
    attention_after: Annotated[str, Word("attention_after")] = Field(
        default="last",
        description=choices("where attention comes in a bottleneck", "attention_after"),
    )
    se: SqueezeExcite = Field(
        default=SqueezeExcite(),
        description="how `attention: se` squeezes",
        examples=[{"ratio": 0.0625}],
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
        "by equal steps from 0 in the first, as timm counts; in "
        "https://arxiv.org/abs/1603.09382 the first has one step",
    )
    standardization: Standardization | None = Field(
        default=None,
        description="weight standardization of convolutions",
        examples=[{"eps": 1e-8}],
    )
    pruned: Pruned | None = Field(
        default=None,
        description="widths of every block for itself (ECA-ResNet-50-D pruned)",
    )
    conv_bias: Annotated[str, Word("conv_bias")] = Field(
        default="none",
        description=choices(
            "convolutions of stem, blocks and shortcuts that have a bias", "conv_bias"
        ),
    )
    norm: Norm = Field(
        default=Norm(), description="the normalization", examples=[{"type": "batch"}]
    )
    activation: PerStage[Activation] = Field(
        default="relu",
        description=choices(
            "the function, wherever a block has one; in the stem as in the first stage",
            "activation",
        ),
    )
    init: Init = Field(
        default=Init(),
        description="how weights start",
        examples=[{"zero_last_norm": True}],
    )
    head: Head = Field(
        description="what follows the last stage", examples=[{"classes": 1000}]
    )
    expect: Expect | None = Field(
        default=None,
        description="claims about this very network",
        examples=[{"params": 25557032}],
    )
