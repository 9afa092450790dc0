"""Bayesian optimisation in a trust region."""

from collections.abc import Iterator
from math import ceil
from typing import ClassVar, Literal

import numpy as np

from cellwright.catalog.estimators.gaussian_process import Kernel, Surrogate
from cellwright.catalog.estimators.surrogate import Observed, Rules, SurrogateOptions, SurrogateSearch
from cellwright.errors import CellwrightError, ConfigurationError
from cellwright.schema.families import Array
from cellwright.schema.search import Space
from cellwright.schema.variant import Example

LENGTHS = (0.8, 2.0**-7, 1.6)
"""Side of the region in units of the ranges: at first, at least, at most; Eriksson et al. (2019), appendix D."""
SUCCESSES = 3
POINTS = 1000
WORTH = 1e-3
"""Improvement of the best cost, as a fraction of it, that counts as a success."""
CHANGED = 20
"""How many coordinates of a candidate differ from those of the centre, on average and at most."""


class TuRBOOptions(SurrogateOptions):
    """Options of TuRBO.

    `n_initial` and `noise_floor` as in Bayesian optimization; each region begins with so many points. `n_candidates`
    (200 for each parameter, 5000 at most) points of the region are drawn for each batch. The side of the region, in
    units of the ranges of the parameters, is `tr_length_init` (0.8) at first and `tr_length_max` (1.6) at most; it is
    doubled after `tr_success_tolerance` (3) batches in a row with an improvement, halved after `tr_failure_tolerance`
    (max(4, d) / batch, rounded up) without, and a new region begins where it would be less than `tr_length_min` (2⁻⁷).
    The surrogate is fitted to the `gp_max_points` (1000) points that are nearest to the centre.
    """

    n_candidates: int | None = None
    tr_length_init: float | None = None
    tr_length_min: float | None = None
    tr_length_max: float | None = None
    tr_success_tolerance: int | None = None
    tr_failure_tolerance: int | None = None
    gp_max_points: int | None = None

    @property
    def lengths(self) -> tuple[float, float, float]:
        """The side of the region at first, at least and at most."""
        given = (self.tr_length_init, self.tr_length_min, self.tr_length_max)
        first, least, most = (own if one is None else one for one, own in zip(given, LENGTHS, strict=True))
        return first, least, most

    def refusals(self) -> Iterator[CellwrightError]:
        """Yield what the options say that cannot be meant."""
        yield from super().refusals()
        yield from self.least(n_candidates=1, tr_success_tolerance=1, tr_failure_tolerance=1, gp_max_points=2)
        first, least, most = self.lengths
        if not 0 < least < first <= most < float("inf"):
            said = f"the side of the region is {first:g} at first, between {least:g} and {most:g}"
            name = "tr_length_init" if self.tr_length_init is not None else "tr_length_min"
            name = "tr_length_max" if self.tr_length_max is not None and most < first else name
            yield ConfigurationError(said, at=(name,), hint="0 < tr_length_min < tr_length_init <= tr_length_max")


class TuRBO(SurrogateSearch):
    """Bayesian optimization inside a region that grows with success and shrinks with failure: for more parameters.

    The region is a box around the best point; its sides are in the ratio of the lengths of the Gaussian process that
    is fitted to the points since it began. Each batch of `population_size` (4) points holds the maxima of as many
    functions that are drawn from the process (Thompson sampling) on candidates in the region. A region that has become
    too small is left for a new one, begun with new first points; what is found stays found. Without `max_iterations`
    there are 25 batches for each parameter and 50 more at most. Needs the extra `surrogate`.

    Source: Eriksson, Pearce, Gardner, Turner & Poloczek, NeurIPS 32 (2019), arXiv:1910.01739.
    """

    batch: ClassVar[int] = 4
    judges: ClassVar[bool] = False
    example: ClassVar[Example | None] = Example(fields={"algorithm_options": {"tr_length_init": 0.8}})

    type: Literal["TuRBO"] = "TuRBO"
    algorithm_options: TuRBOOptions | None = None

    def refusals(self, space: Space) -> Iterator[CellwrightError]:
        """Yield what keeps the search from this space, among it fewer candidates than a batch takes."""
        yield from super().refusals(space)
        candidates = (self.algorithm_options or TuRBOOptions()).n_candidates
        if candidates is not None and candidates < self.size:
            said = f"{candidates} candidates are fewer than the {self.size} points of a batch"
            yield ConfigurationError(said, at=("algorithm_options", "n_candidates"))

    def algorithm(self, space: Space, rng: np.random.Generator) -> "Region":
        """Return the search with its first region."""
        options = self.algorithm_options or TuRBOOptions()
        return Region(space, self.first(space, options, rng), self.size, options, self, rng)


