"""The playground, built and served, as a browser shows it and a keyboard uses it."""

import functools
import http.server
import os
import re
import runpy
import shutil
import subprocess
import sys
import threading
import time
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.conftest import ROOT

pytestmark = pytest.mark.slow
ADDRESS = runpy.run_path(str(ROOT / "docs/site/address.py"))
KEPT = "Works offline."


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the playground, built by the first process that asks for it."""
    if not shutil.which("npm"):
        pytest.skip("needs node and npm")
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    folder, begun, done = (shared / name for name in ("site", "begun", "done"))
    try:
        begun.touch(exist_ok=False)
    except FileExistsError:
        while not done.exists():
            time.sleep(0.1)
        return folder
    try:
        runpy.run_path(str(ROOT / "docs/site/build.py"))["playground"](folder)
    finally:
        done.touch()  # where it failed, others fail as well
    return folder


class Served:
    """A folder on a port of loopback, and what it was asked for."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                asked.append(self.path)

        handler = functools.partial(Handler, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def served(site: Path) -> Iterator[Served]:
    server = Served(site)
    yield server
    server.stop()


Opens = Callable[..., Page]


@pytest.fixture(scope="module")
def complaints() -> list[str]:
    """What pages said was wrong."""
    return []


@pytest.fixture(autouse=True)
def _without_complaints(complaints: list[str]) -> Iterator[None]:
    yield
    assert complaints == []


@pytest.fixture(scope="module")
def opens(browser: Browser, served: Served, complaints: list[str]) -> Opens:
    """Opens an address in a browser of its own that has nothing kept."""

    def opened(fragment: str = "", width: int = 1280, **settings: Any) -> Page:
        size = {"width": width, "height": 900}
        permitted = ["clipboard-read", "clipboard-write"]
        context = browser.new_context(viewport=size, permissions=permitted, **settings)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(f"{served.address}{fragment}")
        return page

    return opened


@pytest.fixture(scope="module")
def shown(opens: Opens) -> Page:
    """A page that the tests share, each from an address of its own."""
    page = opens()
    expect(page.locator("#compiler")).to_have_text(KEPT)
    return page


# --- what a user does --------------------------------------------------------------------


def fragment(text: str, start: str = "resnet50") -> str:
    """The address of a text, as other pages link to it."""
    said: str = ADDRESS["fragment"](start, text)
    return said


def said_by(page: Page) -> str:
    """The text that an address says."""
    packed = parse_qs(page.url.partition("#")[2])["spec"][0]
    return zlib.decompress(
        urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), -15
    ).decode()


def answers(page: Page) -> int:
    """How many times the page has shown what the compiler says."""
    count: int = page.evaluate("performance.getEntriesByName('answered').length")
    return count


def go(page: Page, address: str) -> None:
    """Open another address in the same page, and wait for what is known of it."""
    before, end = answers(page), time.monotonic() + 20
    page.evaluate("address => { location.hash = address }", address)
    while answers(page) == before and time.monotonic() < end:
        page.wait_for_timeout(10)
    settled(page)


def settled(page: Page) -> None:
    """Wait until what is shown is of the text."""
    expect(page.locator("#network")).not_to_have_attribute("data-old", "typing")


def typed(page: Page, text: str) -> None:
    """Type at the end of the text."""
    page.locator(".cm-content").press("Control+End")
    page.keyboard.type(text)
    settled(page)


def text_of(page: Page) -> str:
    lines = page.locator(".cm-line").all_inner_texts()
    return "\n".join("" if line == "\n" else line for line in lines)


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()
    settled(page)


def source(page: Page) -> str:
    tab(page, "Source")
    text = page.locator("#view code").text_content()
    assert text is not None
    return text


def built(file: Path) -> str:
    """What `resnet-spec build` prints of a file, called from its folder."""
    command = [sys.executable, "-m", "resnet_spec", "build", file.name, "-o", "-"]
    found = subprocess.run(command, cwd=file.parent, check=True, capture_output=True)
    return found.stdout.decode()


RESNET18 = """\
name: Mine
title: Mine 🦊
input: [3, 64, 64]
stem: {type: conv3x3, width: 16, pool: none}
block: basic
depths: [2, 2]
widths: [16, 32]
strides: [1, 2]
shortcut: projection
head: {classes: 10}
"""


