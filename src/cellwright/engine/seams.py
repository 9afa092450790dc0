"""What the engine asks of the world, as protocols: journal, cache, sink of events, clock (pools: `schema.work`)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from cellwright.schema.results import ElementRecord
from cellwright.schema.search import Batch


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
