"""Probability distributions of parameters (`cw.stats`)."""

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from cellwright.errors import ConfigurationError
from cellwright.schema.families import Array, Distribution
from cellwright.schema.variant import Example

_HALF = np.sqrt(0.5)
_SINGULAR = 1e-12
"""Eigenvalues of a covariance below this fraction of the largest count as 0."""


class Uniform(Distribution):
    """Every value between two bounds is equally likely.

    p(x) = 1/(ub - lb) for lb ≤ x ≤ ub, Q(q) = lb + q (ub - lb); lb < ub.

    Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions vol. 2 (1995), ch. 26.
    """

    example: ClassVar[Example | None] = Example(fields={"lb": 0, "ub": 2})

    distribution: Literal["Uniform"] = "Uniform"
    lb: float | int
    ub: float | int

    @model_validator(mode="after")
    def _upright(self) -> "Uniform":
        _check_finite(self, "lb", "ub")
        if not self.lb < self.ub:
            raise ConfigurationError(f"the bounds are upside down: lb = {self.lb} is not below ub = {self.ub}")
        return self

    def log_density(self, x: Array) -> Array:
        """Return -ln(ub - lb) between the bounds, -∞ outside."""
        x = np.asarray(x, dtype=float)
        return np.where((x >= self.lb) & (x <= self.ub), -np.log(self.ub - self.lb), -np.inf)

    @property
    def support(self) -> tuple[float, float]:
        """The bounds."""
        return float(self.lb), float(self.ub)

    def residuals(self, x: Array) -> Array:
        """Return [0]: between the bounds the density is constant."""
        return _flat(self.log_density(x))

    def quantile(self, q: Array) -> Array:
        """Return lb + q (ub - lb)."""
        return self.lb + q * (self.ub - self.lb)


class PointMass(Distribution):
    """One value, always.

    P(value) = 1, Q(q) = value. The log density is that of a count: 0 at the value and -∞ elsewhere.

    Source: Johnson, Kemp & Kotz, Univariate Discrete Distributions (2005), section 1.2 (degenerate distribution).
    """

    example: ClassVar[Example | None] = Example(fields={"value": 3.0})

    distribution: Literal["PointMass"] = "PointMass"
    value: float | int

    @model_validator(mode="after")
    def _finite(self) -> "PointMass":
        _check_finite(self, "value")
        return self

    def log_density(self, x: Array) -> Array:
        """Return 0 at the value, -∞ elsewhere."""
        return np.where(np.asarray(x, dtype=float) == self.value, 0.0, -np.inf)

    @property
    def support(self) -> tuple[float, float]:
        """The value, twice."""
        return float(self.value), float(self.value)

    def residuals(self, x: Array) -> Array:
        """Return [0] at the value."""
        return _flat(self.log_density(x))

    def quantile(self, q: Array) -> Array:
        """Return the value for every q."""
        return np.full_like(q, float(self.value))


class Normal(Distribution):
    """The normal distribution.

    ln p(x) = -((x - mean)/std)²/2 - ln(std √(2π)), Q(q) = mean + std Φ⁻¹(q); std > 0.

    Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions vol. 1 (1994), ch. 13.
    """

    example: ClassVar[Example | None] = Example(fields={"mean": 3.0, "std": 0.2})

    distribution: Literal["Normal"] = "Normal"
    mean: float | int
    std: float | int

    @model_validator(mode="after")
    def _wide(self) -> "Normal":
        _check_width(self)
        return self

    def log_density(self, x: Array) -> Array:
        """Return -((x - mean)/std)²/2 - ln(std √(2π))."""
        z = (np.asarray(x, dtype=float) - self.mean) / self.std
        return np.asarray(-(z**2) / 2 - np.log(self.std * np.sqrt(2 * np.pi)))

    def residuals(self, x: Array) -> Array:
        """Return [(x - mean)/(√2 std)]."""
        return np.atleast_1d(_HALF * (np.asarray(x, dtype=float) - self.mean) / self.std)

    def quantile(self, q: Array) -> Array:
        """Return mean + std Φ⁻¹(q)."""
        return self.mean + self.std * _normal_quantile(q)


