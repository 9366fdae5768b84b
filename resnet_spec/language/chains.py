"""Blocks, shortcuts and stems of one's own: chains of ops, as a spec writes them.

`{conv: 3, stride: block}` is an op and what is said of it; a word alone, as `norm`, is that of
the network. The catalog has what each op takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import AfterValidator, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from resnet_spec.catalog import (
    ANY_CHAIN,
    CATALOG,
    GROUPED,
    NUMBER,
    OWN_STEMS,
    STEPS,
    BlockEntry,
    Entry,
    Read,
    ShortcutEntry,
    reads,
)
from resnet_spec.language.values import (
    Activation,
    BlockWord,
    Count,
    LeakyReLU,
    Model,
    OneOf,
    ShortcutWord,
    Sided,
    Sides,
    Word,
    WordOr,
    class_name,
)
from resnet_spec.problems.words import either

T = TypeVar("T")
BASES = ("in", "width", "out")
LONGEST = 40  # ops in a chain
NORMS_ALONE = tuple(w for w in CATALOG["norm.type"] if w not in ("none", "ibn_b"))
LARGEST_FACTOR = 100  # beyond any that was published, and finite
ALONE = tuple(word for word, entry in STEPS.items() if entry.alone)


class Formula(NamedTuple):
    """Channels as an op says them: `width`, `width * 4`, `out / 2`, `width * 3 / 8`.

    Without a base, a number.
    """

    base: str
    times: int = 1
    over: int = 1


class _Channels(NamedTuple):
    """Channels as a formula of one of those bases."""

    bases: tuple[str, ...]

    def __call__(self, text: str) -> str:
        number = "[1-9][0-9]{0,3}"
        bases = "|".join(self.bases)
        if re.fullmatch(rf"({bases})( \* {number})?( / {number})?", text):
            return text
        message = (
            f"must be {either(self.bases)}, or one of them as in {self.bases[-1]} / 2"
        )
        if len(self.bases) == 1:
            message = "must be a number, in, or a part of it such as in / 2"
        raise PydanticCustomError("channels", message)


def _odd(kernel: int) -> int:
    if kernel % 2 == 0:
        message = "must be odd, for an even kernel has no middle and moves the map"
        raise PydanticCustomError("even_kernel", message)
    return kernel


Kernel = Annotated[int, Field(ge=1, le=31), AfterValidator(_odd)]
OfBlock = Annotated[int | str, OneOf(("block",))]
Start = Annotated[float, Field(ge=-LARGEST_FACTOR, le=LARGEST_FACTOR)]
Channels = Annotated[str, AfterValidator(_Channels(BASES))]
OfStem = Annotated[str, AfterValidator(_Channels(BASES[:2]))]
OfHead = Annotated[str, AfterValidator(_Channels(BASES[:1]))]


class Step(Model):
    """One op: what it is, and what is said of it."""

    conv: Kernel | None = Field(
        default=None, description="a convolution, of that kernel"
    )
    pool: Annotated[str, OneOf(("avg", "max"))] | None = Field(
        default=None,
        description="a pool: avg or max, of the stride, or of the kernel that is said",
    )
    blur: Annotated[int, Field(ge=2, le=7)] | None = Field(
        default=None,
        description="a blur by that many fixed weights along each side, as `blur_taps` has "
        "them",
    )
    pad: Channels | None = Field(
        default=None,
        description="every stride-th pixel, and channels of zeros behind, up to so many",
    )
    norm: Annotated[str, OneOf(NORMS_ALONE)] | None = Field(
        default=None, description="a norm of another kind than the network's"
    )
    activation: Activation | None = Field(
        default=None, description="an activation other than the stage's"
    )
    scale: Annotated[float, Field(gt=0, le=LARGEST_FACTOR)] | None = Field(
        default=None,
        description="a fixed number that the map is multiplied by (0.1 in EDSR's residuals)",
    )
    scalar_multiplier: Start | None = Field(
        default=None,
        description="one number that learns, and that the map is multiplied by; where it "
        "starts, 1 in Fixup, 0 in SkipInit",
    )
    scalar_bias: Start | None = Field(
        default=None,
        description="one number that learns, and that is added to the map; where it starts, "
        "0 in Fixup",
    )
    to: Channels | None = Field(
        default=None,
        description="channels that it gives: in, width or out, or one of them as in width "
        "* 4; out for the last convolution of a body and for those of a shortcut, else width",
    )
    kernel: Kernel | None = Field(
        default=None, description="side of a pool's window, padded to keep the size"
    )
    stride: OfBlock | None = Field(
        default=None, description="block: it strides as the block does"
    )
    groups: WordOr[Annotated[str, OneOf(("each", "block"))]] = Field(
        default=1,
        description="groups of a convolution: a number; each, one for each channel that "
        "it reads (depthwise); block, what `groups` says",
    )
    dilation: WordOr[OfBlock] = Field(
        default=1,
        description="spacing of a convolution: a number, or block for that of `dilations`",
    )
    bias: bool = Field(default=False, description="a convolution with biases")

    @property
    def op(self) -> str:
        """What it is; empty where nothing says it."""
        return next((op for op in STEPS if getattr(self, op, None) is not None), "")

    @property
    def depthwise(self) -> bool:
        return self.groups == "each"

    @property
    def strides(self) -> bool:
        return self.stride not in (None, 1)

    @property
    def channels(self) -> Formula | None:
        """What it makes of the channels; None for nothing."""
        text = self.to or self.pad
        if isinstance(text, int):
            return Formula("", text)
        if text:
            base, *more = text.split()
            by = dict(zip(more[::2], map(int, more[1::2]), strict=True))
            return Formula(base, by.get("*", 1), by.get("/", 1))
        return None


class StemStep(Step):
    """One op of a stem, where nothing is a block's."""

    pad: OfStem | None = Field(
        default=None, description=Step.model_fields["pad"].description
    )
    to: OfStem | None = Field(
        default=None,
        description="channels that it gives: in, those of the image, or width, or one of "
        "them as in width * 3 / 8; width where nothing is said",
    )
    space_to_depth: Annotated[int, Field(ge=2, le=8)] | None = Field(
        default=None,
        description="the pixels of each square of that side as channels, by row, column and "
        "channel; the sides of the map must be multiples of it (4 in TResNet-M)",
    )
    stride: Sided[Annotated[int, Field(ge=1, le=8)], Annotated[str, Sides(8)]] = Field(
        default=1, description="by how much it strides"
    )
    groups: WordOr[Annotated[str, OneOf(("each",))]] = Field(
        default=1, description="groups of a convolution: a number, or each"
    )
    dilation: Count = Field(default=1, description="spacing of a convolution")