def test_a_mistake_is_underlined_where_it_is_and_mended_by_a_click(
    shown: Page, tmp_path: Path
) -> None:
    go(shown, fragment(RESNET18))
    expect(shown.locator("#problems")).to_be_hidden()
    before = 'paper: {title: "🦊🦊", '
    typed(shown, f'{before}urll: "https://a.b"}}\nactivation: slu')
    marked = shown.locator(".cm-lintRange-error")
    expect(marked).to_have_text(["urll", "slu"])
    in_front = """mark => {
      const range = document.createRange();
      range.setStart(mark.closest(".cm-line"), 0);
      range.setEndBefore(mark);
      return range.toString();
    }"""
    assert marked.first.evaluate(in_front) == before
    said = shown.locator("#problem-list li")
    expect(said).to_have_count(2)
    expect(said.first).to_contain_text(f"Line 11, column {len(before) + 1}")
    expect(shown.locator("#old")).to_have_text(
        "The spec has a mistake; this is the network before it"
    )
    tab(shown, "Source")
    expect(shown.locator("#view button")).to_have_count(2)
    expect(shown.locator("#view button:enabled")).to_have_count(0)
    said.nth(1).get_by_role("button", name="silu").click()
    expect(said).to_have_count(1)
    said.first.get_by_role("button", name="write url").click()
    expect(shown.locator("#problems")).to_be_hidden()
    settled(shown)
    expect(shown.locator("#view button:enabled")).to_have_count(2)
    tab(shown, "Diagram")
    expect(shown.locator("#view svg")).to_contain_text("SiLU")
    assert "nn.SiLU(inplace=True)" in source(shown)
    with shown.expect_download() as saved:
        shown.get_by_role("button", name="Save spec").click()
    file = tmp_path / saved.value.suggested_filename
    saved.value.save_as(file)
    assert file.name == "mine.yaml"
    shown.wait_for_timeout(400)  # in which it writes the address
    assert file.read_text(encoding="utf-8") == said_by(shown) == text_of(shown)
    assert source(shown) == built(file)


def test_completion_descriptions_and_order_are_the_languages(shown: Page) -> None:
    go(shown, fragment(RESNET18))
    typed(shown, "conv_b")
    offered = shown.locator(".cm-tooltip-autocomplete li")
    expect(offered).to_have_text(["conv_bias"])
    shown.wait_for_timeout(
        100
    )  # in which the editor takes no key for what it just offered
    shown.keyboard.press("Enter")
    expect(offered.first).to_have_text("none")  # the values of the key that was picked
    shown.keyboard.press("Escape")
    typed(shown, "none\nnorm: {type: gro")
    expect(offered).to_contain_text(["group"])
    expect(shown.locator("#description")).to_contain_text("type")
    shown.wait_for_timeout(
        100
    )  # in which the editor takes no key for what it just offered
    shown.keyboard.press("Enter")
    shown.keyboard.type(", groups: 8}\nattention: se")
    expect(offered).to_contain_text(["se"])
    shown.wait_for_timeout(100)
    shown.keyboard.press("Enter")  # in full already: a new line
    shown.keyboard.press("ArrowLeft")
    shown.keyboard.press("Control+Space")
    expect(offered).to_contain_text(["se", "none", "eca"])
    shown.keyboard.press("Escape")
    shown.keyboard.press("ArrowRight")
    shown.keyboard.type("se: {ratio: 0.25}")
    settled(shown)
    expect(shown.locator("#problems")).to_be_hidden()
    assert text_of(shown).endswith(
        "conv_bias: none\nnorm: {type: group, groups: 8}\nattention: se\nse: {ratio: 0.25}"
    )
    shown.get_by_role("button", name="Format").click()
    expect(shown.locator(".cm-line").nth(-2)).to_have_text("head: {classes: 10}")
    shown.locator(".cm-content").get_by_text("shortcut", exact=True).hover()
    expect(shown.locator(".cm-tooltip-hover")).to_contain_text("shortcut")


