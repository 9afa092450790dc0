"""Differential evolution with a memory of the steps that succeeded.

The algorithm is our own: SciPy's differential evolution has neither the memory nor the archive.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from cellwright.catalog.estimators.ask_tell import AlgorithmOptions
from cellwright.catalog.estimators.bounds import HANDLINGS, first_population, handled
from cellwright.catalog.estimators.generations import GenerationalSearch
from cellwright.errors import CellwrightError, ConfigurationError
from cellwright.schema.families import Array
from cellwright.schema.search import Space
from cellwright.schema.variant import Example

FIRST_F, FIRST_CR = 0.5, 0.7
"""Where the memories of the scale and of the rate of crossover begin."""
SPREAD = 0.1
"""Scale of the Cauchy distribution of F, and standard deviation of the rate of crossover, around their memories."""
DITHER = (0.5, 1.0)
"""Between which numbers F scatters."""
BEST = 0.1
"""Fraction of the population that counts as its best."""
LEAST = 6
"""Size of the smallest population: a point and the five others that "rand_2" takes."""

Index = NDArray[np.intp]


class DEOptions(AlgorithmOptions):
    """Options of differential evolution: mutation, crossover, archive and memory of good steps.

    `mutation_strategy` ("current_to_pbest_1") is also "rand_1", "best_1", "current_to_best_1", "rand_2" or "best_2",
    `crossover_method` ("binomial") also "exponential". `F` (0.5) and `CR` (0.7) are where the memories of the scale and
    of the rate of crossover begin. F scatters around its memory between the two numbers of `dither` (True: 0.5 and 1;
    (0, 1) is the paper's); with False it does not. For "current_to_pbest_1" alone: `p_best_rate` (0.1) is the fraction
    of the population that one of its best is drawn from, `archive_size_ratio` (1) the number of replaced points that
    are kept, as a multiple of the population. `memory_size` is the length of both memories, unless given that of the
    population. `boundary_handling`: "reflect" (mirrored), "absorb" (put on the bound), "random" (drawn anew), "ignore"
    (not evaluated).
    """

    words: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "mutation_strategy": ("current_to_pbest_1", "rand_1", "best_1", "current_to_best_1", "rand_2", "best_2"),
        "crossover_method": ("binomial", "exponential"),
        "boundary_handling": HANDLINGS,
    }

    mutation_strategy: str | None = None
    crossover_method: str | None = None
    F: float | None = None
    CR: float | None = None
    dither: bool | tuple[float, float] | list[float] | None = None
    p_best_rate: float | None = None
    archive_size_ratio: float | None = None
    memory_size: int | None = None
    boundary_handling: str | None = None

    @property
    def scatter(self) -> tuple[float, float] | None:
        """Between which numbers F scatters; None where it does not."""
        if isinstance(self.dither, bool | None):
            return None if self.dither is False else DITHER
        low, high = self.dither
        return low, high

    def refusals(self) -> Iterator[CellwrightError]:
        """Yield what cannot be meant, and what has no effect beside the rest."""
        yield from super().refusals()
        two = isinstance(self.dither, bool | None) or len(self.dither) == 2
        if not two or not 0 <= (self.scatter or DITHER)[0] < (self.scatter or DITHER)[1]:
            yield _refused("dither", "F scatters between two numbers, the first below the second")
        elif self.F is not None and not (self.scatter or (0.0, 2.0))[0] <= self.F <= (self.scatter or (0.0, 2.0))[1]:
            said = f"F begins at {self.F:g}, outside of {' to '.join(f'{end:g}' for end in self.scatter or (0.0, 2.0))}"
            yield _refused("F", said, "move it, or give the numbers that it scatters between as dither")
        if self.F == 0:
            yield _refused("F", "with a scale of 0 the population does not move", "raise it")
        if self.CR is not None and not 0 <= self.CR <= 1:
            yield _refused("CR", "the rate of crossover lies between 0 and 1")
        strategy = self.word("mutation_strategy")
        if strategy != "current_to_pbest_1":
            if self.p_best_rate not in {None, BEST}:
                yield _refused("p_best_rate", f"{strategy!r} has no use for it")
            if self.archive_size_ratio not in {None, 1.0}:
                yield _refused("archive_size_ratio", f"{strategy!r} has no use for it")
        if self.p_best_rate is not None and not 0 < self.p_best_rate <= 1:
            yield _refused("p_best_rate", "the fraction of the best lies between 0 and 1")
        if self.archive_size_ratio is not None and self.archive_size_ratio < 0:
            yield _refused("archive_size_ratio", "the archive holds 0 points at least")
        if self.memory_size is not None and self.memory_size < 1:
            yield _refused("memory_size", "the memory holds one number at least")


class DifferentialEvolution(GenerationalSearch):
    """Differential evolution that adapts its steps to those that succeeded (SHADE).

    Each point xᵢ competes with a trial, a crossover of itself with a mutant vᵢ: of "rand_1" x_a + F (x_b − x_c), of
    "best_1" x* + F (x_a − x_b), of "current_to_best_1" xᵢ + F (x* − xᵢ) + F (x_a − x_b), of "rand_2" and "best_2" with
    a second difference, of "current_to_pbest_1" xᵢ + F (x_p − xᵢ) + F (x_a − x̃_b), with x_p one of the best and x̃_b
    of the population or of the points that it has replaced. F and the rate of crossover are drawn around their
    memories, in which the means of what made better trials are kept. `population_size` is unless given 10 d for d
    parameters, 20 at least; the first point is the start, the others lie on a Latin hypercube of the bounds, or with
    `sigma0` normal around the start.

    Source: Tanabe & Fukunaga, IEEE CEC (2013) 71, doi:10.1109/CEC.2013.6557555; Storn & Price, J. Global Optim. 11
    (1997) 341, doi:10.1023/A:1008202821328 (the other mutations, both crossovers).
    """

    global_search: ClassVar[bool] = True
    least_population: ClassVar[int] = LEAST
    example: ClassVar[Example | None] = Example(fields={"algorithm_options": {"F": 0.5, "dither": [0.5, 1.0]}})

    type: Literal["DifferentialEvolution"] = "DifferentialEvolution"
    algorithm_options: DEOptions | None = None

    def algorithm(self, space: Space, rng: np.random.Generator) -> "Evolution":
        """Return the evolution at its first population."""
        size = self.population_size or max(10 * len(space.dimensions), 20)
        first = first_population(space, size, self.sigma(space), rng)
        return Evolution(space, first, self.algorithm_options or DEOptions(), rng)


class Evolution:
    """A population, the archive of the points that it has replaced, and the memories of good steps."""

    ended = ""

    def __init__(self, space: Space, first: Array, options: DEOptions, rng: np.random.Generator) -> None:
        self.space, self.options, self.rng = space, options, rng
        self.points, self.costs = first, np.full(len(first), np.inf)
        self.archive = np.empty((0, first.shape[1]))
        length = options.memory_size or len(first)
        self.scales = np.full(
            length, np.clip(FIRST_F, *(options.scatter or DITHER)) if options.F is None else options.F
        )
        self.rates = np.full(length, FIRST_CR if options.CR is None else options.CR)
        self.place = 0
        self.trials: Array | None = None
        self.drawn = (np.empty(0), np.empty(0))

    @property
    def population(self) -> tuple[Array, Array]:
        """The points that have won so far, and their costs."""
        return self.points, self.costs

    def ask(self) -> Array:
        """Return the first population, after that the trials (n, d)."""
        return self.points if self.trials is None else self.trials

    def tell(self, costs: Array) -> None:
        """Take the costs (n,) of the points or trials: those that are no worse take their places."""
        if self.trials is None:
            self.costs = costs
        else:
            self._select(costs)
        self.trials = self._trials()

    def _select(self, costs: Array) -> None:
        assert self.trials is not None
        better, taken = costs < self.costs, costs <= self.costs
        if better.any():
            self._remember(better, self.costs[better] - costs[better])
            self._archive(self.points[better])
        self.points = np.where(taken[:, None], self.trials, self.points)
        self.costs = np.where(taken, costs, self.costs)

    def _remember(self, better: NDArray[np.bool_], gains: Array) -> None:
        """Keep the means of the steps that succeeded, weighted by what they gained: of F Lehmer's mean."""
        finite = gains[np.isfinite(gains)]
        gains = np.where(np.isfinite(gains), gains, finite.max() if len(finite) else 1.0)
        scales, rates = (drawn[better] for drawn in self.drawn)
        self.scales[self.place] = (gains @ scales**2) / (gains @ scales)
        self.rates[self.place] = gains @ rates / gains.sum()
        self.place = (self.place + 1) % len(self.scales)

    def _archive(self, replaced: Array) -> None:
        ratio = self.options.archive_size_ratio
        most = int((1.0 if ratio is None else ratio) * len(self.points))
        both = np.vstack([self.archive, replaced])
        self.archive = both[np.sort(self.rng.permutation(len(both))[:most])]

    def _trials(self) -> Array:
        count, dimensions = self.points.shape
        chosen = self.rng.integers(len(self.scales), size=count)
        scales = self._scales(self.scales[chosen])
        rates = np.clip(self.rng.normal(self.rates[chosen], SPREAD), 0.0, 1.0)
        self.drawn = (scales, rates)
        mutants = self._mutants(scales[:, None])
        crossed = self._crossed(rates, dimensions)
        trials = np.where(crossed, mutants, self.points)
        return handled(trials, self.space, self.options.word("boundary_handling"), self.rng)

    def _scales(self, around: Array) -> Array:
        """Return the scales F (n,): Cauchy around the memory, drawn again below the least, cut at the largest."""
        if self.options.scatter is None:
            return around
        low, high = self.options.scatter
        scales = around + SPREAD * self.rng.standard_cauchy(len(around))
        while (small := scales <= low).any():
            scales[small] = around[small] + SPREAD * self.rng.standard_cauchy(int(small.sum()))
        return np.minimum(scales, high)

    def _mutants(self, scales: Array) -> Array:
        """Return the mutant of each point (n, d): a base, and differences times the scales (n, 1)."""
        x, strategy = self.points, self.options.word("mutation_strategy")
        if strategy == "current_to_pbest_1":
            a, other = self._one_of_each()
            return np.asarray(x + scales * (self._one_of_the_best() - x + a - other))
        best = x[int(np.argmin(self.costs))]
        a, b, c, d, e = (x[index] for index in self._others(5).T)
        base, difference = {
            "rand_1": (a, b - c),
            "best_1": (best, a - b),
            "current_to_best_1": (x, best - x + a - b),
            "rand_2": (a, b - c + d - e),
            "best_2": (best, a - b + c - d),
        }[strategy]
        return np.asarray(base + scales * difference)

    def _others(self, wanted: int) -> Index:
        """Return for each point the places of others (n, wanted), no two of them the same."""
        keys = self.rng.random((len(self.points), len(self.points)))
        np.fill_diagonal(keys, np.inf)
        return np.argsort(keys, axis=1)[:, :wanted]

    def _one_of_each(self) -> tuple[Array, Array]:
        """Return for each point another one, and a third of the population or of the archive, both (n, d)."""
        count = len(self.points)
        first = self._others(1)[:, 0]
        pool = np.vstack([self.points, self.archive])
        keys = self.rng.random((count, len(pool)))
        keys[np.arange(count), np.arange(count)] = keys[np.arange(count), first] = np.inf
        return self.points[first], pool[np.argmin(keys, axis=1)]

    def _one_of_the_best(self) -> Array:
        """Return for each point one of the best of the population (n, d): of two of them at least."""
        count = len(self.points)
        rate = BEST if self.options.p_best_rate is None else self.options.p_best_rate
        best = np.argsort(self.costs, kind="stable")[: max(2, round(rate * count))]
        return np.asarray(self.points[self.rng.choice(best, size=count)])

    def _crossed(self, rates: Array, dimensions: int) -> NDArray[np.bool_]:
        """Return which coordinates are the mutant's (n, d); one of each point is in any case."""
        count = len(rates)
        first = self.rng.integers(dimensions, size=count)
        chances = self.rng.random((count, dimensions)) < rates[:, None]
        if self.options.word("crossover_method") == "exponential":
            # One coordinate after the other from the first on, as long as chance allows.
            run = np.cumprod(chances[:, : dimensions - 1], axis=1).sum(axis=1)
            behind = (np.arange(dimensions) - first[:, None]) % dimensions
            return np.asarray(behind <= run[:, None])
        return np.asarray(chances | (np.arange(dimensions) == first[:, None]))


def _refused(field: str, said: str, hint: str = "leave it out") -> ConfigurationError:
    return ConfigurationError(said, at=(field,), hint=hint)
