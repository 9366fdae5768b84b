"""Samples -> rows of figures, and their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from resnet_spec.bench import EAGER
from resnet_spec.bench.timing import Sample
from resnet_spec.problems import RunError
from resnet_spec.problems.tables import comma_separated, ruled
from resnet_spec.problems.words import reason


class Row(NamedTuple):
    """A form of a network: the median of its seconds, their quartiles, and what follows.

    `ratio` is the median, over the rounds, of eager's seconds over its own in the same round;
    `roofline` the share of its time that a machine without any loss would take.
    """

    network: str
    form: str
    batch: int
    threads: int
    seconds: float
    lower: float
    upper: float
    processor: float
    images: float  # a second
    ratio: float
    roofline: float | None


def rows(
    network: str,
    batch: int,
    threads: int,
    samples: Mapping[str, Sequence[Sample]],
    least: float | None,
) -> list[Row]:
    """A row for each form. `least` is the network's least time in seconds, where known."""
    found = []
    for form, own in samples.items():
        lower, middle, upper = quantiles((s.wall for s in own), method="inclusive")
        pairs = zip(samples[EAGER], own, strict=True)
        row = Row(
            network,
            form,
            batch,
            threads,
            middle,
            lower,
            upper,
            median(sample.processor for sample in own),
            batch / middle,
            median(eager.wall / sample.wall for eager, sample in pairs),
            least and least / middle,
        )
        found.append(row)
    return found


HEAD = ("network", "form", "batch", "threads", "ms", "quartiles", "CPU ms", "images/s")


def text(found: Sequence[Row], machine: Mapping[str, object]) -> str:
    """The rows for people, in milliseconds, and what they were measured on."""
    known = any(row.roofline is not None for row in found)
    head = (*HEAD, "to eager", *["of roofline"] * known)
    lines = ruled([head, *(_cells(row) for row in found)], 2)
    measured_on = ", ".join(f"{key} {value}" for key, value in machine.items())
    return "\n".join([*lines, "", f" {measured_on}"]) + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    ms = [f"{1000 * t:.2f}" for t in (row.seconds, row.lower, row.upper, row.processor)]
    share = [] if row.roofline is None else [f"{row.roofline:.0%}"]
    return (
        row.network,
        row.form,
        str(row.batch),
        str(row.threads),
        ms[0],
        f"{ms[1]} - {ms[2]}",
        ms[3],
        f"{row.images:.1f}",
        f"{row.ratio:.2f} x",
        *share,
    )


def as_json(found: Sequence[Row], machine: Mapping[str, object]) -> str:
    import json

    made = {"machine": machine, "rows": [row._asdict() for row in found]}
    return json.dumps(made, indent=2) + "\n"


def read(file: Path) -> tuple[dict[str, object], list[Row]]:
    """What `as_json` wrote: what was measured on, and the rows. Raises RunError."""
    import json

    try:
        made = json.loads(file.read_text(encoding="utf-8"))
        return dict(made["machine"]), [Row(**row) for row in made["rows"]]
    except OSError as error:
        raise RunError(f"{file}: cannot be read, {reason(error)}") from None
    except (ValueError, TypeError, KeyError):
        message = "is not what `resnet-spec bench --json` prints"
        raise RunError(f"{file}: {message}") from None


def as_csv(found: Sequence[Row]) -> str:
    return comma_separated([Row._fields, *found])
