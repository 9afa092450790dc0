"""Searches that go on at the same time and ask for their batches together."""

from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

import numpy as np

from cellwright.schema.families import Array
from cellwright.schema.search import Batch, Evaluate

T = TypeVar("T")

PATIENCE = 0.1
"""Seconds between two attempts to end a search."""


class _EndedError(BaseException):
    """Ends a search that will get no more answers; no `Exception`, so that nothing in it takes it for a failure."""


class _Part(Generic[T]):
    """One search in a thread of its own, which runs only while its owner waits for what it asks next."""

    def __init__(self, search: Callable[[Evaluate], T]) -> None:
        self._search = search
        self._asked: SimpleQueue[Array | None] = SimpleQueue()
        self._answers: SimpleQueue[Batch | None] = SimpleQueue()
        self._thread = Thread(target=self._run, daemon=True)
        self._error: BaseException | None = None
        self.result: T

    def begin(self) -> Array | None:
        """Start the search and return the points that it asks for, None where it ends."""
        self._thread.start()
        return self._next()

    def go_on(self, batch: Batch) -> Array | None:
        """Answer the search and return the points that it asks for next, None where it ends."""
        self._answers.put(batch)
        return self._next()

    def end(self) -> None:
        """End the search, if it has begun and still goes on."""
        while self._thread.is_alive():
            self._answers.put(None)
            self._thread.join(PATIENCE)

    def _next(self) -> Array | None:
        points = self._asked.get()
        if points is None and self._error is not None:
            raise self._error
        return points

    def _evaluate(self, points: Array) -> Batch:
        self._asked.put(np.array(points, dtype=float))
        batch = self._answers.get()
        if batch is None:
            raise _EndedError
        return batch

    def _run(self) -> None:
        try:
            self.result = self._search(self._evaluate)
        except _EndedError:
            pass
        except BaseException as error:
            self._error = error
        self._asked.put(None)


def side_by_side(searches: Sequence[Callable[[Evaluate], T]], evaluate: Evaluate) -> list[T]:
    """Return what the searches find, in their order; what they ask for at the same time is evaluated in one batch.

    They take turns: no two run at once, and their order is always the same. An error of one, or of `evaluate`, ends all
    and is raised.
    """
    if len(searches) == 1:
        return [searches[0](evaluate)]
    parts = [_Part(search) for search in searches]
    try:
        asked = {index: points for index, part in enumerate(parts) if (points := part.begin()) is not None}
        while asked:
            batch = evaluate(np.vstack(list(asked.values())))
            ends = np.cumsum([len(points) for points in asked.values()])
            rows = [slice(end - len(points), end) for end, points in zip(ends, asked.values(), strict=True)]
            answered = {index: _rows(batch, row) for index, row in zip(asked, rows, strict=True)}
            asked = {i: points for i, own in answered.items() if (points := parts[i].go_on(own)) is not None}
    finally:
        for part in parts:
            part.end()
    return [part.result for part in parts]


def _rows(batch: Batch, rows: slice) -> Batch:
    residuals = None if batch.residuals is None else batch.residuals[rows]
    return Batch(batch.points[rows], batch.costs[rows], residuals, batch.statuses[rows])
