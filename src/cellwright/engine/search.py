"""What estimators call back: the journal, the pool, limits, cancel and progress of a search, once for all of them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cellwright.engine.derivatives import jacobian
from cellwright.engine.job import ObjectiveJob
from cellwright.engine.objectives import comparison
from cellwright.engine.outcomes import tally
from cellwright.engine.seams import Event
from cellwright.engine.terms import Lookup, Terms
from cellwright.engine.world import World
from cellwright.errors import CanceledError, CellwrightError, ConfigurationError, InternalError
from cellwright.schema.families import Array, Comparison, Cost, Prepared
from cellwright.schema.search import Batch, SearchEndedError, Space
from cellwright.schema.work import Answer, Task

PROGRESS_EVERY = 0.1
"""Seconds between two events of progress."""
WORTH_LOGGING = 1e-3
"""Improvement, as a fraction of the best cost that is logged, below which a terse log keeps silent."""
KEPT = 1e-6
"""Excess of a condition, in units of its scale, up to which it counts as kept where a search keeps to it exactly."""
ANSWERED = frozenset({"solved", "ended early"})
"""The statuses of a point that has a cost."""

Listener = Callable[[Mapping[str, Any]], Any]
"""Hears of each improvement, as a row of the trace; ends the search by returning True."""


@dataclass(frozen=True)
class TotalCost:
    """The cost of a fit: that of the whole, save for objectives that bring their own, and what is added to it.

    `values` are always those of the free parameters; `lookup` has what else the costs ask for.
    """

    whole: Cost
    own: Mapping[str, Cost] = field(default_factory=dict)
    terms: Terms = field(default_factory=Terms)
    lookup: Lookup = field(default_factory=Lookup)

    def scalar(self, both: Comparison, values: Mapping[str, float]) -> float:
        """Return the sum of the costs and of the terms; infinite where a value cannot be."""
        known = self.lookup.at(values)
        total = sum(cost.at(known).scalar(part) for cost, part in self.parts(both)) + self.terms.scalar(values)
        return float("inf") if np.isnan(total) else float(total)

    def residuals(self, both: Comparison, values: Mapping[str, float]) -> Array | None:
        """Return the residual arrays in one, or None where one of the costs or terms has none.

        Its sum of squares is the scalar, up to a constant where there are priors.
        """
        known = self.lookup.at(values)
        arrays = [cost.at(known).residuals(part) for cost, part in self.parts(both)] + [self.terms.residuals(values)]
        return None if any(a is None for a in arrays) else np.concatenate([a for a in arrays if a is not None])

    @property
    def reads(self) -> frozenset[str]:
        """All that the costs look up, free or not."""
        return frozenset().union(*(cost.reads for cost in (self.whole, *self.own.values())))

    def parts(self, both: Comparison) -> list[tuple[Cost, Comparison]]:
        """Return each cost with what it compares, in the order of the residual array."""
        rest = {name: variables for name, variables in both.items() if name not in self.own}
        parts: list[tuple[Cost, Comparison]] = [(self.own[n], {n: both[n]}) for n in both if n in self.own]
        return [(self.whole, rest), *parts] if rest else parts


@dataclass(frozen=True)
class Question:
    """What a search is about.

    `terse` logs improvements of `WORTH_LOGGING` alone; without `together` the objectives of a batch are solved one
    after the other; `listeners` hear of improvements; an `ensemble` keeps all points.
    """

    element: str
    space: Space
    ready: Mapping[str, Prepared]
    job: ObjectiveJob
    cost: TotalCost
    needs_residuals: bool
    evaluations: int | None = None
    seconds: float | None = None
    terse: bool = False
    together: bool = True
    listeners: Sequence[Listener] = ()
    ensemble: bool = False


class Evaluation:
    """Answers an estimator's batches: from the journal while there is any, else by solving.

    Keeps the best point, the improvements and the counts. A batch is journaled before it is answered, so a search that
    is killed and started again asks the same questions, gets the same answers and goes on. Formulas are worked out here
    and not journaled: they take less time than their way to a worker and into the journal, and a search that is started
    again has the same answers, to the bit, by working them out again.
    """

    def __init__(self, question: Question, world: World, key: str) -> None:
        self.question = question
        self.world = world
        self.key = key
        self.here = question.job() if question.space.closed_form else None
        self.kept = world.journal.read(key) if self.here is None else []
        self.index = 0
        self.best_cost = float("inf")
        self.best_point: Array | None = None
        self.batches: list[Batch] = []
        self.trace: list[dict[str, Any]] = []
        self.counts: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.started = world.clock()
        self._told = float("-inf")
        self._best_rank = (float("inf"), float("inf"))
        self._before = 0.0
        self._stopped = False
        self._last = np.zeros(0)
        self._predicted: Mapping[str, Mapping[str, Array]] = {}

    def __call__(self, points: Array) -> Batch:
        """Return the batch of the points (n, d) in search coordinates."""
        if self.world.canceled():
            raise CanceledError("the run was cancelled", at=(self.question.element,))
        points = np.ascontiguousarray(points, dtype=float)
        batch = self._replayed(points)
        if batch is None:
            batch = self._solved(points)
            if self.here is None:
                self.world.journal.append(self.key, self.index, batch)
        self.index += 1
        self._note(batch)
        if end := self.end:
            raise SearchEndedError(end)
        return batch

    def jacobian(self, point: Array) -> Array | None:
        """Return the derivatives (m, d) of the residuals at a point (d,) by its coordinates, None where not known.

        It follows from the point alone, and is worked out again where a search is replayed.
        """
        question, point = self.question, np.asarray(point, dtype=float)
        predicted = self._predicted if np.array_equal(point, self._last) else None
        return jacobian(question.space, question.ready, question.cost, point, predicted)

    def _replayed(self, points: Array) -> Batch | None:
        if self.index >= len(self.kept):
            return None
        batch = self.kept[self.index]
        if not np.array_equal(batch.points, points):
            self.kept = self.kept[: self.index]
            return None
        self.counts["replayed"] += len(points)
        self.failures.update(status for status in batch.statuses if status not in ANSWERED)
        self._before += batch.seconds
        return batch

    def _solved(self, points: Array) -> Batch:
        question = self.question
        began = self.world.clock()
        inputs = [question.space.values(point) for point in points]
        rows, answers = self._answers(inputs)
        if _worst(rows[-1]) == "solved":
            self._last, self._predicted = points[-1], {name: one.predicted for name, one in rows[-1].items()}
        self.counts["solves"] += len(answers)
        self.failures.update(answer.message or answer.status for answer in answers if answer.status not in ANSWERED)
        judged = (self._judged(row, values) for row, values in zip(rows, inputs, strict=True))
        costs, residuals = zip(*judged, strict=True)
        stacked = np.array(residuals) if question.needs_residuals else None
        statuses = tuple(_worst(row) for row in rows)
        return Batch(points, np.array(costs), stacked, statuses, len(answers), self.world.clock() - began)

    def _answers(self, inputs: Sequence[Mapping[str, float]]) -> tuple[list[dict[str, Answer]], list[Answer]]:
        """Return the answers of all objectives, point by point, and all in one list."""
        names = list(self.question.ready)
        groups = [names] if self.question.together else [[name] for name in names]
        rows: list[dict[str, Answer]] = [{} for _ in inputs]
        for group in groups:
            tasks = [Task(name, values) for values in inputs for name in group]
            answers = self._done(tasks)
            for place, answer in enumerate(answers):
                rows[place // len(group)][tasks[place].objective] = answer
        return rows, [answer for row in rows for answer in row.values()]

    def _done(self, tasks: Sequence[Task]) -> list[Answer]:
        """Return the answers of tasks, which formulas have at once."""
        if self.here is not None:
            return self.here(tasks)
        return self.world.pool.map(self.question.job, tasks, self.world.solve_time_limit)

    def _judged(self, row: Mapping[str, Answer], values: Mapping[str, float]) -> tuple[float, Array | None]:
        """Return cost and residuals of one point: infinite and NaN where a solve failed, or the values cannot be."""
        question = self.question
        if _worst(row) not in ANSWERED:
            return float("inf"), self._nothing() if question.needs_residuals else None
        both = comparison(question.ready, {name: answer.predicted for name, answer in row.items()})
        with np.errstate(over="ignore"):  # squares of predictions that are far off
            cost = question.cost.scalar(both, values)
        if not np.isfinite(cost):
            self.failures["a prior, a noise or a formula has no value there"] += 1
        if not question.needs_residuals:
            return cost, None
        if not np.isfinite(cost):
            return float("inf"), self._nothing()
        residuals = question.cost.residuals(both, values)
        if residuals is None:
            raise InternalError("a cost without residual array reached a least-squares search", at=(question.element,))
        return cost, residuals

    def _nothing(self) -> Array:
        data = {name: dict(one.observed) for name, one in self.question.ready.items()}
        start = self.question.space.values(self.question.space.initial)
        perfect = self.question.cost.residuals(comparison(self.question.ready, data), start)
        return np.full(0 if perfect is None else len(perfect), np.nan)

    def _note(self, batch: Batch) -> None:
        self.counts["evaluations"] += len(batch.points)
        self.counts += tally(batch.statuses)
        if self.question.ensemble:
            self.batches.append(batch)
        ranks = [self._rank(point, float(cost)) for point, cost in zip(batch.points, batch.costs, strict=True)]
        best = min(range(len(ranks)), key=ranks.__getitem__)
        if ranks[best] < self._best_rank or self.best_point is None:
            self._best_rank = ranks[best]
            self.best_cost, self.best_point = float(batch.costs[best]), batch.points[best]
            self._log()
        now = self.world.clock()
        if now - self._told >= PROGRESS_EVERY:
            self._told = now
            self.tell()

    def _rank(self, point: Array, cost: float) -> tuple[float, float]:
        """Return what is compared to find the best point: first how far it breaks the conditions, then its cost."""
        excesses = [(one, one.excess(point)) for one in self.question.space.conditions]
        broken = max((abs(size) if one.equality else size for one, size in excesses), default=0.0)
        return max(broken, KEPT) if np.isfinite(broken) else float("inf"), cost

    def _log(self) -> None:
        """Add the best point to the trace, and tell the listeners of it."""
        cost = self.best_cost
        assert self.best_point is not None
        row = {
            "evaluations": self.counts["evaluations"],
            "seconds": round(self.elapsed, 3),
            "cost": cost,
            "best_cost": cost,
            "inputs_unscaled": self.question.space.values(self.best_point),
        }
        logged = self.trace[-1]["cost"] if self.trace else float("inf")
        if not (self.question.terse and np.isfinite(logged) and abs(logged - cost) < WORTH_LOGGING * abs(logged)):
            self.trace.append(row)
        for listener in self.question.listeners:
            self._stopped |= self._heard(listener, row)

    def _heard(self, listener: Listener, row: dict[str, Any]) -> bool:
        """Return whether a listener wants the search to stop. Raises: `ConfigurationError` for one that fails."""
        try:
            return listener(row) is True
        except CellwrightError:
            raise
        except Exception as cause:
            raise ConfigurationError(
                f"a callback of the fit failed: {type(cause).__name__}: {cause}",
                at=(self.question.element,),
                hint="mend it, or leave it out: a search tells it of every improvement",
            ) from cause

    @property
    def elapsed(self) -> float:
        """Seconds that the search has taken, those before it was stopped and replayed among them."""
        return self._before + self.world.clock() - self.started

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

    @property
    def end(self) -> str:
        """Why the fit wants no more of this search; empty while it does."""
        if self._stopped:
            return "stopped by a callback"
        limit, seconds = self.question.evaluations, self.question.seconds
        if limit is not None and self.counts["evaluations"] >= limit:
            return f"stopped at the limit of {limit} evaluations"
        if seconds is not None and self.elapsed >= seconds:
            return f"stopped at the time limit of {seconds:g} s"
        return ""


def _worst(row: Mapping[str, Answer]) -> str:
    statuses = [answer.status for answer in row.values()]
    for status in ("crashed", "time limit", "failed", "ended early"):
        if status in statuses:
            return status
    return "solved"
