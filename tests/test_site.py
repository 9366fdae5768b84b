"""The pages of the site: links that lead somewhere, and an example for each field."""

import re
import runpy
import zlib
from base64 import urlsafe_b64decode
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import yaml
from pygments.lexers import get_lexer_by_name
from pygments.token import Generic

from resnet_spec import load
from resnet_spec.language.schema import json_schema
from resnet_spec.language.shipped import shipped
from tests.conftest import ROOT

PAGES = runpy.run_path(str(ROOT / "docs" / "site" / "pages.py"))
HOOKS = runpy.run_path(str(ROOT / "docs" / "site" / "hooks.py"))
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(#[^)\s]*)?\)")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pages")
    PAGES["write"](made)
    return made


def test_pages_link_to_pages(folder: Path) -> None:
    """mkdocs looks at anchors, too, and says so where the site is built."""
    for page in folder.rglob("*.md"):
        for target, _ in LINK.findall(page.read_text("utf-8")):
            if "playground/" not in target:
                assert (page.parent / target).exists(), (page, target)


def test_the_first_page_says_what_it_is_and_then_where_to_try_it(folder: Path) -> None:
    head, what, try_it, _ = (folder / "index.md").read_text("utf-8").split("\n\n", 3)
    assert head == "# resnet-spec"
    assert what.startswith("A compiler for residual networks")
    assert try_it == PAGES["ABOUT"].format(count=len(shipped()))


def test_what_is_in_the_repository_is_there(folder: Path) -> None:
    found = set()
    for page in folder.rglob("*.md"):
        found |= set(
            re.findall(rf"{PAGES['SOURCE']}/([^)#\s]+)", page.read_text("utf-8"))
        )
    assert found
    assert not [path for path in found if not (ROOT / path).exists()]


def test_navigation_has_every_page(folder: Path) -> None:
    text = (ROOT / "docs/site/mkdocs.yml").read_text("utf-8")
    navigation = text[text.index("nav:") :]
    named = {*re.findall(r"([\w/-]+\.(?:md|html))$", navigation, re.M)}
    assert named == {page.name for page in folder.glob("*.md")} | {
        "gallery/index.md",
        "playground/index.html",
    }


def test_what_a_command_prints_is_no_prompt() -> None:
    session = "$ resnet-spec infer x.pth\n# By torchvision's names\nextends: resnet50\n"
    tokens = get_lexer_by_name("console").get_tokens(session)
    assert "".join(t for kind, t in tokens if kind is Generic.Prompt) == "$ "


def test_no_line_breaks_inside_of_an_option() -> None:
    html = "<p><code>build --deploy</code> -- <code>a--b</code> <code>x.md</code></p>"
    whole = html.replace("--deploy", '<span class="option">--deploy</span>')
    assert HOOKS["on_page_content"](html) == whole


def test_every_field_has_an_example_that_says_it(folder: Path, tmp_path: Path) -> None:
    """And compiles; read back from its address as a browser does."""
    text = (folder / "language.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z_0-9]+)` \|.* \(\[.*?\]\((.*?)\)\) \|$", text, re.M)
    bare = re.findall(r"^\| `([a-z_0-9]+)` \|.*\|$", text, re.M)
    assert [field for field, _ in rows] == bare
    models = json_schema()["$defs"].values()
    every = {name for model in models for name in model["properties"]}
    assert every - {"extends", "choices"} <= {field for field, _ in rows}
    for field, address in {*rows}:
        said = parse_qs(address.partition("#")[2])
        (start,) = said["from"]
        file = tmp_path / "example.yaml"
        if "spec" in said:
            packed = said["spec"][0] + "=" * (-len(said["spec"][0]) % 4)
            file.write_bytes(zlib.decompress(urlsafe_b64decode(packed), wbits=-15))
            load(file)
            keys = [*walk(yaml.safe_load(file.read_text("utf-8")))]
        else:
            keys = [*walk(load(start).source.root.data)]
        assert field in keys, (field, address)


def walk(data: object) -> list[str]:
    if isinstance(data, list):
        return [key for each in data for key in walk(each)]
    if isinstance(data, dict):
        return [*data, *(key for each in data.values() for key in walk(each))]
    return []
