"""What timm, torchvision and papers publish of a network's size is ours, to the last digit."""

from pathlib import Path

import pytest

from tests.figures import NOTES, Figure, figures, page


def test_every_figure_is_ours_or_says_who_is_wrong() -> None:
    """Parameters, multiply-adds and activations of each model at each size."""
    known = figures()
    assert {figure.source for figure in known} > {"timm", "torchvision"}
    wrong = {figure[:2]: figure for figure in known if any(figure.differs)}
    assert {k: f for k, f in wrong.items() if k not in NOTES} == {}
    assert NOTES.keys() == wrong.keys()


def test_the_page_is_what_the_figures_say() -> None:
    hint = "run `python -m tests.figures > docs/figures.md`"
    assert Path("docs/figures.md").read_text(encoding="utf-8") == page(), hint


@pytest.mark.parametrize(
    ("said", "count", "differs"),
    [
        ("25.56", 25_555_000, False),  # a tie
        ("25.56", 25_565_000, False),
        ("25.56", 25_554_999, True),
        ("25.56", 25_565_001, True),
        ("25.557032", 25_557_033, True),
        ("1", 1_500_000, False),
        ("", 1, False),
    ],
)
def test_half_of_the_last_digit_is_what_a_figure_may_be_off(
    said: str, count: int, differs: bool
) -> None:
    assert Figure("", "", 0, (said, "", ""), (count, 0, 0)).differs[0] == differs