def test_what_changes_is_told_from_where_one_started(shown: Page) -> None:
    shown.get_by_label("Start from").fill("ResNet-34")  # by its title
    shown.keyboard.press("Enter")
    expect(shown.locator("#results")).to_have_text("ResNet-34")
    typed(shown, "activation: silu")
    tab(shown, "Changes")
    expect(shown.get_by_role("cell", name="relu → silu").first).to_be_visible()
    expect(shown.locator("#view")).to_contain_text("Every weight loads")
    shown.get_by_label("Start from").fill("resnet26")
    shown.keyboard.press("Enter")
    expect(shown.locator("#results")).to_have_text("ResNet-26")
    shown.locator(".cm-content").press("Control+z")
    expect(shown.locator("#results")).to_have_text("ResNet-34")
    expect(shown.get_by_role("cell", name="relu → silu").first).to_be_visible()
    expect(shown.get_by_label("Start from")).to_have_value("resnet34")
    shown.keyboard.press("Control+y")
    expect(shown.locator("#results")).to_have_text("ResNet-26")
    shown.get_by_role("button", name="Show inherited").click()
    expect(shown.locator(".cm-content")).to_contain_text("widths: [64, 128, 256, 512]")
    assert "extends" not in text_of(shown)
    settled(shown)
    expect(shown.locator("#problems")).to_be_hidden()
    expect(shown.locator("#view")).to_contain_text("same network")
    shown.get_by_label("Compared with").fill("ResNet-50")
    shown.keyboard.press("Enter")
    expect(shown.locator("#view")).to_contain_text("of 320 in resnet50")
    shown.go_back()
    shown.go_back()
    expect(shown.locator("#results")).to_have_text("Mine 🦊")
    shown.get_by_label("Start from").fill("resnet35")
    shown.keyboard.press("Enter")
    expect(shown.locator("#message")).to_have_text(
        "No spec is called resnet35; did you mean resnet56?"
    )
    expect(shown.locator("#results")).to_have_text("Mine 🦊")


SOME = (
    *("bit/resnetv2_50x1_bit", "cifar/resnet20", "resnest/resnest14d"),
    *("res2net/res2net50_26w_4s", "resnetblur/resnetblur18", "own/basic_5x5"),
)


def test_a_source_is_that_of_build(shown: Page) -> None:
    """Of some; tests/test_playground_long.py has all."""
    tab(shown, "Source")
    for key in SOME:
        go(shown, f"#from={key.rpartition('/')[2]}")
        kept = (ROOT / "generated" / f"{key}.py").read_text(encoding="utf-8")
        assert source(shown) == kept, key


def test_a_link_opens_what_it_was_made_of(shown: Page, opens: Opens) -> None:
    go(shown, fragment(RESNET18))
    typed(shown, "# 🦊 ü\t%&=+")
    shown.get_by_role("button", name="Copy link").click()
    expect(shown.locator("#message")).to_have_text("The link is copied.")
    link = shown.evaluate("navigator.clipboard.readText()")
    other = opens(f"#{link.partition('#')[2]}")
    expect(other.locator("#results")).to_have_text("Mine 🦊")
    assert text_of(other) == text_of(shown) == said_by(other)
    assert source(other) == source(shown)
    other.context.close()


@pytest.mark.parametrize(
    "broken",
    [
        "#spec=%%%",
        "#spec=abc",
        "#from=nothing",
        "#from=__proto__&spec=" + fragment(RESNET18).partition("spec=")[2],
        f"#spec={urlsafe_b64encode(bytes(range(99))).decode()}",
        "#spec=" + "A" * 9000,
        fragment("a" * 2_000_000),
    ],
)
def test_a_broken_address_says_so_and_loses_nothing(shown: Page, broken: str) -> None:
    go(shown, fragment(RESNET18))
    typed(shown, "# kept")
    shown.wait_for_timeout(400)
    go(shown, broken)
    expect(shown.locator("#message")).to_contain_text("This address cannot be read")
    assert text_of(shown) == f"{RESNET18}# kept"


def test_a_text_that_is_too_long_for_a_link_says_so_and_stays(shown: Page) -> None:
    go(shown, fragment(RESNET18))
    long = "# " + " ".join(str(i * i * 7919) for i in range(4000))
    shown.locator(".cm-content").press("Control+End")
    shown.keyboard.insert_text(long)
    expect(shown.locator("#message")).to_contain_text("too long for a link")
    assert "#" not in shown.url
    shown.reload()
    expect(shown.locator("#results")).to_have_text("Mine 🦊")
    assert shown.locator(".cm-content").inner_text().count("\n") >= 10
    shown.get_by_role("button", name="Copy link").click()
    expect(shown.locator("#message")).to_contain_text("too long for a link")
    with shown.expect_download() as saved:
        shown.get_by_role("button", name="Save spec").click()
    assert Path(saved.value.path()).read_text(encoding="utf-8") == RESNET18 + long


