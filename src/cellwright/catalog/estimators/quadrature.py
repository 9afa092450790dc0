"""Bayesian optimisation in batches that are chosen by kernel quadrature."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

import numpy as np

from cellwright.catalog.estimators.gaussian_process import Kernel, Surrogate
from cellwright.catalog.estimators.surrogate import Observed, Rules, SurrogateOptions, SurrogateSearch
from cellwright.errors import CellwrightError, ConfigurationError
from cellwright.schema.families import Array
from cellwright.schema.search import Space
from cellwright.schema.variant import Example

CANDIDATES = 1024
KERNELS: dict[str, Kernel] = {"botorch": "smooth", "reference": "isotropic"}
ROUNDS = 3
"""Rounds in which the proposals are moved to where the maximum may be."""
CENTRES = 256
"""Kernels of the density from which candidates are proposed."""
UNIFORM = 0.25
"""Share of the candidates that are proposed anywhere."""
LEAST_WIDTH = 1e-4
"""Least width of a kernel, in units of the range."""


class SOBEROptions(SurrogateOptions):
    """Options of SOBER.

    `n_initial` and `noise_floor` as in Bayesian optimization. `n_candidates` (1024) points stand for where the maximum
    may be, some hundred for each point of a batch; `n_nystrom` (half of them, 512 at most, and more than a batch) of
    these stand for the covariance. `gp_kernel`: "botorch" has a length for each parameter, "reference" one for all.
    """

    words: ClassVar[Mapping[str, tuple[str, ...]]] = {"gp_kernel": tuple(KERNELS)}

    n_candidates: int | None = None
    n_nystrom: int | None = None
    gp_kernel: str | None = None

    @property
    def counts(self) -> tuple[int, int]:
        """How many candidates, and how many points for the covariance."""
        candidates = self.n_candidates or CANDIDATES
        return candidates, self.n_nystrom or min(512, candidates // 2)

    def refusals(self) -> Iterator[CellwrightError]:
        """Yield what the options say that cannot be meant."""
        yield from super().refusals()
        yield from self.least(n_candidates=4, n_nystrom=2)
        candidates, nystrom = self.counts
        if nystrom > candidates:
            said = f"{nystrom} points for the covariance are more than the {candidates} candidates"
            yield ConfigurationError(said, at=("n_nystrom",), hint="raise n_candidates, or lower n_nystrom")


class SOBER(SurrogateSearch):
    """Bayesian optimization in batches that are chosen by quadrature.

    π(x) ∝ Φ((μ(x) - η) / σ(x)) says how likely it is, for the Gaussian process with mean μ and deviation σ, that x is
    better than the best so far, η. It is sampled by importance sampling; of these candidates `population_size` (10)
    with positive weights are kept that integrate over π, exactly, as many functions: the first eigenfunctions of the
    covariance of the process, by Nyström's method, and 1. Among all such choices it is that of the most expected
    improvement, a linear programme. The batch so spreads over where the maximum may be, and narrows with it. The search
    ends as Bayesian optimization does. Needs the extra `surrogate`.

    Source: Adachi, Hayakawa, Hamid, Jørgensen, Oberhauser & Osborne, arXiv:2301.11832 (2023); Hayakawa, Oberhauser &
    Lyons, NeurIPS 35 (2022), arXiv:2107.09597 (the quadrature).
    """

    batch: ClassVar[int] = 10
    example: ClassVar[Example | None] = Example(fields={"algorithm_options": {"n_candidates": 512}})

    type: Literal["SOBER"] = "SOBER"
    algorithm_options: SOBEROptions | None = None

    def refusals(self, space: Space) -> Iterator[CellwrightError]:
        """Yield what keeps the search from this space, among it too few points for the covariance."""
        yield from super().refusals(space)
        if self.size < 2:
            yield ConfigurationError("SOBER chooses batches of 2 points at least", at=("population_size",))
        _, nystrom = (self.algorithm_options or SOBEROptions()).counts
        if nystrom <= self.size:
            said = f"{nystrom} points for the covariance are not more than the {self.size} points of a batch"
            hint = "raise n_nystrom or n_candidates, or lower population_size"
            yield ConfigurationError(said, at=("algorithm_options", "n_nystrom"), hint=hint)

    def algorithm(self, space: Space, rng: np.random.Generator) -> "Quadrature":
        """Return the search with its first points."""
        options = self.algorithm_options or SOBEROptions()
        return Quadrature(space, self.first(space, options, rng), self.size, options, self, rng)


class Quadrature(Observed):
    """Asks for points that stand, with their weights, for where the maximum may be."""

    def __init__(
        self, space: Space, first: Array, size: int, options: SOBEROptions, rules: Rules, rng: np.random.Generator
    ) -> None:
        super().__init__(space, first, size, options, rules, rng)
        self.kernel = KERNELS[options.word("gp_kernel")]
        self.candidates, self.nystrom = options.counts

    def proposed(self, surrogate: Surrogate) -> Array:
        """Return the points (n, d) of the unit cube that integrate best over where the maximum may be."""
        points, weights = sampled(surrogate, self.candidates, self.rng)
        improvement = surrogate.improvement(points)
        chosen = points[_chosen(surrogate, points, weights, improvement, self.size, self.nystrom, self.rng)]
        self.judge(surrogate, chosen)
        return np.asarray(chosen)


def log_promise(surrogate: Surrogate, points: Array) -> Array:
    """Return ln Φ((μ - η) / σ) (m,) at points (m, d): how likely each is better than the best so far."""
    from scipy.special import log_ndtr

    mean, deviation = surrogate.predicted(points)
    return np.asarray(log_ndtr((mean - surrogate.best) / deviation))


def sampled(surrogate: Surrogate, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return points (count, d) of the unit cube and weights (count,) that stand for π.

    Importance sampling, in rounds: the proposals of each are a mixture of uniform points and of kernels at the points
    of the one before.
    """
    d = surrogate.points.shape[1]
    points = _cube(count, d, rng)
    weights = _normal(log_promise(surrogate, points))
    for _ in range(ROUNDS):
        mixture = Mixture.around(points, weights, rng)
        points = mixture.drawn(count, rng)
        weights = _normal(log_promise(surrogate, points) - mixture.log_density(points))
    return points, weights