class LogNormal(Distribution):
    """The distribution of a value whose natural logarithm is normal.

    ln p(x) = -((ln x - mean)/std)²/2 - ln(x std √(2π)) for x > 0, Q(q) = exp(mean + std Φ⁻¹(q)); `mean` and `std` are
    those of ln x, std > 0.

    Source: Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions vol. 1 (1994), ch. 14.
    """

    example: ClassVar[Example | None] = Example(fields={"mean": -32.2, "std": 2.0})

    distribution: Literal["LogNormal"] = "LogNormal"
    mean: float | int
    std: float | int

    @model_validator(mode="after")
    def _wide(self) -> "LogNormal":
        _check_width(self)
        return self

    def log_density(self, x: Array) -> Array:
        """Return the log density of ln x less ln x, -∞ at and below 0."""
        log, there = _log(x)
        z = (log - self.mean) / self.std
        return np.where(there, -(z**2) / 2 - np.log(self.std * np.sqrt(2 * np.pi)) - log, -np.inf)

    @property
    def support(self) -> tuple[float, float]:
        """All above 0."""
        return 0.0, np.inf

    def residuals(self, x: Array) -> Array:
        """Return [(ln x - mean + std²)/(√2 std)]: -ln p is a square around the mode exp(mean - std²)."""
        log, there = _log(x)
        return np.atleast_1d(np.where(there, _HALF * (log - self.mean + self.std**2) / self.std, np.nan))

    def quantile(self, q: Array) -> Array:
        """Return exp(mean + std Φ⁻¹(q))."""
        return np.asarray(np.exp(self.mean + self.std * _normal_quantile(q)))


class MultivariateNormal(Distribution):
    """The joint normal distribution of d parameters.

    ln p(x) = -(x - μ)ᵀ Σ⁻¹ (x - μ)/2 - ln det(2πΣ)/2 with the mean μ (d) and the covariance Σ (d, d), symmetric and
    without negative eigenvalues. Where Σ is singular, x varies in a plane alone: there Σ⁻¹ is the pseudo-inverse and
    det the product of the eigenvalues above 0, and off it the log density is -∞.

    Source: Kotz, Balakrishnan & Johnson, Continuous Multivariate Distributions vol. 1 (2000), ch. 45.
    """

    example: ClassVar[Example | None] = Example(fields={"mean": [1.0, 2.0], "cov": [[0.04, 0.0], [0.0, 0.09]]})

    distribution: Literal["MultivariateNormal"] = "MultivariateNormal"
    mean: list[int | float]
    cov: list[list[int | float]]

    @model_validator(mode="after")
    def _consistent(self) -> "MultivariateNormal":
        _check_covariance(self.mean, self.cov)
        return self

    @property
    def dimensions(self) -> int:
        """The length of the mean."""
        return len(self.mean)

    def log_density(self, x: Array) -> Array:
        """Return the log density of points (…, d)."""
        return _joint_normal(_points(self, x), self.mean, self.cov)

    def residuals(self, x: Array) -> Array:
        """Return Vᵀ(x - μ)/√(2λ) with the eigenvalues λ above 0 and eigenvectors V of Σ."""
        return _joint_residuals(_points(self, x), self.mean, self.cov)

    def sample(self, cube: Array) -> Array:
        """Return μ + V √λ Φ⁻¹(u) with the eigenvalues λ and eigenvectors V of Σ."""
        return _joint_sample(_points(self, cube), self.mean, self.cov)


