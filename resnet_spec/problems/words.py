"""Values as people read them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any


def describe(value: Any) -> str:
    """A value as a message shows it: short, and of a kind that one recognises.

    >>> describe("64"), describe(None), describe([1, 2]), describe({})
    ('"64"', 'null', '[1, 2]', 'a mapping')
    """
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, str):
        text = f'"{value}"' if value.isprintable() else ascii(value)
    elif isinstance(value, list):
        text = f"[{', '.join(map(describe, value[:9]))}{', ...' * (len(value) > 9)}]"
    else:
        constant = value is None or isinstance(value, bool)
        text = str(value).lower().replace("none", "null") if constant else repr(value)
    return shortened(text)


def shortened(text: str) -> str:
    """The text in at most 60 characters."""
    return text if len(text) <= 60 else f"{text[:56]} ..."


def printable(text: str) -> str:
    r"""The text without what would break a line, or command a terminal.

    >>> print(printable("conv1" + chr(10) + chr(27)))
    conv1\n\x1b
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def flow(value: Any) -> str:
    """Plain data as YAML writes it on one line.

    >>> flow({"classes": 10, "pool": None}), flow([1, "conv1", True])
    ('{classes: 10, pool: null}', '[1, conv1, true]')
    """
    if isinstance(value, dict):
        return f"{{{', '.join(f'{k}: {flow(v)}' for k, v in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(flow, value))}]"
    return value if isinstance(value, str) else describe(value)


PLAIN = re.compile(
    r"[A-Za-z][\w./-]*( [\w./*-]+)*|[1-9][0-9]*x[1-9][0-9]*", re.ASCII
)  # text that needs no quotes
WORDS = ("true", "false", "null")


def as_yaml(value: Any) -> str:
    """Plain data as YAML of one line, text in quotes where it needs them.

    >>> as_yaml({"title": "ResNet: mine", "widths": (64, None)})
    '{title: "ResNet: mine", widths: [64, null]}'
    """
    import json

    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(as_yaml, value))}]"
    if isinstance(value, dict):
        pairs = (f"{as_yaml(key)}: {as_yaml(of)}" for key, of in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, float) and not isfinite(value):
        return f"{value:.0f}".replace("inf", ".inf").replace("nan", ".nan")
    if isinstance(value, str) and PLAIN.fullmatch(value) and value.lower() not in WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


def by_sides(value: int | Sequence[int]) -> int | str:
    """A number of height and width, or one for each, as a spec has them.

    >>> by_sides(2), by_sides((2, 2)), by_sides((2, 1))
    (2, 2, '2x1')
    """
    height, width = (value, value) if isinstance(value, int) else value
    return height if height == width else f"{height}x{width}"


def either(options: Iterable[str]) -> str:
    """The options as a sentence lists them.

    >>> either(["batch"]), either(["1", "2", "3"])
    ('batch', '1, 2 or 3')
    """
    *most, last = options
    return f"{', '.join(most)} or {last}" if most else last


def together(parts: Iterable[str]) -> str:
    """All of the parts as a sentence lists them.

    >>> together(["pooled"]), together(["1", "2", "3"])
    ('pooled', '1, 2 and 3')
    """
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


def article(noun: str) -> str:
    """The noun after `a` or `an`, as it is spoken; words in capitals are spelled.

    >>> article("bottleneck"), article("eca block"), article("IR block")
    ('a bottleneck', 'an eca block', 'an IR block')
    """
    vowels = "AEFHILMNORSX" if noun[:2].isupper() else "aeiouAEIOU"
    return f"{'an' if noun[:1] in vowels else 'a'} {noun}"


def closest(word: str, known: Iterable[str], least: float = 0.7) -> str | None:
    """The known word that a misspelt one is likely to mean, `least` alike."""
    import difflib

    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), list(by_lower), n=1, cutoff=least)
    return by_lower[near[0]] if near else None


def nearest(word: str, known: Iterable[str], least: float = 0.7) -> str:
    """` (did you mean width?)`, or nothing where no known word is near."""
    near = closest(word, known, least)
    return f" (did you mean {near}?)" if near else ""


UNITS = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
"""What follows a number that people write."""


def counted(number: int) -> str:
    """A count in the unit that suits it, to two decimals, as `4.09 G`.

    >>> counted(20 * 10**12), counted(4_089_184_256), counted(40_551_552), counted(640)
    ('20.00 T', '4.09 G', '40.55 M', '640 ')
    """
    for factor, unit in ((10**12, "T"), (10**9, "G"), (10**6, "M")):
        if number >= factor:
            return f"{number / factor:.2f} {unit}"
    return f"{number:,} "


def batched(image: object, batch: int) -> str:
    """An image's shape, and how many images where they are several.

    >>> batched("3 x 224 x 224", 1), batched("3 x 224 x 224", 8)
    ('3 x 224 x 224', '8 images of 3 x 224 x 224')
    """
    return f"{batch} images of {image}" if batch > 1 else f"{image}"


def reason(error: OSError) -> str:
    """The system's reason, as the end of a sentence."""
    return (error.strerror or str(error)).lower()


def snake(name: str) -> str:
    """A class's name as a module or a function has it.

    >>> snake("BlurPool2d"), snake("EvoNormS0"), snake("CBAM"), snake("IRBlock")
    ('blur_pool2d', 'evo_norm_s0', 'cbam', 'ir_block')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
