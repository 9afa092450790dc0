"""What every estimator must prove of its search: `PROPERTIES`, of each of the `subjects`.

`tools/estimators.py` prints which has which.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np

from cellwright.catalog.costs import SSE
from cellwright.engine.search import Evaluation, Question, TotalCost
from cellwright.engine.world import MemoryJournal, World
from cellwright.errors import CanceledError
from cellwright.schema.families import Array, Estimator
from cellwright.schema.search import Batch, Found, SearchEndedError
from cellwright.schema.simulation import Solved
from cellwright.schema.variant import members
from cellwright.schema.work import Answer, Task
from cellwright.testing import kits

Function = Callable[[Array], Array]
"""The residuals (m,) at values of the parameters (d,)."""

FIELDS: Mapping[str, Mapping[str, Any]] = {
    "AskTellOptimizer": {"method": "Nelder-Mead"},
    "BayesianOptimization": {"max_iterations": 6},
    "GridSearch": {"npts": 51},
    "PintsSampler": {"max_iterations": 60},
    "Nested": {"parameters": ["x0"], "optimizer": {"type": "ScipyMinimize"}, "inner": {"type": "ScipyLsqLinear"}},
    "SOBER": {"max_iterations": 5, "population_size": 12, "algorithm_options": {"n_candidates": 200}},
    "ScipyBasinhopping": {"niter": 2},
    "ScipyDualAnnealing": {"maxiter": 150},
    "TuRBO": {"max_iterations": 6, "population_size": 4},
}
"""What some are told: the method that is no estimator of its own, a grid that hits the minima, a valley that is linear
in x1, fewer rounds than usual."""
STAYS = frozenset({"PointEstimateOptimizer", "DummyOptimizer", "PointEstimateSampler", "DummySampler"})
"""Estimators that evaluate the start and search nothing."""
LINEAR = frozenset({"ScipyLsqLinear"})
"""Searches of linear problems: the valley is none, and one iteration is all they take."""
FEW = frozenset({"BayesianOptimization", "SOBER", "TuRBO"})
"""Searches of few evaluations: a bowl has to do for the valley, and one minimum for many."""


def subjects() -> dict[str, Estimator]:
    """Return every estimator that is implemented, by its name."""
    found = {name: kind(**FIELDS.get(name, {})) for name, kind in members()["Estimator"].items() if kind.implemented()}
    return {name: estimator for name, estimator in found.items() if isinstance(estimator, Estimator)}


def valley(x: Array) -> Array:
    """Return the residuals of Rosenbrock's valley, whose minimum is at 1, 1."""
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def bowl(x: Array, at: float = -0.5) -> Array:
    """Return the residuals of a sphere around a point on the diagonal."""
    return x - at


def minimum(estimator: Estimator) -> tuple[Function, float]:
    """Return the function whose minimum an estimator is to find, and where that is, of each parameter."""
    return (bowl, -0.5) if type(estimator).__name__ in FEW else (valley, 1.0)


def waves(x: Array) -> Array:
    """Return the residuals of Rastrigin's function: 25 minima between -2 and 3, the lowest, of 0, at 0.5, 0.5."""
    z = x - 0.5
    return np.asarray(np.sqrt(z**2 + 10 * (1 - np.cos(2 * np.pi * z))))


@dataclass(frozen=True)
class Observed:
    """An objective whose data are zeros and whose model is a function; `cellwright.schema.families.Prepared`."""

    function: Function
    names: tuple[str, ...]
    size: int
    x_name: str = "Time [s]"
    reads: frozenset[str] = frozenset()

    @property
    def x(self) -> Array:
        """Where it is compared."""
        return np.arange(float(self.size))

    @property
    def observed(self) -> dict[str, Array]:
        """Nothing but zeros."""
        return {"r": np.zeros(self.size)}

    @property
    def used(self) -> frozenset[str]:
        """All parameters."""
        return frozenset(self.names)

    def predict(self, inputs: Mapping[str, float]) -> Solved:
        """Return the function's value; a solve that failed where that is NaN."""
        value = self.function(np.array([inputs[name] for name in self.names]))
        return Solved("solved", {"r": value}) if np.isfinite(value).all() else Solved("failed", {}, "no value")


@dataclass
class Here:
    """A job and the pool that does it at once; it counts the points of each batch."""

    ready: Observed
    digest: str = "closed form"
    workers: int = 1
    batches: list[int] = field(default_factory=list)

    def __call__(self) -> Callable[[Sequence[Task]], list[Answer]]:
        """Return the work."""
        return lambda tasks: [self._answer(task) for task in tasks]

    def _answer(self, task: Task) -> Answer:
        solved = self.ready.predict(task.inputs)
        return Answer(solved.status, solved.outputs, solved.message)

    def map(self, job: Any, tasks: Sequence[Task], time_limit: float | None = None) -> list[Answer]:
        """Answer the tasks, in their order."""
        self.batches.append(len(tasks))
        return self()(tasks)

    def close(self) -> None:
        """Do nothing."""


