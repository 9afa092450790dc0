"""The logarithm of the posterior density on a search space, its slope, and its width around a point."""

from dataclasses import dataclass

import numpy as np

from cellwright.catalog.estimators.bounds import outside
from cellwright.schema.families import Array
from cellwright.schema.search import Dimension, Evaluate, Space

SLOPE = 0.2
"""Step of the differences that give a slope, in standard deviations of the posterior as seen from the start."""
STRETCH = 1e-5
"""Step of the differences that give the stretch of a transform, in search coordinates."""
LADDER = tuple(10.0**power for power in (-0.5, -1, -1.5, -2, -2.5, -3, -4, -5, -6))
"""Distances from the start at which its surroundings are looked at, in search coordinates."""
UNDETERMINED = 12**-0.5
"""Standard deviation of a uniform distribution, in units of its range: what a parameter has that no data determine."""
FLATTEST = 0.01
"""Least curvature that is believed, against that along one parameter: below it, solvers' noise may be all there is."""


@dataclass(frozen=True)
class Frame:
    """Coordinates in which the posterior is about as wide in every direction: x = origin + z · axesᵀ."""

    origin: Array
    axes: Array

    def points(self, z: Array) -> Array:
        """Return the points (n, d) of search coordinates at frame coordinates (n, d)."""
        return np.asarray(self.origin + z @ self.axes.T)

    def coordinates(self, points: Array) -> Array:
        """Return the frame coordinates (n, d) of points (n, d)."""
        return np.asarray(np.linalg.solve(self.axes, (points - self.origin).T).T, dtype=np.float64)


@dataclass(frozen=True)
class LogPosterior:
    """The logarithm of the posterior density over search coordinates, up to a constant.

    It is -cost, the density over the parameters in their own units, plus Σ ln |dθ/dx|, since a density over the
    logarithm of a parameter is not one over the parameter. It is -∞ outside the bounds, which is not asked for, and
    where a solve fails.
    """

    evaluate: Evaluate
    space: Space

    def __call__(self, points: Array) -> Array:
        """Return the logarithms (n,) at points (n, d), evaluated in one batch."""
        inside = ~outside(points, self.space).any(axis=1)
        found = np.full(len(points), -np.inf)
        if inside.any():
            costs = self.evaluate(points[inside]).costs
            found[inside] = np.where(np.isfinite(costs), -costs, -np.inf) + self.stretch(points[inside])
        return found

    def stretch(self, points: Array) -> Array:
        """Return Σ ln |dθ/dx| (n,) at points (n, d), by differences of the transforms."""
        columns = zip(self.space.dimensions, points.T, strict=True)
        return np.asarray(
            sum(np.array([_stretch(dimension, float(x)) for x in column]) for dimension, column in columns)
        )

    def with_slopes(self, points: Array, frame: Frame) -> tuple[Array, Array]:
        """Return the logarithms (n,) at points (n, d) and their slopes (n, d) along the axes of a frame.

        They are central differences over `SLOPE` to either side, all in one batch with the points; where one side is
        outside or fails, that to the other; 0 where the point itself is outside.
        """
        inside = ~outside(points, self.space).any(axis=1)
        steps = SLOPE * frame.axes.T
        sides = points[inside, None, None] + np.array([1.0, -1.0])[:, None, None] * steps
        count, d = points.shape
        values = self(np.vstack([points, sides.reshape(-1, d)]))
        here, beside = values[:count], values[count:].reshape(-1, 2, d)
        slopes = np.zeros((count, d))
        slopes[inside] = _slopes(here[inside], beside)
        return here, slopes


def _stretch(dimension: Dimension, x: float) -> float:
    offset, scale = dimension.scaling
    low, high = dimension.transformed_bounds
    ends = [min(max(offset + scale * (x + side * STRETCH), low), high) for side in (-1, 1)]
    change = abs(dimension.inverse(ends[1]) - dimension.inverse(ends[0]))
    return float(np.log(change * scale / (ends[1] - ends[0])))


