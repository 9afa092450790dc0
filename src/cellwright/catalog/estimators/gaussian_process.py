"""Gaussian processes of BoTorch that stand for a cost: fitted, asked for mean, deviation and covariance.

BoTorch and PyTorch (the extra `surrogate`) are imported at first use alone. All that is drawn from PyTorch's global
generator and all that depends on its threads happens inside `torch_alone`.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from threading import Lock
from typing import Any, Literal

import numpy as np

from cellwright.errors import ConfigurationError
from cellwright.schema.families import Array

Kernel = Literal["smooth", "rough", "isotropic"]
Noise = tuple[float, float] | None

_ALONE = Lock()
DETERMINISTIC = (1e-8, 1e-3)
"""Bounds of the noise's variance where the simulator has next to none, in units of the variance of the costs."""
LEAST_NOISE = 1e-8
"""Variance below which no search for the noise begins."""
ROUGH_LENGTHS = (0.005, 4.0)
"""Bounds of the lengths of a rough process, in units of the range of a parameter: Eriksson et al. (2019), section 3."""


def missing(kind: str) -> ConfigurationError | None:
    """Return the error of a search of this kind where BoTorch is not installed, else None."""
    if find_spec("botorch") is not None:
        return None
    return ConfigurationError(
        f"{kind} needs BoTorch, which is not installed", hint="pip install 'cellwright[surrogate]'"
    )


@contextmanager
def torch_alone(seed: int) -> Iterator[None]:
    """Seed PyTorch, on one thread and in silence, and put its global state back at the end.

    One thread, because sums over several are rounded differently on other machines.
    """
    import torch
    from gpytorch.settings import max_cholesky_size

    with _ALONE:
        threads, state = torch.get_num_threads(), torch.get_rng_state()
        try:
            torch.set_num_threads(1)
            torch.default_generator.manual_seed(seed)
            with warnings.catch_warnings(), max_cholesky_size(10**6):
                warnings.simplefilter("ignore")
                yield
        finally:
            torch.set_rng_state(state)
            torch.set_num_threads(threads)


SCALES = (0.5, 0.9, None)
"""Quantiles of the costs above the best from which they count by their logarithm; None: no cost does."""


@dataclass(frozen=True)
class Heights:
    """What a process is fitted to instead of costs: the better, the higher; mean 0 and deviation 1.

    -ln(1 + (c - c_min) / s): linear near the best cost, logarithmic far from it, since costs of bad points may be many
    orders of magnitude above those that matter. Points that failed count as the worst of the others. `log_slope` is the
    sum of the logarithms of the slopes at the costs.
    """

    values: Array
    log_slope: float

    @classmethod
    def of(cls, costs: Array, quantile: float | None) -> "Heights":
        """Return the heights of costs (n,), with s a quantile of c - c_min above 0, or far above all."""
        finite = np.isfinite(costs)
        above = np.where(finite, costs, costs[finite].max()) - costs[finite].min()
        some = above[above > 0] if (above > 0).any() else np.ones(1)
        scale = float(np.quantile(some, quantile)) if quantile is not None else 1e3 * float(some.max())
        raw = -np.log1p(above / scale)
        deviation = float(raw.std()) or 1.0
        return cls((raw - raw.mean()) / deviation, -float(np.log(deviation * (scale + above)).sum()))


