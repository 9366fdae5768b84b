"""The language server, asked by pygls' client and by editors as people have them."""

import asyncio
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner

from resnet_spec.cli import main
from resnet_spec.editor import Document, check
from resnet_spec.problems import extras

pytest.importorskip("pygls", reason="needs the extra editor")
from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

from resnet_spec.server import is_spec

FULL = Path("specs/resnet50.yaml").read_text(encoding="utf-8")
COMMAND = (sys.executable, "-m", "resnet_spec", "lsp", "--stdio")


class Client(LanguageClient):
    """A client that keeps what was last published."""

    def __init__(self) -> None:
        super().__init__("tests", "0")
        self.told: dict[str, list[lsp.Diagnostic]] = {}
        self.version = 1

        @self.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def publish(params: lsp.PublishDiagnosticsParams) -> None:
            self.told[params.uri] = list(params.diagnostics)

    def open(self, uri: str, text: str, language: str = "yaml") -> None:
        item = lsp.TextDocumentItem(uri, language, 1, text)
        self.text_document_did_open(lsp.DidOpenTextDocumentParams(item))

    def change(self, uri: str, text: str) -> None:
        self.version += 1
        known = lsp.VersionedTextDocumentIdentifier(self.version, uri)
        whole = lsp.TextDocumentContentChangeWholeDocument(text)
        params = lsp.DidChangeTextDocumentParams(known, [whole])
        self.text_document_did_change(params)

    def close(self, uri: str) -> None:
        at = lsp.TextDocumentIdentifier(uri)
        self.text_document_did_close(lsp.DidCloseTextDocumentParams(at))

    async def diagnostics(self, uri: str) -> list[lsp.Diagnostic]:
        """What is published when all that was sent before this has been answered."""
        at = lsp.TextDocumentIdentifier(uri)
        await self.text_document_hover_async(lsp.HoverParams(at, lsp.Position(0, 0)))
        return self.told[uri]


@asynccontextmanager
async def client(*encodings: lsp.PositionEncodingKind) -> AsyncIterator[Client]:
    asked = Client()
    await asked.start_io(*COMMAND)
    general = lsp.GeneralClientCapabilities(position_encodings=encodings or None)
    capabilities = lsp.ClientCapabilities(general=general)
    await asked.initialize_async(lsp.InitializeParams(capabilities=capabilities))
    asked.initialized(lsp.InitializedParams())
    yield asked
    await asked.shutdown_async(None)
    asked.exit(None)
    await asked.stop()


Asked = Callable[[Client], Coroutine[Any, Any, None]]
Ask = Callable[[Asked], None]


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """Runs a test with the one client that all of these share."""
    loop = asyncio.new_event_loop()
    context = client()
    editor = loop.run_until_complete(context.__aenter__())
    yield lambda test: loop.run_until_complete(asyncio.wait_for(test(editor), 60))
    loop.run_until_complete(context.__aexit__(None, None, None))
    loop.close()


def found(text: str, word: str) -> lsp.Position:
    """Where a word starts, in UTF-16 units."""
    before = text[: text.index(word)].split("\n")
    units = len(before[-1].encode("utf-16-le")) // 2
    return lsp.Position(len(before) - 1, units)


