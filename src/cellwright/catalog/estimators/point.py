"""Estimators that look at given points alone: the start, or a grid."""

from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy as np

from cellwright.errors import CellwrightError, ConfigurationError
from cellwright.schema.families import Array, Estimator
from cellwright.schema.search import Evaluate, Found, Space
from cellwright.schema.variant import Example

BATCH = 256
"""Points of a grid that are asked for at once."""
MOST = 10**6
"""Points of the largest grid."""


def stay(evaluate: Evaluate, space: Space) -> Found:
    """Evaluate the start and return it."""
    solved = bool(np.isfinite(evaluate(space.initial[None, :]).costs[0]))
    return Found(space.initial, solved, "evaluated at the start" if solved else "the start could not be solved")


class PointEstimateOptimizer(Estimator):
    """Evaluates the start and leaves it there.

    Source: Seber & Wild, Nonlinear Regression (1989), ch. 2 (the cost at a given point).
    """

    positional = ()
    ensemble: ClassVar[bool] = True

    type: Literal["PointEstimateOptimizer"] = "PointEstimateOptimizer"

    def search(self, evaluate: Evaluate, space: Space, rng: np.random.Generator) -> Found:
        """Return the start."""
        return stay(evaluate, space)


class DummyOptimizer(Estimator):
    """Older name of `PointEstimateOptimizer`.

    Source: Seber & Wild, Nonlinear Regression (1989), ch. 2 (the cost at a given point).
    """

    positional = ()
    ensemble: ClassVar[bool] = True

    type: Literal["DummyOptimizer"] = "DummyOptimizer"

    def search(self, evaluate: Evaluate, space: Space, rng: np.random.Generator) -> Found:
        """Return the start."""
        return stay(evaluate, space)


class PointEstimateSampler(Estimator):
    """Draws one sample: the start.

    Source: Bishop, Pattern Recognition and Machine Learning (2006), ch. 11 (sampling).
    """

    positional = ()
    samples: ClassVar[bool] = True
    ensemble: ClassVar[bool] = True

    type: Literal["PointEstimateSampler"] = "PointEstimateSampler"

    def search(self, evaluate: Evaluate, space: Space, rng: np.random.Generator) -> Found:
        """Return the start."""
        return stay(evaluate, space)


class DummySampler(Estimator):
    """Older name of `PointEstimateSampler`.

    Source: Bishop, Pattern Recognition and Machine Learning (2006), ch. 11 (sampling).
    """

    positional = ()
    samples: ClassVar[bool] = True
    ensemble: ClassVar[bool] = True

    type: Literal["DummySampler"] = "DummySampler"

    def search(self, evaluate: Evaluate, space: Space, rng: np.random.Generator) -> Found:
        """Return the start."""
        return stay(evaluate, space)


class GridSearch(Estimator):
    """Evaluates a grid of `npts` points on each parameter's range, ends included: npts^d points for d parameters.

    The points are evenly spaced in the search variable: in the logarithm of a parameter that is searched in it. The
    result holds them all with their costs; one point a parameter is the middle of its range.

    Source: Bergstra & Bengio, J. Mach. Learn. Res. 13 (2012) 281 (grid search, and what it costs).
    """

    positional = ("npts",)
    samples: ClassVar[bool] = True
    ensemble: ClassVar[bool] = True
    global_search: ClassVar[bool] = True
    example: ClassVar[Example | None] = Example(fields={"npts": 5})

    type: Literal["GridSearch"] = "GridSearch"
    npts: int = 10

    def refusals(self, space: Space) -> Iterator[CellwrightError]:
        """Yield an error for a grid without points, or with too many."""
        d = len(space.dimensions)
        if self.npts < 1:
            yield ConfigurationError(f"a grid has 1 point a parameter at least, not {self.npts}", at=("npts",))
        elif self.npts**d > MOST:
            said = f"a grid of {self.npts} points on each of {d} parameters has {self.npts**d} points"
            yield ConfigurationError(said, at=("npts",), hint=f"use {int(MOST ** (1 / d) + 1e-9)} points at most")

    def search(self, evaluate: Evaluate, space: Space, rng: np.random.Generator) -> Found:
        """Return the best point of the grid, the first one among equals."""
        middle = (space.lower + space.upper) / 2
        axes = np.linspace(space.lower, space.upper, self.npts, axis=1) if self.npts > 1 else middle[:, None]
        shape = (self.npts,) * len(axes)
        best, least, solved, count = space.initial, np.inf, 0, self.npts ** len(axes)
        for first in range(0, count, BATCH):
            places = np.unravel_index(np.arange(first, min(first + BATCH, count)), shape)
            points = np.column_stack([axis[place] for axis, place in zip(axes, places, strict=True)])
            costs: Array = evaluate(points).costs
            solved += int(np.isfinite(costs).sum())
            if costs.min() < least:
                best, least = points[int(np.argmin(costs))], float(costs.min())
        return Found(best, solved > 0, f"{solved} of {count} points could be solved", 1)
