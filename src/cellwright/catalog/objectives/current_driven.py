"""Simulation with the measured current, compared with the measured voltage or other variables."""

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from cellwright.catalog.named_models import SimulatedOptions
from cellwright.catalog.objectives.measured_current import (
    CURRENT,
    TIME,
    VOLTAGE,
    driven,
    knots,
    last_of_each_time,
    measured,
    model_variable,
)
from cellwright.catalog.objectives.simulated import SimulationObjective
from cellwright.errors import ConfigurationError, DataError
from cellwright.physics.crossings import OverVoltage
from cellwright.physics.pulses import REST_FRACTION
from cellwright.schema.derived import PreparedDerivation
from cellwright.schema.families import Array, Prepared
from cellwright.schema.parameters import ParameterSet
from cellwright.schema.prepared import PreparedSimulation
from cellwright.schema.simulation import Simulate
from cellwright.schema.tables import Columns
from cellwright.schema.variant import Example

REVERSAL = 0.02
"""Fraction of the range of the voltage by which it may go back on its way, as noise."""
ONE = "over voltage one discharge or charge is compared"
AS_LONG_AGAIN = 800
"""Times at which a simulation over voltage is evaluated beside those of the data, half of them behind their end."""


class CurrentDrivenOptions(SimulatedOptions):
    """The model, what is compared over time or voltage, and how closely the measured current is followed."""

    parameterized_model_id: str | None = None
    independent_variable: Literal["time", "voltage"] = Field(default="time", alias="independent variable")
    simulation_kwargs: dict[str, Any] | None = None
    objective_variables: list[str] | None = Field(default=None, alias="objective variables")
    interpolant_atol: float | None = None
    interpolant_rtol: float | None = None
    interpolant_lossless: bool = False


class CurrentDriven(SimulationObjective):
    """The model driven by the measured current, compared with the measured voltage or other variables.

    r = y_model(t_i) - y_data(t_i) for each of `objective variables` (default: `Voltage [V]`) at the measured times:
    variables of the model that are one number at a time, each with a column of that name. A temperature may be a column
    `Temperature [degC]` (or C, K) and stands for the model's `Volume-averaged cell temperature`. The current is the
    piecewise linear course of the measured one (positive on discharge), reduced to the knots that keep it within
    `interpolant_atol` + `interpolant_rtol` |I|; with `interpolant_lossless` every row is a knot. The initial state is
    the one that the parameters name (concentrations, stoichiometries, SOC, voltage), else the first measured voltage.
    A value in `parameters` holds for this objective alone, also against a fit that frees it.

    With `independent variable` "voltage" it is r = y_model(V_i) - y_data(V_i) at the measured voltages of one discharge
    or charge, and the default of `objective variables` is `Time [s]`, since the first row. y_model is read where the
    model's voltage first comes to V_i; the last current goes on for as long again as the data last, so that a model
    that is late gets there too. A voltage that the model is beyond from the start gives its first value, one that it
    never comes to its last: the residual stays continuous. Rows at rest before and behind the discharge are left out;
    a voltage that goes back by more than 2 % of its range is refused.

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
        default = VOLTAGE if self._set.independent_variable == "time" else TIME
        return tuple(dict.fromkeys(self._set.objective_variables or [default]))

    def prepare(self, p: ParameterSet, free: tuple[str, ...], simulate: Simulate) -> Prepared:
        """Build the model for the measured current.

        Raises: `DataError` for missing columns, time that runs backward or too few rows, and over voltage for more than
        one discharge or charge; what `simulate` raises.
        """
        if self._set.independent_variable == "voltage":
            return self._over_voltage(p, free, simulate)
        table = self.data_input.table
        current = knots(table)
        kept = last_of_each_time(table[TIME])
        rows = table.take(kept)
        observed = {variable: measured(rows, variable) for variable in self.variables}
        variables = tuple(map(model_variable, self.variables))
        problem = driven(self, p, free, current, current[0][kept], variables)
        return PreparedSimulation(TIME, problem.output_times, observed, simulate(problem), problem.variables)

    def _over_voltage(self, p: ParameterSet, free: tuple[str, ...], simulate: Simulate) -> PreparedDerivation:
        if VOLTAGE in self.variables:
            raise ConfigurationError(
                f"{VOLTAGE!r} is compared over itself",
                at=("options", "objective variables"),
                hint="leave it out: the time at each voltage is compared then",
            )
        table = self.data_input.table
        time, current = knots(table)
        first, last, falling = stretch(table)
        kept = np.flatnonzero(last_of_each_time(table[TIME]))
        kept = kept[(kept >= first) & (kept <= last)]
        rows = table.take(kept)
        voltages = measured(rows, VOLTAGE)
        observed = {name: time[kept] if name == TIME else measured(rows, name) for name in self.variables}
        begin, end = time[first], time[last]
        later = 2 * end - begin
        grid = np.union1d(time[kept], np.linspace(begin, later, AS_LONG_AGAIN))
        going_on = (np.append(time[: last + 1], later), np.append(current[: last + 1], current[last]))
        names = {name: name if name == TIME else model_variable(name) for name in self.variables}
        wanted = tuple(dict.fromkeys([VOLTAGE, *(name for name in names.values() if name != TIME)]))
        simulation = simulate(driven(self, p, free, going_on, grid, wanted))
        derivation = OverVoltage(grid, voltages, falling, names)
        return PreparedDerivation(VOLTAGE, voltages, observed, simulation, derivation, needs_end=False)


def stretch(table: Columns) -> tuple[int, int, bool]:
    """Return the first and the last row of the one discharge or charge in the data, and whether the voltage falls.

    Raises: `DataError` where there is none, a current of both signs, or a voltage that goes back.
    """
    current, voltage = table[CURRENT], measured(table, VOLTAGE)
    largest = float(np.max(np.abs(current), initial=0.0))
    loaded = np.flatnonzero(np.abs(current) > REST_FRACTION * largest)
    hint = "choose one discharge or charge: options {'first_step': n, 'last_step': n} of the data"
    if len(loaded) < 2:
        raise DataError(f"{ONE}, and {len(loaded)} rows have a current")
    signs = np.sign(current[loaded])
    if signs.min() != signs.max():
        row = int(loaded[np.flatnonzero(signs != signs[0])[0]])
        raise DataError(f"{ONE}, and the current turns at row {row}", hint=hint)
    falling = bool(signs[0] > 0)
    row, back = _back(-voltage[loaded] if falling else voltage[loaded])
    if back > REVERSAL * float(np.ptp(voltage[loaded])):
        way = "rises" if falling else "falls"
        raise DataError(f"{ONE}, and the voltage {way} by {back:.3g} V before row {int(loaded[row])}", hint=hint)
    return int(loaded[0]), int(loaded[-1]), falling


def _back(course: Array) -> tuple[int, float]:
    """Return the row in which a rising course lies furthest below where it has been, and how far."""
    below = np.maximum.accumulate(course) - course
    row = int(np.argmax(below))
    return row, float(below[row])
