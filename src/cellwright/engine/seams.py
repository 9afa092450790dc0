"""What the engine asks of the world, as protocols: pools, journal, cache, sink of events, clock."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cellwright.schema.results import ElementRecord
from cellwright.schema.search import Batch
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


class Job(Protocol):
    """Work that a pool's workers make ready once and then do many times; picklable."""

    @property
    def digest(self) -> str:
        """What the job depends on, as a SHA-256; a worker builds one of each."""
        ...

    def __call__(self) -> Callable[[Task], Answer]:
        """Build what the tasks need (models) and return the function that does one."""
        ...


class Pool(Protocol):
    """Does tasks, somewhere."""

    workers: int

    def map(self, job: Job, tasks: Sequence[Task], time_limit: float | None = None) -> list[Answer]:
        """Return the answers in the order of the tasks.

        A task that takes longer than `time_limit` [s], or whose worker dies, is answered with that status; the others
        are not lost.
        """
        ...

    def close(self) -> None:
        """End the workers."""
        ...


class Journal(Protocol):
    """Keeps every batch of a search, in order, so that a killed search replays."""

    def read(self, key: str) -> list[Batch]:
        """Return the batches that are kept under a search's key, in order; a torn last one is left out."""
        ...

    def append(self, key: str, index: int, batch: Batch) -> None:
        """Keep one batch durably before returning."""
        ...


class Cache(Protocol):
    """Keeps the records of finished elements under the digest of what they read."""

    def reads_of(self, element: str) -> list[frozenset[str]]:
        """Return the sets of parameter names that an element of this digest has read before."""
        ...

    def load(self, key: str) -> ElementRecord | None:
        """Return the record under a key, with its series, or None."""
        ...

    def save(self, element: str, reads: frozenset[str], key: str, record: ElementRecord) -> None:
        """Keep a finished record under its key."""
        ...


@dataclass(frozen=True)
class Event:
    """Something that happened in a run.

    `kind`: `element started`, `progress` (data: evaluations, best_cost, rate, seconds, replayed), `element finished`
    (data: status, seconds, cached), `warning` (data: message).
    """

    kind: str
    element: str
    data: Mapping[str, Any] = field(default_factory=dict)


Sink = Callable[[Event], None]
Clock = Callable[[], float]
"""Seconds since any fixed moment, never backward."""
Canceled = Callable[[], bool]
"""Whether somebody has asked the run to stop."""
