"""The page, as a browser shows it and as somebody without a mouse uses it."""

import base64
import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import pytest
import torch
import yaml
from axe_playwright_python.sync_playwright import Axe
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Browser, Page, expect
from plotly.offline import get_plotlyjs

from resnet_spec import build_model
from resnet_spec.bench.results import Row, as_json
from resnet_spec.cli import main
from resnet_spec.emit.page import Entry, Table, page
from tests.pictures import DOCS, SIZE, photograph
from tests.test_injection import NASTY

pytestmark = pytest.mark.slow
HOSTILE = "</script><img src=x onerror=alert(1)> <b>\"'&amp; %{x} \u202eabc 🦊 $data"


def run(*args: str) -> Result:
    return CliRunner().invoke(main, args)


class Watched(NamedTuple):
    """A page, and whatever it complained of and asked for."""

    page: Page
    complaints: list[str]
    asked: list[str]

    def is_quiet(self) -> bool:
        """Whether nothing was wrong, and nothing was asked for but the file itself."""
        itself = self.page.url.partition("#")[0]
        others = [url for url in self.asked if url.partition("#")[0] != itself]
        return (self.complaints, others) == ([], [])


Opens = Callable[..., Watched]


@pytest.fixture(scope="module")
def opens(browser: Browser) -> Opens:
    """Opens a file, and waits for its plot."""

    def opened(
        file: Path, width: int = 1400, height: int = 900, **settings: Any
    ) -> Watched:
        size = {"width": width, "height": height}
        shown = browser.new_page(viewport=size, **settings)
        shown.set_default_timeout(20_000)
        watched = Watched(shown, [], [])
        shown.on("console", lambda message: watched.complaints.append(message.text))
        shown.on("pageerror", lambda error: watched.complaints.append(str(error)))
        shown.on("dialog", lambda dialog: watched.complaints.append(dialog.message))
        shown.on("request", lambda request: watched.asked.append(request.url))
        shown.goto(file.as_uri())
        shown.wait_for_selector("#plot .points path", state="attached")
        return watched

    return opened


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of all specs that ship."""
    file = tmp_path_factory.mktemp("page") / "page.html"
    result = run("page", "specs", "-o", str(file))
    assert result.exit_code == 0, result.output
    return file


@pytest.fixture(scope="module")
def watched(opens: Opens, shipped: Path) -> Watched:
    return opens(shipped)


def start_at_top(page: Page) -> None:
    """Let Tab start in the header, behind the links that skip what follows."""
    page.evaluate("document.activeElement.blur(); scroll(0, 0)")
    page.locator("header").click(position={"x": 300, "y": 5})


@pytest.fixture
def shown(watched: Watched) -> Iterator[Page]:
    """The page, with nothing picked and no filter; in the end it has been quiet."""
    page = watched.page
    for each in page.get_by_role("checkbox", checked=True).all():
        each.click()
    page.get_by_label("Filter").fill("")
    start_at_top(page)
    yield page
    assert watched.is_quiet(), watched


Claims = dict[tuple[str, str], dict[str, int]]


@cache
def claims() -> Claims:
    """What each spec that ships claims, by family and name without its folder."""
    found = {}
    for file in Path("specs").rglob("*.yaml"):
        family = file.parent.relative_to("specs").as_posix()
        key = ("torchvision" if family == "." else family, file.stem)
        found[key] = yaml.safe_load(file.read_text(encoding="utf-8"))["expect"]
    return found


def rows(shown: Page) -> list[tuple[str, str]]:
    """The family and the name, without its folder, of each row that is shown."""
    script = "rows => rows.map(row => [row.cells[1].innerText, row.cells[0].innerText])"
    found = shown.eval_on_selector_all("#rows tr:not([hidden])", script)
    return [(family, name.strip().rpartition("/")[2]) for family, name in found]


def box(shown: Page, name: str) -> Any:
    return shown.get_by_role("checkbox", name=name, exact=True)


def test_all_that_ship_open_at_once(shown: Page, shipped: Path) -> None:
    """The bound is for a busy machine; two seconds are usual."""
    marks = (
        "performance.getEntriesByType('mark').map(m => [m.name, m.startTime / 1000])"
    )
    seconds = dict(shown.evaluate(marks))
    size = shipped.stat().st_size
    print(seconds, f"{size / 1e6:.1f} MB")
    assert set(rows(shown)) == set(claims())
    assert size < 8e6
    assert seconds["table"] < seconds["plot"] < 12


def test_sorted_and_filtered_by_the_keyboard_alone(shown: Page) -> None:
    known = claims()
    shown.keyboard.press("Tab")
    expect(shown.get_by_label("Theme")).to_be_focused()
    shown.keyboard.press("Tab")
    shown.keyboard.type("ResNeXt params<50M macs >= 4.2g")
    expected = {
        key
        for key, claim in known.items()
        if "resnext" in " ".join(key)
        and claim["params"] < 50e6
        and claim["macs"] >= 4.2e9
    }
    assert len(expected) > 5
    assert set(rows(shown)) == expected
    status = shown.get_by_role("status").first
    expect(status).to_have_text(f"{len(expected)} of {len(known)} shown")
    for _ in range(4):
        shown.keyboard.press("Tab")
    heading = shown.get_by_role("columnheader", name="MACs")
    expect(heading.get_by_role("button")).to_be_focused()
    for order, sign in (("ascending", 1), ("descending", -1)):
        shown.keyboard.press("Enter")
        assert heading.get_attribute("aria-sort") == order
        costs = [sign * known[key]["macs"] for key in rows(shown)]
        assert costs == sorted(costs)
    assert shown.locator("[aria-sort]").count() == 1
    shown.get_by_label("Filter").fill("parms<3 params<x")
    expect(status).to_contain_text("no figure is called “parms”")
    expect(status).to_contain_text("“params<x” needs a number")
    assert shown.get_by_label("Filter").get_attribute("aria-invalid") == "true"
    assert len(rows(shown)) == len(known)


def front(points: set[tuple[int, int]], x: int, y: int) -> set[tuple[int, int]]:
    """Those that no other beats, from the best in x on; a sign says what is better."""
    found: set[tuple[int, int]] = set()
    best = float("-inf")
    for point in sorted(points, key=lambda p: (-x * p[0], -y * p[1])):
        if y * point[1] > best:
            best = y * point[1]
            found.add(point)
    return found


def test_the_front_is_of_what_is_shown(shown: Page) -> None:
    for filtered, x, y in (("", -1, 1), ("", -1, -1), ("resnetd", 1, -1)):
        shown.get_by_label("Filter").fill(filtered)
        words = {-1: "less", 1: "more"}
        shown.get_by_label("better across").select_option(words[x])
        shown.get_by_label("better upward").select_option(words[y])
        found = [claims()[key] for key in rows(shown)]
        points = {(claim["macs"], claim["params"]) for claim in found}
        drawn = shown.evaluate(
            "(({x, y}) => x.map((of, i) => [of, y[i]]))"
            "(document.getElementById('plot').data[1])"
        )
        assert {tuple(point) for point in drawn} == front(points, x, y)
        said = {-1: "at most", 1: "at least"}
        told = f"{said[x]} as much in MACs and {said[y]} as much in params"
        told = f"{len(drawn)} of the {len(found)} specs in the plot: .* {told}"
        expect(shown.locator("#front")).to_have_text(re.compile(told))


def test_picked_and_compared_by_the_keyboard_alone(shown: Page) -> None:
    shown.get_by_label("Filter").fill("resnet18")
    for _ in range(shown.locator("#columns th").count() + 1):
        shown.keyboard.press("Tab")
    for name in ("resnet18", "resnet18d"):
        shown.keyboard.press("Home")
        while not box(shown, name).evaluate("box => box === document.activeElement"):
            shown.keyboard.press("ArrowDown")
        shown.keyboard.press("Space")
        expect(box(shown, name)).to_be_checked()
        expect(shown.locator("#plot .hoverlayer")).to_contain_text(name)
    expect(shown.get_by_role("article")).to_have_count(2)
    picked = shown.evaluate("document.getElementById('plot').data[2].text")
    assert picked == ["resnet18", "resnet18d"]
    expect(shown.get_by_role("cell", name="avg_projection").first).to_be_visible()
    cells = "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))"
    told = shown.eval_on_selector_all("#differences tr", cells)
    changes = {first: others for first, *others in told}
    known = (claims()["torchvision", "resnet18"], claims()["resnetd", "resnet18d"])
    one, other = (claim["params"] for claim in known)
    percent = f"+{100 * (other / one - 1):.2f} %"
    assert changes["params"] == [f"{one:,}", f"{other:,}", percent]
    assert changes["stem.type"] == ["conv7x7", "deep", ""]
    assert "head.classes" not in changes
    shown.keyboard.press("Space")
    expect(shown.get_by_role("heading", name="Comparison")).to_be_hidden()
    expect(shown.get_by_role("article")).to_have_count(1)


def test_a_point_picks_its_row_and_those_that_share_it_in_turn(shown: Page) -> None:
    shown.get_by_label("Filter").fill("resnet params=25557032")
    known = {key: of for key, of in claims().items() if of["params"] == 25_557_032}
    assert set(rows(shown)) == set(known)
    macs = claims()["torchvision", "resnet50"]["macs"]
    same = [claim["macs"] for claim in known.values()].count(macs)
    points = shown.locator("#plot .scatterlayer .trace").first.locator(".points path")
    expect(points).to_have_count(len(known))
    index = shown.evaluate(
        "macs => document.getElementById('plot').data[0].x.indexOf(macs)", macs
    )
    for picked in (*range(1, same + 1), 0):
        bounds = points.nth(index).bounding_box()
        assert bounds
        middle = (bounds["x"] + bounds["width"] / 2, bounds["y"] + bounds["height"] / 2)
        shown.mouse.move(middle[0] + 1, middle[1])
        shown.mouse.click(*middle)
        expect(shown.get_by_role("article")).to_have_count(picked)
        assert shown.get_by_role("checkbox", checked=True).count() == picked


def loads(file: Path, other: Path) -> tuple[bool, bool]:
    """Whether, by torch, all weights of one load into the other, and the outputs are equal."""
    one, two = build_model(file).eval(), build_model(other).eval()
    try:
        two.load_state_dict(one.state_dict())
    except RuntimeError:
        return False, False
    image = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        return True, torch.equal(one(image), two(image))


@pytest.fixture(scope="module")
def small(opens: Opens, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """A page of four small networks, beside the folder of their specs."""
    folder = tmp_path_factory.mktemp("small") / "specs"
    folder.mkdir()
    changes: dict[str, dict[str, Any]] = {
        "first": {},
        "renamed <i>": {"title": "</script><img src=x onerror=alert(1)> 🦊"},
        "other": {"activation": "silu"},
        "wider": {"widths": [32, 32, 64]},
    }
    for i, (name, change) in enumerate(changes.items()):
        spec = {"extends": "cifar/resnet20", "name": f"N{i}", "title": name, **change}
        text = yaml.safe_dump(spec, allow_unicode=False)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    file = folder.parent / "small.html"
    result = run("page", str(folder), "-o", str(file))
    assert result.exit_code == 0, result.output
    return opens(file, reduced_motion="reduce")


def test_links_skip_to_the_table_and_to_what_is_picked(small: Watched) -> None:
    for back, heading in ((1, "Picked"), (2, "Specs")):
        start_at_top(small.page)
        for _ in range(back):
            small.page.keyboard.press("Shift+Tab")
        small.page.keyboard.press("Enter")
        expect(small.page.get_by_role("heading", name=heading)).to_be_focused()


def test_the_sentence_on_two_is_what_torch_finds(small: Watched) -> None:
    shown = small.page
    folder = Path(unquote(urlsplit(shown.url).path)).parent / "specs"
    sentences = {
        (True, True): "same function: every weight loads, and the output is the same",
        (True, False): "every weight loads, and the output differs",
        (False, False): "the weights of one do not fit the other",
    }
    box(shown, "first").check()
    found = set()
    for name in ("renamed <i>", "other", "wider"):
        box(shown, name).check()
        by_torch = loads(folder / "first.yaml", folder / f"{name}.yaml")
        found.add(by_torch)
        expect(shown.locator("#relations")).to_contain_text(sentences[by_torch])
        box(shown, name).uncheck()
    assert found == set(sentences)
    box(shown, "renamed <i>").check()
    heading = shown.get_by_role("heading", level=3).last
    expect(heading).to_have_text("</script><img src=x onerror=alert(1)> 🦊")
    assert small.is_quiet(), small


def test_axe_finds_nothing_and_the_theme_is_as_it_is_chosen(small: Watched) -> None:
    shown = small.page
    box(shown, "first").check()
    box(shown, "wider").check()
    expect(shown.locator("pre")).not_to_have_count(0)
    shown.eval_on_selector_all("details", "all => all.forEach(d => (d.open = true))")
    found = []
    for theme, width in (("Light", 1400), ("Dark", 360)):
        shown.set_viewport_size({"width": width, "height": 900})
        shown.get_by_label("Theme").select_option(theme)
        ground = shown.evaluate("getComputedStyle(document.body).backgroundColor")
        ink = shown.evaluate("document.getElementById('plot').layout.font.color")
        found += [sum(map(int, re.findall(r"\d+", each))) for each in (ground, ink)]
        by_axe = Axe().run(shown)
        assert by_axe.violations_count == 0, by_axe.generate_report()
        assert shown.evaluate("document.documentElement.scrollWidth") == width
    ground, ink, dark_ground, dark_ink = found
    assert ground > 600 > 400 > ink
    assert dark_ground < 150 < 400 < dark_ink
    moves = (
        "all => all.filter(e => getComputedStyle(e).transitionDuration !== '0s').length"
    )
    assert shown.eval_on_selector_all("*", moves) == 0
    assert small.is_quiet(), small


def times(file: Path, networks: Iterable[str], *batches: int) -> dict[str, list[float]]:
    """A file as `bench --json` prints it; returns the milliseconds of each row by its form."""
    rows, found = [], {}
    for (i, name), (j, form), batch in product(
        enumerate(networks), enumerate(("eager", "timm:resnet50d")), batches
    ):
        ms = [batch * (10.0 + 4 * i - 3 * j) + change for change in (0, -0.5, 1.25)]
        seconds = [each / 1000 for each in ms]
        found[f"{name} {form} {batch}"] = ms
        row = Row(
            name, form, batch, 1, *seconds, seconds[0], batch / seconds[0], 1, None
        )
        rows.append(row)
    file.write_text(as_json(rows, {"torch": "2.0", "date": "2026-01-01"}))
    return found


def test_times_have_bars_from_quartile_to_quartile(
    opens: Opens, tmp_path: Path
) -> None:
    names = ("resnet18", "resnet50d")
    ms = times(tmp_path / "times.json", names, 1)
    file = tmp_path / "times.html"
    args = ("page", *names, "resnet34", "-o", str(file), "--bench")
    assert run(*args, str(tmp_path / "times.json")).exit_code == 0
    watched = opens(file)
    shown = watched.page
    upward = shown.get_by_label("Upward", exact=True)
    assert upward.locator("option:checked").inner_text() == "eager_ms"
    for better in ("across", "upward"):
        assert shown.get_by_label(f"better {better}").input_value() == "less"
    data = shown.evaluate("document.getElementById('plot').data[0]")
    expected = [ms[f"{name} eager 1"] for name in names]
    assert data["y"] == pytest.approx([middle for middle, _, _ in expected])
    bars = data["error_y"]
    assert bars["arrayminus"] == pytest.approx([m - low for m, low, _ in expected])
    assert bars["array"] == pytest.approx([high - m for m, _, high in expected])
    bar = shown.locator("#plot .points .yerror, #plot .errorbar .yerror").first
    box_of, plot = bar.bounding_box(), shown.locator("#plot .bg").first.bounding_box()
    assert box_of
    assert plot
    ends = "document.getElementById('plot')._fullLayout.yaxis"
    pixels = [shown.evaluate(f"v => {ends}.d2p(v)", value) for value in expected[0][1:]]
    assert box_of["height"] == pytest.approx(pixels[0] - pixels[1], abs=4)
    shown.get_by_label("Filter").fill("timm_ms<9")
    assert [name for _, name in rows(shown)] == ["resnet18"]
    box(shown, "resnet18").check()
    row = shown.get_by_role("table").get_by_role("row", name="timm 7 6.5 8.25")
    expect(row).to_be_visible()
    expect(shown.get_by_role("row", name="date 2026-01-01")).to_be_visible()
    assert watched.is_quiet(), watched


def test_times_of_several_settings_and_of_others(tmp_path: Path) -> None:
    ms = times(tmp_path / "times.json", ("resnet18", "elsewhere"), 1, 8)
    file = tmp_path / "times.html"
    args = ("page", "resnet18", "-o", str(file), "--bench")
    done = run(*args, str(tmp_path / "times.json"))
    assert "elsewhere is not among the SPECs, so it is left out" in done.output
    scripts = Scripts()
    scripts.feed(file.read_text())
    data = json.loads(scripts.found[0])
    (spec,) = data["specs"]
    known = dict(zip(data["figures"], spec["figures"], strict=True))
    assert known["eager_batch8_ms"] == pytest.approx(ms["resnet18 eager 8"][0])
    assert data["axes"][1] == ["eager_batch1_ms", "less"]
    for text, said in (
        ("{}", "is not what `resnet-spec bench --json` prints"),
        ("[1", "is not what `resnet-spec bench --json` prints"),
        ('{"machine": {}, "rows": []}', "has no times of any SPEC"),
        (None, "cannot be read, "),
    ):
        wrong = tmp_path / "wrong.json"
        wrong.write_text(text) if text else wrong.unlink()
        done = run(*args, str(wrong))
        assert (done.exit_code, said in done.output) == (1, True), done.output
        assert done.output.count("\n") == 1


def test_text_is_never_markup(opens: Opens, tmp_path: Path) -> None:
    table = Table(HOSTILE, (HOSTILE, HOSTILE), ((HOSTILE, HOSTILE),))
    paper = (HOSTILE, "javascript:alert(1)")
    figures, digests = {HOSTILE: 1, "f": 2}, {"layout": HOSTILE}
    entries = [
        Entry(
            HOSTILE,
            HOSTILE,
            HOSTILE,
            paper,
            figures,
            digests,
            (table,),
            "a.py",
            text,
            "<svg></svg>",
        )
        for text in (HOSTILE, f"{HOSTILE}\n")
    ]
    file = tmp_path / "hostile.html"
    file.write_text(page(entries, get_plotlyjs(), "0"), encoding="utf-8")
    watched = opens(file, width=360)
    shown = watched.page
    for each in shown.get_by_role("checkbox").all():
        each.check()
    expect(shown.locator("pre")).to_have_count(2)
    shown.get_by_role("checkbox").first.focus()
    expect(shown.locator("#plot .hoverlayer")).to_contain_text("onerror=alert(1)> <b>")
    shown.eval_on_selector_all("details", "all => all.forEach(d => (d.open = true))")
    assert shown.locator("img, main b, main a").count() == 0
    wanted = [HOSTILE, f"{HOSTILE}\n"]
    assert (
        shown.eval_on_selector_all("pre", "all => all.map(e => e.innerText)") == wanted
    )
    assert shown.evaluate("document.documentElement.scrollWidth") == 360
    assert watched.is_quiet(), watched


class Scripts(HTMLParser):
    """The texts of the page's script elements, as a parser of HTML finds them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self.inside = tag == "script"
        if self.inside:
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "script"

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.found[-1] += data


