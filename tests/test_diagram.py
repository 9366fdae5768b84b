"""Pictures: what they show is so, and a browser finds nothing wrong with how they look."""

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from resnet_spec import Network, diagram, load
from resnet_spec.cli import main
from resnet_spec.emit.diagram import FORMATS, dot, mermaid, svg, text
from resnet_spec.network import BilinearAttention, Op, Tensor
from tests.conftest import ROOT
from tests.families import shipped_networks
from tests.strategies import Pool

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def shipped() -> list[Network]:
    """The network of each spec that ships, and some without a head."""
    parts = (["stem", 2, 4], ["pool", 1], ["stem"])
    cut = [load("resnet50d", features=features).network for features in parts]
    return [*shipped_networks().values(), *cut]


@pytest.fixture(scope="module")
def networks(shipped: list[Network], drawn: Pool) -> list[Network]:
    return [*shipped, *(network for _, network in drawn)]


@pytest.fixture(scope="module")
def pictures(networks: list[Network]) -> list[str]:
    return [*map(svg, networks)]


# --- what a picture says ------------------------------------------------------------------


def texts(element: ET.Element) -> list[str]:
    return [str(each.text) for each in element.iter(f"{SVG}text")]


DRAWN = re.compile(r"(layer\d+\.\d+) \((\d+) of (\d+) blocks?\)")


def test_a_picture_shows_parts_blocks_and_shapes_as_they_are(
    networks: list[Network], pictures: list[str]
) -> None:
    for network, picture in zip(networks, pictures, strict=True):
        root = ET.fromstring(picture)
        said = Counter(texts(root))
        blocks = dict(network.blocks())
        assert f"{network.params:,} parameters" in "".join(said)
        assert root.findtext(f"{SVG}title") == network.title
        assert network.title in said
        found = [match for words in said if (match := DRAWN.fullmatch(words))]
        assert sum(int(match[2]) for match in found) == len(blocks), network
        assert {int(match[3]) for match in found} <= {len(blocks)}
        for stage in network.stages:
            assert said[stage.name] == 1
            for kind in {block.kind for block in stage.blocks}:
                count = sum(block.kind == kind for block in stage.blocks)
                assert f"{count} × {kind}" in said or f"{count} ×" in said
                assert said[kind] or said[f"{count} × {kind}"]
        for shape in (network.image, *network.shapes.values()):
            channels, height, width = shape
            assert {f"{channels}", f"{height} × {width}"} <= said.keys(), network
        assert said["features"] == len(network.features)


ATTENTION = "AttentionPool2d"  # one step, whatever it holds


def test_all_is_drawn_with_the_convolutions_whose_weights_it_has(
    networks: list[Network], pictures: list[str]
) -> None:
    for network, picture in zip(networks, pictures, strict=True):
        blocks, root = dict(network.blocks()), ET.fromstring(picture)
        ops = [op for op in (*network.entry, *network.head) if op.module != ATTENTION]
        expected = Counter(weights([tensor for op in ops for tensor in op.tensors]))
        for group in root.findall(f"{SVG}g"):
            title, note, *lines = [*texts(group), ""]
            if not (match := DRAWN.fullmatch(note)):
                continue
            block = blocks[match[1]]
            assert title == block.kind
            shapes = [line for line in lines if re.fullmatch(r"\d+ × \d+ × \d+", line)]
            assert shapes == [sized(block.input), sized(block.output)]
            held = Counter(weights([tensor for _, tensor in block.tensors]))
            seen = Counter(drawn_weights(lines))
            if any(isinstance(op, BilinearAttention) for op in block.ops):
                assert seen <= held  # what makes its matrices is one step
            else:
                assert seen == held, (network.title, match[1], seen, held)
            assert ("identity" in lines) == (block.adds and not drawn_ops(block.branch))
            expected += seen
        assert Counter(drawn_weights(texts(root))) == expected, network.title


def sized(shape: tuple[int, ...]) -> str:
    return " × ".join(str(int(side)) for side in shape)


def weights(tensors: list[Tensor]) -> Iterator[tuple[int, int]]:
    """Kernel and channels of each convolution or linear layer that holds those."""
    for tensor in tensors:
        if tensor.name.endswith("weight") and len(tensor.shape) in (2, 4):
            out, _, kernel, *_ = (*tensor.shape, 1)
            yield (kernel, out)