class HeadStep(StemStep):
    """One op before the head's pool, where channels are said by number."""

    pad: WordOr[OfHead] | None = Field(  # type: ignore[assignment]  # numbers, too
        default=None, description=Step.model_fields["pad"].description
    )
    to: WordOr[OfHead] | None = Field(  # type: ignore[assignment]  # numbers, too
        default=None,
        description="channels that it gives: a number, or in, those that the last stage gives, "
        "or part of it as in / 2; in where nothing is said",
    )


def _word_or_step(value: Any) -> str:
    return "<step>" if isinstance(value, (dict, Step)) else "<op>"


Chain = Annotated[
    tuple[
        Annotated[
            Annotated[str, OneOf(ALONE), Tag("<op>")] | Annotated[Step, Tag("<step>")],
            Discriminator(_word_or_step),
        ],
        ...,
    ],
    Field(strict=False, max_length=LONGEST),
]
Steps = tuple[str | Step, ...]


def _giving(steps: Steps, last: str) -> Steps:
    """The chain with the channels of every convolution said, `last` for the last of them."""
    convolutions = [
        i
        for i, s in enumerate(steps)
        if isinstance(s, Step) and s.conv and not s.depthwise
    ]

    def said(i: int, step: str | Step) -> str | Step:
        if not isinstance(step, Step) or i not in convolutions or step.to:
            return step
        to = last if i == convolutions[-1] else "width"
        return step.model_copy(update={"to": to})

    return tuple(said(i, step) for i, step in enumerate(steps))


class OwnBlock(Model):
    """A block of one's own: post(body(pre(x)) + shortcut). A shortcut's ops read pre(x)."""

    name: Annotated[str, AfterValidator(class_name)] = Field(
        description="class name of the block", examples=["InvertedBlock"]
    )
    pre: Annotated[Chain, AfterValidator(lambda c: _giving(c, "in"))] = Field(
        default=(), description="ops before body and shortcut, which both read them"
    )
    body: Annotated[
        Chain, Field(min_length=1), AfterValidator(lambda c: _giving(c, "out"))
    ] = Field(
        description="ops that the shortcut is added to",
        examples=[[{"conv": 3, "stride": "block"}, "norm"]],
    )
    post: Annotated[Chain, AfterValidator(lambda c: _giving(c, "out"))] = Field(
        default=("activation",), description="ops after the sum"
    )

    @property
    def noun(self) -> str:
        """What people call one: `inverted block`, `IR block`, `ConvNeXt block`."""
        words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*", self.name)
        if any(len(word) < 3 and not word.isupper() for word in words):
            return self.name.replace("Block", " block")
        return " ".join(w if len(w) > 1 and w.isupper() else w.lower() for w in words)


# --- beside the words of the catalog ------------------------------------------------------


def _word_or_block(value: Any) -> str:
    return "<own>" if isinstance(value, (dict, OwnBlock)) else "<block>"


def _word_or_chain(value: Any) -> str:
    return "<chain>" if isinstance(value, (list, tuple)) else "<called>"


def is_chain(value: Any) -> bool:
    """Whether a list is one chain of ops, and not a list of each stage's shortcut."""
    return isinstance(value, (list, tuple)) and any(map(_is_step, value))


def _is_step(value: Any) -> bool:
    if isinstance(value, dict):
        return not {"name", "body"} & value.keys()
    return isinstance(value, Step) or (isinstance(value, str) and value in ALONE)


def _chain_or_each(value: Any) -> str:
    each = isinstance(value, (list, tuple)) and not is_chain(value)
    return "<each>" if each else "<one>"


