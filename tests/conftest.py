"""Profiles and fixtures that all tests share.

HYPOTHESIS_PROFILE=long pytest -m "not slow" draws fifty times as many networks, at random.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, settings

from tests.strategies import Pool, pool

ROOT = Path(__file__).parents[1]
collect_ignore = ["helpers"]  # which are no tests
QUIET = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]


def launched(running: Any) -> Any:
    """The system's Chromium, else playwright's own."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    return running.chromium.launch(executable_path=path, args=QUIET)


settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.register_profile(
    "long", settings.get_profile("ci"), derandomize=False, max_examples=3000
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
torch.set_num_threads(1)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out what is too long for each change, unless `-m` speaks of it."""
    if "long" in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    """Specs and their networks, drawn once for all tests of all processes."""
    folder = tmp_path_factory.getbasetemp()
    return pool(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium that asks nobody for anything; its loop ends with the module."""
    reason = "needs playwright and a Chromium"
    playwright = pytest.importorskip("playwright.sync_api", reason=reason)
    with playwright.sync_playwright() as running:
        try:
            opened = launched(running)
        except playwright.Error:
            pytest.skip(reason)
        yield opened
        opened.close()


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests name files as a user at the root of the repository would, without a terminal."""
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("COLUMNS", raising=False)  # which xdist sets
