"""Points of a space as a table, or in a form that programs read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from resnet_spec.expansion import Total
from resnet_spec.problems import tables
from resnet_spec.problems.words import counted, flow, shortened
from resnet_spec.search.points import chosen
from resnet_spec.search.ranking import Found
from resnet_spec.search.space import Space

Results = Mapping[str, Any]
"""What was found of a network beyond its costs, by name; None for what it lacks."""


def texts(
    space: Space,
    rows: Sequence[Found],
    form: str | None,
    results: Mapping[int, Results],
) -> Iterator[str]:
    """The rows one after the other, as a table, or in the form `csv` or `json`.

    `results` has those of each point, all with the same names, or nothing.
    """
    names = [*next(iter(results.values()), {})]
    fields = [field for choice in space.choices for field in choice.fields]
    each = (
        (row, results.get(row.point, {}), chosen(space, space.digits(row.point)))
        for row in rows
    )
    if form == "json":
        before = "[\n"
        for row, more, values in each:
            data = {"point": row.point, **more, **row.figures._asdict()}
            yield f"{before}{json.dumps({**data, 'choices': values})}"
            before = ",\n"
        yield "\n]\n" if rows else "[]\n"
    elif form == "csv":
        yield tables.comma_separated([["point", *names, *Total._fields, *fields]])
        for row, more, values in each:
            said = map(flow, values.values())
            cells = [row.point, *more.values(), *row.figures, *said]
            yield tables.comma_separated([cells])
    elif rows:
        head = ["point", *names, "parameters", "MACs", "activations", *fields]
        lines = tables.ruled([head, *(_cells(*one) for one in each)])
        yield "\n".join(lines) + "\n"


def _cells(row: Found, more: Results, values: Mapping[str, Any]) -> list[str]:
    params, *others = row.figures
    return [
        f"{row.point}",
        *("" if value is None else f"{value:.4g}" for value in more.values()),
        f"{params:,}",
        *(counted(figure).strip() for figure in others),
        *(shortened(flow(value)) for value in values.values()),
    ]
