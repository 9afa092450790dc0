"""The search by generations: a population is asked for, evaluated in one batch, and told its costs."""

import sys
from abc import abstractmethod
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, ClassVar, Protocol

import numpy as np

from cellwright.catalog.estimators.ask_tell import AskTell
from cellwright.catalog.estimators.bounds import outside
from cellwright.catalog.estimators.stopping import End, Stopping
from cellwright.errors import CellwrightError, ConfigurationError
from cellwright.schema.families import Array
from cellwright.schema.search import Evaluate, Found, Space


class Algorithm(Protocol):
    """An algorithm that says which points it wants to know, and learns from their costs."""

    def ask(self) -> Array:
        """Return the points (n, d) of the next generation; those beyond the bounds are not evaluated."""
        ...

    def tell(self, costs: Array) -> None:
        """Take the costs (n,) of the points that were asked for; infinite where one failed or was not evaluated."""
        ...

    @property
    def population(self) -> tuple[Array, Array]:
        """The points (m, d) that the search stands on, and their costs (m,)."""
        ...

    @property
    def ended(self) -> str:
        """Why the algorithm itself wants to end; empty while it does not."""
        ...


class GenerationalSearch(AskTell):
    """Base of the searches by generations: their algorithms differ, their ends do not."""

    least_population: ClassVar[int] = 2
    """How many points the algorithm needs in a generation."""

    @abstractmethod
    def algorithm(self, space: Space, rng: np.random.Generator) -> Algorithm:
        """Return the algorithm at its start. All randomness is drawn from `rng`."""

    def refusals(self, space: Space) -> Iterator[CellwrightError]:
        """Yield what keeps the search from this space: fields that cannot be meant, or that have no use here."""
        yield from super().refusals(space)
        if self.population_size is not None and self.population_size < self.least_population:
            yield ConfigurationError(
                f"{type(self).__name__} needs a population of {self.least_population} at least",
                at=("population_size",),
            )
        if self.surrogate_convergence_tol not in {None, AskTell.model_fields["surrogate_convergence_tol"].default}:
            yield ConfigurationError(
                f"{type(self).__name__} has no surrogate to converge",
                at=("surrogate_convergence_tol",),
                hint="leave it out",
            )

    def search(self, evaluate: Evaluate, space: Space, rng: np.random.Generator) -> Found:
        """Return the best of all points that were asked for; the start is among them."""
        algorithm, stopping = self.algorithm(space, rng), Stopping(self, len(space.dimensions))
        while True:
            asked = algorithm.ask()
            inside = ~outside(asked, space).any(axis=1)
            wanted = asked[inside]
            first = stopping.iterations == 0 and not (wanted == space.initial).all(axis=1).any()
            points = (np.vstack([space.initial, wanted]) if first else wanted)[: stopping.left]
            found, known = self.costs(algorithm, partial(_costs, evaluate), points)
            stopping.note(points[known], found[known])
            if len(points) == len(wanted) + first:
                costs = np.full(len(asked), np.inf)
                costs[inside] = found[int(first) :]
                algorithm.tell(costs)
                stopping.judge(*algorithm.population)
            if self.log_to_screen:
                said = f"{type(self).__name__}: generation {stopping.iterations}, {stopping.evaluations} evaluations"
                print(f"{said}, best cost {stopping.best_cost:.6g}", file=sys.stderr)
            end = stopping.end
            if end is None and algorithm.ended:
                end = End(algorithm.ended, True)
            if end is not None:
                best = space.initial if stopping.best_point is None else stopping.best_point
                return Found(best, end.success and stopping.best_point is not None, end.message, stopping.iterations)

    def costs(self, algorithm: Any, costs_of: Callable[[Array], Array], points: Array) -> tuple[Array, Array]:
        """Return the costs (n,) of a generation, and which of its points were evaluated (n,); here all."""
        return costs_of(points), np.ones(len(points), dtype=bool)

    def sigma(self, space: Space, default: float | None = None) -> Any:
        """Return `sigma0` of each coordinate (d,); the default where it is not given, None where there is none."""
        given = default if self.sigma0 is None else self.sigma0
        return None if given is None else np.broadcast_to(np.asarray(given, dtype=float), len(space.dimensions)).copy()


def _costs(evaluate: Evaluate, points: Array) -> Array:
    """Return the costs of points, evaluated in one batch; infinite where there is none."""
    costs = evaluate(points).costs if len(points) else np.empty(0)
    return np.where(np.isfinite(costs), costs, np.inf)
