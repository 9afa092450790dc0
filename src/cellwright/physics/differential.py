"""Slopes of measured curves: the differential voltage dV/dQ and the differential capacity dQ/dV.

Measured and modelled values go through the same straight lines on the same points. So the slopes of both are smoothed
alike, and what is compared has no error of the smoothing.

Source: Savitzky & Golay, Anal. Chem. 36 (1964) 1627, doi:10.1021/ac60214a047 (lines through neighbours); Bloom, Jansen,
Abraham, Knuth, Jones, Battaglia & Henriksen, J. Power Sources 139 (2005) 295, doi:10.1016/j.jpowsour.2004.07.021 (dV/dQ
of cells).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

WIDTH = 0.01
"""Width of a window, as a fraction of the span of the abscissae."""
WIDEST = 0.1
"""Width of the windows in which slopes are told from noise, at most."""
ERROR = 0.05
"""Standard error of slopes, as a fraction of their median, up to which noise does not matter."""
NORMAL = 0.6745
"""The median of the absolute value of a standard normal variable."""
MOST = 64
"""The points of a window that a line is laid through at most; of more, equally many are left out between them."""


@dataclass(frozen=True)
class Slopes:
    """Slopes of values over rising abscissae `x` (n,), by the least-squares line through the points around each one.

    (D y)_i = Σ_j (x_j - x̄_i) y_j / Σ_j (x_j - x̄_i)², with the points j within half a `width` of the span of x, and the
    neighbours in any case. D is linear: the derivative of a slope by a parameter is the slope of the derivative.
    """

    x: Array
    width: float = WIDTH

    def __call__(self, y: Array) -> Array:
        """Return the slopes (n, …) of values (n, …)."""
        return np.asarray(self._lines @ y)

    @cached_property
    def _lines(self) -> Any:
        from scipy.sparse import csr_array

        x, count = self.x, len(self.x)
        reach, place = 0.5 * self.width * (x[-1] - x[0]), np.arange(count)
        first = np.minimum(np.searchsorted(x, x - reach, side="left"), np.maximum(place - 1, 0))
        behind = np.maximum(np.searchsorted(x, x + reach, side="right"), np.minimum(place + 2, count))
        stride = -(-(behind - first) // MOST)
        size = -(-(behind - first) // stride)
        ends = np.cumsum(size)
        inside = np.arange(ends[-1]) - np.repeat(ends - size, size)
        columns = np.repeat(first, size) + inside * np.repeat(stride, size)
        starts = np.concatenate([[0], ends[:-1]])
        around = x[columns] - np.repeat(np.add.reduceat(x[columns], starts) / size, size)
        weights = around / np.repeat(np.add.reduceat(around**2, starts), size)
        return csr_array((weights, columns, np.concatenate([[0], ends])), shape=(count, count))


def quiet_width(x: Array, y: Array) -> float:
    """Return the width of the windows, between 1 and 10 % of the span, in which slopes are told from noise.

    The standard error of the slope of n points a distance Δ apart is σ √12/(Δ n^1.5); it is to be 5 % of the median of
    the slopes. The noise σ is told from the second differences of y, whose standard deviation is √6 σ.
    """
    span = x[-1] - x[0]
    bends = np.abs(np.diff(y, 2))
    noise = float(np.median(bends)) / (NORMAL * np.sqrt(6)) if len(bends) else 0.0
    typical = float(np.median(np.abs(Slopes(x, WIDEST)(y))))
    if not typical > 0:
        return WIDEST
    spacing = span / (len(x) - 1)
    points = (np.sqrt(12) * noise / (spacing * ERROR * typical)) ** (2 / 3)
    return float(np.clip(points * spacing / span, WIDTH, WIDEST))


def differential_capacity(differential_voltage: Array) -> Array:
    """Return dQ/dV [A.h.V-1] of dV/dQ [V.A-1.h-1]; infinite where the voltage does not change."""
    with np.errstate(divide="ignore"):
        return np.asarray(1 / differential_voltage)
