"""Objectives of ageing: degradation modes over storage, and summaries over cycles."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from cellwright.catalog.metrics.composed import AfterCycles, CyclewiseMetric, of_cycles
from cellwright.catalog.named_models import SimulatedOptions, spec_of
from cellwright.catalog.objectives.protocol import AT as EXPERIMENT
from cellwright.catalog.objectives.protocol import CURRENT, TIME, VOLTAGE, Protocol, Replay, protocol_of, replay
from cellwright.catalog.objectives.settings import KWARGS, MODE, ends_alone, model_mode, refuse, split_settings
from cellwright.catalog.objectives.simulated import SimulationObjective
from cellwright.errors import CellwrightError, ConfigurationError, DataError, did_you_mean
from cellwright.schema.datasource import DataSource, parse
from cellwright.schema.metrics import Metric
from cellwright.schema.parameters import Origin, ParameterSet
from cellwright.schema.prepared import PreparedSimulation
from cellwright.schema.simulation import ExperimentProblem, Simulate, SimulationProblem, Solved
from cellwright.schema.tables import Columns
from cellwright.schema.values import settled
from cellwright.schema.variant import Example

Mode = Literal["LLI [%]", "LAM_ne [%]", "LAM_pe [%]"]
MODES: dict[str, str] = {
    "LLI [%]": "Loss of lithium inventory [%]",
    "LAM_ne [%]": "Loss of active material in negative electrode [%]",
    "LAM_pe [%]": "Loss of active material in positive electrode [%]",
}
"""What the degradation modes are called in PyBaMM."""
CYCLE = "Cycle number"
FROM_DATA = "from data"


@dataclass(frozen=True)
class PreparedAgeing(PreparedSimulation):
    """A simulation of ageing beside what was measured, where not every row has a value of every variable."""

    rows: Mapping[str, NDArray[np.intp]]
    """Of each variable, the rows that have a measured value."""
    places: Mapping[str, NDArray[np.intp]]
    """Of each variable, which of the model's values belong to these rows."""

    def compared(self, solved: Solved) -> Solved:
        """Return the variables in the rows that have a measured value, NaN in the others."""
        outputs = {}
        for name, model in zip(self.observed, self.model_variables, strict=True):
            if model in solved.outputs:
                values = np.full(len(self.x), np.nan)
                values[self.rows[name]] = solved.outputs[model][self.places[name]]
                outputs[name] = values
        return Solved(solved.status, outputs, solved.message)


class CalendarAgeingOptions(SimulatedOptions):
    """The model, and which degradation modes are compared (default: loss of lithium)."""

    later = frozenset({"parameterized_model_id"})

    parameterized_model_id: str | None = None
    modes: list[Mode] | None = None
    simulation_kwargs: dict[str, Any] | None = None


class CalendarAgeing(SimulationObjective):
    """A cell in storage: the losses of lithium and of active material over time, compared with the measured ones.

    r = y_model(t_i) - y_data(t_i) for each of `modes`, in percent of the fresh cell, after the time t_i [s] at rest in
    the state that the parameters name (`Initial SOC [%]`, a voltage, concentrations). Several rows may have the same
    time. A row without a value of a mode (NaN) counts for the others alone.

    Source: Birkl, Roberts, McTurk, Bruce & Howey, J. Power Sources 341 (2017) 373, doi:10.1016/j.jpowsour.2016.12.011.
    """

    example: ClassVar = Example(
        fields={"data": {"Time [s]": [0.0, 1e7], "LLI [%]": [0.0, 2.0]}, "options": {"model": "SPM"}}
    )

    type: Literal["CalendarAgeing"] = "CalendarAgeing"
    options: CalendarAgeingOptions | None = None

    def prepare(self, p: ParameterSet, free: tuple[str, ...], simulate: Simulate) -> PreparedSimulation:
        """Build the model for a current of zero.

        Raises: `DataError` for missing columns, times before 0 and modes without a value; what `simulate` raises.
        """
        options = self.options
        assert options is not None
        assert options.model is not None
        table = self.data_input.table
        time = table[TIME]
        modes = tuple(dict.fromkeys(options.modes or ["LLI [%]"]))
        rows = {mode: measured(table, mode) for mode in modes}
        if not np.isfinite(time).all() or (time < 0).any() or not (time > 0).any():
            raise DataError(
                "the times of storage are finite, not negative, and one at least is above 0",
                hint="time counts from the beginning of storage, when nothing was lost yet",
            )
        settings, solve = split_settings(options.simulation_kwargs)
        refuse(solve, {})
        if settings.pop(MODE, None) is not None:
            raise ConfigurationError(f"{MODE!r} is of experiments; a storage has none", at=(*KWARGS, MODE))
        output_times, places = np.unique(time, return_inverse=True)
        variables = tuple(MODES[mode] for mode in modes)
        problem = SimulationProblem(
            model=spec_of(options.model, settings, variables),
            parameters=p.merge(self.parameters or {}, Origin("objective")),
            time=np.array([0.0, output_times[-1]]),
            current=np.zeros(2),
            output_times=output_times,
            variables=variables,
            free=tuple(name for name in free if name not in (self.parameters or {})),
            initial_voltage=self.data_input.initial_voltage,
        )
        observed = {mode: table[mode] for mode in modes}
        at = {mode: places[rows[mode]] for mode in modes}
        return PreparedAgeing(TIME, time, observed, simulate(problem), variables, rows, at)


