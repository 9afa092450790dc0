"""Simulation with the measured current, compared with the measured voltage or other variables."""

from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cellwright.catalog.models import SimulatedOptions, spec_of
from cellwright.catalog.objectives.simulated import SimulationObjective
from cellwright.errors import DataError
from cellwright.physics.timeseries import compress_current
from cellwright.schema.families import Array
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.prepared import PreparedSimulation
from cellwright.schema.simulation import Simulate, SimulationProblem
from cellwright.schema.tables import Columns
from cellwright.schema.variant import Example

TIME, CURRENT, VOLTAGE = "Time [s]", "Current [A]", "Voltage [V]"
MODEL_VARIABLES = {"Temperature [degC]": "Volume-averaged cell temperature [C]"}
"""Columns of measurements whose variable is called otherwise in PyBaMM."""
CURRENT_ATOL, CURRENT_RTOL = 1e-6, 1e-4
MARGIN = 0.5
"""Voltage [V] by which a simulation may leave the range of the measured voltage before it is ended."""
JUMP = 1e-6
"""Time [s] in which the current changes between two rows of the same time stamp."""


class CurrentDrivenOptions(SimulatedOptions):
    """The model, what is compared, and how closely the measured current is followed."""

    later = frozenset({"parameterized_model_id", "independent_variable"})

    parameterized_model_id: str | None = None
    independent_variable: Literal["time", "voltage"] = Field(default="time", alias="independent variable")
    simulation_kwargs: dict[str, Any] | None = None
    objective_variables: list[str] | None = Field(default=None, alias="objective variables")
    interpolant_atol: float | None = None
    interpolant_rtol: float | None = None
    interpolant_lossless: bool = False


class CurrentDriven(SimulationObjective):
    """The model driven by the measured current, compared with the measured voltage.

    r = y_model(t_i) - y_data(t_i) for each of `objective variables` (default: `Voltage [V]`) at the measured times. The
    current is the piecewise linear course of the measured one (positive on discharge), reduced to the knots that keep
    it within `interpolant_atol` + `interpolant_rtol` |I|; with `interpolant_lossless` every row is a knot. The initial
    state is the one that the parameters name (concentrations, stoichiometries, SOC, voltage), else the first measured
    voltage. A value in `parameters` holds for this objective alone, also against a fit that frees it.

    Source: Doyle, Fuller & Newman, J. Electrochem. Soc. 140 (1993) 1526, doi:10.1149/1.2221597.
    """

    example: ClassVar = Example(
        fields={
            "data": {"Time [s]": [0.0, 600.0], "Current [A]": [5.0, 5.0], "Voltage [V]": [4.1, 3.9]},
            "options": {"model": "SPM"},
        }
    )

    type: Literal["CurrentDriven"] = "CurrentDriven"
    options: CurrentDrivenOptions | None = None

    @property
    def _set(self) -> CurrentDrivenOptions:
        assert self.options is not None
        return self.options

    @property
    def variables(self) -> tuple[str, ...]:
        """The compared variables, by the names of the data's columns."""
        return tuple(dict.fromkeys(self._set.objective_variables or [VOLTAGE]))

    def prepare(self, p: ParameterSet, free: tuple[str, ...], simulate: Simulate) -> "PreparedSimulation":
        """Build the model for the measured current.

        Raises: `DataError` for missing columns, time that runs backward or too few rows; what `simulate` raises.
        """
        options = self._set
        assert options.model is not None
        table = self.data_input.table
        time, current = knots(table)
        kept = last_of_each_time(table[TIME])
        output_times = time[kept]
        if not options.interpolant_lossless:
            atol = CURRENT_ATOL if options.interpolant_atol is None else options.interpolant_atol
            rtol = CURRENT_RTOL if options.interpolant_rtol is None else options.interpolant_rtol
            time, current = compress_current(time, current, atol=atol, rtol=rtol)
        rows = table.take(kept)
        for variable in self.variables:
            _refuse_gaps(rows[variable], variable)
        start = self.data_input.initial_voltage
        voltage = table.columns.get(VOLTAGE)
        problem = SimulationProblem(
            model=spec_of(options.model, options.simulation_kwargs),
            parameters=p.merge(self.parameters or {}, Origin("objective")),
            time=time,
            current=current,
            output_times=output_times,
            variables=tuple(MODEL_VARIABLES.get(variable, variable) for variable in self.variables),
            free=tuple(name for name in free if name not in (self.parameters or {})),
            initial_voltage=start if start is not None or voltage is None else float(voltage[0]),
            voltage_window=None if voltage is None else (float(voltage.min()) - MARGIN, float(voltage.max()) + MARGIN),
        )
        observed = {variable: rows[variable] for variable in self.variables}
        return PreparedSimulation(TIME, problem.output_times, observed, simulate(problem), problem.variables)


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


def _refuse_gaps(column: Array, name: str) -> None:
    gaps = np.flatnonzero(~np.isfinite(column))
    if gaps.size:
        raise DataError(
            f"the column {name!r} holds {gaps.size} values that are no numbers (NaN or infinite), the first in row "
            f"{int(gaps[0])}",
            hint="remove these rows",
        )


def last_of_each_time(time: Array) -> NDArray[np.bool_]:
    """Return the mask of the rows that are the last of their time stamp."""
    return np.append(np.diff(time) > 0, True)
