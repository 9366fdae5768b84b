"""What a user is told about a mistake: problems, their places, and how they are printed."""

from resnet_spec.problems.problem import (
    FieldPath,
    Place,
    Problem,
    RunError,
    SpecError,
    dotted,
    merge,
    nested,
)

__all__ = [
    "FieldPath",
    "Place",
    "Problem",
    "RunError",
    "SpecError",
    "dotted",
    "merge",
    "nested",
]
