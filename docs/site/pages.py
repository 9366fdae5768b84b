"""The pages of the site, as Markdown for mkdocs: `python docs/site/pages.py FOLDER`.

They are those of docs and two of the root, with links that hold there; the beginning of the
README and what it says of checks; the examples of the language, each of which opens in the
playground; and a gallery of what ships.
"""

from __future__ import annotations

import os
import re
import runpy
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from resnet_spec.cli import COMMANDS, main
from resnet_spec.compiler import load
from resnet_spec.emit.diagram import diagram
from resnet_spec.language.shipped import family, shipped, shortest
from resnet_spec.language.yaml_nodes import compose
from resnet_spec.network import Network
from resnet_spec.problems.words import counted

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PLAYGROUND = "playground/index.html"
SOURCE = "https://example.org/resnet-spec/blob/main"
fragment = runpy.run_path(str(HERE / "address.py"))["fragment"]
COPIED = (".svg", ".png", ".json")
OWN_FILES = (".md", ".css", ".js")
MOVED = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""The pages that files become, where they are called otherwise."""
RECORD = "first-use.md"  # of what was, and no page for readers
NAMED = re.compile(r"\[([\w/.-]+\.md)\](?=\(\1[#)])")
LINK = re.compile(r"(?<=\]\()(?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?(?=\))")
ROW = re.compile(r"\| `([a-z_0-9]+)` \|.*\|")


def write(folder: Path) -> None:
    """Write all of them, in place of what is there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file, page in pages().items():
        text = linked(file.read_text(encoding="utf-8"), file)
        (folder / page).write_text(text, encoding="utf-8")
    for file in (ROOT / "docs").iterdir():
        if file.suffix in COPIED:
            shutil.copyfile(file, folder / file.name)
    for file in HERE.iterdir():
        if file.suffix in OWN_FILES:
            shutil.copyfile(file, folder / file.name)
    language = folder / "language.md"
    language.write_text(exemplified(language.read_text("utf-8")), encoding="utf-8")
    index = folder / "index.md"
    top, *sections = index.read_text("utf-8").split("\n## ")
    index.write_text(first_page(top), encoding="utf-8")
    (checks,) = (text for text in sections if text.startswith("What is checked"))
    (folder / "checked.md").write_text(f"# {checks}", encoding="utf-8")
    (folder / "commands.md").write_text(commands(), encoding="utf-8")
    for name, text in gallery().items():
        file = folder / "gallery" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")


@cache
def pages() -> dict[Path, str]:
    """The page that each file becomes."""
    found = sorted((ROOT / "docs").glob("*.md"))
    docs = {file: file.name for file in found if file.name != RECORD}
    elsewhere = {ROOT / file: page for file, page in MOVED.items()}
    return docs | elsewhere


def linked(text: str, file: Path) -> str:
    """With links to pages of the site, by their titles, or else to the repository."""
    known = {path.resolve(): page for path, page in pages().items()}

    def link(found: re.Match[str]) -> str:
        target, place = found[1], found[2] or ""
        path = (file.parent / target).resolve()
        if path.parent == ROOT / "docs" and path.suffix in COPIED:
            return path.name
        if path in known:
            return known[path] + place
        return f"{SOURCE}/{path.relative_to(ROOT).as_posix()}{place}"

    return LINK.sub(link, NAMED.sub(lambda name: f"[{title(file, name[1])}]", text))


def title(file: Path, link: str) -> str:
    """That of the page to which a file links."""
    text = (file.parent / link).read_text(encoding="utf-8")
    return f"*{text.splitlines()[0].removeprefix('# ')}*"


ABOUT = """\
Try it in the [playground](playground/index.html) without installing anything, look around in
the [gallery](gallery/index.md) of {count} networks, or [start in five minutes](start.md).
[ResNet, explained by itself](explained.md) is for those to whom residual networks are new."""
DRAWN = "`resnet-spec diagram resnet50 -o resnet50.svg` draws it:"
"""What the first page says on the site alone."""


def first_page(top: str) -> str:
    """The beginning of the README, where to go from there, and its picture at the end."""
    head, what, picture, rest = top.split("\n\n", 3)
    about = ABOUT.format(count=len(shipped()))
    return "\n\n".join((head, what, about, rest, DRAWN, picture)) + "\n"


def commands() -> str:
    """What `--help` says of all commands, and of each."""
    context = click.Context(main, info_name="resnet-spec", max_content_width=80)
    texts = [f"# Commands\n\n```text\n{main.get_help(context)}\n```\n"]
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command
        said = command.get_help(
            click.Context(command, context, name, max_content_width=80)
        )
        texts.append(f"## {name}\n\n```text\n{said}\n```\n")
    return "\n".join(texts)


# --- the language -------------------------------------------------------------------------

CHAINS = {"An op": "block-", "An op of a stem": "stem-", "An op of a head": "head-"}
"""Where the ops of a table stand, as examples of them are called."""


