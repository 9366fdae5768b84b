"""What a user is told about a mistake: problems, their places, and how they are printed."""

from resnet_spec.problems.problem import (
    FieldPath,
    Place,
    Problem,
    Proposal,
    RunError,
    SpecError,
    dotted,
    leave_out,
    merge,
    nested,
    without_indices,
    write,
)

__all__ = [
    "FieldPath",
    "Place",
    "Problem",
    "Proposal",
    "RunError",
    "SpecError",
    "dotted",
    "leave_out",
    "merge",
    "nested",
    "without_indices",
    "write",
]