class CycleAgeingOptions(SimulatedOptions):
    """The model, the cycling protocol, and what is compared of each cycle.

    `experiment` is a PyBaMM experiment, or in a document a list of cycles; or "from data": it is made of the steps of
    the data, which end after their measured length (`termination` "duration") or at the value that they were to reach
    ("events"). In Python the steps may be those of other data than the summaries, {"from data": …}. `use_cv` holds
    voltages that were held, `split_cc_cv` makes two steps of a charge that the cycler logged as one.

    `metrics` say by variable how it is read of a cycle (`cw.metrics`). Of `simulation_kwargs`, `experiment_model_mode`
    is "unified" (one model for all steps, the default) or "legacy" (one for each kind of step), `solver_kwargs` are
    those of the solver.
    """

    later = frozenset({"parameterized_model_id"})

    parameterized_model_id: str | None = None
    experiment: Any = None
    termination: Literal["duration", "events"] | None = None
    use_cv: bool | None = None
    split_cc_cv: bool | None = None
    objective_variables: list[str] | None = Field(default=None, alias="objective variables")
    metrics: dict[str, Any] | None = None
    simulation_kwargs: dict[str, Any] | None = None

    @field_validator("experiment", mode="before")
    @classmethod
    def _protocol(cls, given: Any) -> Any:
        loader = type(given).__module__.split(".")[0] == "ionworksdata"
        if loader or isinstance(given, DataSource):
            return {FROM_DATA: parse(settled(given) if loader else given)}
        if isinstance(given, Mapping) and FROM_DATA in given:
            return {FROM_DATA: parse(settled(given[FROM_DATA]))}
        return settled(given)

    @field_validator("metrics", mode="before")
    @classmethod
    def _metrics(cls, given: Any) -> Any:
        return settled(given)


