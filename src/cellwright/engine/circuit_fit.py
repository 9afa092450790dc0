"""Equivalent circuits fitted to measured voltages: what is unknown, where the search begins, and how it goes on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag
from scipy.optimize import nnls

from cellwright.physics.bounded_least_squares import minimise
from cellwright.physics.equivalent_circuit import (
    Circuit,
    Course,
    between_rows,
    hats,
    pair_columns,
    response,
    state_of_charge,
    voltage,
)

Array = NDArray[np.float64]

MILLIVOLT = 1e-3
"""The residual [V] that weighs as much as a prior's standard deviation."""
FAINT = 1.0
"""Standard deviation of ln R and ln τ from knot to knot where nothing stronger is asked for: it decides where data do
not."""
FAINT_BEND = 0.1
"""Standard deviation [V] of the second difference of the open-circuit voltage from knot to knot, likewise."""
CANDIDATES = 12
"""Time constants of which the first ones are chosen."""
COARSE = 4
"""Knots of the resistances while these are chosen."""
SMALLEST, LARGEST = 1e-5, 10.0
"""Least and largest resistance at a knot, as fractions of the range of the voltage over the largest current."""
FASTEST, SLOWEST = 0.5, 1.0
"""Least time constant, in typical intervals between rows, and largest one, in durations of the longest measurement."""
ROUGH, FINE = 1e-3, 1e-5
"""Relative falls of the cost at which a stage of the search, and the last one, ends."""
MOST_STEPS = 60
SILENT = 1e6
"""Variance of a value at a knot that no row depends on."""


@dataclass(frozen=True, eq=False)
class CircuitData:
    """Measurements, one behind the other, and what is known beside them."""

    course: Course
    voltage: Array
    """Measured [V]."""
    initial_soc: Array
    """Of each measurement."""
    capacity: Array
    """Of each measurement [A.h]."""

    @property
    def soc(self) -> Array:
        """The state of charge of the rows."""
        return state_of_charge(self.course, self.initial_soc, self.capacity)

    def with_capacity(self, capacity: float) -> "CircuitData":
        """Return the data of a cell with this capacity [A.h]."""
        return replace(self, capacity=np.full(len(self.capacity), capacity))


@dataclass(frozen=True, eq=False)
class KnotPlan:
    """Where the knots are, and how closely neighbours are held together."""

    ocv: Array
    r0: Array
    pairs: Array
    schedule: tuple[int, ...]
    """How many knots of the time constants there are, stage by stage."""
    strength: float
    """Inverse standard deviation of the logarithms from knot to knot; 0: no prior but the faint one."""
    clamp: float | None
    """Largest ratio of the first and the last knot to their neighbours."""


@dataclass(frozen=True, eq=False)
class CircuitFit:
    """A fitted circuit."""

    circuit: Circuit
    data: CircuitData
    """With the capacity that was found."""
    model_voltage: Array
    covariance: Array
    """Of the open-circuit voltages [V] (if they were fitted), ln R₀, and of each pair ln R and ln τ, at their knots, by
    the data alone; more than a thousand where they say nothing. The last is that of the capacity [A.h], if it was
    fitted."""
    steps: int


def fit_circuit(
    data: CircuitData,
    plan: KnotPlan,
    pairs: int,
    ocv: Array | None = None,
    capacity_bounds: tuple[float, float] | None = None,
) -> CircuitFit:
    """Return the circuit of so many RC pairs that follows the measured voltage best.

    `ocv` [V] are known values at the knots of the open-circuit voltage; without them it is fitted, rising with the
    state of charge. With `capacity_bounds` [A.h] the capacity of all measurements is fitted too.

    Which time constants to begin with is chosen among all combinations of a few: for fixed ones the voltage is linear
    in everything else. Then all unknowns move at once, the time constants at few knots first and at more in the end.
    """
    circuit = first_circuit(data, plan, pairs, ocv)
    steps = 0
    stages = plan.schedule if pairs else plan.schedule[-1:]
    for number, knots in enumerate(stages):
        unknowns = Unknowns(data, plan, circuit, knots, ocv is None, capacity_bounds)
        last = number == len(stages) - 1
        found = minimise(
            unknowns.residuals, unknowns.normal, unknowns.start, *unknowns.bounds, FINE if last else ROUGH,
            MOST_STEPS if last else MOST_STEPS // 4,
        )  # fmt: skip
        circuit, data = unknowns.at(found.x)
        steps += found.steps
    circuit = circuit.by_time_constant()
    modelled = voltage(circuit, data.course, data.soc)
    return CircuitFit(
        circuit, data, modelled, _covariance(circuit, data, ocv is None, capacity_bounds is not None), steps
    )


