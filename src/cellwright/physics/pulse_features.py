"""Features of pulses: what the voltage tells of each, the same of a model as of a measurement.

Each function returns `PulseFeatures` for the rows of one measurement: a function from the voltage at all rows to one
value for each pulse. All but the relaxation time are weighted sums of rows, so that they are evaluated for all pulses
at once. Current is positive on discharge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cellwright.errors import DataError
from cellwright.physics.pulses import Array, Mask, Pulses, Rows

FEWEST = 3
"""Rows that a line over the square root of time needs: with two it would go through any."""
OHMIC_DROP = "Ohmic drop [V]"
CONCENTRATION = "Concentration overpotential [V]"
GITT_SLOPE, ICI_SLOPE = "GITT slope [V.s-0.5]", "ICI slope [V.s-0.5]"
RELAXATION = "Relaxation time [s]"

Window = tuple[float, float | None]
"""A stretch of time [s] since the current was switched; None: to the end of the pulse or of the rest."""


@dataclass(frozen=True)
class Relaxations:
    """How long the voltage takes in each rest to come to all but 1/e of its way to the end of the rest.

    The way begins with the row `first` and ends with the row before `end`.
    """

    time: Array
    first: Rows
    end: Rows

    def __call__(self, voltage: Array) -> Array:
        """Return the times [s]; NaN where the voltage does not move, or is not known to the end."""
        rows = _ranges(self.first, self.end)
        begins = np.concatenate([[0], np.cumsum(self.end - self.first)[:-1]])
        counts = self.end - self.first
        begun, last = voltage[self.first], voltage[self.end - 1]
        with np.errstate(invalid="ignore", divide="ignore"):
            left = (voltage[rows] - np.repeat(last, counts)) / np.repeat(begun - last, counts)
        reached = np.where(left <= np.exp(-1), np.arange(len(rows)), len(rows))
        place = np.minimum.reduceat(reached, begins)
        there = (place < len(rows)) & (place > begins) & np.isfinite(begun - last)
        at = np.where(there, place, begins + 1)
        part = (left[at - 1] - np.exp(-1)) / (left[at - 1] - left[at])
        when = self.time[rows[at - 1]] + part * (self.time[rows[at]] - self.time[rows[at - 1]])
        return np.where(there, when - self.time[self.first], np.nan)

    @property
    def rows(self) -> Rows:
        """The rows that are looked at."""
        return _ranges(self.first, self.end)


@dataclass(frozen=True)
class PulseFeatures:
    """Features of the pulses of a measurement, as a function of the voltage at all its rows."""

    pulses: Pulses
    """Those that have the rests which the features need."""
    sums: Mapping[str, Any]
    """Of each feature the weights of the rows: a sparse array (pulses, rows)."""
    relaxations: Relaxations | None = None

    def __call__(self, voltage: Array) -> dict[str, Array]:
        """Return each feature, by name, as an array over the pulses; `voltage` [V] of all rows."""
        features = {name: np.asarray(weights @ voltage) for name, weights in self.sums.items()}
        return features if self.relaxations is None else features | {RELAXATION: self.relaxations(voltage)}

    @cached_property
    def rows(self) -> Rows:
        """The rows that the features are made of, in order; all others may be anything."""
        used = [weights.indices for weights in self.sums.values()]
        return np.unique(np.concatenate([*used, *([self.relaxations.rows] if self.relaxations is not None else [])]))


@dataclass(frozen=True)
class FeaturesOfRows:
    """The features of pulses, from a simulation that was evaluated at their rows alone."""

    features: PulseFeatures
    count: int
    """The number of all rows."""

    def __call__(self, outputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return the features by name, from the simulated `Voltage [V]`."""
        voltage = np.zeros(self.count)
        voltage[self.features.rows] = outputs["Voltage [V]"]
        return self.features(voltage)


def overpotentials(pulses: Pulses, time: Array, times: Sequence[float] = ()) -> PulseFeatures:
    """Return the overpotentials [V]: V less the voltage of the last row of the rest before the pulse.

    They are those of the row in which the current has been reached, of times [s] after the switch (interpolated between
    rows), and of the last row of the pulse; negative on discharge. The open-circuit voltage that the pulse itself
    moves is a part of them.

    Raises: `DataError` without a rest before a pulse, and for times outside a pulse.
    """
    pulses = _with(pulses, pulses.rested, "before")
    before = _rows_of(pulses.start - 1, len(time))
    names = ["Instantaneous overpotential [V]", *(f"Overpotential after {t:g} s [V]" for t in times)]
    return PulseFeatures(
        pulses,
        {
            name: at - before
            for name, at in zip([*names, "Overpotential at pulse end [V]"], _points(pulses, time, times), strict=True)
        },
    )


