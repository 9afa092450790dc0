"""Experiments simulated by PyBaMM: built once, solved many times, read by metrics.

PyBaMM switches between the steps and carries the state over; here stand the building, the record of what was done and
where an experiment ended that did not come to its end. Variables are worked out for those steps alone that a metric
reads.
"""

import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, ClassVar

import numpy as np
import pybamm

from cellwright.errors import CellwrightError, ConfigurationError, MissingParameterError, SolverError, did_you_mean
from cellwright.models.lengths import stretching
from cellwright.models.numerics import simulation_keywords, solver_of
from cellwright.models.parameterised import ParameterisedModel, one_line
from cellwright.models.simulate import CURRENT, parameter_values, pybamm_model, required
from cellwright.models.simulation import KEPT
from cellwright.physics.constants import FARADAY, SECONDS_PER_HOUR
from cellwright.schema.expressions import Expression
from cellwright.schema.record import TIME, Array, Joined, Step, Stretch
from cellwright.schema.simulation import COURSE, ExperimentProblem, Solved
from cellwright.schema.values import free_names

logger = logging.getLogger(__name__)

CAPACITY = "Nominal cell capacity [A.h]"
LIMITS = ("Lower voltage cut-off [V]", "Upper voltage cut-off [V]")
AT_REST = ("Open-circuit voltage at 0% SOC [V]", "Open-circuit voltage at 100% SOC [V]")
AMBIENT = ("Ambient temperature [K]", "Initial temperature [K]")
FIXED = frozenset([*LIMITS, *AT_REST, *AMBIENT])
"""Parameters that PyBaMM's experiments take as numbers alone: free ones are built in anew for each value."""
INVENTORY = {
    "Q_n": "Negative electrode capacity [A.h]",
    "Q_p": "Positive electrode capacity [A.h]",
    "Q_Li": "Total lithium capacity in particles [A.h]",
}
"""What the state of health at rest follows from."""
HEALTH = (
    "Capacity [A.h]", "Cyclable lithium capacity [A.h]", "x_0", "x_100", "y_0", "y_100", "Negative positive ratio",
    "Practical negative positive ratio",
)  # fmt: skip
"""What PyBaMM knows of the state of health at rest: the capacity between the voltage limits, and where they lie."""
SOC, LITHIUM = "SOC", "Total lithium in negative electrode [mol]"
CONTROLLED = frozenset(["Battery voltage [V]", "Voltage [V]", "Current [A]", "Power [W]"])
"""The variables by which steps are controlled and ended."""
EXPERIMENT = ("options", "experiment")
NOTHING = "the experiment has nothing to do: the cell is where its steps end before they begin"
AT_THE_END = "infeasible due to exceeded bounds at initial conditions"
"""What PyBaMM says of steps that have nothing to do, where there are several."""