class MultivariateLogNormal(Distribution):
    """The joint distribution of d parameters whose natural logarithms are jointly normal.

    ln p(x) = ln p_normal(ln x) - Σ ln xᵢ for all xᵢ > 0; `mean` (d) and `cov` (d, d) are those of ln x.

    Source: Kotz, Balakrishnan & Johnson, Continuous Multivariate Distributions vol. 1 (2000), section 44.3 (transformed
    normal variables).
    """

    example: ClassVar[Example | None] = Example(fields={"mean": [-32.0, -33.0], "cov": [[1.0, 0.5], [0.5, 1.0]]})

    distribution: Literal["MultivariateLogNormal"] = "MultivariateLogNormal"
    mean: list[int | float]
    cov: list[list[int | float]]

    @model_validator(mode="after")
    def _consistent(self) -> "MultivariateLogNormal":
        _check_covariance(self.mean, self.cov)
        return self

    @property
    def dimensions(self) -> int:
        """The length of the mean."""
        return len(self.mean)

    def log_density(self, x: Array) -> Array:
        """Return the log density of points (…, d), -∞ where one of the values is not above 0."""
        log, there = _log(_points(self, x))
        joint = _joint_normal(log, self.mean, self.cov) - log.sum(axis=-1)
        return np.where(there.all(axis=-1), joint, -np.inf)

    @property
    def support(self) -> tuple[float, float]:
        """All above 0."""
        return 0.0, np.inf

    def residuals(self, x: Array) -> Array:
        """Return (Vᵀ(ln x - μ)/√λ + √λ Vᵀ1)/√2: with the term Σ ln xᵢ the square is completed."""
        log, there = _log(_points(self, x))
        values, vectors = _spectrum(self.cov)
        shift = (np.sqrt(values) * vectors.sum(axis=0))[values > 0]
        return np.where(there.all(), _joint_residuals(log, self.mean, self.cov) + _HALF * shift, np.nan)

    def sample(self, cube: Array) -> Array:
        """Return the exponential of a point of the joint normal distribution."""
        return np.asarray(np.exp(_joint_sample(_points(self, cube), self.mean, self.cov)))


class Dirichlet(Distribution):
    """The distribution of d shares that sum to 1, such as those of the reactions of an electrode.

    ln p(x) = Σ (αᵢ - 1) ln xᵢ + ln Γ(Σ αᵢ) - Σ ln Γ(αᵢ) for xᵢ ≥ 0 and Σ xᵢ = 1; every αᵢ > 1, so that it has a mode.

    Source: Kotz, Balakrishnan & Johnson, Continuous Multivariate Distributions vol. 1 (2000), ch. 49.
    """

    example: ClassVar[Example | None] = Example(fields={"alpha": [2.0, 3, 4.0]})

    distribution: Literal["Dirichlet"] = "Dirichlet"
    alpha: list[int | float]

    @model_validator(mode="after")
    def _peaked(self) -> "Dirichlet":
        if len(self.alpha) < 2:
            raise ConfigurationError(f"shares are two at least, and alpha has length {len(self.alpha)}", at=("alpha",))
        for index, alpha in enumerate(self.alpha):
            if not 1 < alpha < np.inf:
                raise ConfigurationError(
                    f"alpha is {alpha:g}, and it must be above 1",
                    at=("alpha", str(index)),
                    hint="at and below 1 the distribution has no mode inside",
                )
        return self

    @property
    def dimensions(self) -> int:
        """The length of alpha."""
        return len(self.alpha)

    def log_density(self, x: Array) -> Array:
        """Return the log density of points (…, d), -∞ where a share is negative or they do not sum to 1."""
        from scipy.special import gammaln, xlogy

        x, alpha = _points(self, x), np.array(self.alpha, dtype=float)
        inside = (x >= 0).all(axis=-1) & (np.abs(x.sum(axis=-1) - 1) < 1e-9)
        shares = xlogy(alpha - 1, np.where(inside[..., None], x, 1.0)).sum(axis=-1)
        return np.where(inside, shares + gammaln(alpha.sum()) - gammaln(alpha).sum(), -np.inf)

    @property
    def support(self) -> tuple[float, float]:
        """0 and 1."""
        return 0.0, 1.0

    def residuals(self, x: Array) -> Array:
        """Return √((αᵢ - 1)(-ln xᵢ)): no share is above 1, so each is the root of what is not negative."""
        there = np.isfinite(self.log_density(x))
        x, alpha = np.asarray(x, dtype=float), np.array(self.alpha, dtype=float)
        return np.sqrt((alpha - 1) * -np.log(x)) if there else np.full(len(alpha), np.nan)

    def sample(self, cube: Array) -> Array:
        """Return gamma variables, of shapes alpha and the fractions of the cube, divided by their sum."""
        from scipy.special import gammaincinv

        gamma = gammaincinv(np.array(self.alpha, dtype=float), _points(self, cube))
        return np.asarray(gamma / gamma.sum(axis=-1, keepdims=True))


