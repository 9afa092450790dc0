"""Time series as piecewise linear functions."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def compress_current(time: Array, current: Array, *, atol: float, rtol: float) -> tuple[Array, Array]:
    """Return the knots (time [s], current [A]) of a piecewise linear function close to a measured current.

    At every row |I_knots(t) - I| <= atol + rtol max|I|. First and last row are always knots; further ones are put where
    the deviation is largest, interval by interval, until all rows are within the tolerance.

    Source: Ramer, Comput. Graph. Image Process. 1 (1972) 244, doi:10.1016/S0146-664X(72)80017-0.
    """
    tolerance = atol + rtol * float(np.max(np.abs(current), initial=0.0))
    keep = np.zeros(len(time), dtype=bool)
    keep[[0, -1]] = True
    open_intervals = [(0, len(time) - 1)]
    while open_intervals:
        first, last = open_intervals.pop()
        if last - first < 2:
            continue
        inner = slice(first + 1, last)
        line = np.interp(time[inner], time[[first, last]], current[[first, last]])
        deviation = np.abs(current[inner] - line)
        worst = int(np.argmax(deviation))
        if deviation[worst] > tolerance:
            split = first + 1 + worst
            keep[split] = True
            open_intervals += [(first, split), (split, last)]
    return time[keep], current[keep]


LIVELY = 0.02
"""A change of the current by this fraction of its largest value counts; smaller ones are noise."""


def onsets(time: Array, current: Array) -> Array:
    """Return the times [s] at which an integrator has to look anew: both ends of each change that follows a quiet time.

    An integrator with an adaptive step may step over a whole pulse after a rest, since its step grows to the length of
    the rest. A change of more than 2 % of the largest current needs a look where it is over in less time than the
    current was steady before it; in lively stretches (a drive cycle) the step is short anyway.
    """
    time, current = compress_current(time, current, atol=0.0, rtol=LIVELY)
    changes = np.abs(np.diff(current)) > LIVELY * float(np.max(np.abs(current), initial=0.0))
    last_change = np.maximum.accumulate(np.where(changes, time[1:], time[0]))
    quiet = time[:-1] - np.concatenate([time[:1], last_change[:-1]])
    places = np.flatnonzero(changes & (np.diff(time) < quiet))
    return np.unique(np.concatenate([time[places], time[places + 1]]))


SWITCH = 0.1
"""A change of the current by this fraction of its largest value is a switch."""
HALF = 0.5
"""Fraction of the voltage step of the largest current from which a voltage tells of another current than its row."""


def resistance_at_switches(current: Array, voltage: Array) -> float | None:
    """Return the resistance [Ohm] that the voltage [V] shows where the current [A] is switched; None without switches.

    The changes are taken over the rows before and behind, since a row may hold the current before a switch and the
    voltage behind it. It is negative where the current has the other sign.
    """
    largest = float(np.max(np.abs(current), initial=0.0))
    rows = np.flatnonzero(np.abs(np.diff(current)) > SWITCH * largest)
    before, behind = np.maximum(rows - 1, 0), np.minimum(rows + 2, len(current) - 1)
    change = current[behind] - current[before]
    size = float(change @ change)
    return None if not size else -float(change @ (voltage[behind] - voltage[before])) / size


def in_step(current: Array, voltage: Array, resistance: float) -> tuple[Array, int]:
    """Return the current [A] with rows corrected whose voltage [V] tells of a neighbour's current, and their number.

    Cyclers that read current and voltage one after the other write such rows where the current is switched.
    """
    unexplained = np.diff(voltage) + resistance * np.diff(current)
    odd = np.abs(unexplained) > HALF * resistance * float(np.max(np.abs(current), initial=0.0))
    rows = np.flatnonzero(odd[:-1] & odd[1:] & (unexplained[:-1] * unexplained[1:] < 0)) + 1
    nearer = np.abs(voltage[rows] - voltage[rows - 1]) < np.abs(voltage[rows] - voltage[rows + 1])
    corrected = current.copy()
    corrected[rows] = np.where(nearer, current[rows - 1], current[rows + 1])
    return corrected, len(rows)