def drawn_weights(lines: list[str]) -> Iterator[tuple[int, int]]:
    """The same, of the words in a picture."""
    pattern = r"(?:each of (\d+): )?(?:(\d+)×\2 (?:\w+ )?conv|fc)(?:, (\d+))?(?:, .*)?"
    for line in lines:
        if match := re.fullmatch(pattern, line.removeprefix("mean by softmax of ")):
            times, kernel, out = match.groups(default="1")
            yield from [(int(kernel), int(out))] * int(times)


def drawn_ops(ops: tuple[Op, ...]) -> list[Op]:
    """Those that change a number in evaluation or in training."""
    return [op for op in ops if op.active and (op.meaning or op.training)]


def test_a_deeper_network_has_no_larger_picture() -> None:
    for make in FORMATS.values():
        shallow = make(load("resnet50").network)
        for depth in (23, 1000):
            deep = load("resnet50", {"depths": [3, 4, depth, 3]}).network
            figures = len(str(deep.params)) * 20
            assert len(make(deep)) < len(shallow) + figures


def test_the_same_network_is_the_same_bytes() -> None:
    code = (
        "import sys, resnet_spec as r\n"
        "n = r.load('res2net50d').network\n"
        "for f in ('svg', 'mermaid', 'dot', 'text'):\n"
        "    sys.stdout.buffer.write(r.diagram(n, f).encode())\n"
    )
    network = load("res2net50d").network
    expected = "".join(diagram(network, each) for each in FORMATS)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONHASHSEED": "7"},
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode() == expected


def test_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="svg, mermaid, dot, text, not 'png'"):
        diagram(load("resnet18").network, "png")


# --- a browser ----------------------------------------------------------------------------


THEMES = ("light", "dark")
JUDGE = (ROOT / "tests" / "helpers" / "picture.js").read_text(encoding="utf-8")


def judged(browser: Any, pictures: list[str]) -> list[list[str]]:
    """What the browser finds wrong with each picture, and last with the colors of all."""
    page = browser.new_page(viewport={"width": 2400, "height": 900})
    noticed: list[str] = []
    page.on("console", lambda message: noticed.append(message.text))
    page.on("pageerror", lambda error: noticed.append(str(error)))
    page.on("request", lambda request: noticed.append(request.url))
    page.set_content("\n".join(pictures))
    page.add_script_tag(content=JUDGE)
    found: list[list[str]] = page.evaluate(
        "[...document.querySelectorAll('svg')].map(misplaced)"
    )
    assert len(found) == len(pictures)
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        found.append(page.evaluate("pale()"))
    assert page.evaluate("document.querySelectorAll('[id]').length") == 0
    assert noticed == []
    page.close()
    return found


@pytest.mark.slow
def test_nothing_overlaps_leaves_its_box_or_is_pale(
    browser: Any, shipped: list[Network], pictures: list[str]
) -> None:
    assert not [*filter(None, judged(browser, pictures[: len(shipped)]))]


@pytest.mark.long
def test_nor_does_anything_in_pictures_of_drawn_networks(
    browser: Any, shipped: list[Network], pictures: list[str]
) -> None:
    assert not [*filter(None, judged(browser, pictures[len(shipped) :]))]


def test_nor_does_anything_in_the_picture_of_the_house(browser: Any) -> None:
    picture = (ROOT / "docs" / "architecture.svg").read_text(encoding="utf-8")
    assert not [*filter(None, judged(browser, [picture]))]


def test_a_fault_that_is_put_in_is_found(browser: Any) -> None:
    picture = svg(load("seresnet18").network)
    faults = {
        "leaves its box": ('font-size="13"', 'font-size="21"'),
        "overlaps": ('font-size="1[12][.\\d]*"', 'font-size="30"'),
        "outside": ('viewBox="0 0', 'viewBox="40 0'),
        "crosses": ('<text x="([.\\d]+)"', r'<text x="\1" dx="-30"'),
        "pale": ('fill="#55606f"', 'fill="#9aa3ae"'),
    }
    made = [re.sub(pattern, put, picture) for pattern, put in faults.values()]
    assert picture not in made
    *found, light, dark = judged(browser, made)
    found[-1] += light
    for fault, words in zip(faults, found, strict=True):
        assert any(fault in each for each in words), fault
    assert not dark