@dataclass(frozen=True, eq=False)
class BuiltExperiment(ParameterisedModel):
    """A built experiment; see `cellwright.schema.simulation.Simulation`."""

    problem: ExperimentProblem
    health: frozenset[str]
    """The variables that are read of the state of health at rest."""
    quantities: frozenset[str] = frozenset()
    """The parameters that are measured."""
    stretches: Mapping[str, str] = field(default_factory=dict)
    """The domains whose meshes stretch with lengths that are inputs."""
    portable: ClassVar[bool] = False

    def thinned(self, points: Sequence[Mapping[str, float]]) -> "BuiltExperiment":
        """Return the same without the courses of variables: what metrics read is little already."""
        return build(replace(self.problem, courses=())) if self.problem.courses else self

    def solved(self, shape: tuple[float, ...], rows: list[list[float]]) -> list[Solved]:
        """Return the measures at each row of inputs, one after the other.

        An experiment that ended early is a status, with NaN for what was not reached; one that could not begin, or of
        which no measure has a value, has failed.
        """
        try:
            simulation = self.simulation_at(shape)
        except Exception as cause:  # what cannot be built is a status of these solves
            return [Solved("failed", message=one_line(cause))] * len(rows)
        fixed = dict(zip(self.structural, shape, strict=True))
        return [self._solved(simulation, dict(zip(self.inputs, row, strict=True)), fixed) for row in rows]

    def _solved(self, simulation: Any, inputs: dict[str, float], fixed: Mapping[str, float]) -> Solved:
        ending = Ending()
        try:
            inputs |= self._known(self.steering, {**fixed, **inputs})
            with warnings.catch_warnings():
                # PyBaMM looks at the profile of each step all the time, also beyond its end.
                warnings.simplefilter("ignore", pybamm.SolverWarning)
                solution = simulation.solve(
                    inputs=inputs,
                    save_at_cycles=self._saved,
                    calc_esoh="capacity" in simulation.experiment.termination,
                    callbacks=[ending],
                )
            if isinstance(solution, pybamm.EmptySolution):
                return Solved("failed", message=NOTHING)
            known = self._known(self.quantities, {**fixed, **inputs})
            record = self._record(solution, ending, Health(simulation, solution, inputs, self.health, known))
            outputs = {name: np.atleast_1d(one.measure(record)) for name, one in self.problem.measures.items()}
            outputs |= self._courses(record)
        except Exception as cause:  # whatever fails inside PyBaMM is a status of this solve
            return Solved("failed", message=NOTHING if AT_THE_END in str(cause) else one_line(cause))
        missing = [name for name in self.problem.measures if np.isnan(outputs[name]).any()]
        if self.problem.whole and not record.complete:
            return Solved("failed", outputs, ending.told())
        if record.complete or not missing:
            return Solved("solved", outputs, self._gap(missing, record))
        said = f"{ending.told()}; what comes later has no value"
        if all(np.isnan(outputs[name]).all() for name in self.problem.measures):
            return Solved("failed", message=said)
        return Solved("ended early", outputs, said)

    def _gap(self, missing: Sequence[str], record: Stretch) -> str:
        """Return which measures have no value, and why the first of them has none."""
        if not missing:
            return ""
        why = self.problem.measures[missing[0]].gap(record)
        return f"{' and '.join(map(repr, missing))} has no value" + (f": {why}" if why else "")

    def _courses(self, record: Stretch) -> dict[str, Array]:
        names = (TIME, *self.problem.courses) if self.problem.courses else ()
        return {f"{name}{COURSE}": record.series(name) for name in names}

    def _known(self, names: Iterable[str], values: Mapping[str, float]) -> dict[str, float]:
        """Return parameters at these values of the free ones."""
        p = self.problem.parameters.values_
        found: dict[str, Any] = {name: values[name] if name in values else p[name] for name in names}
        return {n: float(v.substitute(values) if isinstance(v, Expression) else v) for n, v in found.items()}

    def _record(self, solution: Any, ending: "Ending", health: "Health") -> Stretch:
        cycles = {}
        for number, cycle in zip(ending.numbers, solution.cycles, strict=False):
            if cycle is not None:
                whole = number != ending.number and len(cycle.steps) == len(self.problem.cycles[number])
                cycles[number] = Stretch(self._steps(number, cycle.steps, health), whole)
        steps = tuple(step for number in sorted(cycles) for step in cycles[number].steps)
        ran = len(ending.numbers) == len(self.problem.cycles)
        return Stretch(steps, ran and ending.number is None, cycles)

    def _steps(self, number: int, solutions: Sequence[Any], health: "Health") -> tuple[Step | None, ...]:
        """Return the steps of a cycle; where several count as one, they are one as soon as the first began."""
        steps: list[Step | None] = [
            None if isinstance(one, pybamm.EmptySolution) else ObservedStep(one, health) for one in solutions
        ]
        if not self.problem.joined:
            return tuple(steps)
        rows: list[Step | None] = []
        for count in self.problem.joined[number]:
            begun = [step for step in steps[:count] if step is not None]
            if not steps:
                break
            rows.append(None if not begun else begun[0] if len(begun) == 1 else Joined(begun))
            steps = steps[count:]
        return tuple(rows)

    @cached_property
    def steering(self) -> frozenset[str]:
        """The parameters that are values of steps and follow from free ones."""
        p = self.problem.parameters.values_
        return frozenset(name for name in _values_of_steps(self.problem) if free_names(p.get(name)))

    @cached_property
    def _saved(self) -> list[int] | None:
        """The cycles that are kept, by PyBaMM's number from 1; None for all."""
        needed = [measure.numbers() for measure in self.problem.measures.values()]
        named = [numbers for numbers in needed if numbers is not None]
        if self.problem.kept is None and (len(named) < len(needed) or self.problem.courses):
            return None
        return sorted({number + 1 for numbers in (self.problem.kept or (), *named) for number in numbers})

    @cached_property
    def simulation_at(self) -> Any:
        """The function from values of the structural parameters to PyBaMM's simulation, which keeps the last few."""
        return lru_cache(maxsize=KEPT)(self._simulation)

    def _simulation(self, shape: tuple[float, ...]) -> Any:
        problem, fixed = self.problem, dict(zip(self.structural, shape, strict=True))
        model = pybamm_model(problem.model)
        solver = solver_of(problem.model.settings.get("solver"))
        ends = not problem.courses and all(one.kept_at_ends for one in problem.measures.values())
        solver.store_first_last = ends if problem.ends_alone is None else problem.ends_alone
        settings = {**problem.model.settings, **({"submesh_types": self.stretches} if self.stretches else {})}
        values = parameter_values(self, fixed, 0.0)
        for rest, limit in zip(AT_REST, LIMITS, strict=True):
            if rest not in values and limit in values:
                values.update({rest: values[limit]}, check_already_exists=False)
        try:
            simulation = pybamm.Simulation(
                model,
                experiment=experiment_of(problem, fixed),
                parameter_values=values,
                solver=solver,
                discretisation_kwargs={"check_model": not problem.free},
                experiment_model_mode=problem.mode,
                **simulation_keywords(model, settings),
            )
            simulation.build_for_experiment(inputs=dict.fromkeys([*self.inputs, *self.steering], 0.0))
        except CellwrightError:
            raise
        except Exception as cause:
            raise SolverError(
                f"PyBaMM cannot build the experiment of {problem.model.type}: {one_line(cause)}"
            ) from cause
        return simulation

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in self.__dataclass_fields__}


