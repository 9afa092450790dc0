"""What objectives share that drive a model by a measured current."""

from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cellwright.catalog.named_models import AnyModel, spec_of
from cellwright.errors import DataError
from cellwright.physics.timeseries import compress_current
from cellwright.schema.families import Array, FittingObjective
from cellwright.schema.names import base_of, unit_of
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.simulation import SimulationProblem
from cellwright.schema.tables import Columns, no_column

TIME, CURRENT, VOLTAGE = "Time [s]", "Current [A]", "Voltage [V]"
CURRENT_ATOL, CURRENT_RTOL = 1e-6, 1e-4
MARGIN = 0.5
"""Voltage [V] by which a simulation may leave the range of the measured voltage before it is ended."""
JUMP = 1e-6
"""Time [s] in which the current changes between two rows of the same time stamp."""
EXACT = {"type": "IDAKLUSolver", "rtol": 1e-7, "atol": 1e-9}
"""The solver where small differences of the voltage are compared, unless another is given.

With the tolerance of other fits (1e-4) a diffusivity from relaxations comes out wrong by 5 %."""
CELSIUS, KELVIN = ("degC", "C"), "K"
ZERO_CELSIUS = 273.15
COLDEST = 150.0
"""Temperature [K] below which no cell has been measured: values in degC that are called K."""


class Driven(Protocol):
    """The options of a model that is driven by a measured current."""

    model: AnyModel
    simulation_kwargs: dict[str, Any] | None
    interpolant_atol: float | None
    interpolant_rtol: float | None
    interpolant_lossless: bool


def driven(
    objective: FittingObjective,
    p: ParameterSet,
    free: tuple[str, ...],
    current: tuple[Array, Array],
    output_times: Array,
    variables: tuple[str, ...],
    exact: bool = False,
) -> SimulationProblem:
    """Return the simulation of an objective's model, driven by the knots (times [s], currents [A]) of a current.

    `variables` are the model's, wanted at `output_times` [s]. The simulation begins at the voltage of the first row
    where the parameters name no initial state. A value in the objective's own `parameters` holds also against a fit
    that frees it. With `exact` small differences of the variables count: no time is interpolated, and the solver is
    the one of `EXACT` unless the options name one.
    """
    options: Driven = objective.options
    assert options.model is not None
    time, amps = current
    if not options.interpolant_lossless:
        atol = CURRENT_ATOL if options.interpolant_atol is None else options.interpolant_atol
        rtol = CURRENT_RTOL if options.interpolant_rtol is None else options.interpolant_rtol
        time, amps = compress_current(time, amps, atol=atol, rtol=rtol)
    spec = spec_of(options.model, options.simulation_kwargs, variables)
    if exact and spec.settings.get("solver") is None:
        spec = replace(spec, settings={**spec.settings, "solver": EXACT})
    own = objective.parameters or {}
    start, voltage = objective.data_input.initial_voltage, objective.data_input.table.columns.get(VOLTAGE)
    return SimulationProblem(
        model=spec,
        parameters=p.merge(own, Origin("objective")),
        time=time,
        current=amps,
        output_times=output_times,
        variables=variables,
        free=tuple(name for name in free if name not in own),
        initial_voltage=start if start is not None or voltage is None else float(voltage[0]),
        initial_current=float(amps[0]) if start is None else 0.0,
        voltage_window=None if voltage is None else (float(voltage.min()) - MARGIN, float(voltage.max()) + MARGIN),
        exact=exact,
    )


def knots(table: Columns) -> tuple[Array, Array]:
    """Return times from 0 [s], strictly increasing, and currents [A] of the rows.

    Rows of the same time stamp are a step: the later one is moved on by a microsecond.

    Raises: `DataError` for fewer than two rows, values that are no numbers, time that runs backward.
    """
    time, current = table[TIME], table[CURRENT]
    if table.rows < 2:
        raise DataError(f"a simulation needs at least two rows of data, there are {table.rows}")
    if not (np.isfinite(time).all() and np.isfinite(current).all()):
        raise DataError("time or current hold values that are no numbers (NaN or infinite)", hint="remove these rows")
    backward = np.flatnonzero(np.diff(time) < 0)
    if backward.size:
        row = int(backward[0]) + 1
        raise DataError(
            f"time runs backward at row {row}: from {time[row - 1]:.6g} to {time[row]:.6g} s",
            hint="sort the rows (transforms: {sort: true}) or remove the repeated part",
        )
    steps = np.maximum(np.diff(time), JUMP)
    increasing = np.concatenate([[0.0], np.cumsum(steps)])
    return increasing, np.asarray(current)


def last_of_each_time(time: Array) -> NDArray[np.bool_]:
    """Return the mask of the rows that are the last of their time stamp."""
    return np.append(np.diff(time) > 0, True)


def measured(table: Columns, variable: str) -> Array:
    """Return the measured values of a variable, in its unit.

    They are the column of that name. A temperature may be measured in another unit (degC, C, K); the temperature of the
    cell under any name of PyBaMM's may be a column `Temperature`.

    Raises: `DataError` for a column that is not there, values that are no numbers, kelvins that can be none.
    """
    name = variable if variable in table else _temperature_column(table, variable)
    if name is None:
        raise no_column(variable, table)
    column = table.numbers(name)
    if unit_of(name) == KELVIN and "temperature" in name.lower() and column.size and float(column.max()) < COLDEST:
        raise DataError(
            f"the column {name!r} goes from {column.min():.4g} to {column.max():.4g}, which are no kelvins",
            hint=f"rename it to '{base_of(name)} [degC]'",
        )
    return column + (_kelvin(name) - _kelvin(variable))


def model_variable(variable: str) -> str:
    """Return PyBaMM's name of a variable: it writes degrees Celsius C, and the cell's temperature is its mean."""
    base, unit = base_of(variable), unit_of(variable)
    if unit not in {*CELSIUS, KELVIN} or "temperature" not in base.lower():
        return variable
    base = "Volume-averaged cell temperature" if base == "Temperature" else base
    return f"{base} [{'C' if unit in CELSIUS else KELVIN}]"


def _temperature_column(table: Columns, variable: str) -> str | None:
    """Return the column that holds a temperature under another unit or a plain name."""
    base = base_of(variable)
    if unit_of(variable) not in {*CELSIUS, KELVIN} or "temperature" not in base.lower():
        return None
    bases = [base, "Temperature"] if base.lower().endswith("cell temperature") else [base]
    names = [f"{one} [{unit}]" for one in bases for unit in (*CELSIUS, KELVIN)]
    return next((name for name in names if name in table), None)


def _kelvin(name: str) -> float:
    """Return what is added to a value to have kelvins, 0 where it is no temperature in degrees Celsius."""
    return ZERO_CELSIUS if unit_of(name) in CELSIUS and "temperature" in name.lower() else 0.0