def test_a_page_can_force_its_theme_and_a_reader_hears_the_title(browser: Any) -> None:
    picture = svg(load("resnet18").network)
    page = browser.new_page(color_scheme="dark")
    wrapped = [f'<div data-theme="{theme}">{picture}</div>' for theme in THEMES]
    own = [picture.replace("<svg", f'<svg data-theme="{t}"', 1) for t in THEMES]
    page.set_content("".join([picture, *wrapped, *own]))
    fills = "[...document.querySelectorAll('svg > rect')].map(r => getComputedStyle(r).fill)"
    dark, *forced = page.evaluate(fills)
    page.emulate_media(color_scheme="light")
    light, *again = page.evaluate(fills)
    assert dark != light
    assert forced == again == [light, dark] * 2
    assert page.get_by_role("img", name="ResNet-18", exact=True).count() == 5
    page.close()


@pytest.mark.long
@pytest.mark.skipif("MERMAID" not in os.environ, reason="MERMAID is no mermaid.min.js")
def test_mermaid_takes_every_flowchart(browser: Any, networks: list[Network]) -> None:
    page = browser.new_page()
    page.set_content("<body></body>")
    page.add_script_tag(path=os.environ["MERMAID"])
    for network in networks:
        page.evaluate("chart => mermaid.parse(chart)", mermaid(network))
    page.close()


# --- the other formats --------------------------------------------------------------------

NASTY = 'A "quoted" <b>&amp; [x]; #1 \\ {y} | %% `z`'


@pytest.fixture(scope="module")
def nasty() -> Network:
    return load("resnet18").network.replace(title=NASTY)


WORDS = r"(?:[\w ,.:()×-]|#\d+;|<br>)+"
NODE = re.compile(
    rf'        (\w+)(?:\(\["{WORDS}"\]\)|\["{WORDS}"\]|\(\("{WORDS}"\)\))'
)
EDGE = re.compile(rf'        (\w+) -->(?:\|"{WORDS}"\|)? (\w+)')
OTHER = re.compile(
    rf"flowchart LR|    acc(?:Title|Descr): [^;#{{}}]+|        direction TB|    end"
    rf'|    subgraph \w+ \["{WORDS}"\]|    \w+(?: ~~~ \w+)+'
)


def test_a_flowchart_names_each_node_once_and_escapes_what_it_must(
    networks: list[Network], nasty: Network
) -> None:
    for network in (*networks, nasty):
        nodes: list[str] = []
        ends: list[str] = []
        for line in mermaid(network).splitlines():
            if match := NODE.fullmatch(line):
                nodes.append(match[1])
            elif match := EDGE.fullmatch(line):
                ends += match.groups()
            else:
                assert OTHER.fullmatch(line), line
        assert len({*nodes}) == len(nodes)
        assert {*nodes} == {*ends}


@pytest.mark.skipif(not shutil.which("dot"), reason="needs Graphviz")
def test_graphviz_takes_every_graph(drawn: Pool, nasty: Network) -> None:
    every = [*(each.network for each in drawn), nasty]
    command = [str(shutil.which("dot"))]
    parsed = subprocess.run(
        [*command, "-Tcanon"],
        input="".join(map(dot, every)).encode(),
        capture_output=True,
        check=True,
    )
    assert parsed.stderr == b""
    assert parsed.stdout.decode().count("digraph") == len(every)
    laid = subprocess.run(
        [*command, "-Tplain"],
        input=dot(nasty).encode(),
        capture_output=True,
        check=True,
    )
    lines = laid.stdout.decode().splitlines()
    assert sum(line.startswith("node ") for line in lines) == dot(nasty).count("shape=")
    assert laid.stderr == b""


UP, DOWN, LEFT, RIGHT = "│├┤┴└┘", "│├┤┬┌┐", "─┴┬┤┐┘", "─┴┬├┌└"


def test_a_drawing_of_characters_fits_and_its_lines_meet(
    networks: list[Network], nasty: Network
) -> None:
    for network in (*networks[::3], nasty):
        lines = text(network).splitlines()
        assert max(map(len, lines)) <= 80, network.title
        assert "×" not in text(network)
        wide = [f"{line:81}" for line in ["", *lines, ""]]
        for above, line, below in zip(wide, wide[1:], wide[2:], strict=False):
            for i, sign in enumerate(line[:-1]):
                if sign in RIGHT:
                    assert line[i + 1] in LEFT, line
                if sign in LEFT:
                    assert line[i - 1] in f"{RIGHT})", line
                if sign in DOWN:
                    assert below[i] in UP or below[i] == "+" or labelled(below), line
                if sign in UP:
                    assert above[i] in DOWN or above[i] == "+" or labelled(above), line


