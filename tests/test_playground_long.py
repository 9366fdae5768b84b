"""The playground in a browser on all specs, right and wrong, and how long it takes."""

import time
from pathlib import Path
from statistics import median

import pytest
from playwright.sync_api import Browser, Page, expect

from resnet_spec.language.shipped import shipped, shortest
from tests.conftest import ROOT
from tests.test_playground import (
    KEPT,
    Served,
    answers,
    complaints,
    fragment,
    go,
    opens,
    served,
    shown,
    site,
    source,
    tab,
    typed,
)
from tests.test_playground_answers import cases, told

__all__ = ["complaints", "opens", "served", "shown", "site"]  # fixtures
pytestmark = pytest.mark.long
LISTED = """items => items.map((item) => [
  item.querySelector("p").textContent,
  item.querySelector("button").textContent,
  item.querySelector("p.quiet")?.textContent ?? "",
])"""


def test_the_source_of_all_that_ship_is_that_of_build(shown: Page) -> None:
    for key in shipped():
        go(shown, f"#from={shortest()[key]}")
        kept = (ROOT / "generated" / f"{key}.py").read_text(encoding="utf-8")
        assert source(shown) == kept, key


def test_problems_are_those_of_the_command_line(shown: Page, tmp_path: Path) -> None:
    """As the page lists them: rule, message, note, line and column."""
    for case, text in cases():
        go(shown, fragment(text))
        found = shown.locator("#problem-list li").evaluate_all(LISTED)
        known = [
            [f"{said} [{rule}]", f"Line {line}, column {column}", note]
            for rule, said, note, line, column, _ in told(text, tmp_path / "spec.yaml")
        ]
        assert found == known, case


def answered(page: Page) -> float:
    """Seconds from the start of the page to the first answer that its compiler gave."""
    while not answers(page):
        page.wait_for_timeout(5)
    script = "performance.getEntriesByName('answered')[0].startTime"
    return float(page.evaluate(script)) / 1000


def test_how_long_it_takes(browser: Browser, site: Path) -> None:
    """Medians, and the bounds are for two idle cores. The second visit has no server."""
    first, second, loaded = [], [], 0
    for _ in range(5):
        server = Served(site)
        page = browser.new_page()
        page.goto(server.address)
        first.append(answered(page))
        if not loaded:
            names = {Path(asked.partition("?")[0]).name for asked in server.asked}
            files = (f for f in site.rglob("*") if f.name in {*names, "index.html"})
            loaded = sum(file.stat().st_size for file in files)
        expect(page.locator("#compiler")).to_have_text(KEPT, timeout=20_000)
        server.stop()
        page.reload()
        second.append(answered(page))
        page.context.close()
    print(f"first {median(first):.2f} s, second {median(second):.2f} s")
    print(f"{loaded / 1e6:.1f} MB")
    assert median(first) <= 5
    assert median(second) <= 2


@pytest.mark.parametrize("view", ["Summary", "Diagram", "Source", "Costs", "Changes"])
def test_from_a_keystroke_to_new_results(shown: Page, view: str) -> None:
    """Of ResNet-152, warm: the number of classes, one more digit and back again."""
    go(shown, "#from=resnet18")
    go(shown, "#from=resnet152")
    tab(shown, view)
    typed(shown, "head: {classes: 100")  # the editor closes the bracket
    shown.keyboard.press("Escape")
    took = []
    for _ in range(55):
        before, key = answers(shown), "1" if len(took) % 2 == 0 else "Backspace"
        start = shown.evaluate("performance.now()")
        shown.keyboard.press(key)
        while answers(shown) == before:
            time.sleep(0.001)
        script = "performance.getEntriesByName('answered').at(-1).startTime"
        took.append(shown.evaluate(script) - start)
    expect(shown.locator("#problems")).to_be_hidden()
    print(f"{view} {median(took[5:]):.0f} ms")
    assert median(took[5:]) <= 100