def test_a_compiler_that_hangs_is_started_anew(shown: Page) -> None:
    go(shown, fragment(RESNET18))
    shown.locator(".cm-content").press("Control+End")
    shown.wait_for_timeout(500)  # in which it asks what is there
    (worker,) = shown.workers
    worker.evaluate("setTimeout(() => { for (;;); })")
    typed_at = time.monotonic()
    shown.keyboard.insert_text("activation: silu")
    expect(shown.locator("#network")).to_have_attribute("data-old", "typing")
    expect(shown.locator("#results")).to_have_text("Mine 🦊")
    expect(shown.locator("#compiler")).to_contain_text("starts anew", timeout=9000)
    assert 4.9 < time.monotonic() - typed_at < 15
    expect(shown.locator("#old")).to_contain_text("gave no answer on this one")
    shown.keyboard.type(" # more")
    expect(shown.locator("#network")).to_have_attribute("data-old", "")
    assert "nn.SiLU" in source(shown)


def reach(page: Page, name: str) -> None:
    """Press Tab until what has the focus is of that id, class or text."""
    focused = (
        "[document.activeElement].flatMap(e => [e.id, ...e.classList, e.textContent])"
    )
    for _ in range(40):
        if name in page.evaluate(focused):
            return
        page.keyboard.press("Tab")
    raise AssertionError(name)


def test_all_of_it_by_the_keyboard_alone(opens: Opens) -> None:
    page = opens()
    expect(page.locator("#compiler")).to_have_text(KEPT)
    press = page.keyboard.press
    reach(page, "name")
    page.keyboard.insert_text("resnet18")
    press("Enter")
    expect(page.locator("#results")).to_have_text("ResNet-18")
    reach(page, "cm-content")
    press("Control+End")
    page.keyboard.type("activation: slu")
    expect(page.locator(".cm-tooltip-autocomplete")).to_be_visible()
    press("Escape")
    expect(page.locator(".cm-tooltip-autocomplete")).to_be_hidden()
    press("F8")
    expect(page.locator(".cm-lintRange-error")).to_have_text("slu")
    press("Escape")
    press("Tab")
    expect(page.locator(".cm-content")).not_to_be_focused()
    reach(page, "write activation: silu")
    press("Enter")
    settled(page)
    expect(page.locator("#problems")).to_be_hidden()
    press("Escape")
    reach(page, "tab-summary")
    press("ArrowRight")
    press("ArrowRight")
    expect(page.locator("#tab-source")).to_be_focused()
    expect(page.locator("#view code")).to_contain_text("nn.SiLU")
    press("Tab")
    expect(page.locator("#view")).to_be_focused()
    page.context.close()


def test_axe_finds_nothing_and_a_phone_scrolls_down_alone(shown: Page) -> None:
    go(shown, fragment(RESNET18 + "actvation: silu\nnorm: {momentum: 0.9}\n"))
    views = {
        ("Light", 1280): ("Summary", "Diagram", "Source", "Costs", "Changes"),
        ("Dark", 390): ("Diagram", "Source"),
    }
    for (theme, width), names in views.items():
        shown.set_viewport_size({"width": width, "height": 844})
        shown.get_by_label("Theme").select_option(theme)
        ground = shown.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", ground))) > 600) == (theme == "Light")
        for name in names:
            tab(shown, name)
            by_axe = Axe().run(shown)
            assert by_axe.violations_count == 0, by_axe.generate_report()
            assert shown.evaluate("document.documentElement.scrollWidth") == width
    shown.set_viewport_size({"width": 1280, "height": 900})


def test_it_works_when_the_server_is_gone_and_asks_nobody_else(
    browser: Browser, site: Path
) -> None:
    server, stranger = Served(site), Served(site)
    page = browser.new_page()
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    page.goto(server.address)
    expect(page.locator("#compiler")).to_have_text(KEPT, timeout=20_000)
    (worker,) = page.workers
    reach = f"fetch('{stranger.address}').then(() => 'reached', () => 'refused')"
    assert worker.evaluate(reach) == "refused" == page.evaluate(reach)
    server.stop()
    page.goto(f"{server.address}{fragment(RESNET18)}")
    page.reload()
    expect(page.locator("#results")).to_have_text("Mine 🦊")
    typed(page, "activation: silu")
    assert "nn.SiLU" in source(page)
    tab(page, "Diagram")
    expect(page.locator("#view svg")).to_contain_text("SiLU")
    own = (server.address, f"blob:{server.address}", "data:", stranger.address)
    assert [url for url in asked if not url.startswith(own)] == []
    assert stranger.asked == []
    stranger.stop()
    page.context.close()
