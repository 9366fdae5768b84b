"""What a change passes, and what takes longer: `nox -l` lists it.

Sessions run in the environment that is active, with the extra `test`; nothing is installed.
"""

from collections.abc import Callable
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "regen", "test"]


@nox.session
def test(session: nox.Session) -> None:
    """The tests; takes pytest's arguments after `--`."""
    session.run("pytest", "-n", "2", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types, and which room imports which."""
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("lint-imports", "--no-cache")


@nox.session
def regen(session: nox.Session) -> None:
    """Write what is made of the code again: see `git diff` for what has changed."""
    for table, command in {
        "resnet_spec/lowering/alike.txt": "tests.alike",
        "resnet_spec/weights/inference/shipped.txt": "tests.which",
    }.items():
        text = session.run("python", "-m", command, silent=True, stderr=None)
        Path(table).write_text(str(text), encoding="utf-8")
    session.run("resnet-spec", "build", "specs")
    session.run("python", "-m", "tests.test_errors")
    session.run("python", "docs/architecture.py")
    session.run("resnet-spec", "diagram", "resnet50", "-o", "docs/resnet50.svg")
    for page, command in {
        "docs/resnet-spec.schema.json": "resnet-spec schema",
        "docs/language.md": "resnet-spec schema --markdown",
        "docs/rules.md": "resnet-spec rule --markdown",
        "docs/figures.md": "python -m tests.figures",
        "docs/which-resnet.md": "python -m tests.which --markdown",
    }.items():
        text = session.run(*command.split(), silent=True, stderr=None)
        Path(page).write_text(str(text), encoding="utf-8")


@nox.session
def site(session: nox.Session) -> None:
    """Write the site with its playground to build/site, links and words checked."""
    session.run("python", "docs/site/pages.py", "build/pages")
    session.run("python", "docs/site/build.py", "build/pages/playground")
    quiet = {"NO_MKDOCS_2_WARNING": "1"}  # on another generator
    session.run(
        "mkdocs", "build", "--strict", "-q", "-f", "docs/site/mkdocs.yml", env=quiet
    )
    local = ("--no-status", "--ignore-url=^https?:")
    session.run("linkchecker", *local, "build/site/index.html", silent=True)
    skipped = "--skip=*.svg,*.js,*.json,playground"
    session.run("codespell", skipped, "build/pages", "README.md")


@nox.session
def pictures(session: nox.Session) -> None:
    """Draw the README's pictures again, by the Chromium that is here."""
    session.run("python", "-m", "tests.pictures")


@nox.session
def bench(session: nox.Session) -> None:
    """Time to compile and to count, as the README has it."""
    session.run("python", "benchmarks/compile.py")
    session.run("python", "benchmarks/cost.py")


@nox.session
def long(session: nox.Session) -> None:
    """Hours and 20 GB, with the extra `long`; `nox -s long -- fuzz kills` runs those parts.

    Their last figures are in docs/evidence.md.
    """
    for part in session.posargs or LONG:
        LONG[part](session)


def tests(session: nox.Session) -> None:
    session.run("pytest", "-n", "2", "-m", "long")


def conformance(session: nox.Session) -> None:
    session.run("python", "-m", "tests.conformance")
    session.run("pytest", "tests/test_conformance.py", "-k", "table")


def fuzz(session: nox.Session) -> None:
    limits = ("-timeout=60", "-rss_limit_mb=300", "-max_len=8192")
    session.run("python", "benchmarks/fuzz.py", "-runs=1000000", *limits)


def mutation(session: nox.Session) -> None:
    session.run("mutmut", "run")
    session.run("mutmut", "export-cicd-stats")


def kills(session: nox.Session) -> None:
    session.run("pytest", "tests/test_kill.py", env={"KILLS": "500"})


LONG: dict[str, Callable[[nox.Session], None]] = {
    part.__name__: part for part in (tests, conformance, fuzz, mutation, kills)
}
