"""What a run needs of the world, in one value, and the simplest world there is."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cellwright.engine.seams import Cache, Canceled, Clock, Event, Journal, Sink
from cellwright.schema.datasource import DataSource
from cellwright.schema.results import ElementRecord
from cellwright.schema.search import Batch
from cellwright.schema.simulation import Problem, Simulate, Simulation
from cellwright.schema.values import digest
from cellwright.schema.variant import dump
from cellwright.schema.work import Pool

Load = Callable[[DataSource], DataSource]


class MemoryJournal:
    """A journal that lasts as long as the process."""

    def __init__(self) -> None:
        self._batches: dict[str, list[Batch]] = {}

    def read(self, key: str) -> list[Batch]:
        """Return the batches under a key, in order."""
        return list(self._batches.get(key, []))

    def append(self, key: str, index: int, batch: Batch) -> None:
        """Keep a batch; what stood at and behind its index is dropped."""
        self._batches[key] = [*self._batches.get(key, [])[:index], batch]


class NoCache:
    """A cache that keeps nothing."""

    def reads_of(self, element: str) -> list[frozenset[str]]:
        """Return nothing."""
        return []

    def load(self, key: str) -> ElementRecord | None:
        """Return None."""
        return None

    def save(self, element: str, reads: frozenset[str], key: str, record: ElementRecord) -> None:
        """Keep nothing."""


class BuiltOnce:
    """A `Simulate` that remembers what it has built, so that the check's models serve the run."""

    def __init__(self, simulate: Simulate) -> None:
        self.simulate = simulate
        self._built: dict[str, Simulation] = {}

    def __call__(self, problem: Problem) -> Simulation:
        """Return the simulation of a problem, built at the first call."""
        key = problem_digest(problem)
        if key not in self._built:
            self._built[key] = self.simulate(problem)
        return self._built[key]


def problem_digest(problem: Problem) -> str:
    """Return the SHA-256 of everything that a simulation is built from."""
    fields = vars(problem) | {"model": problem.model.said(), "parameters": dict(problem.parameters.values_)}
    return digest([type(problem).__name__, dump(fields, lambda value: value)])


def _silent(event: Event) -> None:
    """Drop an event."""


@dataclass(frozen=True)
class World:
    """Everything a run may touch: models, workers, data, memory, listeners, time.

    `simulate` builds models in this process, `worker_simulate` is its picklable form for the pool's workers; `versions`
    are part of every digest; `now` is the time of day at which the run starts, in ISO form.
    """

    simulate: Simulate
    worker_simulate: Simulate
    pool: Pool
    load: Load
    journal: Journal = field(default_factory=MemoryJournal)
    cache: Cache = field(default_factory=NoCache)
    emit: Sink = _silent
    clock: Clock = time.monotonic
    canceled: Canceled = lambda: False
    versions: Mapping[str, str] = field(default_factory=dict)
    now: str = ""
    solve_time_limit: float | None = 60.0
    """Seconds after which one solve is given up, where the pool can end it."""
