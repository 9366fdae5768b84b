"""The pictures of the README: `python -m tests.pictures` draws them.

`docs/resnet50.svg` is the same bytes everywhere. `docs/page.png` is what the Chromium that is
here shows of the page of all specs, `docs/page-dark.png` the same in the dark.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, sync_playwright

from tests.conftest import launched

DOCS = Path(__file__).parents[1] / "docs"
PICKED = ("resnet50", "resnetaa50")
SIZE = {"width": 1280, "height": 860}


def resnet_spec(*args: str) -> None:
    subprocess.run([sys.executable, "-m", "resnet_spec", *args], check=True)


def photograph(page: Page, file: Path) -> None:
    """The page with two networks picked."""
    page.wait_for_selector("#plot .points path", state="attached")
    for name in PICKED:
        page.get_by_label("Filter").fill(name)
        page.get_by_role("checkbox", name=name, exact=True).check()
    page.get_by_label("Filter").fill("params<60M macs<20G")
    page.evaluate("document.activeElement.blur(); scroll(0, 0)")
    page.wait_for_timeout(500)
    page.screenshot(path=file)


def photographs(folder: Path) -> None:
    """Both into the folder."""
    with TemporaryDirectory() as made, sync_playwright() as running:
        html = Path(made, "page.html")
        resnet_spec("page", "specs", "-o", str(html))
        browser = launched(running)
        for theme, name in (("light", "page.png"), ("dark", "page-dark.png")):
            page = browser.new_page(viewport=SIZE, color_scheme=theme)
            page.goto(html.as_uri())
            photograph(page, folder / name)
        browser.close()


if __name__ == "__main__":
    resnet_spec("diagram", "resnet50", "-o", str(DOCS / "resnet50.svg"))
    photographs(DOCS)