class Search:
    """A search through the engine's own evaluation: journal, limits, cancel, and a clock of one second a look."""

    def __init__(
        self,
        estimator: Estimator,
        function: Function | None = None,
        start: tuple[float, ...] = (-1.0, 2.0),
        kept: Sequence[Batch] = (),
        cancel_after: int | None = None,
        **limits: Any,
    ) -> None:
        self.estimator, self.space, self.journal = estimator, kits.box(*start), MemoryJournal()
        function = function or minimum(estimator)[0]
        for index, batch in enumerate(kept):
            self.journal.append("search", index, batch)
        ready = Observed(function, self.space.names, len(function(np.array(start))))
        self.pool, clock = Here(ready), count()
        world = World(
            _unused,
            _unused,
            self.pool,
            _unused,
            self.journal,
            clock=lambda: float(next(clock)),
            canceled=lambda: cancel_after is not None and len(self.pool.batches) >= cancel_after,
        )
        cost = TotalCost(SSE(normalization="identity"))
        job: Any = self.pool
        question = Question("search", self.space, {"o": ready}, job, cost, estimator.needs_residuals, **limits)
        self.evaluation = Evaluation(question, world, "search")

    def run(self, seed: int = 7) -> Found:
        """Return what is found, as a fit does."""
        try:
            return self.estimator.search(self.evaluation, self.space, np.random.default_rng(seed))
        except SearchEndedError as end:
            best = self.evaluation.best_point
            return Found(self.space.initial if best is None else best, False, str(end))

    @property
    def batches(self) -> list[Batch]:
        """What was asked for and answered."""
        return self.journal.read("search")

    @property
    def path(self) -> Array:
        """All points that were asked for (n, d), in their order."""
        return np.vstack([batch.points for batch in self.batches])

    def values(self, found: Found) -> Array:
        """Return the parameters (d,) at what was found."""
        return np.array(list(self.space.values(found.point).values()))


def finds_a_minimum(estimator: Estimator) -> None:
    """It finds the minimum of Rosenbrock's valley, to what differences of some thousandths of the range allow."""
    search = Search(estimator)
    np.testing.assert_allclose(search.values(search.run()), minimum(estimator)[1], atol=_near(estimator, 0.02))


def finds_the_lowest_of_many(estimator: Estimator) -> None:
    """It finds the lowest of 25 minima, which lie 1 apart, from two of three seeds at least."""
    search = [Search(estimator, waves, (-1.5, 2.5)) for _ in range(3)]
    found = [one.values(one.run(seed)) for seed, one in enumerate(search)]
    assert sum(np.abs(values - 0.5).max() < 0.05 for values in found) >= 2, found


def takes_the_same_path(estimator: Estimator) -> None:
    """The same seed asks for the same points, to the bit, and NumPy's global random state has no part in it."""
    before = repr(np.random.get_state())  # noqa: NPY002
    one, other = Search(estimator), Search(estimator)
    one.run()
    state = np.random.get_state()  # noqa: NPY002
    assert repr(state) == before, "it changed NumPy's global random state"
    np.random.seed(99)  # noqa: NPY002
    try:
        other.run()
    finally:
        np.random.set_state(state)  # noqa: NPY002
    assert np.array_equal(one.path, other.path), "the same seed took another path"


def declares_its_chance(estimator: Estimator) -> None:
    """It does not declare `random`, and then takes the same path whatever the seed; or it does."""
    one, other = Search(estimator, bowl), Search(estimator, bowl)
    one.run(1)
    other.run(2)
    same = one.path.shape == other.path.shape and np.array_equal(one.path, other.path)
    assert same or estimator.random or estimator.samples, "it is random, and does not say so"


def stays_in_bounds(estimator: Estimator) -> None:
    """It asks for no point beyond the bounds where the minimum is there, and ends at the bounds."""
    search = Search(estimator, lambda x: x - 4.0)
    found = search.values(search.run())
    margin = 1e-12  # of rounding in the search coordinates
    assert (search.path >= search.space.lower - margin).all(), "it left the bounds"
    assert (search.path <= search.space.upper + margin).all(), "it left the bounds"
    np.testing.assert_allclose(found, 3.0, atol=_near(estimator, 0.02))


