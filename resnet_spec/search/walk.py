"""One point after the other: what is kept, and what is said of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from resnet_spec.expansion import Total
from resnet_spec.problems import Problem, SpecError
from resnet_spec.search.costs import Costs
from resnet_spec.search.ranges import Range
from resnet_spec.search.ranking import Found
from resnet_spec.search.space import Digits, Space

Limits = Sequence[tuple[str, float]]


class Walk:
    """A walk over points of a space, and the counts of what was met on it."""

    def __init__(self, space: Space, limits: Limits) -> None:
        self.space, self.limits, self.costs = space, limits, Costs(space)
        self.seen = self.within = self.kept = 0
        self.broken: Counter[str] = Counter()
        self.first: Problem | None = None
        self.figures: list[Total] = []  # the least and the most, until one is within

    @property
    def networks(self) -> int:
        return self.seen - self.broken.total()

    def found(
        self, points: Iterable[tuple[int, Digits]], goes_on: Callable[[], bool]
    ) -> Iterator[Found]:
        """The points that are networks, as expected and within the limits, until it is told
        to stop."""
        cost, expect = self.costs.of, self.space.expect
        for number, digits in points:
            if not goes_on():
                return
            self.seen += 1
            figures = cost(digits)
            if isinstance(figures, Problem):
                self.first = self.first or figures
                self.broken[figures.rule] += 1
            elif all(one.holds(figures) for one in expect):
                self.within += 1
                if all(getattr(figures, name) <= most for name, most in self.limits):
                    self.kept += 1
                    yield Found(number, figures)
            elif not self.within:
                self.figures = _widened(self.figures, figures)

    def check(self) -> None:
        """Raises SpecError where it has met points and no network, or none as expected."""
        if self.first and not self.networks:
            message = f"no point is a network; the first: {self.first.message}"
            raise SpecError(self.first._replace(message=message))
        if self.networks and not self.within:
            raise SpecError(_unmet(self.space.expect, self.figures, self.networks))


def _widened(known: list[Total], figures: Total) -> list[Total]:
    """The least and the most of each figure so far."""
    least, most = known or (figures, figures)
    return [Total(*map(min, least, figures)), Total(*map(max, most, figures))]


def _unmet(expect: Sequence[Range], figures: list[Total], networks: int) -> Problem:
    """That no network is within the ranges, at the first that none is within by itself."""
    least, most = figures
    one = next((one for one in expect if _apart(one, least, most)), expect[0])
    among = f"none of {networks:,} networks" if networks > 1 else "the one network"
    low, high = (getattr(each, one.figure) for each in figures)
    others = "" if expect[1:] == () else " with what else is expected"
    message = (
        f"{among} is within it{others}; {one.figure} goes from {low:,} to {high:,}"
    )
    return Problem("range", message, ("expect", one.figure), one.place)


def _apart(one: Range, least: Total, most: Total) -> bool:
    """Whether all networks are below the range, or all above it."""
    low, high = (getattr(each, one.figure) for each in (least, most))
    return bool(high < one.least or low > one.most)