class CycleAgeing(SimulationObjective):
    """A cell that is cycled: capacity, resistance and losses of each cycle, compared with the measured ones.

    r = y_model(n_i) - y_data(n_i) for each of `objective variables` (default: all columns but `Cycle number`) at the
    cycles n_i that have a measured value; a row without one (NaN) counts for the other variables alone. Cycles count
    from 0. A variable is read of a cycle as its metric says; without a metric it is a summary of the cell behind n
    cycles, as the cycle n finds it: `LLI [%]`, `LAM_ne [%]`, `LAM_pe [%]`, the capacity at rest `Capacity [A.h]`, or a
    summary variable of PyBaMM by its own name.

    The experiment is simulated as far as it is compared. What an experiment that ended early did not reach has no value
    and counts as `nan_values` of the cost says.

    Source: O'Kane et al., Phys. Chem. Chem. Phys. 24 (2022) 7909, doi:10.1039/D2CP00417H.
    """

    example: ClassVar = Example(
        fields={
            "data": {"Cycle number": [0.0, 100.0], "LLI [%]": [0.0, 3.0]},
            "options": {"model": "SPM", "experiment": "from data", "objective variables": ["LLI [%]"]},
        }
    )

    type: Literal["CycleAgeing"] = "CycleAgeing"
    options: CycleAgeingOptions | None = None

    @property
    def _set(self) -> CycleAgeingOptions:
        assert self.options is not None
        return self.options

    def prepare(self, p: ParameterSet, free: tuple[str, ...], simulate: Simulate) -> PreparedSimulation:
        """Build the experiment.

        Raises: `DataError` for missing columns, variables without a value and cycles that the experiment does not have,
        `ConfigurationError` for a protocol, a metric or a setting that makes no sense; what `simulate` raises.
        """
        options, table = self._set, self.data_input.table
        assert options.model is not None
        cycles = cycle_numbers(table)
        variables = tuple(dict.fromkeys(options.objective_variables or [name for name in table if name != CYCLE]))
        if not variables:
            raise DataError(f"beside {CYCLE!r} the data have no column to compare")
        rows = {name: measured(table, name) for name in variables}
        protocol = self._protocol()
        # Rows of the same cycle are several measurements of one value.
        wanted = {name: np.unique(cycles[rows[name]], return_inverse=True) for name in variables}
        measures = self._measures({name: numbers.tolist() for name, (numbers, _) in wanted.items()}, protocol)
        settings, solve = split_settings(options.simulation_kwargs)
        refuse(solve, {"save_at_cycles": "the cycles that are kept follow from the data"})
        mode = model_mode(settings.pop(MODE, None))
        problem = ExperimentProblem(
            model=spec_of(options.model, settings, [name for one in measures.values() for name in one.variables]),
            parameters=p.merge(self.parameters or {}, Origin("objective")),
            cycles=protocol.cycles,
            measures=measures,
            conditions=protocol.conditions,
            joined=protocol.joined,
            summaries=tuple(name for name in variables if name not in (options.metrics or {}) and name not in MODES),
            free=tuple(name for name in free if name not in (self.parameters or {})),
            mode=mode,
            ends_alone=ends_alone(options.simulation_kwargs, measures),
        )
        observed = {name: table[name] for name in variables}
        places = {name: place for name, (_, place) in wanted.items()}
        x = cycles.astype(float)
        return PreparedAgeing(CYCLE, x, observed, simulate(problem), variables, rows, places)

    def _protocol(self) -> Protocol:
        """Return the protocol, given or made of data."""
        options = self._set
        if options.experiment is None:
            raise ConfigurationError(
                "CycleAgeing needs an experiment", at=EXPERIMENT, hint="a list of cycles, or 'from data'"
            )
        of_replay = {name: getattr(options, name) for name in ("termination", "use_cv", "split_cc_cv")}
        said = {name: value for name, value in of_replay.items() if value is not None}
        if options.experiment == FROM_DATA:
            table = self.data_input.table
            if not {TIME, CURRENT, VOLTAGE} <= set(table):
                raise DataError(
                    f"'from data' makes the experiment of {TIME!r}, {CURRENT!r} and {VOLTAGE!r}, and the data are not "
                    "such a measurement",
                    at=EXPERIMENT,
                    hint=f"name the measurement: {{{FROM_DATA!r}: 'file:cycling.csv'}}",
                )
            return replay(table, Replay(**said))
        if isinstance(options.experiment, Mapping) and FROM_DATA in options.experiment:
            try:
                return replay(options.experiment[FROM_DATA].table, Replay(**said))
            except CellwrightError as error:
                raise error.within(*EXPERIMENT, FROM_DATA) from None
        if said:
            name = next(iter(said))
            raise ConfigurationError(
                f"{name!r} says how an experiment is made of data, and this one is given",
                at=("options", name),
                hint="leave it out",
            )
        return protocol_of(options.experiment)

    def _measures(self, wanted: Mapping[str, list[int]], protocol: Protocol) -> dict[str, Metric]:
        """Return the metric of each variable at its cycles."""
        given = self._set.metrics or {}
        strange = [name for name in given if name not in wanted]
        if strange:
            raise ConfigurationError(
                f"there is a metric of {strange[0]!r}, which is not compared",
                at=("options", "metrics", strange[0]),
                hint=did_you_mean(strange[0], wanted) or f"compared are {', '.join(map(repr, wanted))}",
            )
        measures = {}
        for name, cycles in wanted.items():
            try:
                own = AfterCycles(variable=MODES.get(name, name))
                measures[name] = of_cycles(Metric.parse(given[name]) if name in given else own, cycles)
                _refuse_what_is_not_there(measures[name], protocol)
            except CellwrightError as error:
                raise error.within("options", "metrics", name) from None
        return measures


def measured(table: Columns, variable: str) -> NDArray[np.intp]:
    """Return the rows that have a value of a variable. Raises: `DataError` where there are none."""
    column = table[variable]
    if np.isinf(column).any():
        raise DataError(f"the column {variable!r} holds infinite values", hint="NaN stands for what was not measured")
    rows = np.flatnonzero(~np.isnan(column))
    if not rows.size:
        said = "the data have no rows" if not len(column) else f"the column {variable!r} holds no measured value"
        raise DataError(said, hint="compare other variables: options.'objective variables', or options.modes")
    return rows


def cycle_numbers(table: Columns) -> NDArray[np.intp]:
    """Return the cycle of each row, from 0. Raises: `DataError` for what is no number of a cycle."""
    given = table[CYCLE]
    wrong = ~np.isfinite(given) | (given < 0) | (given != np.round(given))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(f"{CYCLE!r} holds {given[row]:g} in row {row}; cycles count 0, 1, 2 …")
    return np.asarray(given, dtype=np.intp)


def _refuse_what_is_not_there(metric: Metric, protocol: Protocol) -> None:
    """Make sure that the experiment has the cycles, and these the steps, that a metric reads."""
    planned = len(protocol.cycles)
    for part in metric.parts():
        cycles = getattr(part, "cycles", None) or []
        last = max(cycles, default=0)
        if last >= planned + isinstance(part, AfterCycles):
            raise DataError(
                f"the data name cycle {last}, and the experiment has {planned} cycles, 0 to {planned - 1}",
                hint="cycles count from 0; a cell is measured in a cycle of its own",
            )
        if isinstance(part, CyclewiseMetric):
            inner = [getattr(one, "step", None) for one in part.metric.parts()] if part.step is None else []
            for cycle, step in product(cycles, (part.step, *inner)):
                count = protocol.steps(cycle)
                if step is not None and not -count <= step < count:
                    raise ConfigurationError(
                        f"step {step} is read of cycle {cycle}, which has {count} steps, 0 to {count - 1}", at=("step",)
                    )
