"""A network as SVG: the parts in a row, below them a block of each form in detail."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from resnet_spec.emit.diagram.detail import detail
from resnet_spec.emit.diagram.figure import Figure, figure
from resnet_spec.emit.diagram.overview import overview
from resnet_spec.emit.diagram.pieces import Font, Piece, moved, number, text
from resnet_spec.emit.diagram.style import CLASS, FONTS, painted, sheet
from resnet_spec.network import Network

EDGE = 28.0  # around everything
LEAST, MOST = 640.0, 1120.0  # widths between which details are put side by side
BESIDE, BELOW = 44.0, 40.0  # from one detail to the next, and from one row to the next
SCALE = "Widths go by the root of channels, heights by that of rows."
TITLE = Font(20.0, bold=True, anchor="start")
FACTS = Font(12.0, "soft", anchor="start")


def svg(network: Network) -> str:
    """The network as a picture that stands by itself, for pages, READMEs and slides.

    It is light or dark as its reader's system is, or as `data-theme="light"` or `"dark"` of
    the picture or of what is around it says. It has no scripts, ids or requests, so a page
    may have many. Widths of boxes go by the root of channels, heights by that of rows.
    """
    drawn = figure(network)
    row = overview(drawn)
    rows = _balanced(_columns(drawn), max(row.width, MOST))
    heading = max(TITLE.width(drawn.title), FACTS.width(drawn.facts))
    inner = max(LEAST, row.width, heading, *map(_width, rows))
    y = EDGE
    parts = [
        text(drawn.title, EDGE, y + 8, TITLE),
        text(drawn.facts, EDGE, y + 32, FACTS),
    ]
    y += 56
    parts.append(moved(row.svg, EDGE + (inner - row.width) / 2, y))
    y += row.height + BELOW / 2
    for each in rows:
        rest = (inner - _width(each)) / (len(each) + 1)
        x = EDGE + rest
        for piece in each:
            parts.append(moved(piece.svg, x + piece.left, y))
            x += piece.width + BESIDE + rest
        y += max(piece.height for piece in each) + BELOW
    return _page(drawn, inner + 2 * EDGE, y - BELOW + EDGE, parts)


def _columns(drawn: Figure) -> list[Piece]:
    """What is side by side: stem and head, one below the other, and each block."""
    ends = [detail(form) for form in drawn.forms if not form.note]
    blocks = [detail(form) for form in drawn.forms if form.note]
    return [*([_below(ends)] if ends else []), *blocks]


def _below(pieces: Sequence[Piece]) -> Piece:
    """The pieces on one axis, with no line between them."""
    y, drawn = 0.0, []
    for piece in pieces:
        drawn.append(moved(piece.svg, y=y))
        y += piece.height + BELOW
    left, right = max(p.left for p in pieces), max(p.right for p in pieces)
    return Piece(left, right, y - BELOW, "".join(drawn))


def _balanced(pieces: Sequence[Piece], most: float) -> list[list[Piece]]:
    """As few rows as fit, none of them wider than it must be."""
    count = len(_rows(pieces, most))
    ends = range(len(pieces) + 1)
    widths = sorted(_width(pieces[i:j]) for i in ends for j in ends if i < j)
    least = next(width for width in widths if len(_rows(pieces, width)) <= count)
    return _rows(pieces, least)


def _rows(pieces: Sequence[Piece], most: float) -> list[list[Piece]]:
    """The pieces in order, as many in a row as fit."""
    rows: list[list[Piece]] = []
    for piece in pieces:
        if rows and _width([*rows[-1], piece]) <= most:
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return rows


def _width(pieces: Sequence[Piece]) -> float:
    return sum(piece.width for piece in pieces) + BESIDE * (len(pieces) - 1)


def _page(drawn: Figure, wide: float, high: float, parts: Sequence[str]) -> str:
    sides = f'width="{number(wide)}" height="{number(high)}"'
    title, said = escape(drawn.title), escape(f"{drawn.description} {SCALE}")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="{CLASS}" role="img" '
            f'aria-label="{title}" viewBox="0 0 {number(wide)} {number(high)}" {sides} '
            f'font-family="{FONTS}" style="max-width:100%;height:auto">',
            f"<title>{title}</title>",
            f"<desc>{said}</desc>",
            f"<style>{sheet()}</style>",
            f'<rect {sides} rx="8" {painted("page")}/>',
            *parts,
            "</svg>\n",
        ]
    )