class ObservedStep(Mapping[str, Array]):
    """The variables of a solved step, each worked out when it is first asked for."""

    def __init__(self, solution: Any, health: "Health") -> None:
        self._solution, self._health = solution, health
        self._values: dict[str, Array] = {}

    def __getitem__(self, variable: str) -> Array:
        if variable not in self._values:
            values = self._health.of(variable, self._solution)
            self._values[variable] = np.asarray(values, dtype=float)
        return self._values[variable]

    def __iter__(self) -> Iterator[str]:
        return iter(self._solution.all_models[0].variables)

    def __len__(self) -> int:
        return len(self._solution.all_models[0].variables)


@dataclass
class Health:
    """The state of health at rest, where it is read: capacity and stoichiometries of the empty and the full cell.

    `known` are the parameters that are measured.
    """

    simulation: Any
    solution: Any
    inputs: Mapping[str, float]
    variables: frozenset[str]
    known: Mapping[str, float] = field(default_factory=dict)

    def of(self, variable: str, step: Any) -> Array:
        """Return a variable at all recorded times of a step: one of the model's, or one of the state of health."""
        if variable in self.known:
            return np.array([self.known[variable]])
        if variable not in self.variables:
            return np.ravel(step[variable].entries)
        if variable == SOC:
            empty, full = self._window
            lithium, capacity = (np.ravel(step[name].entries) for name in (LITHIUM, INVENTORY["Q_n"]))
            return np.asarray((lithium * FARADAY / (SECONDS_PER_HOUR * capacity) - empty) / (full - empty))
        inventory = zip(*(np.ravel(step[name].entries) for name in INVENTORY.values()), strict=True)
        return np.array([float(self._at(state)[variable]) for state in inventory])

    @cached_property
    def _window(self) -> tuple[float, float]:
        """The stoichiometries of the negative electrode of the empty and the full cell as the experiment begins."""
        first = self.solution.all_first_states[0]
        found = self._at([np.ravel(first[name].entries)[0] for name in INVENTORY.values()])
        return float(found["x_0"]), float(found["x_100"])

    def _at(self, state: Sequence[float]) -> Any:
        return self._solver.solve(inputs={**self.inputs, **dict(zip(INVENTORY, map(float, state), strict=True))})

    @cached_property
    def _solver(self) -> Any:
        return self.simulation.get_esoh_solver(True, None)


