"""Bayesian optimisation: the next points are those of which most improvement is to be expected."""

from typing import ClassVar, Literal

import numpy as np

from cellwright.catalog.estimators.gaussian_process import Surrogate
from cellwright.catalog.estimators.surrogate import Observed, SurrogateOptions, SurrogateSearch
from cellwright.schema.families import Array
from cellwright.schema.search import Space
from cellwright.schema.variant import Example

JOINTLY = 4
"""Points of a batch up to which they are chosen together; more are chosen one after the other."""
STARTS, DRAWN = 8, 128
"""Starts of the search for the next points, and among how many drawn points they are chosen."""


class BayesianOptimizationOptions(SurrogateOptions):
    """Options of Bayesian optimization.

    `n_initial` (2 d + 1 for d parameters, 5 at least) points are evaluated before there is a surrogate. `noise_floor`
    bounds the variance of the noise that the surrogate assumes, in units of the variance of what it is fitted to:
    "deterministic" or "low" (1e-8, 1e-3), "standard" for costs that are noisy, or the two bounds.
    """


class BayesianOptimization(SurrogateSearch):
    """Search on a Gaussian process that is fitted to all costs so far: few evaluations, up to some ten parameters.

    Each batch of `population_size` (1) points maximises the logarithm of the improvement that is to be expected of it
    over the best so far, E max(0, max_i f(x_i) - f_best), where f is the process. The search ends where less than
    `surrogate_convergence_tol` of the range of the costs, in the scale of the surrogate, is to be expected
    `convergence_patience` times in a row. What the process is fitted to is -ln(1 + (c - c_min) / s) of the cost c, with
    s the median of c - c_min. Without `max_iterations` there are 25 batches for each parameter and 50 more at most.
    Needs the extra `surrogate`.

    Source: Jones, Schonlau & Welch, J. Global Optim. 13 (1998) 455, doi:10.1023/A:1008306431147; Ament et al., NeurIPS
    36 (2023), arXiv:2310.20708 (in logarithms, and for batches).
    """

    example: ClassVar[Example | None] = Example(fields={"algorithm_options": {"n_initial": 6, "noise_floor": "low"}})

    type: Literal["BayesianOptimization"] = "BayesianOptimization"
    algorithm_options: BayesianOptimizationOptions | None = None

    def algorithm(self, space: Space, rng: np.random.Generator) -> "Improving":
        """Return the search with its first points."""
        options = self.algorithm_options or BayesianOptimizationOptions()
        return Improving(space, self.first(space, options, rng), self.size, options, self, rng)


class Improving(Observed):
    """Asks for the points of which most improvement is to be expected."""

    def proposed(self, surrogate: Surrogate) -> Array:
        """Return the points (n, d) of the unit cube with the largest expected improvement of the batch."""
        import torch
        from botorch.acquisition.analytic import LogExpectedImprovement
        from botorch.acquisition.logei import qLogExpectedImprovement
        from botorch.optim.optimize import optimize_acqf

        kind = LogExpectedImprovement if self.size == 1 else qLogExpectedImprovement
        cube = torch.tensor(np.array([np.zeros_like(self.low), np.ones_like(self.low)]), dtype=torch.float64)
        found, _ = optimize_acqf(
            kind(surrogate.model, best_f=surrogate.best),
            bounds=cube,
            q=self.size,
            num_restarts=STARTS,
            raw_samples=DRAWN,
            sequential=self.size > JOINTLY,
            options={"sample_around_best": True, "maxiter": 100},
        )
        points = found.detach().numpy()
        self.judge(surrogate, points)
        return np.asarray(points)