def survives_failures(estimator: Estimator) -> None:
    """It goes on where solves fail, and ends at the minimum, on the side where none does."""
    search = Search(estimator, lambda x: np.where(x[0] > 0.5, np.nan, bowl(x)), (-1.5, -1.0))
    np.testing.assert_allclose(search.values(search.run()), -0.5, atol=_near(estimator, 0.05))


def ends_without_a_solution(estimator: Estimator) -> None:
    """It ends by itself where not one point can be solved, at a point within the bounds."""
    search = Search(estimator, lambda x: np.full(2, np.nan), evaluations=20000)
    found = search.run()
    assert not found.message.startswith("stopped at the limit of 20000"), found.message
    assert ((found.point >= search.space.lower) & (found.point <= search.space.upper)).all()


def ends_when_cancelled(estimator: Estimator) -> None:
    """A cancel goes through it at once, and it asks for nothing more."""
    for batches in (1, 3):
        search = Search(estimator, cancel_after=batches)
        try:
            search.run()
        except CanceledError:
            assert len(search.pool.batches) == batches
        else:
            assert len(search.pool.batches) <= batches, "it did not end when it was cancelled"


def keeps_to_limits(estimator: Estimator) -> None:
    """A limit of evaluations or of seconds ends it with the batch that reaches it, at the best point so far."""
    limits: list[dict[str, Any]] = [{"evaluations": 20}, {"seconds": 15}]
    for limit in limits:
        search = Search(estimator, **limit)
        found = search.run()
        batches = search.batches
        costs = np.concatenate([batch.costs for batch in batches])
        if found.message.startswith("stopped at the") and not estimator.samples:
            assert not found.success
            assert np.array_equal(found.point, search.path[int(np.argmin(costs))])
        assert "evaluations" not in limit or len(search.path) - len(batches[-1].points) < limit["evaluations"]
        assert "seconds" not in limit or search.evaluation.elapsed < 2 * limit["seconds"]


def goes_on_by_replay(estimator: Estimator) -> None:
    """Killed after some batches and started again, it asks for what it asked before and ends alike, to the bit."""
    whole = Search(estimator)
    found = whole.run()
    for kept in {1, len(whole.batches) // 2, len(whole.batches) - 1}:
        again = Search(estimator, kept=whole.batches[:kept])
        resumed = again.run()
        assert sum(again.pool.batches) == len(whole.path) - sum(len(batch.points) for batch in whole.batches[:kept])
        assert np.array_equal(again.path, whole.path), "it took another path"
        assert np.array_equal(resumed.point, found.point)
        assert (resumed.message, resumed.iterations) == (found.message, found.iterations)


def keeps_to_iterations(estimator: Estimator) -> None:
    """With at most one iteration it asks for fewer points than without a limit, save where one is all it takes."""
    free, short = Search(estimator), Search(estimator.limited(1))
    iterations = free.run().iterations
    short.run()
    assert len(short.path) < len(free.path) or iterations <= 1, "a limit of iterations has no effect"


PROPERTIES: Mapping[str, Callable[[Estimator], None]] = {
    "finds a minimum": finds_a_minimum,
    "finds the lowest of many": finds_the_lowest_of_many,
    "same seed, same path": takes_the_same_path,
    "declares its chance": declares_its_chance,
    "stays in bounds": stays_in_bounds,
    "survives failures": survives_failures,
    "ends without a solution": ends_without_a_solution,
    "ends when cancelled": ends_when_cancelled,
    "keeps to limits": keeps_to_limits,
    "keeps to iterations": keeps_to_iterations,
    "goes on by replay": goes_on_by_replay,
}
"""What estimators prove."""
SEARCHING = frozenset({"finds a minimum", "stays in bounds", "survives failures", "keeps to iterations"})
"""What only those prove that search."""


def applies(claim: str, name: str, estimator: Estimator) -> bool:
    """Return whether a property is one of this estimator: few claim to find the lowest of many minima."""
    if claim == "finds the lowest of many":
        return estimator.global_search and name not in FEW
    if claim == "keeps to iterations" and estimator.limited(1) is estimator:
        return False
    linear = name in LINEAR and claim in {"finds a minimum", "keeps to iterations"}
    still = name in STAYS or (estimator.samples and name != "GridSearch")
    return not (linear or (still and claim in SEARCHING))


def _near(estimator: Estimator, distance: float) -> float:
    """Return how near is near: searches of few evaluations end within a twentieth of the range of 5."""
    return 0.25 if type(estimator).__name__ in FEW else distance


def _unused(problem: Any) -> Any:
    raise AssertionError(f"a search in closed form has no use for {problem!r}")
