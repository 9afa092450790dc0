"""What a simulated experiment leaves behind: cycles of steps, each with its variables over time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Step = Mapping[str, Array]
"""The variables of a step, `Time [s]` among them, at the times that were recorded; worked out when asked for."""

TIME = "Time [s]"


@dataclass(frozen=True)
class Stretch:
    """A stretch of an experiment: all of it, a cycle, or a step.

    `steps` are those that began, in order; None stands for one that had nothing to do, because the cell was already
    where it was to end. `complete` says whether the stretch came to its end, `cycles` are the cycles of a whole
    experiment that began and were kept, by their number from 0.
    """

    steps: tuple[Step | None, ...] = ()
    complete: bool = False
    cycles: Mapping[int, "Stretch"] = field(default_factory=dict)

    def of_step(self, index: int) -> "Stretch":
        """Return a step by its number from 0; from the end where it is negative. What did not begin is empty."""
        if index < 0 and not self.complete:
            return NOTHING
        place = index if index >= 0 else len(self.steps) + index
        if not 0 <= place < len(self.steps):
            return NOTHING
        return Stretch((self.steps[place],), self.complete or place < len(self.steps) - 1)

    def of_cycle(self, number: int) -> "Stretch":
        """Return a cycle by its number from 0. What did not begin, or was not kept, is empty."""
        return self.cycles.get(number, NOTHING)

    def series(self, variable: str) -> Array:
        """Return the values of a variable at all recorded times, step after step."""
        return np.concatenate([step[variable] for step in self.steps if step is not None] or [np.zeros(0)])


NOTHING = Stretch()


class Joined(Mapping[str, Array]):
    """Several steps as one: a charge that a cycler logs as one step, at constant current and then constant voltage."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = tuple(steps)

    def __getitem__(self, variable: str) -> Array:
        return np.concatenate([step[variable] for step in self._steps])

    def __iter__(self) -> Iterator[str]:
        return iter(self._steps[0])

    def __len__(self) -> int:
        return len(self._steps[0])