@dataclass
class Ending(pybamm.callbacks.Callback):  # type: ignore[misc]
    """Keeps which cycles were run, by their number from 0, and where and why an experiment was broken off."""

    numbers: list[int] = field(default_factory=list)
    number: int | None = None
    step: int = 0
    reason: str = ""

    def on_cycle_start(self, logs: Mapping[str, Any]) -> None:
        """Keep the number of the cycle that begins."""
        self._running = logs["cycle number"][0] - 1

    def on_cycle_end(self, logs: Mapping[str, Any]) -> None:
        """Keep that the cycle was run; a cycle with nothing to do does not come here."""
        self.numbers.append(self._running)

    def on_step_end(self, logs: Mapping[str, Any]) -> None:
        """Keep that the time of the whole experiment was up in the midst of a step."""
        limit = logs["stopping conditions"]["time"]
        if limit is not None and logs["experiment time"] >= limit:
            self._broken(logs, "the experiment's own time was up")

    def on_experiment_error(self, logs: Mapping[str, Any]) -> None:
        """Keep that the solver failed."""
        self._broken(logs, one_line(logs["error"]))

    def on_experiment_infeasible_time(self, logs: Mapping[str, Any]) -> None:
        """Keep that a step did not come to its end in the time that PyBaMM gives it."""
        self._broken(logs, f"its end was not reached within {logs['step duration']:g} s")

    def on_experiment_infeasible_event(self, logs: Mapping[str, Any]) -> None:
        """Keep that an event which the experiment does not know ended a step."""
        self._broken(logs, str(logs["termination"]))

    def _broken(self, logs: Mapping[str, Any], reason: str) -> None:
        self.number, self.step, self.reason = logs["cycle number"][0] - 1, logs["step number"][0] - 1, reason

    def told(self) -> str:
        """Return where the experiment ended, in words."""
        if self.number is None:
            return f"the experiment's own end was reached after {len(self.numbers)} cycles"
        return f"the experiment ended in cycle {self.number}, step {self.step} ({self.reason})"


def build(problem: ExperimentProblem) -> BuiltExperiment:
    """Return the built experiment; nothing is integrated. It ends with the last cycle that a measure needs.

    Raises: `ConfigurationError` for an unknown model, option, variable or step, `MissingParameterError` naming every
    parameter that is lacking, `SolverError` where PyBaMM cannot build it.
    """
    problem = _as_long_as_needed(problem)
    model = pybamm_model(problem.model)
    health = _health_of(problem, model)
    variables = {name for one in problem.measures.values() for name in one.variables} - health
    variables |= {*problem.courses}
    variables |= {*INVENTORY.values(), LITHIUM} if health else set()
    variables |= CONTROLLED & set(model.variables)
    needed, start, structural = required(problem, model, sorted(variables))
    quantities = frozenset(name for one in problem.measures.values() for name in one.parameters)
    needed |= _needed_by(problem) | quantities
    missing = sorted(needed - start.gives - problem.parameters.values_.keys() - {*problem.free, CURRENT})
    if missing:
        raise MissingParameterError(
            f"the experiment lacks {', '.join(map(repr, missing))}",
            hint=did_you_mean(missing[0], problem.parameters.values_),
            detail={"missing": missing},
        )
    values = problem.parameters.values_
    fixed = {name for known in FIXED for name in (known, *free_names(values.get(known))) if name in problem.free}
    stretched = None if fixed else stretching(problem.model, model, structural)
    if stretched:
        built = BuiltExperiment(problem, needed, start, (), health, quantities, stretched.settings["submesh_types"])
        try:
            built.simulation_at(())
            return built
        except SolverError as cause:  # of variables that such a mesh does not know
            logger.info("%s is built anew for each length, since %s", problem.model.type, one_line(cause))
    built = BuiltExperiment(problem, needed, start, tuple(sorted({*structural, *fixed})), health, quantities)
    if not built.structural:
        built.simulation_at(())
    else:
        experiment_of(problem, {})
    return built


def _as_long_as_needed(problem: ExperimentProblem) -> ExperimentProblem:
    needed = [one.numbers() for one in problem.measures.values()]
    if problem.whole or problem.courses or any(numbers is None for numbers in needed):
        return problem
    last = max((number for numbers in needed for number in numbers or ()), default=0)
    return replace(problem, cycles=problem.cycles[: last + 1], joined=problem.joined[: last + 1])


