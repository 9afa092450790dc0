"""What data say of the parameters of a model: slopes by differences, covariance, correlation, what is not determined.

All is linear around a point: r(u) ≈ r + J (u - u₀), with r the weighted differences of model and data and u the
parameters in units of their range.

Source: Seber & Wild, Nonlinear Regression (1989), sections 2.1.2 and 5.1; Belsley, Kuh & Welsch, Regression Diagnostics
(1980), ch. 3 (scaled condition); Brun, Reichert & Künsch, Water Resour. Res. 37 (2001) 1015, doi:10.1029/2000WR900350
(columns of length 1).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr
from scipy.special import ndtri, stdtrit

from cellwright.physics.resolution import INTEGRATED

Array = NDArray[np.float64]

TAKES_PART = 0.1
"""Component, as a fraction of the largest, from which a parameter takes part in a direction (1 % in its square)."""
AS_WIDE = 0.5
"""Half-width of an interval, as a fraction of a parameter's range, from which the data do not determine it: the
interval is as wide as the bounds, which were known before."""
STRONG = 0.95
"""Correlation from which two parameters are told as hard to tell apart: together they widen each other's intervals by
1/sqrt(1 - 0.95²), a factor of 3."""


@dataclass(frozen=True)
class Determination:
    """What a Jacobian says of p parameters, in units of their range.

    `covariance` (p, p), NaN in rows and columns of parameters without effect; `determined` (p,) is False for these and
    for what takes part in a flat direction; `flat` are the directions (p,) along which the predictions do not change,
    `wide` those along which they change too little beside the noise; `condition` is that of the Jacobian with columns
    of length 1.
    """

    covariance: Array
    correlation: Array
    determined: NDArray[np.bool_]
    flat: tuple[Array, ...]
    wide: tuple[Array, ...]
    condition: float

    @property
    def deviations(self) -> Array:
        """The standard errors (p,), infinite for what is not determined."""
        variances = np.where(self.determined, np.diag(self.covariance), np.inf)
        return np.asarray(np.sqrt(np.maximum(variances, 0.0)))


def slopes(base: Array, sides: Array, offsets: Array) -> Array:
    """Return the derivatives (m, d) of m values by d coordinates, from the values at two offsets in each.

    `base` (m,) are the values at the point, `sides` (d, 2, m) those at `offsets` (d, 2) from it in one coordinate at a
    time. The derivative is that of the parabola through the three; where one side is missing (NaN) of the line through
    the others, NaN where both are.
    """
    a, b = offsets[:, :1], offsets[:, 1:]
    left, right = sides[:, 0] - base, sides[:, 1] - base
    parabola = left * b / (a * (b - a)) - right * a / (b * (b - a))
    line = np.where(np.isfinite(left), left / a, right / b)
    return np.where(np.isfinite(parabola), parabola, line).T


def quantile(level: float, freedom: float) -> float:
    """Return how many standard errors hold the fraction `level` in their middle: Student's t with so many degrees of
    freedom, infinitely many where the noise is known."""
    return float(stdtrit(freedom, 0.5 + 0.5 * level) if np.isfinite(freedom) else ndtri(0.5 + 0.5 * level))


def determination(
    jacobian: Array, variances: Array, effective: NDArray[np.bool_], width: float, rank: float = INTEGRATED.rank
) -> Determination:
    """Return what the data determine.

    `jacobian` (n, p) is that of the weighted differences, `variances` (n,) are those of their noise, `effective` (p,)
    says which parameters act at all, `width` is how many standard errors an interval has to either side, and singular
    values below `rank` are those of flat directions. The covariance is A⁻¹ Jᵀ D J A⁻¹ with A = JᵀJ and D the variances
    on the diagonal (for equal ones σ² A⁻¹), worked out from the singular values of J.
    """
    size = jacobian.shape[1]
    covariance, correlation = np.full((size, size), np.nan), np.full((size, size), np.nan)
    determined = effective.copy()
    places = np.flatnonzero(effective)
    if not len(places):
        return Determination(covariance, correlation, determined, (), (), float("inf"))
    lengths = np.linalg.norm(jacobian[:, places], axis=0)
    U, s, Vt = np.linalg.svd(jacobian[:, places] / lengths, full_matrices=False)
    if len(s) < len(places):
        raise ValueError(f"{len(jacobian)} data points cannot determine {len(places)} parameters")
    sharp = s > rank
    flat = _sparse(Vt[~sharp].T)
    part = np.zeros(len(places), dtype=bool)
    for direction in flat:
        part |= _takes_part(direction)
    floor = np.maximum(s, np.finfo(float).eps * s[0])
    kept, all_of = (
        _covariance(U[:, which], floor[which], Vt[which], variances) for which in (sharp, np.ones_like(sharp))
    )
    ignoring = variances if variances.any() else np.ones_like(variances)
    shape = _covariance(U, floor, Vt, ignoring)
    sharper = _covariance(U[:, sharp], floor[sharp], Vt[sharp], ignoring)
    both = np.outer(part, part)
    inside = np.where(both, all_of, kept) / np.outer(lengths, lengths)
    grid = np.ix_(places, places)
    covariance[grid] = inside
    correlation[grid] = _correlation(np.where(both, shape, sharper))
    determined[places[part]] = False
    wide = _wide(inside, ~part, width)
    return Determination(
        covariance,
        correlation,
        determined,
        tuple(_placed(direction / lengths, places, size) for direction in flat),
        tuple(_placed(direction, places, size) for direction in wide),
        float(s[0] / floor[-1]),
    )


def _covariance(U: Array, s: Array, Vt: Array, variances: Array) -> Array:
    inverse = Vt.T / s
    return np.array(inverse @ ((U.T * variances) @ U) @ inverse.T)


def _correlation(covariance: Array) -> Array:
    deviations = np.sqrt(np.diag(covariance))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.clip(covariance / np.outer(deviations, deviations), -1.0, 1.0))


def _sparse(basis: Array) -> list[Array]:
    """Return the directions (p,) of a basis (p, k) turned so that as few parameters as can be take part in each."""
    count = basis.shape[1]
    if not count:
        return []
    pivots = qr(basis.T, pivoting=True, mode="r")[1][:count]
    turned = basis @ np.linalg.inv(basis[pivots])
    return [column / np.linalg.norm(column) for column in turned.T]


def _takes_part(direction: Array) -> NDArray[np.bool_]:
    size = np.abs(direction)
    return np.asarray(size >= TAKES_PART * size.max())


def participants(direction: Array) -> list[int]:
    """Return the places of the parameters that take part in a direction (p,), the largest first."""
    return [int(place) for place in np.argsort(-np.abs(direction), kind="stable") if _takes_part(direction)[place]]


def _wide(covariance: Array, which: NDArray[np.bool_], width: float) -> list[Array]:
    """Return the directions along which an interval is as wide as the range of a parameter that takes part."""
    places = np.flatnonzero(which)
    if not len(places):
        return []
    spreads, directions = np.linalg.eigh(covariance[np.ix_(places, places)])
    return [
        _placed(direction, places, len(which))
        for spread, direction in zip(spreads[::-1], directions.T[::-1], strict=True)
        if width * np.sqrt(max(spread, 0.0)) * np.abs(direction).max() > AS_WIDE
    ]


def _placed(values: Array, places: NDArray[np.intp], size: int) -> Array:
    whole = np.zeros(size)
    whole[places] = values
    return whole


def hessian(values: Array, steps: Array) -> Array:
    """Return the matrix (d, d) of second derivatives of a function by differences with the steps (d,).

    `values` are those at the point, then at -h and +h of each coordinate, then at -h and +h of each pair of coordinates
    (in the order of `itertools.combinations`); the error is of second order in the steps.
    """
    size = len(steps)
    sums = values[1::2] + values[2::2] - 2 * values[0]
    matrix = np.diag(sums[:size])
    for place, (i, j) in enumerate(zip(*np.triu_indices(size, 1), strict=True)):
        matrix[i, j] = matrix[j, i] = 0.5 * (sums[size + place] - sums[i] - sums[j])
    return np.asarray(matrix / np.outer(steps, steps))


def curved(found: Determination, hessian: Array, places: list[int], scale: Array, width: float) -> Determination | None:
    """Return the determination with the inverse of a Hessian (k, k), in search coordinates, of the parameters at
    `places` as their covariance; None where it is not positive definite, as it is at a minimum."""
    inner = hessian * np.outer(scale[places], scale[places])
    if not np.isfinite(inner).all() or not len(places):
        return None
    root = np.sqrt(np.abs(np.diag(inner)))
    scaled = inner / np.outer(root, root) if root.all() else inner
    if np.linalg.eigvalsh(scaled)[0] <= INTEGRATED.rank**2:
        return None
    covariance, correlation = found.covariance.copy(), found.correlation.copy()
    grid = np.ix_(places, places)
    covariance[grid] = np.linalg.inv(scaled) / np.outer(root, root)
    correlation[grid] = _correlation(covariance[grid])
    wide = tuple(_wide(covariance, found.determined, width))
    return replace(found, covariance=covariance, correlation=correlation, wide=wide)