def _slopes(here: Array, beside: Array) -> Array:
    """Return slopes (n, d) from values at points (n,) and on either side of them (n, 2, d)."""
    with np.errstate(invalid="ignore"):
        forward, backward = (beside[:, 0] - here[:, None]) / SLOPE, (here[:, None] - beside[:, 1]) / SLOPE
    forward, backward = (np.where(np.isfinite(one), one, np.nan) for one in (forward, backward))
    both = np.where(np.isnan(forward), backward, np.where(np.isnan(backward), forward, (forward + backward) / 2))
    return np.nan_to_num(both, nan=0.0)


def frame_at(target: LogPosterior, point: Array) -> Frame | None:
    """Return the frame of the posterior as seen from a point (d,), or None where that cannot be solved.

    Its axes are the roots of the inverse of the Hessian of -ln p, by differences over the distances at which ln p falls
    by about a half: first along each parameter, at the distances of `LADDER`, then along each pair. Directions in which
    it rises or stays are taken to be as wide as the bounds, or ten times what a parameter has on its own.

    Source: Nocedal & Wright, Numerical Optimization, 2nd ed. (2006), section 8.1 (differences).
    """
    d = len(point)
    identity = np.eye(d)
    here = float(target(point[None])[0])
    if not np.isfinite(here):
        return None
    steps = np.array(LADDER)[:, None, None] * identity
    sides = target(np.vstack([(point + steps).reshape(-1, d), (point - steps).reshape(-1, d)]))
    sides = sides.reshape(2, len(LADDER), d)
    width = target.space.upper - target.space.lower
    widest = UNDETERMINED * np.where(np.isfinite(width), width, 1.0)
    scale = np.minimum([_width(here - sides[:, :, place]) for place in range(d)], widest)
    hessian = _hessian(target, point, here, scale)
    curvature, directions = np.linalg.eigh(hessian)
    axes = scale[:, None] * directions / np.sqrt(np.maximum(curvature, FLATTEST))
    return Frame(point, axes * np.minimum(1.0, (widest[:, None] / np.maximum(np.abs(axes), 1e-300)).min(axis=0)))


def _width(falls: Array) -> float:
    """Return the standard deviation along one parameter from what ln p falls by to either side (2, ladder), or ∞.

    It is that of the step at which the mean fall is nearest to ½, the fall over one standard deviation.
    """
    falls = np.where(np.isfinite(falls), falls, np.nan)
    there = np.isfinite(falls)
    means = np.where(there.any(axis=0), np.nansum(falls, axis=0) / np.maximum(there.sum(axis=0), 1), np.nan)
    usable = np.flatnonzero(np.nan_to_num(means, nan=-1.0) > 0)
    if not len(usable):
        return float("inf")
    nearest = usable[np.argmin(np.abs(np.log(means[usable] / 0.5)))]
    return float(LADDER[nearest] / np.sqrt(2 * means[nearest]))


def _hessian(target: LogPosterior, point: Array, here: float, scale: Array) -> Array:
    """Return the Hessian (d, d) of -ln p at a point in units of `scale`.

    Where an end is outside or fails it is 1 on the diagonal, 0 beside it.
    """
    d = len(point)
    steps = np.diag(scale)
    first, second = np.triu_indices(d, 1)
    pairs = steps[first] + steps[second]
    values = here - target(np.vstack([point + steps, point - steps, point + pairs, point - pairs]))
    alone, together = values[: 2 * d].reshape(2, d).sum(axis=0), values[2 * d :].reshape(2, -1).sum(axis=0)
    hessian = np.diag(np.where(np.isfinite(alone), alone, 1.0))
    with np.errstate(invalid="ignore"):
        mixed = (together - alone[first] - alone[second]) / 2
    hessian[first, second] = hessian[second, first] = np.where(np.isfinite(mixed), mixed, 0.0)
    return hessian