def labelled(line: str) -> bool:
    """Whether it says a shape, where a line begins or ends."""
    return bool(re.fullmatch(r" {3}\d+( x \d+ x \d+)? *", line))


# --- from the command line, and in notebooks ----------------------------------------------


def run(*args: str) -> Result:
    return CliRunner().invoke(main, ["diagram", *args])


def test_the_suffix_says_the_format_and_a_picture_may_replace_a_picture(
    tmp_path: Path,
) -> None:
    network = load("resnet18").network
    fence = f"```mermaid\n{mermaid(network)}```\n"
    made = {
        "svg": svg(network),
        "MD": fence,
        "dot": dot(network),
        "txt": text(network),
    }
    for suffix, drawn in made.items():
        file = tmp_path / "new" / f"x.{suffix}"
        for spec in ("resnet34", "resnet18"):
            result = run(spec, "-o", str(file))
            assert (result.exit_code, result.output) == (0, f"{file}\n")
        first, _, mark = (
            file.read_text(encoding="utf-8").removesuffix("\n").rpartition("\n")
        )
        assert (f"{first}\n", "drawn by resnet-spec" in mark) == (drawn, True)
    ET.parse(tmp_path / "new" / "x.svg")
    assert run("resnet18").output == text(network)
    assert run("resnet18", "-o", "-", "--format", "mermaid").output == fence
    odd = tmp_path / "picture.xml"
    assert run("resnet18", "-o", str(odd), "--format", "svg").exit_code == 0
    assert odd.read_text(encoding="utf-8").startswith(svg(network))


def test_the_picture_in_docs_is_what_the_command_draws(tmp_path: Path) -> None:
    hint = "run `resnet-spec diagram resnet50 -o docs/resnet50.svg`"
    file = tmp_path / "resnet50.svg"
    run("resnet50", "-o", str(file))
    assert (ROOT / "docs" / "resnet50.svg").read_bytes() == file.read_bytes(), hint


def test_what_is_asked_for_counts() -> None:
    result = run("resnet18", "--features", "1,3", "--set", "widths=[8, 16, 24, 32]")
    assert "24 x 14 x 14, features" in result.output
    assert "layer4" not in result.output


def test_wrong_uses_end_in_one_line(tmp_path: Path) -> None:
    file, target = tmp_path / "README.md", tmp_path / "target.svg"
    file.write_text("mine\n")
    target.write_text("mine\n")
    link, folder = tmp_path / "link.svg", tmp_path / "folder.svg"
    link.symlink_to(target)
    folder.mkdir()
    whole = tmp_path / "binary.svg"
    whole.write_bytes(b"\xff\xfe")
    expected = {
        "x.png": (
            2,
            "-o ends in .svg, .md, .dot or .txt, not x.png; give --format for another suffix",
        ),
        "x": (
            2,
            "-o ends in .svg, .md, .dot or .txt, not x; give --format for another suffix",
        ),
        str(file): (1, "was not drawn by resnet-spec (--force replaces it)"),
        str(whole): (1, "was not drawn by resnet-spec (--force replaces it)"),
        str(link): (1, "is a symbolic link (--force replaces it)"),
        str(folder): (1, "is a folder, so it is not overwritten"),
        str(file / "x.svg"): (1, "cannot be written, "),
    }
    for output, (status, said) in expected.items():
        result = run("resnet18", "-o", output)
        assert (result.exit_code, said in result.stderr) == (status, True), output
        assert "Traceback" not in result.stderr
        assert len(result.stderr.splitlines()) == 1 or status == 2
    assert run("resnet18", "resnet34").exit_code == 2
    assert run("tests/errors/many_at_once.yaml").exit_code == 1
    assert (file.read_text(), target.read_text()) == ("mine\n", "mine\n")
    for output in (file, link):
        assert run("resnet18", "-o", str(output), "--force").exit_code == 0
        assert "mine" not in output.read_text(encoding="utf-8")
    assert target.read_text() == "mine\n"


def test_a_notebook_shows_a_network() -> None:
    formatters = pytest.importorskip("IPython.core.formatters")
    network = load("resnet18").network
    shown, _ = formatters.DisplayFormatter().format(network)
    assert shown["image/svg+xml"] == svg(network)
    assert shown["text/plain"] == repr(network)
