"""What runs when a network runs: every module and every function, with its shapes.

The figures, tables, pictures and receptive fields of a network are functions of this.
"""

from resnet_spec.expansion.calls import Call, Counted, Step, Window, counted
from resnet_spec.expansion.networks import expand, expand_block, expand_chain
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
    "expand_block",
    "expand_chain",
    "summed",
    "total",
    "total_of",
]