def _check_finite(given: Any, *names: str) -> None:
    for name in names:
        if not np.isfinite(float(getattr(given, name))):
            raise ConfigurationError(f"{name} is {getattr(given, name)}, and it must be a finite number", at=(name,))


def _check_width(given: Any) -> None:
    _check_finite(given, "mean", "std")
    if not given.std > 0:
        raise ConfigurationError(
            f"std is {given.std:g}, and it must be above 0", at=("std",), hint="for a single value use PointMass"
        )


def _check_covariance(mean: list[int | float], cov: list[list[int | float]]) -> None:
    d = len(mean)
    if not d or not np.isfinite(mean).all():
        raise ConfigurationError(f"the mean is a list of finite numbers, not {mean}", at=("mean",))
    shape = f"{len(cov)} rows of {' and '.join(str(n) for n in sorted({len(row) for row in cov}))}"
    if any(len(row) != len(cov) for row in cov):
        raise ConfigurationError(f"the covariance is not square: {shape}", at=("cov",))
    if len(cov) != d:
        raise ConfigurationError(f"the covariance has {shape}, and the mean {d} values", at=("cov",))
    matrix = np.array(cov, dtype=float)
    if not np.isfinite(matrix).all():
        raise ConfigurationError("the covariance holds a number that is not finite", at=("cov",))
    if not np.allclose(matrix, matrix.T, rtol=1e-9, atol=0):
        raise ConfigurationError("the covariance is not symmetric", at=("cov",))
    lowest, *_, highest = values = np.linalg.eigvalsh(matrix) if d > 1 else np.array([matrix[0, 0]] * 2)
    if not values.any() or lowest < -_SINGULAR * highest:
        raise ConfigurationError(
            f"the covariance has the eigenvalue {lowest:.3g}, and a variance is not negative",
            at=("cov",),
            hint="a correlation is between -1 and 1",
        )


def _points(given: Distribution, x: Array) -> Array:
    x = np.asarray(x, dtype=float)
    if x.ndim == 0 or x.shape[-1] != given.dimensions:
        raise ConfigurationError(
            f"{type(given).__name__} is of {given.dimensions} parameters, and the points have shape {x.shape}"
        )
    return x


def _spectrum(cov: list[list[int | float]]) -> tuple[Array, Array]:
    """Return the eigenvalues (d), those that are 0 but for rounding as 0, and the eigenvectors (d, d) as columns."""
    values, vectors = np.linalg.eigh(np.array(cov, dtype=float))
    return np.where(values > _SINGULAR * values[-1], values, 0.0), vectors


def _joint_normal(x: Array, mean: list[int | float], cov: list[list[int | float]]) -> Array:
    values, vectors = _spectrum(cov)
    along = (x - np.array(mean, dtype=float)) @ vectors
    there = values > 0
    off = np.abs(along[..., ~there]) > np.sqrt(_SINGULAR * values[-1])
    squares = (along[..., there] ** 2 / values[there]).sum(axis=-1)
    density = -0.5 * (squares + np.log(2 * np.pi * values[there]).sum())
    return np.where(off.any(axis=-1), -np.inf, density)


def _joint_residuals(x: Array, mean: list[int | float], cov: list[list[int | float]]) -> Array:
    values, vectors = _spectrum(cov)
    there = values > 0
    along = ((x - np.array(mean, dtype=float)) @ vectors)[there]
    on = np.isfinite(_joint_normal(x, mean, cov))
    return np.where(on, _HALF * along / np.sqrt(values[there]), np.nan)


def _flat(log_density: Array) -> Array:
    """Return [0] where there is density, else [NaN]."""
    return np.atleast_1d(np.where(np.isfinite(log_density), 0.0, np.nan))


def _joint_sample(cube: Array, mean: list[int | float], cov: list[list[int | float]]) -> Array:
    values, vectors = _spectrum(cov)
    return np.array(mean, dtype=float) + (_normal_quantile(cube) * np.sqrt(values)) @ vectors.T


def _normal_quantile(q: Array) -> Array:
    from scipy.special import ndtri

    return np.asarray(ndtri(q))


def _log(x: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return ln x, 0 where x is not above 0, and where it is."""
    x = np.asarray(x, dtype=float)
    there = x > 0
    return np.log(np.where(there, x, 1.0)), there