def resistances(pulses: Pulses, time: Array, current: Array, times: Sequence[float] = ()) -> PulseFeatures:
    """Return the resistances [Ohm]: R = -(V - V_0) / (I - I_0), with V_0 and I_0 the last row before the pulse.

    They are those of the row in which the current has been reached, of times [s] after the switch (interpolated between
    rows), and of the last row of the pulse. `current` [A] is the measured one, for the model too.

    Raises: `DataError` without a rest before a pulse, and for times outside a pulse.
    """
    pulses = _with(pulses, pulses.rested, "before")
    before = _rows_of(pulses.start - 1, len(time))
    names = ["Instantaneous resistance [Ohm]", *(f"Resistance after {t:g} s [Ohm]" for t in times)]
    return PulseFeatures(
        pulses,
        {
            name: _scaled(at - before, -1 / (at @ current - before @ current))
            for name, at in zip([*names, "Resistance at pulse end [Ohm]"], _points(pulses, time, times), strict=True)
        },
    )


def ici_features(pulses: Pulses, time: Array, rest_window: Window) -> PulseFeatures:
    """Return the features of the interruption of a current: slope and concentration overpotential.

    V = a + b √(t - t_off) is fitted to the rows of the rest that lie in a window [s] after the interruption; b is the
    slope [V.s-0.5], positive after a discharge, and a - V_end the concentration overpotential [V], negative after a
    discharge, with V_end the last row of the rest: what a longer rest would still have moved is not in it.

    Raises: `DataError` without a rest after a pulse, and where fewer than three rows are in the window.

    Source: Chien, Liu, Menon, Brant, Brandell & Lacey, Nat. Commun. 14 (2023) 2289, doi:10.1038/s41467-023-37989-6.
    """
    pulses = _with(pulses, pulses.interrupted, "after")
    intercept, slope = _relaxing(pulses, time, rest_window)
    last = _rows_of(pulses.end - 1, len(time))
    return PulseFeatures(pulses, {CONCENTRATION: intercept - last, ICI_SLOPE: slope})


def gitt_features(pulses: Pulses, time: Array, pulse_window: Window, rest_window: Window) -> PulseFeatures:
    """Return the features of a titration: drop, slopes over the square root of time, relaxation.

    V = a + b √(t - t_on) is fitted to the rows of the pulse that lie in a window [s] after the switch; b is the GITT
    slope [V.s-0.5], negative on discharge, and V_0 - a the ohmic drop [V], positive on discharge, with V_0 the last row
    before the pulse. The slope and the concentration overpotential of the rest are those of `ici_features`. The
    relaxation time [s] is how long the voltage takes from the first row in the window of the rest to come to all but
    1/e of its way to the last one: the time constant of an exponential in a long rest, whenever it is looked at.

    Raises: `DataError` without rests before and after a pulse, and where fewer than three rows are in a window.

    Source: Weppner & Huggins, J. Electrochem. Soc. 124 (1977) 1569, doi:10.1149/1.2133112.
    """
    pulses = _with(pulses, pulses.rested & pulses.interrupted, "before and after")
    begun, slope = _root_lines(pulses, time, pulses.on, pulses.start, pulses.stop, pulse_window, "pulse")
    intercept, relaxing = _relaxing(pulses, time, rest_window)
    last = _rows_of(pulses.end - 1, len(time))
    first = np.searchsorted(time, pulses.off + rest_window[0] * (1 - 1e-9))
    return PulseFeatures(
        pulses,
        {
            OHMIC_DROP: _rows_of(pulses.start - 1, len(time)) - begun,
            GITT_SLOPE: slope,
            CONCENTRATION: intercept - last,
            ICI_SLOPE: relaxing,
        },
        Relaxations(time, np.maximum(first, pulses.stop), pulses.end),
    )


def _with(pulses: Pulses, mask: Mask, where: str) -> Pulses:
    """Return the pulses that have the rests which are needed."""
    if not mask.any():
        raise DataError(
            f"no pulse of {len(pulses)} has a rest {where} it",
            hint="keep the rests in the data, or compare the voltage: {'objective variables': 'voltage'}",
        )
    return pulses.where(mask)