class Region(Observed):
    """A trust region, and those after it."""

    kernel: Kernel = "rough"
    options: TuRBOOptions

    def __init__(
        self, space: Space, first: Array, size: int, options: TuRBOOptions, rules: Rules, rng: np.random.Generator
    ) -> None:
        super().__init__(space, first, size, options, rules, rng)
        d = len(self.low)
        self.candidates = options.n_candidates or max(size, min(5000, 200 * d))
        self.success_tolerance = options.tr_success_tolerance or SUCCESSES
        self.failure_tolerance = options.tr_failure_tolerance or ceil(max(4, d) / size)
        self.most_points = options.gp_max_points or POINTS
        self._begin()

    @property
    def ended(self) -> str:
        """Never: a region that has become too small is followed by another."""
        return ""

    @property
    def population(self) -> tuple[Array, Array]:
        """The best points of this region, as many as there were at first, and their costs."""
        points, costs = self.points[self.since :], self.costs[self.since :]
        best = np.argsort(costs, kind="stable")[: self.keep]
        return self._inside(points[best]), costs[best]

    def tell(self, costs: Array) -> None:
        """Take the costs (n,) of the points that were asked for, and let the region grow or shrink."""
        began = len(self.costs) == self.since
        before = np.inf if began else float(self.costs[self.since :].min())
        super().tell(costs)
        if not began and np.isfinite(before):
            self._sized(bool(costs.min() < before - WORTH * abs(before)))

    def _begin(self) -> None:
        self.since = len(self.costs)
        self.length = self.options.lengths[0]
        self.successes = self.failures = 0

    def _sized(self, success: bool) -> None:
        self.successes, self.failures = (self.successes + 1, 0) if success else (0, self.failures + 1)
        if self.successes >= self.success_tolerance:
            self.length, self.successes = min(2 * self.length, self.options.lengths[2]), 0
        elif self.failures >= self.failure_tolerance:
            self.length, self.failures = self.length / 2, 0

    def _next(self) -> Array:
        if self.length < self.options.lengths[1]:
            self._begin()
            return self.random(self.keep)
        if not np.isfinite(self.costs[self.since :]).any():
            return self.random(self.keep)
        return super()._next()

    def fitted(self, points: Array, costs: Array) -> Surrogate:
        """Return the surrogate of the points of this region, the nearest to its centre where there are many."""
        points, costs = points[self.since :], costs[self.since :]
        centre = points[int(np.argmin(costs))]
        near = np.sort(np.argsort(np.linalg.norm(points - centre, axis=1), kind="stable")[: self.most_points])
        return super().fitted(points[near], costs[near])

    def proposed(self, surrogate: Surrogate) -> Array:
        """Return the maxima (n, d) of functions that are drawn from the process, on candidates in the region."""
        import torch
        from botorch.generation.sampling import MaxPosteriorSampling

        candidates = torch.tensor(self.drawn(surrogate), dtype=torch.float64)
        with torch.no_grad():
            chosen = MaxPosteriorSampling(model=surrogate.model, replacement=False)(candidates, num_samples=self.size)
        return np.asarray(chosen.numpy())

    def drawn(self, surrogate: Surrogate) -> Array:
        """Return the candidates (m, d): the centre, with some coordinates moved to points of a Sobol sequence."""
        from scipy.stats import qmc

        d = len(self.low)
        centre = surrogate.points[int(np.argmax(surrogate.values))]
        weights = surrogate.lengths / surrogate.lengths.mean()
        weights = weights / np.prod(weights) ** (1 / d)
        low, high = (np.clip(centre + sign * weights * self.length / 2, 0, 1) for sign in (-1, 1))
        exponent = ceil(np.log2(self.candidates)) if self.candidates > 1 else 0
        cube = qmc.Sobol(d, rng=self.rng).random_base2(exponent)[: self.candidates]
        moved = self.rng.random(cube.shape) < min(CHANGED / d, 1.0)
        none = ~moved.any(axis=1)
        moved[none, self.rng.integers(d, size=int(none.sum()))] = True
        return np.asarray(np.where(moved, low + cube * (high - low), centre))