def first_circuit(data: CircuitData, plan: KnotPlan, pairs: int, ocv: Array | None) -> Circuit:
    """Return the circuit of constant time constants, chosen among a few, whose voltage comes closest to the data."""
    course, soc = data.course, data.soc
    coarse = np.linspace(plan.pairs[0], plan.pairs[-1], min(COARSE, len(plan.pairs)))
    width = len(coarse)
    half = hats(between_rows(course, soc), coarse)
    series = course.current[:, None] * hats(soc, coarse)
    taus = np.geomspace(*_time_constants(course), CANDIDATES)
    drops: Array = np.hstack([series, *(pair_columns(course, half, tau) for tau in taus)]) if pairs else series
    known = hats(soc, plan.ocv, straight_on=True)
    wanted = data.voltage
    if ocv is None:
        bend = np.diff(np.eye(len(plan.ocv)), n=2, axis=0) * MILLIVOLT / FAINT_BEND
        known = np.vstack([known, bend])
        drops = np.vstack([drops, np.zeros((len(bend), drops.shape[1]))])
        wanted = np.concatenate([wanted, np.zeros(len(bend))])
        basis = np.linalg.qr(known)[0]
        beside, below = drops - basis @ (basis.T @ drops), wanted - basis @ (basis.T @ wanted)
    else:
        beside, below = drops, wanted - known @ ocv
    small: Array = np.asarray(np.linalg.qr(np.column_stack([-beside, below]), mode="r"))

    def places(some: tuple[int, ...]) -> list[int]:
        return [*range(width), *(width * (1 + one) + k for one in some for k in range(width))]

    tried = {some: nnls(small[:, places(some)], small[:, -1]) for some in combinations(range(CANDIDATES), pairs)}
    best = min(tried, key=lambda some: float(tried[some][1]))
    resistances = np.asarray(tried[best][0])
    if ocv is None:
        ocv = np.asarray(np.linalg.lstsq(known, wanted + drops[:, places(best)] @ resistances, rcond=None)[0])
    lowest, highest = _resistances(data)
    curves = np.clip(resistances.reshape(-1, width), 10 * lowest, highest)
    return Circuit(
        ocv_knots=plan.ocv,
        ocv=ocv,
        r0_knots=plan.r0,
        r0=np.interp(plan.r0, coarse, curves[0]),
        knots=plan.pairs,
        r=np.array([np.interp(plan.pairs, coarse, one) for one in curves[1:]]).reshape(pairs, len(plan.pairs)),
        tau=np.repeat(taus[list(best)][:, None], len(plan.pairs), axis=1),
    )


