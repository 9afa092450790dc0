"""Work for pools: a job that workers make ready once, tasks that they do many times, answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cellwright.schema.simulation import SolveStatus

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Task:
    """One objective at one point."""

    objective: str
    inputs: Mapping[str, float]


@dataclass(frozen=True)
class Answer:
    """What a worker says of a task: the predictions by variable, or why there are none."""

    status: SolveStatus
    predicted: Mapping[str, Array] = field(default_factory=dict)
    message: str = ""


Work = Callable[[Sequence[Task]], list[Answer]]
"""Answers tasks, in their order."""


class Job(Protocol):
    """Work that a pool's workers make ready once and then do many times; picklable."""

    @property
    def digest(self) -> str:
        """What the job depends on, as a SHA-256; a worker builds one of each."""
        ...

    def __call__(self) -> Work:
        """Build what the tasks need (models) and return the function that does them."""
        ...


class Pool(Protocol):
    """Does tasks, somewhere."""

    @property
    def workers(self) -> int:
        """How many processes do tasks at the same time."""
        ...

    def map(self, job: Job, tasks: Sequence[Task], time_limit: float | None = None) -> list[Answer]:
        """Return the answers in the order of the tasks.

        A task that takes longer than `time_limit` [s], or whose worker dies, is answered with that status; the others
        are not lost.

        Raises: what building the job raises, `InternalError` for a fault in the work itself.
        """
        ...

    def close(self) -> None:
        """End the workers."""
        ...
