"""Equivalent circuits over measured currents: voltages of RC pairs and their slopes, in closed form step by step.

V = OCV(z) - I R₀(z) - Σ_k v_k, dv_k/dt = -β_k(z) v_k + α_k(z) I, z = z₀ - q / Q, with the current I [A] positive in
discharge, the state of charge z [-], the charge q [A.h] that was taken out and the capacity Q [A.h]; the time constant
of a pair is τ = 1/β [s], its resistance R = α/β [Ohm], its capacitance C = 1/α [F]. OCV, R₀, α and β are linear between
knots in z. Beyond the knots the OCV goes straight on, and R₀, α and β stay as they are at the last knot.

Source: Plett, Battery Management Systems, vol. 1 (2015), ch. 2.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dtbtrs

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

STEADY, JUMP = 0.02, 0.1
"""Changes of the current, as fractions of the largest: up to the one it is steady, from the other on it jumps."""
SERIES = 1e-3
"""Products of a rate and a time below which their exponentials are written as series."""


@dataclass(frozen=True, eq=False)
class Course:
    """The currents of some measurements, one behind the other; the pairs are at rest where each begins.

    Between two rows the current is linear. Where it jumps from one steady value to another it jumps right behind the
    earlier row, since a cycler tells the beginning of its steps.
    """

    time: Array
    """Times [s]; within a measurement they increase."""
    current: Array
    """Currents of the rows [A]."""
    starts: Rows
    """The first row of each measurement."""

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.time)

    @cached_property
    def segment(self) -> Rows:
        """The measurement that each row belongs to."""
        return np.searchsorted(self.starts, np.arange(self.rows), side="right") - 1

    @cached_property
    def interval(self) -> Array:
        """The time [s] since the row before, 0 in the first row of a measurement."""
        interval = np.diff(self.time, prepend=self.time[0])
        interval[self.starts] = 0
        return interval

    @cached_property
    def jumps(self) -> NDArray[np.bool_]:
        """Whether the current goes from one steady value to another in the interval before each row."""
        before = np.concatenate([self.current[:1], self.current[:-1]])
        change = np.abs(self.current - before)
        change[self.starts] = 0
        largest = float(np.max(np.abs(self.current), initial=0.0))
        steady = change <= STEADY * largest
        around = np.append(steady[1:], True) & np.concatenate([[True], steady[:-1]])
        return np.asarray((change >= JUMP * largest) & around)

    @cached_property
    def ends(self) -> tuple[Array, Array]:
        """The currents [A] at the beginning and at the end of the interval before each row."""
        before = np.concatenate([self.current[:1], self.current[:-1]])
        return np.where(self.jumps, self.current, before), self.current

    @cached_property
    def charge(self) -> Array:
        """The charge [A.h] taken out since the first row of each measurement."""
        first, last = self.ends
        total = np.cumsum(self.interval * (first + last) / 2) / 3600
        return np.asarray(total - total[self.starts][self.segment])


@dataclass(frozen=True, eq=False)
class Circuit:
    """An equivalent circuit whose elements are linear between knots in the state of charge.

    `ocv` [V] over `ocv_knots`, `r0` [Ohm] over `r0_knots`, and of each pair `r` [Ohm] and `tau` [s] at `knots`
    (pairs, knots); between these α = r / tau and β = 1 / tau are linear.
    """

    ocv_knots: Array
    ocv: Array
    r0_knots: Array
    r0: Array
    knots: Array
    r: Array
    tau: Array

    @property
    def pairs(self) -> int:
        """The number of RC pairs."""
        return len(self.r)

    @property
    def alpha(self) -> Array:
        """α = r / τ = 1 / C [F-1] at the knots."""
        return self.r / self.tau

    @property
    def beta(self) -> Array:
        """β = 1 / τ [s-1] at the knots."""
        return 1 / self.tau

    def ocv_at(self, soc: Array) -> Array:
        """Return the open-circuit voltage [V]."""
        if len(self.ocv) == 1:
            return np.full(len(soc), self.ocv[0])
        left, share = _place(soc, self.ocv_knots)
        return np.asarray((1 - share) * self.ocv[left] + share * self.ocv[left + 1])

    def r0_at(self, soc: Array) -> Array:
        """Return the series resistance [Ohm]."""
        return np.asarray(np.interp(soc, self.r0_knots, self.r0))

    def pair_at(self, number: int, soc: Array) -> tuple[Array, Array]:
        """Return the resistance [Ohm] and the time constant [s] of a pair."""
        alpha, beta = (np.interp(soc, self.knots, of[number]) for of in (self.alpha, self.beta))
        return alpha / beta, 1 / beta

    def by_time_constant(self) -> "Circuit":
        """Return the circuit with the fastest pair first."""
        order = np.argsort(np.mean(np.log(self.tau), axis=1), kind="stable")
        return replace(self, r=self.r[order], tau=self.tau[order])


@dataclass(frozen=True, eq=False)
class Response:
    """The voltage [V] of a circuit over a course, and its derivatives (rows, values at knots)."""

    voltage: Array
    ocv: Array
    """By the open-circuit voltage."""
    r0: Array
    """By the series resistance."""
    alpha: list[Array]
    """By α of each pair."""
    beta: list[Array]
    """By β of each pair."""
    moved: Array
    """By what moves the state of charge, (rows)."""


def hats(at: Array, knots: Array, straight_on: bool = False) -> Array:
    """Return the weights (points, knots) with which values at knots make up a function that is linear between them.

    Beyond the knots it is constant, or goes straight on.
    """
    weights = np.zeros((len(at), len(knots)), order="F")
    if len(knots) == 1:
        weights[:, 0] = 1
        return weights
    if not straight_on:
        at = np.clip(at, knots[0], knots[-1])
    left, share = _place(at, knots)
    rows = np.arange(len(at))
    weights[rows, left], weights[rows, left + 1] = 1 - share, share
    return weights


def _place(at: Array, knots: Array) -> tuple[Rows, Array]:
    """Return the knot on the left of each point, the last but one at most, and how far it is to the next one [-]."""
    left = np.clip(np.searchsorted(knots, at, side="right") - 1, 0, len(knots) - 2)
    return left, (at - knots[left]) / (knots[left + 1] - knots[left])


def state_of_charge(course: Course, initial: Array, capacity: Array) -> Array:
    """Return z₀ - q / Q at each row, from the initial states of charge and the capacities [A.h] of the measurements."""
    return np.asarray(initial[course.segment] - course.charge / capacity[course.segment])


def between_rows(course: Course, soc: Array) -> Array:
    """Return the states of charge halfway between each row and the one before, within its measurement."""
    before = np.concatenate([soc[:1], soc[:-1]])
    before[course.starts] = soc[course.starts]
    return np.asarray((soc + before) / 2)


def voltage(circuit: Circuit, course: Course, soc: Array) -> Array:
    """Return the voltage [V] of a circuit over a course."""
    half = between_rows(course, soc)
    total = circuit.ocv_at(soc) - course.current * circuit.r0_at(soc)
    for alpha, beta in zip(circuit.alpha, circuit.beta, strict=True):
        decay, drive, _ = _step(course, np.interp(half, circuit.knots, beta))
        total -= _recursion(decay, (np.interp(half, circuit.knots, alpha) * drive)[:, None])[:, 0]
    return np.asarray(total)


def soc_at_voltage(circuit: Circuit, volts: float, current: float) -> float:
    """Return the state of charge between 0 and 1 at which OCV(z) - I R₀(z) is a voltage [V] under a current [A]."""
    soc = np.union1d(np.linspace(0, 1, 1001), circuit.ocv_knots)
    soc = soc[(soc >= 0) & (soc <= 1)]
    rising = np.maximum.accumulate(circuit.ocv_at(soc) - current * circuit.r0_at(soc))
    return float(np.interp(volts, rising, soc))


def response(circuit: Circuit, course: Course, soc: Array, moved: Array | None = None) -> Response:
    """Return the voltage [V] of a circuit over a course, with its derivatives by all values at knots.

    `moved` is the derivative of the state of charge at the rows by something of interest, such as the capacity. With
    the decay a = e^(-βh) and the drive u of a step, v_i = a_i v_(i-1) + α_i u_i; the derivatives of v follow
    the same recursion, by α driven by u_i, by β driven by a'_i v_(i-1) + α_i u'_i.
    """
    half = between_rows(course, soc)
    weights = hats(half, circuit.knots)
    moved = np.zeros(course.rows) if moved is None else moved
    half_moved = between_rows(course, moved)
    ocv = hats(soc, circuit.ocv_knots, straight_on=True)
    r0 = -course.current[:, None] * hats(soc, circuit.r0_knots)
    total = ocv @ circuit.ocv + r0 @ circuit.r0
    slope = _slope(circuit.ocv_knots, circuit.ocv, soc, straight_on=True)
    by_moved = moved * (slope - course.current * _slope(circuit.r0_knots, circuit.r0, soc))
    by_alpha, by_beta = [], []
    for alpha, beta in zip(circuit.alpha, circuit.beta, strict=True):
        decay, drive, drive_slope = _step(course, weights @ beta)
        strength = weights @ alpha
        v = _recursion(decay, (strength * drive)[:, None])[:, 0]
        before = np.concatenate([[0.0], v[:-1]])
        pushed = strength * drive_slope - course.interval * decay * before
        slopes = _slope(circuit.knots, alpha, half) * drive + _slope(circuit.knots, beta, half) * pushed
        driven = np.empty((course.rows, 2 * len(alpha) + 1), order="F")
        driven[:, : len(alpha)] = weights * -drive[:, None]
        driven[:, len(alpha) : -1] = weights * -pushed[:, None]
        driven[:, -1] = -slopes * half_moved
        together = _recursion(decay, driven)
        by_alpha.append(together[:, : len(alpha)])
        by_beta.append(together[:, len(alpha) : -1])
        by_moved = by_moved + together[:, -1]
        total -= v
    return Response(np.asarray(total), ocv, r0, by_alpha, by_beta, np.asarray(by_moved))


def pair_columns(course: Course, weights: Array, tau: float) -> Array:
    """Return the voltages [V] (rows, columns) of pairs of one time constant, each with a resistance [Ohm] of its own.

    `weights` (rows, columns) are these resistances at the intervals before the rows.
    """
    decay, drive, _ = _step(course, np.full(course.rows, 1 / tau))
    return _recursion(decay, weights * (drive / tau)[:, None])


def _step(course: Course, beta: Array) -> tuple[Array, Array, Array]:
    """Return of the interval before each row its decay, its drive, and the slope of the drive by β.

    The decay is e^(-βh), the drive ∫ e^(-β(h-s)) I(s) ds over the interval h [s]. With a current that goes from I₀ to
    I₁ the drive is I₀ A + (I₁ - I₀) B, A = (1 - e^(-x)) / β and B = (1 - A / h) / β with x = βh.
    """
    h = course.interval
    x = beta * h
    decay = np.exp(-x)
    small = x < SERIES
    safe = np.where(small, 1.0, x)
    gone = -np.expm1(-safe)
    full = np.where(small, 1 - x / 2 + x**2 / 6 - x**3 / 24, gone / safe)
    full_slope = np.where(small, -1 / 2 + x / 3 - x**2 / 8, (safe * np.exp(-safe) - gone) / safe**2)
    ramp = np.where(small, 1 / 2 - x / 6 + x**2 / 24 - x**3 / 120, (1 - gone / safe) / safe)
    ramp_slope = np.where(small, -1 / 6 + x / 12 - x**2 / 40, (2 * gone / safe - np.exp(-safe) - 1) / safe**2)
    first, last = course.ends
    change = last - first
    decay[course.starts] = 0
    return decay, h * (first * full + change * ramp), h**2 * (first * full_slope + change * ramp_slope)


def _recursion(decay: Array, driven: Array) -> Array:
    """Return v_i = decay_i v_(i-1) + driven_i for every column, decay being 0 where a measurement begins."""
    bands = np.ones((2, len(decay)), order="F")
    bands[1, :-1] = -decay[1:]
    bands[1, -1] = 0
    solved, _ = dtbtrs(bands, driven, uplo="L", diag="U", overwrite_b=True)
    return np.asarray(solved)


def _slope(knots: Array, values: Array, at: Array, straight_on: bool = False) -> Array:
    if len(knots) == 1:
        return np.zeros(len(at))
    left, _ = _place(at, knots)
    inside = straight_on | ((at >= knots[0]) & (at <= knots[-1]))
    return np.where(inside, (np.diff(values) / np.diff(knots))[left], 0.0)