class Mixture:
    """Uniform points of the unit cube, and normal ones around centres (k, d), cut off at its sides."""

    def __init__(self, centres: Array, width: Array) -> None:
        from scipy.special import ndtr

        self.centres, self.width = centres, width
        self.below, self.above = ndtr((0 - centres) / width), ndtr((1 - centres) / width)

    @classmethod
    def around(cls, points: Array, weights: Array, rng: np.random.Generator) -> "Mixture":
        """Return the kernel density of weighted points, with widths by Scott's rule for their effective number."""
        centres = points[_resampled(weights, min(CENTRES, len(points)), rng)]
        mean = weights @ points
        deviation = np.sqrt(weights @ (points - mean) ** 2)
        number = 1 / (weights @ weights)
        return cls(centres, np.maximum(deviation * number ** (-1 / (points.shape[1] + 4)), LEAST_WIDTH))

    def drawn(self, count: int, rng: np.random.Generator) -> Array:
        """Return points (count, d)."""
        from scipy.special import ndtri

        d = self.centres.shape[1]
        cube, anywhere = _cube(count, d, rng), int(UNIFORM * count)
        of = rng.integers(len(self.centres), size=count - anywhere)
        below, above = self.below[of], self.above[of]
        near = self.centres[of] + self.width * ndtri(below + rng.random((len(of), d)) * (above - below))
        return np.asarray(np.clip(np.vstack([cube[:anywhere], near]), 0.0, 1.0))

    def log_density(self, points: Array) -> Array:
        """Return the logarithm of the density (m,) at points (m, d)."""
        from scipy.special import logsumexp

        total = np.zeros((len(points), len(self.centres)))
        for k in range(self.centres.shape[1]):
            t = (points[:, k : k + 1] - self.centres[:, k]) / self.width[k]
            total += -0.5 * t**2 - np.log(np.sqrt(2 * np.pi) * self.width[k] * (self.above[:, k] - self.below[:, k]))
        near = logsumexp(total, axis=1) - np.log(len(self.centres))
        return np.asarray(np.logaddexp(np.log(UNIFORM), np.log(1 - UNIFORM) + near))


def recombined(functions: Array, weights: Array, reward: Array) -> Array:
    """Return weights (m,), at most n of them above 0, that integrate functions (n, m) as the given weights do.

    Of all such weights those with the largest sum of rewards (m,). A vertex of the polytope {v ≥ 0, F v = F w} has no
    more than n positive weights: the simplex method of a linear programme ends at one.
    """
    from scipy.optimize import linprog

    scale = np.maximum(np.abs(functions).max(axis=1, keepdims=True), 1e-300)
    rows = functions / scale
    size = np.abs(reward).max() or 1.0
    result = linprog(-reward / size, A_eq=rows, b_eq=rows @ weights, bounds=(0, None), method="highs-ds")
    return np.asarray(weights if result.x is None else result.x)


def _chosen(
    surrogate: Surrogate,
    points: Array,
    weights: Array,
    improvement: Array,
    count: int,
    nystrom: int,
    rng: np.random.Generator,
) -> Any:
    """Return which candidates (count,) make the batch."""
    tests = surrogate.eigenfunctions(points[_resampled(weights, nystrom, rng)], points, count - 1)
    kept = recombined(np.vstack([np.ones(len(points)), tests]), weights, improvement)
    order = np.lexsort((-improvement, -weights, -kept))
    return order[:count]


def _resampled(weights: Array, count: int, rng: np.random.Generator) -> Any:
    """Return the places (count,) of points drawn by their weights, by systematic resampling."""
    places = (np.arange(count) + rng.random()) / count
    return np.minimum(np.searchsorted(np.cumsum(weights), places), len(weights) - 1)


def _normal(logarithms: Array) -> Array:
    weights = np.exp(logarithms - logarithms.max())
    return np.asarray(weights / weights.sum())


def _cube(count: int, d: int, rng: np.random.Generator) -> Array:
    """Return the first points (count, d) of a scrambled Sobol sequence."""
    from scipy.stats import qmc

    return np.asarray(qmc.Sobol(d, rng=rng).random_base2(int(np.ceil(np.log2(count))))[:count])