def _rows_of(rows: Rows, count: int) -> Any:
    """Return the weights (pulses, count) that pick one row for each pulse."""
    return _sparse(np.arange(len(rows)), rows, np.ones(len(rows)), (len(rows), count))


def _sparse(pulse: Rows, row: Rows, weights: Array, shape: tuple[int, int]) -> Any:
    from scipy.sparse import csr_array  # slow to import

    return csr_array((weights, (pulse, row)), shape=shape)


def _scaled(weights: Any, factors: Array) -> Any:
    from scipy.sparse import diags_array

    return (diags_array(factors) @ weights).tocsr()


def _points(pulses: Pulses, time: Array, times: Sequence[float]) -> list[Any]:
    """Return the weights of the first row at full current, of the times after the switch and of the last row."""
    inner = [_interpolated(pulses, time, after) for after in times]
    return [_rows_of(pulses.full, len(time)), *inner, _rows_of(pulses.stop - 1, len(time))]


def _interpolated(pulses: Pulses, time: Array, after: float) -> Any:
    when = pulses.on + after
    slack = 1e-9 * np.abs(time).max()
    outside = np.flatnonzero((when < time[pulses.full] - slack) | (when > time[pulses.stop - 1] + slack))
    if outside.size:
        one = int(outside[0])
        from_, to = time[pulses.full[one]] - pulses.on[one], time[pulses.stop[one] - 1] - pulses.on[one]
        raise DataError(
            f"pulse {pulses.numbers[one]} has rows from {from_:g} to {to:g} s after its beginning, and {after:g} s is "
            f"not among them",
            hint="choose other 'times'",
        )
    right = np.clip(np.searchsorted(time, when), pulses.full + 1, np.maximum(pulses.stop - 1, pulses.full + 1))
    right = np.minimum(right, len(time) - 1)
    left = right - 1
    part = np.clip((when - time[left]) / (time[right] - time[left]), 0.0, 1.0)
    index = np.arange(len(pulses))
    shape = (len(pulses), len(time))
    return _sparse(np.tile(index, 2), np.concatenate([left, right]), np.concatenate([1 - part, part]), shape)


def _relaxing(pulses: Pulses, time: Array, window: Window) -> tuple[Any, Any]:
    return _root_lines(pulses, time, pulses.off, pulses.stop, pulses.end, window, "rest after pulse")


def _root_lines(
    pulses: Pulses, time: Array, zero: Array, first: Rows, stop: Rows, window: Window, said: str
) -> tuple[Any, Any]:
    """Return the weights (pulses, rows) of intercept and slope of least-squares lines over the square root of time."""
    low, high = window[0], np.inf if window[1] is None else window[1]
    shape = (len(pulses), len(time))
    chosen = _ranges(first, stop)
    pulse = np.repeat(np.arange(len(pulses)), stop - first)
    elapsed = time[chosen] - zero[pulse]
    slack = 1e-9 * float(np.abs(time).max())
    inside = (elapsed >= low - slack) & (elapsed <= high + slack) & (chosen >= first[pulse])
    chosen, pulse, root = chosen[inside], pulse[inside], np.sqrt(np.maximum(elapsed[inside], 0.0))
    counts = np.bincount(pulse, minlength=len(pulses))
    few = np.flatnonzero(counts < FEWEST)
    if few.size:
        one = int(few[0])
        to = "its end" if np.isinf(high) else f"{high:g} s"
        raise DataError(
            f"{said} {pulses.numbers[one]} has too few rows ({counts[one]}) between {low:g} s and {to}: a line over "
            f"the square root of time needs {FEWEST}",
            hint=f"choose another {'pulse_window' if said == 'pulse' else 'rest_window'!r}, or data of more rows",
        )
    mean = np.bincount(pulse, root) / counts
    away = root - mean[pulse]
    spread = np.bincount(pulse, away**2)
    slope = away / spread[pulse]
    intercept = 1 / counts[pulse] - mean[pulse] * slope
    return _sparse(pulse, chosen, intercept, shape), _sparse(pulse, chosen, slope, shape)


def _ranges(first: Rows, stop: Rows) -> Rows:
    """Return all rows of some half-open stretches, one after the other."""
    counts = stop - first
    offsets = np.repeat(first - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    return np.asarray(np.arange(int(counts.sum())) + offsets)
