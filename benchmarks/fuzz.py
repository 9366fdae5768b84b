"""Coverage-guided fuzzing of everything that reads a spec, with atheris.

    pip install -e '.[long]'
    nox -s long -- fuzz

An input is accepted or refused with a SpecError; anything else, more than two seconds of the
processor or more than 300 MB is a crash, and its input belongs in tests/hostile/corpus.py.
"""

import contextlib
import sys
import tempfile
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["resnet_spec"]):
    from resnet_spec import SpecError, load, render
    from resnet_spec.language.chains import OwnBlock, Step
    from resnet_spec.language.explanation import explain
    from resnet_spec.language.fields import Spec
    from resnet_spec.problems import report

FOLDER = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
FILE = FOLDER / "fuzzed.yaml"


def one(data: bytes) -> None:
    FILE.write_bytes(data)
    start = time.process_time()
    read()
    taken = time.process_time() - start
    assert taken < 2, f"{taken:.1f} seconds"


def read() -> None:
    try:
        compiled = load(FILE)
    except SpecError as error:
        report.text(error.problems)
        return
    render(compiled.network)
    explain(compiled.source, compiled.plan)


def main() -> None:
    corpus = FOLDER / "corpus"
    corpus.mkdir()
    for i, path in enumerate(Path().glob("*s/**/*.yaml")):
        with contextlib.suppress(OSError):
            (corpus / f"{i}.yaml").write_bytes(path.read_bytes())
    words = FOLDER / "words"
    keys = [
        *Spec.model_fields,
        *OwnBlock.model_fields,
        *Step.model_fields,
        "extends",
        "type",
        "classes",
        "pool",
        "null",
        "none",
        "&a",
    ]
    words.write_text("".join(f'"{key}"\n' for key in keys))
    arguments = [sys.argv[0], f"-dict={words}", *sys.argv[1:], str(corpus)]
    atheris.Setup(arguments, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