class Unknowns:
    """The unknowns x of a stage: linear combinations of the open-circuit voltages and of ln R₀, ln R and ln τ at knots.

    The open-circuit voltage is its first value and the rises from knot to knot, so that bounds keep it from falling;
    the first and the last knot of each other curve are their distances from the neighbours, so that bounds clamp them.
    """

    def __init__(
        self,
        data: CircuitData,
        plan: KnotPlan,
        circuit: Circuit,
        tau_knots: int,
        fits_ocv: bool,
        capacity_bounds: tuple[float, float] | None,
    ) -> None:
        self._data, self._plan, self._circuit = data, plan, circuit
        self._ocv, self._bounds = fits_ocv, capacity_bounds
        few = _spaced(plan.pairs, tau_knots)
        limits = np.log(_resistances(data)), np.log(_time_constants(data.course))
        blocks = [_Curve.series(circuit.r0, limits[0], plan.clamp)]
        for r, tau in zip(circuit.r, circuit.tau, strict=True):
            blocks.append(_Curve.series(r, limits[0], plan.clamp))
            coarse = np.exp(np.linalg.lstsq(hats(plan.pairs, few), np.log(tau), rcond=None)[0])
            blocks.append(_Curve.series(coarse, limits[1], plan.clamp).onto(hats(plan.pairs, few)))
        if fits_ocv:
            blocks.insert(0, _Curve.rising(circuit.ocv, data.voltage))
        self.map = block_diag(*(block.map for block in blocks))
        x = [block.start for block in blocks]
        lower, upper = [block.lower for block in blocks], [block.upper for block in blocks]
        self._priors = block_diag(*(block.prior(plan.strength) for block in blocks))
        if capacity_bounds is not None:
            x.append(np.array([float(np.clip(data.capacity[0], *capacity_bounds))]))
            lower.append(np.array(capacity_bounds[:1]))
            upper.append(np.array(capacity_bounds[1:]))
            self._priors = np.pad(self._priors, ((0, 0), (0, 1)))
        self.start, self.bounds = np.concatenate(x), (np.concatenate(lower), np.concatenate(upper))

    def at(self, x: Array) -> tuple[Circuit, CircuitData]:
        """Return the circuit and the data with the capacity at some values of the unknowns."""
        data = self._data
        if self._bounds is not None:
            x, data = x[:-1], data.with_capacity(float(x[-1]))
        values = self.map @ x
        old = self._circuit
        ocv, values = (values[: len(old.ocv)], values[len(old.ocv) :]) if self._ocv else (old.ocv, values)
        r0, values = np.exp(values[: len(old.r0)]), np.exp(values[len(old.r0) :])
        both = values.reshape(old.pairs, 2, -1) if old.pairs else np.zeros((0, 2, len(old.knots)))
        return replace(old, ocv=ocv, r0=r0, r=both[:, 0], tau=both[:, 1]), data

    def residuals(self, x: Array) -> Array:
        """Return the residuals in millivolts, and those of the priors."""
        circuit, data = self.at(x)
        difference = voltage(circuit, data.course, data.soc) - data.voltage
        return np.concatenate([difference / MILLIVOLT, self._priors @ x])

    def normal(self, x: Array) -> tuple[Array, Array]:
        """Return Jᵀr and JᵀJ of the residuals r and their Jacobian J."""
        circuit, data = self.at(x)
        sized = self._bounds is not None
        modelled, columns = _derivatives(circuit, data, self._ocv, sized)
        pull = columns.T @ ((modelled - data.voltage) / MILLIVOLT**2)
        curvature = columns.T @ columns / MILLIVOLT**2
        whole = block_diag(self.map, 1.0) if sized else self.map
        priors = self._priors
        return whole.T @ pull + priors.T @ (priors @ x), whole.T @ curvature @ whole + priors.T @ priors


@dataclass(frozen=True, eq=False)
class _Curve:
    """The unknowns of one curve: the map to its values at knots, where they start, bounds, differences for a prior."""

    map: Array
    start: Array
    lower: Array
    upper: Array
    differences: Array
    logarithmic: bool = True

    @classmethod
    def series(cls, values: Array, limits: Array, clamp: float | None) -> "_Curve":
        """Return the curve of the logarithms of positive values; ends are distances where they are clamped."""
        logs, count = np.log(values), len(values)
        identity = np.eye(count)
        lower, upper = np.full(count, limits[0]), np.full(count, limits[1])
        step = np.diff(identity, axis=0)
        if clamp is None or count < 3:
            return cls(identity, np.clip(logs, lower, upper), lower, upper, step)
        matrix = identity.copy()
        matrix[0, 1] = matrix[-1, -2] = 1
        ends = [0, -1]
        lower[ends], upper[ends] = -np.log(clamp), np.log(clamp)
        start = np.linalg.solve(matrix, np.clip(logs, *limits))
        return cls(matrix, np.clip(start, lower, upper), lower, upper, step @ matrix)

    @classmethod
    def rising(cls, values: Array, measured: Array) -> "_Curve":
        """Return the curve of values that do not fall: the first one, and rises."""
        count = len(values)
        matrix = np.tril(np.ones((count, count)))
        room = float(np.ptp(measured)) + 0.5
        lower, upper = np.zeros(count), np.full(count, room)
        lower[0], upper[0] = float(measured.min()) - room, float(measured.max()) + room
        start = np.concatenate([values[:1], np.diff(values)])
        bend = np.diff(np.eye(count), n=2, axis=0) @ matrix
        return cls(matrix, np.clip(start, lower, upper), lower, upper, bend, logarithmic=False)

    def onto(self, weights: Array) -> "_Curve":
        """Return the curve with its logarithms spread linearly over further knots."""
        return replace(self, map=weights @ self.map)

    def prior(self, strength: float) -> Array:
        """Return the rows whose squares are the prior, in standard deviations."""
        return np.asarray(self.differences * (np.hypot(strength, 1 / FAINT) if self.logarithmic else 1 / FAINT_BEND))


