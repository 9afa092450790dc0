"""Equivalent circuits from measurements: fit one, look at it, validate it, hand it to a pipeline (`cw.ecm`)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cellwright.engine.circuit_fit import CircuitData, CircuitFit, KnotPlan, fit_circuit, knot_plan
from cellwright.engine.circuit_measurements import Trace, joined
from cellwright.errors import ConfigurationError, DataError
from cellwright.physics.equivalent_circuit import Course, hats, soc_at_voltage
from cellwright.schema.ecm import CapacityBounds, ECMFitOptions, ECMMeasurement, OCVCurve
from cellwright.service.ecm_results import ECMFit, ECMValidation, RCPair, read_trace

__all__ = ["CapacityBounds", "ECMFit", "ECMMeasurement", "ECMValidation", "OCVCurve", "RCPair", "fit", "validate"]

Array = NDArray[np.float64]

KNOTS, OCV_KNOTS = 12, 32
"""Knots of the resistances and of the open-circuit voltage for the whole range of states of charge."""
LOOSE, LOOSE_OCV = 0.5, 0.02
"""Standard error, relative and in V, above which a value is not determined."""
SPARSE = 1 / 3
"""Fraction of all curves that may stay undetermined before fewer knots are recommended."""
NARROW = 0.05
"""Visited range of states of charge below which curves are hardly functions of it."""
PRIOR_FULL = 5.0
"""Standard deviation of logarithms from knot to knot with a regularization of 1."""
BLURRED = 0.2
"""Share of its way that the fastest pair goes between the rows beside a switch from which on that is told."""
RESTLESS = 5e-3
"""Voltage [V] by which a rest in the beginning may drift."""


def fit(measurements: Any, **options: Any) -> ECMFit:
    """Return the equivalent circuit that follows one or several measurements best.

    A measurement is data as objectives take them, or an `ECMMeasurement` with the steps to take, the state of charge at
    its beginning and the capacity; several are fitted together, each beginning at rest. The options are the fields of
    `ECMFitOptions`: how many RC pairs, with which knots, a known open-circuit voltage, the capacity.

    Raises: `ConfigurationError` for options that do not go together, `DataError` for data that cannot be right, each
    with the place of the measurement.
    """
    many = isinstance(measurements, Sequence) and not isinstance(measurements, str)
    chosen = ECMFitOptions(**options)
    given = [ECMMeasurement.of(one) for one in (measurements if many else [measurements])]
    if not given:
        raise ConfigurationError("there is no measurement to fit", at=("measurements",))
    if len({one.capacity is None for one in given}) > 1:
        raise ConfigurationError(
            "some measurements have a capacity and some have none", hint="give all of them one, or none"
        )
    traces = [read_trace(one, number) for number, one in enumerate(given)]
    told = list(_remarks(traces))
    curve = chosen.ocv_soc_curve
    columns = _columns(chosen, traces)
    capacity = _capacity(chosen, given, traces, told)
    data = joined(given, traces, capacity, curve)
    if curve is None and given[0].initial_soc is None:
        told.append("nothing says in which state of charge the measurement begins: its fullest row is taken to be full")
    fits_ocv = curve is None and columns is None
    plan = _plan(chosen, data, fits_ocv, told)
    known = None if curve is None else np.array(curve.ocv)
    if columns is not None:
        known = np.linalg.lstsq(hats(data.soc, plan.ocv, straight_on=True), columns, rcond=None)[0]
    bounds = (chosen.bounds_capacity.lo, chosen.bounds_capacity.hi) if chosen.bounds_capacity else None
    found = _search(data, plan, chosen.num_rcs, known, bounds)
    sought = [
        curve is not None and one.initial_soc is None and of.loaded for one, of in zip(given, traces, strict=True)
    ]
    if any(sought):
        starts = [
            soc_at_voltage(found.circuit, float(trace.voltage[0]), float(trace.current[0])) if again else float(before)
            for trace, again, before in zip(traces, sought, data.initial_soc, strict=True)
        ]
        found = _search(replace(found.data, initial_soc=np.array(starts)), plan, chosen.num_rcs, known, bounds)
    return _result(found, fits_ocv, bounds, told)


def validate(fit_results: ECMFit | Mapping[str, Any], measurement: Any, **options: Any) -> ECMValidation:
    """Return how a circuit follows a measurement; the circuit may be the document of a fit. See `ECMFit.validate`."""
    circuit = fit_results if isinstance(fit_results, ECMFit) else ECMFit.from_dict(fit_results)
    return circuit.validate(measurement, **options)


def _search(
    data: CircuitData, plan: KnotPlan, pairs: int, ocv: Array | None, bounds: tuple[float, float] | None
) -> CircuitFit:
    with threadpool_limits(limits=1, user_api="blas"):  # threads wait for each other longer than these matrices take
        return fit_circuit(data, plan, pairs, ocv, bounds)


def _remarks(traces: Sequence[Trace]) -> Iterator[str]:
    corrected = sum(trace.corrected for trace in traces)
    if corrected:
        yield f"{corrected} rows, whose voltage tells of the current of the row beside them, were given that current"
    restless = [str(number) for number, trace in enumerate(traces) if trace.drift > RESTLESS]
    if restless:
        yield (
            f"the voltage still moves in the rest in which measurement {', '.join(restless)} begins, and the pairs are "
            "taken to be at rest there: let it begin later, or earlier"
        )


def _columns(options: ECMFitOptions, traces: Sequence[Trace]) -> Array | None:
    """Return the open-circuit voltages [V] of all rows where they are used: known in the data, and not to be fitted."""
    known = [trace.open_circuit for trace in traces if trace.open_circuit is not None]
    if options.ocv_soc_curve is not None:
        if known:
            raise ConfigurationError(
                "the open-circuit voltage is given twice: as ocv_soc_curve and as a column of the data",
                at=("ocv_soc_curve",),
                hint="leave one of them out",
            )
        return None
    if options.fit_ocv:
        return None
    if len(known) < len(traces):
        raise ConfigurationError(
            "the open-circuit voltage is neither fitted nor known",
            at=("fit_ocv",),
            hint="give ocv_soc_curve, or data with a column 'Open-circuit voltage [V]'",
        )
    return np.concatenate(known)


def _capacity(
    options: ECMFitOptions, given: Sequence[ECMMeasurement], traces: Sequence[Trace], told: list[str]
) -> float:
    """Return the capacity [A.h] of a measurement that has none of its own."""
    if options.capacity is not None:
        return options.capacity
    most = max(trace.charge for trace in traces)
    if options.bounds_capacity is not None:
        return float(np.clip(most, options.bounds_capacity.lo, options.bounds_capacity.hi))
    if given[0].capacity is None:
        told.append(
            f"no capacity was given: {most:.4g} A.h, the largest charge that a measurement moves, is taken for it"
        )
    return most


def _plan(options: ECMFitOptions, data: CircuitData, fits_ocv: bool, told: list[str]) -> KnotPlan:
    """Return the knots. Raises: `DataError` where the data have fewer rows than there are unknowns."""
    soc = data.soc
    low, high = float(soc.min()), float(soc.max())
    worth = int(np.clip(round(KNOTS * (high - low)), 1, KNOTS))
    knots = options.knot_schedule[-1] if options.knot_schedule else options.num_knots or worth
    plan = knot_plan(
        soc,
        knots=knots,
        r0_knots=options.num_knots_r0 or knots,
        ocv_knots=options.num_knots_ocv or int(np.clip(round(OCV_KNOTS * (high - low)), 2, OCV_KNOTS)),
        schedule=options.knot_schedule,
        strength=options.regularization / PRIOR_FULL,
        clamp=options.clamp_max_ratio if options.clamp_boundary_knots else None,
    )
    if options.ocv_soc_curve is not None:
        plan = replace(plan, ocv=np.array(options.ocv_soc_curve.soc))
    unknowns = len(plan.r0) + 2 * options.num_rcs * knots + len(plan.ocv) * fits_ocv
    if unknowns >= data.course.rows:
        raise DataError(
            f"{unknowns} unknowns cannot be fitted to {data.course.rows} rows",
            hint="take fewer knots (num_knots, num_knots_r0, num_knots_ocv) or fewer RC pairs",
        )
    if high - low < NARROW:
        told.append(
            f"the data visit states of charge from {low:.3f} to {high:.3f} alone: beyond, the resistances are held "
            "constant and the open-circuit voltage goes straight on"
        )
    return plan


def _result(found: CircuitFit, fits_ocv: bool, bounds: tuple[float, float] | None, told: list[str]) -> ECMFit:
    old, data = found.circuit, found.data
    soc = np.unique(np.concatenate([old.ocv_knots, old.r0_knots, old.knots]))
    r0_error, pair_errors, ocv_error = _errors(found, soc, fits_ocv)
    pairs = []
    for number, (r_error, tau_error) in enumerate(pair_errors):
        r, tau = old.pair_at(number, soc)
        pairs.append(RCPair(r, tau / r, tau, r_error, tau_error))
    loose = {"R0": r0_error > LOOSE}
    for number, pair in enumerate(pairs, start=1):
        loose |= {f"R{number}": pair.r_error > LOOSE, f"tau{number}": pair.tau_error > LOOSE}
    if fits_ocv:
        loose = {"the open-circuit voltage": ocv_error > LOOSE_OCV} | loose
    told += [
        f"{name} is not determined by these data {_where(soc, mask)}" for name, mask in loose.items() if mask.any()
    ]
    if np.mean(np.concatenate(list(loose.values()))) > SPARSE:
        told.append("the data determine fewer knots than there are: take fewer (num_knots) or a regularization")
    told += _blurred(data.course, pairs)
    if bounds is not None and np.isclose(data.capacity[0], bounds, rtol=1e-4).any():
        told.append(f"the capacity ends at its bound of {data.capacity[0]:.4g} A.h: it may lie beyond")
    ends = [*data.course.starts[1:], data.course.rows]
    rows = [slice(first, last) for first, last in zip(data.course.starts, ends, strict=True)]
    return ECMFit(
        soc=soc,
        ocv=old.ocv_at(soc),
        r0=old.r0_at(soc),
        rc_pairs=tuple(pairs),
        capacity_Ah=tuple(map(float, data.capacity)),
        capacity_error=None if bounds is None else float(np.sqrt(found.covariance[-1, -1])),
        initial_soc=tuple(map(float, data.initial_soc)),
        ocv_provided=not fits_ocv,
        time=tuple(data.course.time[one] for one in rows),
        data_voltage=tuple(data.voltage[one] for one in rows),
        model_voltage=tuple(found.model_voltage[one] for one in rows),
        ocv_error=ocv_error,
        r0_error=r0_error,
        warnings=tuple(told),
    )


def _blurred(course: Course, pairs: Sequence[RCPair]) -> Iterator[str]:
    """Yield what is not known of the fastest pair where the current is switched between rows that lie far apart."""
    if not pairs or not course.jumps.any():
        return
    interval, tau = float(np.median(course.interval[course.jumps])), float(np.median(pairs[0].tau))
    share = 1 - np.exp(-interval / tau)
    if share > BLURRED:
        yield (
            f"the current is switched somewhere between rows that lie {interval:.3g} s apart, and is taken to be "
            f"switched at the beginning: R0 and R1 (tau1 {tau:.3g} s) may each be off by {share:.0%} of R1"
        )


def _errors(found: CircuitFit, soc: Array, fits_ocv: bool) -> tuple[Array, list[tuple[Array, Array]], Array]:
    """Return the standard errors of the curves at some states of charge: of R₀, of R and τ of each pair, of the OCV."""
    old, covariance = found.circuit, found.covariance
    place = 0

    def error(weights: Array) -> Array:
        nonlocal place
        own = slice(place, place + weights.shape[1])
        place += weights.shape[1]
        variance = np.einsum("ij,jk,ik->i", weights, covariance[own, own], weights)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)))

    ocv = error(hats(soc, old.ocv_knots, straight_on=True)) if fits_ocv else np.full(len(soc), np.nan)
    series = hats(soc, old.r0_knots) * old.r0
    r0 = error(series / series.sum(axis=1, keepdims=True))
    pairs = []
    for _ in range(old.pairs):
        both = error(hats(soc, old.knots)), error(hats(soc, old.knots))
        pairs.append(both)
    return r0, pairs, ocv


def _where(soc: Array, mask: NDArray[np.bool_]) -> str:
    """Return the stretches of the state of charge in which something holds, in words."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    if mask.all():
        return "anywhere"
    stretches = [(soc[first], soc[last - 1]) for first, last in zip(edges[::2], edges[1::2], strict=True)]
    told = [f"at {a:.2f}" if b - a < 0.005 else f"from {a:.2f} to {b:.2f}" for a, b in stretches]
    return f"at states of charge {', '.join(told)}"