def _health_of(problem: ExperimentProblem, model: Any) -> frozenset[str]:
    """Return the variables that are read of the state of health at rest.

    Raises: `ConfigurationError` for a variable that the model does not have.
    """
    at_rest: set[str] = set()
    if {*INVENTORY.values(), LITHIUM} <= set(model.variables):
        at_rest = {SOC, *HEALTH} - set(model.variables)
    for name in problem.summaries:
        known = [*model.summary_variables, *at_rest]
        if name not in known:
            raise ConfigurationError(
                f"{name!r} is no summary of a cycle of {problem.model.type}",
                at=("options", "objective variables"),
                hint=_summaries(name, known),
            )
    return frozenset(at_rest.intersection(*[[name for one in problem.measures.values() for name in one.variables]]))


def _summaries(name: str, known: Sequence[str]) -> str:
    near = did_you_mean(name, known)
    return f"{near}; " * bool(near) + "for another variable say in 'metrics' how it is read of a cycle"


def _needed_by(problem: ExperimentProblem) -> frozenset[str]:
    """Return the parameters that the experiment itself reads, the nominal capacity whatever its steps are."""
    return frozenset([CAPACITY, *LIMITS, *AMBIENT]) | _values_of_steps(problem)


def _values_of_steps(problem: ExperimentProblem) -> frozenset[str]:
    """Return the parameters that are the values of steps."""
    steps = [step for cycle in problem.cycles for step in cycle if isinstance(step, Mapping)]
    return frozenset(step["value"] for step in steps if isinstance(step.get("value"), str))


def experiment_of(problem: ExperimentProblem, fixed: Mapping[str, float]) -> Any:
    """Return PyBaMM's experiment. Where a step has a name for its value, it is that of a parameter.

    Raises: `ConfigurationError` with the place of a step that PyBaMM does not understand.
    """
    made: dict[str, Any] = {}
    cycles = []
    for number, cycle in enumerate(problem.cycles):
        steps = []
        for place, step in enumerate(cycle):
            key = repr(step)
            if key not in made:
                made[key] = _step(problem, step, fixed, (*EXPERIMENT, "cycles", str(number), str(place)))
            steps.append(made[key])
        cycles.append(tuple(steps))
    try:
        return pybamm.Experiment(cycles, **problem.conditions)
    except Exception as cause:
        raise ConfigurationError(f"PyBaMM refuses the experiment: {one_line(cause)}", at=EXPERIMENT) from None


def _step(problem: ExperimentProblem, step: Any, fixed: Mapping[str, float], at: tuple[str, ...]) -> Any:
    try:
        if isinstance(step, str):
            return pybamm.step.string(step)
        value = step.get("value")
        known = problem.parameters.values_.get(value) if isinstance(value, str) else None
        if isinstance(value, str) and value in fixed:
            step = {**step, "value": fixed[value]}
        elif isinstance(value, str) and value not in problem.free and not free_names(known):
            step = {**step, "value": problem.parameters.number(value)}
        elif isinstance(value, str):
            _refuse_ends_without_direction(step)
        return pybamm.Experiment.from_config({"steps": [step]}).steps[0]
    except CellwrightError as error:
        raise (error if error.at else error.within(*at)) from None
    except Exception as cause:
        raise ConfigurationError(
            f"PyBaMM does not understand the step {step!r:.80}: {one_line(cause)}",
            at=at,
            hint="for example 'Discharge at 1C until 2.5 V' or {'type': 'rest', 'duration': 600}",
        ) from None


def _refuse_ends_without_direction(step: Mapping[str, Any]) -> None:
    """Raise `ConfigurationError` for a voltage at which a step ends whose value PyBaMM does not know the sign of.

    It would never end there: whether the voltage is to rise or to fall follows from that sign.
    """
    for end in step.get("terminations") or ():
        if isinstance(end, Mapping) and end.get("type") == "voltage" and not end.get("operator"):
            raise ConfigurationError(
                f"{step['value']!r} is a parameter, and nothing says whether the voltage is to rise or fall to "
                f"{end.get('value')} V",
                hint="add 'operator': '>' or '<' to that end",
            )
