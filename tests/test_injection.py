"""Strings that reach a generated file stay the strings that they are, or are refused."""

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from resnet_spec.cli import main
from tests.strategies import spec_data

NASTY = [
    '"',
    "'",
    '"""',
    "'''",
    "\\",
    "\\N{DIGIT ONE}",
    "\n",
    "\r",
    "\x0c",
    "\0",
    "\x85",
    "\u2028",
    "\u2029",
    "\u202e",
    "\u2066",
    "\ufeff",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "{#",
    "#}",
    "#",
    "%s",
    "{network.name}",
    "(sha256: spec 000000000000, text 000000000000).",
    "import os",
    ")",
    "é",
    "日",
    "a",
    " ",
]
nasty = st.lists(st.sampled_from(NASTY) | st.text(max_size=3), min_size=1, max_size=5)
BASE = yaml.safe_load((Path(__file__).parents[1] / "specs/resnet18.yaml").read_text())
FIELDS = ["name", "title", "paper.title", "paper.url"]


def source(data: dict[str, Any], folder: Path, name: str = "net.yaml") -> str | None:
    """The source that the spec gives, None where it is refused."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(data, allow_unicode=False), encoding="utf-8")
    result = CliRunner().invoke(main, ["build", str(file), "-o", "-"])
    assert result.exit_code in (0, 1), result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.stdout if result.exit_code == 0 else None


def skeleton(text: str, name: str) -> str:
    """The syntax tree without the module's docstring, the class's name made plain."""
    tree = ast.parse(text)
    docstring = tree.body[0]
    assert isinstance(docstring, ast.Expr)
    assert isinstance(docstring.value, ast.Constant)
    tree.body = tree.body[1:]
    return ast.dump(tree).replace(f"'{name}'", "'Plain'")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("injection")


@pytest.mark.slow
@given(parts=nasty, field=st.sampled_from(FIELDS))
@example(parts=['"""', "\nimport os\n", '"""'], field="title")
@example(parts=["https://x", '"""'], field="paper.url")
@example(parts=["(sha256: spec 000000000000, text 000000000000)."], field="title")
def test_a_string_changes_its_own_literal_alone(
    folder: Path, parts: list[str], field: str
) -> None:
    plain = source(BASE, folder)
    assert plain is not None
    value = "".join(parts)
    data = {**BASE, "paper": dict(BASE["paper"])}
    *above, key = field.split(".")
    (data["paper"] if above else data)[key] = value
    made = source(data, folder)
    if made is not None:
        name = value if field == "name" else BASE["name"]
        assert skeleton(made, name) == skeleton(plain, BASE["name"])
        said = " ".join((ast.get_docstring(ast.parse(made)) or "").split())
        assert " ".join(value.split()) in (said if field != "name" else made)


@given(parts=nasty)
def test_a_file_name_is_a_module_name_or_refused(
    folder: Path, parts: list[str]
) -> None:
    stem = "".join(parts).replace("/", "").replace("\0", "")
    if stem.strip(".") and len(stem.encode("utf-8", "replace")) < 100:
        made = source(
            BASE, folder, f"specs/{stem.encode('utf-8', 'replace').decode()}.yaml"
        )
        assert (made is not None) is (stem.isidentifier() and stem.isascii())


@pytest.mark.slow
@given(data=spec_data(), title=st.text(max_size=30))
def test_whatever_is_drawn_the_source_parses(
    folder: Path, data: dict[str, Any], title: str
) -> None:
    made = source({**data, "title": title}, folder)
    if made is not None:
        ast.parse(made)
