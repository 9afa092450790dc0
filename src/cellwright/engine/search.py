"""What estimators call back: the journal, the pool, limits, cancel and progress of a search, once for all of them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cellwright.engine.objectives import ObjectiveJob, comparison
from cellwright.engine.seams import Event
from cellwright.engine.world import World
from cellwright.errors import CanceledError, InternalError
from cellwright.schema.families import Array, Comparison, Cost, Prepared
from cellwright.schema.search import Batch, Space
from cellwright.schema.work import Answer, Task

PROGRESS_EVERY = 0.1
"""Seconds between two events of progress."""


class SearchEndedError(Exception):
    """A limit ended the search; the best point so far stands."""


@dataclass(frozen=True)
class TotalCost:
    """The cost of a fit: that of the whole, save for objectives that bring their own."""

    whole: Cost
    own: Mapping[str, Cost] = field(default_factory=dict)

    def scalar(self, both: Comparison) -> float:
        """Return the sum of the costs."""
        return sum(cost.scalar(part) for cost, part in self._parts(both))

    def residuals(self, both: Comparison) -> Array | None:
        """Return the residual arrays in one, or None where one of the costs has none."""
        arrays = [cost.residuals(part) for cost, part in self._parts(both)]
        return None if any(a is None for a in arrays) else np.concatenate([a for a in arrays if a is not None])

    def _parts(self, both: Comparison) -> list[tuple[Cost, Comparison]]:
        rest = {name: variables for name, variables in both.items() if name not in self.own}
        parts: list[tuple[Cost, Comparison]] = [(self.own[n], {n: both[n]}) for n in both if n in self.own]
        return [(self.whole, rest), *parts] if rest else parts


@dataclass(frozen=True)
class Question:
    """What a search is about."""

    element: str
    space: Space
    ready: Mapping[str, Prepared]
    job: ObjectiveJob
    cost: TotalCost
    needs_residuals: bool
    evaluations: int | None = None
    seconds: float | None = None


class Evaluation:
    """Answers an estimator's batches: from the journal while there is any, else by solving.

    Keeps the best point, the improvements and the counts. A batch is journaled before it is answered, so a search that
    is killed and started again asks the same questions, gets the same answers and goes on.
    """

    def __init__(self, question: Question, world: World, key: str) -> None:
        self.question = question
        self.world = world
        self.key = key
        self.kept = world.journal.read(key)
        self.index = 0
        self.best_cost = float("inf")
        self.best_point: Array | None = None
        self.trace: list[dict[str, Any]] = []
        self.counts: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.started = world.clock()
        self._told = float("-inf")

    def __call__(self, points: Array) -> Batch:
        """Return the batch of the points (n, d) in search coordinates."""
        if self.world.canceled():
            raise CanceledError("the run was cancelled", at=(self.question.element,))
        points = np.ascontiguousarray(points, dtype=float)
        batch = self._replayed(points)
        if batch is None:
            batch = self._solved(points)
            self.world.journal.append(self.key, self.index, batch)
        self.index += 1
        self._note(batch)
        self._stop_at_limits()
        return batch

    def _replayed(self, points: Array) -> Batch | None:
        if self.index >= len(self.kept):
            return None
        batch = self.kept[self.index]
        if not np.array_equal(batch.points, points):
            self.kept = self.kept[: self.index]
            return None
        self.counts["replayed"] += len(points)
        return batch

    def _solved(self, points: Array) -> Batch:
        question = self.question
        began = self.world.clock()
        names = list(question.ready)
        inputs = [question.space.values(point) for point in points]
        tasks = [Task(name, values) for values in inputs for name in names]
        answers = self.world.pool.map(question.job, tasks, self.world.solve_time_limit)
        rows = [
            dict(zip(names, answers[i * len(names) : (i + 1) * len(names)], strict=True)) for i in range(len(points))
        ]
        self.counts["solves"] += len(tasks)
        for answer in answers:
            if answer.status not in {"solved", "ended early"}:
                self.counts["failed"] += 1
                self.failures[answer.message or answer.status] += 1
        costs, residuals = zip(*(self._judged(row) for row in rows), strict=True)
        stacked = np.array(residuals) if question.needs_residuals else None
        statuses = tuple(_worst(row) for row in rows)
        return Batch(points, np.array(costs), stacked, statuses, len(tasks), self.world.clock() - began)

    def _judged(self, row: Mapping[str, Answer]) -> tuple[float, Array | None]:
        """Return cost and residuals of one point: infinite and NaN where a solve failed."""
        question = self.question
        if _worst(row) not in {"solved", "ended early"}:
            return float("inf"), self._nothing() if question.needs_residuals else None
        both = comparison(question.ready, {name: answer.predicted for name, answer in row.items()})
        cost = question.cost.scalar(both)
        if not question.needs_residuals:
            return cost, None
        residuals = question.cost.residuals(both)
        if residuals is None:
            raise InternalError("a cost without residual array reached a least-squares search", at=(question.element,))
        return cost, residuals

    def _nothing(self) -> Array:
        data = {name: dict(one.observed) for name, one in self.question.ready.items()}
        perfect = self.question.cost.residuals(comparison(self.question.ready, data))
        return np.full(0 if perfect is None else len(perfect), np.nan)

    def _note(self, batch: Batch) -> None:
        self.counts["evaluations"] += len(batch.points)
        best = int(np.argmin(batch.costs))
        cost = float(batch.costs[best])
        if cost < self.best_cost or self.best_point is None:
            self.best_cost, self.best_point = cost, batch.points[best]
            self.trace.append(
                {
                    "evaluations": self.counts["evaluations"],
                    "seconds": round(self.world.clock() - self.started, 3),
                    "cost": cost,
                    "best_cost": cost,
                    "inputs_unscaled": self.question.space.values(batch.points[best]),
                }
            )
        now = self.world.clock()
        if now - self._told >= PROGRESS_EVERY:
            self._told = now
            self.tell()

    def tell(self) -> None:
        """Emit an event with the state of the search."""
        elapsed = max(self.world.clock() - self.started, 1e-9)
        fresh = self.counts["evaluations"] - self.counts["replayed"]
        self.world.emit(
            Event(
                "progress",
                self.question.element,
                {
                    "evaluations": self.counts["evaluations"],
                    "replayed": self.counts["replayed"],
                    "best_cost": self.best_cost,
                    "rate": fresh / elapsed,
                    "seconds": elapsed,
                    "limit": self.question.evaluations,
                },
            )
        )

    def _stop_at_limits(self) -> None:
        limit, seconds = self.question.evaluations, self.question.seconds
        if limit is not None and self.counts["evaluations"] >= limit:
            raise SearchEndedError(f"stopped at the limit of {limit} evaluations")
        if seconds is not None and self.world.clock() - self.started >= seconds:
            raise SearchEndedError(f"stopped at the time limit of {seconds:g} s")


def _worst(row: Mapping[str, Answer]) -> str:
    statuses = [answer.status for answer in row.values()]
    for status in ("crashed", "time limit", "failed", "ended early"):
        if status in statuses:
            return status
    return "solved"