texts = st.lists(
    st.sampled_from([*NASTY, "</script>", "<!--", "$data", "${x}", "\udc80"])
    | st.text()
).map("".join)


@given(texts, texts, texts)
def test_any_text_arrives_as_it_is(name: str, cell: str, source: str) -> None:
    source = source.encode("utf-8", "replace").decode()
    table = Table("T", ("a", "b"), ((cell, 1),))
    entry = Entry(
        name, cell, name, None, {"f": 1}, {}, (table,), f"{name}.py", source, cell
    )
    scripts = Scripts()
    scripts.feed(page([entry], "library", "0"))
    assert len(scripts.found) == 3
    data = json.loads(scripts.found[0])
    (spec,) = data["specs"]
    rest = json.loads(gzip.decompress(base64.b64decode(spec["packed"])))
    assert (spec["name"], spec["family"], spec["title"]) == (name, cell, name)
    assert (rest["source"], rest["diagram"], rest["file"]) == (
        source,
        cell,
        f"{name}.py",
    )
    assert rest["tables"][0]["rows"] == [[cell, 1]]


def test_a_source_is_that_of_build(shown: Page, tmp_path: Path) -> None:
    shown.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for name, made in (("resnet50", "resnet50"), ("basic_5x5", "own/basic_5x5")):
        box(shown, name).check()
        article = shown.get_by_role("article").last
        article.get_by_text(re.compile("^Source")).click()
        expected = Path(f"generated/{made}.py").read_text(encoding="utf-8")
        assert article.locator("code").evaluate("code => code.textContent") == expected
        article.get_by_role("button", name="Copy").click()
        expect(article.get_by_text("Copied")).to_be_visible()
        assert shown.evaluate("navigator.clipboard.readText()") == expected
        with shown.expect_download() as saved:
            article.get_by_role("button", name="Download", exact=True).click()
        assert saved.value.suggested_filename == f"{name}.py"
        saved.value.save_as(tmp_path / "saved.py")
        assert (tmp_path / "saved.py").read_bytes() == expected.encode()


