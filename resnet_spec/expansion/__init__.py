"""What runs when a network runs: every module and every function, with its shapes.

The figures, tables, pictures and receptive fields of a network are functions of this.
"""

from resnet_spec.expansion.calls import Call, Counted, Step, Window, counted
from resnet_spec.expansion.networks import expand
from resnet_spec.expansion.totals import (
    MULTIPLYING,
    Known,
    Sums,
    Total,
    summed,
    total,
    total_of,
)

__all__ = [
    "MULTIPLYING",
    "Call",
    "Counted",
    "Known",
    "Step",
    "Sums",
    "Total",
    "Window",
    "counted",
    "expand",
    "summed",
    "total",
    "total_of",
]