def changed(text: str, edits: Any) -> str:
    """The text after edits whose positions are UTF-16 units."""
    lines = text.split("\n")

    def index(at: lsp.Position) -> int:
        units = lines[at.line].encode("utf-16-le")[: 2 * at.character]
        return sum(len(line) + 1 for line in lines[: at.line]) + len(
            units.decode("utf-16-le")
        )

    spans = [(index(e.range.start), index(e.range.end), e.new_text) for e in edits]
    for start, end, new in sorted(spans, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def test_seven_things_an_editor_asks_for(ask: Ask, tmp_path: Path) -> None:
    uri = (tmp_path / "mine.yaml").as_uri()
    wrong = FULL.replace("shortcut:", "short_cut:")
    begun = FULL.replace("conv2  # v1.5", "  # v1.5")
    shuffled = "head: {classes: 10}  # ten\nextends: resnet50\nname: A\ntitle: a\n"

    async def asks(editor: Client) -> None:
        at = lsp.TextDocumentIdentifier(uri)
        editor.open(uri, wrong)
        told, *_ = await editor.diagnostics(uri)
        assert told.message == "short_cut: unknown key (did you mean shortcut?)"
        assert told.range.start == found(wrong, "short_cut")
        assert told.range.end == found(wrong, ": projection")
        assert (told.severity, told.code) == (1, "unknown-key")
        context = lsp.CodeActionContext([told])
        params = lsp.CodeActionParams(at, told.range, context)
        action, *_ = await editor.text_document_code_action_async(params)
        assert action.title == "write shortcut in place of short_cut"
        assert changed(wrong, action.edit.changes[uri]) == FULL

        editor.change(uri, FULL)
        assert await editor.diagnostics(uri) == []
        for word, said in {
            "stride_on": "convolution that strides in a bottleneck",
            "bottleneck": "1x1, 3x3, 1x1 (ResNet-50)",
            "4, 6, 3]": "gives 512 x 28 x 28; 1,219,584 parameters, 1.03 GMACs",
        }.items():
            params = lsp.HoverParams(at, found(FULL, word))
            hover = await editor.text_document_hover_async(params)
            assert said in hover.contents.value
        params = lsp.CompletionParams(at, found(FULL, "  # v1.5"))
        items = await editor.text_document_completion_async(params)
        offered = [(item.label, item.filter_text) for item in items]
        assert offered == [("conv2", "conv2"), ("conv1", "conv2")]

        editor.change(uri, begun)
        params = lsp.CompletionParams(at, found(begun, "  # v1.5"))
        items = await editor.text_document_completion_async(params)
        assert {item.label for item in items} == {"conv1", "conv2"}

        editor.change(uri, shuffled)
        named = found(shuffled, "resnet50")
        params = lsp.DefinitionParams(at, named)
        place = await editor.text_document_definition_async(params)
        assert place.uri == Path("specs/resnet50.yaml").absolute().as_uri()
        params = lsp.DocumentFormattingParams(at, lsp.FormattingOptions(2, True))
        edits = await editor.text_document_formatting_async(params)
        first, *rest = shuffled.splitlines(True)
        assert changed(shuffled, edits) == "".join([*rest, first])
        here = lsp.Range(named, named)
        params = lsp.CodeActionParams(at, here, lsp.CodeActionContext([]))
        (action,) = await editor.text_document_code_action_async(params)
        alone = changed(shuffled, action.edit.changes[uri])
        editor.change(uri, alone)
        assert await editor.diagnostics(uri) == []
        assert "extends" not in alone
        assert "widths: [64, 128, 256, 512]" in alone

    ask(asks)


@pytest.mark.parametrize("encodings", [[], ["utf-8"]])
def test_a_mistake_behind_an_emoji_is_where_it_is(
    encodings: list[str], tmp_path: Path
) -> None:
    """Which is two units of UTF-16, four bytes of UTF-8 and one code point."""
    uri = (tmp_path / "emoji.yaml").as_uri()
    text = "{name: A, title: \U0001f600é, widthss: 3, extends: resnet18}\n"
    units = {"utf-8": 1, "utf-16": 2, "utf-32": 4}

    async def asks() -> None:
        kinds = [lsp.PositionEncodingKind(each) for each in encodings]
        async with client(*kinds) as editor:
            editor.open(uri, text)
            told, *_ = await editor.diagnostics(uri)
            encoding = encodings[0] if encodings else "utf-16"
            before = text[: text.index("widthss")]
            name = f"{encoding}-le" if encoding != "utf-8" else encoding
            start = len(before.encode(name)) // units[encoding]
            assert told.range.start == lsp.Position(0, start)
            assert told.range.end == lsp.Position(0, start + len("widthss"))

    asyncio.run(asyncio.wait_for(asks(), 60))


def test_open_files_extend_one_another_unsaved(ask: Ask, tmp_path: Path) -> None:
    base, own, last = (
        (tmp_path / f"{n}.yaml").as_uri() for n in ("base", "own", "last")
    )

    async def asks(editor: Client) -> None:
        editor.open(last, "extends: own.yaml\nname: B\ntitle: b\n")
        (told,) = await editor.diagnostics(last)
        assert told.code == "extends"
        editor.open(own, "extends: base.yaml\nname: A\ntitle: a\nwidths: [64]\n")
        editor.open(base, FULL)
        editor.change(base, FULL.replace("[3, 4, 6, 3]", "[3, 4, 6]"))
        told = await editor.diagnostics(last)
        assert {each.code for each in told} == {"stage-count"}
        named = lsp.Range(lsp.Position(0, 9), lsp.Position(0, 17))
        assert [each.range for each in told] == [named] * len(told)
        where = {each.related_information[0].location.uri for each in told}
        assert where == {base, own}  # strides, and widths
        one = FULL.replace("[3, 4, 6, 3]", "[3]").replace("[1, 2, 2, 2]", "[1]")
        one = one.replace("stride_on: conv2", "").split("expect")[0]
        editor.change(base, one.replace("[64, 128, 256, 512]", "[64]"))
        assert await editor.diagnostics(last) == []
        assert await editor.diagnostics(own) == []
        editor.close(base)
        (told,) = await editor.diagnostics(last)
        assert told.code == "extends"

    ask(asks)


COMPOSE = "name: web\nservices:\n  db:\n    image: postgres\n"
OTHERS = {
    "compose": COMPOSE,
    "action": "name: CI\non: [push]\njobs: {test: {runs-on: ubuntu}}\n",
    "gitlab": "stages: [build]\nbuild: {extends: .base, script: make}\n",
    "eslint": "extends: eslint:recommended\nrules: {semi: error}\n",
    "list": "- a\n- b\n",
    "empty": "",
}


@pytest.mark.parametrize("other", OTHERS)
def test_other_yaml_is_no_spec(other: str) -> None:
    assert not is_spec(OTHERS[other])
    assert is_spec(OTHERS[other], "resnet-spec")


def test_all_specs_are() -> None:
    files = [*Path("specs").rglob("*.yaml")]
    assert all(is_spec(file.read_text(encoding="utf-8")) for file in files)


def test_nothing_is_said_of_other_yaml(ask: Ask, tmp_path: Path) -> None:
    uri = (tmp_path / "docker-compose.yml").as_uri()

    async def asks(editor: Client) -> None:
        at = lsp.TextDocumentIdentifier(uri)
        editor.open(uri, COMPOSE)
        assert await editor.diagnostics(uri) == []
        params = lsp.CompletionParams(at, lsp.Position(1, 3))
        assert await editor.text_document_completion_async(params) == []
        hover = lsp.HoverParams(at, lsp.Position(0, 1))
        assert await editor.text_document_hover_async(hover) is None

    ask(asks)


def typed(text: str, draw: Random) -> str:
    """The text with some characters gone, or others put in."""
    at = draw.randrange(len(text) + 1)
    if draw.random() < 0.5:
        return text[:at] + text[at + draw.randint(1, 12) :]
    pieces = [
        "{",
        "}",
        "[",
        ",",
        ": ",
        "\n",
        "- ",
        "#",
        "'",
        '"',
        "\t",
        "depths: ",
        "9",
    ]
    return text[:at] + draw.choice([*pieces, "\U0001f600", "extends: a\n"]) + text[at:]


def memory(process: int) -> int:
    """The bytes that a process has in memory."""
    pages = Path(f"/proc/{process}/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


def seconds(process: int) -> float:
    """The processor's time that a process has had."""
    ticks = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_two_hundred_edits_in_a_row(ask: Ask, tmp_path: Path) -> None:
    """Of which most are no YAML. What is said of each twentieth is what `check` says.

    An answer to a change takes less than 50 ms of the processor on average, in a network of
    152 layers, and the second hundred leaves no more in memory.
    """
    uri, draw = (tmp_path / "typed.yaml").as_uri(), Random(17)
    whole = FULL.replace("[3, 4, 6, 3]", "[3, 8, 36, 3]").split("expect")[0]

    async def asks(editor: Client) -> None:
        at, text = lsp.TextDocumentIdentifier(uri), whole
        editor.open(uri, text, "resnet-spec")
        process, sizes, spent = editor._server.pid, [], 0.0
        for nth in range(200):
            text = whole if nth % 10 == 0 else typed(text, draw)
            before = seconds(process)
            editor.change(uri, text)
            told = await editor.diagnostics(uri)
            spent += seconds(process) - before
            lines = text.split("\n")
            line = draw.randrange(len(lines))
            place = lsp.Position(line, draw.randint(0, len(lines[line])))
            await editor.text_document_hover_async(lsp.HoverParams(at, place))
            params = lsp.CompletionParams(at, place)
            await editor.text_document_completion_async(params)
            if told and nth % 4 == 1:
                context = lsp.CodeActionContext(told[:1])
                params = lsp.CodeActionParams(at, told[0].range, context)
                await editor.text_document_code_action_async(params)
            sizes.append(memory(process))
            if nth % 20 == 7:
                problems = check(Document(text, str(tmp_path / "typed.yaml"))).problems
                said = [each.said for each in problems]
                assert [each.message.split("\n")[0] for each in told] == said
        assert spent / 200 < 0.05
        assert sizes[-1] - sizes[99] < 20e6

    ask(asks)


def test_without_the_extra_a_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    result = CliRunner().invoke(main, ["lsp"])
    assert result.exit_code == 1
    assert result.output == "this needs pygls: pip install 'resnet-spec[editor]'\n"


# --- editors ------------------------------------------------------------------------------

MINE = """\
extends: resnet50
title: "A \U0001f600 network"
name: Mine
stem: {type: conv7x7, widht: 32}  # narrower
stride_on: conv1
"""
MENDED = """\
extends: resnet50
name: Mine
title: "A \U0001f600 network"
stem: {type: conv7x7, width: 32}  # narrower
stride_on: conv1
"""
SAID = "stem.widht: unknown key (did you mean width?)"


def edited_by(editor: list[str], language: str, folder: Path) -> dict[str, Any]:
    """What an editor makes of MINE, with the lines of the docs as its configuration.

    A script does what one would by hand.
    """
    file, result, init = (folder / n for n in ("mine.yaml", "result.json", "init"))
    file.write_text(MINE, encoding="utf-8")
    page = Path("docs/editors.md").read_text(encoding="utf-8")
    lines = page.split(f"```{language}\n")[1].split("```")[0]
    init = init.with_suffix({"lua": ".lua", "elisp": ".el"}[language])
    init.write_text(lines, encoding="utf-8")
    server = folder / "resnet-spec"
    server.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m resnet_spec "$@"\n')
    server.chmod(0o755)
    told = {"RESULT": str(result), "SPEC": str(file), "INIT": str(init)}
    told |= {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    told |= {"PYTHONPATH": str(Path.cwd()), "XDG_CONFIG_HOME": str(folder)}
    ran = subprocess.run(
        [told.get(word, word) for word in editor],
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.exists(), ran.stdout + ran.stderr
    found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    assert "what is between the image and the first stage" in found["hover"]
    assert found["completion"] == ["conv1", "conv2"]
    assert found["definition"].endswith(str(Path("specs/resnet50.yaml").absolute()))
    assert found["action"] == "write width in place of widht"
    assert found["after"] == []
    assert found["text"] == MENDED
    return found


@pytest.mark.skipif(not shutil.which("nvim"), reason="needs Neovim")
def test_neovim(tmp_path: Path) -> None:
    script = ["-c", "luafile tests/helpers/editor.lua", "SPEC"]
    command = ["nvim", "--headless", "-n", "-i", "NONE", "-u", "INIT", *script]
    found = edited_by(command, "lua", tmp_path)
    assert found["before"] == [[3, 22, 27, 1, SAID]]  # lines and columns from 0


@pytest.mark.long
def test_emacs(tmp_path: Path) -> None:
    """With eglot: Debian's emacs-nox and elpa-eglot."""
    found = edited_by(
        ["emacs", "--batch", "-l", "tests/helpers/editor.el"], "elisp", tmp_path
    )
    said = f"resnet-spec [unknown-key]: {SAID}"
    assert found["before"] == [[4, 22, "widht", said]]