def test_the_same_specs_are_the_same_bytes(tmp_path: Path) -> None:
    files = [tmp_path / "here.html", tmp_path / "there.html"]
    commands = [["page", "resnet18", "resnet50d", "-o", str(file)] for file in files]
    assert run(*commands[0]).exit_code == 0
    environment = os.environ | {"PYTHONHASHSEED": "1"}
    apart = [sys.executable, "-m", "resnet_spec", *commands[1]]
    subprocess.run(apart, env=environment, check=True, capture_output=True)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_what_cannot_be_made_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept.html"
    kept.write_text("mine")
    wrong = "tests/errors/many_at_once.yaml"
    new = str(tmp_path / "new.html")
    for args, status, said in (
        (("resnet18", "-o", str(tmp_path)), 1, "is a folder, so it is not overwritten"),
        (
            ("resnet18", "-o", str(kept)),
            1,
            "is not a page of this command, so it is not",
        ),
        (("resnet18", "-o", str(kept / "in.html")), 1, "cannot be written"),
        ((), 2, "Missing argument"),
        ((wrong, "-o", new), 1, "unknown key"),
    ):
        result = run("page", *args)
        assert (result.exit_code, said in result.output) == (status, True), (
            result.output
        )
        assert isinstance(result.exception, SystemExit)
    assert kept.read_text() == "mine"
    for _ in range(2):  # the second time over the first
        assert run("page", "resnet18", "-o", new).exit_code == 0
    monkeypatch.setitem(sys.modules, "plotly", None)
    result = run("page", "resnet18", "-o", new)
    needed = "this needs plotly: pip install 'resnet-spec[page]'\n"
    assert (result.exit_code, result.output) == (1, needed)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_photographs_in_the_docs_are_of_this_page(
    opens: Opens, shipped: Path, tmp_path: Path, theme: str
) -> None:
    """Up to fonts: `python -m tests.pictures` takes them again."""
    watched = opens(shipped, color_scheme=theme, **SIZE)
    photograph(watched.page, tmp_path / "now.png")
    kept = DOCS / f"page{'-dark' * (theme == 'dark')}.png"
    with Image.open(kept) as before, Image.open(tmp_path / "now.png") as now:
        assert before.size == now.size
        apart = ImageChops.difference(before.convert("L"), now.convert("L"))
        assert ImageStat.Stat(apart).mean[0] < 4  # of 255; another page is 20 apart
    assert watched.is_quiet()
