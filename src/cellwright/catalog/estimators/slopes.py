"""Slopes of what a search is about, by differences of which all are one batch."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from cellwright.schema.families import Array
from cellwright.schema.search import Space

DIFFERENCE_STEP = 2e-3
"""Step of forward differences in search coordinates, where the bounds are 0 and 1.

Solutions on a measured, noisy current carry integration errors of some 1e-5 V, so SciPy's default step of 1e-8 differs
noise; a step of this size is well above them and small against the curvature.
"""
EXACT_STEP = 6e-6
"""Step of central differences where predictions are known to rounding: the cube root of that."""
SMALLEST = 1e-2
"""Share of its start that stands for the size of an unbounded parameter closer to 0 than that."""
FAILED_COST = 1e12
"""Cost that stands for a solve that failed: a large number, which line searches can step back from."""


class Residuals(Protocol):
    """A vector function of batches that knows its last value."""

    def function(self, points: Array) -> Array:
        """Return the values (n, m) of a batch of points (n, d)."""
        ...

    def at(self, x: Array) -> Array:
        """Return the value (m,) at one point (d,)."""
        ...


class Remembered:
    """A vector function of batches that keeps its last value, so that a derivative does not ask for it again."""

    def __init__(self, function: Callable[[Array], Array]) -> None:
        self.function = function
        self._point: Array | None = None
        self._value: Array = np.zeros(0)

    def at(self, x: Array) -> Array:
        """Return the value at one point (d,)."""
        if self._point is None or not np.array_equal(self._point, x):
            self._value = self.function(np.array(x)[None, :])[0]
            self._point = np.array(x)
        return self._value


def differences(function: Residuals, x: Array, space: Space, step: float = DIFFERENCE_STEP) -> Array:
    """Return the derivatives (m, d) of a vector function at `x` (d,) by one-sided differences inside the bounds.

    A side on which the function has no finite value is replaced by the other; where both fail the column is 0.
    """
    base = function.at(x)
    width = step * scale(x, space)
    steps = np.where(x + width <= space.upper, width, -width)
    columns = (function.function(x + np.diag(steps)) - base) / steps[:, None]
    broken = ~np.isfinite(columns).all(axis=1)
    if broken.any():
        back = x - np.diag(steps)
        inside = ((back >= space.lower) & (back <= space.upper)).all(axis=1) & broken
        columns[broken] = 0.0
        if inside.any():
            retried = (base - function.function(back[inside])) / steps[inside][:, None]
            columns[inside] = np.where(np.isfinite(retried).all(axis=1, keepdims=True), retried, 0.0)
    return np.asarray(columns.T)


def central_differences(function: Residuals, x: Array, space: Space, step: float = EXACT_STEP) -> Array:
    """Return the derivatives (m, d) of a vector function at `x` (d,) by differences to both sides, as bounds allow.

    A side on which the function has no finite value is replaced by the point itself; where both fail the column is 0.
    """
    width, base = step * scale(x, space), function.at(x)
    ends = np.stack([np.minimum(x + width, space.upper) - x, np.maximum(x - width, space.lower) - x], axis=1)
    points = x + ends.T.reshape(-1, 1) * np.tile(np.eye(len(x)), (2, 1))
    values = function.function(points).reshape(2, len(x), -1).transpose(1, 0, 2)
    failed = ~np.isfinite(values).all(axis=2)
    ends[failed], values[failed] = 0.0, base
    apart = (ends[:, 0] - ends[:, 1])[:, None]
    rises = values[:, 0] - values[:, 1]
    return np.asarray(np.divide(rises, apart, out=np.zeros_like(rises), where=apart != 0).T)


def central_gradient(cost: Remembered, x: Array, space: Space, step: float = DIFFERENCE_STEP / 4) -> Array:
    """Return the gradient (d,) of a scalar cost at `x` (d,) by central differences, one-sided at the bounds.

    A scalar cost is flat near its minimum, where one-sided differences would see the curvature instead of the slope.
    A side that could not be solved is replaced by the point itself, so that the edge of what can be solved is no cliff.
    """
    width = step * scale(x, space)
    ahead = np.minimum(x + width, space.upper) - x
    behind = x - np.maximum(x - width, space.lower)
    values = cost.function(np.vstack([x + np.diag(ahead), x - np.diag(behind)]))[:, 0]
    above, below = values[: len(x)], values[len(x) :]
    for steps, costs in ((ahead, above), (behind, below)):
        failed = costs >= FAILED_COST
        if failed.any():
            steps[failed], costs[failed] = 0.0, float(cost.at(x)[0])
    apart = ahead + behind
    return np.asarray(np.divide(above - below, apart, out=np.zeros_like(apart), where=apart > 0))


def scale(x: Array, space: Space) -> Array:
    """Return the length (d,) against which a step is small: the range of a parameter, else its size."""
    width = space.upper - space.lower
    size = np.maximum(np.abs(x), SMALLEST * np.abs(space.initial))
    return np.where(np.isfinite(width), width, np.where(size > 0, size, 1.0))
