"""Pulses of a measurement: where each begins and ends, and the rests around it."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from cellwright.errors import DataError

Array = NDArray[np.float64]
Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]

REST_FRACTION = 1e-3
"""Fraction of the largest current up to which a current counts as rest."""
ODD_ROWS = 2
"""Rows at each end of a step that may still tell of the step beside it, as cyclers write them."""
FULL = 0.01
"""Distance from the median current of a pulse, as a fraction of it, within which the current has been reached."""

SIGNIFICANT = 3.0
"""Standard errors of a drift from which on it is one."""


@dataclass(frozen=True)
class Pulses:
    """Pulses of a measurement; every array has an entry for each pulse, in the order of the measurement.

    The rest before a pulse has the rows `rest` to `start`, the pulse `start` to `stop`, the rest after it `stop` to
    `end`, the last row never included; where two of them are the same there is no such rest.
    """

    numbers: Rows
    """From 1 on; they stay with the pulses where some of them are left out."""
    rest: Rows
    start: Rows
    stop: Rows
    end: Rows
    full: Rows
    """The first row in which the current has been reached."""
    current: Array
    """The median current of the pulse [A], positive on discharge."""
    on: Array
    """When the current was switched on [s]."""
    off: Array
    """When it was switched off [s]."""

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def rested(self) -> Mask:
        """Whether there is a rest before the pulse."""
        return np.asarray(self.start > self.rest)

    @property
    def interrupted(self) -> Mask:
        """Whether there is a rest after the pulse."""
        return np.asarray(self.end > self.stop)

    def where(self, mask: Mask) -> "Pulses":
        """Return some of the pulses."""
        return Pulses(*(getattr(self, field.name)[mask] for field in fields(self)))


def find_pulses(time: Array, current: Array, steps: Array | None = None) -> Pulses:
    """Return the pulses in a current [A] at times [s], by the column of steps where there is one.

    A pulse is a stretch of current of one sign, and of one step where there are steps; a rest has at most a thousandth
    of the largest current, whatever steps it is made of. A step that is of one kind but for a row or two at an end,
    which still tell of the step beside it, is of that kind as a whole. A current is switched with the last row before
    it, or a sampling interval before its own first row where that is later.

    Raises: `DataError` where there is no current at all.
    """
    largest = float(np.max(np.abs(current), initial=0.0))
    if largest == 0:
        raise DataError("the data hold no pulse: the current is 0 everywhere", hint="look at the column 'Current [A]'")
    regime = np.where(np.abs(current) <= REST_FRACTION * largest, 0, np.sign(current)).astype(np.intp)
    cut = np.zeros(len(time), dtype=bool)
    if steps is not None:
        cut[1:] = np.diff(steps) != 0
        regime = _by_step(regime, cut)
    cut &= regime != 0
    cut[1:] |= np.diff(regime) != 0
    cut[0] = True
    first = np.flatnonzero(cut)
    stop = np.append(first[1:], len(time))
    loaded = regime[first] != 0
    before = np.append(True, loaded[:-1])
    after = np.append(loaded[1:], True)
    place = np.flatnonzero(loaded)
    rest = np.where(before[place], first[place], first[place - 1])
    end = np.where(after[place], stop[place], np.append(stop[1:], len(time))[place])
    start, stop = first[place], stop[place]
    medians = np.array([np.median(current[a:b]) for a, b in zip(start, stop, strict=True)])
    return Pulses(
        numbers=np.arange(1, len(place) + 1),
        rest=rest,
        start=start,
        stop=stop,
        end=end,
        full=np.array([_reached(current, a, b, m) for a, b, m in zip(start, stop, medians, strict=True)]),
        current=medians,
        on=_switched(time, start),
        off=_switched(time, stop),
    )


def switched_current(time: Array, current: Array, pulses: Pulses, width: float) -> tuple[Array, Array]:
    """Return knots (times [s], currents [A]) of a piecewise linear current that is switched where pulses begin and end.

    Where rows stand far from each other on one side of a switch, the line between them would be a ramp; it becomes a
    step of a width [s]. Rows at the beginning of a pulse that still tell of the rest get the pulse's current.
    """
    current = current.copy()
    for a, b in zip(pulses.start, pulses.full, strict=True):
        early = current[a:b]
        early[np.abs(early) <= REST_FRACTION * np.abs(current).max()] = current[b]
    rows = np.concatenate([pulses.start, pulses.stop])
    when = np.concatenate([pulses.on, pulses.off])
    inside = (rows > 0) & (rows < len(time))
    rows, when = rows[inside], when[inside]
    late = when > time[rows - 1] + width
    room = when + width < time[rows]
    times = np.concatenate([time, when[late], when[room] + width])
    values = np.concatenate([current, current[rows[late] - 1], current[rows[room]]])
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    new = np.append(True, np.diff(times) > 0)
    return times[new], values[new]


def discharged(time: Array, current: Array, pulses: Pulses, width: float) -> Array:
    """Return the charge [A.h] that has been discharged at each row since the first, less what has been charged.

    The current is that of `switched_current`, of the same `width` [s].
    """
    times, amps = switched_current(time, current, pulses, width)
    charges = np.concatenate([[0.0], np.cumsum(np.diff(times) * (amps[1:] + amps[:-1]) / 2)])
    return np.asarray(np.interp(time, times, charges) / 3600)


def rest_ends(pulses: Pulses) -> Rows:
    """Return the last row of each rest, in order."""
    before, after = pulses.start[pulses.rested] - 1, pulses.end[pulses.interrupted] - 1
    return np.unique(np.concatenate([before, after]))


@dataclass(frozen=True)
class RestEnd:
    """How the voltage of a rest ends: as a line through its last fifth; NaN where there are too few rows."""

    slope: float
    """How fast it still moves [V.s-1]."""
    error: float
    """The standard error of that."""
    noise: float
    """The standard deviation of the rows from the line [V]."""

    @property
    def drifts(self) -> bool:
        """Whether the slope can be told from the noise."""
        return abs(self.slope) > SIGNIFICANT * self.error


def rest_end(time: Array, voltage: Array) -> RestEnd:
    """Return how the voltage [V] of a rest ends, from the last fifth of its time [s], and from five rows at least."""
    late = np.flatnonzero(time >= time[-1] - (time[-1] - time[0]) / 5)
    first = min(int(late[0]), max(len(time) - 5, 0))
    t, V = time[first:] - time[first:].mean(), voltage[first:] - voltage[first:].mean()
    spread = float(t @ t)
    if len(t) < 3 or spread == 0:
        return RestEnd(float("nan"), float("nan"), float("nan"))
    slope = float(t @ V) / spread
    left = V - slope * t
    noise = float(np.sqrt(left @ left / (len(t) - 2)))
    return RestEnd(slope, noise / spread**0.5, noise)


def slopes_of_halves(x: Array, y: Array) -> float:
    """Return the slope of a line through the upper half of x over that of the lower; NaN where one has too few rows."""
    slopes = []
    for half in (x <= (x[0] + x[-1]) / 2, x >= (x[0] + x[-1]) / 2):
        if half.sum() < 3:
            return float("nan")
        from_mean = x[half] - x[half].mean()
        slopes.append(float(from_mean @ y[half] / (from_mean @ from_mean)))
    return slopes[1] / slopes[0] if slopes[0] else float("nan")


def _by_step(regime: Rows, cut: Mask) -> Rows:
    """Return rest (0), discharge (1), charge (-1) of each row; rows that tell of the step beside get that of their own.

    A step is of one kind but for such rows; one that holds pulses and rests is left as it is.
    """
    agreed = regime.copy()
    for rows in np.split(np.arange(len(regime)), np.flatnonzero(cut)):
        inner = slice(_odd(regime, rows, rows[0] - 1), len(rows) - _odd(regime, rows[::-1], rows[-1] + 1))
        own = regime[rows[inner]]
        if len(own) and (own == own[0]).all():
            agreed[rows] = own[0]
    return agreed


def _odd(regime: Rows, rows: Rows, beside: int) -> int:
    """Return how many of the first rows are of the kind of the row beside them and not of their step's."""
    if not 0 <= beside < len(regime):
        return 0
    count = int(np.argmin(np.append(regime[rows] == regime[beside], False)))
    return count if count <= ODD_ROWS and 2 * count < len(rows) else 0


def _reached(current: Array, start: int, stop: int, median: float) -> int:
    return int(start + np.argmax(np.abs(current[start:stop] - median) <= FULL * abs(median)))


def _switched(time: Array, first: Rows) -> Array:
    """Return when the stretches that begin with some rows began [s]."""
    last = len(time) - 1
    row = np.minimum(first, last)
    interval = time[np.minimum(first + 1, last)] - time[row]
    before = time[np.maximum(first - 1, 0)]
    begun = np.where(interval > 0, np.maximum(before, time[row] - interval), before)
    return np.asarray(np.where(first == 0, time[0], begun))
