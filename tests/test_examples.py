"""The notebooks run in a real kernel, and give what they show."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted(Path("examples").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
@pytest.mark.filterwarnings("default")  # of the kernel's own libraries
def test_a_notebook_gives_what_it_shows(file: Path) -> None:
    notebook = nbformat.read(file, as_version=4)
    expected = [shown(cell) for cell in notebook.cells]
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=".")
    assert [shown(cell) for cell in notebook.cells] == expected
    assert sum(map(bool, expected)) > 5


def shown(cell: Any) -> str:
    """What is below a cell, as text."""
    outputs = cell.get("outputs", [])
    return "".join(o.get("text", "") or o["data"]["text/plain"] for o in outputs)
