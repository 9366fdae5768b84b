"""What there is to choose from: what each thing is called, which fields it reads, what it
cannot go with and why.

Data, by the field that a word is written in. Validation, the schema, the rules and the docs
take it from here, and tests draw specs by the schema; `lowering` has a function for each entry.
A field that no entry of a network reads is refused in it, so an entry must name all that it
reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from resnet_spec.problems.words import article

NUMBER = "a number"  # the entry of any number, where a field takes words and numbers
OWN = "one of one's own"  # what a refusal allows of blocks and shortcuts beside words
STRIDES = "that strides"
ATTENDS = "with attention"
SQUEEZES = "with `attention: se`"
COUNTED = "without `norm.channels_per_group`"
LAYERED = "with a linear layer in `head.hidden`"
ACTIVATED = "with an activation in `head.hidden`"
ADDS = "with a shortcut"


class Read(NamedTuple):
    """That an entry reads a field: in which stages, and an example where it has no default."""

    where: str = ""
    example: str = ""


class Refusal(NamedTuple):
    """Another field that must have one of the allowed values, and why."""

    field: str
    allowed: tuple[Any, ...]
    why: str


Reads = Mapping[str, Read]


def reads(*fields: str, **others: Read) -> dict[str, Read]:
    """Fields that are read in every stage and have defaults, and others."""
    return {name: Read() for name in fields} | others


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Entry:
    """`text` says what it is, and names a published network that has it.

    `word` tells a class of blocks from its sisters, where stages of one network differ.
    """

    text: str
    reads: Reads = field(default_factory=dict)
    refuses: tuple[Refusal, ...] = ()
    word: str = ""

    def reads_as(self, preact: bool) -> Reads:  # noqa: ARG002  # blocks have two forms
        """What it reads in a network with or without pre-activation."""
        return self.reads

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """What it cannot go with."""
        return self.refuses


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BlockEntry(Entry):
    """A kind of block: `name` is its class, `noun` what people call one of them.

    After another word, as in `PreactBlock`, it is called by the `tail` of each. `preact`
    is what its pre-activation form reads; None, it has no such form. With `one_3x3`, the
    first block of a stage has the dilation of the stage before and no other.
    """

    name: str
    noun: str
    name_tail: str
    noun_tail: str
    preact: Reads | None
    one_3x3: bool = False

    def reads_as(self, preact: bool) -> Reads:
        return self.preact if preact and self.preact is not None else self.reads

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        if self.preact is not None:
            return self.refuses
        why = f"{article(self.noun)} has no such form"
        return (*self.refuses, Refusal("preact", (None,), why))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ShortcutEntry(Entry):
    """`differs` says in which stages it is another shortcut than a plain projection."""

    differs: Literal["never", "always", "changing", "striding", "repeating"] = (
        "changing"
    )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ActivationEntry(Entry):
    """`module` is its class in torch.nn, `arguments` how that is made.

    `number` is the argument that a spec must give, as `{leaky_relu: 0.1}`, since published
    code disagrees on it.
    """

    module: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    number: str = ""


class OpEntry(NamedTuple):
    """An op in a chain: what may be said of it, and whether it may stand as a bare word."""

    takes: tuple[str, ...] = ()
    alone: bool = False


# --- stems --------------------------------------------------------------------------------

STEM = {
    "stem.width": Read(example="64 in ResNet-50, 16 in ResNet-20 for CIFAR-10"),
    "stem.pool": Read(example="max halves height and width, none keeps them"),
    "stem.stride": Read(),
}
STEMS = {
    "conv7x7": Entry(text="halves height and width (ResNet-50)", reads=STEM),
    "conv3x3": Entry(
        text="keeps height and width (ResNet-20 for CIFAR-10)", reads=STEM
    ),
    "deep": Entry(
        text="halves height and width by three 3x3 convolutions of width / 2, width / 2 and "
        "width channels (ResNet-50-C)",
        reads=STEM,
    ),
    "tiered": Entry(
        text="halves height and width by three 3x3 convolutions of 3 / 8, 1 / 2 and 1 times "
        "the width (ResNet-50-T)",
        reads=STEM,
    ),
    "conv1x1": Entry(
        text="keeps height and width, and mixes channels alone (kuangliu's ResNeXt-29)",
        reads=STEM,
    ),
    "none": Entry(
        text="lets the first stage read the input itself (conv5 of ResNet-50 as a "
        "detection head on 1024 x 14 x 14 features)"
    ),
}
STEM_POOLS = {
    "max": Entry(text="a 3x3 max pool (ResNet-50)"),
    "max_ceil": Entry(
        text="a 3x3 max pool without padding that rounds up (the first SENet-154)"
    ),
    "max_zero": Entry(
        text="a 3x3 max pool padded by zeros, which can be the largest (BiT)"
    ),
    "max_blur": Entry(
        text="a 3x3 max pool that keeps the size, and a blur that strides (ResNetBlur-50)",
        reads=reads("blur_taps"),
    ),
    "max2_blur": Entry(
        text="a 2x2 max pool of stride 1, and a blur that strides (adobe's antialiased "
        "ResNet-50)",
        reads=reads("blur_taps"),
    ),
    "avg": Entry(text="a 2x2 average (ResNetAA-50)"),
    "conv": Entry(text="a strided 3x3 convolution (ResNet-RS-50)"),
    "none": Entry(text="nothing (ResNet-20)"),
}
OWN_STEMS = {
    "a chain": Entry(
        text="a chain of one's own", reads={"stem.width": STEM["stem.width"]}
    ),
    "a chain without a pool": Entry(
        text="one behind which a pool may be said",
        reads=reads("stem.pool"),
        refuses=(
            Refusal(
                "stem.pool",
                (None, *(word for word in STEM_POOLS if word != "conv")),
                "a chain has its convolutions itself",
            ),
        ),
    ),
}

# --- blocks -------------------------------------------------------------------------------

ANY_BLOCK = reads(
    "attention",
    "dilations",
    "drop_path",
    "spatial",
    "spatial.type",
    "init.zero_last_norm",
    anti_alias=Read(STRIDES),
)
POST_BLOCK = {"activation": Read(ADDS), **ANY_BLOCK}
GROUPED = ("groups", "width_per_group", "group_width")  # what says how many groups
ANY_BOTTLENECK = reads(
    *GROUPED,
    "reduce_first",
    attention_after=Read(ATTENDS),
    expansion=Read(example="4 in every published ResNet"),
    stride_on=Read(STRIDES, "conv1 for v1 (the paper), conv2 for v1.5 (torchvision)"),
)
BLOCKS = {
    "basic": BlockEntry(
        text="3x3, 3x3 (ResNet-18)",
        name="BasicBlock",
        noun="basic block",
        name_tail="Block",
        noun_tail="block",
        reads={"dropout": Read(), "se.activated": Read(SQUEEZES), **POST_BLOCK},
        preact={"dropout": Read(), **ANY_BLOCK},
    ),
    "bottleneck": BlockEntry(
        text="1x1, 3x3, 1x1 (ResNet-50)",
        name="Bottleneck",
        noun="bottleneck",
        name_tail="Bottleneck",
        noun_tail="bottleneck",
        reads={
            "pruned": Read(),
            "pruned.*": Read(),
            **POST_BLOCK,
            **ANY_BOTTLENECK,
        },
        preact={**ANY_BLOCK, **ANY_BOTTLENECK},
        one_3x3=True,
    ),
}
STRIDE_ON = {
    "conv1": Entry(text="the first 1x1, is v1 (the paper, Caffe, Keras)", word="v1"),
    "conv2": Entry(text="the 3x3, is v1.5 (torchvision)"),
}
SHORTCUTS = {
    "projection": ShortcutEntry(
        text="a 1x1 convolution where the shape changes, else the input (option B, "
        "ResNet-50)",
        differs="never",
    ),
    "projection_always": ShortcutEntry(
        text="a 1x1 convolution in every block (option C)",
        differs="repeating",
        word="projected",
    ),
    "projection3x3": ShortcutEntry(
        text="a convolution where the shape changes, 3x3 where that strides (SENet-154)",
        differs="striding",
        word="convolved",
    ),
    "avg_projection": ShortcutEntry(
        text="an average pool before a 1x1 without stride (ResNet-50-D)",
        word="averaged",
    ),
    "avg_floor_projection": ShortcutEntry(
        text="an average pool that rounds down before a 1x1 without stride (CLIP's ResNet-50)",
        word="averaged_down",
    ),
    "blur_projection": ShortcutEntry(
        text="a blur before a 1x1 without stride (adobe's antialiased ResNet-50)",
        reads={"blur_taps": Read(STRIDES)},
        word="blurred",
    ),
    "zero_pad_after": ShortcutEntry(
        text="every stride-th pixel, and channels of zeros after the input's (option A, "
        "ResNet-20 of fb.resnet.torch)",
        word="padded",
    ),
    "zero_pad_around": ShortcutEntry(
        text="every stride-th pixel, and channels of zeros, half of those before the input's "
        "(ResNet-20 of "
        "akamaster's pytorch_resnet_cifar10)",
        word="padded_around",
    ),
    "none": ShortcutEntry(text="nothing (plain networks)", differs="always"),
    "identity": ShortcutEntry(
        text="the input itself, in blocks that keep the shape (EDSR)", word="identity"
    ),
    "identity_or_none": ShortcutEntry(
        text="the input itself where the shape stays, and nothing elsewhere (RegNetZ-4.0GF)",
        word="or_none",
    ),
}

# --- inside blocks ------------------------------------------------------------------------

OWN_NORMS = (
    Refusal("norm.eps", (1e-5,), "its own norms have torch's"),
    Refusal("norm.momentum", (0.1,), "its own norms have torch's"),
)
OWN_NORM = (
    Refusal("norm.type", ("batch",), "it has a batch norm of its own"),
    Refusal("norm.eps", (1e-5,), "its own norm has torch's"),
    Refusal("norm.momentum", (0.1,), "its own norm has 0.01, as published"),
)
ATTENTIONS = {
    "none": Entry(text="nothing"),
    "se": Entry(
        text="squeeze-and-excitation (SE-ResNet-50)",
        reads=reads(
            "se.ratio",
            "se.ratio_of",
            "se.divisor",
            "se.least",
            "se.activation",
            "se.bias",
        ),
        word="se",
    ),
    "eca": Entry(text="efficient channel attention (ECA-ResNet-50-D)", word="eca"),
    "cbam": Entry(
        text="attention to channels by a sixteenth of them, then to pixels by a 7x7 "
        "convolution (CBAM's ResNet-50)",
        refuses=OWN_NORM,
        word="cbam",
    ),
    "bat": Entry(
        text="bilinear attention of rows and columns in 8 parts each, by a quarter of the "
        "channels, on maps whose sides are multiples of 8 (BAT-ResNeXt-26-TS)",
        refuses=(
            Refusal("norm.type", ("batch",), "it has batch norms of its own"),
            *OWN_NORMS,
        ),
        word="bat",
    ),
    "gca": Entry(
        text="global context, which adds what two 1x1 convolutions make of a weighted mean "
        "(GC-ResNet-50-T)",
        word="gca",
    ),
}
SE_RATIO_OF = {
    "attended": Entry(text="channels that the attention weighs (SE-ResNet-50)"),
    "input": Entry(
        text="channels that the block reads, halves rounded to even (RegNetY-200MF)"
    ),
}
ATTENTION_AFTER = {
    "last": Entry(text="after the block's last norm (SE-ResNet-50)"),
    "conv2": Entry(text="after the block's 3x3 (SE-ResNeXt-26-TS)"),
}
OWN_CONVOLUTIONS = (
    *OWN_NORMS,
    Refusal(
        "norm.channels_per_group",
        (None,),
        "its norms are of several widths, and one number of groups is theirs",
    ),
)
WITHOUT_WEIGHTS = Refusal(
    "activation",
    ("relu", "silu", "leaky_relu", "relu6", "elu", "gelu", "mish", "hardswish"),
    "its slopes are one for each channel, and the layer activates maps of several widths",
)
NORMED = ("batch", "frozen", "group", "evonorm_s0", "evonorm_s0a", "layer", "none")
OF_MAPS = (*NORMED, "frn", "instance", "instance_affine")
BANDS = Refusal(
    "norm.type", OF_MAPS, "those of IBN-Net are of convolutions by themselves"
)
CHOOSES = Refusal(
    "norm.type",
    NORMED,
    "it weighs by means of channels, of which frn leaves the sign and instance norms nothing, "
    "and IBN-Net has no place for it",
)
SAME_CHANNELS = (
    Refusal(
        "block",
        ("bottleneck", OWN),
        "it gives as many channels as it reads, and the first 3x3 of other blocks need not",
    ),
    Refusal("reduce_first", (1,), "it gives as many channels as it reads"),
    *OWN_CONVOLUTIONS,
)
SPATIAL = {
    "res2net": Entry(
        text="bands of channels that read one another (Res2Net-50)",
        reads={"spatial.scale": Read(example="4 in Res2Net-50 26w x 4s")},
        refuses=(BANDS, WITHOUT_WEIGHTS, *SAME_CHANNELS),
    ),
    "selective_kernel": Entry(
        text="a choice between the stage's dilation and twice that (SKNet-50)",
        reads={
            "spatial.ratio": Read(example="0.0625 in SKNet-50"),
            "spatial.divisor": Read(example="8 in timm's SKNet-50"),
            "spatial.split": Read(
                example="true in timm's SKNet-50, false in SKNeXt-50"
            ),
        },
        refuses=(
            Refusal(
                "anti_alias",
                ("none",),
                "timm pools each of its paths before it chooses, and a pool behind the choice "
                "is another network",
            ),
            CHOOSES,
            WITHOUT_WEIGHTS,
            *OWN_CONVOLUTIONS,
        ),
    ),
    "split_attention": Entry(
        text="a weighted sum of several convolutions (ResNeSt-50)",
        reads={
            "spatial.radix": Read(example="2 in ResNeSt-50"),
            "spatial.pool": Read(example="after in ResNeSt-50"),
        },
        refuses=(
            Refusal(
                "anti_alias",
                ("none",),
                "the pool that `spatial.pool` names strides as well, and a block strides once",
            ),
            Refusal(
                "stride_on",
                ("conv2",),
                "the pool that `spatial.pool` names strides, in place of the 3x3",
            ),
            CHOOSES,
            WITHOUT_WEIGHTS,
            *SAME_CHANNELS,
        ),
    ),
}
SPATIAL_POOLS = {
    "after": Entry(text="(ResNeSt-50)"),
    "before": Entry(text="(ResNeSt-50 1s4x24d)"),
}
POOL_AFTER_CONV2 = Refusal(
    "stride_on",
    ("conv2",),
    "the pool strides behind the 3x3; one behind the 1x1 would be another network",
)
ANTI_ALIAS = {
    "none": Entry(text="nothing"),
    "avg": Entry(text="an average (ResNetAA-50)", refuses=(POOL_AFTER_CONV2,)),
    "blur": Entry(
        text="a fixed blur (ResNetBlur-50)",
        reads=reads("blur_taps"),
        refuses=(
            POOL_AFTER_CONV2,
            Refusal("strides", (1, 2), "the blur takes every second pixel"),
        ),
    ),
    "avg_floor": Entry(
        text="an average that rounds down (CLIP's ResNet-50)",
        refuses=(POOL_AFTER_CONV2,),
    ),
}

UNBIASED = Refusal("spatial", (None,), "its convolutions have no biases")
CONV_BIASES = {
    "none": Entry(text="no convolution (torchvision)"),
    "all": Entry(
        text="every convolution (Keras's ResNet50)",
        refuses=(UNBIASED,),
    ),
    "projection": Entry(text="convolutions of projections (MONAI)"),
    "unnormalized": Entry(
        text="convolutions that no norm follows: stem, last of a block and projection where "
        "`preact` is there (Keras's ResNet50V2)",
        refuses=(UNBIASED,),
    ),
}

# --- norms and activations ----------------------------------------------------------------

NO_WEIGHT = (Refusal("init.zero_last_norm", (False,), "it has no weight"),)
NORMS = {
    "batch": Entry(
        text="batch normalization (ResNet-50)",
        reads=reads("norm.eps", "norm.momentum", "activation"),
    ),
    "frozen": Entry(
        text="batch normalization whose statistics and weights do not learn (backbones of "
        "detectors)",
        reads=reads("norm.eps", "activation"),
        refuses=(
            Refusal(
                "init.zero_last_norm", (False,), "a frozen norm would stay at zero"
            ),
        ),
        word="frozen",
    ),
    "group": Entry(
        text="group normalization (ResNet-50 GN)",
        reads={
            "norm.groups": Read(COUNTED, "32 in ResNet-50 GN"),
            **reads("norm.channels_per_group", "norm.eps", "activation"),
        },
        word="group",
    ),
    "evonorm_s0": Entry(
        text="EvoNorm-S0, its own activation, and a weight and a bias alone where none "
        "follows, as before a sum (ResNetV2-50-D EvoS)",
        reads={
            "norm.groups": Read(COUNTED, "32 in ResNetV2-50-D EvoS"),
            **reads("norm.channels_per_group", "norm.eps"),
            "activation": Read(ACTIVATED),
        },
        word="evonorm_s0",
    ),
    "evonorm_s0a": Entry(
        text="EvoNorm-S0, its own activation, which alone is left out where none follows "
        "(RegNetZ-B16 EvoS)",
        reads={
            "norm.groups": Read(COUNTED, "32 in timm's default"),
            **reads("norm.channels_per_group", "norm.eps"),
            "activation": Read(ACTIVATED),
        },
        word="evonorm_s0a",
    ),
    "frn": Entry(
        text="filter response normalization, its own activation, and without a threshold "
        "where none follows, as before a sum (ResNetV2-50-D FRN)",
        reads=reads("norm.eps", activation=Read(ACTIVATED)),
        word="frn",
    ),
    "instance": Entry(
        text="instance normalization as torch has it by default, without a weight and a bias",
        reads=reads("norm.eps", "activation"),
        refuses=NO_WEIGHT,
        word="instance",
    ),
    "instance_affine": Entry(
        text="instance normalization with a weight and a bias for each channel (the stem of "
        "IBN-Net-b)",
        reads=reads("norm.eps", "activation"),
        word="instance_affine",
    ),
    "layer": Entry(
        text="layer normalization of each pixel's channels (ConvNeXt)",
        reads=reads("norm.eps", "activation"),
        word="layer",
    ),
    "ibn_a": Entry(
        text="in each block's first norm half of the channels by instance_affine, the rest by "
        "batch, which is all other norms (stages 1 to 3 of IBN-Net-a)",
        reads=reads("norm.eps", "norm.momentum", "activation"),
        word="ibn_a",
    ),
    "ibn_b": Entry(
        text="batch, and instance_affine in the stem and after the sum of each stage's last "
        "block (stages 1 and 2 of IBN-Net-b)",
        reads=reads("norm.eps", "norm.momentum", "activation"),
        refuses=(
            Refusal(
                "preact",
                (None,),
                "it normalizes a sum before its activation, which other blocks have none of",
            ),
            Refusal(
                "block",
                ("basic", "bottleneck"),
                "a block of one's own says what follows its sum",
            ),
        ),
        word="ibn_b",
    ),
    "none": Entry(
        text="nothing (EDSR, Fixup)",
        reads=reads("activation"),
        refuses=NO_WEIGHT,
        word="unnormalized",
    ),
}
ACTIVATIONS = {
    "relu": ActivationEntry(
        text="(ResNet-50)", module="ReLU", arguments={"inplace": True}
    ),
    "silu": ActivationEntry(
        text="(SE-ResNet-33-TS)",
        module="SiLU",
        arguments={"inplace": True},
        word="silu",
    ),
    "prelu": ActivationEntry(
        text="a slope for each channel, which learns (insightface's IR-ResNets)",
        module="PReLU",
        word="prelu",
    ),
    "leaky_relu": ActivationEntry(
        text="negative numbers by a slope, as {leaky_relu: 0.1} (the Wide ResNets of FixMatch)",
        module="LeakyReLU",
        arguments={"inplace": True},
        number="negative_slope",
        word="leaky_relu",
    ),
    "relu6": ActivationEntry(
        text="(MobileNetV2)", module="ReLU6", arguments={"inplace": True}, word="relu6"
    ),
    "elu": ActivationEntry(
        text="(the ResNets of https://arxiv.org/abs/1604.04112)",
        module="ELU",
        arguments={"inplace": True},
        word="elu",
    ),
    "gelu": ActivationEntry(
        text="the exact one, by erf (ConvNeXt)", module="GELU", word="gelu"
    ),
    "mish": ActivationEntry(
        text="(fastai's xresnets with act_cls=Mish)",
        module="Mish",
        arguments={"inplace": True},
        word="mish",
    ),
    "hardswish": ActivationEntry(
        text="(MobileNetV3)",
        module="Hardswish",
        arguments={"inplace": True},
        word="hardswish",
    ),
}
# Those without a number and without weights, which stand inside of layers.
BY_NAME = tuple(w for w in WITHOUT_WEIGHTS.allowed if not ACTIVATIONS[w].number)

# --- the end, and the start ---------------------------------------------------------------

HEAD_POOLS = {
    "global": Entry(text="averages over any map (ResNet-50 today)"),
    "max": Entry(text="takes the largest value of the map (re-identification)"),
    "avg_max": Entry(
        text="half of the average and half of the largest value (timm's avgmax)"
    ),
    "statistics": Entry(
        text="mean and standard deviation along the width, of each channel and row "
        "(wespeaker's ResNet-34)"
    ),
    "attention": Entry(
        text="what the average of all pixels finds among them by attention, for maps of the "
        "one size that `input` gives (CLIP's ResNet-50)"
    ),
    "none": Entry(text="keeps every pixel as a feature (insightface's IR-ResNets)"),
}
FLAT_POOLS = ("statistics", "attention")  # which give features
WHOLE_POOLS = ("global", "max", "avg_max")  # of a map of any size, to one pixel
HIDDEN = {
    NUMBER: Entry(text="a linear layer of so many features"),
    "norm": Entry(text="the norm"),
    "activation": Entry(text="the activation"),
}
CLASSES = {
    NUMBER: Entry(
        text="logits of the classifier",
        reads=reads("head.classifier", "head.bias", "head.dropout"),
    ),
    "none": Entry(
        text="ends in the features before the classifier",
        reads={"head.dropout": Read(LAYERED)},
    ),
}
CLASSIFIERS = {
    "linear": Entry(text="a linear layer (ResNet-50)"),
    "conv": Entry(
        text="a 1x1 convolution (BiT)",
        refuses=(Refusal("head.pool", WHOLE_POOLS, "it reads a map of one pixel"),),
    ),
}
SCHEMES = {
    "kaiming": Entry(
        text="Kaiming normal of fan-out for convolutions, the rest as torch has it "
        "(torchvision's ResNets; timm's, with zero_last_norm)"
    ),
    "bit": Entry(
        text="as kaiming, biases of convolutions 0, the classifier normal of 0.01 with "
        "bias 0 (timm's resnetv2.py)"
    ),
    "regnet": Entry(text="as bit, with a fan-out over groups (timm's RegNets)"),
}

# --- chains of one's own ------------------------------------------------------------------

STEPS = {
    "conv": OpEntry(takes=("to", "stride", "groups", "dilation", "bias")),
    "norm": OpEntry(alone=True),
    "activation": OpEntry(alone=True),
    "attention": OpEntry(alone=True),
    "dropout": OpEntry(alone=True),
    "spatial": OpEntry(alone=True),
    "pool": OpEntry(takes=("kernel", "stride")),
    "blur": OpEntry(takes=("stride",)),
    "pad": OpEntry(takes=("stride",)),
    "space_to_depth": OpEntry(),
    "scale": OpEntry(),
    "scalar_multiplier": OpEntry(),
    "scalar_bias": OpEntry(),
}
"""The ops of a chain. A word alone is what the field of its name says."""
ANY_CHAIN = reads("expansion", "drop_path")
# --- where published code disagrees, beside stride_on -------------------------------------

DILATION_FROM = {
    "previous": Entry(text="the dilation of the stage before (torchvision, timm)"),
    "own": Entry(
        text="the dilation of its own stage (detectron2, PSPNet, segmentation_models_pytorch, "
        "and OpenMMLab's bottlenecks)"
    ),
}
PREACT_SHORTCUT = {
    "activated": Entry(
        text="what the block's first norm and activation make of its input (timm's "
        "ResNetV2-50, kuangliu's pytorch-cifar, Wide ResNet-28-10)"
    ),
    "raw": Entry(text="the input itself (bearpaw's pytorch-classification)"),
    "always_activated": Entry(
        text="in every block what norm and activation make of its input, also where the shape "
        "stays (RegNetV-4.0GF)"
    ),
}
PREACT_FIRST = {
    "own": Entry(
        text="the input itself (timm's ResNetV2-18, kuangliu's pytorch-cifar)"
    ),
    "shared": Entry(
        text="what norm and activation make of the input, as the body reads it (hysts' "
        "pytorch_image_classification)"
    ),
}

CATALOG: Mapping[str, Mapping[str, Entry]] = {
    "block": BLOCKS,
    "stem.type": STEMS,
    "stem.pool": STEM_POOLS,
    "stride_on": STRIDE_ON,
    "shortcut": SHORTCUTS,
    "attention": ATTENTIONS,
    "attention_after": ATTENTION_AFTER,
    "se.ratio_of": SE_RATIO_OF,
    "spatial.type": SPATIAL,
    "spatial.pool": SPATIAL_POOLS,
    "anti_alias": ANTI_ALIAS,
    "conv_bias": CONV_BIASES,
    "norm.type": NORMS,
    "activation": ACTIVATIONS,
    "init.scheme": SCHEMES,
    "head.pre": {},  # chains alone
    "head.pool": HEAD_POOLS,
    "head.hidden": HIDDEN,
    "head.classes": CLASSES,
    "head.classifier": CLASSIFIERS,
    "dilation_from": DILATION_FROM,
    "preact.shortcut": PREACT_SHORTCUT,
    "preact.first": PREACT_FIRST,
}


def words(field: str) -> list[str]:
    """The words that a field takes by themselves."""
    return [
        word for word, entry in CATALOG[field].items() if not needs_number(word, entry)
    ]


def needs_number(word: str, entry: Entry) -> bool:
    """Whether a spec gives the entry a number, or is one."""
    return word == NUMBER or bool(isinstance(entry, ActivationEntry) and entry.number)


# --- options that are on or off -----------------------------------------------------------

ADDS_TO_A_SHORTCUT = (*(name for name in SHORTCUTS if name != "none"), OWN)
ALWAYS_ADDS = tuple(name for name in ADDS_TO_A_SHORTCUT if name != "identity_or_none")
OWN_WIDTHS = "each block has widths of its own"
OPTIONS = {
    "drop_path": Entry(
        text="a block without its body",
        refuses=(
            Refusal(
                "shortcut",
                ALWAYS_ADDS,
                "nothing would be left of a block without a shortcut",
            ),
        ),
    ),
    "init.zero_last_norm": Entry(
        text="blocks that start as their shortcut",
        refuses=(
            Refusal(
                "shortcut",
                ADDS_TO_A_SHORTCUT,
                "a block without a shortcut would give zero and never learn",
            ),
        ),
    ),
    "preact": Entry(
        text="norms before convolutions",
        refuses=(
            Refusal(
                "init.zero_last_norm",
                (False,),
                "the last norm of its blocks is before an activation, and a relu passes no "
                "gradient at zero, so that they would never learn",
            ),
        ),
    ),
    "standardization": Entry(text="standardized weights"),
    "group_width": Entry(
        text="groups of so many channels",
        refuses=(
            Refusal("groups", (1,), "both say how many groups there are"),
            Refusal("width_per_group", (None,), "it is that of `groups`"),
            Refusal("reduce_first", (1,), "the 3x3 reads fewer channels than it gives"),
            Refusal(
                "spatial",
                (None,),
                "the channels of its layers are not those of one 3x3",
            ),
        ),
    ),
    "stages": Entry(
        text="widths by a rule",
        refuses=(
            Refusal(
                "expansion",
                (1, None),
                "its widths are what blocks give; inner ones that differ are said by lists",
            ),
        ),
    ),
    "pruned": Entry(
        text="widths of every block",
        refuses=(
            Refusal(
                "attention", ("eca",), "`widths` is then read for its kernels alone"
            ),
            Refusal("block", ("bottleneck",), "it has three widths for each block"),
            Refusal("spatial", (None,), OWN_WIDTHS),
            Refusal("reduce_first", (1,), OWN_WIDTHS),
            Refusal("groups", (1,), OWN_WIDTHS),
            Refusal("width_per_group", (None,), OWN_WIDTHS),
            Refusal("group_width", (None,), OWN_WIDTHS),
            Refusal(
                "shortcut",
                tuple(
                    name for name in SHORTCUTS if "zero" not in name and name != "none"
                ),
                "channels may become fewer, which only a projection can do",
            ),
        ),
    ),
}
