"""Times of networks as the page of networks shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from resnet_spec.bench.results import Row
from resnet_spec.emit.page import Measured, Table

COLUMNS = ("form", "ms", "lower quartile", "upper quartile", "images/s", "to eager")


def measured(
    rows: Sequence[Row], machine: Mapping[str, object]
) -> tuple[dict[str, Measured], str]:
    """What was measured of each network, by its name, and what the first time is called.

    Each form, with each number of images and threads, is a figure, `onnxruntime_ms`, which goes
    from the lower to the upper quartile.
    """
    batches, threads = {row.batch for row in rows}, {row.threads for row in rows}

    def called(row: Row) -> str:
        settings = [f"batch{row.batch}"] * (len(batches) > 1)
        settings += [f"threads{row.threads}"] * (len(threads) > 1)
        return "_".join([row.form.partition(":")[0], *settings, "ms"])

    facts = {"images at once": batches, "threads": threads}
    on = [(what, ", ".join(map(str, sorted(of)))) for what, of in facts.items()]
    on += [(what, str(which)) for what, which in machine.items()]
    conditions = Table("Measured on", ("what", "which"), tuple(on))
    found = {}
    for name in dict.fromkeys(row.network for row in rows):
        own = {called(row): row for row in rows if row.network == name}
        times = {figure: _milliseconds(row) for figure, row in own.items()}
        cells = tuple(
            (figure.removesuffix("_ms"), *times[figure], row.images, row.ratio)
            for figure, row in own.items()
        )
        found[name] = Measured(
            {figure: middle for figure, (middle, _, _) in times.items()},
            {figure: (lower, upper) for figure, (_, lower, upper) in times.items()},
            (Table("Times", COLUMNS, cells), conditions),
        )
    return found, called(rows[0])


def _milliseconds(row: Row) -> tuple[float, float, float]:
    return 1000 * row.seconds, 1000 * row.lower, 1000 * row.upper