def exemplified(text: str) -> str:
    """The page of the language, each field with an example that opens in the playground."""
    lines, section = [], ""
    for line in text.splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        if found := ROW.fullmatch(line):
            above = f"{section.strip('`')}." if section.startswith("`") else ""
            name, address = example(CHAINS.get(section, above) + found[1])
            line = f"{line[:-2]} ([try {name}]({address})) |"
        lines.append(line)
    return "\n".join(lines) + "\n"


def example(field: str) -> tuple[str, str]:
    """The name of the shortest spec that says a field, and its address in the playground.

    `stem-conv` is an op of a chain, there. What no spec that ships says is said in a file.
    """
    if (own := HERE / "examples" / f"{field}.yaml").exists():
        text = own.read_text(encoding="utf-8")
        return "example", f"{PLAYGROUND}{fragment('resnet18', text)}"
    name = shortest()[said()[field]]
    return name, f"{PLAYGROUND}{fragment(name)}"


@cache
def said() -> dict[str, str]:
    """The shortest spec that ships of those that say a field, or an op in a chain."""
    found: dict[str, str] = {}
    texts = {key: file.read_text("utf-8") for key, file in shipped().items()}
    for key in sorted(texts, key=lambda key: len(texts[key])):
        root, _ = compose(texts[key], key)
        for field in fields(root.data):
            found.setdefault(field, key)
    return found


def fields(
    data: Any, path: tuple[str, ...] = (), in_chain: bool = False
) -> Iterator[str]:
    """`head`, `head.classes`, and `block-conv` for an op of a chain; none that is null."""
    if isinstance(data, list):
        for each in data:
            yield from fields(each, path, True)
    elif isinstance(data, dict):
        for key, value in data.items():
            if value is None:
                continue
            if in_chain and path:
                place = "block" if path[0] == "shortcut" else path[0]
                yield f"{place}-{key}"
            yield ".".join((*path, key))
            yield from fields(value, (*path, key))


# --- the gallery --------------------------------------------------------------------------


def gallery() -> dict[str, str]:
    """A page for each family, their pictures, and one that has all names and figures."""
    made = {}
    index = ["# Gallery\n", GALLERY.format(count=len(shipped()))]
    for name, group in groupby(sorted(shipped(), key=_placed), key=family):
        keys, page = [*group], f"{name.replace('/', '_')}.md"
        texts = [f"# {name}\n", "[All families](index.md)\n"]
        index += [f"## [{name}]({page})\n", HEADER]
        for key in keys:
            network = load(key).network
            short, picture = shortest()[key], f"{key.replace('/', '_')}.svg"
            anchor = re.sub(r"[^a-z0-9_]+", "-", short.lower()).strip("-")
            figures = f"{network.params:,} | {counted(network.macs)}"
            index.append(
                f"| [{short}]({page}#{anchor}) | {network.title} | {figures} |"
            )
            made[picture] = diagram(network, "svg")
            source = ROOT / "generated" / f"{key}.py"
            made[picture.replace(".svg", ".py")] = source.read_text(encoding="utf-8")
            texts.append(entry(key, network, anchor, picture))
        made[page] = "\n".join(texts)
        index.append("")
    made["index.md"] = "\n".join(index)
    return made


def _placed(key: str) -> tuple[bool, bool, str, list[str | int]]:
    """Torchvision's come first, and last those of other people's code; 18 before 101."""
    name = family(key)
    parts = [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", key)]
    return name.startswith("field/"), name != "torchvision", name, parts


GALLERY = """\
All {count} networks that ship, by family: torchvision's first, then timm's and the papers', and
last those of other people's code ([how each was checked](../field.md)). Figures are for the
input that each spec names. Each opens in the [playground](../playground/index.html).
"""
HEADER = "| name | network | parameters | MACs |\n| --- | --- | ---: | ---: |"
ENTRY = """\
## {short} {{#{anchor}}}

{title}: {params} parameters, {macs}MACs at {image}. [Open in the playground]({playground}),
[generated source]({source}).{paper}

![{title}, drawn from its spec]({picture})

??? note "{file}"
    ```yaml
{text}
    ```
"""


def entry(key: str, network: Network, anchor: str, picture: str) -> str:
    """What the page of its family has of a network, the text of its spec in it."""
    short, file = shortest()[key], shipped()[key]
    lines = file.read_text(encoding="utf-8").rstrip().splitlines()
    return ENTRY.format(
        short=short,
        anchor=anchor,
        title=network.title,
        paper=" Paper: [{}]({}).".format(*network.paper) if network.paper else "",
        params=f"{network.params:,}",
        macs=counted(network.macs),
        image=" x ".join(map(str, map(int, network.image))),
        playground=f"../{PLAYGROUND}{fragment(short)}",
        source=picture.replace(".svg", ".py"),
        picture=picture,
        file=file.relative_to(ROOT).as_posix(),
        text="\n".join(f"    {line}".rstrip() for line in lines),
    )


if __name__ == "__main__":
    os.chdir(ROOT)
    write(Path(sys.argv[1]))