def knot_plan(
    soc: Array,
    *,
    knots: int,
    r0_knots: int,
    ocv_knots: int,
    schedule: Sequence[int] | None,
    strength: float,
    clamp: float | None,
) -> KnotPlan:
    """Return knots that are evenly spread over the states of charge that the data visit."""
    low, high = float(soc.min()), float(soc.max())
    if schedule is None:
        schedule = [*(2**power for power in range(6) if 2**power < knots), knots]
    return KnotPlan(
        _even(low, high, ocv_knots),
        _even(low, high, r0_knots),
        _even(low, high, knots),
        tuple(schedule),
        strength,
        clamp,
    )


def _even(low: float, high: float, count: int) -> Array:
    return np.array([(low + high) / 2]) if count == 1 else np.linspace(low, high, count)


def _spaced(knots: Array, count: int) -> Array:
    return knots if count == len(knots) else _even(float(knots[0]), float(knots[-1]), count)


def _derivatives(circuit: Circuit, data: CircuitData, fits_ocv: bool, sized: bool) -> tuple[Array, Array]:
    """Return the voltage [V] and its derivatives by open-circuit voltages, ln R₀, and ln R and ln τ of each pair.

    The last column is that by the capacity [A.h] of all measurements, if it is fitted.
    """
    moved = data.course.charge / data.capacity[0] ** 2 if sized else None
    answer = response(circuit, data.course, data.soc, moved)
    columns = [answer.ocv] if fits_ocv else []
    columns.append(answer.r0 * circuit.r0)
    for by_alpha, by_beta, alpha, beta in zip(answer.alpha, answer.beta, circuit.alpha, circuit.beta, strict=True):
        by_r = by_alpha * alpha
        columns += [by_r, -by_r - by_beta * beta]
    if sized:
        columns.append(answer.moved[:, None])
    return answer.voltage, np.asfortranarray(np.concatenate(columns, axis=1))


def _covariance(circuit: Circuit, data: CircuitData, fits_ocv: bool, sized: bool) -> Array:
    """Return the covariance of the values at knots by the scatter of the residuals; infinite where data say nothing."""
    modelled, J = _derivatives(circuit, data, fits_ocv, sized)
    residual = modelled - data.voltage
    variance = float(residual @ residual) / max(len(residual) - J.shape[1], 1)
    lengths = np.linalg.norm(J, axis=0)
    silent = lengths < 1e-9 * float(lengths.max())
    lengths[silent] = 1
    J = J / lengths
    values, vectors = np.linalg.eigh(J.T @ J)
    values = np.maximum(values, 1e-12 * values[-1])
    covariance = variance * (vectors / values) @ vectors.T / np.outer(lengths, lengths)
    covariance[np.diag_indices_from(covariance)] += np.where(silent, SILENT, 0.0)
    return np.asarray(covariance)


def _time_constants(course: Course) -> tuple[float, float]:
    """Return the least and the largest time constant [s] that the data can tell of."""
    intervals = course.interval[course.interval > 1e-5]
    ends = np.append(course.starts[1:], course.rows) - 1
    longest = float(np.max(course.time[ends] - course.time[course.starts]))
    lowest = FASTEST * float(np.quantile(intervals, 0.1)) if len(intervals) else longest / 10
    return lowest, max(SLOWEST * longest, 2 * lowest)


def _resistances(data: CircuitData) -> tuple[float, float]:
    """Return the least and the largest resistance [Ohm] that is looked for."""
    typical = float(np.ptp(data.voltage)) / float(np.max(np.abs(data.course.current)))
    return SMALLEST * typical, LARGEST * typical
