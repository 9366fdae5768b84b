"""The examples in docstrings give what they show.

Not by pytest's --doctest-modules, which passes over a test file that cannot be imported.
"""

import doctest
import importlib
from pathlib import Path

import pytest

import resnet_spec

ROOT = Path(resnet_spec.__file__).parent
MODULES = [
    ".".join(("resnet_spec", *file.relative_to(ROOT).with_suffix("").parts))
    for file in sorted(ROOT.rglob("*.py"))
    if ">>> " in file.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module(name: str) -> None:
    module = importlib.import_module(name.removesuffix(".__init__"))
    failed, tried = doctest.testmod(module)
    assert (failed, tried > 0) == (0, True)
