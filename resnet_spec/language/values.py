"""What fields are made of: numbers, text, words of the catalog, one value or one per stage."""

import keyword
import re
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError, core_schema

from resnet_spec.catalog import CATALOG, NUMBER, words

T = TypeVar("T")
U = TypeVar("U")

CLASS_NAME = "[A-Z][A-Za-z0-9]{0,59}"
PAIR = "[1-9][0-9]{0,4}x[1-9][0-9]{0,4}"
LARGEST = 65536  # channels, pixels or classes: beyond any network, and finite


@dataclass(frozen=True)
class OneOf:
    """One of these words."""

    legal: tuple[str, ...]

    def __get_pydantic_core_schema__(self, _: Any, __: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self._known)

    def __get_pydantic_json_schema__(self, _: Any, __: Any) -> dict[str, Any]:
        return {"type": "string", "enum": [*self.legal]}

    def _known(self, value: Any) -> str:
        if not isinstance(value, str) or value not in self.legal:
            legal = [*self.legal]
            raise PydanticCustomError("choice", "{legal}", {"legal": legal})
        return value


@dataclass(frozen=True)
class Sides:
    """A height and a width in one word, `2x1`, that differ."""

    largest: int

    def __get_pydantic_core_schema__(self, _: Any, __: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self._differing)

    def __get_pydantic_json_schema__(self, _: Any, __: Any) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{PAIR}$", "examples": ["2x1"]}

    def _differing(self, value: str) -> str:
        if not re.fullmatch(PAIR, value) or max(both_of(value)) > self.largest:
            message = "must be a height and a width, as 2x1, each from 1 to {largest}"
            raise PydanticCustomError("sides", message, {"largest": self.largest})
        height, width = both_of(value)
        if height == width:
            message = "must be one number where height and width are alike"
            raise PydanticCustomError("sides", message)
        return value


def both_of(value: int | str) -> tuple[int, int]:
    """The height and the width that a number or a pair says.

    >>> both_of(2), both_of("2x1")
    ((2, 2), (2, 1))
    """
    if isinstance(value, int):
        return (value, value)
    height, width = map(int, value.split("x"))
    return (height, width)


class Word(OneOf):
    """A word that the catalog has for the field."""

    def __init__(self, field: str) -> None:
        super().__init__(tuple(words(field)))


BlockWord = Annotated[str, Word("block")]
StrideOnWord = Annotated[str, Word("stride_on")]
ShortcutWord = Annotated[str, Word("shortcut")]
AttentionWord = Annotated[str, Word("attention")]
DilationFromWord = Annotated[str, Word("dilation_from")]


def choices(purpose: str, field: str) -> str:
    """`purpose: word, what that is (who has it); word ...`, of all the field's words."""
    said = (
        f"{word}{'' if entry.text.startswith('(') else ','} {entry.text}"
        for word, entry in CATALOG[field].items()
        if word != NUMBER
    )
    return f"{purpose}: {'; '.join(said)}"


def _one_or_each(value: Any) -> str:
    return "<each>" if isinstance(value, (list, tuple)) else "<one>"


def _word_or_number(value: Any) -> str:
    return "<word>" if isinstance(value, str) else "<number>"


def _number_or_sides(value: Any) -> str:
    return "<sides>" if isinstance(value, str) and "x" in value else "<both>"


def _word_or_numbered(value: Any) -> str:
    numbered = isinstance(value, (dict, LeakyReLU)) and "leaky_relu" in dict(value)
    return "<numbered>" if numbered else "<name>"


def class_name(name: str) -> str:
    if not re.fullmatch(CLASS_NAME, name) or keyword.iskeyword(name):
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


def web_address(url: str) -> str:
    if not re.fullmatch(r"https?://[!#-\[\]-~]{1,160}", url):
        message = "must be a web address, as https://arxiv.org/abs/1512.03385"
        raise PydanticCustomError("web_address", message)
    return url


Count = Annotated[int, Field(ge=1, le=LARGEST)]
Three = Field(strict=False, min_length=3, max_length=3)
Line = Annotated[str, Field(max_length=75), AfterValidator(_plain_line)]
Title = Annotated[str, Field(max_length=300), AfterValidator(_plain_line)]
_OneOrEach = Annotated[
    Annotated[T, Tag("<one>")]
    | Annotated[tuple[T, ...], Field(strict=False), Tag("<each>")],
    Discriminator(_one_or_each),
]
PerStage = Annotated[
    Annotated[T, Tag("<one>")]
    | Annotated[tuple[_OneOrEach[T], ...], Field(strict=False), Tag("<each>")],
    Discriminator(_one_or_each),
]
"""One value, or a list with an entry for each stage: a value, or one for each of its blocks."""
PerBottleneck = Annotated[
    Annotated[T, Tag("<one>")]
    | Annotated[tuple[_OneOrEach[T | None], ...], Field(strict=False), Tag("<each>")],
    Discriminator(_one_or_each),
]
"""As PerStage, with null for stages and blocks that have no use for the field."""
WordOr = Annotated[
    Annotated[T, Tag("<word>")] | Annotated[Count, Tag("<number>")],
    Discriminator(_word_or_number),
]


Sided = Annotated[
    Annotated[T, Tag("<both>")] | Annotated[U, Tag("<sides>")],
    Discriminator(_number_or_sides),
]
"""A number for height and width, or one for each, as `Sides`."""
Stride = Sided[Count, Annotated[str, Sides(LARGEST)]]


class Model(BaseModel):
    """Closed and strict: an unknown key is refused, and "64" is not 64."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, defer_build=True
    )


class LeakyReLU(Model):
    """An activation that has a number."""

    leaky_relu: float = Field(
        ge=0,
        le=1,
        description="what negative numbers are multiplied by, on which published code "
        "disagrees: 0.1 in the Wide ResNets of FixMatch, 0.01 in torch, 0.001 in TResNet",
    )


Activation = Annotated[
    Annotated[str, Word("activation"), Tag("<name>")]
    | Annotated[LeakyReLU, Tag("<numbered>")],
    Discriminator(_word_or_numbered),
]


class Function(NamedTuple):
    """An activation: its word in the catalog, and the number that was given with it."""

    word: str
    number: float | None = None


def function_of(value: str | LeakyReLU) -> Function:
    """The activation that a value asks for."""
    if isinstance(value, LeakyReLU):
        return Function("leaky_relu", value.leaky_relu)
    return Function(value)
