"""Draw docs/architecture.svg: the rooms as the import contract has them, top to bottom.

The layers are those of `pyproject.toml`, and what a room is for is the first sentence of its
docstring. Python 3.11 or newer:

    python docs/architecture.py
"""

import ast
from html import escape
from pathlib import Path
from textwrap import wrap

import tomllib

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "resnet_spec"
ROW, GAP, WIDTH = 46, 10, 860
NARROW = 400
LINE, LETTER = 15, 6.8  # of a text, in the widest of the usual fonts
STYLE = (
    "rect{fill:#f4f6fa;stroke:#8a97ab}text{font:11.5px sans-serif;fill:#333}"
    ".name{font-weight:bold;font-size:13px;fill:#111}.page{fill:white;stroke:none}"
    "@media(prefers-color-scheme:dark){rect{fill:#161c26;stroke:#4d596b}"
    "text{fill:#b6c0cd}.name{fill:#f0f3f6}.page{fill:#0d1017}}"
)
SKIPPED = "__main__"


def layers() -> list[list[str]]:
    """The rooms of each layer, from the top."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    house = tools["importlinter"]["contracts"][0]["layers"]
    return [row.split(" : ") for row in house if row != SKIPPED]


def purpose(room: str) -> str:
    """The first sentence of a room's docstring."""
    folder = PACKAGE / room
    file = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return " ".join(docstring.split()).split(". ")[0].rstrip(".")


def lines(room: str, width: float) -> list[str]:
    """What a room is for, as it is broken in a box of that width."""
    aside = 12 if width < NARROW else 130
    return wrap(purpose(room), int((width - aside) / LETTER))


def box(room: str, x: float, y: float, width: float, height: float) -> str:
    """A room: its name, and what it is for beside that or, where it is narrow, below."""
    name = f"{room}/" if (PACKAGE / room).is_dir() else f"{room}.py"
    left, top = (x + 12, y + ROW) if width < NARROW else (x + 130, y + 28)
    texts = [
        f'<text x="{left}" y="{top + LINE * i}">{escape(line)}</text>'
        for i, line in enumerate(lines(room, width))
    ]
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>'
        f'<text x="{x + 12}" y="{y + 28}" class="name">{name}</text>{"".join(texts)}'
    )


def drawn() -> str:
    parts, y = [], GAP
    for rooms in layers():
        width = (WIDTH - GAP * (len(rooms) - 1)) / len(rooms)
        below = max(len(lines(room, width)) for room in rooms)
        height = ROW + LINE * (below if width < NARROW else below - 1)
        for j, room in enumerate(rooms):
            parts.append(box(room, GAP + j * (width + GAP), y, width, height))
        y += height + GAP
    sides = f"{WIDTH + 2 * GAP} {y:g}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {sides}">',
            f"<style>{STYLE}</style>",
            '<rect width="100%" height="100%" class="page"/>',
            *parts,
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    (ROOT / "docs" / "architecture.svg").write_text(drawn(), encoding="utf-8")
