"""Few rows instead of many: where a smooth course has to be known so that interpolation gives all of it."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FEWEST = 16
"""Intervals to begin with."""
WORTHWHILE = 0.5
"""Fraction of the rows above which thinning gains nothing."""
STRETCHES = 65
"""Ends of the stretches whose average errors are looked at where all rows are known."""
SCATTER = 10.0
"""How many times the tolerance a single row may err where the rows of its interval err within it on average.

A course that follows a measured current has that current's noise, which no fit sees: its mean is zero."""


@dataclass(frozen=True)
class Thinning:
    """Some of the rows of a course, and how all of them follow from these: by cubics through four neighbours."""

    times: Array
    """All times [s]."""
    kept: Array
    """The times [s] among them that are evaluated."""
    neighbours: NDArray[np.intp]
    """Of each time, its four (or fewer) kept rows (all, 4)."""
    weights: Array
    """The weights of these rows in its value (all, 4)."""

    def spread(self, values: Array) -> Array:
        """Return the values (all, columns) that follow from those at the kept times (kept, columns)."""
        return _sums(self.neighbours, self.weights, values)

    def holds(self, values: Array, tolerance: float) -> bool:
        """Return whether values (all, columns) follow from those at the kept times within twice the tolerance."""
        error = (self.spread(values[np.searchsorted(self.times, self.kept)]) - values) / _allowed(values, tolerance)
        stretches = np.linspace(0, len(values) - 1, min(len(values), STRETCHES)).astype(np.intp)
        return not _wrong(error / 2, stretches).size


def thinning(times: Array, values: Array, stops: Array, wanted: Array, tolerance: float) -> Thinning | None:
    """Return the fewest of the times from which values (times, courses) follow, and all of the wanted times with them.

    The interpolation may err by `tolerance` of the range of each course, on average between two kept rows, and by
    `SCATTER` times that in one row; NaN, behind the end of a course, is not looked at. Between two stops the courses
    are smooth; no cubic reaches over one. Every interval in which the interpolation errs is halved, until none does.
    None where more than half of the wanted rows would be left.
    """
    allowed = _allowed(values, tolerance)
    places = np.unique(np.clip(np.searchsorted(times, stops), 0, len(times) - 1))
    kept = np.unique(np.concatenate([places, np.linspace(0, len(times) - 1, FEWEST + 1).astype(int)]))
    there = np.nan_to_num(values)
    while len(kept) <= WORTHWHILE * len(wanted):
        error = (_sums(*_cubics(times, times, kept, places), there[kept]) - there) / allowed
        error[_beside_nothing(values, kept)] = 0
        wrong = _wrong(error, kept)
        if not wrong.size:
            return Thinning(wanted, times[kept], *_cubics(wanted, times, kept, places))
        halved = np.unique(np.concatenate([kept, (kept[wrong] + kept[wrong + 1]) // 2]))
        if len(halved) == len(kept):
            return None
        kept = halved
    return None


def _allowed(values: Array, tolerance: float) -> Array:
    """Return how much each course may err; rounding is no error of one that is constant."""
    ranges = np.nanmax(values, axis=0) - np.nanmin(values, axis=0)
    return np.asarray(np.maximum(tolerance * ranges, 1e-9 * np.nanmax(np.abs(values), axis=0) + 1e-300))


def _wrong(error: Array, kept: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the intervals between kept rows in which errors (times, courses) are large; they are in tolerances."""
    rows = np.diff(kept)[:, None]
    mean = np.add.reduceat(error[:-1], kept[:-1], axis=0) / rows
    largest = np.maximum.reduceat(np.abs(error[:-1]), kept[:-1], axis=0)
    return np.flatnonzero(((np.abs(mean) > 1) | (largest > SCATTER)).any(axis=1))


def _beside_nothing(values: Array, kept: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return where (times, courses) a cubic uses a kept row that has no value."""
    missing = np.isnan(values)
    first = np.where(missing.any(axis=0), missing.argmax(axis=0), len(values))
    place = np.searchsorted(kept, np.arange(len(values)), side="right") + 1
    reach = kept[np.minimum(place, len(kept) - 1)]
    return np.asarray(reach[:, None] >= first[None, :])


def _sums(neighbours: NDArray[np.intp], weights: Array, values: Array) -> Array:
    """Return the weighted sums (all, columns) of the rows of some values (kept, columns)."""
    sums: Array = np.einsum("tj,tjc->tc", weights, values[neighbours])
    return sums


def _cubics(
    wanted: Array, times: Array, kept: NDArray[np.intp], places: NDArray[np.intp]
) -> tuple[NDArray[np.intp], Array]:
    """Return the four kept rows around each wanted time, within its smooth stretch, and Lagrange's weights of them."""
    neighbours, weights = np.zeros((len(wanted), 4), dtype=np.intp), np.zeros((len(wanted), 4))
    for first, last in pairwise(places):
        own = kept[(kept >= first) & (kept <= last)]
        offset = int(np.searchsorted(kept, first))
        count = min(4, len(own))
        inner = np.flatnonzero((wanted >= times[first]) & ((wanted < times[last]) | (last == places[-1])))
        left = np.clip(np.searchsorted(times[own], wanted[inner], side="right") - 2, 0, len(own) - count)
        stencil = left[:, None] + np.arange(count)
        nodes = times[own][stencil]
        for j in range(count):
            others = [k for k in range(count) if k != j]
            factors = (wanted[inner][:, None] - nodes[:, others]) / (nodes[:, [j]] - nodes[:, others])
            neighbours[inner, j] = offset + stencil[:, j]
            weights[inner, j] = np.prod(factors, axis=1)
    return neighbours, weights
