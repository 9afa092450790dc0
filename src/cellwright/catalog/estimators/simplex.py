"""The simplex search of Nelder and Mead."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from cellwright.catalog.estimators.ask_tell import AlgorithmOptions
from cellwright.catalog.estimators.bounds import folded
from cellwright.catalog.estimators.generations import GenerationalSearch
from cellwright.errors import CellwrightError, ConfigurationError
from cellwright.schema.families import Array
from cellwright.schema.search import Space

FIRST_EDGE = 0.1
"""First length of the simplex' edges in search coordinates, where the bounds are 0 and 1."""
GROWTH = 0.05
"""By which fraction of each coordinate of the start pints moves away from it to make the first simplex."""


class NelderMead(GenerationalSearch):
    """Simplex search: the worst corner of d + 1 is reflected at the others, again and again.

    It is local and asks for one or two points at a time, so it does not gain from several cores. `sigma0` (0.1) is
    the first length of the edges; corners beyond the bounds are mirrored at them.

    Source: Nelder & Mead, Comput. J. 7 (1965) 308, doi:10.1093/comjnl/7.4.308.
    """

    random: ClassVar[bool] = False
    algorithm_options: AlgorithmOptions | None = None

    def refusals(self, space: Space) -> Iterator[CellwrightError]:
        """Yield what keeps the search from this space; a simplex has no size to choose."""
        yield from super().refusals(space)
        corners = len(space.dimensions) + 1
        if self.population_size not in {None, corners}:
            yield ConfigurationError(
                f"a simplex has a corner more than there are parameters, here {corners}",
                at=("population_size",),
                hint="leave it out",
            )

    def algorithm(self, space: Space, rng: np.random.Generator) -> "Simplex":
        """Return the simplex of `pints` at the start; there is no chance in it."""
        return Simplex(space, self.sigma(space, FIRST_EDGE))


class Simplex:
    """`pints.NelderMead` on a search space.

    It searches in coordinates that are 1 at the start and in which the steps of its first simplex are the given edges,
    towards the farther bound. pints does not tell the corners; the best d + 1 points stand for them, which they are
    save after a shrink.
    """

    ended = ""

    def __init__(self, space: Space, edges: Array) -> None:
        import pints

        self.space = space
        up = space.upper - space.initial >= space.initial - space.lower
        self.scale = np.where(up, edges, -edges) / GROWTH
        self.simplex = pints.NelderMead(np.ones(len(edges)))
        self.asked = np.empty((0, len(edges)))
        self.population = (self.asked, np.empty(0))

    def ask(self) -> Array:
        """Return the corners that are to be evaluated (n, d)."""
        self.asked = self.space.initial + (np.atleast_2d(self.simplex.ask()) - 1.0) * self.scale
        if not len(self.population[0]):
            self.asked[0] = self.space.initial
        return folded(self.asked, self.space)

    def tell(self, costs: Array) -> None:
        """Take the costs (n,)."""
        self.simplex.tell(costs if len(costs) > 1 else costs[:1])
        points = np.vstack([self.population[0], self.asked])
        both = np.concatenate([self.population[1], costs])
        best = np.argsort(both, kind="stable")[: len(self.scale) + 1]
        self.population = (points[best], both[best])
