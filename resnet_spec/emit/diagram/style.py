"""Colors, light and dark, and how wide a text may become in any browser's font."""

from __future__ import annotations

from typing import NamedTuple

CLASS = "resnet-spec-diagram"
FONTS = (
    "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
)


class Paint(NamedTuple):
    """A color that is one in the light and another in the dark, of what it is for."""

    of: str  # fill or stroke
    light: str
    dark: str


PAINTS = {
    "page": Paint("fill", "#ffffff", "#0d1117"),
    "ink": Paint("fill", "#1c2430", "#e6edf3"),
    "soft": Paint("fill", "#55606f", "#a3adba"),
    "row": Paint("fill", "#f5f7fa", "#161c25"),
    "main": Paint("fill", "#e3ecfb", "#1b2f52"),
    "edge": Paint("stroke", "#c3ccd8", "#3a4554"),
    "main-edge": Paint("stroke", "#5b86cf", "#5a85cc"),
    "sign": Paint("stroke", "#1d4fa8", "#a5c8ff"),
    "line": Paint("stroke", "#75818f", "#8a95a3"),
    "head": Paint("fill", "#75818f", "#8a95a3"),
}
"""Colors by the class that has them. Texts keep 4.5 to 1 on whatever they stand on."""


def painted(*names: str) -> str:
    """The attributes of an element that has those colors.

    The light ones are attributes, which every program reads that knows no style sheet.
    """
    given = " ".join(f'{PAINTS[name].of}="{PAINTS[name].light}"' for name in names)
    classes = " ".join(f"rs-{name}" for name in names)
    return f'class="{classes}" {given}'


def sheet() -> str:
    """The dark colors where the reader or the page wants those.

    `data-theme="light"` or `"dark"`, of the picture or of what is around it, is obeyed
    whatever the reader's system says. Nothing outside of pictures is touched.
    """
    dark = _rules(".{0} .{1}", dark=True)
    forced = "[data-theme={2}] .{0} .{1},.{0}[data-theme={2}] .{1}"
    return (
        f"@media(prefers-color-scheme:dark){{{dark}}}"
        f"{_rules(forced, dark=False)}{_rules(forced, dark=True)}"
    )


def _rules(selector: str, dark: bool) -> str:
    theme = "dark" if dark else "light"
    return "".join(
        f"{selector.format(CLASS, f'rs-{name}', theme)}"
        f"{{{paint.of}:{paint.dark if dark else paint.light}}}"
        for name, paint in PAINTS.items()
    )


EMS = {
    letter: width
    for width, letters in {
        0.28: "'ijl",
        0.32: " ,.·IJ",
        0.39: "/:;\\|f-()[]",
        0.42: "t!r",
        0.55: '"*_`szc?L',
        0.64: "Fkvxy$0123456789PTYoaeéEhnuSbdgpq{}",
        0.70: "KAVXZBRC",
        0.80: "UNHDG&OQ",
        0.85: "w#+<=>^~×M",
        1.0: "m%W@…",
    }.items()
    for letter in letters
}
"""Widths of letters in DejaVu Sans, one of the widest that browsers take, rounded up."""
BOLD = 1.16  # times as wide


def width(text: str, size: float, bold: bool = False) -> float:
    """As wide as the text may become at that size, in pixels."""
    ems = sum(EMS.get(letter, 1.0) for letter in text)
    return ems * size * (BOLD if bold else 1)
