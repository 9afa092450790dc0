"""Measurements made ready for the fit of an equivalent circuit: checked, counted, placed in the state of charge."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cellwright.catalog.objectives.measured_current import CURRENT, TIME, VOLTAGE, knots, measured
from cellwright.engine.circuit_fit import CircuitData
from cellwright.errors import ConfigurationError, DataError
from cellwright.physics.equivalent_circuit import Course
from cellwright.physics.timeseries import in_step, resistance_at_switches
from cellwright.schema.ecm import ECMMeasurement, OCVCurve
from cellwright.schema.tables import Columns

Array = NDArray[np.float64]

OPEN_CIRCUIT = "Open-circuit voltage [V]"
OUTSIDE = 0.02
"""How far a state of charge may lie outside 0 to 1: the error of a counted charge."""
SLOWEST_RATE, FASTEST_RATE = 5e-3, 100.0
"""Largest currents of a measurement, in capacities an hour, outside of which a unit is wrong by a factor of 1000."""
HIGHEST_VOLTAGE = 100.0
"""Voltage [V] above which no cell is: it is in mV."""
LOADED = 1e-3
"""Fraction of the largest current from which a row is under load."""
MARGIN = 0.1
"""Voltage [V] by which a measurement may begin beyond the ends of an open-circuit voltage."""


@dataclass(frozen=True, eq=False)
class Trace:
    """One measurement."""

    time: Array
    current: Array
    voltage: Array
    open_circuit: Array | None
    resistance: float | None
    """What the voltage shows where the current is switched [Ohm]."""
    corrected: int
    """Rows whose current was corrected."""
    charge: float
    """Charge [A.h] between the fullest and the emptiest row."""
    fullest: float
    """Charge [A.h] taken out from the first row to the fullest one; zero or negative."""

    @property
    def loaded(self) -> bool:
        """Whether the first row is under load."""
        return bool(abs(self.current[0]) > LOADED * np.max(np.abs(self.current)))

    @property
    def drift(self) -> float:
        """How far the voltage [V] moves in the rest in which the measurement begins."""
        under_load = np.flatnonzero(np.abs(self.current) > LOADED * np.max(np.abs(self.current)))
        return abs(float(self.voltage[max(int(under_load[0]) - 1, 0)] - self.voltage[0]))


def trace_of(table: Columns) -> Trace:
    """Return a measurement from its columns; rows of the same time and current count once.

    Raises: `DataError` for columns that are not there, values that are no numbers, time that runs backward or does not
    pass, no current at all, a current of the wrong sign, a voltage that does not move, voltages in mV.
    """
    time, current = knots(table)
    twice = np.append((np.diff(table[TIME]) == 0) & (np.diff(current) == 0), False)
    table, time, current = table.take(~twice), time[~twice], current[~twice]
    volts = measured(table, VOLTAGE)
    if not np.any(current):
        raise DataError("the current is 0 everywhere, which tells of no resistance", hint=f"look at {CURRENT!r}")
    if float(np.median(volts)) > HIGHEST_VOLTAGE:
        raise DataError(
            f"the column {VOLTAGE!r} has a median of {np.median(volts):.4g}", hint="divide it by 1000 if it is in mV"
        )
    if np.ptp(volts) == 0:
        raise DataError(
            f"the voltage is {volts[0]:.4g} V in all rows while a current flows", hint=f"look at {VOLTAGE!r}"
        )
    if table[TIME][-1] == table[TIME][0]:
        raise DataError(
            f"no time passes in {len(time)} rows: all are at {table[TIME][0]:g} s", hint=f"look at {TIME!r}"
        )
    resistance = resistance_at_switches(current, volts)
    corrected, number = (current, 0) if resistance is None else in_step(current, volts, max(resistance, 0.0))
    charge = Course(time, corrected, np.array([0])).charge
    _refuse_the_other_sign(charge, volts, resistance)
    known = measured(table, OPEN_CIRCUIT) if OPEN_CIRCUIT in table else None
    return Trace(time, corrected, volts, known, resistance, number, float(np.ptp(charge)), float(charge.min()))


def joined(
    measurements: Sequence[ECMMeasurement], traces: Sequence[Trace], capacity: float, curve: OCVCurve | None
) -> CircuitData:
    """Return all measurements with their states of charge.

    A state of charge that is not given follows from the first voltage and the curve, V = OCV(z) - I R with the
    resistance that the measurement shows; for one measurement without a curve the fullest row is at 1.

    Raises: `ConfigurationError` where nothing says in which state of charge a measurement begins, `DataError` where
    the charge leaves 0 to 1, or the capacity and the current do not go together.
    """
    capacities = np.array([one.capacity or capacity for one in measurements])
    initial = np.array(
        [
            _initial(one, trace, own, curve, f"measurement {number}", len(traces))
            for number, (one, trace, own) in enumerate(zip(measurements, traces, capacities, strict=True))
        ]
    )
    lengths = [len(trace.time) for trace in traces]
    course = Course(
        np.concatenate([trace.time for trace in traces]),
        np.concatenate([trace.current for trace in traces]),
        np.concatenate([[0], np.cumsum(lengths[:-1])]).astype(np.intp),
    )
    data = CircuitData(course, np.concatenate([trace.voltage for trace in traces]), initial, capacities)
    soc = data.soc
    for number, (trace, own) in enumerate(zip(traces, capacities, strict=True)):
        refuse_wrong_units(trace, float(own), f"measurement {number}")
        refuse_outside(soc[course.segment == number], trace, float(own), f"measurement {number}")
    return data


def refuse_outside(soc: Array, trace: Trace, capacity: float, named: str) -> None:
    """Raise `DataError` where a measurement leaves the states of charge from 0 to 1."""
    low, high = float(soc.min()), float(soc.max())
    if low < -OUTSIDE or high > 1 + OUTSIDE:
        raise DataError(
            f"{named} goes from a state of charge of {low:.3f} to {high:.3f}: it moves {trace.charge:.4g} A.h in a "
            f"cell of {capacity:.4g} A.h",
            hint="look at the capacity, the initial_soc and the unit of the current",
        )


def soc_at(curve: OCVCurve, voltage: float, named: str) -> float:
    """Return the state of charge at an open-circuit voltage [V].

    Raises: `DataError` for a voltage well beyond the curve's ends.
    """
    low, high = curve.ocv[0], curve.ocv[-1]
    if not low - MARGIN <= voltage <= high + MARGIN:
        raise DataError(
            f"{named} begins at an open-circuit voltage of {voltage:.4g} V, and the known one goes from {low:.4g} to "
            f"{high:.4g} V",
            hint="give its initial_soc",
        )
    return float(np.interp(voltage, curve.ocv, curve.soc))


def refuse_wrong_units(trace: Trace, capacity: float, named: str) -> None:
    """Raise `DataError` where a current and the capacity [A.h] of a cell cannot belong together."""
    rate = float(np.max(np.abs(trace.current))) / capacity
    if not SLOWEST_RATE <= rate <= FASTEST_RATE:
        raise DataError(
            f"the largest current of {named} is {rate * capacity:.4g} A, {rate:.3g} times the capacity of "
            f"{capacity:.4g} A.h",
            hint="look at their units: a capacity in mA.h or a current in mA is 1000 times too large",
        )


def _initial(
    one: ECMMeasurement, trace: Trace, capacity: float, curve: OCVCurve | None, named: str, count: int
) -> float:
    if one.initial_soc is not None:
        return one.initial_soc
    if curve is not None:
        seen = trace.voltage[0] + trace.current[0] * max(trace.resistance or 0.0, 0.0)
        return soc_at(curve, float(seen), named)
    if count > 1:
        raise ConfigurationError(
            f"nothing says in which state of charge {named} begins",
            at=("measurements",),
            hint="give each measurement its initial_soc, or the ocv_soc_curve",
        )
    return 1 + trace.fullest / capacity


def _refuse_the_other_sign(charge: Array, voltage: Array, resistance: float | None) -> None:
    hint = "a current that discharges is positive here: change its sign"
    if resistance is not None and resistance < 0:
        raise DataError("the voltage rises where the discharge current is switched on", hint=hint)
    if resistance is None and np.ptp(charge) and np.corrcoef(charge, voltage)[0, 1] > 0.5:
        raise DataError(
            f"the voltage goes from {voltage[0]:.4g} to {voltage[-1]:.4g} V while the current says "
            f"{'discharge' if charge[-1] > 0 else 'charge'}",
            hint=hint,
        )
