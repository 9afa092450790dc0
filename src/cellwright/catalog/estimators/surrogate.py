"""Searches on a Gaussian process that is fitted to the costs so far: what they have in common."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Protocol

import numpy as np

from cellwright.catalog.estimators.ask_tell import AlgorithmOptions, AskTell
from cellwright.catalog.estimators.bounds import first_population
from cellwright.catalog.estimators.gaussian_process import (
    DETERMINISTIC,
    Kernel,
    Noise,
    Surrogate,
    missing,
    torch_alone,
)
from cellwright.catalog.estimators.generations import GenerationalSearch
from cellwright.errors import CellwrightError, ConfigurationError, did_you_mean
from cellwright.schema.families import Array
from cellwright.schema.search import Evaluate, Found, Space

FLOORS: dict[str, Noise] = {"deterministic": DETERMINISTIC, "low": DETERMINISTIC, "standard": None}
BATCHES = 25
"""Limit of batches for each parameter, and for two parameters more."""


class SurrogateOptions(AlgorithmOptions):
    """Options of all searches on a surrogate: the number of first points, the noise that the surrogate assumes."""

    n_initial: int | None = None
    noise_floor: str | tuple[float, float] | list[float] | None = None

    @property
    def noise(self) -> Noise:
        """The bounds of the noise's variance, in units of the variance of the costs; None for a noise that is free."""
        given = self.noise_floor
        if given is None or isinstance(given, str):
            return FLOORS[given or "deterministic"]
        return float(given[0]), float(given[1])

    def refusals(self) -> Iterator[CellwrightError]:
        """Yield what the options say that cannot be meant."""
        yield from super().refusals()
        yield from self.least(n_initial=2)
        given = self.noise_floor
        if isinstance(given, str) and given not in FLOORS:
            hint = did_you_mean(given, FLOORS) or f"there are {', '.join(FLOORS)}, and two numbers"
            yield ConfigurationError(f"noise_floor is not {given!r}", at=("noise_floor",), hint=hint)
        if isinstance(given, list | tuple) and not (len(given) == 2 and 0 <= given[0] < given[1] < float("inf")):
            said = f"a noise floor is two numbers from 0 on, the lower one first, not {list(given)}"
            yield ConfigurationError(said, at=("noise_floor",))

    def least(self, **counts: int) -> Iterator[CellwrightError]:
        """Yield an error for each count that is less than it can be."""
        for name, count in counts.items():
            given = getattr(self, name)
            if given is not None and given < count:
                yield ConfigurationError(f"{name} is {count} at least, not {given}", at=(name,))


class SurrogateSearch(GenerationalSearch):
    """Base of the searches on a surrogate."""

    global_search: ClassVar[bool] = True
    least_population: ClassVar[int] = 1
    batch: ClassVar[int] = 1
    """Points that are asked for at once, unless `population_size` says how many."""
    judges: ClassVar[bool] = True
    """Whether the expected improvement ends the search."""

    def refusals(self, space: Space) -> Iterator[CellwrightError]:
        """Yield what keeps the search from this space, a missing BoTorch among it."""
        lacking = missing(type(self).__name__)
        if lacking is not None:
            yield lacking
        told = AskTell.refusals(self, space) if self.judges else super().refusals(space)
        yield from told

    def search(self, evaluate: Evaluate, space: Space, rng: np.random.Generator) -> Found:
        """Return the best of all points that were asked for; the start is among them."""
        lacking = missing(type(self).__name__)
        if lacking is not None:
            raise lacking
        if self.max_iterations is None:
            most = BATCHES * (len(space.dimensions) + 2)
            return self.model_copy(update={"max_iterations": most}).search(evaluate, space, rng)
        return super().search(evaluate, space, rng)

    @property
    def size(self) -> int:
        """How many points are asked for at once."""
        return self.population_size or self.batch

    def first(self, space: Space, options: SurrogateOptions, rng: np.random.Generator) -> Array:
        """Return the points (n, d) before there is a surrogate: the start, and points of a Latin hypercube.

        With `sigma0` they are normal around the start.
        """
        count = options.n_initial or max(5, 2 * len(space.dimensions) + 1)
        return first_population(space, count, self.sigma(space), rng)


class Rules(Protocol):
    """The fields of a search that say when its surrogate has converged."""

    min_iterations: int | None
    convergence_patience: int | None
    surrogate_convergence_tol: float | int | None


class Observed:
    """Base of the algorithms: what has been observed, in the unit cube, and the surrogate of it."""

    kernel: Kernel = "smooth"

    def __init__(
        self, space: Space, first: Array, size: int, options: SurrogateOptions, rules: Rules, rng: np.random.Generator
    ) -> None:
        self.space, self.size, self.options, self.rules, self.rng = space, size, options, rules, rng
        self.low, self.width = space.lower, space.upper - space.lower
        self.points, self.costs = np.empty((0, len(self.low))), np.empty(0)
        self.keep = len(first)
        self.asked = first
        self.batches = 0
        self.settled = 0

    def ask(self) -> Array:
        """Return the points (n, d) of the next batch."""
        if self.batches:
            self.asked = self._inside(self._next())
        return self.asked

    def tell(self, costs: Array) -> None:
        """Take the costs (n,) of the points that were asked for."""
        self.points = np.vstack([self.points, (self.asked - self.low) / self.width])
        self.costs = np.concatenate([self.costs, costs])
        self.batches += 1

    @property
    def population(self) -> tuple[Array, Array]:
        """The best points so far, as many as there were at first, and their costs."""
        best = np.argsort(self.costs, kind="stable")[: self.keep]
        return self._inside(self.points[best]), self.costs[best]

    @property
    def ended(self) -> str:
        """Why the surrogate has no more to say; empty while it has."""
        rules = self.rules
        enough = self.batches >= (rules.min_iterations or 0) and self.settled >= (rules.convergence_patience or 1)
        tolerance = rules.surrogate_convergence_tol
        return f"the improvement to be expected is below {tolerance:g} of the range of the costs" if enough else ""

    @abstractmethod
    def proposed(self, surrogate: Surrogate) -> Array:
        """Return the points (n, d) of the unit cube that the surrogate promises most of."""

    def fitted(self, points: Array, costs: Array) -> Surrogate:
        """Return the surrogate of points (n, d) of the unit cube with costs (n,)."""
        return Surrogate.of(points, costs, self.kernel, self.options.noise)

    def judge(self, surrogate: Surrogate, points: Array) -> None:
        """Count the batches in a row of which next to no improvement is to be expected."""
        tolerance = self.rules.surrogate_convergence_tol
        if tolerance is None:
            return
        most = float(surrogate.improvement(points).max())
        self.settled = self.settled + 1 if most < tolerance * float(np.ptp(surrogate.values)) else 0

    def random(self, count: int) -> Array:
        """Return points (count, d) of a Latin hypercube of the unit cube."""
        from scipy.stats import qmc

        return np.asarray(qmc.LatinHypercube(d=len(self.low), rng=self.rng).random(count))

    def _next(self) -> Array:
        if not np.isfinite(self.costs).any():
            return self.random(self.keep)
        with torch_alone(int(self.rng.integers(2**63))):
            return self.proposed(self.fitted(self.points, self.costs))

    def _inside(self, unit: Array) -> Any:
        return np.clip(self.low + unit * self.width, self.space.lower, self.space.upper)