class Surrogate:
    """A Gaussian process that is fitted to heights (n,) at points (n, d) of the unit cube by maximum likelihood.

    `kernel`: "smooth", squared exponential with a length for each parameter; "rough", Matérn 5/2 with one for each;
    "isotropic", squared exponential with one for all. `noise` bounds the variance of the noise; None leaves it free.
    """

    def __init__(self, points: Array, values: Array, kernel: Kernel, noise: Noise) -> None:
        import torch
        from botorch.exceptions.errors import ModelFittingError
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import SingleTaskGP
        from gpytorch.mlls import ExactMarginalLogLikelihood

        inputs, targets = torch.tensor(points, dtype=torch.float64), torch.tensor(values, dtype=torch.float64)[:, None]
        self.points = points
        self.values = values
        self.model = SingleTaskGP(
            inputs,
            targets,
            likelihood=_likelihood(noise),
            covar_module=_covariance(kernel, points.shape[1]),
            outcome_transform=None,
        )
        likelihood = ExactMarginalLogLikelihood(self.model.likelihood, self.model)
        with suppress(ModelFittingError):
            fit_gpytorch_mll(likelihood)
        with torch.no_grad():
            likelihood.train()
            found = likelihood(self.model(*self.model.train_inputs), self.model.train_targets)
            self.evidence = len(points) * float(found)
        likelihood.eval()

    @classmethod
    def of(cls, points: Array, costs: Array, kernel: Kernel, noise: Noise) -> "Surrogate":
        """Return the surrogate of costs (n,) at points (n, d), in the scale in which these costs are likeliest.

        A change of scale multiplies the density of the costs by its slopes: Snelson et al., NeurIPS 16 (2003), eq. 5.
        """
        scaled = [Heights.of(costs, quantile) for quantile in SCALES]
        fitted = [cls(points, one.values, kernel, noise) for one in scaled]
        evidences = [one.evidence + heights.log_slope for one, heights in zip(fitted, scaled, strict=True)]
        return fitted[int(np.argmax(evidences))]

    @property
    def lengths(self) -> Array:
        """The lengths (d,) over which the process changes, in units of the range of a parameter."""
        covariance = self.model.covar_module
        inner = getattr(covariance, "base_kernel", covariance)
        return np.broadcast_to(inner.lengthscale.detach().numpy().ravel(), self.points.shape[1])

    @property
    def best(self) -> float:
        """The highest mean at the points."""
        return float(self.predicted(self.points)[0].max())

    def predicted(self, points: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation (m,) of the process at points (m, d)."""
        import torch

        with torch.no_grad():
            posterior = self.model.posterior(torch.tensor(points, dtype=torch.float64))
            mean, variance = posterior.mean.numpy().ravel(), posterior.variance.numpy().ravel()
        return mean, np.sqrt(np.maximum(variance, 1e-18))

    def covariance(self, left: Array, right: Array) -> Array:
        """Return the covariance (m, k) of the process between points (m, d) and points (k, d), given the values."""
        import torch

        with torch.no_grad():
            kernel, at = self.model.covar_module, torch.tensor(self.points, dtype=torch.float64)
            a, b = torch.tensor(left, dtype=torch.float64), torch.tensor(right, dtype=torch.float64)
            known = kernel(at).to_dense() + (self.model.likelihood.noise + 1e-10) * torch.eye(len(at)).double()
            root = torch.linalg.cholesky(known)
            from_a = torch.linalg.solve_triangular(root, kernel(at, a).to_dense(), upper=False)
            from_b = torch.linalg.solve_triangular(root, kernel(at, b).to_dense(), upper=False)
            return np.asarray((kernel(a, b).to_dense() - from_a.T @ from_b).numpy())

    def eigenfunctions(self, stand: Array, points: Array, count: int) -> Array:
        """Return the values (count, m) at points (m, d) of the covariance's first eigenfunctions, by Nyström's method.

        u_jᵀ C(Z, x), with u_j the eigenvectors of C(Z, Z) of the largest eigenvalues, and Z the points `stand` (k, d).
        """
        import torch

        _, vectors = torch.linalg.eigh(torch.tensor(self.covariance(stand, stand)))
        first = vectors.flip(1)[:, :count]
        return np.asarray((first.T @ torch.tensor(self.covariance(stand, points))).numpy())

    def improvement(self, points: Array) -> Array:
        """Return the expected improvement (m,) over the highest mean at points (m, d).

        σ (φ(t) + t Φ(t)), t = (μ - μ_best) / σ: Jones et al. (1998), eq. 15.
        """
        from scipy.stats import norm

        mean, deviation = self.predicted(points)
        t = (mean - self.best) / deviation
        return np.asarray(deviation * (norm.pdf(t) + t * norm.cdf(t)))


def _likelihood(noise: Noise) -> Any:
    from gpytorch.constraints import Interval
    from gpytorch.likelihoods import GaussianLikelihood

    if noise is None:
        return None
    low, high = noise
    likelihood = GaussianLikelihood(
        noise_constraint=Interval(low, high, initial_value=float(np.sqrt(max(low, LEAST_NOISE) * high)))
    )
    return likelihood.double()


def _covariance(kernel: Kernel, dimensions: int) -> Any:
    from gpytorch.constraints import Interval
    from gpytorch.kernels import MaternKernel, RBFKernel, ScaleKernel
    from gpytorch.priors import GammaPrior

    if kernel == "rough":
        inner = MaternKernel(nu=2.5, ard_num_dims=dimensions, lengthscale_constraint=Interval(*ROUGH_LENGTHS))
        return ScaleKernel(inner, outputscale_constraint=Interval(0.05, 20.0)).double()
    if kernel == "isotropic":
        own = RBFKernel(lengthscale_prior=GammaPrior(3.0, 6.0))
        return ScaleKernel(own, outputscale_prior=GammaPrior(2.0, 0.15)).double()
    return None
