"""What is to become of a file's network: other channels or classes, or only its first parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from resnet_spec.weights.stored import WeightsError


class Operation(NamedTuple):
    """Input channels, by a rule of `load_weights`, classes, or the parts that are wanted.

    Without a rule it is `sum` for one channel, and `repeat` for more. With `classes` the
    classifier is a new one, which starts as the network says, drawn from `seed`, or from 0.
    With `features` the network ends where the last of them does.
    """

    channels: int | None = None
    channels_by: str | None = None
    classes: int | None = None
    seed: int | None = None
    features: Sequence[str | int] = ()

    def __bool__(self) -> bool:
        *choices, features = self
        return bool(features) or any(choice is not None for choice in choices)

    @property
    def rule(self) -> str:
        return self.channels_by or ("sum" if self.channels == 1 else "repeat")

    def refuse_idle(self) -> None:
        """Raises WeightsError, in a line, for a choice that would change nothing."""
        if self.channels_by is not None and self.channels is None:
            raise WeightsError("a rule for channels needs how many there are to be")
        if self.seed is not None and self.classes is None:
            raise WeightsError(
                "a seed is that of a new classifier, and needs its classes"
            )
        if self.features and self.classes is not None:
            raise WeightsError("features have no classifier, so classes change nothing")


AS_IT_IS = Operation()