BlockOrWord = Annotated[
    Annotated[BlockWord, Tag("<block>")] | Annotated[OwnBlock, Tag("<own>")],
    Discriminator(_word_or_block),
]
_Shortcut = Annotated[
    Annotated[ShortcutWord, Tag("<called>")]
    | Annotated[
        Annotated[
            Chain, Field(min_length=1), AfterValidator(lambda c: _giving(c, "out"))
        ],
        Tag("<chain>"),
    ],
    Discriminator(_word_or_chain),
]
_OneOrEach = Annotated[
    Annotated[T, Tag("<one>")]
    | Annotated[tuple[T, ...], Field(strict=False), Tag("<each>")],
    Discriminator(_chain_or_each),
]
_PerStage = Annotated[
    Annotated[T, Tag("<one>")]
    | Annotated[tuple[_OneOrEach[T], ...], Field(strict=False), Tag("<each>")],
    Discriminator(_chain_or_each),
]
BlockPerStage = _PerStage[BlockOrWord]
ShortcutPerStage = _PerStage[_Shortcut]
S = TypeVar("S", bound=Step)
_OutsideBlocks = Annotated[
    tuple[
        Annotated[
            Annotated[str, OneOf(("norm", "activation")), Tag("<op>")]
            | Annotated[S, Tag("<step>")],
            Discriminator(_word_or_step),
        ],
        ...,
    ],
    Field(strict=False, max_length=LONGEST),
]
StemType = Annotated[
    Annotated[str, Word("stem.type"), Tag("<called>")]
    | Annotated[
        _OutsideBlocks[StemStep],
        Field(min_length=1),
        AfterValidator(lambda c: _giving(c, "width")),
        Tag("<chain>"),
    ],
    Discriminator(_word_or_chain),
]
HeadChain = _OutsideBlocks[HeadStep]


def entry_of(field: str, value: Any) -> Entry | None:
    """The entry of a word or number of a field, or of a block or chain of one's own."""
    if isinstance(value, OwnBlock):
        return _block(value)
    if isinstance(value, tuple):
        return CHAINS[field](value)
    if isinstance(value, LeakyReLU):
        return CATALOG[field]["leaky_relu"]
    return CATALOG[field].get(NUMBER if isinstance(value, int) else value)


def steps_of(steps: Steps) -> Iterator[Step]:
    """The ops with something said of them."""
    return (step for step in steps if isinstance(step, Step))


@lru_cache(maxsize=64)
def _block(block: OwnBlock) -> BlockEntry:
    """What a block of one's own is called, and which fields it reads."""
    read = {**ANY_CHAIN, **_read(block.pre, block.body, block.post)}
    if _ends_in_norm(block.body):
        read |= reads("init.zero_last_norm")
    return BlockEntry(
        text=block.noun,
        name=block.name,
        noun=block.noun,
        name_tail=block.name,
        noun_tail=block.noun,
        reads=read,
        preact=read,
    )


@lru_cache(maxsize=64)
def _shortcut(chain: Steps) -> ShortcutEntry:
    return ShortcutEntry(text="a chain of one's own", reads=_read(chain), word="own")


@lru_cache(maxsize=64)
def _stem(chain: Steps) -> Entry:
    """What a stem of one's own reads; with a pool of its own, no other one."""
    whole, pooled = OWN_STEMS.values()
    entry = replace(whole, reads={**whole.reads, **_read(chain)})
    if any(step.op in ("pool", "blur") for step in steps_of(chain)):
        return entry
    return replace(entry, reads={**entry.reads, **pooled.reads}, refuses=pooled.refuses)


@lru_cache(maxsize=64)
def _head(chain: Steps) -> Entry:
    return Entry(text="a chain of one's own", reads=_read(chain))


CHAINS = {
    "stem.type": _stem,
    "shortcut": _shortcut,
    "head.pre": _head,
    "head.hidden": _head,
}
"""The entry of a chain, by the field that it is written in."""


def _read(*chains: Steps) -> dict[str, Read]:
    """The fields that chains read: those of their words, and where an op says `block`.

    An activation right behind a norm is read where the norm is not its own.
    """
    pairs = [pair for chain in chains for pair in pairwise(("", *chain))]
    words = [word for _, word in pairs if word in ("attention", "dropout")]
    alone = any(b == "activation" and a != "norm" for a, b in pairs)
    found = reads(*map(str, words), *["activation"] * alone)
    if any(word == "spatial" for _, word in pairs):
        found |= reads("spatial", "spatial.type", *GROUPED)
    for step in steps_of(tuple(step for _, step in pairs)):
        if step.norm:
            found |= CATALOG["norm.type"][step.norm].reads
        if step.dilation == "block":
            found |= reads("dilations")
        if step.groups == "block":
            found |= reads(*GROUPED)
    return found


def _ends_in_norm(body: Steps) -> bool:
    """Whether the network's norm is behind the last convolution, so that it can be zero."""
    convs = [i for i, step in enumerate(body) if isinstance(step, Step) and step.conv]
    return bool(convs) and "norm" in body[convs[-1] :]
